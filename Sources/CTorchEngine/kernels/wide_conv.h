// Convolutions whose kernels are wider than the map, as dilations make them.
#pragma once

#include <ATen/core/Tensor.h>

namespace ct {

// Whether `wide_conv2d` is to be taken: of maps [N, C, H, W] that lie channels last, on a processor, by kernels [O, C,
// K, K] that are learnt, keep the map's size and reach beyond it.
bool is_wide_conv2d(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, int64_t stride,
                    int64_t padding, int64_t dilation, int64_t groups);

// The convolution: oneDNN has no code of its own for the gradient of such kernels. It unrolls images into matrices,
// most of whose values are the padding's zeros.
at::Tensor wide_conv2d(const at::Tensor &x, const at::Tensor &weight, int64_t padding, int64_t dilation);

} // namespace ct
