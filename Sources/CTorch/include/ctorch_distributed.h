// Process groups: rendezvous, collectives and gradient all-reduce.
#pragma once

#include "ctorch_types.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

// MARK: process_group.cpp

// How a process finds the others. The store is a small key-value server: rank 0 opens it, or a launcher that outlives
// the ranks has opened it before.
typedef struct {
    const char *host;
    int32_t port;
    bool opens_store;
    // Whether all ranks are on this machine, so that the store need not be reachable from others.
    bool one_machine;
    // Separates the keys of one launch from those of others in a store that outlives them.
    const char *prefix;
    int32_t rank;
    int32_t size;
    // How long to wait for a rank to appear, and for a heartbeat of one that has.
    double heartbeat_timeout_seconds;
    // How long a collective may take before the rank that does not take part counts as hanging.
    double timeout_seconds;
} ct_group_options;

// Called from a thread of the process group when a rank is lost; `line` names it.
typedef void (*ct_group_lost)(const char *line);

bool ct_group_is_available(void);
int32_t ct_group_join(ct_group_options options, ct_group_lost _Nullable lost);
// Collective: every rank tells its device. CUDA tensors are reduced by NCCL where each rank has a GPU of its own.
int32_t ct_group_select_backend(int32_t kind, int32_t index);
// Name of the backend that reduces tensors on a kind of device; empty for a process alone.
const char *ct_group_backend(int32_t kind);
// Tells the other ranks that this one is done, or, by a line, why it fails.
void ct_group_leave(void);
// Returns whether this is the first rank of the group to fail, and so the one to report.
bool ct_group_fail(const char *line);
int32_t ct_group_rank(void);
int32_t ct_group_size(void);
// Bytes that this process has passed to collectives.
int64_t ct_group_bytes(void);
int32_t ct_group_name(int32_t rank, char *buffer, int64_t capacity);
// Sums each tensor over all ranks, in place.
int32_t ct_group_all_reduce(const ct_optional_tensor *_Nonnull list, int64_t count);
// `bytes` bytes of every rank, in the order of ranks.
int32_t ct_group_all_gather(const void *own, int64_t bytes, void *all);
// Rank 0's bytes, in place.
int32_t ct_group_broadcast(void *data, int64_t bytes);

// For the launcher of a group on one machine: opens its store at a free port, and reports there that a rank has ended.
int32_t ct_store_open(const char *host, int32_t *port);
int32_t ct_store_fail(const char *prefix, int32_t rank, const char *line);

// MARK: nccl.cpp

// Runs an all-reduce by NCCL on a GPU, in a group of this process alone.
int32_t ct_nccl_check(int32_t index);

// MARK: gradient_buckets.cpp

// As ct_gradients of one root, summed over all ranks in buckets of `bucket_bytes`, whose all-reduces overlap the
// backward pass.
int32_t ct_group_gradients(ct_tensor root, const ct_optional_tensor *_Nonnull inputs, int64_t count,
                           int64_t bucket_bytes, ct_optional_tensor *_Nonnull out);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
