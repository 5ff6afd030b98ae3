#include "supernet.h"

using namespace ct;

int32_t ct_grouped_batch_norm(ct_tensor x, ct_tensor running_mean, ct_tensor running_variance,
                              ct_batch_norm_options options, bool with_relu, ct_optional_tensor *out) {
    return return_tensor(out, [&] {
        return batch_norm(upcast_bfloat16(get(x)), get(running_mean), get(running_variance), converted(options),
                          with_relu);
    });
}
