// Sums among ranks on one machine, through memory that they share (see neighbours.h).
#include "neighbours.h"

#ifdef CT_NEIGHBOURS
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

constexpr int lanes = gradient_lane + 1;
// Bytes that are summed at once; more go in parts.
constexpr int64_t slot_bytes = 32768;

inline void relax() {
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

Neighbours::Neighbours(int descriptor, int rank, int size, std::string name)
    : descriptor(descriptor), rank(rank), size(size), name(std::move(name)), turns(lanes) {}

std::unique_ptr<Neighbours> Neighbours::create(int size, std::string &name) {
    std::random_device random;
    name = "/autodeeplab-" + std::to_string(getpid()) + "-" + std::to_string(random()) + std::to_string(random());
    auto descriptor = shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) return nullptr;
    std::unique_ptr<Neighbours> result(new Neighbours(descriptor, 0, size, name));
    // Asked for whole, since memory that is lacking later would be a signal and not an error.
    auto fits = posix_fallocate(descriptor, 0, static_cast<off_t>(result->bytes())) == 0;
    if (fits && set_lock(descriptor, 0) && result->map()) return result;
    result->hide();
    return nullptr;
}

std::unique_ptr<Neighbours> Neighbours::open(int rank, int size, const std::string &name) {
    auto descriptor = shm_open(name.c_str(), O_RDWR | O_CLOEXEC, 0600);
    if (descriptor < 0) return nullptr;
    std::unique_ptr<Neighbours> result(new Neighbours(descriptor, rank, size, name));
    struct stat status{};
    auto fits = fstat(descriptor, &status) == 0 && status.st_size == static_cast<off_t>(result->bytes());
    return fits && set_lock(descriptor, rank) && result->map() ? std::move(result) : nullptr;
}

Neighbours::~Neighbours() {
    if (memory) munmap(memory, bytes());
    close(descriptor);
}

void Neighbours::hide() { shm_unlink(name.c_str()); }

bool Neighbours::map() {
    auto found = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (found == MAP_FAILED) return false;
    memory = found;
    return true;
}

// Arrivals of all lanes and ranks, then two slots for each, of which a sum and the next one have one each.
size_t Neighbours::bytes() const { return static_cast<size_t>(lanes * size) * (sizeof(Arrival) + 2 * slot_bytes); }

Neighbours::Arrival &Neighbours::arrival(int lane, int rank) const {
    return static_cast<Arrival *>(memory)[lane * size + rank];
}

template <typename T> T *Neighbours::slot(int lane, int rank, uint64_t turn) const {
    auto start = reinterpret_cast<char *>(static_cast<Arrival *>(memory) + lanes * size);
    auto place = static_cast<int64_t>(lane * size + rank) * 2 + static_cast<int64_t>(turn % 2);
    return reinterpret_cast<T *>(start + place * slot_bytes);
}

template <typename T> void Neighbours::sum(int lane, T *values, int64_t count) {
    constexpr auto capacity = slot_bytes / static_cast<int64_t>(sizeof(T));
    for (int64_t start = 0; start < count; start += capacity) {
        auto part = std::min(capacity, count - start);
        auto turn = ++turns[lane];
        // Free again: who has come to the turn before this one has read what was here two turns ago.
        std::copy_n(values + start, part, slot<T>(lane, rank, turn));
        arrival(lane, rank).turn.store(turn, std::memory_order_release);
        for (int other = 0; other < size; other++) {
            if (other != rank) wait(lane, other, turn);
            auto from = slot<T>(lane, other, turn);
            if (other == 0) {
                std::copy_n(from, part, values + start);
            } else {
                for (int64_t i = 0; i < part; i++) values[start + i] += from[i];
            }
        }
    }
}
template void Neighbours::sum(int, float *, int64_t);
template void Neighbours::sum(int, double *, int64_t);

// Looks for some microseconds, then lets others have the processor, then sleeps for longer and longer.
void Neighbours::wait(int lane, int other, uint64_t turn) const {
    auto &arrived = arrival(lane, other).turn;
    auto has_come = [&] { return arrived.load(std::memory_order_acquire) >= turn; };
    for (int i = 0; i < 4000; i++) {
        if (has_come()) return;
        relax();
    }
    for (int i = 0; i < 2000; i++) {
        if (has_come()) return;
        sched_yield();
    }
    for (auto sleep = std::chrono::microseconds(50); !has_come();) {
        std::this_thread::sleep_for(sleep);
        sleep = std::min(sleep * 2, std::chrono::microseconds(2000));
        // It may have come and ended since.
        if (has_ended(other) && !has_come()) throw std::runtime_error("rank " + std::to_string(other) + " has ended");
    }
}

bool Neighbours::has_ended(int other) const {
    auto lock = rank_lock(other);
    return fcntl(descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
}
#endif
