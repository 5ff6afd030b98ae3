#include "kernels/affine_normalization.h"
#include "kernels/depthwise.h"
#include "kernels/interpolation.h"
#include "kernels/normalization.h"
#include "kernels/overlaps.h"
#include "kernels/pooling.h"
#include "kernels/wide_conv.h"

#include <ATen/Functions.h>
#include <ATen/autocast_mode.h>

using namespace ct;

/// Whether a convolution is computed in bfloat16: under autocast on a processor, where a group has whole blocks of 16
/// input channels.
///
/// With other numbers of channels oneDNN's gradients of weights (in libtorch 2.13 to 2.15, with AVX-512) read memory
/// that is not theirs: with 40 and a dilation they are not finite. For the gradients of depthwise convolutions, which
/// have one channel a group, it has no fast code where kernels are 5x5 or there is a stride: they took longer than all
/// else of a step.
static bool is_rounded(const at::Tensor &x, int64_t groups) {
    return x.device().is_cpu() && at::autocast::is_autocast_enabled(at::kCPU) && x.size(1) / groups % 16 == 0;
}

/// Whether a convolution is one of real numbers on a processor, which libtorch may leave to oneDNN.
static bool is_plain(const at::Tensor &x, const at::Tensor &weight) {
    return x.device().is_cpu() && x.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat && x.dim() == 4 &&
           weight.dim() == 4;
}

/// Whether libtorch unrolls a map into a matrix rather than leave it to oneDNN: that of one image with few values.
static bool is_unrolled(const at::Tensor &x) { return x.size(0) == 1 && x.numel() <= 20480; }

/// The dilation by which libtorch takes its fast convolutions.
///
/// On one thread it leaves kernels of one pixel to a product of matrices, unless there are 16 images or a dilation, on
/// the belief that this were faster; of kernels of some size oneDNN's take half of the time (docs/PERFORMANCE.md), of
/// the smallest, as a supernet has many, and on small maps they do not. A single tap has no neighbour that a dilation
/// could move.
static int64_t fast_dilation(const at::Tensor &x, const at::Tensor &weight, int64_t dilation) {
    constexpr int64_t some_size = 512;
    auto is_pointwise = weight.dim() == 4 && weight.size(2) == 1 && weight.size(3) == 1;
    if (!is_pointwise || !is_plain(x, weight)) return dilation;
    return weight.numel() >= some_size && !is_unrolled(x) ? 2 : 1;
}

/// Whether a convolution goes to oneDNN past libtorch's own choice: where it unrolls a map for taps that lie apart, it
/// fills the result's channels one by one.
static bool is_oneDNNs(const at::Tensor &x, const at::Tensor &weight, int64_t dilation, int64_t groups) {
    return dilation > 1 && weight.size(2) > 1 && groups == 1 && is_plain(x, weight) && is_unrolled(x) &&
           x.numel() > 0 && at::Context::hasMKLDNN() && at::globalContext().userEnabledMkldnn();
}

static at::Tensor convolved(const at::Tensor &x, const at::Tensor &weight, const at::Tensor &bias, int64_t stride,
                            int64_t padding, int64_t dilation, int64_t groups) {
    DepthwisePlaces places{stride, padding, dilation};
    if (has_own_depthwise(x, weight, bias, places, groups)) return depthwise_conv2d(x, weight, bias, places);
    if (is_oneDNNs(x, weight, dilation, groups)) {
        auto format = x.suggest_memory_format();
        return at::mkldnn_convolution(x.contiguous(format), weight.contiguous(format), bias, {padding, padding},
                                      {stride, stride}, {dilation, dilation}, groups);
    }
    if (is_wide_conv2d(x, weight, bias, stride, padding, dilation, groups))
        return wide_conv2d(x, weight, padding, dilation);
    auto spread = fast_dilation(x, weight, dilation);
    return at::conv2d(x, weight, bias, {stride, stride}, {padding, padding}, {spread, spread}, groups);
}

int32_t ct_conv2d(ct_tensor x, ct_tensor weight, ct_optional_tensor bias, int64_t stride, int64_t padding,
                  int64_t dilation, int64_t groups, ct_optional_tensor *out) {
    return return_tensor(out, [&] {
        auto shift = bias ? get(bias) : at::Tensor();
        if (is_rounded(get(x), groups))
            return at::conv2d(get(x), get(weight), shift, {stride, stride}, {padding, padding}, {dilation, dilation},
                              groups);
        auto whole = at::autocast::is_autocast_enabled(at::kCPU) ? upcast_bfloat16(get(x)) : get(x);
        // Without gradients too: what is recomputed for them must be computed as it was at first.
        c10::impl::ExcludeDispatchKeyGuard plain(c10::DispatchKey::AutocastCPU);
        return convolved(whole, get(weight), shift, stride, padding, dilation, groups);
    });
}

static Activation activation_of(int32_t activation) {
    switch (activation) {
    case CT_NO_ACTIVATION:
        return Activation::none;
    case CT_RELU:
        return Activation::relu;
    case CT_RELU6:
        return Activation::relu6;
    }
    TORCH_CHECK(false, "no activation has the number ", activation);
}

// Normalised by the batches of all processes.
static at::Tensor synchronized_batch_norm(const at::Tensor &x, const std::optional<at::Tensor> &weight,
                                          const std::optional<at::Tensor> &bias, const RunningStatistics &running,
                                          double eps) {
    auto updates = running.mean && running.variance;
    BatchNormOptions options{1, true, updates, running.momentum, eps};
    auto none = [&] { return at::empty({1, x.size(1)}, x.options()); };
    auto y = batch_norm(x, updates ? running.mean->unsqueeze(0) : none(),
                        updates ? running.variance->unsqueeze(0) : none(), options, false);
    if (weight) y = at::mul(y, weight->view({1, -1, 1, 1}));
    return bias ? at::add(y, bias->view({1, -1, 1, 1})) : y;
}

int32_t ct_batch_norm(ct_tensor x, ct_optional_tensor weight, ct_optional_tensor bias, ct_optional_tensor mean,
                      ct_optional_tensor variance, bool training, double momentum, double eps, int32_t activation,
                      ct_optional_tensor *out) {
    return return_tensor(out, [&] {
        auto input = upcast_bfloat16(get(x));
        auto scale = optional_tensor(weight), shift = optional_tensor(bias);
        RunningStatistics running{optional_tensor(mean), optional_tensor(variance), momentum};
        auto last = activation_of(activation);
        if (training && normalizes_by_rows(input, scale, shift, running))
            return normalize(input, *scale, *shift, running, eps, last);
        if (training && world_size() > 1)
            return activate(synchronized_batch_norm(input, scale, shift, running, eps), last);
        return activate(
            at::batch_norm(input, scale, shift, running.mean, running.variance, training, momentum, eps, true), last);
    });
}

int32_t ct_avg_pool2d(ct_tensor x, int64_t kernel, int64_t stride, int64_t padding, ct_optional_tensor *out) {
    return return_tensor(out, [&] {
        if (has_pool_kernel(get(x), kernel, stride, padding)) return average_pool2d(get(x));
        return at::avg_pool2d(get(x), {kernel, kernel}, {stride, stride}, {padding, padding}, false, false);
    });
}

int32_t ct_max_pool2d(ct_tensor x, int64_t kernel, int64_t stride, int64_t padding, ct_optional_tensor *out) {
    return return_tensor(out, [&] {
        if (has_pool_kernel(get(x), kernel, stride, padding)) return ct::max_pool2d(get(x));
        return at::max_pool2d(get(x), {kernel, kernel}, {stride, stride}, {padding, padding}, {1, 1});
    });
}

int32_t ct_upsample_bilinear2d(ct_tensor x, int64_t height, int64_t width, bool align_corners,
                               ct_optional_tensor *out) {
    return return_tensor(out, [&] { return at::upsample_bilinear2d(get(x), {height, width}, align_corners); });
}

int32_t ct_interpolate(ct_tensor x, const int64_t *rows, const float *row_shares, int64_t height,
                       const int64_t *columns, const float *column_shares, int64_t width, ct_optional_tensor *out) {
    return return_tensor(
        out, [&] { return interpolate(get(x), {rows, row_shares, height}, {columns, column_shares, width}); });
}

int32_t ct_nll_loss_sum(ct_tensor log_probabilities, ct_tensor labels, ct_optional_tensor class_weights,
                        int64_t ignored, ct_optional_tensor *out) {
    return return_tensor(out, [&] {
        return at::nll_loss_nd(get(log_probabilities), get(labels), optional_tensor(class_weights), at::Reduction::Sum,
                               ignored);
    });
}

int32_t ct_class_overlaps(ct_tensor probabilities, ct_tensor labels, int64_t ignored, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return class_overlaps(get(probabilities), get(labels), ignored); });
}

int32_t ct_cross_entropy_per_pixel(ct_tensor logits, ct_tensor labels, ct_optional_tensor class_weights,
                                   double smoothing, int64_t ignored, ct_optional_tensor *out) {
    return return_tensor(out, [&] {
        return at::cross_entropy_loss(get(logits), get(labels), optional_tensor(class_weights), at::Reduction::None,
                                      ignored, smoothing);
    });
}

int32_t ct_topk_values(ct_tensor a, int64_t count, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return std::get<0>(at::topk(get(a).flatten(), count, -1, true, false)); });
}
