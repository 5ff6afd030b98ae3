// Regions with an autograd graph of their own, run in parallel and, if wanted, recomputed in the backward pass
// (activation checkpointing, as torch.utils.checkpoint).
#include "distributed/process_group.h"
#include "engine/thread_pool.h"

#include <ATen/ThreadLocalState.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <algorithm>
#include <memory>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

using namespace ct;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

// The Swift closure of a region, and the inner graph while it is kept.
struct Region {
    ct_region_body body;
    ct_region_release release;
    void *context;
    size_t input_count;
    size_t value_count;
    size_t output_count;
    std::vector<at::Tensor> inputs;
    std::vector<at::Tensor> outputs;

    explicit Region(const ct_checkpointed_region &region)
        : body(region.body), release(region.release), context(region.context), input_count(region.input_count),
          value_count(region.input_count + region.parameter_count), output_count(region.output_count) {}
    Region(const Region &) = delete;
    ~Region() { release(context); }

    std::vector<at::Tensor> run(const std::vector<at::Tensor> &values, bool is_recomputing) const {
        std::vector<ct_optional_tensor> in, out(output_count, nullptr);
        for (auto &tensor : values) in.push_back(wrap(tensor));
        auto status = body(context, in.data(), static_cast<int64_t>(in.size()), out.data(),
                           static_cast<int64_t>(output_count), is_recomputing);
        for (auto handle : in) ct_free(handle);
        std::vector<at::Tensor> results;
        for (auto handle : out) {
            if (!handle) continue;
            results.push_back(get(handle));
            ct_free(handle);
        }
        TORCH_CHECK(status == CT_OK && results.size() == output_count, "a region gave ", results.size(),
                    " tensors instead of ", output_count);
        return results;
    }

    // Runs the body over detached inputs with gradients on, so that the inner graph ends at them and at parameters.
    void build(const at::Tensor *values, bool is_recomputing) {
        at::AutoGradMode enabled(true);
        inputs.clear();
        for (size_t i = 0; i < input_count; i++) {
            auto inner = values[i].detach();
            if (values[i].requires_grad()) inner.set_requires_grad(true);
            inputs.push_back(inner);
        }
        outputs = run(inputs, is_recomputing);
    }
};

struct Regions : torch::CustomClassHolder {
    std::vector<std::unique_ptr<Region>> list;
    bool keep_graph;
    int workers;
    // Autocast and other thread-local modes of the forward pass, restored for recomputation.
    at::ThreadLocalState modes;
};

// Calls `job` with every region and the indices of its first value and first output, in parallel.
template <typename Job> void for_each_region(Regions &regions, Job &&job) {
    at::ThreadLocalState state;
    auto caches = at::autocast::is_autocast_cache_enabled();
    std::vector<std::function<void()>> jobs;
    size_t value = 0, output = 0;
    for (auto &region : regions.list) {
        auto place = static_cast<int>(jobs.size());
        jobs.push_back([&job, &state, caches, region = region.get(), value, output, place] {
            at::ThreadLocalStateGuard guard(state);
            at::autocast::set_autocast_cache_enabled(caches);
            ChannelGuard channel(place);
            job(*region, value, output);
        });
        value += region->value_count;
        output += region->output_count;
    }
    ThreadPool::shared().run(std::move(jobs), regions.workers);
}

class RunRegions : public torch::autograd::Function<RunRegions> {
  public:
    // A list of inputs must come as a TensorList: the engine takes a vector for no tensors at all, and without inputs
    // there is no gradient.
    static variable_list forward(AutogradContext *context, c10::intrusive_ptr<Regions> regions, size_t output_count,
                                 at::TensorList values) {
        variable_list results(output_count);
        for_each_region(*regions, [&](Region &region, size_t value, size_t output) {
            if (regions->keep_graph) {
                region.build(&values[value], false);
                for (size_t i = 0; i < region.output_count; i++) results[output + i] = region.outputs[i].detach();
            } else {
                at::NoGradGuard none;
                auto outputs = region.run(values.slice(value, region.input_count).vec(), false);
                std::move(outputs.begin(), outputs.end(), results.begin() + static_cast<ptrdiff_t>(output));
            }
        });
        context->save_for_backward(values.vec());
        context->saved_data["regions"] = c10::IValue::make_capsule(regions);
        return results;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto values = context->get_saved_variables();
        auto regions = c10::static_intrusive_pointer_cast<Regions>(context->saved_data["regions"].toCapsule());
        std::vector<bool> needed;
        for (size_t i = 0; i < values.size(); i++) needed.push_back(context->needs_input_grad(i));
        // The first two arguments of forward are no tensors, but have their places.
        variable_list result(values.size() + 2);
        for_each_region(*regions, [&](Region &region, size_t value, size_t output) {
            if (!regions->keep_graph) {
                at::ThreadLocalStateGuard guard(regions->modes);
                at::autocast::set_autocast_cache_enabled(false);
                region.build(&values[value], true);
            }
            std::vector<at::Tensor> wanted, roots, starts;
            std::vector<size_t> places;
            for (size_t i = 0; i < region.value_count; i++) {
                if (!needed[value + i]) continue;
                wanted.push_back(i < region.input_count ? region.inputs[i] : values[value + i]);
                places.push_back(value + i);
            }
            for (size_t i = 0; i < region.output_count; i++) {
                if (!region.outputs[i].requires_grad() || !gradients[output + i].defined()) continue;
                roots.push_back(region.outputs[i]);
                starts.push_back(gradients[output + i]);
            }
            if (!roots.empty() && !wanted.empty()) {
                auto found = torch::autograd::grad(roots, wanted, starts, std::nullopt, false, true);
                for (size_t i = 0; i < places.size(); i++) result[places[i] + 2] = found[i];
            }
            region.inputs.clear();
            region.outputs.clear();
        });
        return result;
    }
};

} // namespace

int32_t ct_run_regions(const ct_checkpointed_region *descriptions, int64_t count, bool keep_graph, int32_t workers,
                       ct_optional_tensor *outputs) {
    auto regions = c10::make_intrusive<Regions>();
    for (int64_t i = 0; i < count; i++) regions->list.push_back(std::make_unique<Region>(descriptions[i]));
    regions->keep_graph = keep_graph && at::GradMode::is_enabled();
    regions->workers = workers;
    return guard([&] {
        variable_list values;
        size_t output_count = 0;
        for (int64_t i = 0; i < count; i++) {
            auto &description = descriptions[i];
            for (auto &tensor : tensors(description.inputs, description.input_count)) values.push_back(tensor);
            for (auto &tensor : tensors(description.parameters, description.parameter_count)) values.push_back(tensor);
            output_count += description.output_count;
        }
        // A GPU has one thread for its backward passes, which must not wait for a backward pass in another thread.
        if (!std::all_of(values.begin(), values.end(), [](auto &value) { return value.is_cpu(); }))
            regions->workers = 0;
        auto results = RunRegions::apply(regions, output_count, at::TensorList(values));
        for (size_t i = 0; i < results.size(); i++) outputs[i] = wrap(results[i]);
    });
}
