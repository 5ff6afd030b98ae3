#include "engine/guard.h"
#include "engine/thread_pool.h"
#include "kernels/parallel.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <algorithm>

using namespace ct;

// Runs `body(begin, end)` on ranges of tensors that hold about as many numbers each, a range a thread: by themselves
// the kernels of small tensors run one after another on one thread. A search, in which libtorch has one thread,
// computes on those of the pool.
template <typename Body> static void over_parts(const std::vector<at::Tensor> &list, const Body &body) {
    int64_t total = 0;
    std::vector<int64_t> starts;
    for (auto &tensor : list) starts.push_back(total), total += tensor.numel();
    auto is_plain = std::all_of(list.begin(), list.end(), [](auto &tensor) { return tensor.is_cpu(); });
    auto own = static_cast<int64_t>(at::get_num_threads());
    auto pooled = own == 1 ? static_cast<int64_t>(ThreadPool::shared().size()) : 1;
    auto parts = is_plain && total > smallest_part ? std::max(own, pooled) : 1;
    auto first = [&](int64_t part) {
        auto place = std::lower_bound(starts.begin(), starts.end(), total * part / parts);
        return part == parts ? list.size() : static_cast<size_t>(place - starts.begin());
    };
    auto run = [&](int64_t begin, int64_t end) {
        at::NoGradGuard none;
        if (first(begin) < first(end)) body(first(begin), first(end));
    };
    if (parts == 1 || own > 1) return parallel_for(parts, 1, run);
    std::vector<std::function<void()>> jobs;
    for (int64_t i = 0; i < parts; i++) jobs.push_back([&run, i] { run(i, i + 1); });
    ThreadPool::shared().run(std::move(jobs), static_cast<int>(pooled));
}

static std::vector<at::Tensor> part(const std::vector<at::Tensor> &list, size_t begin, size_t end) {
    if (list.empty()) return {};
    return {list.begin() + static_cast<std::ptrdiff_t>(begin), list.begin() + static_cast<std::ptrdiff_t>(end)};
}

// Whether numbers at the same place in memory are those of the same element.
static bool lie_alike(const at::Tensor &a, const at::Tensor &b) {
    if (a.is_contiguous() && b.is_contiguous()) return true;
    return a.strides() == b.strides() && a.is_non_overlapping_and_dense();
}

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
    for (size_t i = 0; i < gradients.size(); i++)
        if (!lie_alike(gradients[i], parameters[i])) gradients[i] = at::empty_like(parameters[i]).copy_(gradients[i]);
    return as_they_lie(std::move(gradients));
}

// An optimizer's own numbers, which lie as their parameters since it was made.
static std::vector<at::Tensor> state_laid_as(const std::vector<at::Tensor> &parameters, std::vector<at::Tensor> state) {
    for (size_t i = 0; i < state.size(); i++)
        TORCH_CHECK(lie_alike(state[i], parameters[i]), "an optimizer's state lies unlike its parameter");
    return as_they_lie(std::move(state));
}

int32_t ct_sgd_step(const ct_optional_tensor *parameters, const ct_optional_tensor *gradients,
                    const ct_optional_tensor *momenta, int64_t count, double rate, double momentum, double decay,
                    bool first) {
    return guard([&] {
        auto weights = tensors(parameters, count), slopes = tensors(gradients, count);
        // Without momentum the kernel wants no velocities.
        auto velocities = tensors(momenta, momentum == 0 ? 0 : count);
        over_parts(weights, [&](size_t begin, size_t end) {
            auto own = part(weights, begin, end);
            at::_fused_sgd_(as_they_lie(own), laid_as(own, part(slopes, begin, end)),
                            state_laid_as(own, part(velocities, begin, end)), decay, momentum, rate, 0, false, false,
                            first);
        });
    });
}

// Adam as libtorch fuses it, by the kernel that treats the decay as wanted.
template <typename Step>
static int32_t adam_step(Step step, const ct_optional_tensor *parameters, const ct_optional_tensor *gradients,
                         const ct_optional_tensor *first_moments, const ct_optional_tensor *second_moments,
                         const ct_optional_tensor *steps, int64_t count) {
    return guard([&] {
        auto weights = tensors(parameters, count), slopes = tensors(gradients, count);
        auto first = tensors(first_moments, count), second = tensors(second_moments, count);
        auto counters = tensors(steps, count);
        over_parts(weights, [&](size_t begin, size_t end) {
            auto own = part(weights, begin, end), numbers = part(counters, begin, end);
            for (auto &counter : numbers) counter.add_(1);
            step(as_they_lie(own), laid_as(own, part(slopes, begin, end)), state_laid_as(own, part(first, begin, end)),
                 state_laid_as(own, part(second, begin, end)), numbers);
        });
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
        auto list = tensors(handles, count);
        std::vector<at::Tensor> norms(list.size());
        over_parts(list, [&](size_t begin, size_t end) {
            auto own = at::_foreach_norm(part(list, begin, end), 2);
            std::move(own.begin(), own.end(), norms.begin() + static_cast<std::ptrdiff_t>(begin));
        });
        return at::linalg_vector_norm(at::stack(norms));
    });
}

int32_t ct_scale_all(const ct_optional_tensor *handles, int64_t count, double scale) {
    return guard([&] {
        auto list = tensors(handles, count);
        over_parts(list, [&](size_t begin, size_t end) { at::_foreach_mul_(part(list, begin, end), scale); });
    });
}
