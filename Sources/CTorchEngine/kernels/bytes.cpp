#include "kernels/bytes.h"
#include "kernels/parallel.h"
#include "kernels/rows.h"

#include <ATen/Functions.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <cmath>

namespace {

using ct::ByteConvolution;
using ct::ByteScale;

// Whatever is above 255 becomes 255, and whatever is not above 0, or no number, 0.
CT_INLINE uint8_t nearest_byte(float value) {
    value = value > 0 ? value : 0;
    value = value < 255 ? value : 255;
    return static_cast<uint8_t>(static_cast<int32_t>(value + 0.5f));
}

CT_CLONES void to_bytes_row(const float *x, float inverse, float zero, int64_t count, uint8_t *q) {
    CT_INDEPENDENT for (int64_t i = 0; i < count; i++) q[i] = nearest_byte(x[i] * inverse + zero);
}

CT_CLONES void from_bytes_row(const uint8_t *q, float scale, int32_t zero, int64_t count, float *x) {
    CT_INDEPENDENT for (int64_t i = 0; i < count; i++) x[i] = scale * static_cast<float>(q[i] - zero);
}

CT_CLONES void add_bytes_row(const uint8_t *a, float a_factor, const uint8_t *b, float b_factor, float summand,
                             int64_t count, uint8_t *sum) {
    CT_INDEPENDENT for (int64_t i = 0; i < count; i++) {
        sum[i] = nearest_byte(a[i] * a_factor + b[i] * b_factor + summand);
    }
}

at::Tensor channels_last(const at::Tensor &x, at::ScalarType type) {
    TORCH_CHECK(x.is_cpu() && x.scalar_type() == type && x.dim() == 4,
                "a map of bytes is made of a map on a processor");
    return x.contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor empty_like(const at::Tensor &x, at::ScalarType type) {
    return at::empty(x.sizes(), x.options().dtype(type), at::MemoryFormat::ChannelsLast);
}

// An operation that libtorch has for processors that oneDNN knows.
std::optional<c10::OperatorHandle> find(const char *name) {
    return c10::Dispatcher::singleton().findSchema({name, ""});
}

at::Tensor call(const char *name, const std::optional<c10::OperatorHandle> &operation, torch::jit::Stack stack) {
    TORCH_CHECK(operation, name, ": this libtorch has no convolutions of bytes");
    operation->callBoxed(stack);
    return stack.front().toTensor();
}

c10::List<int64_t> pair(int64_t value) { return c10::List<int64_t>({value, value}); }

} // namespace

at::Tensor ct::to_bytes(const at::Tensor &x, ByteScale scale) {
    auto from = channels_last(x, at::kFloat);
    auto result = empty_like(from, at::kByte);
    auto values = from.const_data_ptr<float>();
    auto bytes = result.mutable_data_ptr<uint8_t>();
    auto inverse = static_cast<float>(1 / scale.scale);
    parallel_for(from.numel(), smallest_part, [&](int64_t begin, int64_t end) {
        to_bytes_row(values + begin, inverse, static_cast<float>(scale.zero), end - begin, bytes + begin);
    });
    return result;
}

at::Tensor ct::from_bytes(const at::Tensor &q, ByteScale scale) {
    auto from = channels_last(q, at::kByte);
    auto result = empty_like(from, at::kFloat);
    auto bytes = from.const_data_ptr<uint8_t>();
    auto values = result.mutable_data_ptr<float>();
    parallel_for(from.numel(), smallest_part, [&](int64_t begin, int64_t end) {
        from_bytes_row(bytes + begin, static_cast<float>(scale.scale), static_cast<int32_t>(scale.zero), end - begin,
                       values + begin);
    });
    return result;
}

at::Tensor ct::add_bytes(const at::Tensor &a, ByteScale a_scale, const at::Tensor &b, ByteScale b_scale,
                         ByteScale scale) {
    auto first = channels_last(a, at::kByte), second = channels_last(b, at::kByte);
    TORCH_CHECK(first.sizes() == second.sizes(), "maps of bytes that are added have one shape");
    auto result = empty_like(first, at::kByte);
    auto x = first.const_data_ptr<uint8_t>(), y = second.const_data_ptr<uint8_t>();
    auto sum = result.mutable_data_ptr<uint8_t>();
    auto x_factor = a_scale.scale / scale.scale, y_factor = b_scale.scale / scale.scale;
    auto summand = static_cast<float>(scale.zero - x_factor * a_scale.zero - y_factor * b_scale.zero);
    parallel_for(first.numel(), smallest_part, [&](int64_t begin, int64_t end) {
        add_bytes_row(x + begin, static_cast<float>(x_factor), y + begin, static_cast<float>(y_factor), summand,
                      end - begin, sum + begin);
    });
    return result;
}

// Whether sums of products are whole. Where a processor has no instruction for them (VNNI), or oneDNN is told to take
// none, pairs of products are added in 16 bits, which saturate.
static bool sums_are_whole() {
    const ByteConvolution form{1, 0, 1, 1};
    auto bytes =
        at::full({1, 64, 4, 4}, 255, at::TensorOptions(at::kByte).memory_format(at::MemoryFormat::ChannelsLast));
    auto kernel = at::full({32, 64, 3, 3}, 127, at::kChar);
    auto scales = at::ones({32}), bias = at::zeros({32});
    auto packed = ct::pack_byte_kernel(kernel, scales, {1, 0}, {1, 64, 4, 4}, form);
    auto found = ct::byte_conv2d(bytes, {1, 0}, packed, scales, bias, form, std::nullopt);
    auto wanted = 64.0 * 9 * 255 * 127;
    auto is_right = [&](const at::Tensor &value) { return std::abs(value.item<double>() / wanted - 1) < 1e-3; };
    return is_right(found.min()) && is_right(found.max());
}

bool ct::has_byte_convolutions() {
    static const bool has_them = [] {
        if (!find("onednn::qconv_prepack") || !find("onednn::qconv2d_pointwise")) return false;
        try {
            at::NoGradGuard none;
            return sums_are_whole();
        } catch (const std::exception &) {
            return false;
        }
    }();
    return has_them;
}

at::Tensor ct::pack_byte_kernel(const at::Tensor &kernel, const at::Tensor &scales, ByteScale input,
                                at::IntArrayRef shape, const ByteConvolution &convolution) {
    static const auto operation = find("onednn::qconv_prepack");
    torch::jit::Stack stack{kernel.to(at::kChar),
                            scales,
                            input.scale,
                            input.zero,
                            pair(convolution.stride),
                            pair(convolution.padding),
                            pair(convolution.dilation),
                            convolution.groups,
                            c10::List<int64_t>(shape)};
    return call("pack_byte_kernel", operation, std::move(stack));
}

at::Tensor ct::byte_conv2d(const at::Tensor &q, ByteScale input, const at::Tensor &packed, const at::Tensor &scales,
                           const at::Tensor &bias, const ByteConvolution &convolution,
                           std::optional<ByteScale> output) {
    static const auto operation = find("onednn::qconv2d_pointwise");
    // Kernels have no zero but 0, whatever is given for it.
    auto zeros = at::zeros_like(scales, at::kInt);
    auto type = output ? c10::IValue() : c10::IValue(static_cast<int64_t>(at::kFloat));
    auto scale = output.value_or(ByteScale{1, 0});
    torch::jit::Stack stack{channels_last(q, at::kByte),
                            input.scale,
                            input.zero,
                            packed,
                            scales,
                            zeros,
                            bias,
                            pair(convolution.stride),
                            pair(convolution.padding),
                            pair(convolution.dilation),
                            convolution.groups,
                            scale.scale,
                            scale.zero,
                            type,
                            "none",
                            c10::List<std::optional<at::Scalar>>(),
                            ""};
    return call("byte_conv2d", operation, std::move(stack));
}
