// What normalisation and the mixing of operators share.
#pragma once

#include "group.h"
#include "rows.h"

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

struct NormalizeState : torch::CustomClassHolder {
    ct_statistics options;
    bool activates;
    std::vector<Moments> moments;
};

// The batch's moments, moving the running ones if wanted, or the running ones. `common` are the moments of all ranks'
// batches together, where there are several.
template <typename T>
Moments settle(const T *x, int64_t rows, int64_t channels, T *running_mean, T *running_variance,
               const ct_statistics &options, const Moments *common);

// A map of `rows` pixels, as far as its moments need it.
template <typename T> struct Map {
    const T *start;
    int64_t channels;
};

// The moments of maps over all ranks' batches; none for a process alone, or where no batch is normalised.
template <typename T>
std::vector<Moments> common_moments(const std::vector<Map<T>> &maps, int64_t rows, const ct_statistics &options);

// The same by the engine's own operations: on other devices and for other kinds of numbers.
at::Tensor normalized_plainly(const at::Tensor &x, const at::Tensor &running_mean, const at::Tensor &running_variance,
                              const ct_statistics &options);

// Batch normalisation of `x` [N, C, H, W] as ct_normalize has it, over all ranks' batches.
at::Tensor normalized(const at::Tensor &x, const at::Tensor &running_mean, const at::Tensor &running_variance,
                      const ct_statistics &options, bool activates);

// xhat = scale * x + shift of one group, per channel.
template <typename T> struct Lines {
    std::vector<T> scale, shift;
};
template <typename T> Lines<T> lines(const Moments &moments);

// Finds every group's moments and moves the running ones, where wanted. `x` lies channels last.
void settle_groups(const at::Tensor &x, const at::Tensor &running_mean, const at::Tensor &running_variance,
                   NormalizeState &state);

// relu(xhat) of some pixels.
template <typename T> void rectified(const T *x, T *y, int64_t rows, const Lines<T> &lines);

// The gradient of x from `g`, that of its normalised and, where the state says so, activated values; `out` may be `g`.
void normalized_gradient(const at::Tensor &g, const at::Tensor &x, const NormalizeState &state, at::Tensor &out);

inline bool runs_by_rows(const at::Tensor &x) {
    return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
}

// grad x = g * gradient + x * x + one, of weight * xhat, from p = sum g and q = sum g * x.
struct Slopes {
    double g, x, one, hat;
};

// Sum of g * xhat, from p and q.
inline double hat_sum(const Moments &moments, int64_t c, double p, double q) {
    return (q - moments.mean[c] * p) * moments.inverse[c];
}

inline Slopes slopes(const Moments &moments, int64_t c, double weight, double p, double q, int64_t rows,
                     bool by_batch) {
    auto inverse = moments.inverse[c];
    auto hat = hat_sum(moments, c, p, q);
    auto g = weight * inverse;
    if (!by_batch) return {g, 0, 0, hat};
    auto x = -g * inverse * hat / rows;
    return {g, x, -g * p / rows - x * moments.mean[c], hat};
}

} // namespace ct
