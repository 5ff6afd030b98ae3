#include "kernels/bytes.h"
#include "engine/guard.h"

using namespace ct;

static ByteScale scale_of(ct_byte_scale scale) { return {scale.scale, scale.zero}; }

static ByteConvolution form_of(ct_byte_convolution form) {
    return {form.stride, form.padding, form.dilation, form.groups};
}

bool ct_has_byte_convolutions(void) { return has_byte_convolutions(); }

int32_t ct_to_bytes(ct_tensor x, ct_byte_scale scale, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return to_bytes(get(x), scale_of(scale)); });
}

int32_t ct_from_bytes(ct_tensor q, ct_byte_scale scale, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return from_bytes(get(q), scale_of(scale)); });
}

int32_t ct_add_bytes(ct_tensor a, ct_byte_scale a_scale, ct_tensor b, ct_byte_scale b_scale, ct_byte_scale scale,
                     ct_optional_tensor *out) {
    return return_tensor(
        out, [&] { return add_bytes(get(a), scale_of(a_scale), get(b), scale_of(b_scale), scale_of(scale)); });
}

int32_t ct_pack_byte_kernel(ct_tensor kernel, ct_tensor scales, ct_byte_scale input, const int64_t *shape, int64_t rank,
                            ct_byte_convolution form, ct_optional_tensor *out) {
    return return_tensor(out, [&] {
        return pack_byte_kernel(get(kernel), get(scales), scale_of(input), at::IntArrayRef(shape, rank), form_of(form));
    });
}

int32_t ct_byte_conv2d(ct_tensor q, ct_byte_scale input, ct_tensor packed, ct_tensor scales, ct_tensor bias,
                       ct_byte_convolution form, const ct_byte_scale *output, ct_optional_tensor *out) {
    return return_tensor(out, [&] {
        return byte_conv2d(get(q), scale_of(input), get(packed), get(scales), get(bias), form_of(form),
                           output ? std::optional(scale_of(*output)) : std::nullopt);
    });
}
