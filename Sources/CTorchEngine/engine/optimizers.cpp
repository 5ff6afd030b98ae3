#include "engine/guard.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

using namespace ct;

// A tensor in the order in which it lies in memory: the fused kernels copy what does not lie row by row.
static at::Tensor as_it_lies(const at::Tensor &tensor) {
    auto is_turned =
        !tensor.is_contiguous() && tensor.dim() == 4 && tensor.is_contiguous(at::MemoryFormat::ChannelsLast);
    return is_turned ? tensor.permute({0, 2, 3, 1}) : tensor;
}

static std::vector<at::Tensor> as_they_lie(std::vector<at::Tensor> list) {
    for (auto &tensor : list) tensor = as_it_lies(tensor);
    return list;
}

// Gradients, which come as they like, laid as their parameters.
static std::vector<at::Tensor> laid_as(const std::vector<at::Tensor> &parameters, std::vector<at::Tensor> gradients) {
    for (size_t i = 0; i < gradients.size(); i++) {
        if (gradients[i].strides() == parameters[i].strides()) continue;
        gradients[i] = at::empty_like(parameters[i]).copy_(gradients[i]);
    }
    return gradients;
}

// An optimizer's own numbers, which lie as their parameters since it was made.
static std::vector<at::Tensor> state_laid_as(const std::vector<at::Tensor> &parameters, std::vector<at::Tensor> state) {
    for (size_t i = 0; i < state.size(); i++)
        TORCH_CHECK(state[i].strides() == parameters[i].strides(), "an optimizer's state lies unlike its parameter");
    return as_they_lie(std::move(state));
}

int32_t ct_sgd_step(const ct_optional_tensor *parameters, const ct_optional_tensor *gradients,
                    const ct_optional_tensor *momenta, int64_t count, double rate, double momentum, double decay,
                    bool first) {
    return guard([&] {
        at::NoGradGuard none;
        auto weights = tensors(parameters, count);
        // Without momentum the kernel wants no velocities.
        auto velocities = state_laid_as(weights, tensors(momenta, momentum == 0 ? 0 : count));
        at::_fused_sgd_(as_they_lie(weights), as_they_lie(laid_as(weights, tensors(gradients, count))), velocities,
                        decay, momentum, rate, 0, false, false, first);
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
        step(as_they_lie(weights), as_they_lie(laid_as(weights, tensors(gradients, count))),
             state_laid_as(weights, tensors(first_moments, count)),
             state_laid_as(weights, tensors(second_moments, count)), counters);
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
