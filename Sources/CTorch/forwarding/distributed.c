// Forwards of ctorch_distributed.h. A process that has not asked for an engine is in no group.
#include "forwarding.h"

#pragma clang assume_nonnull begin

CT_FORWARD(bool, false, ct_group_is_available, (void), ())
CT_STATUS(ct_group_join, (ct_group_options options, ct_group_lost _Nullable lost), (options, lost))
CT_STATUS(ct_group_select_backend, (int32_t kind, int32_t index), (kind, index))
CT_FORWARD(const char *, "", ct_group_backend, (int32_t kind), (kind))
CT_ANSWER(void, (void)0, ct_group_leave, (void), ())
CT_ANSWER(bool, true, ct_group_fail, (const char *line), (line))
CT_ANSWER(int32_t, 0, ct_group_rank, (void), ())
CT_ANSWER(int32_t, 1, ct_group_size, (void), ())
CT_ANSWER(int64_t, 0, ct_group_bytes, (void), ())
CT_STATUS(ct_group_name, (int32_t rank, char *buffer, int64_t capacity), (rank, buffer, capacity))
CT_STATUS(ct_group_all_reduce, (const ct_optional_tensor *_Nonnull list, int64_t count), (list, count))
CT_STATUS(ct_group_all_gather, (const void *own, int64_t bytes, void *all), (own, bytes, all))
CT_STATUS(ct_group_broadcast, (void *data, int64_t bytes), (data, bytes))
CT_STATUS(ct_store_open, (const char *host, int32_t *port), (host, port))
CT_STATUS(ct_store_fail, (const char *prefix, int32_t rank, const char *line), (prefix, rank, line))
CT_STATUS(ct_nccl_check, (int32_t index), (index))
CT_STATUS(ct_group_gradients,
          (ct_tensor root, const ct_optional_tensor *_Nonnull inputs, int64_t count, int64_t bucket_bytes,
           ct_optional_tensor *_Nonnull out),
          (root, inputs, count, bucket_bytes, out))

#pragma clang assume_nonnull end
