// How the ranks of a group find each other, and what they exchange through c10d's store.
#pragma once

#include "distributed/heartbeat_monitor.h"

#include <functional>
#include <future>
#include <optional>

#ifdef USE_C10D_GLOO
namespace ct {

using std::chrono::milliseconds;

// To be called before anything of c10d: silences its warnings and stack traces, and makes NCCL throw instead of ending
// the process.
void configure_c10d();

// Opens a store that listens on the address of `host` alone; throws std::runtime_error with what to change.
StoreHandle open_store(const std::string &host, int32_t port, bool only_here, milliseconds timeout);

// Prefix of the keys of one launch: differs from other launches', and from those without AUTODEEPLAB_GROUP_SECRET.
std::string key_prefix(const char *launch);

// Runs a call that may block for ever in a thread, which is abandoned after `limit`; then there is no result.
template <typename Result> std::optional<Result> run_with_timeout(milliseconds limit, std::function<Result()> call) {
    std::packaged_task<Result()> task(std::move(call));
    auto result = task.get_future();
    try {
        std::thread(std::move(task)).detach();
    } catch (const std::system_error &) {
        throw NoThread();
    }
    if (result.wait_for(limit) != std::future_status::ready) return std::nullopt;
    return result.get();
}

class Rendezvous {
  public:
    const int rank, size;

    // Throws PeerLost where the store cannot be opened or reached, or where a rank does not appear.
    explicit Rendezvous(const ct_group_options &options);

    const StoreHandle &store() const { return group_store; }
    // Every rank with its host and process id.
    const std::vector<std::string> &names() const { return all_names; }
    // Who owns the store, for the message that it is gone.
    std::string store_owner() const;

    // Every rank's value for a key, in the order of ranks.
    std::vector<std::string> all_gather(const std::string &key, const std::string &own);
    bool all_true(const std::string &key, bool own);

    // Exits use a connection of their own: another call may block the first.
    void publish_exit(const std::string &value);
    // The owner of the store leaves last.
    void wait_for_exits(milliseconds limit);
    // Whether this rank is the first to fail.
    bool claim_failure();

  private:
    const bool opens, has_prefix, only_here;
    const milliseconds timeout;
    const std::string host, address;
    const int32_t port;
    StoreHandle root, group_store, exits;
    std::vector<std::string> all_names;

    StoreHandle connect();
    std::vector<std::string> wait_for_ranks();
    std::string read(const std::string &key);
    bool exists(const std::string &key);
    void check_size(int other);
};

} // namespace ct
#endif
