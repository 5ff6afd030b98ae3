#include "meeting.h"
#include "address.h"

#include <c10/util/Flags.h>
#include <cstdlib>

C10_DECLARE_int(caffe2_log_level);

#ifdef USE_C10D_GLOO
using namespace ct;

// A rank that hangs or is gone makes NCCL wait for ever. By 2 a collective is given up after its time, and the next one
// throws, so that Watch can name the rank; else the process would end without a word. Nor is a minute spent on a dump.
void ct::prepare_c10d() {
    if (!std::getenv("TORCH_CPP_LOG_LEVEL")) FLAGS_caffe2_log_level = 3;
    setenv("TORCH_NCCL_ASYNC_ERROR_HANDLING", "2", 0);
    setenv("TORCH_NCCL_DUMP_ON_TIMEOUT", "0", 0);
    setenv("TORCH_NCCL_WAIT_TIMEOUT_DUMP_MILSEC", "0", 0);
}

StoreHandle ct::open_store(const char *host, int32_t port, bool opens, milliseconds timeout) {
    c10d::TCPStoreOptions options;
    options.port = static_cast<uint16_t>(port);
    options.isServer = opens;
    options.waitWorkers = false;
    options.timeout = timeout;
    return c10::make_intrusive<c10d::TCPStore>(host, options);
}

Meeting::Meeting(const ct_group_options &options)
    : rank(options.rank), size(options.size), opens(options.opens_store), has_prefix(options.prefix[0] != 0),
      timeout(static_cast<int64_t>(options.timeout_seconds * 1000)),
      place(std::string(options.host) + ":" + std::to_string(options.port)), root(connect(options)),
      ranks_store(c10::make_intrusive<c10d::PrefixStore>(options.prefix, root)), all_names(meet()) {
    ends = ranks_store->clone();
}

StoreHandle Meeting::connect(const ct_group_options &options) {
    std::string reason;
    try {
        return open_store(options.host, options.port, opens, timeout);
    } catch (const std::exception &error) {
        reason = error.what();
    }
    if (opens) {
        auto taken = reason.find("EADDRINUSE") != std::string::npos || reason.find("in use") != std::string::npos;
        throw PeerLost(
            "rank 0 cannot open a store at " + place +
            (taken ? ": the port is taken; choose another MASTER_PORT" : ": " + reason.substr(0, reason.find('\n'))));
    }
    throw PeerLost("rank " + std::to_string(rank) + " cannot reach rank 0's store at " + place + " within " +
                   std::to_string(timeout.count() / 1000) + " s: check MASTER_ADDR, MASTER_PORT and rank 0");
}

// Every rank tells that it is there, and waits for the others; their names.
std::vector<std::string> Meeting::meet() {
    auto &store = ranks_store;
    store->set(beat_key(rank), "0 0");
    store->set(end_key(rank), "-");
    store->set("here/" + std::to_string(rank), own_name());
    std::vector<std::string> keys, names;
    for (int other = 0; other < size; other++) keys.push_back("here/" + std::to_string(other));
    try {
        store->wait(keys, timeout);
    } catch (const std::exception &) {
        std::string missing;
        for (int other = 0; other < size; other++) {
            if (store->check({keys[other]})) continue;
            missing += (missing.empty() ? "" : ", ") + std::to_string(other);
        }
        throw PeerLost("rank " + missing + " of " + std::to_string(size) + " did not come within " +
                       std::to_string(timeout.count() / 1000) + " s");
    }
    for (int other = 0; other < size; other++) {
        names.push_back("rank " + std::to_string(other) + " (" + store->get_to_str(keys[other]) + ")");
    }
    return names;
}

// With a prefix of its own the store outlives the ranks: the starter has it.
std::string Meeting::keeper() const {
    if (opens) return "the store at " + place;
    return has_prefix ? "the starter of the group, at " + place + "," : all_names[0];
}

std::vector<std::string> Meeting::exchange(const std::string &question, const std::string &own) {
    ranks_store->set(question + "/" + std::to_string(rank), own);
    std::vector<std::string> all;
    for (int other = 0; other < size; other++) {
        all.push_back(ranks_store->get_to_str(question + "/" + std::to_string(other)));
    }
    return all;
}

bool Meeting::all_say_yes(const std::string &question, bool own) {
    auto answers = exchange(question, own ? "yes" : "no");
    return std::count(answers.begin(), answers.end(), "yes") == size;
}

void Meeting::mark_end(const std::string &value) {
    try {
        ends->set(end_key(rank), value);
    } catch (const std::exception &) {
        // Without a store there is nobody to tell.
    }
}

void Meeting::wait_for_ends(milliseconds limit) {
    if (!opens) return;
    auto end = Clock::now() + limit;
    for (int other = 0; other < size; other++) {
        while (ends->get_to_str(end_key(other)) == "-" && Clock::now() < end) {
            std::this_thread::sleep_for(milliseconds(20));
        }
    }
}

bool Meeting::claim_failure() {
    auto own = std::to_string(rank);
    return ends->compareSet("first", "", own) == own;
}
#endif
