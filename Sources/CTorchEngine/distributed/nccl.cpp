#include "distributed/nccl.h"
#include "distributed/nccl_layout.h"
#include "distributed/rendezvous.h"

#ifdef USE_C10D_GLOO
#include <ATen/Functions.h>
#include <ATen/Version.h>
#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <torch/csrc/api/include/torch/version.h>
#include <torch/csrc/distributed/c10d/HashStore.hpp>

using namespace ct;

namespace {

using Options = c10::intrusive_ptr<c10d::Backend::Options>;

// The header of c10d::ProcessGroupNCCL needs those of all CUDA libraries, three gigabytes, and libtorch_cuda is loaded
// by dlopen, not linked. So its two constructors are called by their mangled names, which say what they take; all else
// is virtual in c10d::Backend, its first base.
constexpr auto options_name = "_ZN4c10d16ProcessGroupNCCL7OptionsC1Eb";
constexpr auto group_name = "_ZN4c10d16ProcessGroupNCCLC1EN3c1013intrusive_ptrINS_5StoreENS1_6detail34intrusive_target_"
                            "default_null_typeIS3_EEEEiiNS2_INS0_7OptionsENS5_IS8_EEEE";

// Space beyond what an object is known to take, filled with a byte that its constructor must leave as it is.
constexpr size_t spare_bytes = 1 << 14;
constexpr unsigned char untouched = 0xA5;

// The version of the libtorch that is loaded, which need not be that of the headers.
std::string loaded_version() {
    const std::string key = "TORCH_VERSION=";
    auto text = at::show_config();
    auto start = text.find(key);
    if (start == std::string::npos) return "of an unknown version";
    start += key.size();
    return text.substr(start, text.find_first_of(",\n", start) - start);
}

// Nothing of another version's class is guessed.
void refuse_other_versions() {
    auto known = std::to_string(nccl_torch_major) + "." + std::to_string(nccl_torch_minor);
    auto loaded = loaded_version();
    TORCH_CHECK(TORCH_VERSION_MAJOR == nccl_torch_major && TORCH_VERSION_MINOR == nccl_torch_minor,
                "this program was built with libtorch " TORCH_VERSION ", and knows NCCL's process group of ", known,
                " alone");
    TORCH_CHECK(loaded.rfind(known + ".", 0) == 0, "libtorch ", loaded,
                " is loaded, and this program knows NCCL's process group of ", known, " alone");
}

// Never freed, so that its size is not needed again.
template <typename Base, typename... Arguments>
c10::intrusive_ptr<Base> construct(const char *name, size_t bytes, Arguments... all) {
    auto constructor = reinterpret_cast<void (*)(void *, Arguments...)>(dlsym(RTLD_DEFAULT, name));
    TORCH_CHECK(constructor, "libtorch_cuda has no ProcessGroupNCCL");
    auto object = static_cast<unsigned char *>(std::calloc(1, bytes + spare_bytes));
    if (!object) throw std::bad_alloc();
    auto end = object + bytes;
    std::fill_n(end, spare_bytes, untouched);
    try {
        constructor(object, std::move(all)...);
    } catch (...) {
        std::free(object);
        throw;
    }
    TORCH_CHECK(std::all_of(end, end + spare_bytes, [](auto byte) { return byte == untouched; }),
                "ProcessGroupNCCL of the libtorch that is loaded is larger than this program knows it");
    return c10::intrusive_ptr<Base>::unsafe_steal_from_new(reinterpret_cast<Base *>(object));
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
    refuse_other_versions();
    auto options = construct<c10d::Backend::Options>(options_name, nccl_options_bytes, false);
    options->timeout = timeout;
    Options(options).release();
    auto nccl = construct<c10d::Backend>(group_name, nccl_group_bytes, std::move(store), rank, size, std::move(options))
                    .release();
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
