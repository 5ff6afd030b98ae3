// Fused kernels of the supernet, on tensors of CTorch; the same rules hold as in ctorch.h.
#pragma once

#include "ctorch.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

// `groups` G: the batch is G batches, one after another, each with its own statistics. Running statistics are [G, C].
typedef struct {
    int64_t groups;
    // Normalise by the batch, else by the running statistics.
    bool use_batch_statistics;
    bool update_running_statistics;
    double momentum;
    double eps;
} ct_batch_norm_options;

// MARK: grouped_batch_norm.cpp

// Batch normalisation without affine parameters of `x` [G * N, C, H, W], then ReLU if wanted.
int32_t ct_grouped_batch_norm(ct_tensor x, ct_tensor running_mean, ct_tensor running_variance,
                              ct_batch_norm_options options, bool with_relu, ct_optional_tensor *_Nonnull out);

// MARK: mixed_operation.cpp

// What one state adds to all blocks that it feeds: base + sum over k of weights[e, k] * batch_norm(maps[k]) (paper
// (1-4)).
//
// `maps` are the outputs of the state's operators, [G * N, E * C, H, W] where they depend on the edge and [G * N, C, H,
// W] where all E edges share one. The first `normalized` maps are normalised, their running statistics lie side by
// side; the others are taken as they are. `weights` is [E, K or more], `base` [N or G * N, E * C, H, W]. With `splits`
// the first C channels, the block that is now complete, are returned as `finished`, the others as `rest`; else all as
// `rest`.
int32_t ct_mixed_operation(const ct_optional_tensor *_Nonnull maps, int64_t count, int64_t normalized,
                           ct_tensor weights, ct_optional_tensor base, ct_tensor running_mean,
                           ct_tensor running_variance, ct_batch_norm_options options, bool splits,
                           ct_optional_tensor *_Nonnull finished, ct_optional_tensor *_Nonnull rest);

// MARK: separable.cpp

// A depthwise convolution, [E * C, 1, K, K], and its pointwise one, [E * C, C, 1, 1], on E edges, at stride 1 with
// padding that keeps the size. `x` is [N, C, H, W] where the edges share it, else [N, E * C, H, W]; the result has E *
// C channels.
int32_t ct_separable_conv2d(ct_tensor x, ct_tensor depthwise, ct_tensor pointwise, int64_t edges, int64_t dilation,
                            bool shared, ct_optional_tensor *_Nonnull out);

// The same after batch normalisation and ReLU of `x` [G * N, E * C, H, W], of which each edge reads its own channels.
int32_t ct_batch_norm_separable_conv2d(ct_tensor x, ct_tensor running_mean, ct_tensor running_variance,
                                       ct_batch_norm_options options, ct_tensor depthwise, ct_tensor pointwise,
                                       int64_t edges, int64_t dilation, ct_optional_tensor *_Nonnull out);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
