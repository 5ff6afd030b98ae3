// Which maps the kernels over rows of pixels take.
#pragma once

#include <ATen/core/Tensor.h>

namespace ct {

inline bool has_row_kernel(const at::Tensor &x) {
    return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
}

// Whether pixels of maps [N, C, H, W] have their channels side by side.
inline bool lies_channels_last(const at::Tensor &x) {
    return x.size(1) > 1 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

// Whether loops over rows take a convolution of maps [N, C, H, W] by kernels [O, C / groups, K, K].
inline bool has_row_convolution(const at::Tensor &x, const at::Tensor &weight) {
    return has_row_kernel(x) && weight.is_cpu() && weight.scalar_type() == x.scalar_type() && x.dim() == 4 &&
           weight.dim() == 4 && weight.size(2) == weight.size(3) && x.numel() > 0 && lies_channels_last(x);
}

} // namespace ct
