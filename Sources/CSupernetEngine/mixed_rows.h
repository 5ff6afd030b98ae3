// Loops of the mixed operation over pixels whose channels, of all edges, lie side by side.
#pragma once

#include "kernels/rows.h"

namespace {

// acc[e * width + c] += scale * x of each pixel, where x has all the columns (copies == 1) or one set for all edges.
template <typename T>
CT_INLINE void accumulate_body(const T *x, int64_t rows, int64_t width, int64_t copies, const T *scale, T *acc) {
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t e = 0; e < copies; e++) {
            auto from = x + r * width, factor = scale + e * width;
            auto to = acc + (r * copies + e) * width;
            CT_INDEPENDENT for (int64_t c = 0; c < width; c++) to[c] += factor[c] * from[c];
        }
    }
}

// sum += g over the pixels.
template <typename T> CT_INLINE void add_rows_body(const T *g, int64_t rows, int64_t columns, T *sum) {
    for (int64_t r = 0; r < rows; r++) {
        auto from = g + r * columns;
        CT_INDEPENDENT for (int64_t c = 0; c < columns; c++) sum[c] += from[c];
    }
}

// q[e * width + c] += g * x over the pixels, columns as above.
template <typename T>
CT_INLINE void dots_body(const T *g, const T *x, int64_t rows, int64_t width, int64_t copies, T *q) {
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t e = 0; e < copies; e++) {
            auto upper = g + (r * copies + e) * width, from = x + r * width;
            auto to = q + e * width;
            CT_INDEPENDENT for (int64_t c = 0; c < width; c++) to[c] += upper[c] * from[c];
        }
    }
}

// out = sum over e of ga * g, plus gb * x + gc.
template <typename T>
CT_INLINE void mixed_operation_gradient_body(const T *g, const T *x, T *out, int64_t rows, int64_t width,
                                             int64_t copies, const T *ga, const T *gb, const T *gc) {
    for (int64_t r = 0; r < rows; r++) {
        auto upper = g + r * copies * width, from = x + r * width;
        auto to = out + r * width;
        CT_INDEPENDENT for (int64_t c = 0; c < width; c++) to[c] = ga[c] * upper[c] + gb[c] * from[c] + gc[c];
        for (int64_t e = 1; e < copies; e++) {
            auto next = upper + e * width, factor = ga + e * width;
            CT_INDEPENDENT for (int64_t c = 0; c < width; c++) to[c] += factor[c] * next[c];
        }
    }
}

CT_CLONES void accumulate(const float *x, int64_t rows, int64_t width, int64_t copies, const float *scale, float *acc) {
    accumulate_body(x, rows, width, copies, scale, acc);
}
CT_CLONES void accumulate(const double *x, int64_t rows, int64_t width, int64_t copies, const double *scale,
                          double *acc) {
    accumulate_body(x, rows, width, copies, scale, acc);
}
CT_CLONES void add_rows(const float *g, int64_t rows, int64_t columns, float *sum) {
    add_rows_body(g, rows, columns, sum);
}
CT_CLONES void add_rows(const double *g, int64_t rows, int64_t columns, double *sum) {
    add_rows_body(g, rows, columns, sum);
}
CT_CLONES void dots(const float *g, const float *x, int64_t rows, int64_t width, int64_t copies, float *q) {
    dots_body(g, x, rows, width, copies, q);
}
CT_CLONES void dots(const double *g, const double *x, int64_t rows, int64_t width, int64_t copies, double *q) {
    dots_body(g, x, rows, width, copies, q);
}
CT_CLONES void mixed_operation_gradient(const float *g, const float *x, float *out, int64_t rows, int64_t width,
                                        int64_t copies, const float *ga, const float *gb, const float *gc) {
    mixed_operation_gradient_body(g, x, out, rows, width, copies, ga, gb, gc);
}
CT_CLONES void mixed_operation_gradient(const double *g, const double *x, double *out, int64_t rows, int64_t width,
                                        int64_t copies, const double *ga, const double *gb, const double *gc) {
    mixed_operation_gradient_body(g, x, out, rows, width, copies, ga, gb, gc);
}

} // namespace
