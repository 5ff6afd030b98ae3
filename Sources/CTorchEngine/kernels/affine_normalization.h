// Batch normalisation with affine parameters and an activation behind it, as one operation.
#pragma once

#include <ATen/core/Tensor.h>
#include <optional>

namespace ct {

// What is done to each value at the end.
enum class Activation { none, relu, relu6 };

// Running statistics [C], which a pass may move.
struct RunningStatistics {
    std::optional<at::Tensor> mean, variance;
    double momentum;
};

// Whether `normalize` is to be taken: of maps [N, C, H, W] on a processor that lie channels last, by a process alone.
bool normalizes_by_rows(const at::Tensor &x, const std::optional<at::Tensor> &weight,
                        const std::optional<at::Tensor> &bias, const RunningStatistics &running);

// activation(weight * xhat + bias), xhat normalised by the batch.
//
// Of the forward pass only x is kept; a batch normalisation, and an activation after it, keep a map each, and read and
// write it once more in both directions.
at::Tensor normalize(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                     const RunningStatistics &running, double eps, Activation activation);

// The activation alone.
at::Tensor activate(const at::Tensor &x, Activation activation);

} // namespace ct
