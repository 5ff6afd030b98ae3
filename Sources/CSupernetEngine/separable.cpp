// A depthwise convolution and its pointwise one as one operation (paper 3.1: between the two stands nothing).
//
// What lies between them is never stored: each row of pixels is made, used at once, and in the backward pass made
// again. Rows come from a ring buffer of padded copies, so that no tap asks whether it lies inside the image. The
// normalisation and ReLU before the second pair of a separable operator are done while rows are copied, and never
// stored either.
#include "kernels/parallel.h"
#include "separable_rows.h"
#include "supernet.h"

#include <algorithm>
#include <torch/csrc/autograd/custom_function.h>

using namespace ct;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

// Rows of one image that one job computes. Of a backward pass it is independent of the number of threads, so that sums
// are too.
constexpr int64_t band_rows = 64;

struct Plan {
    int64_t images, height, width, edges, channels, kernel, dilation;
    // Whether all E edges read the same C channels, or each its own of E * C.
    bool shared;
    int64_t rows = band_rows;

    int64_t columns() const { return edges * channels; }
    int64_t read() const { return shared ? channels : columns(); }
    int64_t padding() const { return kernel / 2 * dilation; }
    int64_t row_width() const { return (width + 3) / 4 * 4; }
    int64_t taps() const { return kernel * kernel; }
    int64_t bands_per_image() const { return (height + rows - 1) / rows; }
    int64_t bands() const { return images * bands_per_image(); }
    // Sets of kernels that read the same channels, and how many channels.
    int64_t sets() const { return shared ? edges : 1; }
    int64_t set_channels() const { return shared ? channels : columns(); }
};

struct Band {
    int64_t image, begin, end;
    Band(const Plan &plan, int64_t index)
        : image(index / plan.bands_per_image()), begin(index % plan.bands_per_image() * plan.rows),
          end(std::min(begin + plan.rows, plan.height)) {}
};

// Runs the bands on libtorch's threads, of which a worker of a search has one.
template <typename Job> void over_bands(const Plan &plan, Job &&job) {
    ct::parallel_for(plan.bands(), 1, [&](int64_t begin, int64_t end) {
        for (auto i = begin; i < end; i++) job(i);
    });
}

// The same in bands of fewer rows where there are more threads than bands; nothing is summed over rows in a forward
// pass.
Plan shared_by_threads(Plan plan) {
    constexpr int64_t fewest_rows = 8;
    auto threads = static_cast<int64_t>(at::get_num_threads());
    if (threads > 1 && plan.bands() < 4 * threads)
        plan.rows = std::clamp(plan.images * plan.height / (4 * threads), fewest_rows, band_rows);
    return plan;
}

// Where an image's rows come from: as they are, or normalised and rectified.
template <typename T> struct Source {
    const T *pixels;
    const ChannelAffine<T> *affine;
};

// Where all images' rows come from.
template <typename T> struct Sources {
    const T *start;
    // Of each group of images that is normalised by itself; none where nothing is.
    std::vector<ChannelAffine<T>> affines;

    Sources(const at::Tensor &x, const BatchNormState *normalization) : start(x.const_data_ptr<T>()) {
        if (!normalization) return;
        for (auto &moments : normalization->moments) affines.push_back(normalizing_affine<T>(moments));
    }

    Source<T> operator()(const Plan &plan, int64_t image) const {
        auto groups = static_cast<int64_t>(affines.size());
        return {start + image * plan.height * plan.width * plan.read(),
                groups ? &affines[image * groups / plan.images] : nullptr};
    }
};

// A ring buffer of an image's last rows, zero-padded.
template <typename T> class RowBuffer {
  public:
    RowBuffer(const Plan &plan, int64_t channels)
        : plan(plan), channels(channels), slots(2 * plan.padding() + 1),
          length((plan.row_width() + 2 * plan.padding()) * channels), values(slots * length) {}

    T *row(int64_t index) { return values.data() + (index + slots) % slots * length; }
    T *pixels(int64_t index) { return row(index) + plan.padding() * channels; }

    // The rows that the taps around `center` read, at their first pixel.
    const T *const *around(int64_t center) {
        pointers.clear();
        for (int64_t i = 0; i < plan.kernel; i++) pointers.push_back(row(center + i * plan.dilation - plan.padding()));
        return pointers.data();
    }

    // Takes row `index` of an image, or zeros where there is none.
    void load(const Source<T> &image, int64_t index) {
        auto to = pixels(index);
        auto count = plan.width * channels;
        if (index < 0 || index >= plan.height) {
            std::fill(to, to + count, T(0));
        } else if (image.affine) {
            affine_relu(image.pixels + index * count, to, plan.width, *image.affine);
        } else {
            std::copy_n(image.pixels + index * count, count, to);
        }
    }

  private:
    const Plan &plan;
    int64_t channels, slots, length;
    std::vector<T> values;
    std::vector<const T *> pointers;
};

// Kernels in the order in which the loops read them.
template <typename T> struct Kernels {
    std::vector<T> taps, flipped, matrix, transposed;

    Kernels(const Plan &plan, const at::Tensor &depthwise, const at::Tensor &pointwise) {
        auto count = plan.taps(), columns = plan.columns(), channels = plan.channels;
        auto from = depthwise.const_data_ptr<T>();
        taps.resize(count * columns);
        flipped.resize(count * columns);
        for (int64_t c = 0; c < columns; c++) {
            for (int64_t t = 0; t < count; t++) {
                taps[t * columns + c] = flipped[(count - 1 - t) * columns + c] = from[c * count + t];
            }
        }
        auto rows = pointwise.const_data_ptr<T>();
        matrix.assign(rows, rows + columns * channels);
        transposed.resize(matrix.size());
        for (int64_t e = 0; e < plan.edges; e++) {
            for (int64_t o = 0; o < channels; o++) {
                for (int64_t c = 0; c < channels; c++) {
                    transposed[(e * channels + c) * channels + o] = matrix[(e * channels + o) * channels + c];
                }
            }
        }
    }
};

template <typename T>
void forward_band(const Plan &plan, const Band &band, const Kernels<T> &kernels, const Sources<T> &x, T *y) {
    RowBuffer<T> buffer(plan, plan.read());
    Taps taps{plan.kernel, plan.dilation, plan.read()};
    std::vector<T> between(plan.row_width() * plan.columns()), out(between.size());
    auto image = x(plan, band.image);
    auto size = plan.width * plan.columns();
    auto pad = plan.padding();
    for (int64_t h = band.begin - pad; h < band.begin + pad; h++) buffer.load(image, h);
    for (int64_t h = band.begin; h < band.end; h++) {
        buffer.load(image, h + pad);
        depthwise(buffer.around(h), kernels.taps.data(), between.data(), plan.row_width(), taps, plan.sets(),
                  plan.set_channels());
        pointwise(between.data(), kernels.transposed.data(), out.data(), plan.row_width(), plan.edges, plan.channels);
        std::copy_n(out.data(), size, y + (band.image * plan.height + h) * size);
    }
}

// Sums over one band, added up in the bands' order.
template <typename T> struct WeightSums {
    std::vector<T> taps, matrix;
    explicit WeightSums(const Plan &plan)
        : taps(plan.taps() * plan.columns()), matrix(plan.columns() * plan.channels) {}
};

template <typename T>
void backward_band(const Plan &plan, const Band &band, const Kernels<T> &kernels, const Sources<T> &x,
                   const T *gradient, T *gx, WeightSums<T> *sums) {
    RowBuffer<T> buffer(plan, plan.read()), upper(plan, plan.columns());
    Taps taps{plan.kernel, plan.dilation, plan.read()}, upper_taps{plan.kernel, plan.dilation, plan.columns()};
    std::vector<T> between(plan.row_width() * plan.columns()), g(between.size()), out(plan.row_width() * plan.read());
    auto image = x(plan, band.image);
    auto gradients = gradient + band.image * plan.height * plan.width * plan.columns();
    auto size = plan.width * plan.columns();
    auto pad = plan.padding();
    if (sums) {
        for (int64_t h = band.begin - pad; h < band.begin + pad; h++) buffer.load(image, h);
    }
    for (int64_t h = band.begin - pad; h < band.end + pad; h++) {
        auto inside = h >= 0 && h < plan.height;
        if (inside) {
            std::copy_n(gradients + h * size, size, g.data());
            pointwise(g.data(), kernels.matrix.data(), upper.pixels(h), plan.row_width(), plan.edges, plan.channels);
        } else {
            std::fill_n(upper.pixels(h), size, T(0));
        }
        if (sums && h >= band.begin && h < band.end) {
            buffer.load(image, h + pad);
            auto rows = buffer.around(h);
            depthwise(rows, kernels.taps.data(), between.data(), plan.row_width(), taps, plan.sets(),
                      plan.set_channels());
            pointwise_weights(g.data(), between.data(), sums->matrix.data(), plan.width, plan.edges, plan.channels);
            depthwise_weights(rows, upper.pixels(h), sums->taps.data(), plan.width, taps, plan.sets(),
                              plan.set_channels());
        }
        auto done = h - pad;
        if (gx && done >= band.begin) {
            depthwise_transposed(upper.around(done), kernels.flipped.data(), out.data(), plan.row_width(), upper_taps,
                                 plan.sets(), plan.set_channels());
            std::copy_n(out.data(), plan.width * plan.read(),
                        gx + (band.image * plan.height + done) * plan.width * plan.read());
        }
    }
}

struct SeparableConv2dState : torch::CustomClassHolder {
    Plan plan;
    // The batch normalisation and ReLU before it; null for none.
    c10::intrusive_ptr<BatchNormState> normalization;
    // What makes the input again in the backward pass, where it is not kept.
    Origin origin = no_origin;
    // The input that was made again, from its first use in the backward pass until this convolution's own part of it,
    // or as long as the graph where there is none.
    at::Tensor input;
};

class SeparableConv2d : public torch::autograd::Function<SeparableConv2d> {
    static at::Tensor computed(const SeparableConv2dState &state, const at::Tensor &x, const at::Tensor &depthwise,
                               const at::Tensor &pointwise) {
        auto plan = shared_by_threads(state.plan);
        auto y = at::empty({plan.images, plan.columns(), plan.height, plan.width},
                           x.options().memory_format(at::MemoryFormat::ChannelsLast));
        AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "separable_conv2d", [&] {
            Kernels<scalar_t> kernels(plan, depthwise, pointwise);
            Sources<scalar_t> from(x, state.normalization.get());
            auto to = y.mutable_data_ptr<scalar_t>();
            over_bands(plan, [&](int64_t i) { forward_band(plan, Band(plan, i), kernels, from, to); });
        });
        return y;
    }

    static c10::intrusive_ptr<SeparableConv2dState> state_of(AutogradContext &context) {
        return c10::static_intrusive_pointer_cast<SeparableConv2dState>(context.saved_data["state"].toCapsule());
    }

    static at::Tensor input_of(SeparableConv2dState &state, const variable_list &saved) {
        if (saved[0].defined()) return saved[0];
        if (!state.input.defined()) state.input = computed_again(state.origin);
        return state.input;
    }

  public:
    // The result of a forward pass, from what its backward pass is going to use.
    static at::Tensor again(AutogradContext &context) {
        auto saved = context.get_saved_variables();
        auto state = state_of(context);
        return computed(*state, input_of(*state, saved), saved[1], saved[2]);
    }

    static at::Tensor forward(AutogradContext *context, at::Tensor x, at::Tensor depthwise, at::Tensor pointwise,
                              std::optional<at::Tensor> running_mean, std::optional<at::Tensor> running_variance,
                              c10::intrusive_ptr<SeparableConv2dState> state) {
        x = x.contiguous(at::MemoryFormat::ChannelsLast);
        if (state->normalization) compute_group_moments(x, *running_mean, *running_variance, *state->normalization);
        depthwise = depthwise.contiguous();
        pointwise = pointwise.contiguous();
        auto is_kept = !can_be_computed_again(x);
        if (!is_kept) state->origin = Origin(x.grad_fn());
        context->save_for_backward({is_kept ? x : at::Tensor(), depthwise, pointwise});
        context->saved_data["state"] = c10::IValue::make_capsule(state);
        return computed(*state, x, depthwise, pointwise);
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        auto &depthwise = saved[1], &pointwise = saved[2];
        auto state = state_of(*context);
        auto &plan = state->plan;
        auto x = input_of(*state, saved);
        auto g = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
        auto weights = context->needs_input_grad(1) || context->needs_input_grad(2);
        at::Tensor gx, gd, gp;
        if (context->needs_input_grad(0)) gx = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
        if (weights) gd = at::zeros_like(depthwise), gp = at::zeros_like(pointwise);
        AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "separable_conv2d_backward", [&] {
            Kernels<scalar_t> kernels(plan, depthwise, pointwise);
            Sources<scalar_t> from(x, state->normalization.get());
            auto upper = g.const_data_ptr<scalar_t>();
            auto to = gx.defined() ? gx.mutable_data_ptr<scalar_t>() : nullptr;
            std::vector<WeightSums<scalar_t>> sums;
            if (weights) sums.assign(plan.bands(), WeightSums<scalar_t>(plan));
            over_bands(plan, [&](int64_t i) {
                backward_band(plan, Band(plan, i), kernels, from, upper, to, weights ? &sums[i] : nullptr);
            });
            for (auto &sum : sums) {
                auto d = gd.mutable_data_ptr<scalar_t>(), p = gp.mutable_data_ptr<scalar_t>();
                for (int64_t c = 0; c < plan.columns(); c++) {
                    for (int64_t t = 0; t < plan.taps(); t++)
                        d[c * plan.taps() + t] += sum.taps[t * plan.columns() + c];
                }
                for (size_t i = 0; i < sum.matrix.size(); i++) p[i] += sum.matrix[i];
            }
        });
        if (gx.defined() && state->normalization) batch_norm_backward(gx, x, *state->normalization, gx);
        state->input.reset();
        return {gx, gd, gp, at::Tensor(), at::Tensor(), at::Tensor()};
    }
};

// Reference implementation by two convolutions, for devices and dtypes without a row kernel.
at::Tensor separable_conv2d_reference(const at::Tensor &x, const at::Tensor &depthwise, const at::Tensor &pointwise,
                                      const Plan &plan) {
    auto spread = plan.shared && plan.edges > 1 ? x.repeat({1, plan.edges, 1, 1}) : x;
    std::array<int64_t, 2> one{1, 1}, none{0, 0}, padding{plan.padding(), plan.padding()};
    std::array<int64_t, 2> dilation{plan.dilation, plan.dilation};
    auto between = at::conv2d(spread, depthwise, {}, one, padding, dilation, plan.columns());
    return at::conv2d(between, pointwise, {}, one, none, one, plan.edges);
}

Plan checked_plan(const at::Tensor &input, const at::Tensor &taps, const at::Tensor &matrices, int64_t edges,
                  int64_t dilation, bool shared) {
    TORCH_CHECK(input.dim() == 4 && taps.dim() == 4 && matrices.dim() == 4,
                "separable convolution: maps and kernels have 4 sizes");
    Plan plan{input.size(0), input.size(2), input.size(3), edges, matrices.size(1), taps.size(2), dilation, shared};
    TORCH_CHECK(edges > 0 && input.size(1) == plan.read() && taps.size(0) == plan.columns() && taps.size(1) == 1 &&
                    taps.size(2) == taps.size(3) && plan.kernel % 2 == 1 && matrices.size(0) == plan.columns(),
                "separable convolution: ", input.sizes(), " with ", taps.sizes(), " and ", matrices.sizes(), " on ",
                edges, " edges");
    return plan;
}

} // namespace

using SeparableNode = torch::autograd::CppNode<SeparableConv2d>;

bool ct::can_be_computed_again(const at::Tensor &map) {
    return dynamic_cast<SeparableNode *>(map.grad_fn().get()) || is_pooled(map);
}

at::Tensor ct::computed_again(const Origin &origin) {
    auto maker = origin.lock();
    TORCH_CHECK(maker, "the graph behind a map is gone");
    auto node = dynamic_cast<SeparableNode *>(maker.get());
    return node ? SeparableConv2d::again(node->ctx_) : pooled_again(*maker);
}

int32_t ct_separable_conv2d(ct_tensor x, ct_tensor depthwise, ct_tensor pointwise, int64_t edges, int64_t dilation,
                            bool shared, ct_optional_tensor *out) {
    return return_tensor(out, [&] {
        auto input = upcast_bfloat16(get(x));
        auto &taps = get(depthwise), &matrices = get(pointwise);
        auto plan = checked_plan(input, taps, matrices, edges, dilation, shared);
        if (!has_row_kernel(input)) return separable_conv2d_reference(input, taps, matrices, plan);
        auto state = c10::make_intrusive<SeparableConv2dState>();
        state->plan = plan;
        return SeparableConv2d::apply(input, taps, matrices, std::nullopt, std::nullopt, state);
    });
}

int32_t ct_batch_norm_separable_conv2d(ct_tensor x, ct_tensor running_mean, ct_tensor running_variance,
                                       ct_batch_norm_options options, ct_tensor depthwise, ct_tensor pointwise,
                                       int64_t edges, int64_t dilation, ct_optional_tensor *out) {
    return return_tensor(out, [&] {
        auto input = upcast_bfloat16(get(x));
        auto &taps = get(depthwise), &matrices = get(pointwise);
        auto plan = checked_plan(input, taps, matrices, edges, dilation, false);
        TORCH_CHECK(plan.images % options.groups == 0, "separable convolution: ", input.sizes(), " in ", options.groups,
                    " groups");
        if (!has_row_kernel(input)) {
            auto active = batch_norm(input, get(running_mean), get(running_variance), converted(options), true);
            return separable_conv2d_reference(active, taps, matrices, plan);
        }
        auto state = c10::make_intrusive<SeparableConv2dState>();
        state->plan = plan;
        state->normalization = c10::make_intrusive<BatchNormState>();
        state->normalization->options = converted(options);
        state->normalization->with_relu = true;
        return SeparableConv2d::apply(input, taps, matrices, std::optional(get(running_mean)),
                                      std::optional(get(running_variance)), state);
    });
}
