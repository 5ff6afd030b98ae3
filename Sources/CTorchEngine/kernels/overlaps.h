// How predictions and labels overlap, class by class.
#pragma once

#include <ATen/core/Tensor.h>

namespace ct {

// For each class the sum of its probabilities where it is the label, that where any label is, and how many pixels have
// it as label: [3, C], of probabilities [N, C, H, W] and labels [N, H, W] (64-bit integers). The first two have
// gradients.
at::Tensor class_overlaps(const at::Tensor &probabilities, const at::Tensor &labels, int64_t ignored);

} // namespace ct
