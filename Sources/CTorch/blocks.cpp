// Blocks of arithmetic with an inner graph each: computed side by side, and computed again in the backward pass where
// memory is dearer than time.
#include "group.h"
#include "workers.h"

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

// The Swift closure behind a block, and the inner graph while it is kept.
struct Block {
    ct_block_body body;
    ct_block_release release;
    void *context;
    size_t input_count;
    size_t value_count;
    size_t output_count;
    std::vector<at::Tensor> inputs;
    std::vector<at::Tensor> outputs;

    explicit Block(const ct_block &block)
        : body(block.body), release(block.release), context(block.context), input_count(block.input_count),
          value_count(block.input_count + block.parameter_count), output_count(block.output_count) {}
    Block(const Block &) = delete;
    ~Block() { release(context); }

    std::vector<at::Tensor> run(const std::vector<at::Tensor> &values, bool again) const {
        std::vector<ct_optional_tensor> in, out(output_count, nullptr);
        for (auto &tensor : values) in.push_back(wrap(tensor));
        auto status = body(context, in.data(), static_cast<int64_t>(in.size()), out.data(),
                           static_cast<int64_t>(output_count), again);
        for (auto handle : in) ct_free(handle);
        std::vector<at::Tensor> results;
        for (auto handle : out) {
            if (!handle) continue;
            results.push_back(get(handle));
            ct_free(handle);
        }
        TORCH_CHECK(status == CT_OK && results.size() == output_count, "a block gave ", results.size(),
                    " tensors instead of ", output_count);
        return results;
    }

    // Runs the body over detached inputs with gradients on, so that the inner graph ends at them and at parameters.
    void build(const at::Tensor *values, bool again) {
        at::AutoGradMode enabled(true);
        inputs.clear();
        for (size_t i = 0; i < input_count; i++) {
            auto inner = values[i].detach();
            if (values[i].requires_grad()) inner.set_requires_grad(true);
            inputs.push_back(inner);
        }
        outputs = run(inputs, again);
    }
};

struct Blocks : torch::CustomClassHolder {
    std::vector<std::unique_ptr<Block>> list;
    bool keeps;
    int workers;
    // The modes that hold where the blocks are first run, and hold for what is computed anew.
    at::ThreadLocalState modes;
};

// Calls `job` with every block and the places of its first value and first output, side by side.
template <typename Job> void each(Blocks &blocks, Job &&job) {
    at::ThreadLocalState state;
    auto caches = at::autocast::is_autocast_cache_enabled();
    std::vector<std::function<void()>> jobs;
    size_t value = 0, output = 0;
    for (auto &block : blocks.list) {
        auto place = static_cast<int>(jobs.size());
        jobs.push_back([&job, &state, caches, block = block.get(), value, output, place] {
            at::ThreadLocalStateGuard guard(state);
            at::autocast::set_autocast_cache_enabled(caches);
            Lane lane(place);
            job(*block, value, output);
        });
        value += block->value_count;
        output += block->output_count;
    }
    Workers::shared().run(std::move(jobs), blocks.workers);
}

class RunBlocks : public torch::autograd::Function<RunBlocks> {
  public:
    // A list of inputs must come as a TensorList: the engine takes a vector for no tensors at all, and without inputs
    // there is no gradient.
    static variable_list forward(AutogradContext *context, c10::intrusive_ptr<Blocks> blocks, size_t output_count,
                                 at::TensorList values) {
        variable_list results(output_count);
        each(*blocks, [&](Block &block, size_t value, size_t output) {
            if (blocks->keeps) {
                block.build(&values[value], false);
                for (size_t i = 0; i < block.output_count; i++) results[output + i] = block.outputs[i].detach();
            } else {
                at::NoGradGuard none;
                auto outputs = block.run(values.slice(value, block.input_count).vec(), false);
                std::move(outputs.begin(), outputs.end(), results.begin() + static_cast<ptrdiff_t>(output));
            }
        });
        context->save_for_backward(values.vec());
        context->saved_data["blocks"] = c10::IValue::make_capsule(blocks);
        return results;
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto values = context->get_saved_variables();
        auto blocks = c10::static_intrusive_pointer_cast<Blocks>(context->saved_data["blocks"].toCapsule());
        std::vector<bool> needed;
        for (size_t i = 0; i < values.size(); i++) needed.push_back(context->needs_input_grad(i));
        // The first two arguments of forward are no tensors, but have their places.
        variable_list result(values.size() + 2);
        each(*blocks, [&](Block &block, size_t value, size_t output) {
            if (!blocks->keeps) {
                at::ThreadLocalStateGuard guard(blocks->modes);
                at::autocast::set_autocast_cache_enabled(false);
                block.build(&values[value], true);
            }
            std::vector<at::Tensor> wanted, roots, starts;
            std::vector<size_t> places;
            for (size_t i = 0; i < block.value_count; i++) {
                if (!needed[value + i]) continue;
                wanted.push_back(i < block.input_count ? block.inputs[i] : values[value + i]);
                places.push_back(value + i);
            }
            for (size_t i = 0; i < block.output_count; i++) {
                if (!block.outputs[i].requires_grad() || !gradients[output + i].defined()) continue;
                roots.push_back(block.outputs[i]);
                starts.push_back(gradients[output + i]);
            }
            if (!roots.empty() && !wanted.empty()) {
                auto found = torch::autograd::grad(roots, wanted, starts, std::nullopt, false, true);
                for (size_t i = 0; i < places.size(); i++) result[places[i] + 2] = found[i];
            }
            block.inputs.clear();
            block.outputs.clear();
        });
        return result;
    }
};

} // namespace

int32_t ct_run_blocks(const ct_block *descriptions, int64_t count, bool keeps, int32_t workers,
                      ct_optional_tensor *outputs) {
    auto blocks = c10::make_intrusive<Blocks>();
    for (int64_t i = 0; i < count; i++) blocks->list.push_back(std::make_unique<Block>(descriptions[i]));
    blocks->keeps = keeps && at::GradMode::is_enabled();
    blocks->workers = workers;
    return guard([&] {
        variable_list values;
        size_t output_count = 0;
        for (int64_t i = 0; i < count; i++) {
            auto &description = descriptions[i];
            for (auto &tensor : list(description.inputs, description.input_count)) values.push_back(tensor);
            for (auto &tensor : list(description.parameters, description.parameter_count)) values.push_back(tensor);
            output_count += description.output_count;
        }
        // A GPU has one thread for its backward passes, which must not wait for a backward pass in another thread.
        if (!std::all_of(values.begin(), values.end(), [](auto &value) { return value.is_cpu(); })) blocks->workers = 0;
        auto results = RunBlocks::apply(blocks, output_count, at::TensorList(values));
        for (size_t i = 0; i < results.size(); i++) outputs[i] = wrap(results[i]);
    });
}
