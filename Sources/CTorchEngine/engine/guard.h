// Shared by all C entry points: tensor handles, and the guard that keeps exceptions from crossing into C.
#pragma once

#if !__has_include(<ATen/core/Tensor.h>)
#error "no libtorch: run AutoDeepLab's scripts/setup.sh, for another package with --shared"
#endif

#include "ctorch.h"
#include "engine/cuda.h"

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <atomic>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace ct {

inline std::atomic<int64_t> live_tensors{0};

// Another rank of the process group is lost; the text names it.
struct PeerLost : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The system refuses to start a thread.
struct NoThread : std::runtime_error {
    NoThread()
        : std::runtime_error("no thread can be started: raise the limits of processes and memory (ulimit -u, -v)") {}
};

inline std::string &last_error() {
    static thread_local std::string text;
    return text;
}

inline at::Tensor &get(ct_tensor handle) { return *reinterpret_cast<at::Tensor *>(handle); }

inline std::optional<at::Tensor> optional_tensor(ct_optional_tensor handle) {
    return handle ? std::optional<at::Tensor>(get(handle)) : std::nullopt;
}

inline ct_tensor wrap(at::Tensor tensor) {
    auto *box = new at::Tensor(std::move(tensor));
    live_tensors.fetch_add(1, std::memory_order_relaxed);
    return reinterpret_cast<ct_tensor>(box);
}

inline std::vector<at::Tensor> tensors(const ct_optional_tensor *handles, int64_t count) {
    std::vector<at::Tensor> result;
    result.reserve(count);
    for (int64_t i = 0; i < count; i++) result.push_back(handles[i] ? get(handles[i]) : at::Tensor());
    return result;
}

inline at::Generator &generator(ct_generator handle) { return *reinterpret_cast<at::Generator *>(handle); }

inline c10::DeviceType device_type(int32_t kind) {
    return kind == CT_CUDA ? c10::kCUDA : kind == CT_MPS ? c10::kMPS : c10::kCPU;
}

// A device to compute on; loads libtorch_cuda first where it is a GPU.
inline c10::Device device(int32_t kind, int32_t index) {
    if (kind == CT_CUDA) TORCH_CHECK(cuda_opening_problem().empty(), cuda_opening_problem());
    return c10::Device(device_type(kind), static_cast<c10::DeviceIndex>(kind == CT_CPU ? -1 : index));
}

inline c10::ScalarType dtype(int32_t code) { return static_cast<c10::ScalarType>(code); }

// Under autocast most CPU convolutions return bfloat16, for which there are no row kernels.
inline at::Tensor upcast_bfloat16(const at::Tensor &x) {
    return x.is_cpu() && x.scalar_type() == at::kBFloat16 ? x.to(at::kFloat) : x;
}

template <typename Body> int32_t guard(Body &&body) noexcept {
    try {
        body();
        return CT_OK;
    } catch (const PeerLost &error) {
        last_error() = error.what();
        return CT_PEER_LOST;
    } catch (const c10::OutOfMemoryError &error) {
        last_error() = error.what_without_backtrace();
        return CT_OUT_OF_MEMORY;
    } catch (const std::bad_alloc &) {
        last_error() = "out of memory";
        return CT_OUT_OF_MEMORY;
    } catch (const c10::Error &error) {
        last_error() = error.what_without_backtrace();
        return last_error().find("DefaultCPUAllocator") != std::string::npos ? CT_OUT_OF_MEMORY : CT_ERROR;
    } catch (const std::exception &error) {
        last_error() = error.what();
        return CT_ERROR;
    } catch (...) {
        last_error() = "unknown C++ exception";
        return CT_ERROR;
    }
}

// Runs an operation that returns one tensor.
template <typename Body> int32_t return_tensor(ct_optional_tensor *out, Body &&body) noexcept {
    return guard([&] { *out = wrap(body()); });
}

} // namespace ct
