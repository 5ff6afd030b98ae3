#include "guard.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <memory>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

using namespace ct;

bool ct_requires_grad(ct_tensor a) { return get(a).requires_grad(); }

int32_t ct_set_requires_grad(ct_tensor a, bool value) {
    return guard([&] { get(a).set_requires_grad(value); });
}

int32_t ct_detach(ct_tensor a, ct_optional_tensor *out) {
    return give(out, [&] { return get(a).detach(); });
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

bool ct_grad_mode(void) { return at::GradMode::is_enabled(); }
void ct_set_grad_mode(bool enabled) { at::GradMode::set_enabled(enabled); }

int32_t ct_gradients(const ct_optional_tensor *roots, const ct_optional_tensor *root_gradients, int64_t root_count,
                     const ct_optional_tensor *inputs, int64_t input_count, ct_optional_tensor *out) {
    return guard([&] {
        auto starts = root_gradients ? list(root_gradients, root_count) : std::vector<at::Tensor>();
        auto found = torch::autograd::grad(list(roots, root_count), list(inputs, input_count), starts, std::nullopt,
                                           false, true);
        for (int64_t i = 0; i < input_count; i++) out[i] = found[i].defined() ? wrap(found[i]) : nullptr;
    });
}

namespace {

// The Swift closure behind a recomputed block; released when the last graph that may run it again is gone.
struct Block {
    ct_block_body body;
    ct_block_release release;
    void *context;
    int64_t output_count;

    Block(ct_block_body body, ct_block_release release, void *context, int64_t output_count)
        : body(body), release(release), context(context), output_count(output_count) {}
    Block(const Block &) = delete;
    ~Block() { release(context); }

    std::vector<at::Tensor> run(const std::vector<at::Tensor> &inputs, bool again) const {
        std::vector<ct_optional_tensor> in, out(output_count, nullptr);
        for (auto &tensor : inputs) in.push_back(wrap(tensor));
        auto status = body(context, in.data(), static_cast<int64_t>(in.size()), out.data(), output_count, again);
        for (auto handle : in) ct_free(handle);
        std::vector<at::Tensor> outputs;
        for (auto handle : out) {
            if (!handle) continue;
            outputs.push_back(get(handle));
            ct_free(handle);
        }
        TORCH_CHECK(status == CT_OK && static_cast<int64_t>(outputs.size()) == output_count,
                    "a recomputed block failed");
        return outputs;
    }
};

struct BlockHolder : torch::CustomClassHolder {
    std::shared_ptr<Block> block;
    explicit BlockHolder(std::shared_ptr<Block> block) : block(std::move(block)) {}
};

// Keeps a block's inputs alone. The backward pass runs the block once more with gradients on, over detached inputs, so
// that the inner graph ends at them and at the parameters, whose gradients are handed to the outer graph.
class Recompute : public torch::autograd::Function<Recompute> {
  public:
    static torch::autograd::variable_list forward(torch::autograd::AutogradContext *context,
                                                  std::shared_ptr<Block> block, int64_t input_count,
                                                  torch::autograd::variable_list values) {
        context->save_for_backward(values);
        context->saved_data["count"] = input_count;
        context->saved_data["block"] =
            c10::IValue::make_capsule(c10::make_intrusive<BlockHolder>(block));
        std::vector<at::Tensor> inputs(values.begin(), values.begin() + input_count);
        return block->run(inputs, false);
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                   torch::autograd::variable_list output_gradients) {
        auto values = context->get_saved_variables();
        auto input_count = static_cast<size_t>(context->saved_data["count"].toInt());
        auto holder = c10::static_intrusive_pointer_cast<BlockHolder>(context->saved_data["block"].toCapsule());
        std::vector<at::Tensor> inputs;
        for (size_t i = 0; i < input_count; i++) {
            auto inner = values[i].detach();
            inner.set_requires_grad(context->needs_input_grad(i));
            inputs.push_back(inner);
        }
        at::AutoGradMode enabled(true);
        auto outputs = holder->block->run(inputs, true);
        std::vector<at::Tensor> wanted, roots, starts;
        std::vector<size_t> places;
        for (size_t i = 0; i < values.size(); i++) {
            if (!context->needs_input_grad(i)) continue;
            wanted.push_back(i < input_count ? inputs[i] : values[i]);
            places.push_back(i);
        }
        for (size_t i = 0; i < outputs.size(); i++) {
            if (!outputs[i].requires_grad() || !output_gradients[i].defined()) continue;
            roots.push_back(outputs[i]);
            starts.push_back(output_gradients[i]);
        }
        torch::autograd::variable_list result(values.size() + 2);
        if (roots.empty() || wanted.empty()) return result;
        auto found = torch::autograd::grad(roots, wanted, starts, std::nullopt, false, true);
        for (size_t i = 0; i < places.size(); i++) result[places[i] + 2] = found[i];
        return result;
    }
};

} // namespace

int32_t ct_recompute(ct_block_body body, ct_block_release release, void *context, const ct_optional_tensor *inputs,
                     int64_t input_count, const ct_optional_tensor *parameters, int64_t parameter_count,
                     ct_optional_tensor *outputs, int64_t output_count) {
    auto block = std::make_shared<Block>(body, release, context, output_count);
    return guard([&] {
        auto values = list(inputs, input_count);
        for (auto &parameter : list(parameters, parameter_count)) values.push_back(parameter);
        auto results = Recompute::apply(block, input_count, values);
        for (int64_t i = 0; i < output_count; i++) outputs[i] = wrap(results[i]);
    });
}
