// Shared by the C entry points of this target.
#pragma once

#include "csupernet.h"
#include "kernels/normalization.h"
#include "kernels/pooling.h"

#include <torch/csrc/autograd/function.h>

namespace ct {

inline BatchNormOptions converted(const ct_batch_norm_options &options) {
    return {options.groups, options.use_batch_statistics, options.update_running_statistics, options.momentum,
            options.eps};
}

// Whether a map is the result of a separable convolution or a pool whose backward pass is to come: that can make it
// again from what it keeps, which costs less than keeping it.
bool can_be_computed_again(const at::Tensor &map);

// Such a map, from its `grad_fn`.
at::Tensor computed_again(torch::autograd::Node &origin);

} // namespace ct
