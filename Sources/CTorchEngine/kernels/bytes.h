// Maps as bytes q that stand for real numbers x = scale (q - zero).
#pragma once

#include <ATen/core/Tensor.h>

namespace ct {

// What the bytes of a map stand for.
struct ByteScale {
    double scale;
    int64_t zero;
};

// The nearest bytes; values beyond them become the least or the largest, and what is no number 0.
at::Tensor to_bytes(const at::Tensor &x, ByteScale scale);

// The real numbers that bytes stand for.
at::Tensor from_bytes(const at::Tensor &q, ByteScale scale);

// The sum of two maps of one shape, each of its own scale.
at::Tensor add_bytes(const at::Tensor &a, ByteScale a_scale, const at::Tensor &b, ByteScale b_scale, ByteScale scale);

// How a convolution moves over its input.
struct ByteConvolution {
    int64_t stride, padding, dilation, groups;
};

// Whether libtorch has convolutions of bytes here, by instructions whose sums are right.
bool has_byte_convolutions();

// A kernel [O, C / groups, K, K] of whole numbers from -127 to 127, as oneDNN wants it for inputs of about the shape
// [N, C, H, W] and of that scale. `scales` [O] are what one step of each output's values stands for.
at::Tensor pack_byte_kernel(const at::Tensor &kernel, const at::Tensor &scales, ByteScale input, at::IntArrayRef shape,
                            const ByteConvolution &convolution);

// A convolution of bytes, with a real bias [O]: bytes of the scale `output`, or real numbers where there is none.
at::Tensor byte_conv2d(const at::Tensor &q, ByteScale input, const at::Tensor &packed, const at::Tensor &scales,
                       const at::Tensor &bias, const ByteConvolution &convolution, std::optional<ByteScale> output);

} // namespace ct
