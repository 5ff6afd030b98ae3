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

} // namespace ct
