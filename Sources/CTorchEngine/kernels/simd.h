// SIMD loops over rows of pixels that keep sums in registers: blocks of pixels by vectors of channels.
#pragma once

#include "kernels/rows.h"

#include <type_traits>

namespace ct {

// A vector of V channels, without alignment.
template <typename T, int V> struct SimdType {
    typedef T type __attribute__((vector_size(V * sizeof(T)), aligned(alignof(T)), may_alias));
};
template <typename T, int V> using simd = typename SimdType<T, V>::type;

template <int V, typename T> CT_INLINE const simd<T, V> &simd_at(const T *p) {
    return *reinterpret_cast<const simd<T, V> *>(p);
}
template <int V, typename T> CT_INLINE simd<T, V> &simd_at(T *p) { return *reinterpret_cast<simd<T, V> *>(p); }

// Calls `body(offset, constant V)` for vectors that cover `channels`: eights, then a four, then single ones.
template <typename Body> CT_INLINE void over_channels(int64_t channels, Body &&body) {
    int64_t c = 0;
    for (; c + 8 <= channels; c += 8) body(c, std::integral_constant<int, 8>());
    for (; c + 4 <= channels; c += 4) body(c, std::integral_constant<int, 4>());
    for (; c < channels; c++) body(c, std::integral_constant<int, 1>());
}

// Calls `body(first, constant P)` for blocks of eight pixels and of four; rows are as wide as a multiple of four.
template <typename Body> CT_INLINE void over_pixels(int64_t width, Body &&body) {
    int64_t p = 0;
    for (; p + 8 <= width; p += 8) body(p, std::integral_constant<int, 8>());
    for (; p < width; p += 4) body(p, std::integral_constant<int, 4>());
}

// A depthwise convolution's place in memory: K x K taps, `step` apart, on rows of pixels of `stride` values.
struct Taps {
    int64_t kernel, step, stride;
};

// acc[p] += sum over taps of weight[tap] * pixel p + tap. `rows` are those of the K tap rows, at the first pixel.
template <int V, int P, typename T>
CT_INLINE void add_taps(simd<T, V> (&acc)[P], const T *const *rows, int64_t offset, const Taps &taps, const T *weight,
                        int64_t weight_stride) {
    for (int64_t i = 0; i < taps.kernel; i++) {
        for (int64_t j = 0; j < taps.kernel; j++) {
            auto w = simd_at<V>(weight + (i * taps.kernel + j) * weight_stride);
            auto x = rows[i] + offset + j * taps.step * taps.stride;
            for (int p = 0; p < P; p++) acc[p] += w * simd_at<V>(x + p * taps.stride);
        }
    }
}

// One row of a depthwise convolution, of E sets of kernels on the same C channels: out[p, e * C + c].
template <typename T>
CT_INLINE void depthwise_body(const T *const *rows, const T *weight, T *out, int64_t width, const Taps &taps,
                              int64_t edges, int64_t channels) {
    auto columns = edges * channels;
    for (int64_t e = 0; e < edges; e++) {
        over_channels(channels, [&](int64_t c, auto v) __attribute__((always_inline)) {
            constexpr int V = decltype(v)::value;
            over_pixels(width, [&](int64_t first, auto block) __attribute__((always_inline)) {
                constexpr int P = decltype(block)::value;
                simd<T, V> acc[P] = {};
                add_taps<V, P>(acc, rows, first * taps.stride + c, taps, weight + e * channels + c, columns);
                for (int p = 0; p < P; p++) simd_at<V>(out + (first + p) * columns + e * channels + c) = acc[p];
            });
        });
    }
}

// Its transpose, with the kernels turned round: the gradients of all E sets meet in the C channels that they read.
template <typename T>
CT_INLINE void depthwise_transposed_body(const T *const *rows, const T *weight, T *out, int64_t width, const Taps &taps,
                                         int64_t edges, int64_t channels) {
    auto columns = edges * channels;
    over_channels(channels, [&](int64_t c, auto v) __attribute__((always_inline)) {
        constexpr int V = decltype(v)::value;
        over_pixels(width, [&](int64_t first, auto block) __attribute__((always_inline)) {
            constexpr int P = decltype(block)::value;
            simd<T, V> acc[P] = {};
            for (int64_t e = 0; e < edges; e++) {
                auto column = e * channels + c;
                add_taps<V, P>(acc, rows, first * taps.stride + column, taps, weight + column, columns);
            }
            for (int p = 0; p < P; p++) simd_at<V>(out + (first + p) * channels + c) = acc[p];
        });
    });
}

// The kernels' gradients from one row: sum[tap, e * C + c] += gradient[p, e * C + c] * x[p + tap, c].
template <int K, typename T>
CT_INLINE void depthwise_weights_body(const T *const *rows, const T *gradient, T *sum, int64_t width, const Taps &taps,
                                      int64_t edges, int64_t channels) {
    auto columns = edges * channels;
    for (int64_t e = 0; e < edges; e++) {
        over_channels(channels, [&](int64_t c, auto v) __attribute__((always_inline)) {
            constexpr int V = decltype(v)::value;
            auto column = e * channels + c;
            for (int64_t i = 0; i < taps.kernel; i++) {
                for (int64_t j = 0; j < taps.kernel; j += K) {
                    simd<T, V> acc[K] = {};
                    auto x = rows[i] + c + j * taps.step * taps.stride;
                    for (int64_t p = 0; p < width; p++) {
                        auto g = simd_at<V>(gradient + p * columns + column);
                        for (int k = 0; k < K; k++) {
                            acc[k] += g * simd_at<V>(x + (p + k * taps.step) * taps.stride);
                        }
                    }
                    for (int k = 0; k < K; k++) {
                        simd_at<V>(sum + (i * taps.kernel + j + k) * columns + column) += acc[k];
                    }
                }
            }
        });
    }
}

// out[p, e, b] = sum over a of in[p, e, a] * matrix[e, a, b], with E matrices C x C.
template <typename T>
CT_INLINE void pointwise_body(const T *in, const T *matrix, T *out, int64_t width, int64_t edges, int64_t channels) {
    auto columns = edges * channels;
    for (int64_t e = 0; e < edges; e++) {
        over_channels(channels, [&](int64_t b, auto v) __attribute__((always_inline)) {
            constexpr int V = decltype(v)::value;
            over_pixels(width, [&](int64_t first, auto block) __attribute__((always_inline)) {
                constexpr int P = decltype(block)::value;
                simd<T, V> acc[P] = {};
                auto x = in + first * columns + e * channels;
                auto m = matrix + e * channels * channels + b;
                for (int64_t a = 0; a < channels; a++) {
                    auto w = simd_at<V>(m + a * channels);
                    for (int p = 0; p < P; p++) acc[p] += w * x[p * columns + a];
                }
                for (int p = 0; p < P; p++) simd_at<V>(out + (first + p) * columns + e * channels + b) = acc[p];
            });
        });
    }
}

// Eight rows of a matrix's gradient at once: sum[e, o, c] += gradient[p, e, o] * x[p, e, c].
template <typename T>
CT_INLINE void pointwise_weights_body(const T *gradient, const T *x, T *sum, int64_t width, int64_t edges,
                                      int64_t channels) {
    auto columns = edges * channels;
    for (int64_t e = 0; e < edges; e++) {
        over_channels(channels, [&](int64_t o, auto rows) __attribute__((always_inline)) {
            constexpr int R = decltype(rows)::value;
            over_channels(channels, [&](int64_t c, auto v) __attribute__((always_inline)) {
                constexpr int V = decltype(v)::value;
                simd<T, V> acc[R] = {};
                auto g = gradient + e * channels + o;
                auto m = x + e * channels + c;
                for (int64_t p = 0; p < width; p++) {
                    auto value = simd_at<V>(m + p * columns);
                    for (int r = 0; r < R; r++) acc[r] += value * g[p * columns + r];
                }
                for (int r = 0; r < R; r++) simd_at<V>(sum + ((e * channels + o + r) * channels) + c) += acc[r];
            });
        });
    }
}

} // namespace ct
