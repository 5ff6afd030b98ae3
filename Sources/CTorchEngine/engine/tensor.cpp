#include "engine/guard.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <cstring>

using namespace ct;

void ct_free(ct_tensor tensor) {
    live_tensors.fetch_sub(1, std::memory_order_relaxed);
    delete reinterpret_cast<at::Tensor *>(tensor);
}

static at::TensorOptions options(int32_t kind, int32_t target, int32_t index) {
    return at::TensorOptions().dtype(dtype(kind)).device(device(target, index));
}

int32_t ct_from_data(const void *data, const int64_t *shape, int64_t rank, int32_t kind, int32_t target, int32_t index,
                     ct_optional_tensor *out) {
    return return_tensor(out, [&] {
        auto host = at::empty({shape, static_cast<size_t>(rank)}, at::TensorOptions().dtype(dtype(kind)));
        if (host.nbytes()) memcpy(host.mutable_data_ptr(), data, host.nbytes());
        return host.to(device(target, index));
    });
}

int32_t ct_full(double value, const int64_t *shape, int64_t rank, int32_t kind, int32_t target, int32_t index,
                ct_optional_tensor *out) {
    return return_tensor(
        out, [&] { return at::full({shape, static_cast<size_t>(rank)}, value, options(kind, target, index)); });
}

int32_t ct_copy_to_buffer(ct_tensor tensor, int32_t kind, void *data, int64_t bytes) {
    return guard([&] {
        auto host = get(tensor).detach().to(c10::kCPU).to(dtype(kind)).contiguous();
        TORCH_CHECK(static_cast<int64_t>(host.nbytes()) == bytes, "copy of ", host.nbytes(), " bytes into ", bytes);
        if (bytes) memcpy(data, host.const_data_ptr(), bytes);
    });
}

int32_t ct_copy_from_buffer(ct_tensor tensor, const void *data, int64_t bytes) {
    return guard([&] {
        at::NoGradGuard none;
        auto &target = get(tensor);
        auto host = at::empty(target.sizes(), at::TensorOptions().dtype(target.scalar_type()));
        TORCH_CHECK(static_cast<int64_t>(host.nbytes()) == bytes, "copy of ", bytes, " bytes into ", host.nbytes());
        if (bytes) memcpy(host.mutable_data_ptr(), data, bytes);
        target.copy_(host);
    });
}

int32_t ct_item(ct_tensor tensor, double *out) {
    return guard([&] { *out = get(tensor).item().toDouble(); });
}

int64_t ct_dim(ct_tensor tensor) { return get(tensor).dim(); }
int64_t ct_size(ct_tensor tensor, int64_t dim) { return get(tensor).sizes()[dim]; }
int64_t ct_numel(ct_tensor tensor) { return get(tensor).numel(); }
int32_t ct_dtype(ct_tensor tensor) { return static_cast<int32_t>(get(tensor).scalar_type()); }

int32_t ct_device(ct_tensor tensor, int32_t *index) {
    auto where = get(tensor).device();
    *index = where.has_index() ? where.index() : 0;
    return where.is_cuda() ? CT_CUDA : where.is_mps() ? CT_MPS : CT_CPU;
}

bool ct_is_channels_last(ct_tensor tensor) { return get(tensor).is_contiguous(at::MemoryFormat::ChannelsLast); }

int32_t ct_to_dtype(ct_tensor tensor, int32_t kind, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return get(tensor).to(dtype(kind)); });
}

int32_t ct_to_device(ct_tensor tensor, int32_t target, int32_t index, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return get(tensor).to(device(target, index)); });
}

int32_t ct_contiguous(ct_tensor tensor, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return get(tensor).contiguous(); });
}

int32_t ct_channels_last(ct_tensor tensor, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return get(tensor).contiguous(at::MemoryFormat::ChannelsLast); });
}

int32_t ct_clone(ct_tensor tensor, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return get(tensor).clone(); });
}

int32_t ct_alias(ct_tensor tensor, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return get(tensor); });
}
