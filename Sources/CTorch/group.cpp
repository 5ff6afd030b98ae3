// Process groups: c10d's store, its collectives over Gloo, and what finds the rank at fault when one fails.
#include "address.h"
#include "neighbours.h"
#include "watch.h"

#include <ATen/Functions.h>
#include <c10/util/Flags.h>
#include <torch/csrc/autograd/custom_function.h>

C10_DECLARE_int(caffe2_log_level);

using namespace ct;

#ifdef USE_C10D_GLOO
namespace {

using std::chrono::milliseconds;
using Gloo = c10d::ProcessGroupGloo;

StoreHandle open_store(const char *host, int32_t port, bool opens, milliseconds timeout) {
    c10d::TCPStoreOptions options;
    options.port = static_cast<uint16_t>(port);
    options.isServer = opens;
    options.waitWorkers = false;
    options.timeout = timeout;
    return c10::make_intrusive<c10d::TCPStore>(host, options);
}

class Group {
  public:
    const int rank, size;
    std::atomic<int64_t> bytes{0};

    Group(const ct_group_options &options, ct_group_lost lost)
        : rank(options.rank), size(options.size), opens(options.opens_store),
          timeout(static_cast<int64_t>(options.timeout_seconds * 1000)) {
        auto place = std::string(options.host) + ":" + std::to_string(options.port);
        root = connect(options, place);
        store = c10::make_intrusive<c10d::PrefixStore>(options.prefix, root);
        Watch::Settings settings{rank,
                                 size,
                                 std::chrono::duration<double>(options.timeout_seconds),
                                 std::chrono::duration<double>(options.patience_seconds),
                                 meet(),
                                 "",
                                 lost};
        settings.keeper = opens ? "the store at " + place : keeper_name(options, place, settings.names[0]);
        auto device = std::getenv("GLOO_SOCKET_IFNAME");
        auto gloo = Gloo::Options::create(milliseconds(static_cast<int64_t>(options.patience_seconds * 1000)));
        gloo->devices.push_back(device ? Gloo::createDeviceForInterface(device)
                                       : Gloo::createDeviceForHostname(own_address(options.host, options.port)));
        for (int lane = 0; lane <= gradient_lane; lane++) {
            auto part = c10::make_intrusive<c10d::PrefixStore>("lane" + std::to_string(lane), store);
            lanes.push_back(c10::make_intrusive<Gloo>(part, rank, size, gloo));
        }
        neighbours = meet_neighbours();
        watched = store->clone();
        watch = std::make_unique<Watch>(store->clone(), std::move(settings));
    }

    template <typename Call> void collective(int64_t size_in_bytes, Call &&call) {
        auto lane = Lane::current();
        TORCH_CHECK(lane <= block_lanes, "blocks side by side: at most ", block_lanes, " in a group of processes");
        count(size_in_bytes);
        finish([&] { call(*lanes[lane])->wait(); });
    }

    // Small sums that are waited for.
    void sum(std::vector<double> &values) {
        auto length = static_cast<int64_t>(values.size()), given = length * static_cast<int64_t>(sizeof(double));
#ifdef CT_NEIGHBOURS
        auto lane = Lane::current();
        if (neighbours && lane <= block_lanes) {
            count(given);
            return finish([&] { neighbours->sum(lane, values.data(), length); });
        }
#endif
        std::vector<at::Tensor> list = {at::from_blob(values.data(), {length}, at::kDouble)};
        collective(given, [&](auto &lane) { return lane.allreduce(list); });
    }

    std::function<void()> begin_sum(const at::Tensor &values) {
        count(static_cast<int64_t>(values.nbytes()));
#ifdef CT_NEIGHBOURS
        if (neighbours && values.is_cpu() && values.scalar_type() == at::kFloat && values.is_contiguous()) {
            finish([&] { neighbours->sum(gradient_lane, values.data_ptr<float>(), values.numel()); });
            return [] {};
        }
#endif
        std::vector<at::Tensor> list = {values};
        auto work = lanes[gradient_lane]->allreduce(list);
        return [this, work] { finish([&] { work->wait(); }); };
    }

    std::string name(int other) const { return watch->settings.names[other]; }

    void leave() {
        watch->stop();
        mark(rank, "+");
        if (opens) wait_for_ends(timeout);
        lanes.clear();
    }

    // The first to tell claims to be it. The store may be what is lost, so nothing here waits for long.
    bool fail(const std::string &line) {
        // A second failure on the way out has nothing to add.
        if (failing.exchange(true)) {
            std::this_thread::sleep_for(std::chrono::seconds(5));
            return false;
        }
        watch->quiet();
        auto first = std::make_shared<std::atomic<int>>(-1);
        std::thread([this, line, first] {
            try {
                auto own = std::to_string(rank);
                *first = watched->compareSet("first", "", own) == own ? 1 : 0;
                mark(rank, "!" + line);
                if (opens) wait_for_ends(milliseconds(3000));
            } catch (const std::exception &) {
                *first = 1;
            }
            finished = true;
        }).detach();
        for (int turn = 0; turn < 400 && !finished; turn++) std::this_thread::sleep_for(milliseconds(10));
        return *first != 0;
    }

  private:
    const bool opens;
    const milliseconds timeout;
    // `watched` is a connection of its own, for the end.
    StoreHandle root, store, watched;
    std::vector<c10::intrusive_ptr<c10d::Backend>> lanes;
    std::unique_ptr<Watch> watch;
#ifdef CT_NEIGHBOURS
    std::unique_ptr<Neighbours> neighbours;
#else
    std::nullptr_t neighbours;
#endif
    std::atomic<bool> failing{false}, finished{false};

    void count(int64_t size_in_bytes) {
        bytes.fetch_add(size_in_bytes);
        watch->enter();
    }

    template <typename Call> void finish(Call &&call) {
        std::string reason;
        try {
            call();
            return;
        } catch (const std::exception &error) {
            reason = error.what();
        }
        watch->explain(reason.substr(0, reason.find('\n')));
    }

    StoreHandle connect(const ct_group_options &options, const std::string &place) {
        std::string reason;
        try {
            return open_store(options.host, options.port, opens, timeout);
        } catch (const std::exception &error) {
            reason = error.what();
        }
        if (opens) {
            auto taken = reason.find("EADDRINUSE") != std::string::npos || reason.find("in use") != std::string::npos;
            throw PeerLost("rank 0 cannot open a store at " + place +
                           (taken ? ": the port is taken; choose another MASTER_PORT"
                                  : ": " + reason.substr(0, reason.find('\n'))));
        }
        throw PeerLost("rank " + std::to_string(rank) + " cannot reach rank 0's store at " + place + " within " +
                       std::to_string(timeout.count() / 1000) + " s: check MASTER_ADDR, MASTER_PORT and rank 0");
    }

    static std::string keeper_name(const ct_group_options &options, const std::string &place,
                                   const std::string &first) {
        // With a prefix of its own the store outlives the ranks: the starter has it.
        return options.prefix[0] ? "the starter of the group, at " + place + "," : first;
    }

    // Every rank tells that it is there, and waits for the others; their names.
    std::vector<std::string> meet() {
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

#ifdef CT_NEIGHBOURS
    // Memory that all ranks share, where they are on one machine and see each other's.
    std::unique_ptr<Neighbours> meet_neighbours() {
        std::string name;
        auto found = rank == 0 ? Neighbours::create(size, name) : nullptr;
        if (rank == 0) store->set("memory", name);
        if (rank != 0) found = Neighbours::open(rank, size, store->get_to_str("memory"));
        store->set("memory/" + std::to_string(rank), found ? "yes" : "no");
        auto all = true;
        for (int other = 0; other < size; other++) {
            all = store->get_to_str("memory/" + std::to_string(other)) == "yes" && all;
        }
        if (found && rank == 0) found->hide();
        return all ? std::move(found) : nullptr;
    }
#else
    std::nullptr_t meet_neighbours() { return nullptr; }
#endif

    void mark(int which, const std::string &value) {
        try {
            (watched ? watched : store)->set(end_key(which), value);
        } catch (const std::exception &) {
            // Without a store there is nobody to tell.
        }
    }

    // Who keeps the store ends last.
    void wait_for_ends(milliseconds limit) {
        auto end = Clock::now() + limit;
        for (int other = 0; other < size; other++) {
            while (watched->get_to_str(end_key(other)) == "-" && Clock::now() < end) {
                std::this_thread::sleep_for(milliseconds(20));
            }
        }
    }
};

// Never destroyed: its threads may be at work when the process ends.
std::atomic<Group *> current{nullptr};

Group &need() {
    auto group = current.load();
    TORCH_CHECK(group, "no process group");
    return *group;
}

void sum_in_place(at::Tensor values) {
    std::vector<at::Tensor> list = {std::move(values)};
    need().collective(static_cast<int64_t>(list[0].nbytes()), [&](auto &lane) { return lane.allreduce(list); });
}

class SumOverRanks : public torch::autograd::Function<SumOverRanks> {
  public:
    static at::Tensor forward(torch::autograd::AutogradContext *, at::Tensor values) {
        auto result = values.contiguous().clone();
        sum_in_place(result);
        return result;
    }
    static torch::autograd::variable_list backward(torch::autograd::AutogradContext *,
                                                   torch::autograd::variable_list gradients) {
        auto result = gradients[0].contiguous().clone();
        sum_in_place(result);
        return {result};
    }
};

at::Tensor bytes_at(void *data, int64_t count) { return at::from_blob(data, {count}, at::kByte); }

// Opened for others by this process.
StoreHandle &opened() {
    static auto *store = new StoreHandle();
    return *store;
}

} // namespace

int64_t ct::ranks() {
    auto group = current.load(std::memory_order_relaxed);
    return group ? group->size : 1;
}

void ct::sum_over_ranks(std::vector<double> &values) {
    if (ranks() == 1 || values.empty()) return;
    need().sum(values);
}

at::Tensor ct::differentiable_sum_over_ranks(const at::Tensor &values) { return SumOverRanks::apply(values); }

std::function<void()> ct::begin_sum(const at::Tensor &values) { return need().begin_sum(values); }

bool ct_group_is_built(void) { return true; }

// c10d writes warnings and call stacks of its own; a failure here is told in one line.
static void silence() {
    if (!std::getenv("TORCH_CPP_LOG_LEVEL")) FLAGS_caffe2_log_level = 3;
}

int32_t ct_group_join(ct_group_options options, ct_group_lost lost) {
    return guard([&] {
        silence();
        TORCH_CHECK(!current.load(), "this process is in a group already");
        current = new Group(options, lost);
    });
}

void ct_group_leave(void) {
    guard([] {
        if (auto group = current.exchange(nullptr)) group->leave();
    });
}

bool ct_group_fail(const char *line) {
    auto group = current.load();
    return !group || group->fail(line);
}

int32_t ct_group_rank(void) {
    auto group = current.load();
    return group ? group->rank : 0;
}

int32_t ct_group_size(void) { return static_cast<int32_t>(ranks()); }

int64_t ct_group_bytes(void) {
    auto group = current.load();
    return group ? group->bytes.load() : 0;
}

int32_t ct_group_name(int32_t rank, char *buffer, int64_t capacity) {
    return guard([&] { snprintf(buffer, static_cast<size_t>(capacity), "%s", need().name(rank).c_str()); });
}

int32_t ct_group_sum(const ct_optional_tensor *handles, int64_t count) {
    return guard([&] {
        for (auto &tensor : list(handles, count)) sum_in_place(tensor);
    });
}

int32_t ct_group_gather(const void *own, int64_t bytes, void *all) {
    return guard([&] {
        std::vector<at::Tensor> input = {bytes_at(const_cast<void *>(own), bytes)};
        std::vector<std::vector<at::Tensor>> output(1);
        for (int rank = 0; rank < need().size; rank++) {
            output[0].push_back(bytes_at(static_cast<char *>(all) + rank * bytes, bytes));
        }
        need().collective(bytes, [&](auto &lane) { return lane.allgather(output, input); });
    });
}

int32_t ct_group_share(void *data, int64_t bytes) {
    return guard([&] {
        std::vector<at::Tensor> list = {bytes_at(data, bytes)};
        need().collective(bytes, [&](auto &lane) { return lane.broadcast(list); });
    });
}

int32_t ct_store_open(const char *host, int32_t *port) {
    return guard([&] {
        silence();
        opened() = open_store(host, 0, true, std::chrono::seconds(10));
        *port = static_cast<c10d::TCPStore &>(*opened()).getPort();
    });
}

int32_t ct_store_fail(const char *prefix, int32_t rank, const char *line) {
    return guard([&] { c10d::PrefixStore(prefix, opened()).set(end_key(rank), std::string("!") + line); });
}

#else

// Built where there is no Gloo: every process is alone.
int64_t ct::ranks() { return 1; }
void ct::sum_over_ranks(std::vector<double> &) {}
at::Tensor ct::differentiable_sum_over_ranks(const at::Tensor &values) { return values; }
std::function<void()> ct::begin_sum(const at::Tensor &) {
    return [] {};
}
static int32_t without() {
    return guard([] { TORCH_CHECK(false, "built without Gloo's headers, so without process groups"); });
}
bool ct_group_is_built(void) { return false; }
int32_t ct_group_join(ct_group_options, ct_group_lost) { return without(); }
void ct_group_leave(void) {}
bool ct_group_fail(const char *) { return true; }
int32_t ct_group_rank(void) { return 0; }
int32_t ct_group_size(void) { return 1; }
int64_t ct_group_bytes(void) { return 0; }
int32_t ct_group_name(int32_t, char *, int64_t) { return without(); }
int32_t ct_group_sum(const ct_optional_tensor *, int64_t) { return without(); }
int32_t ct_group_gather(const void *, int64_t, void *) { return without(); }
int32_t ct_group_share(void *, int64_t) { return without(); }
int32_t ct_store_open(const char *, int32_t *) { return without(); }
int32_t ct_store_fail(const char *, int32_t, const char *) { return without(); }

#endif
