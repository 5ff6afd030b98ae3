// Looks after the ranks of a group: who is alive, who has ended, and who is waited for in vain.
#pragma once

#include "group.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#if __has_include(<gloo/algorithm.h>)
#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

namespace ct {

using StoreHandle = c10::intrusive_ptr<c10d::Store>;
using Clock = std::chrono::steady_clock;

inline std::string beat_key(int rank) { return "beat/" + std::to_string(rank); }
inline std::string end_key(int rank) { return "end/" + std::to_string(rank); }

// Each rank writes a beat a second into the store, with the number of collectives that it has entered, and reads the
// others'. Two threads: one asks the store, the other sees to it that the store answers.
class Watch {
  public:
    struct Settings {
        int rank, size;
        std::chrono::duration<double> timeout, patience;
        std::vector<std::string> names;
        // Who has the store, for the message that it is gone.
        std::string keeper;
        ct_group_lost lost;
    };

    // `store` is a connection of its own.
    Watch(StoreHandle store, Settings settings);
    ~Watch() { stop(); }
    void stop();
    // Tells of nothing any more.
    void quiet();

    // Counts a collective of this process.
    void enter() { entered.fetch_add(1); }
    // Finds out which rank a collective failed for, and throws it as PeerLost.
    [[noreturn]] void explain(const std::string &reason);

    const Settings settings;

  private:
    struct Peer {
        std::string beat;
        Clock::time_point changed;
        bool done = false;
    };

    StoreHandle store;
    std::atomic<int64_t> entered{0};
    std::atomic<bool> suspicious{false};
    Clock::time_point looked;
    std::atomic<Clock::rep> answered;
    std::mutex mutex;
    std::condition_variable changed;
    bool stopping = false;
    std::string line;
    std::vector<Peer> peers;
    std::thread asking, guarding;

    void ask();
    void guard_store();
    void look();
    void lose(const std::string &text);
    bool sleep(std::chrono::duration<double> time);
    std::chrono::duration<double> turn() const;
    bool was_stopped_since(Clock::time_point begin) const;
    std::string slowest();
};

} // namespace ct
#endif
