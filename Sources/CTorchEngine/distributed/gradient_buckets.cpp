// Gradient all-reduce in buckets that overlaps the backward pass, as DistributedDataParallel does.
#include "distributed/process_group.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

using namespace ct;

namespace {

// The last parameters of a network get their gradients first, so buckets are filled from the end. They are sent in the
// order of their indices, which is the same in all ranks.
class GradientBuckets {
  public:
    GradientBuckets(const std::vector<at::Tensor> &inputs, int64_t bucket_bytes)
        : inputs(inputs), bucket_of(inputs.size()) {
        int64_t bytes = bucket_bytes;
        for (size_t i = inputs.size(); i-- > 0;) {
            auto own = static_cast<int64_t>(inputs[i].nbytes());
            auto fits = !buckets.empty() && bytes + own <= bucket_bytes &&
                        inputs[buckets.back().members[0]].scalar_type() == inputs[i].scalar_type();
            if (!fits) {
                buckets.emplace_back();
                bytes = 0;
            }
            bytes += own;
            bucket_of[i] = buckets.size() - 1;
            buckets.back().members.push_back(i);
        }
        found.resize(inputs.size());
    }

    void add(size_t input, const at::Tensor &gradient) {
        auto &bucket = buckets[bucket_of[input]];
        if (!found[input].defined()) bucket.arrived++;
        found[input] = gradient;
        while (next < buckets.size() && buckets[next].arrived == buckets[next].members.size()) send(buckets[next++]);
    }

    // Sends the rest, zeros where there is no gradient, and waits for all; returns the sums by input.
    std::vector<at::Tensor> finish() {
        while (next < buckets.size()) send(buckets[next++]);
        std::vector<at::Tensor> results(inputs.size());
        for (auto &bucket : buckets) {
            bucket.wait();
            int64_t place = 0;
            for (auto i : bucket.members) {
                results[i] = bucket.values.narrow(0, place, inputs[i].numel()).view(inputs[i].sizes());
                place += inputs[i].numel();
            }
        }
        return results;
    }

  private:
    struct Bucket {
        std::vector<size_t> members;
        size_t arrived = 0;
        at::Tensor values;
        std::function<void()> wait;
    };

    const std::vector<at::Tensor> &inputs;
    std::vector<size_t> bucket_of;
    std::vector<Bucket> buckets;
    std::vector<at::Tensor> found;
    size_t next = 0;

    void send(Bucket &bucket) {
        at::NoGradGuard none;
        std::vector<at::Tensor> parts;
        for (auto i : bucket.members) {
            parts.push_back(found[i].defined() ? found[i].detach().reshape(-1) : at::zeros_like(inputs[i]).reshape(-1));
            found[i] = at::Tensor();
        }
        bucket.values = at::cat(parts);
        bucket.wait = begin_all_reduce(bucket.values);
    }
};

} // namespace

int32_t ct_group_gradients(ct_tensor root, const ct_optional_tensor *handles, int64_t count, int64_t bucket_bytes,
                           ct_optional_tensor *out) {
    return guard([&] {
        auto inputs = tensors(handles, count);
        GradientBuckets buckets(inputs, bucket_bytes);
        std::vector<unsigned> hooks;
        for (size_t i = 0; i < inputs.size(); i++) {
            hooks.push_back(inputs[i].register_hook([&buckets, i](const at::Tensor &gradient) {
                // Inner graphs of regions, in other threads, see only their part of the gradient.
                if (ChannelGuard::current() == 0) buckets.add(i, gradient);
            }));
        }
        auto remove = [&] {
            for (size_t i = 0; i < inputs.size(); i++) inputs[i].remove_hook(hooks[i]);
        };
        try {
            torch::autograd::grad({get(root)}, inputs, {}, std::nullopt, false, true);
        } catch (...) {
            remove();
            throw;
        }
        remove();
        auto sums = buckets.finish();
        for (int64_t i = 0; i < count; i++) out[i] = wrap(sums[i]);
    });
}
