// All-reduce among ranks on one machine, through shared memory.
//
// Batch normalisation waits for thousands of sums of a few kilobytes a step. Over sockets each takes some hundred
// microseconds, since threads have to be woken; here a rank polls the others' memory until they have arrived.
#pragma once

#include "distributed/process_group.h"

#if defined(__linux__)
#define CT_SHARED_MEMORY

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace ct {

class SharedMemoryAllReduce {
  public:
    // Rank 0 creates the memory, the others open it by its name; null where that fails.
    static std::unique_ptr<SharedMemoryAllReduce> create(int size, std::string &name);
    static std::unique_ptr<SharedMemoryAllReduce> open(int rank, int size, const std::string &name);
    ~SharedMemoryAllReduce();
    SharedMemoryAllReduce(const SharedMemoryAllReduce &) = delete;

    // Removes the name: no other process can open the memory, which is freed with the last one that has.
    void unlink();

    // Sums floats or doubles over all ranks, in the order of ranks, in place. Throws where a rank has ended.
    template <typename T> void all_reduce(int channel, T *values, int64_t count);

  private:
    struct alignas(64) Arrival {
        std::atomic<uint64_t> round;
    };

    int descriptor, rank, size;
    std::string name;
    void *memory = nullptr;
    // All-reduces started so far, by channel.
    std::vector<uint64_t> rounds;

    SharedMemoryAllReduce(int descriptor, int rank, int size, std::string name);
    bool map();
    size_t bytes() const;
    Arrival &arrival(int channel, int rank) const;
    template <typename T> T *slot(int channel, int rank, uint64_t round) const;
    void wait(int channel, int other, uint64_t round) const;
    bool has_ended(int other) const;
};

} // namespace ct
#endif
