#include "engine/guard.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/MPSHooksInterface.h>
#include <cstring>
#include <dlfcn.h>
#include <torch/csrc/api/include/torch/version.h>

#ifdef _OPENMP
#include <omp.h>
#endif

int32_t ct_interface(void) { return CT_INTERFACE; }

int32_t ct_load(void) { return CT_OK; }

const char *ct_engine_path(void) { return ""; }

const char *ct_last_error(void) { return ct::last_error().c_str(); }

const char *ct_version(void) { return TORCH_VERSION; }

int64_t ct_live_tensor_count(void) { return ct::live_tensors.load(); }

int32_t ct_set_num_threads(int32_t count) {
    return ct::guard([&] { at::set_num_threads(count); });
}

int32_t ct_get_num_threads(void) { return at::get_num_threads(); }

int32_t ct_device_count(int32_t kind) {
    int32_t count = 0;
    ct::guard([&] {
        if (kind == CT_CPU) count = 1;
        if (kind == CT_CUDA) count = ct::count_gpus();
        if (kind == CT_MPS) count = at::detail::getMPSHooks().hasMPS() ? 1 : 0;
    });
    return count;
}

int32_t ct_library_path(char *buffer, int64_t capacity) {
    return ct::guard([&] {
        Dl_info info;
        auto address = reinterpret_cast<void *>(static_cast<void (*)(int)>(&at::set_num_threads));
        std::string path = dladdr(address, &info) && info.dli_fname ? info.dli_fname : "unknown";
        strncpy(buffer, path.c_str(), static_cast<size_t>(capacity - 1));
        buffer[capacity - 1] = 0;
    });
}
