// How the ranks of a group find each other, and what they tell each other by c10d's store.
#pragma once

#include "watch.h"

#ifdef USE_C10D_GLOO
namespace ct {

using std::chrono::milliseconds;

// Before anything of c10d: its own warnings and call stacks are left out, and NCCL throws instead of ending the
// process.
void prepare_c10d();

StoreHandle open_store(const char *host, int32_t port, bool opens, milliseconds timeout);

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
    const bool opens, has_prefix;
    const milliseconds timeout;
    const std::string place;
    StoreHandle root, ranks_store, ends;
    std::vector<std::string> all_names;

    StoreHandle connect(const ct_group_options &options);
    std::vector<std::string> meet();
};

} // namespace ct
#endif
