// Depthwise convolutions that have loops of their own, in both directions or for their kernels' gradients.
#pragma once

#include <ATen/core/Tensor.h>

namespace ct {

// Where a depthwise convolution with one kernel [K, K] a channel looks.
struct DepthwisePlaces {
    int64_t stride, padding, dilation;
};

// Whether `depthwise_conv2d` is to be taken: of maps [N, C, H, W] that lie channels last, on a processor, by kernels
// [C, 1, K, K] whose taps lie apart, or that are learnt and have five rows.
bool has_own_depthwise(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, DepthwisePlaces places,
                       int64_t groups);

// The convolution: oneDNN has no depthwise algorithm where the padding is wide, as the ASPP's dilations need it, nor
// for the gradient of kernels of five rows, and takes ten times as long as for others.
at::Tensor depthwise_conv2d(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                            DepthwisePlaces places);

} // namespace ct
