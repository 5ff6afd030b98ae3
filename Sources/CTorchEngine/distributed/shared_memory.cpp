// All-reduce through shared memory (see shared_memory.h).
#include "distributed/shared_memory.h"

#ifdef CT_SHARED_MEMORY
#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <random>
#include <sched.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace ct;
using std::chrono::milliseconds;

namespace {

constexpr int channels = gradient_channel + 1;
// Bytes that are summed at once; larger arrays are split.
constexpr int64_t slot_bytes = 32768;

inline void cpu_relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

// A lock on the byte of a rank's number, which the system takes away from a process that ends in any way.
struct flock rank_lock(int rank) {
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = rank;
    lock.l_len = 1;
    return lock;
}

bool set_lock(int descriptor, int rank) {
    auto lock = rank_lock(rank);
    return fcntl(descriptor, F_OFD_SETLK, &lock) == 0;
}

} // namespace

SharedMemoryAllReduce::SharedMemoryAllReduce(int descriptor, int rank, int size, std::string name)
    : descriptor(descriptor), rank(rank), size(size), name(std::move(name)), rounds(channels) {}

std::unique_ptr<SharedMemoryAllReduce> SharedMemoryAllReduce::create(int size, std::string &name) {
    std::random_device random;
    name = "/autodeeplab-" + std::to_string(getpid()) + "-" + std::to_string(random()) + std::to_string(random());
    auto descriptor = shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) return nullptr;
    std::unique_ptr<SharedMemoryAllReduce> result(new SharedMemoryAllReduce(descriptor, 0, size, name));
    // Allocated up front: memory that is missing later would be a SIGBUS instead of an error.
    auto fits = posix_fallocate(descriptor, 0, static_cast<off_t>(result->bytes())) == 0;
    if (fits && set_lock(descriptor, 0) && result->map()) return result;
    result->unlink();
    return nullptr;
}

std::unique_ptr<SharedMemoryAllReduce> SharedMemoryAllReduce::open(int rank, int size, const std::string &name) {
    auto descriptor = shm_open(name.c_str(), O_RDWR | O_CLOEXEC, 0600);
    if (descriptor < 0) return nullptr;
    std::unique_ptr<SharedMemoryAllReduce> result(new SharedMemoryAllReduce(descriptor, rank, size, name));
    struct stat status{};
    auto fits = fstat(descriptor, &status) == 0 && status.st_size == static_cast<off_t>(result->bytes());
    return fits && set_lock(descriptor, rank) && result->map() ? std::move(result) : nullptr;
}

SharedMemoryAllReduce::~SharedMemoryAllReduce() {
    if (memory) munmap(memory, bytes());
    close(descriptor);
}

void SharedMemoryAllReduce::unlink() { shm_unlink(name.c_str()); }

bool SharedMemoryAllReduce::map() {
    auto found = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (found == MAP_FAILED) return false;
    memory = found;
    return true;
}

// Arrivals by channel and rank, then two slots for each, used alternately.
size_t SharedMemoryAllReduce::bytes() const {
    return static_cast<size_t>(channels * size) * (sizeof(Arrival) + 2 * slot_bytes);
}

SharedMemoryAllReduce::Arrival &SharedMemoryAllReduce::arrival(int channel, int rank) const {
    return static_cast<Arrival *>(memory)[channel * size + rank];
}

template <typename T> T *SharedMemoryAllReduce::slot(int channel, int rank, uint64_t round) const {
    auto start = reinterpret_cast<char *>(static_cast<Arrival *>(memory) + channels * size);
    auto place = static_cast<int64_t>(channel * size + rank) * 2 + static_cast<int64_t>(round % 2);
    return reinterpret_cast<T *>(start + place * slot_bytes);
}

template <typename T> void SharedMemoryAllReduce::all_reduce(int channel, T *values, int64_t count) {
    constexpr auto capacity = slot_bytes / static_cast<int64_t>(sizeof(T));
    for (int64_t start = 0; start < count; start += capacity) {
        auto part = std::min(capacity, count - start);
        auto round = ++rounds[channel];
        // The slot is free: whoever has arrived at the last round has read what was here two rounds ago.
        std::copy_n(values + start, part, slot<T>(channel, rank, round));
        arrival(channel, rank).round.store(round, std::memory_order_release);
        for (int other = 0; other < size; other++) {
            if (other != rank) wait(channel, other, round);
            auto from = slot<T>(channel, other, round);
            if (other == 0) {
                std::copy_n(from, part, values + start);
            } else {
                for (int64_t i = 0; i < part; i++) values[start + i] += from[i];
            }
        }
    }
}
template void SharedMemoryAllReduce::all_reduce(int, float *, int64_t);
template void SharedMemoryAllReduce::all_reduce(int, double *, int64_t);

// Spins for some microseconds, then yields, then sleeps for longer and longer.
void SharedMemoryAllReduce::wait(int channel, int other, uint64_t round) const {
    auto &arrived = arrival(channel, other).round;
    auto has_arrived = [&] { return arrived.load(std::memory_order_acquire) >= round; };
    for (int i = 0; i < 4000; i++) {
        if (has_arrived()) return;
        cpu_relax();
    }
    for (int i = 0; i < 2000; i++) {
        if (has_arrived()) return;
        sched_yield();
    }
    for (auto sleep = std::chrono::microseconds(50); !has_arrived();) {
        std::this_thread::sleep_for(sleep);
        sleep = std::min(sleep * 2, std::chrono::microseconds(2000));
        // It may have arrived and ended since.
        if (has_ended(other) && !has_arrived())
            throw std::runtime_error("rank " + std::to_string(other) + " has ended");
    }
}

bool SharedMemoryAllReduce::has_ended(int other) const {
    auto lock = rank_lock(other);
    return fcntl(descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
}
#endif
