#include "kernels/depthwise.h"
#include "kernels/layout.h"
#include "kernels/parallel.h"
#include "kernels/simd.h"

#include <ATen/Dispatch.h>
#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <algorithm>
#include <torch/csrc/autograd/custom_function.h>

using namespace ct;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

constexpr int64_t kernel_size = 5;

// Channels that a thread goes through at a time: pixels of so many are read as whole lines of the cache.
constexpr int64_t slice = 64;

// Maps of pixels with their channels side by side, and the places that a convolution of them has.
template <typename T> struct DepthwiseMaps {
    const T *x, *gradient;
    int64_t images, channels, height, width, rows, columns;
    DepthwisePlaces places;

    int64_t place(int64_t index, int64_t tap) const {
        return index * places.stride + tap * places.dilation - places.padding;
    }
};

// sum[tap] += gradient[q] * x[place of q and tap] over the columns q of a row, for the five taps of a kernel's row.
template <int V, typename T>
CT_INLINE void add_row(const DepthwiseMaps<T> &maps, const T *x, const T *gradient, T *sum, int64_t stride) {
    simd<T, V> acc[kernel_size];
    for (int k = 0; k < kernel_size; k++) acc[k] = simd_at<V>(sum + k * stride);
    auto channels = maps.channels;
    for (int64_t q = 0; q < maps.columns; q++) {
        auto g = simd_at<V>(gradient + q * channels);
        auto first = maps.place(q, 0), last = maps.place(q, kernel_size - 1);
        if (first >= 0 && last < maps.width) {
            auto from = x + first * channels;
            auto step = maps.places.dilation * channels;
            for (int k = 0; k < kernel_size; k++) acc[k] += g * simd_at<V>(from + k * step);
        } else {
            for (int k = 0; k < kernel_size; k++) {
                auto column = maps.place(q, k);
                if (column >= 0 && column < maps.width) acc[k] += g * simd_at<V>(x + column * channels);
            }
        }
    }
    for (int k = 0; k < kernel_size; k++) simd_at<V>(sum + k * stride) = acc[k];
}

// The kernels' gradients from one image, of `count` channels from the first on: sum[tap, c], `slice` values a tap.
template <typename T>
CT_INLINE void add_image_body(const DepthwiseMaps<T> &maps, int64_t image, int64_t first, int64_t count, T *sum) {
    auto x = maps.x + image * maps.height * maps.width * maps.channels + first;
    auto gradient = maps.gradient + image * maps.rows * maps.columns * maps.channels + first;
    for (int64_t row = 0; row < maps.rows; row++) {
        auto g = gradient + row * maps.columns * maps.channels;
        for (int64_t tap = 0; tap < kernel_size; tap++) {
            auto source = maps.place(row, tap);
            if (source < 0 || source >= maps.height) continue;
            auto from = x + source * maps.width * maps.channels;
            auto to = sum + tap * kernel_size * slice;
            over_channels<T>(count, [&](int64_t c, auto v) __attribute__((always_inline)) {
                add_row<decltype(v)::value>(maps, from + c, g + c, to + c, slice);
            });
        }
    }
}

CT_CLONES void add_image(const DepthwiseMaps<float> &maps, int64_t image, int64_t first, int64_t count, float *sum) {
    add_image_body(maps, image, first, count, sum);
}
CT_CLONES void add_image(const DepthwiseMaps<double> &maps, int64_t image, int64_t first, int64_t count, double *sum) {
    add_image_body(maps, image, first, count, sum);
}

// The gradient of kernels [C, 1, 5, 5]. Threads share the channels, so that sums do not depend on how many there are.
template <typename T> void kernel_gradient(const DepthwiseMaps<T> &maps, T *result) {
    constexpr int64_t taps = kernel_size * kernel_size;
    ct::parallel_for((maps.channels + slice - 1) / slice, 1, [&](int64_t begin, int64_t end) {
        std::vector<T> sum(taps * slice);
        std::vector<double> total(taps * slice);
        for (auto part = begin; part < end; part++) {
            auto first = part * slice, count = std::min(slice, maps.channels - first);
            std::fill(total.begin(), total.end(), 0.0);
            for (int64_t image = 0; image < maps.images; image++) {
                std::fill(sum.begin(), sum.end(), T(0));
                add_image(maps, image, first, count, sum.data());
                for (size_t i = 0; i < sum.size(); i++) total[i] += sum[i];
            }
            for (int64_t c = 0; c < count; c++) {
                for (int64_t tap = 0; tap < taps; tap++)
                    result[(first + c) * taps + tap] = static_cast<T>(total[tap * slice + c]);
            }
        }
    });
}

std::array<int64_t, 2> both(int64_t value) { return {value, value}; }

class DepthwiseConv2d : public torch::autograd::Function<DepthwiseConv2d> {
  public:
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &weight, int64_t stride,
                              int64_t padding, int64_t dilation) {
        context->save_for_backward({x, weight});
        context->saved_data["stride"] = stride;
        context->saved_data["padding"] = padding;
        context->saved_data["dilation"] = dilation;
        return at::conv2d(x, weight, {}, both(stride), both(padding), both(dilation), x.size(1));
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        TORCH_CHECK(!at::GradMode::is_enabled(), "this convolution has no second derivative");
        auto saved = context->get_saved_variables();
        auto &x = saved[0], &weight = saved[1];
        DepthwisePlaces places{context->saved_data["stride"].toInt(), context->saved_data["padding"].toInt(),
                               context->saved_data["dilation"].toInt()};
        auto g = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
        at::Tensor gx, gw;
        if (context->needs_input_grad(0)) {
            gx = std::get<0>(at::convolution_backward(g, x, weight, std::nullopt, both(places.stride),
                                                      both(places.padding), both(places.dilation), false, both(0),
                                                      x.size(1), {true, false, false}));
        }
        if (context->needs_input_grad(1)) {
            gw = at::empty_like(weight, weight.options(), at::MemoryFormat::Contiguous);
            AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "depthwise_conv2d_backward", [&] {
                kernel_gradient<scalar_t>({x.const_data_ptr<scalar_t>(), g.const_data_ptr<scalar_t>(), x.size(0),
                                           x.size(1), x.size(2), x.size(3), g.size(2), g.size(3), places},
                                          gw.mutable_data_ptr<scalar_t>());
            });
        }
        return {gx, gw, at::Tensor(), at::Tensor(), at::Tensor()};
    }
};

} // namespace

bool ct::learns_large_depthwise(const at::Tensor &x, const at::Tensor &weight, int64_t groups) {
    return has_row_kernel(x) && weight.scalar_type() == x.scalar_type() && x.dim() == 4 && weight.dim() == 4 &&
           groups == x.size(1) && weight.size(0) == groups && weight.size(2) == kernel_size &&
           weight.size(3) == kernel_size && lies_channels_last(x) && x.numel() > 0 && at::GradMode::is_enabled() &&
           weight.requires_grad();
}

at::Tensor ct::depthwise_conv2d(const at::Tensor &x, const at::Tensor &weight, DepthwisePlaces places) {
    return DepthwiseConv2d::apply(x, weight, places.stride, places.padding, places.dilation);
}
