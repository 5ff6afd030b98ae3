#include "kernels/affine_normalization.h"
#include "kernels/normalization.h"
#include "kernels/parallel.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

using namespace ct;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

// All that is known of the channels, and what is done to their values.
template <typename T> struct Channels {
    int64_t count;
    const T *scale, *shift;
    Activation activation;

    T floor() const { return activation == Activation::none ? -std::numeric_limits<T>::infinity() : T(0); }
};
constexpr double ceiling = 6;

template <typename T> CT_INLINE void apply_to(const T *x, T *y, int64_t rows, const Channels<T> &of) {
    if (of.activation == Activation::relu6)
        return apply_affine_body<true>(x, y, rows, of.count, of.scale, of.shift, T(0), T(ceiling));
    apply_affine_body(x, y, rows, of.count, of.scale, of.shift, of.floor());
}
CT_CLONES void transform(const float *x, float *y, int64_t rows, const Channels<float> &of) {
    apply_to(x, y, rows, of);
}
CT_CLONES void transform(const double *x, double *y, int64_t rows, const Channels<double> &of) {
    apply_to(x, y, rows, of);
}

template <typename T>
CT_INLINE void gradient_sums_of(const T *g, const T *x, int64_t rows, const Channels<T> &of, double *sums, T *work) {
    auto count = of.count;
    if (of.activation == Activation::relu6)
        return masked_sums_body<true>(g, x, rows, count, of.scale, of.shift, T(0), sums, sums + count, work,
                                      work + count, T(ceiling));
    masked_sums_body(g, x, rows, count, of.scale, of.shift, of.floor(), sums, sums + count, work, work + count);
}
CT_CLONES void gradient_sums(const float *g, const float *x, int64_t rows, const Channels<float> &of, double *sums,
                             float *work) {
    gradient_sums_of(g, x, rows, of, sums, work);
}
CT_CLONES void gradient_sums(const double *g, const double *x, int64_t rows, const Channels<double> &of, double *sums,
                             double *work) {
    gradient_sums_of(g, x, rows, of, sums, work);
}

// Coefficients of the gradient: g, x and a constant of each channel, one kind after another.
template <typename T>
CT_INLINE void gradient_of(const T *g, const T *x, T *out, int64_t rows, const Channels<T> &of, const T *factors) {
    auto count = of.count;
    if (of.activation == Activation::relu6)
        return masked_gradient_body<true>(g, x, out, rows, count, of.scale, of.shift, T(0), factors, factors + count,
                                          factors + 2 * count, T(ceiling));
    masked_gradient_body(g, x, out, rows, count, of.scale, of.shift, of.floor(), factors, factors + count,
                         factors + 2 * count);
}
CT_CLONES void gradient(const float *g, const float *x, float *out, int64_t rows, const Channels<float> &of,
                        const float *factors) {
    gradient_of(g, x, out, rows, of, factors);
}
CT_CLONES void gradient(const double *g, const double *x, double *out, int64_t rows, const Channels<double> &of,
                        const double *factors) {
    gradient_of(g, x, out, rows, of, factors);
}

// Rows in parts that follow from the size alone, so that sums do not depend on how many threads there are.
struct Parts {
    int64_t rows, each, count;

    Parts(int64_t rows, int64_t channels)
        : rows(rows), each(std::max<int64_t>(partial_rows, smallest_part / channels)), count((rows + each - 1) / each) {
    }

    int64_t size(int64_t part) const { return std::min(each, rows - part * each); }
    double share(int64_t part) const { return static_cast<double>(size(part)) / rows; }

    // Calls `body(part, first row, rows)` for all parts, on libtorch's threads.
    template <typename Body> void each_part(const Body &body) const {
        ct::parallel_for(count, 1, [&](int64_t begin, int64_t end) {
            for (auto part = begin; part < end; part++) body(part, part * each, size(part));
        });
    }
};

// The moments of all rows: the mean of the parts' means, and of their variances with what the means lie apart.
template <typename T> Moments batch_moments(const T *x, const Parts &parts, int64_t channels, double eps) {
    std::vector<Moments> found(parts.count, Moments(0));
    parts.each_part([&](int64_t part, int64_t first, int64_t rows) {
        found[part] = moments(x + first * channels, rows, channels, eps);
    });
    Moments result(channels);
    for (int64_t c = 0; c < channels; c++) {
        double mean = 0, variance = 0;
        for (int64_t part = 0; part < parts.count; part++) mean += found[part].mean[c] * parts.share(part);
        for (int64_t part = 0; part < parts.count; part++) {
            auto apart = found[part].mean[c] - mean;
            variance += (found[part].variance[c] + apart * apart) * parts.share(part);
        }
        result.mean[c] = mean, result.variance[c] = variance, result.inverse[c] = 1 / std::sqrt(variance + eps);
    }
    return result;
}

struct State : torch::CustomClassHolder {
    Activation activation;
    Moments moments{0};
};

// weight * xhat + bias = scale * x + shift.
template <typename T>
ChannelAffine<T> affine(const Moments &moments, const at::Tensor &weight, const at::Tensor &bias) {
    ChannelAffine<T> result;
    auto w = weight.const_data_ptr<T>(), b = bias.const_data_ptr<T>();
    for (size_t c = 0; c < moments.mean.size(); c++) {
        auto scale = w[c] * moments.inverse[c];
        result.scale.push_back(static_cast<T>(scale));
        result.shift.push_back(static_cast<T>(b[c] - moments.mean[c] * scale));
    }
    return result;
}

class AffineBatchNorm : public torch::autograd::Function<AffineBatchNorm> {
  public:
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &weight,
                              const at::Tensor &bias, RunningStatistics running, double eps, Activation activation) {
        auto y = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
        auto state = c10::make_intrusive<State>();
        state->activation = activation;
        AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "affine_batch_norm", [&] {
            auto channels = x.size(1);
            Parts parts(x.numel() / channels, channels);
            auto from = x.const_data_ptr<scalar_t>();
            state->moments = batch_moments(from, parts, channels, eps);
            if (running.mean && running.variance) {
                BatchNormOptions options{1, true, true, running.momentum, eps};
                batch_or_running_moments(from, parts.rows, channels, running.mean->data_ptr<scalar_t>(),
                                         running.variance->data_ptr<scalar_t>(), options, &state->moments);
            }
            auto values = affine<scalar_t>(state->moments, weight, bias);
            Channels<scalar_t> of{channels, values.scale.data(), values.shift.data(), activation};
            auto to = y.mutable_data_ptr<scalar_t>();
            parts.each_part([&](int64_t, int64_t first, int64_t rows) {
                transform(from + first * channels, to + first * channels, rows, of);
            });
        });
        context->save_for_backward({x, weight, bias});
        context->saved_data["state"] = c10::IValue::make_capsule(state);
        return y;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        TORCH_CHECK(!at::GradMode::is_enabled(), "this batch normalisation has no second derivative");
        auto saved = context->get_saved_variables();
        auto &x = saved[0], &weight = saved[1], &bias = saved[2];
        auto state = c10::static_intrusive_pointer_cast<State>(context->saved_data["state"].toCapsule());
        auto g = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
        auto gx = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
        auto gw = at::empty_like(weight), gb = at::empty_like(bias);
        AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "affine_batch_norm_backward", [&] {
            auto channels = x.size(1);
            Parts parts(x.numel() / channels, channels);
            auto values = affine<scalar_t>(state->moments, weight, bias);
            Channels<scalar_t> of{channels, values.scale.data(), values.shift.data(), state->activation};
            auto from = x.const_data_ptr<scalar_t>(), upper = g.const_data_ptr<scalar_t>();
            auto to = gx.mutable_data_ptr<scalar_t>();
            std::vector<double> found(parts.count * 2 * channels);
            std::vector<scalar_t> work(parts.count * 2 * channels), factors(3 * channels);
            parts.each_part([&](int64_t part, int64_t first, int64_t rows) {
                gradient_sums(upper + first * channels, from + first * channels, rows, of, &found[part * 2 * channels],
                              &work[part * 2 * channels]);
            });
            for (int64_t c = 0; c < channels; c++) {
                double p = 0, q = 0;
                for (int64_t part = 0; part < parts.count; part++) {
                    p += found[part * 2 * channels + c];
                    q += found[(part * 2 + 1) * channels + c];
                }
                auto own = gradient_coefficients(state->moments, c, weight.const_data_ptr<scalar_t>()[c], p, q,
                                                 parts.rows, true);
                factors[c] = own.g, factors[channels + c] = own.x, factors[2 * channels + c] = own.constant;
                gw.mutable_data_ptr<scalar_t>()[c] = static_cast<scalar_t>(own.xhat_sum);
                gb.mutable_data_ptr<scalar_t>()[c] = static_cast<scalar_t>(p);
            }
            parts.each_part([&](int64_t, int64_t first, int64_t rows) {
                gradient(upper + first * channels, from + first * channels, to + first * channels, rows, of,
                         factors.data());
            });
        });
        return {gx, gw, gb, at::Tensor(), at::Tensor(), at::Tensor()};
    }
};

} // namespace

bool ct::normalizes_by_rows(const at::Tensor &x, const std::optional<at::Tensor> &weight,
                            const std::optional<at::Tensor> &bias, const RunningStatistics &running) {
    if (x.dim() != 4) return false;
    auto fits = [&](const std::optional<at::Tensor> &values) {
        return values && values->is_cpu() && values->scalar_type() == x.scalar_type() && values->is_contiguous() &&
               values->dim() == 1 && values->size(0) == x.size(1);
    };
    return world_size() == 1 && has_row_kernel(x) && x.numel() > 0 && lies_channels_last(x) && fits(weight) &&
           fits(bias) && running.mean.has_value() == running.variance.has_value() &&
           (!running.mean || fits(running.mean)) && (!running.variance || fits(running.variance));
}

at::Tensor ct::normalize(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                         const RunningStatistics &running, double eps, Activation activation) {
    return AffineBatchNorm::apply(x, weight, bias, running, eps, activation);
}

at::Tensor ct::activate(const at::Tensor &x, Activation activation) {
    switch (activation) {
    case Activation::none:
        return x;
    case Activation::relu:
        return at::relu(x);
    case Activation::relu6:
        return at::relu6(x);
    }
    TORCH_CHECK(false, "no such activation");
}
