// Sums among ranks on one machine, through memory that they share.
//
// Batch normalisation waits for thousands of sums of a few kilobytes in a step. By sockets each costs some hundred
// microseconds, since threads have to be woken; here a rank looks at the others' memory until they have come.
#pragma once

#include "group.h"

#if defined(__linux__)
#define CT_NEIGHBOURS

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace ct {

class Neighbours {
  public:
    // Rank 0 makes the memory, which the others open by its name; null where that fails.
    static std::unique_ptr<Neighbours> create(int size, std::string &name);
    static std::unique_ptr<Neighbours> open(int rank, int size, const std::string &name);
    ~Neighbours();
    Neighbours(const Neighbours &) = delete;

    // No other process can open the memory any more, and it goes with the last one.
    void hide();

    // Adds up floats or doubles over all ranks in the order of ranks, in place. A rank that has ended is an exception.
    template <typename T> void sum(int lane, T *values, int64_t count);

  private:
    struct alignas(64) Arrival {
        std::atomic<uint64_t> turn;
    };

    int descriptor, rank, size;
    std::string name;
    void *memory = nullptr;
    // Sums begun so far, by lane.
    std::vector<uint64_t> turns;

    Neighbours(int descriptor, int rank, int size, std::string name);
    bool map();
    size_t bytes() const;
    Arrival &arrival(int lane, int rank) const;
    template <typename T> T *slot(int lane, int rank, uint64_t turn) const;
    void wait(int lane, int other, uint64_t turn) const;
    bool has_ended(int other) const;
};

} // namespace ct
#endif
