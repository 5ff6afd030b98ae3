// Batch normalisation without affine parameters: options, moments and gradients shared by the row kernels.
#pragma once

#include "distributed/process_group.h"
#include "kernels/layout.h"
#include "kernels/rows.h"

#include <ATen/Dispatch.h>
#include <ATen/Functions.h>
#include <cmath>
#include <limits>

namespace ct {

// Mean, variance and 1 / deviation per channel of one group.
struct Moments {
    std::vector<double> mean, variance, inverse;
    explicit Moments(int64_t channels) : mean(channels), variance(channels), inverse(channels) {}
};

// The moments of `rows` pixels, channels last.
template <typename T> Moments moments(const T *x, int64_t rows, int64_t channels, double eps);

// `groups` G: the batch is G batches, one after another, each with its own statistics. Running statistics are [G, C].
struct BatchNormOptions {
    int64_t groups;
    // Normalise by the batch, else by the running statistics.
    bool use_batch_statistics;
    bool update_running_statistics;
    double momentum;
    double eps;
};

struct BatchNormState : torch::CustomClassHolder {
    BatchNormOptions options;
    bool with_relu;
    std::vector<Moments> moments;
};

// The moments to normalise by: the batch's, which update the running statistics where wanted, or the running ones.
// `synchronized` are the moments over all ranks' batches, null for a process alone.
template <typename T>
Moments batch_or_running_moments(const T *x, int64_t rows, int64_t channels, T *running_mean, T *running_variance,
                                 const BatchNormOptions &options, const Moments *synchronized);

// Pixels of a feature map, channels last.
template <typename T> struct FeatureMap {
    const T *start;
    int64_t channels;
};

// The moments of maps over all ranks' batches; empty for a process alone, or where running statistics are used.
template <typename T>
std::vector<Moments> synchronized_moments(const std::vector<FeatureMap<T>> &maps, int64_t rows,
                                          const BatchNormOptions &options);

// Reference implementation by libtorch's operations, for devices and dtypes without a row kernel.
at::Tensor batch_norm_reference(const at::Tensor &x, const at::Tensor &running_mean, const at::Tensor &running_variance,
                                const BatchNormOptions &options);

// Batch normalisation of `x` [N, C, H, W] over all ranks' batches, then ReLU if wanted.
at::Tensor batch_norm(const at::Tensor &x, const at::Tensor &running_mean, const at::Tensor &running_variance,
                      const BatchNormOptions &options, bool with_relu);

// xhat = scale * x + shift per channel, for one group.
template <typename T> struct ChannelAffine {
    std::vector<T> scale, shift;
};
template <typename T> ChannelAffine<T> normalizing_affine(const Moments &moments);

// Computes each group's moments and updates the running statistics where wanted. `x` lies channels last.
void compute_group_moments(const at::Tensor &x, const at::Tensor &running_mean, const at::Tensor &running_variance,
                           BatchNormState &state);

// relu(xhat) of `rows` pixels.
template <typename T> void affine_relu(const T *x, T *y, int64_t rows, const ChannelAffine<T> &affine);

// The gradient of x from `g`, the gradient of the output; `out` may be `g`.
void batch_norm_backward(const at::Tensor &g, const at::Tensor &x, const BatchNormState &state, at::Tensor &out);

// The gradient of x through weight * xhat is g * gradient + x * x + constant, from p = sum g and q = sum g * x.
struct GradientCoefficients {
    double g, x, constant, xhat_sum;
};

// Sum of g * xhat, from p and q.
inline double xhat_sum(const Moments &moments, int64_t c, double p, double q) {
    return (q - moments.mean[c] * p) * moments.inverse[c];
}

inline GradientCoefficients gradient_coefficients(const Moments &moments, int64_t c, double weight, double p, double q,
                                                  int64_t rows, bool use_batch_statistics) {
    auto inverse = moments.inverse[c];
    auto sum = xhat_sum(moments, c, p, q);
    auto g = weight * inverse;
    if (!use_batch_statistics) return {g, 0, 0, sum};
    auto x = -g * inverse * sum / rows;
    return {g, x, -g * p / rows - x * moments.mean[c], sum};
}

} // namespace ct
