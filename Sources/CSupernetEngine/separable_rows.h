// Loops of a separable convolution over one row of pixels, whose channels, of all edges, lie side by side.
#pragma once

#include "kernels/simd.h"

namespace ct {
namespace {

// Calls `body(constant K)` with the size of a kernel whose taps are neighbours, 0 where nothing of it is known.
template <typename Body> CT_INLINE void with_taps(const Taps &taps, Body &&body) {
    if (taps.step == 1 && taps.kernel == 3) return body(std::integral_constant<int, 3>());
    if (taps.step == 1 && taps.kernel == 5) return body(std::integral_constant<int, 5>());
    body(std::integral_constant<int, 0>());
}

CT_CLONES void depthwise(const float *const *rows, const float *weight, float *out, int64_t width, const Taps &taps,
                         int64_t edges, int64_t channels) {
    with_taps(taps, [&](auto k) __attribute__((always_inline)) {
        depthwise_body<decltype(k)::value>(rows, weight, out, width, taps, edges, channels);
    });
}
CT_CLONES void depthwise(const double *const *rows, const double *weight, double *out, int64_t width, const Taps &taps,
                         int64_t edges, int64_t channels) {
    with_taps(taps, [&](auto k) __attribute__((always_inline)) {
        depthwise_body<decltype(k)::value>(rows, weight, out, width, taps, edges, channels);
    });
}
CT_CLONES void depthwise_transposed(const float *const *rows, const float *weight, float *out, int64_t width,
                                    const Taps &taps, int64_t edges, int64_t channels) {
    with_taps(taps, [&](auto k) __attribute__((always_inline)) {
        depthwise_transposed_body<decltype(k)::value>(rows, weight, out, width, taps, edges, channels);
    });
}
CT_CLONES void depthwise_transposed(const double *const *rows, const double *weight, double *out, int64_t width,
                                    const Taps &taps, int64_t edges, int64_t channels) {
    with_taps(taps, [&](auto k) __attribute__((always_inline)) {
        depthwise_transposed_body<decltype(k)::value>(rows, weight, out, width, taps, edges, channels);
    });
}
CT_CLONES void depthwise_weights(const float *const *rows, const float *gradient, float *sum, int64_t width,
                                 const Taps &taps, int64_t edges, int64_t channels) {
    with_taps(taps, [&](auto k) __attribute__((always_inline)) {
        depthwise_weights_body<decltype(k)::value>(rows, gradient, sum, width, taps, edges, channels);
    });
}
CT_CLONES void depthwise_weights(const double *const *rows, const double *gradient, double *sum, int64_t width,
                                 const Taps &taps, int64_t edges, int64_t channels) {
    with_taps(taps, [&](auto k) __attribute__((always_inline)) {
        depthwise_weights_body<decltype(k)::value>(rows, gradient, sum, width, taps, edges, channels);
    });
}
CT_CLONES void pointwise(const float *in, const float *matrix, float *out, int64_t width, int64_t edges,
                         int64_t channels) {
    pointwise_body(in, matrix, out, width, edges, channels);
}
CT_CLONES void pointwise(const double *in, const double *matrix, double *out, int64_t width, int64_t edges,
                         int64_t channels) {
    pointwise_body(in, matrix, out, width, edges, channels);
}
CT_CLONES void pointwise_weights(const float *gradient, const float *x, float *sum, int64_t width, int64_t edges,
                                 int64_t channels) {
    pointwise_weights_body(gradient, x, sum, width, edges, channels);
}
CT_CLONES void pointwise_weights(const double *gradient, const double *x, double *sum, int64_t width, int64_t edges,
                                 int64_t channels) {
    pointwise_weights_body(gradient, x, sum, width, edges, channels);
}

} // namespace
} // namespace ct
