#include "distributed/nccl.h"
#include "distributed/rendezvous.h"

#ifdef USE_C10D_GLOO
#include <ATen/Functions.h>
#include <cstdlib>
#include <dlfcn.h>
#include <torch/csrc/api/include/torch/version.h>
#include <torch/csrc/distributed/c10d/HashStore.hpp>

using namespace ct;

namespace {

using Options = c10::intrusive_ptr<c10d::Backend::Options>;

// The header of c10d::ProcessGroupNCCL needs those of all CUDA libraries, three gigabytes, and libtorch_cuda is loaded
// by dlopen, not linked. So its two constructors are called by their mangled names; all else is virtual in
// c10d::Backend, its first base. The objects have 1184 and 304 bytes in libtorch 2.15. They are never freed, so their
// size is not needed again.
static_assert(TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR == 15, "look at ProcessGroupNCCL's constructors again");
constexpr size_t object_bytes = 1 << 14;
constexpr auto options_name = "_ZN4c10d16ProcessGroupNCCL7OptionsC1Eb";
constexpr auto group_name = "_ZN4c10d16ProcessGroupNCCLC1EN3c1013intrusive_ptrINS_5StoreENS1_6detail34intrusive_target_"
                            "default_null_typeIS3_EEEEiiNS2_INS0_7OptionsENS5_IS8_EEEE";

template <typename Base, typename... Arguments> c10::intrusive_ptr<Base> construct(const char *name, Arguments... all) {
    auto constructor = reinterpret_cast<void (*)(void *, Arguments...)>(dlsym(RTLD_DEFAULT, name));
    TORCH_CHECK(constructor, "libtorch_cuda has no ProcessGroupNCCL");
    auto object = std::calloc(1, object_bytes);
    if (!object) throw std::bad_alloc();
    try {
        constructor(object, std::move(all)...);
    } catch (...) {
        std::free(object);
        throw;
    }
    return c10::intrusive_ptr<Base>::unsafe_steal_from_new(static_cast<Base *>(object));
}

} // namespace

std::string ct::gpu_bus_id(c10::Device device) {
    using BusName = int (*)(char *, int, int);
    auto bus_name = reinterpret_cast<BusName>(dlsym(RTLD_DEFAULT, "cudaDeviceGetPCIBusId"));
    char name[64] = "";
    auto found = device.is_cuda() && bus_name && bus_name(name, sizeof name, device.index()) == 0;
    return found ? name : "";
}

c10d::Backend *ct::open_nccl(StoreHandle store, int rank, int size, std::chrono::milliseconds timeout,
                             c10::Device gpu) {
    auto options = construct<c10d::Backend::Options>(options_name, false);
    options->timeout = timeout;
    Options(options).release();
    auto nccl = construct<c10d::Backend>(group_name, std::move(store), rank, size, std::move(options)).release();
    auto own = at::arange(4, at::kFloat);
    std::vector<at::Tensor> list = {own.to(gpu)};
    nccl->allreduce(list)->wait();
    TORCH_CHECK(list[0].cpu().equal(own * size), "NCCL adds up wrongly");
    return nccl;
}

int32_t ct_nccl_check(int32_t index) {
    return guard([&] {
        configure_c10d();
        auto store = c10::make_intrusive<c10d::HashStore>();
        open_nccl(store, 0, 1, std::chrono::seconds(60), device(CT_CUDA, index))->shutdown();
    });
}
#else
int32_t ct_nccl_check(int32_t) {
    return ct::guard([] { TORCH_CHECK(false, "built without Gloo's headers, so without process groups"); });
}
#endif
