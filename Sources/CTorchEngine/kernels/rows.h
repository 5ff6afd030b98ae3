// Kernels over channels-last feature maps: a row holds one pixel's channels.
#pragma once

#include <cstdint>
#include <vector>

// The same loop compiled for several instruction sets, chosen when the program is loaded.
#if defined(__x86_64__) && defined(__linux__)
#define CT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CT_CLONES
#endif

// Before a loop whose passes depend on nothing that another one writes, whatever of its pointers are the same.
#if defined(__clang__)
#define CT_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define CT_INDEPENDENT
#endif

// Before a loop of few passes, known when compiled, whose values stay in registers.
#if defined(__clang__)
#define CT_UNROLLED _Pragma("clang loop unroll(full)")
#else
#define CT_UNROLLED
#endif

#define CT_INLINE static inline __attribute__((always_inline))

namespace ct {

// Rows that one partial sum covers, before it is added in double precision.
constexpr int64_t partial_rows = 64;

// Sums of (x - shift) and (x - shift)^2 per channel; the shift, a value of the channel, keeps digits that cancel.
template <typename T>
CT_INLINE void sums_body(const T *x, int64_t rows, int64_t channels, double *sum, double *square, T *shift, T *a,
                         T *b) {
    for (int64_t c = 0; c < channels; c++) shift[c] = x[c], sum[c] = square[c] = 0;
    for (int64_t start = 0; start < rows; start += partial_rows) {
        auto end = start + partial_rows < rows ? start + partial_rows : rows;
        for (int64_t c = 0; c < channels; c++) a[c] = b[c] = 0;
        for (int64_t r = start; r < end; r++) {
            const T *row = x + r * channels;
            CT_INDEPENDENT for (int64_t c = 0; c < channels; c++) {
                T d = row[c] - shift[c];
                a[c] += d;
                b[c] += d * d;
            }
        }
        for (int64_t c = 0; c < channels; c++) sum[c] += a[c], square[c] += b[c];
    }
}

// y = scale * x + shift per channel, at least `floor` and, where it is capped, at most `ceiling`.
template <bool capped = false, typename T>
CT_INLINE void apply_affine_body(const T *x, T *y, int64_t rows, int64_t channels, const T *scale, const T *shift,
                                 T floor, T ceiling = 0) {
    for (int64_t r = 0; r < rows; r++) {
        const T *from = x + r * channels;
        T *to = y + r * channels;
        CT_INDEPENDENT for (int64_t c = 0; c < channels; c++) {
            T value = scale[c] * from[c] + shift[c];
            // So written, a value that is no number stays one that is none.
            value = value < floor ? floor : value;
            if constexpr (capped) value = value > ceiling ? ceiling : value;
            to[c] = value;
        }
    }
}

// g where scale * x + shift lies above `floor` and, where it is capped, below `ceiling`; else 0.
template <bool capped, typename T> CT_INLINE T passed(T g, T value, T floor, T ceiling) {
    T result = value > floor ? g : T(0);
    if constexpr (capped) result = value < ceiling ? result : T(0);
    return result;
}

// Sums of g and g * x per channel, of what is passed.
template <bool capped = false, typename T>
CT_INLINE void masked_sums_body(const T *g, const T *x, int64_t rows, int64_t channels, const T *scale, const T *shift,
                                T floor, double *p, double *q, T *a, T *b, T ceiling = 0) {
    for (int64_t c = 0; c < channels; c++) p[c] = q[c] = 0;
    for (int64_t start = 0; start < rows; start += partial_rows) {
        auto end = start + partial_rows < rows ? start + partial_rows : rows;
        for (int64_t c = 0; c < channels; c++) a[c] = b[c] = 0;
        for (int64_t r = start; r < end; r++) {
            const T *gr = g + r * channels, *xr = x + r * channels;
            CT_INDEPENDENT for (int64_t c = 0; c < channels; c++) {
                T value = passed<capped>(gr[c], scale[c] * xr[c] + shift[c], floor, ceiling);
                a[c] += value;
                b[c] += value * xr[c];
            }
        }
        for (int64_t c = 0; c < channels; c++) p[c] += a[c], q[c] += b[c];
    }
}

// The gradient of normalised x: ga * g + gb * x + gc, g of what is passed. `out` may be `g`, which a compiler that is
// not told otherwise takes for a reason to go through the channels one by one: each value depends on those of its place
// alone.
template <bool capped = false, typename T>
CT_INLINE void masked_gradient_body(const T *g, const T *x, T *out, int64_t rows, int64_t channels, const T *scale,
                                    const T *shift, T floor, const T *ga, const T *gb, const T *gc, T ceiling = 0) {
    for (int64_t r = 0; r < rows; r++) {
        const T *gr = g + r * channels, *xr = x + r * channels;
        T *to = out + r * channels;
        CT_INDEPENDENT for (int64_t c = 0; c < channels; c++) {
            T value = passed<capped>(gr[c], scale[c] * xr[c] + shift[c], floor, ceiling);
            to[c] = ga[c] * value + gb[c] * xr[c] + gc[c];
        }
    }
}

} // namespace ct
