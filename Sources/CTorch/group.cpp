// Process groups: c10d's collectives over Gloo and NCCL, or shared memory, for the rest of the shim and for Swift.
#include "address.h"
#include "meeting.h"
#include "nccl.h"
#include "neighbours.h"

#include <ATen/Functions.h>
#include <set>
#include <torch/csrc/autograd/custom_function.h>

using namespace ct;

#ifdef USE_C10D_GLOO
namespace {

using Gloo = c10d::ProcessGroupGloo;

class Group {
  public:
    const int rank, size;
    std::atomic<int64_t> bytes{0};

    Group(const ct_group_options &options, ct_group_lost lost)
        : rank(options.rank), size(options.size), timeout(static_cast<int64_t>(options.timeout_seconds * 1000)),
          patience(static_cast<int64_t>(options.patience_seconds * 1000)), meeting(options) {
        auto device = std::getenv("GLOO_SOCKET_IFNAME");
        auto gloo = Gloo::Options::create(patience);
        gloo->devices.push_back(device ? Gloo::createDeviceForInterface(device)
                                       : Gloo::createDeviceForHostname(own_address(options.host, options.port)));
        for (int lane = 0; lane <= gradient_lane; lane++) {
            auto part = c10::make_intrusive<c10d::PrefixStore>("lane" + std::to_string(lane), meeting.store());
            lanes.push_back(c10::make_intrusive<Gloo>(part, rank, size, gloo));
        }
        neighbours = meet_neighbours();
        watch =
            std::make_unique<Watch>(meeting.store()->clone(), Watch::Settings{rank, size, timeout, patience,
                                                                              meeting.names(), meeting.keeper(), lost});
    }

    // Ranks that have a GPU each sum by NCCL what lies there. It has one order of collectives for all threads: blocks
    // run side by side on processors only.
    void settle(c10::Device device) {
        if (settled) return;
        settled = true;
        std::set<std::string> gpus;
        auto name = gpu_name(device);
        auto apart = true;
        for (auto &gpu : meeting.exchange("gpu", name.empty() ? name : machine_name() + " " + name)) {
            apart = !gpu.empty() && gpus.insert(gpu).second && apart;
        }
        if (!apart) return;
        std::string problem;
        auto found = try_nccl(device, problem);
        for (auto &other : meeting.exchange("problem", problem)) {
            if (problem.empty()) problem = other;
        }
        if (problem.empty()) nccl = found;
        gpu_carrier = problem.empty() ? "NCCL" : "Gloo (NCCL: " + problem + ")";
    }

    const char *carrier(c10::DeviceType kind) const {
        if (kind == c10::kCUDA) return gpu_carrier.c_str();
        return kind == c10::kCPU && neighbours ? "shared memory" : "Gloo";
    }

    template <typename Call> void collective(int64_t size_in_bytes, bool on_gpu, Call &&call) {
        auto lane = Lane::current();
        TORCH_CHECK(lane <= block_lanes, "blocks side by side: at most ", block_lanes, " in a group of processes");
        count(size_in_bytes);
        finish([&] { call(backend(lane, on_gpu))->wait(); });
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
        collective(given, false, [&](auto &backend) { return backend.allreduce(list); });
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
        c10::intrusive_ptr<c10d::Work> work;
        finish([&] { work = backend(gradient_lane, values.is_cuda()).allreduce(list); });
        return [this, work] { finish([&] { work->wait(); }); };
    }

    const std::string &name(int other) const { return meeting.names()[other]; }

    void leave() {
        if (nccl) nccl->shutdown();
        watch->stop();
        meeting.mark_end("+");
        meeting.wait_for_ends(timeout);
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
        auto tell = [this, line, first] {
            try {
                *first = meeting.claim_failure() ? 1 : 0;
                meeting.mark_end("!" + line);
                meeting.wait_for_ends(milliseconds(3000));
            } catch (const std::exception &) {
                *first = 1;
            }
            finished = true;
        };
        try {
            std::thread(tell).detach();
        } catch (const std::system_error &) {
            return true;
        }
        for (int turn = 0; turn < 400 && !finished; turn++) std::this_thread::sleep_for(milliseconds(10));
        return *first != 0;
    }

  private:
    const milliseconds timeout, patience;
    Meeting meeting;
    std::vector<c10::intrusive_ptr<c10d::Backend>> lanes;
    c10d::Backend *nccl = nullptr;
    bool settled = false;
    std::string gpu_carrier = "Gloo";
    std::unique_ptr<Watch> watch;
#ifdef CT_NEIGHBOURS
    std::unique_ptr<Neighbours> neighbours;
#else
    std::nullptr_t neighbours;
#endif
    std::atomic<bool> failing{false}, finished{false};

    // Where NCCL finds no way to another rank, it waits for ever: so it starts in a thread that can be left alone.
    c10d::Backend *try_nccl(c10::Device device, std::string &problem) {
        auto part = c10::make_intrusive<c10d::PrefixStore>("nccl", meeting.store());
        try {
            auto found = within<c10d::Backend *>(timeout, [=, rank = rank, size = size, patience = patience] {
                return open_nccl(part, rank, size, patience, device);
            });
            if (found) return *found;
        } catch (const std::exception &error) {
            problem = error.what();
            problem = problem.substr(0, problem.find('\n'));
            return nullptr;
        }
        throw PeerLost("NCCL does not start within " + std::to_string(timeout.count() / 1000) +
                       " s: NCCL_DEBUG=INFO tells more, NCCL_SOCKET_IFNAME chooses the network");
    }

    c10d::Backend &backend(int lane, bool on_gpu) { return on_gpu && nccl ? *nccl : *lanes[lane]; }

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

#ifdef CT_NEIGHBOURS
    // Memory that all ranks share, where they are on one machine and see each other's.
    std::unique_ptr<Neighbours> meet_neighbours() {
        std::string name;
        auto found = rank == 0 ? Neighbours::create(size, name) : nullptr;
        name = meeting.exchange("memory", name)[0];
        if (rank != 0) found = Neighbours::open(rank, size, name);
        auto all = meeting.all_say_yes("memory/found", found != nullptr);
        if (found && rank == 0) found->hide();
        return all ? std::move(found) : nullptr;
    }
#else
    std::nullptr_t meet_neighbours() { return nullptr; }
#endif
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
    need().collective(static_cast<int64_t>(list[0].nbytes()), list[0].is_cuda(),
                      [&](auto &backend) { return backend.allreduce(list); });
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

int32_t ct_group_join(ct_group_options options, ct_group_lost lost) {
    return guard([&] {
        prepare_c10d();
        TORCH_CHECK(!current.load(), "this process is in a group already");
        current = new Group(options, lost);
    });
}

int32_t ct_group_settle(int32_t kind, int32_t index) {
    return guard([&] {
        if (auto group = current.load()) group->settle(device(kind, index));
    });
}

const char *ct_group_carrier(int32_t kind) {
    auto group = current.load();
    return group ? group->carrier(device_type(kind)) : "";
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
        need().collective(bytes, false, [&](auto &backend) { return backend.allgather(output, input); });
    });
}

int32_t ct_group_share(void *data, int64_t bytes) {
    return guard([&] {
        std::vector<at::Tensor> list = {bytes_at(data, bytes)};
        need().collective(bytes, false, [&](auto &backend) { return backend.broadcast(list); });
    });
}

int32_t ct_store_open(const char *host, int32_t *port) {
    return guard([&] {
        prepare_c10d();
        opened() = open_store(host, 0, true, std::chrono::seconds(10));
        *port = static_cast<c10d::TCPStore &>(*opened()).getPort();
    });
}

int32_t ct_store_fail(const char *prefix, int32_t rank, const char *line) {
    return guard([&] { c10d::PrefixStore(key_prefix(prefix), opened()).set(end_key(rank), std::string("!") + line); });
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
int32_t ct_group_settle(int32_t, int32_t) { return CT_OK; }
const char *ct_group_carrier(int32_t) { return ""; }
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
