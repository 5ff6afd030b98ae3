// What ProcessGroupNCCL.hpp needs of headers of CUDA's libraries and NCCL, which are not here (three gigabytes):
// handles are pointers, and ncclConfig_t has the size that it has in NCCL 2.32. With TRUE_NCCL that header itself is
// taken.
#pragma once

#include <climits>
#include <cstddef>
#include <cstdint>
#include <cuda_runtime_api.h>

typedef struct cublasContext *cublasHandle_t;
typedef struct cublasLtContext *cublasLtHandle_t;
typedef struct cusparseContext *cusparseHandle_t;
typedef struct cusolverDnContext *cusolverDnHandle_t;
enum cublasStatus_t {};
enum cusolverStatus_t {};

#ifdef TRUE_NCCL
#include <nccl.h>
#else
typedef struct ncclComm *ncclComm_t;
typedef struct {
    char internal[128];
} ncclUniqueId;
enum ncclResult_t { ncclSuccess, ncclInProgress = 7 };
enum ncclRedOp_t {};
enum ncclDataType_t {
    ncclInt8,
    ncclUint8,
    ncclInt32,
    ncclInt64,
    ncclHalf,
    ncclFloat,
    ncclDouble,
    ncclBfloat16,
    ncclFloat8e4m3,
    ncclFloat8e5m2
};
#ifndef NCCL_CONFIG_BYTES
#define NCCL_CONFIG_BYTES 120
#endif
struct ncclConfig_t {
    char before[32];
    const char *netName;
    char after[NCCL_CONFIG_BYTES - 40];
};
ncclResult_t ncclRedOpDestroy(ncclRedOp_t, ncclComm_t);
#define NCCL_MAJOR 2
#define NCCL_MINOR 32
#define NCCL_VERSION(x, y, z) ((x) * 10000 + (y) * 100 + (z))
#define NCCL_VERSION_CODE NCCL_VERSION(2, 32, 0)
#define NCCL_CONFIG_INITIALIZER                                                                                        \
    {                                                                                                                  \
    }
#define NCCL_SPLIT_NOCOLOR -1
#endif
