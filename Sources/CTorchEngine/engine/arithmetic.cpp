#include "engine/guard.h"
#include "kernels/argmax.h"

#include <ATen/Functions.h>

using namespace ct;

#define CT_UNARY(name, expression)                                                                                     \
    int32_t ct_##name(ct_tensor a, ct_optional_tensor *out) {                                                          \
        return return_tensor(out, [&] { return expression; });                                                         \
    }

#define CT_BINARY(name, expression)                                                                                    \
    int32_t ct_##name(ct_tensor a, ct_tensor b, ct_optional_tensor *out) {                                             \
        return return_tensor(out, [&] { return expression; });                                                         \
    }

#define CT_SCALAR(name, expression)                                                                                    \
    int32_t ct_##name(ct_tensor a, double b, ct_optional_tensor *out) {                                                \
        return return_tensor(out, [&] { return expression; });                                                         \
    }

#define CT_ALONG(name, expression)                                                                                     \
    int32_t ct_##name(ct_tensor a, int64_t dim, ct_optional_tensor *out) {                                             \
        return return_tensor(out, [&] { return expression; });                                                         \
    }

CT_UNARY(neg, at::neg(get(a)))
CT_UNARY(exp, at::exp(get(a)))
CT_UNARY(log, at::log(get(a)))
CT_UNARY(sqrt, at::sqrt(get(a)))
CT_UNARY(abs, at::abs(get(a)))
CT_UNARY(relu, at::relu(get(a)))
CT_UNARY(relu6, at::relu6(get(a)))
CT_UNARY(sigmoid, at::sigmoid(get(a)))
CT_UNARY(floor, at::floor(get(a)))
CT_UNARY(isfinite, at::isfinite(get(a)))

CT_BINARY(add, at::add(get(a), get(b)))
CT_BINARY(sub, at::sub(get(a), get(b)))
CT_BINARY(mul, at::mul(get(a), get(b)))
CT_BINARY(div, at::div(get(a), get(b)))
CT_BINARY(maximum, at::maximum(get(a), get(b)))
CT_BINARY(matmul, at::matmul(get(a), get(b)))

CT_SCALAR(add_scalar, at::add(get(a), b))
CT_SCALAR(mul_scalar, at::mul(get(a), b))
CT_SCALAR(rsub_scalar, at::rsub(get(a), b))
CT_SCALAR(rdiv_scalar, at::mul(at::reciprocal(get(a)), b))
CT_SCALAR(pow_scalar, at::pow(get(a), b))
CT_SCALAR(eq_scalar, at::eq(get(a), b))
CT_SCALAR(lt_scalar, at::lt(get(a), b))

CT_ALONG(softmax, at::softmax(get(a), dim))
CT_ALONG(log_softmax, at::log_softmax(get(a), dim))
CT_ALONG(argmax, argmax(get(a), dim))

int32_t ct_amax(ct_tensor a, int64_t dim, bool keep, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return at::amax(get(a), dim, keep); });
}

int32_t ct_sum(ct_tensor a, const int64_t *dims, int64_t count, bool keep, ct_optional_tensor *out) {
    return return_tensor(out, [&] {
        return dims ? at::sum(get(a), at::IntArrayRef(dims, static_cast<size_t>(count)), keep) : at::sum(get(a));
    });
}

int32_t ct_mean(ct_tensor a, const int64_t *dims, int64_t count, bool keep, ct_optional_tensor *out) {
    return return_tensor(out, [&] {
        return dims ? at::mean(get(a), at::IntArrayRef(dims, static_cast<size_t>(count)), keep) : at::mean(get(a));
    });
}

int32_t ct_where(ct_tensor condition, ct_tensor a, ct_tensor b, ct_optional_tensor *out) {
    return return_tensor(out, [&] { return at::where(get(condition), get(a), get(b)); });
}

int32_t ct_relu_in_place(ct_tensor a) {
    return guard([&] { get(a).relu_(); });
}

int32_t ct_relu6_in_place(ct_tensor a) {
    return guard([&] { at::relu6_(get(a)); });
}

int32_t ct_add_in_place(ct_tensor a, ct_tensor b, double scale) {
    return guard([&] { get(a).add_(get(b), scale); });
}

int32_t ct_mul_in_place(ct_tensor a, double scale) {
    return guard([&] { get(a).mul_(scale); });
}

int32_t ct_fill_in_place(ct_tensor a, double value) {
    return guard([&] { get(a).fill_(value); });
}

int32_t ct_copy_in_place(ct_tensor a, ct_tensor source) {
    return guard([&] { get(a).copy_(get(source)); });
}
