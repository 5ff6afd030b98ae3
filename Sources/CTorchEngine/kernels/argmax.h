// The strongest class of every pixel.
#pragma once

#include <ATen/core/Tensor.h>

namespace ct {

// As at::argmax, for which a map of scores [N, C, H, W] is the slow case: it goes through the classes of one pixel
// after another, where this goes through the pixels of one class after another.
at::Tensor argmax(const at::Tensor &x, int64_t dim);

} // namespace ct
