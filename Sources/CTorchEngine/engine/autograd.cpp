#include "engine/guard.h"

#include <ATen/Functions.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

using namespace ct;

bool ct_requires_grad(ct_tensor a) { return get(a).requires_grad(); }

int32_t ct_set_requires_grad(ct_tensor a, bool value) {
    return guard([&] { get(a).set_requires_grad(value); });
}

int32_t ct_detach(ct_tensor a, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return get(a).detach(); });
}

int32_t ct_grad(ct_tensor a, ct_optional_tensor *out) {
    return guard([&] {
        auto gradient = get(a).grad();
        *out = gradient.defined() ? wrap(gradient) : nullptr;
    });
}

int32_t ct_zero_grad(ct_tensor a) {
    return guard([&] { get(a).mutable_grad() = at::Tensor(); });
}

int32_t ct_backward(ct_tensor root) {
    return guard([&] { torch::autograd::backward({get(root)}, {}); });
}

bool ct_is_grad_enabled(void) { return at::GradMode::is_enabled(); }
void ct_set_grad_enabled(bool enabled) { at::GradMode::set_enabled(enabled); }

bool ct_is_autocast_enabled(int32_t kind) { return at::autocast::is_autocast_enabled(device_type(kind)); }

void ct_set_autocast_enabled(int32_t kind, bool enabled) {
    auto type = device_type(kind);
    at::autocast::set_autocast_enabled(type, enabled);
    at::autocast::set_autocast_dtype(type, at::kBFloat16);
    // A cached kernel would belong to the graph of the block that made it, or to none.
    at::autocast::set_autocast_cache_enabled(false);
}

int32_t ct_gradients(const ct_optional_tensor *roots, const ct_optional_tensor *root_gradients, int64_t root_count,
                     const ct_optional_tensor *inputs, int64_t input_count, ct_optional_tensor *out) {
    return guard([&] {
        auto starts = root_gradients ? tensors(root_gradients, root_count) : std::vector<at::Tensor>();
        auto found = torch::autograd::grad(tensors(roots, root_count), tensors(inputs, input_count), starts,
                                           std::nullopt, false, true);
        for (int64_t i = 0; i < input_count; i++) out[i] = found[i].defined() ? wrap(found[i]) : nullptr;
    });
}
