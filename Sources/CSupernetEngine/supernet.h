// Shared by the C entry points of this target.
#pragma once

#include "csupernet.h"
#include "kernels/normalization.h"

namespace ct {

inline BatchNormOptions converted(const ct_batch_norm_options &options) {
    return {options.groups, options.use_batch_statistics, options.update_running_statistics, options.momentum,
            options.eps};
}

} // namespace ct
