#include "distributed/rendezvous.h"
#include "distributed/address.h"

#include <c10/util/Flags.h>
#include <cstdlib>

C10_DECLARE_int(caffe2_log_level);

#ifdef USE_C10D_GLOO
using namespace ct;

// NCCL waits for ever for a rank that hangs or is gone. Mode 2 aborts a collective after its timeout and the next one
// throws, so that HeartbeatMonitor can name the rank; else the process would be ended without a message. The debug
// dump, which takes a minute, is off.
void ct::configure_c10d() {
    if (!std::getenv("TORCH_CPP_LOG_LEVEL")) FLAGS_caffe2_log_level = 3;
    setenv("TORCH_NCCL_ASYNC_ERROR_HANDLING", "2", 0);
    setenv("TORCH_NCCL_DUMP_ON_TIMEOUT", "0", 0);
    setenv("TORCH_NCCL_WAIT_TIMEOUT_DUMP_MILSEC", "0", 0);
}

// Given a port alone, TCPStore would listen on all addresses of the machine.
StoreHandle ct::open_store(const std::string &host, int32_t port, bool only_here, milliseconds timeout) {
    c10d::TCPStoreOptions options;
    options.masterListenFd = bound_socket(host, port, only_here);
    options.port = static_cast<uint16_t>(port);
    options.isServer = true;
    options.waitWorkers = false;
    options.timeout = timeout;
    return c10::make_intrusive<c10d::TCPStore>(host, options);
}

std::string ct::key_prefix(const char *launch) {
    auto secret = std::getenv("AUTODEEPLAB_GROUP_SECRET");
    return secret && *secret ? std::string(launch) + "/" + secret : launch;
}

// Texts of other processes are cut to this length.
static constexpr size_t longest_text = 1000;

Rendezvous::Rendezvous(const ct_group_options &options)
    : rank(options.rank), size(options.size), opens(options.opens_store), has_prefix(options.prefix[0] != 0),
      only_here(options.one_machine), timeout(static_cast<int64_t>(options.heartbeat_timeout_seconds * 1000)),
      host(options.host), address(host + ":" + std::to_string(options.port)), port(options.port), root(connect()),
      group_store(c10::make_intrusive<c10d::PrefixStore>(key_prefix(options.prefix), root)),
      all_names(wait_for_ranks()) {
    exits = group_store->clone();
}

StoreHandle Rendezvous::connect() {
    if (opens) {
        try {
            return open_store(host, port, only_here, timeout);
        } catch (const std::exception &error) {
            std::string reason = error.what();
            throw PeerLost("rank 0 cannot open a store at " + address + ": " + reason.substr(0, reason.find('\n')));
        }
    }
    auto own = "rank " + std::to_string(rank);
    auto check = ": check MASTER_ADDR, MASTER_PORT and rank 0";
    try {
        // It has no timeout of its own where something accepts the connection and says nothing.
        auto store = run_with_timeout<StoreHandle>(timeout + milliseconds(10000), [=, this]() -> StoreHandle {
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
        throw PeerLost(own + " cannot reach rank 0's store at " + address + " within " +
                       std::to_string(timeout.count() / 1000) + " s" + check);
    }
    throw PeerLost(own + " has reached " + address + ", where no store of a group answers" + check);
}

std::string Rendezvous::read(const std::string &key) { return group_store->get_to_str(key).substr(0, longest_text); }

bool Rendezvous::exists(const std::string &key) { return group_store->check({key}); }

void Rendezvous::check_size(int other) {
    auto key = "size/" + std::to_string(other);
    if (!exists(key)) return;
    auto theirs = read(key);
    if (theirs == std::to_string(size)) return;
    throw PeerLost("rank " + std::to_string(other) + " is one of " + theirs + ", and rank " + std::to_string(rank) +
                   " one of " + std::to_string(size) + ": give all ranks the same WORLD_SIZE");
}

// Registers this rank, waits for the others, and returns all names.
std::vector<std::string> Rendezvous::wait_for_ranks() {
    auto &store = group_store;
    auto own = std::to_string(rank);
    store->set(heartbeat_key(rank), "0 0");
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
        check_size(0);
        store->wait(keys, timeout);
    } catch (const PeerLost &) {
        throw;
    } catch (const std::exception &) {
        std::string missing;
        for (int other = 0; other < size; other++) {
            check_size(other);
            if (exists(keys[other])) continue;
            missing += (missing.empty() ? "" : ", ") + std::to_string(other);
        }
        auto secret = std::getenv("AUTODEEPLAB_GROUP_SECRET") ? ", or has another AUTODEEPLAB_GROUP_SECRET" : "";
        throw PeerLost("rank " + missing + " of " + std::to_string(size) + " did not come within " +
                       std::to_string(timeout.count() / 1000) + " s" + secret);
    }
    for (int other = 0; other < size; other++) {
        check_size(other);
        names.push_back("rank " + std::to_string(other) + " (" + read(keys[other]) + ")");
    }
    return names;
}

// A store with a prefix outlives the ranks: the launcher owns it.
std::string Rendezvous::store_owner() const {
    if (opens) return "the store at " + address;
    return has_prefix ? "the starter of the group, at " + address + "," : all_names[0];
}

std::vector<std::string> Rendezvous::all_gather(const std::string &key, const std::string &own) {
    group_store->set(key + "/" + std::to_string(rank), own);
    std::vector<std::string> all;
    for (int other = 0; other < size; other++) {
        auto rank_key = key + "/" + std::to_string(other);
        try {
            group_store->wait({rank_key}, timeout);
            all.push_back(read(rank_key));
        } catch (const std::exception &) {
            throw PeerLost(all_names[other] + " says nothing for " + std::to_string(timeout.count() / 1000) + " s");
        }
    }
    return all;
}

bool Rendezvous::all_true(const std::string &key, bool own) {
    auto answers = all_gather(key, own ? "yes" : "no");
    return std::count(answers.begin(), answers.end(), "yes") == size;
}

void Rendezvous::publish_exit(const std::string &value) {
    try {
        exits->set(end_key(rank), value);
    } catch (const std::exception &) {
        // Without a store nobody can be told.
    }
}

void Rendezvous::wait_for_exits(milliseconds limit) {
    if (!opens) return;
    auto end = Clock::now() + limit;
    for (int other = 0; other < size; other++) {
        while (exits->get_to_str(end_key(other)) == "-" && Clock::now() < end) {
            std::this_thread::sleep_for(milliseconds(20));
        }
    }
}

bool Rendezvous::claim_failure() {
    auto own = std::to_string(rank);
    return exits->compareSet("first", "", own) == own;
}
#endif
