// Batch normalisation without affine parameters, in passes over rows of channels.
//
// Only the raw input is kept for the backward pass. With m, d the batch's mean and deviation of a channel, xhat =
// (x - m) / d, n rows, g the gradient of xhat, p = sum g and q = sum g * xhat:  grad x = (g - p / n - xhat * q / n) /
// d.
#include "normalization.h"

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
Moments settle(const T *x, int64_t rows, int64_t channels, T *running_mean, T *running_variance,
               const ct_statistics &options, const Moments *common) {
    if (options.by_batch) {
        auto batch = common ? *common : moments(x, rows, channels, options.eps);
        if (!options.moves) return batch;
        auto count = rows * ranks();
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
template Moments settle(const float *, int64_t, int64_t, float *, float *, const ct_statistics &, const Moments *);
template Moments settle(const double *, int64_t, int64_t, double *, double *, const ct_statistics &, const Moments *);

// All ranks have as many rows, so that means of means are means; in double precision the squares of means cancel well.
template <typename T>
std::vector<Moments> common_moments(const std::vector<Map<T>> &maps, int64_t rows, const ct_statistics &options) {
    std::vector<Moments> result;
    if (ranks() == 1 || !options.by_batch) return result;
    std::vector<double> sums;
    for (auto &map : maps) {
        auto own = moments(map.start, rows, map.channels, options.eps);
        for (int64_t c = 0; c < map.channels; c++) {
            sums.push_back(own.mean[c]);
            sums.push_back(own.variance[c] + own.mean[c] * own.mean[c]);
        }
        result.push_back(std::move(own));
    }
    sum_over_ranks(sums);
    auto next = sums.begin();
    for (auto &moments : result) {
        for (size_t c = 0; c < moments.mean.size(); c++) {
            auto mean = *next++ / ranks(), square = *next++ / ranks();
            moments.mean[c] = mean;
            moments.variance[c] = std::max(square - mean * mean, 0.0);
            moments.inverse[c] = 1 / std::sqrt(moments.variance[c] + options.eps);
        }
    }
    return result;
}
template std::vector<Moments> common_moments(const std::vector<Map<float>> &, int64_t, const ct_statistics &);
template std::vector<Moments> common_moments(const std::vector<Map<double>> &, int64_t, const ct_statistics &);

// One batch by the moments of all ranks' batches, differentiable through the sums.
static at::Tensor normalized_together(const at::Tensor &x, at::Tensor running_mean, at::Tensor running_variance,
                                      const ct_statistics &options) {
    auto kind = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    auto over_all = [&](const at::Tensor &values) {
        return at::div(differentiable_sum_over_ranks(values.mean({0, 2, 3}, true, kind)), static_cast<double>(ranks()));
    };
    auto centre = over_all(x);
    auto centred = at::sub(x, centre.to(x.scalar_type()));
    auto variance = over_all(at::square(centred));
    if (options.moves) {
        at::NoGradGuard none;
        auto count = x.numel() / x.size(1) * ranks();
        auto unbiased = static_cast<double>(count) / std::max<int64_t>(count - 1, 1);
        running_mean.lerp_(centre.flatten().to(running_mean.scalar_type()), options.momentum);
        running_variance.lerp_(variance.flatten().mul(unbiased).to(running_variance.scalar_type()), options.momentum);
    }
    return at::mul(centred, at::rsqrt(at::add(variance, options.eps)).to(x.scalar_type()));
}

at::Tensor normalized_plainly(const at::Tensor &x, const at::Tensor &running_mean, const at::Tensor &running_variance,
                              const ct_statistics &options) {
    std::vector<at::Tensor> parts;
    for (int64_t g = 0; g < options.groups; g++) {
        auto n = x.size(0) / options.groups;
        if (ranks() > 1 && options.by_batch) {
            parts.push_back(normalized_together(x.narrow(0, g * n, n), running_mean[g], running_variance[g], options));
            continue;
        }
        std::optional<at::Tensor> mean, variance;
        if (options.moves || !options.by_batch) mean = running_mean[g], variance = running_variance[g];
        parts.push_back(at::batch_norm(x.narrow(0, g * n, n), {}, {}, mean, variance, options.by_batch,
                                       options.momentum, options.eps, true));
    }
    return parts.size() == 1 ? parts[0] : at::cat(parts, 0);
}

} // namespace ct

namespace {

CT_CLONES void affine(const float *x, float *y, int64_t rows, int64_t channels, const float *scale, const float *shift,
                      float floor) {
    affine_body(x, y, rows, channels, scale, shift, floor);
}
CT_CLONES void affine(const double *x, double *y, int64_t rows, int64_t channels, const double *scale,
                      const double *shift, double floor) {
    affine_body(x, y, rows, channels, scale, shift, floor);
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

template <typename T> T floor_of(const NormalizeState &state) {
    return state.activates ? T(0) : -std::numeric_limits<T>::infinity();
}

} // namespace

namespace ct {

template <typename T> Lines<T> lines(const Moments &moments) {
    Lines<T> result;
    for (size_t c = 0; c < moments.mean.size(); c++) {
        result.scale.push_back(static_cast<T>(moments.inverse[c]));
        result.shift.push_back(static_cast<T>(-moments.mean[c] * moments.inverse[c]));
    }
    return result;
}
template Lines<float> lines(const Moments &);
template Lines<double> lines(const Moments &);

template <typename T> void rectified(const T *x, T *y, int64_t rows, const Lines<T> &lines) {
    affine(x, y, rows, static_cast<int64_t>(lines.scale.size()), lines.scale.data(), lines.shift.data(), T(0));
}
template void rectified(const float *, float *, int64_t, const Lines<float> &);
template void rectified(const double *, double *, int64_t, const Lines<double> &);

void settle_groups(const at::Tensor &x, const at::Tensor &running_mean, const at::Tensor &running_variance,
                   NormalizeState &state) {
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "normalize", [&] {
        auto channels = x.size(1), rows = x.numel() / channels / state.options.groups;
        std::vector<Map<scalar_t>> maps;
        for (int64_t g = 0; g < state.options.groups; g++) {
            maps.push_back({x.const_data_ptr<scalar_t>() + g * rows * channels, channels});
        }
        auto common = common_moments(maps, rows, state.options);
        for (int64_t g = 0; g < state.options.groups; g++) {
            state.moments.push_back(settle(maps[g].start, rows, channels,
                                           running_mean.data_ptr<scalar_t>() + g * channels,
                                           running_variance.data_ptr<scalar_t>() + g * channels, state.options,
                                           common.empty() ? nullptr : &common[g]));
        }
    });
}

void normalized_gradient(const at::Tensor &g, const at::Tensor &x, const NormalizeState &state, at::Tensor &out) {
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "normalize_backward", [&] {
        auto channels = x.size(1), rows = x.numel() / channels / state.options.groups;
        auto places = state.options.groups * channels;
        // p of all groups, then q.
        std::vector<double> sums(2 * places);
        std::vector<scalar_t> work(2 * channels), ga(channels), gb(channels), gc(channels);
        auto low = floor_of<scalar_t>(state);
        for (int64_t group = 0; group < state.options.groups; group++) {
            auto line = lines<scalar_t>(state.moments[group]);
            auto start = group * channels;
            masked_sums(g.const_data_ptr<scalar_t>() + start * rows, x.const_data_ptr<scalar_t>() + start * rows, rows,
                        channels, line.scale.data(), line.shift.data(), low, &sums[start], &sums[places + start],
                        work.data());
        }
        if (state.options.by_batch) sum_over_ranks(sums);
        for (int64_t group = 0; group < state.options.groups; group++) {
            auto &moments = state.moments[group];
            auto line = lines<scalar_t>(moments);
            auto start = group * channels;
            auto from = x.const_data_ptr<scalar_t>() + start * rows;
            auto upper = g.const_data_ptr<scalar_t>() + start * rows;
            for (int64_t c = 0; c < channels; c++) {
                auto slope = slopes(moments, c, 1, sums[start + c], sums[places + start + c], rows * ranks(),
                                    state.options.by_batch);
                ga[c] = slope.g, gb[c] = slope.x, gc[c] = slope.one;
            }
            masked_gradient(upper, from, out.mutable_data_ptr<scalar_t>() + group * rows * channels, rows, channels,
                            line.scale.data(), line.shift.data(), low, ga.data(), gb.data(), gc.data());
        }
    });
}

} // namespace ct

namespace {

class Normalize : public torch::autograd::Function<Normalize> {
  public:
    static at::Tensor forward(AutogradContext *context, at::Tensor x, at::Tensor running_mean,
                              at::Tensor running_variance, c10::intrusive_ptr<NormalizeState> state) {
        x = x.contiguous(at::MemoryFormat::ChannelsLast);
        auto y = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
        settle_groups(x, running_mean, running_variance, *state);
        AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "normalize", [&] {
            auto channels = x.size(1), rows = x.numel() / channels / state->options.groups;
            for (int64_t g = 0; g < state->options.groups; g++) {
                auto line = lines<scalar_t>(state->moments[g]);
                auto start = g * rows * channels;
                affine(x.const_data_ptr<scalar_t>() + start, y.mutable_data_ptr<scalar_t>() + start, rows, channels,
                       line.scale.data(), line.shift.data(), floor_of<scalar_t>(*state));
            }
        });
        context->save_for_backward({x});
        context->saved_data["state"] = c10::IValue::make_capsule(state);
        return y;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto x = context->get_saved_variables()[0];
        auto state = c10::static_intrusive_pointer_cast<NormalizeState>(context->saved_data["state"].toCapsule());
        auto g = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
        auto out = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
        normalized_gradient(g, x, *state, out);
        return {out, at::Tensor(), at::Tensor(), at::Tensor()};
    }
};

} // namespace

at::Tensor ct::normalized(const at::Tensor &x, const at::Tensor &running_mean, const at::Tensor &running_variance,
                          const ct_statistics &options, bool activates) {
    TORCH_CHECK(x.dim() == 4 && x.size(0) % options.groups == 0, "normalize: ", x.sizes(), " in ", options.groups,
                " groups");
    if (!runs_by_rows(x)) {
        auto y = normalized_plainly(x, running_mean, running_variance, options);
        return activates ? at::relu(y) : y;
    }
    auto state = c10::make_intrusive<NormalizeState>();
    state->options = options;
    state->activates = activates;
    return Normalize::apply(x, running_mean, running_variance, state);
}

int32_t ct_normalize(ct_tensor x, ct_tensor running_mean, ct_tensor running_variance, ct_statistics statistics,
                     bool activates, ct_optional_tensor *out) {
    return give(out, [&] {
        return normalized(widened(get(x)), get(running_mean), get(running_variance), statistics, activates);
    });
}
