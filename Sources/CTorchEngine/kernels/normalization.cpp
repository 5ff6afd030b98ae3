// Batch normalisation without affine parameters, in passes over rows of channels.
//
// Only the raw input is kept for the backward pass. With m, d the batch's mean and deviation of a channel, xhat =
// (x - m) / d, n rows, g the gradient of xhat, p = sum g and q = sum g * xhat:  grad x = (g - p / n - xhat * q / n) /
// d.
#include "kernels/normalization.h"

#include <torch/csrc/autograd/custom_function.h>

using namespace ct;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace ct {

CT_CLONES void sums(const float *x, int64_t rows, int64_t channels, double *sum, double *square, float *work) {
    sums_body(x, rows, channels, sum, square, work, work + channels, work + 2 * channels);
}
CT_CLONES void sums(const double *x, int64_t rows, int64_t channels, double *sum, double *square, double *work) {
    sums_body(x, rows, channels, sum, square, work, work + channels, work + 2 * channels);
}

template <typename T> Moments moments(const T *x, int64_t rows, int64_t channels, double eps) {
    Moments result(channels);
    std::vector<double> sum(channels), square(channels);
    std::vector<T> work(3 * channels);
    sums(x, rows, channels, sum.data(), square.data(), work.data());
    for (int64_t c = 0; c < channels; c++) {
        auto offset = sum[c] / rows;
        auto variance = std::max(square[c] / rows - offset * offset, 0.0);
        result.mean[c] = work[c] + offset;
        result.variance[c] = variance;
        result.inverse[c] = 1 / std::sqrt(variance + eps);
    }
    return result;
}
template Moments moments(const float *, int64_t, int64_t, double);
template Moments moments(const double *, int64_t, int64_t, double);

template <typename T>
Moments batch_or_running_moments(const T *x, int64_t rows, int64_t channels, T *running_mean, T *running_variance,
                                 const BatchNormOptions &options, const Moments *synchronized) {
    if (options.use_batch_statistics) {
        auto batch = synchronized ? *synchronized : moments(x, rows, channels, options.eps);
        if (!options.update_running_statistics) return batch;
        auto count = rows * world_size();
        auto unbiased = static_cast<double>(count) / std::max<int64_t>(count - 1, 1);
        for (int64_t c = 0; c < channels; c++) {
            running_mean[c] += static_cast<T>(options.momentum * (batch.mean[c] - running_mean[c]));
            running_variance[c] +=
                static_cast<T>(options.momentum * (batch.variance[c] * unbiased - running_variance[c]));
        }
        return batch;
    }
    Moments result(channels);
    for (int64_t c = 0; c < channels; c++) {
        result.mean[c] = running_mean[c];
        result.variance[c] = running_variance[c];
        result.inverse[c] = 1 / std::sqrt(running_variance[c] + options.eps);
    }
    return result;
}
template Moments batch_or_running_moments(const float *, int64_t, int64_t, float *, float *, const BatchNormOptions &,
                                          const Moments *);
template Moments batch_or_running_moments(const double *, int64_t, int64_t, double *, double *,
                                          const BatchNormOptions &, const Moments *);

// All ranks have as many rows, so that means of means are means; in double precision the squares of means cancel well.
template <typename T>
std::vector<Moments> synchronized_moments(const std::vector<FeatureMap<T>> &maps, int64_t rows,
                                          const BatchNormOptions &options) {
    std::vector<Moments> result;
    if (world_size() == 1 || !options.use_batch_statistics) return result;
    std::vector<double> sums;
    for (auto &map : maps) {
        auto own = moments(map.start, rows, map.channels, options.eps);
        for (int64_t c = 0; c < map.channels; c++) {
            sums.push_back(own.mean[c]);
            sums.push_back(own.variance[c] + own.mean[c] * own.mean[c]);
        }
        result.push_back(std::move(own));
    }
    all_reduce(sums);
    auto next = sums.begin();
    for (auto &moments : result) {
        for (size_t c = 0; c < moments.mean.size(); c++) {
            auto mean = *next++ / world_size(), square = *next++ / world_size();
            moments.mean[c] = mean;
            moments.variance[c] = std::max(square - mean * mean, 0.0);
            moments.inverse[c] = 1 / std::sqrt(moments.variance[c] + options.eps);
        }
    }
    return result;
}
template std::vector<Moments> synchronized_moments(const std::vector<FeatureMap<float>> &, int64_t,
                                                   const BatchNormOptions &);
template std::vector<Moments> synchronized_moments(const std::vector<FeatureMap<double>> &, int64_t,
                                                   const BatchNormOptions &);

// Normalises one batch by the moments of all ranks' batches, differentiable through the all-reduces.
static at::Tensor synchronized_batch_norm_reference(const at::Tensor &x, at::Tensor running_mean,
                                                    at::Tensor running_variance, const BatchNormOptions &options) {
    auto kind = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    auto over_all = [&](const at::Tensor &values) {
        return at::div(differentiable_all_reduce(values.mean({0, 2, 3}, true, kind)),
                       static_cast<double>(world_size()));
    };
    auto centre = over_all(x);
    auto centred = at::sub(x, centre.to(x.scalar_type()));
    auto variance = over_all(at::square(centred));
    if (options.update_running_statistics) {
        at::NoGradGuard none;
        auto count = x.numel() / x.size(1) * world_size();
        auto unbiased = static_cast<double>(count) / std::max<int64_t>(count - 1, 1);
        running_mean.lerp_(centre.flatten().to(running_mean.scalar_type()), options.momentum);
        running_variance.lerp_(variance.flatten().mul(unbiased).to(running_variance.scalar_type()), options.momentum);
    }
    return at::mul(centred, at::rsqrt(at::add(variance, options.eps)).to(x.scalar_type()));
}

at::Tensor batch_norm_reference(const at::Tensor &x, const at::Tensor &running_mean, const at::Tensor &running_variance,
                                const BatchNormOptions &options) {
    std::vector<at::Tensor> parts;
    for (int64_t g = 0; g < options.groups; g++) {
        auto n = x.size(0) / options.groups;
        if (world_size() > 1 && options.use_batch_statistics) {
            parts.push_back(synchronized_batch_norm_reference(x.narrow(0, g * n, n), running_mean[g],
                                                              running_variance[g], options));
            continue;
        }
        std::optional<at::Tensor> mean, variance;
        if (options.update_running_statistics || !options.use_batch_statistics)
            mean = running_mean[g], variance = running_variance[g];
        parts.push_back(at::batch_norm(x.narrow(0, g * n, n), {}, {}, mean, variance, options.use_batch_statistics,
                                       options.momentum, options.eps, true));
    }
    return parts.size() == 1 ? parts[0] : at::cat(parts, 0);
}

} // namespace ct

namespace {

CT_CLONES void apply_affine(const float *x, float *y, int64_t rows, int64_t channels, const float *scale,
                            const float *shift, float floor) {
    apply_affine_body(x, y, rows, channels, scale, shift, floor);
}
CT_CLONES void apply_affine(const double *x, double *y, int64_t rows, int64_t channels, const double *scale,
                            const double *shift, double floor) {
    apply_affine_body(x, y, rows, channels, scale, shift, floor);
}
CT_CLONES void masked_sums(const float *g, const float *x, int64_t rows, int64_t channels, const float *scale,
                           const float *shift, float floor, double *p, double *q, float *work) {
    masked_sums_body(g, x, rows, channels, scale, shift, floor, p, q, work, work + channels);
}
CT_CLONES void masked_sums(const double *g, const double *x, int64_t rows, int64_t channels, const double *scale,
                           const double *shift, double floor, double *p, double *q, double *work) {
    masked_sums_body(g, x, rows, channels, scale, shift, floor, p, q, work, work + channels);
}
CT_CLONES void masked_gradient(const float *g, const float *x, float *out, int64_t rows, int64_t channels,
                               const float *scale, const float *shift, float floor, const float *ga, const float *gb,
                               const float *gc) {
    masked_gradient_body(g, x, out, rows, channels, scale, shift, floor, ga, gb, gc);
}
CT_CLONES void masked_gradient(const double *g, const double *x, double *out, int64_t rows, int64_t channels,
                               const double *scale, const double *shift, double floor, const double *ga,
                               const double *gb, const double *gc) {
    masked_gradient_body(g, x, out, rows, channels, scale, shift, floor, ga, gb, gc);
}

template <typename T> T floor_of(const BatchNormState &state) {
    return state.with_relu ? T(0) : -std::numeric_limits<T>::infinity();
}

} // namespace

namespace ct {

template <typename T> ChannelAffine<T> normalizing_affine(const Moments &moments) {
    ChannelAffine<T> result;
    for (size_t c = 0; c < moments.mean.size(); c++) {
        result.scale.push_back(static_cast<T>(moments.inverse[c]));
        result.shift.push_back(static_cast<T>(-moments.mean[c] * moments.inverse[c]));
    }
    return result;
}
template ChannelAffine<float> normalizing_affine(const Moments &);
template ChannelAffine<double> normalizing_affine(const Moments &);

template <typename T> void affine_relu(const T *x, T *y, int64_t rows, const ChannelAffine<T> &affine) {
    apply_affine(x, y, rows, static_cast<int64_t>(affine.scale.size()), affine.scale.data(), affine.shift.data(), T(0));
}
template void affine_relu(const float *, float *, int64_t, const ChannelAffine<float> &);
template void affine_relu(const double *, double *, int64_t, const ChannelAffine<double> &);

void compute_group_moments(const at::Tensor &x, const at::Tensor &running_mean, const at::Tensor &running_variance,
                           BatchNormState &state) {
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "batch_norm", [&] {
        auto channels = x.size(1), rows = x.numel() / channels / state.options.groups;
        std::vector<FeatureMap<scalar_t>> maps;
        for (int64_t g = 0; g < state.options.groups; g++) {
            maps.push_back({x.const_data_ptr<scalar_t>() + g * rows * channels, channels});
        }
        auto synchronized = synchronized_moments(maps, rows, state.options);
        for (int64_t g = 0; g < state.options.groups; g++) {
            state.moments.push_back(batch_or_running_moments(
                maps[g].start, rows, channels, running_mean.data_ptr<scalar_t>() + g * channels,
                running_variance.data_ptr<scalar_t>() + g * channels, state.options,
                synchronized.empty() ? nullptr : &synchronized[g]));
        }
    });
}

void batch_norm_backward(const at::Tensor &g, const at::Tensor &x, const BatchNormState &state, at::Tensor &out) {
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "batch_norm_backward", [&] {
        auto channels = x.size(1), rows = x.numel() / channels / state.options.groups;
        auto places = state.options.groups * channels;
        // p of all groups, then q.
        std::vector<double> sums(2 * places);
        std::vector<scalar_t> work(2 * channels), ga(channels), gb(channels), gc(channels);
        auto low = floor_of<scalar_t>(state);
        for (int64_t group = 0; group < state.options.groups; group++) {
            auto affine = normalizing_affine<scalar_t>(state.moments[group]);
            auto start = group * channels;
            masked_sums(g.const_data_ptr<scalar_t>() + start * rows, x.const_data_ptr<scalar_t>() + start * rows, rows,
                        channels, affine.scale.data(), affine.shift.data(), low, &sums[start], &sums[places + start],
                        work.data());
        }
        if (state.options.use_batch_statistics) all_reduce(sums);
        for (int64_t group = 0; group < state.options.groups; group++) {
            auto &moments = state.moments[group];
            auto affine = normalizing_affine<scalar_t>(moments);
            auto start = group * channels;
            auto from = x.const_data_ptr<scalar_t>() + start * rows;
            auto upper = g.const_data_ptr<scalar_t>() + start * rows;
            for (int64_t c = 0; c < channels; c++) {
                auto coefficients = gradient_coefficients(moments, c, 1, sums[start + c], sums[places + start + c],
                                                          rows * world_size(), state.options.use_batch_statistics);
                ga[c] = coefficients.g, gb[c] = coefficients.x, gc[c] = coefficients.constant;
            }
            masked_gradient(upper, from, out.mutable_data_ptr<scalar_t>() + group * rows * channels, rows, channels,
                            affine.scale.data(), affine.shift.data(), low, ga.data(), gb.data(), gc.data());
        }
    });
}

} // namespace ct

namespace {

class BatchNorm : public torch::autograd::Function<BatchNorm> {
  public:
    static at::Tensor forward(AutogradContext *context, at::Tensor x, at::Tensor running_mean,
                              at::Tensor running_variance, c10::intrusive_ptr<BatchNormState> state) {
        x = x.contiguous(at::MemoryFormat::ChannelsLast);
        auto y = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
        compute_group_moments(x, running_mean, running_variance, *state);
        AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "batch_norm", [&] {
            auto channels = x.size(1), rows = x.numel() / channels / state->options.groups;
            for (int64_t g = 0; g < state->options.groups; g++) {
                auto affine = normalizing_affine<scalar_t>(state->moments[g]);
                auto start = g * rows * channels;
                apply_affine(x.const_data_ptr<scalar_t>() + start, y.mutable_data_ptr<scalar_t>() + start, rows,
                             channels, affine.scale.data(), affine.shift.data(), floor_of<scalar_t>(*state));
            }
        });
        context->save_for_backward({x});
        context->saved_data["state"] = c10::IValue::make_capsule(state);
        return y;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto x = context->get_saved_variables()[0];
        auto state = c10::static_intrusive_pointer_cast<BatchNormState>(context->saved_data["state"].toCapsule());
        auto g = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
        auto out = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
        batch_norm_backward(g, x, *state, out);
        return {out, at::Tensor(), at::Tensor(), at::Tensor()};
    }
};

} // namespace

at::Tensor ct::batch_norm(const at::Tensor &x, const at::Tensor &running_mean, const at::Tensor &running_variance,
                          const BatchNormOptions &options, bool with_relu) {
    TORCH_CHECK(x.dim() == 4 && x.size(0) % options.groups == 0, "batch_norm: ", x.sizes(), " in ", options.groups,
                " groups");
    if (!has_row_kernel(x)) {
        auto y = batch_norm_reference(x, running_mean, running_variance, options);
        return with_relu ? at::relu(y) : y;
    }
    auto state = c10::make_intrusive<BatchNormState>();
    state->options = options;
    state->with_relu = with_relu;
    return BatchNorm::apply(x, running_mean, running_variance, state);
}
