#include "engine/guard.h"

#include <ATen/Functions.h>

using namespace ct;

static at::IntArrayRef sizes(const int64_t *values, int64_t count) { return {values, static_cast<size_t>(count)}; }

int32_t ct_reshape(ct_tensor a, const int64_t *shape, int64_t rank, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return get(a).reshape(sizes(shape, rank)); });
}

int32_t ct_expand(ct_tensor a, const int64_t *shape, int64_t rank, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return get(a).expand(sizes(shape, rank)); });
}

int32_t ct_permute(ct_tensor a, const int64_t *dims, int64_t rank, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return get(a).permute(sizes(dims, rank)); });
}

int32_t ct_transpose(ct_tensor a, int64_t dim0, int64_t dim1, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return get(a).transpose(dim0, dim1); });
}

int32_t ct_unsqueeze(ct_tensor a, int64_t dim, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return get(a).unsqueeze(dim); });
}

int32_t ct_squeeze(ct_tensor a, int64_t dim, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return get(a).squeeze(dim); });
}

int32_t ct_narrow(ct_tensor a, int64_t dim, int64_t start, int64_t length, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return get(a).narrow(dim, start, length); });
}

int32_t ct_select(ct_tensor a, int64_t dim, int64_t index, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return get(a).select(dim, index); });
}

int32_t ct_index_select(ct_tensor a, int64_t dim, ct_tensor indices, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return get(a).index_select(dim, get(indices)); });
}

int32_t ct_flip(ct_tensor a, const int64_t *dims, int64_t count, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return get(a).flip(sizes(dims, count)); });
}

int32_t ct_repeat_interleave(ct_tensor a, int64_t times, int64_t dim, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return get(a).repeat_interleave(times, dim); });
}

int32_t ct_cat(const ct_optional_tensor *handles, int64_t count, int64_t dim, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return at::cat(tensors(handles, count), dim); });
}

int32_t ct_stack(const ct_optional_tensor *handles, int64_t count, int64_t dim, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return at::stack(tensors(handles, count), dim); });
}

int32_t ct_pad(ct_tensor a, const int64_t *pads, int64_t count, double value, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return at::constant_pad_nd(get(a), sizes(pads, count), value); });
}
