// The group of processes that this one computes with, as the rest of the shim sees it.
#pragma once

#include "guard.h"

#include <functional>

namespace ct {

// Number of processes; 1 for a process alone.
int64_t ranks();

// Adds up numbers over all ranks, in place; does nothing for a process alone.
void sum_over_ranks(std::vector<double> &values);

// The sum over all ranks; its gradient is the sum of theirs.
at::Tensor differentiable_sum_over_ranks(const at::Tensor &values);

// Begins to add up a tensor over all ranks, in place, beside the collectives of all other threads; the result waits.
std::function<void()> begin_sum(const at::Tensor &values);

// Collectives of one lane come in one order in all ranks. A thread is on the main lane but for the time of a guard: the
// blocks that run side by side have a lane each, by their number.
constexpr int block_lanes = 4;
// Behind the main lane and those of blocks.
constexpr int gradient_lane = block_lanes + 1;

class Lane {
  public:
    explicit Lane(int block) : before(current()) { current() = block + 1; }
    ~Lane() { current() = before; }
    Lane(const Lane &) = delete;

    static int &current() {
        static thread_local int lane = 0;
        return lane;
    }

  private:
    int before;
};

} // namespace ct
