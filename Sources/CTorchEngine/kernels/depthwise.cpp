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

// Channels that a thread goes through at a time: pixels of so many are read as whole lines of the cache.
constexpr int64_t slice = 64;

// Maps of pixels with their channels side by side, and the places that a convolution of them has.
template <typename T> struct DepthwiseMaps {
    const T *x, *gradient;
    int64_t images, channels, height, width, rows, columns, kernel;
    DepthwisePlaces places;

    int64_t place(int64_t index, int64_t tap) const {
        return index * places.stride + tap * places.dilation - places.padding;
    }
};

// sum[tap] += gradient[q] * x[place of q and tap] over the columns q of a row, for the K taps of a kernel's row.
template <int K, int V, typename T>
CT_INLINE void add_row(const DepthwiseMaps<T> &maps, const T *x, const T *gradient, T *sum, int64_t stride) {
    simd<T, V> acc[K];
    for (int k = 0; k < K; k++) acc[k] = simd_at<V>(sum + k * stride);
    auto channels = maps.channels;
    for (int64_t q = 0; q < maps.columns; q++) {
        auto g = simd_at<V>(gradient + q * channels);
        auto first = maps.place(q, 0), last = maps.place(q, K - 1);
        if (first >= 0 && last < maps.width) {
            auto from = x + first * channels;
            auto step = maps.places.dilation * channels;
            for (int k = 0; k < K; k++) acc[k] += g * simd_at<V>(from + k * step);
        } else {
            for (int k = 0; k < K; k++) {
                auto column = maps.place(q, k);
                if (column >= 0 && column < maps.width) acc[k] += g * simd_at<V>(x + column * channels);
            }
        }
    }
    for (int k = 0; k < K; k++) simd_at<V>(sum + k * stride) = acc[k];
}

// The kernels' gradients from one image, of `count` channels from the first on: sum[tap, c], `slice` values a tap.
template <int K, typename T>
CT_INLINE void add_image_body(const DepthwiseMaps<T> &maps, int64_t image, int64_t first, int64_t count, T *sum) {
    auto x = maps.x + image * maps.height * maps.width * maps.channels + first;
    auto gradient = maps.gradient + image * maps.rows * maps.columns * maps.channels + first;
    for (int64_t row = 0; row < maps.rows; row++) {
        auto g = gradient + row * maps.columns * maps.channels;
        for (int64_t tap = 0; tap < K; tap++) {
            auto source = maps.place(row, tap);
            if (source < 0 || source >= maps.height) continue;
            auto from = x + source * maps.width * maps.channels;
            auto to = sum + tap * K * slice;
            over_channels<T>(count, [&](int64_t c, auto v) __attribute__((always_inline)) {
                add_row<K, decltype(v)::value>(maps, from + c, g + c, to + c, slice);
            });
        }
    }
}

CT_CLONES void add_image(const DepthwiseMaps<float> &maps, int64_t image, int64_t first, int64_t count, float *sum) {
    if (maps.kernel == 5) return add_image_body<5>(maps, image, first, count, sum);
    add_image_body<3>(maps, image, first, count, sum);
}
CT_CLONES void add_image(const DepthwiseMaps<double> &maps, int64_t image, int64_t first, int64_t count, double *sum) {
    if (maps.kernel == 5) return add_image_body<5>(maps, image, first, count, sum);
    add_image_body<3>(maps, image, first, count, sum);
}

// The gradient of kernels [C, 1, K, K]. Threads share the channels, so that sums do not depend on how many there are.
template <typename T> void kernel_gradient(const DepthwiseMaps<T> &maps, T *result) {
    auto taps = maps.kernel * maps.kernel;
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

// A convolution at stride 1 with taps that lie apart, whose result is as large as what it is of.
template <typename T> struct DilatedRows {
    const T *image, *taps, *bias;
    int64_t channels, height, width, kernel, dilation;
};

// The columns from which all taps of a kernel's row that begin..<end names are inside, and no others.
struct Segment {
    int64_t first, last, begin, end;
};

// One segment of a row of the result. `taps` has the channels of one tap side by side.
template <typename T>
CT_INLINE void dilated_segment(const DilatedRows<T> &rows, T *out, int64_t row, const Segment &segment) {
    auto channels = rows.channels, middle = rows.kernel / 2;
    over_channels<T>(channels, [&](int64_t c, auto v) __attribute__((always_inline)) {
        constexpr int V = decltype(v)::value;
        auto block = [&](int64_t w, auto pixels) __attribute__((always_inline)) {
            constexpr int P = decltype(pixels)::value;
            simd<T, V> acc[P] = {};
            for (int p = 0; rows.bias && p < P; p++) acc[p] = simd_at<V>(rows.bias + c);
            for (int64_t i = 0; i < rows.kernel; i++) {
                auto h = row + (i - middle) * rows.dilation;
                if (h < 0 || h >= rows.height) continue;
                for (auto j = segment.begin; j < segment.end; j++) {
                    auto weight = simd_at<V>(rows.taps + (i * rows.kernel + j) * channels + c);
                    auto x = rows.image + (h * rows.width + w + (j - middle) * rows.dilation) * channels + c;
                    for (int p = 0; p < P; p++) acc[p] += weight * simd_at<V>(x + p * channels);
                }
            }
            for (int p = 0; p < P; p++) simd_at<V>(out + (w + p) * channels + c) = acc[p];
        };
        auto w = segment.first;
        for (; w + 4 <= segment.last; w += 4) block(w, std::integral_constant<int, 4>());
        for (; w < segment.last; w++) block(w, std::integral_constant<int, 1>());
    });
}
CT_CLONES void dilated_row(const DilatedRows<float> &rows, float *out, int64_t row, const Segment &segment) {
    dilated_segment(rows, out, row, segment);
}
CT_CLONES void dilated_row(const DilatedRows<double> &rows, double *out, int64_t row, const Segment &segment) {
    dilated_segment(rows, out, row, segment);
}

// The columns of a row, cut where another tap comes inside or goes out.
std::vector<Segment> segments(int64_t width, int64_t kernel, int64_t dilation) {
    std::vector<int64_t> cuts{0, width};
    for (int64_t j = 0; j < kernel; j++) {
        auto offset = (j - kernel / 2) * dilation;
        for (auto cut : {-offset, width - offset})
            if (cut > 0 && cut < width) cuts.push_back(cut);
    }
    std::sort(cuts.begin(), cuts.end());
    std::vector<Segment> result;
    for (size_t i = 0; i + 1 < cuts.size(); i++) {
        if (cuts[i] == cuts[i + 1]) continue;
        Segment segment{cuts[i], cuts[i + 1], 0, kernel};
        auto is_inside = [&](int64_t j) {
            auto column = cuts[i] + (j - kernel / 2) * dilation;
            return column >= 0 && column < width;
        };
        while (!is_inside(segment.begin)) segment.begin++;
        while (!is_inside(segment.end - 1)) segment.end--;
        result.push_back(segment);
    }
    return result;
}

// The convolution of maps [N, C, H, W] by kernels [C, 1, K, K], or its transpose, by the kernels turned round.
at::Tensor dilated(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, int64_t dilation,
                   bool transposed) {
    auto channels = x.size(1), height = x.size(2), width = x.size(3), kernel = weight.size(2), count = kernel * kernel;
    auto y = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
    auto own = segments(width, kernel, dilation);
    // A row's kernel, tap by tap.
    auto taps = weight.detach().reshape({channels, count}).t().contiguous();
    if (transposed) taps = taps.flip(0).contiguous();
    auto summand = bias.defined() ? bias.contiguous() : at::Tensor();
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "dilated_depthwise_conv2d", [&] {
        auto from = x.const_data_ptr<scalar_t>(), tap = taps.const_data_ptr<scalar_t>();
        auto shift = summand.defined() ? summand.const_data_ptr<scalar_t>() : nullptr;
        auto to = y.mutable_data_ptr<scalar_t>();
        auto length = width * channels;
        auto grain = std::max(int64_t(1), smallest_part / std::max(int64_t(1), length));
        ct::parallel_for(x.size(0) * height, grain, [&](int64_t begin, int64_t end) {
            for (auto i = begin; i < end; i++) {
                DilatedRows<scalar_t> rows{
                    from + i / height * height * length, tap, shift, channels, height, width, kernel, dilation};
                for (auto &segment : own) dilated_row(rows, to + i * length, i % height, segment);
            }
        });
    });
    return y;
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
        if (is_dilated({stride, padding, dilation}, weight.size(2))) return dilated(x, weight, {}, dilation, false);
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
            gx = is_dilated(places, weight.size(2)) ? dilated(g, weight, {}, places.dilation, true)
                                                    : input_gradient(g, x, weight, places);
        }
        if (context->needs_input_grad(1)) {
            gw = at::empty_like(weight, weight.options(), at::MemoryFormat::Contiguous);
            AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "depthwise_conv2d_backward", [&] {
                kernel_gradient<scalar_t>({x.const_data_ptr<scalar_t>(), g.const_data_ptr<scalar_t>(), x.size(0),
                                           x.size(1), x.size(2), x.size(3), g.size(2), g.size(3), weight.size(2),
                                           places},
                                          gw.mutable_data_ptr<scalar_t>());
            });
        }
        return {gx, gw, at::Tensor(), at::Tensor(), at::Tensor()};
    }

    static bool is_dilated(DepthwisePlaces places, int64_t kernel) {
        return places.stride == 1 && places.dilation > 1 && 2 * places.padding == places.dilation * (kernel - 1);
    }

  private:
    static at::Tensor input_gradient(const at::Tensor &g, const at::Tensor &x, const at::Tensor &weight,
                                     DepthwisePlaces places) {
        return std::get<0>(at::convolution_backward(g, x, weight, std::nullopt, both(places.stride),
                                                    both(places.padding), both(places.dilation), false, both(0),
                                                    x.size(1), {true, false, false}));
    }
};

} // namespace

bool ct::has_own_depthwise(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                           DepthwisePlaces places, int64_t groups) {
    auto has_bias_alike = !bias.defined() || (bias.is_cpu() && bias.dim() == 1 && bias.size(0) == groups &&
                                              bias.scalar_type() == x.scalar_type());
    if (!has_row_convolution(x, weight) || !has_bias_alike || groups != x.size(1) || weight.size(0) != groups)
        return false;
    auto kernel = weight.size(2);
    auto learns = at::GradMode::is_enabled() && weight.requires_grad();
    auto is_dilated = DepthwiseConv2d::is_dilated(places, kernel) && (kernel == 3 || kernel == 5);
    if (!at::GradMode::is_enabled()) return is_dilated;
    return !bias.defined() && (is_dilated || (learns && kernel == 5));
}

at::Tensor ct::depthwise_conv2d(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias,
                                DepthwisePlaces places) {
    if (!at::GradMode::is_enabled()) return dilated(x, weight, bias, places.dilation, false);
    return DepthwiseConv2d::apply(x, weight, places.stride, places.padding, places.dilation);
}
