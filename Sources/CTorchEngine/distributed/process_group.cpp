// The process group: collectives by Gloo, NCCL or shared memory.
#include "distributed/address.h"
#include "distributed/nccl.h"
#include "distributed/rendezvous.h"
#include "distributed/shared_memory.h"

#include <ATen/Functions.h>
#include <set>
#include <torch/csrc/autograd/custom_function.h>

using namespace ct;

#ifdef USE_C10D_GLOO
namespace {

using Gloo = c10d::ProcessGroupGloo;

class ProcessGroup {
  public:
    const int rank, size;
    std::atomic<int64_t> bytes{0};

    ProcessGroup(const ct_group_options &options, ct_group_lost lost)
        : rank(options.rank), size(options.size),
          heartbeat_timeout(static_cast<int64_t>(options.heartbeat_timeout_seconds * 1000)),
          timeout(static_cast<int64_t>(options.timeout_seconds * 1000)), rendezvous(options) {
        auto device = std::getenv("GLOO_SOCKET_IFNAME");
        auto gloo = Gloo::Options::create(timeout);
        gloo->devices.push_back(device ? Gloo::createDeviceForInterface(device)
                                       : Gloo::createDeviceForHostname(own_address(options.host, options.port)));
        for (int channel = 0; channel <= gradient_channel; channel++) {
            auto part = c10::make_intrusive<c10d::PrefixStore>("channel" + std::to_string(channel), rendezvous.store());
            channels.push_back(c10::make_intrusive<Gloo>(part, rank, size, gloo));
        }
        shared_memory = open_shared_memory();
        monitor = std::make_unique<HeartbeatMonitor>(rendezvous.store()->clone(),
                                                     HeartbeatMonitor::Settings{rank, size, heartbeat_timeout, timeout,
                                                                                rendezvous.names(),
                                                                                rendezvous.store_owner(), lost});
    }

    // CUDA tensors are reduced by NCCL where each rank has a GPU of its own. NCCL has one order of collectives for all
    // threads, so regions run in parallel on CPUs only.
    void select_backend(c10::Device device) {
        if (selected) return;
        selected = true;
        std::set<std::string> gpus;
        auto name = gpu_bus_id(device);
        auto apart = true;
        for (auto &gpu : rendezvous.all_gather("gpu", name.empty() ? name : machine_name() + " " + name)) {
            apart = !gpu.empty() && gpus.insert(gpu).second && apart;
        }
        if (!apart) return;
        std::string problem;
        auto found = try_nccl(device, problem);
        for (auto &other : rendezvous.all_gather("problem", problem)) {
            if (problem.empty()) problem = other;
        }
        if (problem.empty()) nccl = found;
        gpu_backend = problem.empty() ? "NCCL" : "Gloo (NCCL: " + problem + ")";
    }

    const char *backend_name(c10::DeviceType kind) const {
        if (kind == c10::kCUDA) return gpu_backend.c_str();
        return kind == c10::kCPU && shared_memory ? "shared memory" : "Gloo";
    }

    template <typename Call> void collective(int64_t size_in_bytes, bool on_gpu, Call &&call) {
        auto channel = ChannelGuard::current();
        TORCH_CHECK(channel <= region_channels, "regions in parallel: at most ", region_channels,
                    " in a group of processes");
        count(size_in_bytes);
        finish([&] { call(channel_backend(channel, on_gpu))->wait(); });
    }

    // Small sums that are waited for.
    void all_reduce(std::vector<double> &values) {
        auto length = static_cast<int64_t>(values.size()), given = length * static_cast<int64_t>(sizeof(double));
#ifdef CT_SHARED_MEMORY
        auto channel = ChannelGuard::current();
        if (shared_memory && channel <= region_channels) {
            count(given);
            return finish([&] { shared_memory->all_reduce(channel, values.data(), length); });
        }
#endif
        std::vector<at::Tensor> list = {at::from_blob(values.data(), {length}, at::kDouble)};
        collective(given, false, [&](auto &backend) { return backend.allreduce(list); });
    }

    std::function<void()> begin_all_reduce(const at::Tensor &values) {
        count(static_cast<int64_t>(values.nbytes()));
#ifdef CT_SHARED_MEMORY
        if (shared_memory && values.is_cpu() && values.scalar_type() == at::kFloat && values.is_contiguous()) {
            finish([&] { shared_memory->all_reduce(gradient_channel, values.data_ptr<float>(), values.numel()); });
            return [] {};
        }
#endif
        std::vector<at::Tensor> list = {values};
        c10::intrusive_ptr<c10d::Work> work;
        finish([&] { work = channel_backend(gradient_channel, values.is_cuda()).allreduce(list); });
        return [this, work] { finish([&] { work->wait(); }); };
    }

    const std::string &name(int other) const { return rendezvous.names()[other]; }

    void leave() {
        if (nccl) nccl->shutdown();
        monitor->stop();
        rendezvous.publish_exit("+");
        rendezvous.wait_for_exits(heartbeat_timeout);
        channels.clear();
    }

    // The first rank to fail claims it in the store. The store may be what is lost, so nothing here waits for long.
    bool fail(const std::string &line) {
        // A second failure during shutdown adds nothing.
        if (failing.exchange(true)) {
            std::this_thread::sleep_for(std::chrono::seconds(5));
            return false;
        }
        monitor->mute();
        auto first = std::make_shared<std::atomic<int>>(-1);
        auto tell = [this, line, first] {
            try {
                *first = rendezvous.claim_failure() ? 1 : 0;
                rendezvous.publish_exit("!" + line);
                rendezvous.wait_for_exits(milliseconds(3000));
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
    const milliseconds heartbeat_timeout, timeout;
    Rendezvous rendezvous;
    std::vector<c10::intrusive_ptr<c10d::Backend>> channels;
    c10d::Backend *nccl = nullptr;
    bool selected = false;
    std::string gpu_backend = "Gloo";
    std::unique_ptr<HeartbeatMonitor> monitor;
#ifdef CT_SHARED_MEMORY
    std::unique_ptr<SharedMemoryAllReduce> shared_memory;
#else
    std::nullptr_t shared_memory;
#endif
    std::atomic<bool> failing{false}, finished{false};

    // NCCL waits for ever where it cannot reach another rank, so it starts in a thread that can be abandoned.
    c10d::Backend *try_nccl(c10::Device device, std::string &problem) {
        auto part = c10::make_intrusive<c10d::PrefixStore>("nccl", rendezvous.store());
        try {
            auto found =
                run_with_timeout<c10d::Backend *>(heartbeat_timeout, [=, rank = rank, size = size, timeout = timeout] {
                    return open_nccl(part, rank, size, timeout, device);
                });
            if (found) return *found;
        } catch (const std::exception &error) {
            problem = error.what();
            problem = problem.substr(0, problem.find('\n'));
            return nullptr;
        }
        throw PeerLost("NCCL does not start within " + std::to_string(heartbeat_timeout.count() / 1000) +
                       " s: NCCL_DEBUG=INFO tells more, NCCL_SOCKET_IFNAME chooses the network");
    }

    c10d::Backend &channel_backend(int channel, bool on_gpu) { return on_gpu && nccl ? *nccl : *channels[channel]; }

    void count(int64_t size_in_bytes) {
        bytes.fetch_add(size_in_bytes);
        monitor->count_collective();
    }

    template <typename Call> void finish(Call &&call) {
        std::string reason;
        try {
            call();
            return;
        } catch (const std::exception &error) {
            reason = error.what();
        }
        monitor->throw_peer_lost(reason.substr(0, reason.find('\n')));
    }

#ifdef CT_SHARED_MEMORY
    // Shared memory of all ranks, where they are on one machine and can open it.
    std::unique_ptr<SharedMemoryAllReduce> open_shared_memory() {
        std::string name;
        auto found = rank == 0 ? SharedMemoryAllReduce::create(size, name) : nullptr;
        name = rendezvous.all_gather("memory", name)[0];
        if (rank != 0) found = SharedMemoryAllReduce::open(rank, size, name);
        auto all = rendezvous.all_true("memory/found", found != nullptr);
        if (found && rank == 0) found->unlink();
        return all ? std::move(found) : nullptr;
    }
#else
    std::nullptr_t open_shared_memory() { return nullptr; }
#endif
};

// Never destroyed: its threads may still run when the process ends.
std::atomic<ProcessGroup *> current{nullptr};

ProcessGroup &need() {
    auto group = current.load();
    TORCH_CHECK(group, "no process group");
    return *group;
}

void all_reduce_in_place(at::Tensor values) {
    std::vector<at::Tensor> list = {std::move(values)};
    need().collective(static_cast<int64_t>(list[0].nbytes()), list[0].is_cuda(),
                      [&](auto &backend) { return backend.allreduce(list); });
}

class AllReduce : public torch::autograd::Function<AllReduce> {
  public:
    static at::Tensor forward(torch::autograd::AutogradContext *, at::Tensor values) {
        auto result = values.contiguous().clone();
        all_reduce_in_place(result);
        return result;
    }
    static torch::autograd::variable_list backward(torch::autograd::AutogradContext *,
                                                   torch::autograd::variable_list gradients) {
        auto result = gradients[0].contiguous().clone();
        all_reduce_in_place(result);
        return {result};
    }
};

at::Tensor bytes_at(void *data, int64_t count) { return at::from_blob(data, {count}, at::kByte); }

// The store that this process has opened for others.
StoreHandle &opened_store() {
    static auto *store = new StoreHandle();
    return *store;
}

} // namespace

int64_t ct::world_size() {
    auto group = current.load(std::memory_order_relaxed);
    return group ? group->size : 1;
}

void ct::all_reduce(std::vector<double> &values) {
    if (world_size() == 1 || values.empty()) return;
    need().all_reduce(values);
}

at::Tensor ct::differentiable_all_reduce(const at::Tensor &values) { return AllReduce::apply(values); }

std::function<void()> ct::begin_all_reduce(const at::Tensor &values) { return need().begin_all_reduce(values); }

bool ct_group_is_available(void) { return true; }

int32_t ct_group_join(ct_group_options options, ct_group_lost lost) {
    return guard([&] {
        configure_c10d();
        TORCH_CHECK(!current.load(), "this process is in a group already");
        current = new ProcessGroup(options, lost);
    });
}

int32_t ct_group_select_backend(int32_t kind, int32_t index) {
    return guard([&] {
        if (auto group = current.load()) group->select_backend(device(kind, index));
    });
}

const char *ct_group_backend(int32_t kind) {
    auto group = current.load();
    return group ? group->backend_name(device_type(kind)) : "";
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

int32_t ct_group_size(void) { return static_cast<int32_t>(world_size()); }

int64_t ct_group_bytes(void) {
    auto group = current.load();
    return group ? group->bytes.load() : 0;
}

int32_t ct_group_name(int32_t rank, char *buffer, int64_t capacity) {
    return guard([&] { snprintf(buffer, static_cast<size_t>(capacity), "%s", need().name(rank).c_str()); });
}

int32_t ct_group_all_reduce(const ct_optional_tensor *handles, int64_t count) {
    return guard([&] {
        for (auto &tensor : tensors(handles, count)) all_reduce_in_place(tensor);
    });
}

int32_t ct_group_all_gather(const void *own, int64_t bytes, void *all) {
    return guard([&] {
        std::vector<at::Tensor> input = {bytes_at(const_cast<void *>(own), bytes)};
        std::vector<std::vector<at::Tensor>> output(1);
        for (int rank = 0; rank < need().size; rank++) {
            output[0].push_back(bytes_at(static_cast<char *>(all) + rank * bytes, bytes));
        }
        need().collective(bytes, false, [&](auto &backend) { return backend.allgather(output, input); });
    });
}

int32_t ct_group_broadcast(void *data, int64_t bytes) {
    return guard([&] {
        std::vector<at::Tensor> list = {bytes_at(data, bytes)};
        need().collective(bytes, false, [&](auto &backend) { return backend.broadcast(list); });
    });
}

int32_t ct_store_open(const char *host, int32_t *port) {
    return guard([&] {
        configure_c10d();
        opened_store() = open_store(host, 0, true, std::chrono::seconds(10));
        *port = static_cast<c10d::TCPStore &>(*opened_store()).getPort();
    });
}

int32_t ct_store_fail(const char *prefix, int32_t rank, const char *line) {
    return guard(
        [&] { c10d::PrefixStore(key_prefix(prefix), opened_store()).set(end_key(rank), std::string("!") + line); });
}

#else

// Built where there is no Gloo: every process is alone.
int64_t ct::world_size() { return 1; }
void ct::all_reduce(std::vector<double> &) {}
at::Tensor ct::differentiable_all_reduce(const at::Tensor &values) { return values; }
std::function<void()> ct::begin_all_reduce(const at::Tensor &) {
    return [] {};
}
static int32_t without() {
    return guard([] { TORCH_CHECK(false, "built without Gloo's headers, so without process groups"); });
}
bool ct_group_is_available(void) { return false; }
int32_t ct_group_join(ct_group_options, ct_group_lost) { return without(); }
int32_t ct_group_select_backend(int32_t, int32_t) { return CT_OK; }
const char *ct_group_backend(int32_t) { return ""; }
void ct_group_leave(void) {}
bool ct_group_fail(const char *) { return true; }
int32_t ct_group_rank(void) { return 0; }
int32_t ct_group_size(void) { return 1; }
int64_t ct_group_bytes(void) { return 0; }
int32_t ct_group_name(int32_t, char *, int64_t) { return without(); }
int32_t ct_group_all_reduce(const ct_optional_tensor *, int64_t) { return without(); }
int32_t ct_group_all_gather(const void *, int64_t, void *) { return without(); }
int32_t ct_group_broadcast(void *, int64_t) { return without(); }
int32_t ct_store_open(const char *, int32_t *) { return without(); }
int32_t ct_store_fail(const char *, int32_t, const char *) { return without(); }

#endif
