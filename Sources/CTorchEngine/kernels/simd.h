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

// Values of the widest vectors: two registers of AVX2, one of AVX-512.
template <typename T> constexpr int widest = 64 / sizeof(T);

// Pixels of a block of vectors of V channels, so many that its sums stay in 16 registers of 256 bits.
template <int V, typename T> constexpr int block_pixels = V * sizeof(T) > 32 ? 4 : 8;

// Calls `body(offset, constant V)` for vectors that cover `channels`: the widest, then narrower ones, then single ones.
template <typename T, typename Body> CT_INLINE void over_channels(int64_t channels, Body &&body) {
    constexpr int most = widest<T>;
    int64_t c = 0;
    for (; c + most <= channels; c += most) body(c, std::integral_constant<int, most>());
    if (most > 8 && c + 8 <= channels) body(c, std::integral_constant<int, 8>()), c += 8;
    if (c + 4 <= channels) body(c, std::integral_constant<int, 4>()), c += 4;
    for (; c < channels; c++) body(c, std::integral_constant<int, 1>());
}

// Calls `body(first, constant P)` for blocks of `most` pixels, then of four; rows are as wide as a multiple of four.
template <int most, typename Body> CT_INLINE void over_pixels(int64_t width, Body &&body) {
    int64_t p = 0;
    for (; p + most <= width; p += most) body(p, std::integral_constant<int, most>());
    for (; most > 4 && p < width; p += 4) body(p, std::integral_constant<int, 4>());
}

// A depthwise convolution's place in memory: K x K taps, `step` apart, on rows of pixels of `stride` values.
struct Taps {
    int64_t kernel, step, stride;
};

// acc[p] += sum over taps of weight[tap] * pixel p + tap. `rows` are those of the K tap rows, at the first pixel.
//
// Where K is known, 3 or 5, and taps are neighbours, each pixel is loaded once for all the sums that it is part of. The
// order in which a sum is made is the same.
template <int K, int V, int P, typename T>
CT_INLINE void add_taps(simd<T, V> (&acc)[P], const T *const *rows, int64_t offset, const Taps &taps, const T *weight,
                        int64_t weight_stride) {
    if constexpr (K == 0) {
        for (int64_t i = 0; i < taps.kernel; i++) {
            for (int64_t j = 0; j < taps.kernel; j++) {
                auto w = simd_at<V>(weight + (i * taps.kernel + j) * weight_stride);
                auto x = rows[i] + offset + j * taps.step * taps.stride;
                for (int p = 0; p < P; p++) acc[p] += w * simd_at<V>(x + p * taps.stride);
            }
        }
    } else {
        for (int i = 0; i < K; i++) {
            simd<T, V> w[K];
            CT_UNROLLED for (int j = 0; j < K; j++) w[j] = simd_at<V>(weight + (i * K + j) * weight_stride);
            CT_UNROLLED for (int q = 0; q < P + K - 1; q++) {
                auto x = simd_at<V>(rows[i] + offset + q * taps.stride);
                CT_UNROLLED for (int j = 0; j < K; j++) {
                    if (q >= j && q - j < P) acc[q - j] += w[j] * x;
                }
            }
        }
    }
}

// One row of a depthwise convolution, of E sets of kernels on the same C channels: out[p, e * C + c].
template <int K, typename T>
CT_INLINE void depthwise_body(const T *const *rows, const T *weight, T *out, int64_t width, const Taps &taps,
                              int64_t edges, int64_t channels) {
    auto columns = edges * channels;
    for (int64_t e = 0; e < edges; e++) {
        over_channels<T>(channels, [&](int64_t c, auto v) __attribute__((always_inline)) {
            constexpr int V = decltype(v)::value;
            over_pixels<block_pixels<V, T>>(width, [&](int64_t first, auto block) __attribute__((always_inline)) {
                constexpr int P = decltype(block)::value;
                simd<T, V> acc[P] = {};
                add_taps<K, V, P>(acc, rows, first * taps.stride + c, taps, weight + e * channels + c, columns);
                for (int p = 0; p < P; p++) simd_at<V>(out + (first + p) * columns + e * channels + c) = acc[p];
            });
        });
    }
}

// Its transpose, with the kernels turned round: the gradients of all E sets meet in the C channels that they read.
template <int K, typename T>
CT_INLINE void depthwise_transposed_body(const T *const *rows, const T *weight, T *out, int64_t width, const Taps &taps,
                                         int64_t edges, int64_t channels) {
    auto columns = edges * channels;
    over_channels<T>(channels, [&](int64_t c, auto v) __attribute__((always_inline)) {
        constexpr int V = decltype(v)::value;
        over_pixels<block_pixels<V, T>>(width, [&](int64_t first, auto block) __attribute__((always_inline)) {
            constexpr int P = decltype(block)::value;
            simd<T, V> acc[P] = {};
            for (int64_t e = 0; e < edges; e++) {
                auto column = e * channels + c;
                add_taps<K, V, P>(acc, rows, first * taps.stride + column, taps, weight + column, columns);
            }
            for (int p = 0; p < P; p++) simd_at<V>(out + (first + p) * channels + c) = acc[p];
        });
    });
}

// acc[j] += sum over P pixels of gradient[p] * pixel p + j, as add_taps has it.
template <int K, int P, int V, typename T>
CT_INLINE void add_products(simd<T, V> (&acc)[K], const T *gradient, int64_t gradient_stride, const T *x,
                            const Taps &taps) {
    simd<T, V> g[P];
    CT_UNROLLED for (int p = 0; p < P; p++) g[p] = simd_at<V>(gradient + p * gradient_stride);
    CT_UNROLLED for (int q = 0; q < P + K - 1; q++) {
        auto value = simd_at<V>(x + q * taps.stride);
        CT_UNROLLED for (int j = 0; j < K; j++) {
            if (q >= j && q - j < P) acc[j] += g[q - j] * value;
        }
    }
}

// The kernels' gradients from one row: sum[tap, e * C + c] += gradient[p, e * C + c] * x[p + tap, c].
template <int K, typename T>
CT_INLINE void depthwise_weights_body(const T *const *rows, const T *gradient, T *sum, int64_t width, const Taps &taps,
                                      int64_t edges, int64_t channels) {
    // So many taps of a row at a time: all of them, or one where nothing is known of them.
    constexpr int J = K == 0 ? 1 : K;
    auto columns = edges * channels;
    for (int64_t e = 0; e < edges; e++) {
        over_channels<T>(channels, [&](int64_t c, auto v) __attribute__((always_inline)) {
            constexpr int V = decltype(v)::value;
            auto g = gradient + e * channels + c;
            for (int64_t i = 0; i < taps.kernel; i++) {
                for (int64_t j = 0; j < taps.kernel; j += J) {
                    simd<T, V> acc[J] = {};
                    auto x = rows[i] + c + j * taps.step * taps.stride;
                    int64_t p = 0;
                    for (; p + 2 <= width; p += 2) {
                        add_products<J, 2, V>(acc, g + p * columns, columns, x + p * taps.stride, taps);
                    }
                    if (p < width) add_products<J, 1, V>(acc, g + p * columns, columns, x + p * taps.stride, taps);
                    auto to = sum + (i * taps.kernel + j) * columns + e * channels + c;
                    for (int k = 0; k < J; k++) simd_at<V>(to + k * columns) += acc[k];
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
        over_channels<T>(channels, [&](int64_t b, auto v) __attribute__((always_inline)) {
            constexpr int V = decltype(v)::value;
            over_pixels<block_pixels<V, T>>(width, [&](int64_t first, auto block) __attribute__((always_inline)) {
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

// Some rows of a matrix's gradient at once: sum[e, o, c] += gradient[p, e, o] * x[p, e, c].
template <int R, int V, typename T>
CT_INLINE void add_outer_products(const T *gradient, const T *x, T *sum, int64_t width, int64_t columns,
                                  int64_t channels) {
    simd<T, V> acc[R] = {};
    for (int64_t p = 0; p < width; p++) {
        auto value = simd_at<V>(x + p * columns);
        for (int r = 0; r < R; r++) acc[r] += value * gradient[p * columns + r];
    }
    for (int r = 0; r < R; r++) simd_at<V>(sum + r * channels) += acc[r];
}

template <typename T>
CT_INLINE void pointwise_weights_body(const T *gradient, const T *x, T *sum, int64_t width, int64_t edges,
                                      int64_t channels) {
    auto columns = edges * channels;
    for (int64_t e = 0; e < edges; e++) {
        over_channels<T>(channels, [&](int64_t c, auto v) __attribute__((always_inline)) {
            constexpr int V = decltype(v)::value, R = block_pixels<V, T>;
            auto g = gradient + e * channels, m = x + e * channels + c;
            auto to = sum + e * channels * channels + c;
            int64_t o = 0;
            for (; o + R <= channels; o += R) {
                add_outer_products<R, V>(g + o, m, to + o * channels, width, columns, channels);
            }
            for (; o < channels; o++) {
                add_outer_products<1, V>(g + o, m, to + o * channels, width, columns, channels);
            }
        });
    }
}

} // namespace ct
