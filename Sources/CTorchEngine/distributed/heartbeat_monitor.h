// Watches the ranks of a group: who is alive, who has ended, and who hangs.
#pragma once

#include "distributed/process_group.h"

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

inline std::string heartbeat_key(int rank) { return "heartbeat/" + std::to_string(rank); }
inline std::string end_key(int rank) { return "end/" + std::to_string(rank); }

// Each rank writes a heartbeat a second to the store, with the number of collectives that it has started, and reads the
// others'. One thread polls the store, another checks that the store answers.
class HeartbeatMonitor {
  public:
    struct Settings {
        int rank, size;
        std::chrono::duration<double> heartbeat_timeout, timeout;
        std::vector<std::string> names;
        // Who owns the store, for the message that it is gone.
        std::string store_owner;
        ct_group_lost lost;
    };

    // `store` is a connection of its own.
    HeartbeatMonitor(StoreHandle store, Settings settings);
    ~HeartbeatMonitor() { stop(); }
    void stop();
    // Reports nothing from now on.
    void mute();

    // Counts a collective of this process.
    void count_collective() { collectives.fetch_add(1); }
    // Finds the rank because of which a collective failed, and throws PeerLost with its name.
    [[noreturn]] void throw_peer_lost(const std::string &reason);

    const Settings settings;

  private:
    struct Peer {
        std::string heartbeat;
        Clock::time_point changed;
        bool done = false;
    };

    StoreHandle store;
    std::atomic<int64_t> collectives{0};
    std::atomic<bool> suspicious{false};
    Clock::time_point last_poll;
    std::atomic<Clock::rep> last_answer;
    std::mutex mutex;
    std::condition_variable changed;
    bool stopping = false;
    std::string line;
    std::vector<Peer> peers;
    std::thread polling, checking;

    void poll_repeatedly();
    void check_store();
    void poll();
    void report_lost(const std::string &text);
    bool sleep(std::chrono::duration<double> time);
    std::chrono::duration<double> period() const;
    bool was_stopped_since(Clock::time_point begin) const;
    std::string slowest();
};

} // namespace ct
#endif
