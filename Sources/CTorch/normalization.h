// What normalisation and the mixing of operators share.
#pragma once

#include "guard.h"
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

// The batch's moments, moving the running ones if wanted, or the running ones.
template <typename T>
Moments settle(const T *x, int64_t rows, int64_t channels, T *running_mean, T *running_variance,
               const ct_statistics &options);

// The same by the engine's own batch normalisation: on other devices and for other kinds of numbers.
at::Tensor normalized_plainly(const at::Tensor &x, const at::Tensor &running_mean, const at::Tensor &running_variance,
                              const ct_statistics &options);

inline bool runs_by_rows(const at::Tensor &x) {
    return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
}

// grad x = g * gradient + x * x + one, of weight * xhat, from p = sum g and q = sum g * x.
struct Slopes {
    double g, x, one, hat;
};

inline Slopes slopes(const Moments &moments, int64_t c, double weight, double p, double q, int64_t rows,
                     bool by_batch) {
    auto inverse = moments.inverse[c];
    auto hat = (q - moments.mean[c] * p) * inverse;
    auto g = weight * inverse;
    if (!by_batch) return {g, 0, 0, hat};
    auto x = -g * inverse * hat / rows;
    return {g, x, -g * p / rows - x * moments.mean[c], hat};
}

} // namespace ct
