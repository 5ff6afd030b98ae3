#include "engine/guard.h"

#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>

const std::string &ct::cuda_opening_problem() {
    static const std::string problem = []() -> std::string {
#ifdef __APPLE__
        return "this system has no CUDA";
#else
        if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL)) return "";
        auto reason = dlerror();
        return std::string(reason ? reason : "libtorch_cuda.so: cannot be opened") +
               "; 'make cuda' fetches what CUDA needs";
#endif
    }();
    return problem;
}

int32_t ct::count_gpus() {
    if (!cuda_opening_problem().empty()) return 0;
    auto &hooks = at::detail::getCUDAHooks();
    return hooks.hasCUDA() ? hooks.deviceCount() : 0;
}

int32_t ct_cuda_unavailable_reason(char *buffer, int64_t capacity) {
    return ct::guard([&] {
        auto text = ct::cuda_opening_problem();
        if (text.empty() && ct::count_gpus() == 0) text = "no NVIDIA GPU is found, or its driver is not installed";
        snprintf(buffer, static_cast<size_t>(capacity), "%s", text.c_str());
    });
}
