// Depthwise convolutions whose kernels' gradients have loops of their own.
#pragma once

#include <ATen/core/Tensor.h>

namespace ct {

// Where a depthwise convolution with one kernel [5, 5] a channel looks.
struct DepthwisePlaces {
    int64_t stride, padding, dilation;
};

// Whether `depthwise_conv2d` is to be taken: of maps [N, C, H, W] that lie channels last, on a processor, where the
// kernels [C, 1, 5, 5] are learnt.
bool learns_large_depthwise(const at::Tensor &x, const at::Tensor &weight, int64_t groups);

// libtorch's convolution, and its gradient but for that of the kernels: oneDNN has no depthwise algorithm for it where
// they have five rows, and takes ten times as long for those as for three.
at::Tensor depthwise_conv2d(const at::Tensor &x, const at::Tensor &weight, DepthwisePlaces places);

} // namespace ct
