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

// The `grad_fn` of such a map; a graph that reads the map keeps it alive until its backward pass.
using Origin = c10::weak_intrusive_ptr<torch::autograd::Node>;

// No origin: the map itself is kept.
inline const Origin no_origin{c10::intrusive_ptr<torch::autograd::Node>()};

// The map again.
at::Tensor computed_again(const Origin &origin);

} // namespace ct
