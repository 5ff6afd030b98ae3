// Bilinear resizing to given places.
#pragma once

#include <ATen/core/Tensor.h>

namespace ct {

// Places on a line of values: between value `indices[i]` and the one after it, which counts by `shares[i]`; the last
// value is the one after itself.
struct LinearPlaces {
    const int64_t *indices;
    const float *shares;
    int64_t count;
};

// Maps [N, C, H, W] at places between their rows and columns, [N, C, rows.count, columns.count], in the maps' layout.
at::Tensor interpolate(const at::Tensor &x, LinearPlaces rows, LinearPlaces columns);

} // namespace ct
