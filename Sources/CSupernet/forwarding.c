// Forwards of csupernet.h.
#include "forwarding/forwarding.h"
#include "csupernet.h"

#pragma clang assume_nonnull begin

CT_STATUS(ct_grouped_batch_norm,
          (ct_tensor x, ct_tensor running_mean, ct_tensor running_variance, ct_batch_norm_options options,
           bool with_relu, ct_optional_tensor *_Nonnull out),
          (x, running_mean, running_variance, options, with_relu, out))
CT_STATUS(ct_mixed_operation,
          (const ct_optional_tensor *_Nonnull maps, int64_t count, int64_t normalized, ct_tensor weights,
           ct_optional_tensor base, ct_tensor running_mean, ct_tensor running_variance, ct_batch_norm_options options,
           bool splits, ct_optional_tensor *_Nonnull finished, ct_optional_tensor *_Nonnull rest),
          (maps, count, normalized, weights, base, running_mean, running_variance, options, splits, finished, rest))
CT_STATUS(ct_separable_conv2d,
          (ct_tensor x, ct_tensor depthwise, ct_tensor pointwise, int64_t edges, int64_t dilation, bool shared,
           ct_optional_tensor *_Nonnull out),
          (x, depthwise, pointwise, edges, dilation, shared, out))
CT_STATUS(ct_batch_norm_separable_conv2d,
          (ct_tensor x, ct_tensor running_mean, ct_tensor running_variance, ct_batch_norm_options options,
           ct_tensor depthwise, ct_tensor pointwise, int64_t edges, int64_t dilation, ct_optional_tensor *_Nonnull out),
          (x, running_mean, running_variance, options, depthwise, pointwise, edges, dilation, out))

#pragma clang assume_nonnull end
