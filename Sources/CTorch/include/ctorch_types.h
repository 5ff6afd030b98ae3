// Handles, status codes and enumerations of the C interface.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

typedef struct ct_tensor_impl *ct_tensor;
typedef struct ct_generator_impl *ct_generator;
typedef ct_tensor _Nullable ct_optional_tensor;

// Raised with every change of a declaration: an engine in a library of its own must have been built with the same ones.
#define CT_INTERFACE 5

enum { CT_OK = 0, CT_ERROR = 1, CT_OUT_OF_MEMORY = 2, CT_PEER_LOST = 3 };

// Data types, numbered as c10::ScalarType.
enum {
    CT_UINT8 = 0,
    CT_INT32 = 3,
    CT_INT64 = 4,
    CT_FLOAT16 = 5,
    CT_FLOAT32 = 6,
    CT_FLOAT64 = 7,
    CT_BOOL = 11,
    CT_BFLOAT16 = 15,
};

enum { CT_CPU = 0, CT_CUDA = 1, CT_MPS = 2 };

// What follows a batch normalisation.
enum { CT_NO_ACTIVATION = 0, CT_RELU = 1, CT_RELU6 = 2 };

// Real numbers x as bytes q: x = scale (q - zero).
typedef struct {
    double scale;
    int64_t zero;
} ct_byte_scale;

// How a convolution of bytes moves over its input.
typedef struct {
    int64_t stride, padding, dilation, groups;
} ct_byte_convolution;

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
