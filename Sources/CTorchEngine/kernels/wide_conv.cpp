#include "kernels/wide_conv.h"
#include "kernels/layout.h"
#include "kernels/parallel.h"
#include "kernels/simd.h"

#include <ATen/Dispatch.h>
#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <algorithm>
#include <torch/csrc/autograd/custom_function.h>
#include <vector>

using namespace ct;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

// Output channels whose sums stay in registers, beside a vector of input channels.
constexpr int64_t block = 6;
// Output channels that a thread does at a time, and pixels that are read at a time.
constexpr int64_t outputs_at_once = 8 * block, pixels_at_once = 64;

// sum[r, v] += gradient[p, r] * x[p, v] over `count` pixels.
template <typename T> CT_INLINE void add_products_of(const T *gradient, const T *x, int64_t count, T *sum) {
    constexpr int V = widest<T>;
    simd<T, V> acc[block];
    CT_UNROLLED for (int r = 0; r < block; r++) acc[r] = simd_at<V>(sum + r * V);
    for (int64_t p = 0; p < count; p++) {
        auto value = simd_at<V>(x + p * V);
        CT_UNROLLED for (int r = 0; r < block; r++) acc[r] += value * gradient[p * block + r];
    }
    CT_UNROLLED for (int r = 0; r < block; r++) simd_at<V>(sum + r * V) = acc[r];
}
CT_CLONES void add_products(const float *gradient, const float *x, int64_t count, float *sum) {
    add_products_of(gradient, x, count, sum);
}
CT_CLONES void add_products(const double *gradient, const double *x, int64_t count, double *sum) {
    add_products_of(gradient, x, count, sum);
}

// Values of `count` channels of a pixel, in blocks of `size` channels, each of which holds `pixels_at_once` pixels.
template <typename T> void pack(const T *from, int64_t count, int64_t size, int64_t pixel, T *to) {
    for (int64_t first = 0; first < count; first += size) {
        std::copy_n(from + first, std::min(size, count - first), to + (first / size * pixels_at_once + pixel) * size);
    }
}

// A convolution's maps and kernels, pixels with their channels side by side.
template <typename T> struct WideMaps {
    const T *x, *gradient;
    int64_t images, inputs, outputs, height, width, kernel, padding, dilation;

    // Rows or columns of the result, `size` in all, that see the map through a tap: from first to second.
    std::pair<int64_t, int64_t> seen(int64_t tap, int64_t size) const {
        auto moved = tap * dilation - padding;
        return {std::max<int64_t>(0, -moved), std::max<int64_t>(0, std::min(size, size - moved))};
    }

    // The gradient of one tap's kernels of some outputs, result[output, K x K, input].
    void tap(int64_t row, int64_t column, int64_t first, int64_t count, T *result) const {
        constexpr int64_t V = widest<T>;
        auto output_blocks = (count + block - 1) / block, input_blocks = (inputs + V - 1) / V;
        std::vector<T> packed_gradient(output_blocks * block * pixels_at_once);
        std::vector<T> packed(input_blocks * V * pixels_at_once), sums(output_blocks * block * input_blocks * V);
        int64_t pixels = 0;
        auto flush = [&] {
            for (int64_t i = 0; i < input_blocks; i++) {
                for (int64_t o = 0; o < output_blocks; o++) {
                    add_products(&packed_gradient[o * block * pixels_at_once], &packed[i * V * pixels_at_once], pixels,
                                 &sums[(o * input_blocks + i) * block * V]);
                }
            }
            pixels = 0;
        };
        auto [top, bottom] = seen(row, height);
        auto [left, right] = seen(column, width);
        auto down = row * dilation - padding, across = column * dilation - padding;
        for (int64_t image = 0; image < images; image++) {
            for (auto y = top; y < bottom; y++) {
                for (auto at = left; at < right; at++) {
                    auto here = (image * height + y) * width + at, there = here + down * width + across;
                    pack(gradient + here * outputs + first, count, block, pixels, packed_gradient.data());
                    pack(x + there * inputs, inputs, V, pixels, packed.data());
                    if (++pixels == pixels_at_once) flush();
                }
            }
        }
        flush();
        for (int64_t o = 0; o < count; o++) {
            auto to = result + ((first + o) * kernel * kernel + row * kernel + column) * inputs;
            for (int64_t i = 0; i < input_blocks; i++) {
                auto from = &sums[((o / block * input_blocks + i) * block + o % block) * V];
                std::copy_n(from, std::min(V, inputs - i * V), to + i * V);
            }
        }
    }

    // All of it, result[O, K, K, C], on several threads.
    void weights(T *result) const {
        auto parts = (outputs + outputs_at_once - 1) / outputs_at_once;
        parallel_for(kernel * kernel * parts, 1, [&](int64_t begin, int64_t end) {
            for (auto i = begin; i < end; i++) {
                auto first = i % parts * outputs_at_once, tap = i / parts;
                this->tap(tap / kernel, tap % kernel, first, std::min(outputs_at_once, outputs - first), result);
            }
        });
    }
};

class WideConv2d : public torch::autograd::Function<WideConv2d> {
  public:
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &weight, int64_t padding,
                              int64_t dilation) {
        context->save_for_backward({x, weight});
        context->saved_data["padding"] = padding;
        context->saved_data["dilation"] = dilation;
        return at::conv2d(x, weight, {}, 1, {padding, padding}, {dilation, dilation});
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        TORCH_CHECK(!at::GradMode::is_enabled(), "this convolution has no second derivative");
        auto saved = context->get_saved_variables();
        auto &x = saved[0], &weight = saved[1];
        auto padding = context->saved_data["padding"].toInt(), dilation = context->saved_data["dilation"].toInt();
        auto g = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
        at::Tensor gx, gw;
        if (context->needs_input_grad(0)) {
            gx = std::get<0>(at::convolution_backward(g, x, weight, std::nullopt, {1, 1}, {padding, padding},
                                                      {dilation, dilation}, false, {0, 0}, 1, {true, false, false}));
        }
        if (context->needs_input_grad(1)) {
            gw = at::empty(weight.sizes(), weight.options(), at::MemoryFormat::ChannelsLast);
            AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "wide_conv2d_backward", [&] {
                WideMaps<scalar_t>{x.const_data_ptr<scalar_t>(),
                                   g.const_data_ptr<scalar_t>(),
                                   x.size(0),
                                   x.size(1),
                                   g.size(1),
                                   x.size(2),
                                   x.size(3),
                                   weight.size(2),
                                   padding,
                                   dilation}
                    .weights(gw.mutable_data_ptr<scalar_t>());
            });
        }
        return {gx, gw, at::Tensor(), at::Tensor()};
    }
};

} // namespace

bool ct::is_wide_conv2d(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, int64_t stride,
                        int64_t padding, int64_t dilation, int64_t groups) {
    if (!at::GradMode::is_enabled() || !weight.requires_grad() || bias.defined() || groups != 1 || stride != 1)
        return false;
    if (!has_row_convolution(x, weight) || weight.size(1) != x.size(1)) return false;
    auto reach = dilation * (weight.size(2) - 1);
    return reach > 0 && 2 * padding == reach && reach >= std::min(x.size(2), x.size(3));
}

at::Tensor ct::wide_conv2d(const at::Tensor &x, const at::Tensor &weight, int64_t padding, int64_t dilation) {
    return WideConv2d::apply(x, weight, padding, dilation);
}
