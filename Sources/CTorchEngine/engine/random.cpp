#include "engine/guard.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

using namespace ct;

// Random numbers are drawn on the host whatever the device, so that a seed means the same run everywhere.
int32_t ct_generator_new(uint64_t seed, ct_generator *out) {
    return guard([&] {
        *out = reinterpret_cast<ct_generator>(new at::Generator(at::make_generator<at::CPUGeneratorImpl>(seed)));
    });
}

void ct_generator_free(ct_generator handle) { delete reinterpret_cast<at::Generator *>(handle); }

int32_t ct_generator_get_state(ct_generator handle, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return generator(handle).get_state(); });
}

int32_t ct_generator_set_state(ct_generator handle, ct_tensor state) {
    return guard([&] { generator(handle).set_state(get(state)); });
}

template <typename Draw> static int32_t draw(ct_tensor a, Draw &&body) {
    return guard([&] {
        at::NoGradGuard none;
        auto &target = get(a);
        if (target.is_cpu() && target.is_contiguous()) {
            body(target);
            return;
        }
        auto host = at::empty(target.sizes(), at::TensorOptions().dtype(target.scalar_type()));
        body(host);
        target.copy_(host);
    });
}

int32_t ct_uniform_in_place(ct_tensor a, double from, double to, ct_generator handle) {
    return draw(a, [&](at::Tensor &t) { t.uniform_(from, to, generator(handle)); });
}

int32_t ct_normal_in_place(ct_tensor a, double mean, double deviation, ct_generator handle) {
    return draw(a, [&](at::Tensor &t) { t.normal_(mean, deviation, generator(handle)); });
}

int32_t ct_bernoulli_in_place(ct_tensor a, double probability, ct_generator handle) {
    return draw(a, [&](at::Tensor &t) { t.bernoulli_(probability, generator(handle)); });
}
