// Pools of windows of 3 x 3 at stride 1, whose results the backward pass does without.
#pragma once

#include <torch/csrc/autograd/function.h>

namespace ct {

// Whether the kernels here are to be taken: of maps [N, C, H, W] that lie channels last, on a processor.
bool has_pool_kernel(const at::Tensor &x, int64_t kernel, int64_t stride, int64_t padding);

// The mean of what lies inside the map.
at::Tensor average_pool2d(const at::Tensor &x);

// The largest value; of a window with one that is no number, that.
at::Tensor max_pool2d(const at::Tensor &x);

// Whether a map is the result of one of them, whose backward pass is to come.
bool is_pooled(const at::Tensor &map);

// Such a map again, from its `grad_fn`.
at::Tensor pooled_again(torch::autograd::Node &origin);

} // namespace ct
