// How the ranks of a group find each other, and what they tell each other by c10d's store.
#pragma once

#include "watch.h"

#include <functional>
#include <future>
#include <optional>

#ifdef USE_C10D_GLOO
namespace ct {

using std::chrono::milliseconds;

// Before anything of c10d: its own warnings and call stacks are left out, and NCCL throws instead of ending the
// process.
void prepare_c10d();

// Opens a store that is reached by the address of `host` alone; std::runtime_error says what is wrong with it.
StoreHandle open_store(const std::string &host, int32_t port, bool only_here, milliseconds timeout);

// What the keys of one start begin with: no other start's, nor those of somebody without AUTODEEPLAB_GROUP_SECRET.
std::string key_prefix(const char *start);

// The result of a call that may wait without end, in a thread that is left alone then; nothing where it takes longer.
template <typename Result> std::optional<Result> within(milliseconds limit, std::function<Result()> call) {
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

class Meeting {
  public:
    const int rank, size;

    // Throws PeerLost where the store cannot be opened or reached, or where a rank does not come.
    explicit Meeting(const ct_group_options &options);

    const StoreHandle &store() const { return ranks_store; }
    // Every rank with its host and process number.
    const std::vector<std::string> &names() const { return all_names; }
    // Who has the store, for the message that it is gone.
    std::string keeper() const;

    // What every rank says, in the order of ranks.
    std::vector<std::string> exchange(const std::string &question, const std::string &own);
    bool all_say_yes(const std::string &question, bool own);

    // Ends come by a connection of their own: another call may wait in the first.
    void mark_end(const std::string &value);
    // Who keeps the store ends last.
    void wait_for_ends(milliseconds limit);
    // Whether this rank is the first to say that it fails.
    bool claim_failure();

  private:
    const bool opens, has_prefix, only_here;
    const milliseconds timeout;
    const std::string host, place;
    const int32_t port;
    StoreHandle root, ranks_store, ends;
    std::vector<std::string> all_names;

    StoreHandle connect();
    std::vector<std::string> meet();
    std::string read(const std::string &key);
    bool is_there(const std::string &key);
    void compare_size(int other);
};

} // namespace ct
#endif
