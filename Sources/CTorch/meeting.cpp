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

// libtorch's own way to a port listens on all addresses of the machine.
StoreHandle ct::open_store(const std::string &host, int32_t port, bool only_here, milliseconds timeout) {
    c10d::TCPStoreOptions options;
    options.masterListenFd = bound_socket(host, port, only_here);
    options.port = static_cast<uint16_t>(port);
    options.isServer = true;
    options.waitWorkers = false;
    options.timeout = timeout;
    return c10::make_intrusive<c10d::TCPStore>(host, options);
}

std::string ct::key_prefix(const char *start) {
    auto secret = std::getenv("AUTODEEPLAB_GROUP_SECRET");
    return secret && *secret ? std::string(start) + "/" + secret : start;
}

// No text of another process is longer, whatever it says.
static constexpr size_t longest_text = 1000;

Meeting::Meeting(const ct_group_options &options)
    : rank(options.rank), size(options.size), opens(options.opens_store), has_prefix(options.prefix[0] != 0),
      only_here(options.one_machine), timeout(static_cast<int64_t>(options.timeout_seconds * 1000)), host(options.host),
      place(host + ":" + std::to_string(options.port)), port(options.port), root(connect()),
      ranks_store(c10::make_intrusive<c10d::PrefixStore>(key_prefix(options.prefix), root)), all_names(meet()) {
    ends = ranks_store->clone();
}

StoreHandle Meeting::connect() {
    if (opens) {
        try {
            return open_store(host, port, only_here, timeout);
        } catch (const std::exception &error) {
            std::string reason = error.what();
            throw PeerLost("rank 0 cannot open a store at " + place + ": " + reason.substr(0, reason.find('\n')));
        }
    }
    auto own = "rank " + std::to_string(rank);
    auto check = ": check MASTER_ADDR, MASTER_PORT and rank 0";
    try {
        // Where somebody takes the connection and says nothing, it has no end of its own.
        auto store = within<StoreHandle>(timeout + milliseconds(10000), [=, this]() -> StoreHandle {
            c10d::TCPStoreOptions options;
            options.port = static_cast<uint16_t>(port);
            options.waitWorkers = false;
            options.timeout = timeout;
            return c10::make_intrusive<c10d::TCPStore>(host, options);
        });
        if (store) return *store;
    } catch (const NoThread &) {
        throw;
    } catch (const std::exception &) {
        throw PeerLost(own + " cannot reach rank 0's store at " + place + " within " +
                       std::to_string(timeout.count() / 1000) + " s" + check);
    }
    throw PeerLost(own + " has reached " + place + ", where no store of a group answers" + check);
}

std::string Meeting::read(const std::string &key) { return ranks_store->get_to_str(key).substr(0, longest_text); }

bool Meeting::is_there(const std::string &key) { return ranks_store->check({key}); }

void Meeting::compare_size(int other) {
    auto key = "size/" + std::to_string(other);
    if (!is_there(key)) return;
    auto theirs = read(key);
    if (theirs == std::to_string(size)) return;
    throw PeerLost("rank " + std::to_string(other) + " is one of " + theirs + ", and rank " + std::to_string(rank) +
                   " one of " + std::to_string(size) + ": give all ranks the same WORLD_SIZE");
}

// Every rank tells that it is there, and waits for the others; their names.
std::vector<std::string> Meeting::meet() {
    auto &store = ranks_store;
    auto own = std::to_string(rank);
    store->set(beat_key(rank), "0 0");
    store->set(end_key(rank), "-");
    store->set("size/" + own, std::to_string(size));
    std::vector<uint8_t> name;
    for (auto letter : own_name()) name.push_back(static_cast<uint8_t>(letter));
    auto holder = store->compareSet("here/" + own, {}, name);
    if (holder != name) {
        throw PeerLost("rank " + own + " is taken by " + read("here/" + own) + ": give each process a RANK of its own");
    }
    std::vector<std::string> keys, names;
    for (int other = 0; other < size; other++) keys.push_back("here/" + std::to_string(other));
    try {
        store->wait({keys[0]}, timeout);
        compare_size(0);
        store->wait(keys, timeout);
    } catch (const PeerLost &) {
        throw;
    } catch (const std::exception &) {
        std::string missing;
        for (int other = 0; other < size; other++) {
            compare_size(other);
            if (is_there(keys[other])) continue;
            missing += (missing.empty() ? "" : ", ") + std::to_string(other);
        }
        auto secret = std::getenv("AUTODEEPLAB_GROUP_SECRET") ? ", or has another AUTODEEPLAB_GROUP_SECRET" : "";
        throw PeerLost("rank " + missing + " of " + std::to_string(size) + " did not come within " +
                       std::to_string(timeout.count() / 1000) + " s" + secret);
    }
    for (int other = 0; other < size; other++) {
        compare_size(other);
        names.push_back("rank " + std::to_string(other) + " (" + read(keys[other]) + ")");
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
        auto key = question + "/" + std::to_string(other);
        try {
            ranks_store->wait({key}, timeout);
            all.push_back(read(key));
        } catch (const std::exception &) {
            throw PeerLost(all_names[other] + " says nothing for " + std::to_string(timeout.count() / 1000) + " s");
        }
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
