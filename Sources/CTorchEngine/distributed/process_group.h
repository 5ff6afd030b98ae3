// Collectives of the process group, for the kernels and the backward pass.
#pragma once

#include "engine/guard.h"

#include <functional>

namespace ct {

// Number of ranks; 1 for a process alone.
int64_t world_size();

// Sums numbers over all ranks, in place; does nothing for a process alone.
void all_reduce(std::vector<double> &values);

// The sum over all ranks; its gradient is the sum of the ranks' gradients.
at::Tensor differentiable_all_reduce(const at::Tensor &values);

// Starts an all-reduce of a tensor, in place, concurrent with the collectives of other threads; the result waits for
// it.
std::function<void()> begin_all_reduce(const at::Tensor &values);

// Collectives of one channel come in the same order in all ranks. Threads use the main channel, 0, except within a
// ChannelGuard: regions that run in parallel have a channel each, by their index.
constexpr int region_channels = 4;
// After the main channel and those of regions.
constexpr int gradient_channel = region_channels + 1;

class ChannelGuard {
  public:
    explicit ChannelGuard(int region) : before(current()) { current() = region + 1; }
    ~ChannelGuard() { current() = before; }
    ChannelGuard(const ChannelGuard &) = delete;

    static int &current() {
        static thread_local int channel = 0;
        return channel;
    }

  private:
    int before;
};

} // namespace ct
