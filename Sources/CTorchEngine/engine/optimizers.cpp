#include "engine/guard.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

using namespace ct;

// The fused kernels walk memory from end to end, so a gradient must lie as its parameter does.
static std::vector<at::Tensor> laid_as(const std::vector<at::Tensor> &parameters, std::vector<at::Tensor> gradients) {
    for (size_t i = 0; i < gradients.size(); i++) {
        if (gradients[i].strides() == parameters[i].strides()) continue;
        gradients[i] = at::empty_like(parameters[i]).copy_(gradients[i]);
    }
    return gradients;
}

int32_t ct_sgd_step(const ct_optional_tensor *parameters, const ct_optional_tensor *gradients,
                    const ct_optional_tensor *momenta, int64_t count, double rate, double momentum, double decay,
                    bool first) {
    return guard([&] {
        at::NoGradGuard none;
        auto weights = tensors(parameters, count);
        // Without momentum the kernel wants no velocities.
        at::_fused_sgd_(weights, laid_as(weights, tensors(gradients, count)),
                        tensors(momenta, momentum == 0 ? 0 : count), decay, momentum, rate, 0, false, false, first);
    });
}

// Adam as libtorch fuses it, by the kernel that treats the decay as wanted.
template <typename Step>
static int32_t adam_step(Step step, const ct_optional_tensor *parameters, const ct_optional_tensor *gradients,
                         const ct_optional_tensor *first_moments, const ct_optional_tensor *second_moments,
                         const ct_optional_tensor *steps, int64_t count) {
    return guard([&] {
        at::NoGradGuard none;
        auto weights = tensors(parameters, count);
        auto counters = tensors(steps, count);
        for (auto &counter : counters) counter.add_(1);
        step(weights, laid_as(weights, tensors(gradients, count)), tensors(first_moments, count),
             tensors(second_moments, count), counters);
    });
}

int32_t ct_adam_step(const ct_optional_tensor *parameters, const ct_optional_tensor *gradients,
                     const ct_optional_tensor *first_moments, const ct_optional_tensor *second_moments,
                     const ct_optional_tensor *steps, int64_t count, double rate, double beta1, double beta2,
                     double decay, double eps) {
    auto step = [&](auto weights, auto slopes, auto first, auto second, auto counters) {
        at::_fused_adam_(weights, slopes, first, second, {}, counters, rate, beta1, beta2, decay, eps, false, false);
    };
    return adam_step(step, parameters, gradients, first_moments, second_moments, steps, count);
}

int32_t ct_adamw_step(const ct_optional_tensor *parameters, const ct_optional_tensor *gradients,
                      const ct_optional_tensor *first_moments, const ct_optional_tensor *second_moments,
                      const ct_optional_tensor *steps, int64_t count, double rate, double beta1, double beta2,
                      double decay, double eps) {
    auto step = [&](auto weights, auto slopes, auto first, auto second, auto counters) {
        at::_fused_adamw_(weights, slopes, first, second, {}, counters, rate, beta1, beta2, decay, eps, false, false);
    };
    return adam_step(step, parameters, gradients, first_moments, second_moments, steps, count);
}

int32_t ct_total_norm(const ct_optional_tensor *handles, int64_t count, ct_optional_tensor *out) {
    return return_tensor(out, [&] {
        at::NoGradGuard none;
        return at::linalg_vector_norm(at::stack(at::_foreach_norm(tensors(handles, count), 2)));
    });
}

int32_t ct_scale_all(const ct_optional_tensor *handles, int64_t count, double scale) {
    return guard([&] {
        at::NoGradGuard none;
        at::_foreach_mul_(tensors(handles, count), scale);
    });
}
