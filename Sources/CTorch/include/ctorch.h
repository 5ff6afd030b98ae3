// The C face of libtorch: everything that Swift may ask of the engine.
//
// Every function returns a status and gives its result through an out-pointer. No C++ exception crosses this border:
// its text is kept per thread and read by ct_last_error. Tensors are handles; each handle that is given out is freed
// once, with ct_free. Lists of handles are borrowed for the length of the call.
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

enum { CT_OK = 0, CT_ERROR = 1, CT_OUT_OF_MEMORY = 2, CT_PEER_LOST = 3 };

// Kinds of elements, numbered as libtorch's ScalarType.
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

// MARK: engine.cpp
const char *ct_last_error(void);
const char *ct_version(void);
int64_t ct_live_tensors(void);
int32_t ct_set_threads(int32_t count);
int32_t ct_threads(void);
bool ct_device_available(int32_t kind);
int32_t ct_device_count(int32_t kind);
int32_t ct_library_path(char *buffer, int64_t capacity);

// MARK: cuda.cpp
// Why there is no NVIDIA GPU to compute on; empty where there is one.
int32_t ct_cuda_problem(char *buffer, int64_t capacity);

// MARK: tensor.cpp
void ct_free(ct_tensor tensor);
int32_t ct_from_data(const void *data, const int64_t *shape, int64_t rank, int32_t dtype, int32_t device, int32_t index,
                     ct_optional_tensor *_Nonnull out);
int32_t ct_empty(const int64_t *shape, int64_t rank, int32_t dtype, int32_t device, int32_t index,
                 ct_optional_tensor *_Nonnull out);
int32_t ct_full(double value, const int64_t *shape, int64_t rank, int32_t dtype, int32_t device, int32_t index,
                ct_optional_tensor *_Nonnull out);
int32_t ct_arange(int64_t count, int32_t device, int32_t index, ct_optional_tensor *_Nonnull out);
int32_t ct_copy_out(ct_tensor tensor, int32_t dtype, void *data, int64_t bytes);
int32_t ct_write(ct_tensor tensor, const void *data, int64_t bytes);
int32_t ct_item(ct_tensor tensor, double *out);
int64_t ct_rank(ct_tensor tensor);
int64_t ct_size(ct_tensor tensor, int64_t dim);
int64_t ct_count(ct_tensor tensor);
int32_t ct_dtype(ct_tensor tensor);
int32_t ct_device(ct_tensor tensor, int32_t *index);
bool ct_is_channels_last(ct_tensor tensor);
int32_t ct_to_dtype(ct_tensor tensor, int32_t dtype, ct_optional_tensor *_Nonnull out);
int32_t ct_to_device(ct_tensor tensor, int32_t device, int32_t index, ct_optional_tensor *_Nonnull out);
int32_t ct_contiguous(ct_tensor tensor, ct_optional_tensor *_Nonnull out);
int32_t ct_channels_last(ct_tensor tensor, ct_optional_tensor *_Nonnull out);
int32_t ct_clone(ct_tensor tensor, ct_optional_tensor *_Nonnull out);
int32_t ct_alias(ct_tensor tensor, ct_optional_tensor *_Nonnull out);

// MARK: shape.cpp
int32_t ct_reshape(ct_tensor a, const int64_t *shape, int64_t rank, ct_optional_tensor *_Nonnull out);
int32_t ct_expand(ct_tensor a, const int64_t *shape, int64_t rank, ct_optional_tensor *_Nonnull out);
int32_t ct_permute(ct_tensor a, const int64_t *dims, int64_t rank, ct_optional_tensor *_Nonnull out);
int32_t ct_transpose(ct_tensor a, int64_t dim0, int64_t dim1, ct_optional_tensor *_Nonnull out);
int32_t ct_unsqueeze(ct_tensor a, int64_t dim, ct_optional_tensor *_Nonnull out);
int32_t ct_squeeze(ct_tensor a, int64_t dim, ct_optional_tensor *_Nonnull out);
int32_t ct_narrow(ct_tensor a, int64_t dim, int64_t start, int64_t length, ct_optional_tensor *_Nonnull out);
int32_t ct_select(ct_tensor a, int64_t dim, int64_t index, ct_optional_tensor *_Nonnull out);
int32_t ct_index_select(ct_tensor a, int64_t dim, ct_tensor indices, ct_optional_tensor *_Nonnull out);
int32_t ct_flip(ct_tensor a, const int64_t *dims, int64_t count, ct_optional_tensor *_Nonnull out);
int32_t ct_repeat_interleave(ct_tensor a, int64_t times, int64_t dim, ct_optional_tensor *_Nonnull out);
int32_t ct_cat(const ct_optional_tensor *_Nonnull list, int64_t count, int64_t dim, ct_optional_tensor *_Nonnull out);
int32_t ct_stack(const ct_optional_tensor *_Nonnull list, int64_t count, int64_t dim, ct_optional_tensor *_Nonnull out);
int32_t ct_pad(ct_tensor a, const int64_t *pads, int64_t count, double value, ct_optional_tensor *_Nonnull out);

// MARK: arithmetic.cpp
int32_t ct_add(ct_tensor a, ct_tensor b, ct_optional_tensor *_Nonnull out);
int32_t ct_sub(ct_tensor a, ct_tensor b, ct_optional_tensor *_Nonnull out);
int32_t ct_mul(ct_tensor a, ct_tensor b, ct_optional_tensor *_Nonnull out);
int32_t ct_div(ct_tensor a, ct_tensor b, ct_optional_tensor *_Nonnull out);
int32_t ct_maximum(ct_tensor a, ct_tensor b, ct_optional_tensor *_Nonnull out);
int32_t ct_add_scalar(ct_tensor a, double b, ct_optional_tensor *_Nonnull out);
int32_t ct_mul_scalar(ct_tensor a, double b, ct_optional_tensor *_Nonnull out);
int32_t ct_rsub_scalar(ct_tensor a, double b, ct_optional_tensor *_Nonnull out);
int32_t ct_rdiv_scalar(ct_tensor a, double b, ct_optional_tensor *_Nonnull out);
int32_t ct_pow_scalar(ct_tensor a, double b, ct_optional_tensor *_Nonnull out);
int32_t ct_neg(ct_tensor a, ct_optional_tensor *_Nonnull out);
int32_t ct_exp(ct_tensor a, ct_optional_tensor *_Nonnull out);
int32_t ct_log(ct_tensor a, ct_optional_tensor *_Nonnull out);
int32_t ct_sqrt(ct_tensor a, ct_optional_tensor *_Nonnull out);
int32_t ct_abs(ct_tensor a, ct_optional_tensor *_Nonnull out);
int32_t ct_relu(ct_tensor a, ct_optional_tensor *_Nonnull out);
int32_t ct_sigmoid(ct_tensor a, ct_optional_tensor *_Nonnull out);
int32_t ct_floor(ct_tensor a, ct_optional_tensor *_Nonnull out);
int32_t ct_isfinite(ct_tensor a, ct_optional_tensor *_Nonnull out);
int32_t ct_softmax(ct_tensor a, int64_t dim, ct_optional_tensor *_Nonnull out);
int32_t ct_log_softmax(ct_tensor a, int64_t dim, ct_optional_tensor *_Nonnull out);
int32_t ct_matmul(ct_tensor a, ct_tensor b, ct_optional_tensor *_Nonnull out);
int32_t ct_sum(ct_tensor a, const int64_t *_Nullable dims, int64_t count, bool keep, ct_optional_tensor *_Nonnull out);
int32_t ct_mean(ct_tensor a, const int64_t *_Nullable dims, int64_t count, bool keep, ct_optional_tensor *_Nonnull out);
int32_t ct_argmax(ct_tensor a, int64_t dim, ct_optional_tensor *_Nonnull out);
int32_t ct_amax(ct_tensor a, int64_t dim, bool keep, ct_optional_tensor *_Nonnull out);
int32_t ct_eq_scalar(ct_tensor a, double b, ct_optional_tensor *_Nonnull out);
int32_t ct_lt_scalar(ct_tensor a, double b, ct_optional_tensor *_Nonnull out);
int32_t ct_where(ct_tensor condition, ct_tensor a, ct_tensor b, ct_optional_tensor *_Nonnull out);
int32_t ct_relu_in_place(ct_tensor a);
int32_t ct_add_in_place(ct_tensor a, ct_tensor b, double scale);
int32_t ct_mul_in_place(ct_tensor a, double scale);
int32_t ct_fill_in_place(ct_tensor a, double value);
int32_t ct_copy_in_place(ct_tensor a, ct_tensor source);

// MARK: network.cpp
int32_t ct_conv2d(ct_tensor x, ct_tensor weight, ct_optional_tensor bias, int64_t stride, int64_t padding,
                  int64_t dilation, int64_t groups, ct_optional_tensor *_Nonnull out);
int32_t ct_batch_norm(ct_tensor x, ct_optional_tensor weight, ct_optional_tensor bias, ct_optional_tensor mean,
                      ct_optional_tensor variance, bool training, double momentum, double eps,
                      ct_optional_tensor *_Nonnull out);
int32_t ct_average_pool(ct_tensor x, int64_t kernel, int64_t stride, int64_t padding, ct_optional_tensor *_Nonnull out);
int32_t ct_max_pool(ct_tensor x, int64_t kernel, int64_t stride, int64_t padding, ct_optional_tensor *_Nonnull out);
int32_t ct_bilinear(ct_tensor x, int64_t height, int64_t width, bool align_corners, ct_optional_tensor *_Nonnull out);
int32_t ct_nll_loss_sum(ct_tensor log_probabilities, ct_tensor labels, ct_optional_tensor class_weights,
                        int64_t ignored, ct_optional_tensor *_Nonnull out);
// The loss of each pixel, [N, H, W]; 0 where the label is ignored.
int32_t ct_pixel_cross_entropy(ct_tensor logits, ct_tensor labels, ct_optional_tensor class_weights, double smoothing,
                               int64_t ignored, ct_optional_tensor *_Nonnull out);
// The `count` largest of all elements, in no order.
int32_t ct_largest(ct_tensor a, int64_t count, ct_optional_tensor *_Nonnull out);

// MARK: autograd.cpp
bool ct_requires_grad(ct_tensor a);
int32_t ct_set_requires_grad(ct_tensor a, bool value);
int32_t ct_detach(ct_tensor a, ct_optional_tensor *_Nonnull out);
int32_t ct_grad(ct_tensor a, ct_optional_tensor *_Nonnull out);
int32_t ct_zero_grad(ct_tensor a);
int32_t ct_backward(ct_tensor root);
bool ct_grad_mode(void);
void ct_set_grad_mode(bool enabled);
// Whether convolutions and matrix products of this thread compute in bfloat16 on a kind of device.
bool ct_autocast(int32_t device_kind);
void ct_set_autocast(int32_t device_kind, bool enabled);
int32_t ct_gradients(const ct_optional_tensor *_Nonnull roots, const ct_optional_tensor *_Nullable root_gradients,
                     int64_t root_count, const ct_optional_tensor *_Nonnull inputs, int64_t input_count,
                     ct_optional_tensor *_Nonnull out);

// MARK: blocks.cpp

// A block of arithmetic written in Swift: reads `inputs`, fills `outputs` with handles that the caller then owns.
// `again` tells the second run, in the backward pass.
typedef int32_t (*ct_block_body)(void *context, const ct_optional_tensor *_Nonnull inputs, int64_t input_count,
                                 ct_optional_tensor *_Nonnull outputs, int64_t output_count, bool again);
typedef void (*ct_block_release)(void *context);

// `parameters` are the leaves that the body reads besides its inputs. `context` is released once, by `release`, when
// no graph may run the body again.
typedef struct {
    ct_block_body body;
    ct_block_release release;
    void *context;
    const ct_optional_tensor *_Nonnull inputs;
    int64_t input_count;
    const ct_optional_tensor *_Nonnull parameters;
    int64_t parameter_count;
    int64_t output_count;
} ct_block;

// Runs blocks that do not depend on each other, side by side on `workers` threads. With `keeps` what is inside them is
// kept for the backward pass, else it is computed again there. `outputs` takes the blocks' outputs, block by block.
int32_t ct_run_blocks(const ct_block *blocks, int64_t count, bool keeps, int32_t workers,
                      ct_optional_tensor *_Nonnull outputs);

// MARK: normalization.cpp

// How batch statistics are used. `groups` G: the batch is G batches, one after another, each with statistics of its
// own. `by_batch`: normalise by the batch, else by the running statistics. `moves`: the running statistics, [G, C],
// move.
typedef struct {
    int64_t groups;
    bool by_batch;
    bool moves;
    double momentum;
    double eps;
} ct_statistics;

// Batch normalisation without affine parameters of `x` [G * N, C, H, W], then ReLU if wanted.
int32_t ct_normalize(ct_tensor x, ct_tensor running_mean, ct_tensor running_variance, ct_statistics statistics,
                     bool activates, ct_optional_tensor *_Nonnull out);

// One state's part in all blocks that it feeds: base + sum over k of weights[e, k] * normalised(maps[k]) (paper (1-4)).
//
// `maps` are the state's operators' raw results, [G * N, E * C, H, W] where they depend on the edge and [G * N, C, H,
// W] where all E edges share one. The first `normalized` maps are normalised, with statistics side by side in the
// running ones, the others taken as they are. `weights` is [E, K or more], `base` [N or G * N, E * C, H, W]. With
// `splits` the first C channels, the block that is now complete, come out as `finished`, the others as `rest`; else all
// as `rest`.
int32_t ct_mix(const ct_optional_tensor *_Nonnull maps, int64_t count, int64_t normalized, ct_tensor weights,
               ct_optional_tensor base, ct_tensor running_mean, ct_tensor running_variance, ct_statistics statistics,
               bool splits, ct_optional_tensor *_Nonnull finished, ct_optional_tensor *_Nonnull rest);

// MARK: separable.cpp

// A depthwise convolution, [E * C, 1, K, K], and its pointwise one, [E * C, C, 1, 1], on E edges, at stride 1 with the
// padding that keeps sizes. `x` is [N, C, H, W] where the edges share it, else [N, E * C, H, W]; the result has E * C
// channels.
int32_t ct_separable(ct_tensor x, ct_tensor depthwise, ct_tensor pointwise, int64_t edges, int64_t dilation,
                     bool shared, ct_optional_tensor *_Nonnull out);

// The same of what normalisation and ReLU make of `x` [G * N, E * C, H, W], the edges each reading their own.
int32_t ct_normalized_separable(ct_tensor x, ct_tensor running_mean, ct_tensor running_variance,
                                ct_statistics statistics, ct_tensor depthwise, ct_tensor pointwise, int64_t edges,
                                int64_t dilation, ct_optional_tensor *_Nonnull out);

// MARK: optimizers.cpp
int32_t ct_sgd_step(const ct_optional_tensor *_Nonnull parameters, const ct_optional_tensor *_Nonnull gradients,
                    const ct_optional_tensor *_Nonnull momenta, int64_t count, double rate, double momentum,
                    double decay, bool first);
int32_t ct_adam_step(const ct_optional_tensor *_Nonnull parameters, const ct_optional_tensor *_Nonnull gradients,
                     const ct_optional_tensor *_Nonnull first_moments,
                     const ct_optional_tensor *_Nonnull second_moments, const ct_optional_tensor *_Nonnull steps,
                     int64_t count, double rate, double beta1, double beta2, double decay, double eps);
int32_t ct_total_norm(const ct_optional_tensor *_Nonnull list, int64_t count, ct_optional_tensor *_Nonnull out);
int32_t ct_scale_all(const ct_optional_tensor *_Nonnull list, int64_t count, double scale);

// MARK: random.cpp
int32_t ct_generator_new(uint64_t seed, ct_generator _Nullable *_Nonnull out);
void ct_generator_free(ct_generator generator);
int32_t ct_generator_state(ct_generator generator, ct_optional_tensor *_Nonnull out);
int32_t ct_generator_restore(ct_generator generator, ct_tensor state);
int32_t ct_uniform_in_place(ct_tensor a, double from, double to, ct_generator generator);
int32_t ct_normal_in_place(ct_tensor a, double mean, double deviation, ct_generator generator);
int32_t ct_bernoulli_in_place(ct_tensor a, double probability, ct_generator generator);

// MARK: group.cpp

// How a process finds the others. The store is a small server of keys and values: rank 0 opens it, or somebody who
// outlives the ranks has opened it before.
typedef struct {
    const char *host;
    int32_t port;
    bool opens_store;
    // Whether all ranks are on this machine, so that no other needs to reach the store.
    bool one_machine;
    // Keeps one start apart from another in a store that outlives both.
    const char *prefix;
    int32_t rank;
    int32_t size;
    // A rank that is not heard of for so long is lost; one that takes no part for `patience` hangs.
    double timeout_seconds;
    double patience_seconds;
} ct_group_options;

// Called from a thread of the group's own when a rank is lost; `line` names it.
typedef void (*ct_group_lost)(const char *line);

bool ct_group_is_built(void);
int32_t ct_group_join(ct_group_options options, ct_group_lost _Nullable lost);
// All ranks tell where they compute. Sums of tensors on GPUs go by NCCL where each rank has a GPU of its own.
int32_t ct_group_settle(int32_t kind, int32_t index);
// What carries the sums of tensors on such a device; empty for a process alone.
const char *ct_group_carrier(int32_t kind);
// Tells the others that this process is done, or, by a line, why it ends.
void ct_group_leave(void);
// Whether this process is the first of the group to tell why it ends, and so the one to tell people.
bool ct_group_fail(const char *line);
int32_t ct_group_rank(void);
int32_t ct_group_size(void);
// Bytes that this process has given to collectives.
int64_t ct_group_bytes(void);
int32_t ct_group_name(int32_t rank, char *buffer, int64_t capacity);
// Adds up each tensor over all ranks, in place.
int32_t ct_group_sum(const ct_optional_tensor *_Nonnull list, int64_t count);
// As many bytes of every rank, rank by rank.
int32_t ct_group_gather(const void *own, int64_t bytes, void *all);
// Rank 0's bytes, in place.
int32_t ct_group_share(void *data, int64_t bytes);

// For who starts a group on one machine: opens its store at a free port, and tells there that a rank has ended.
int32_t ct_store_open(const char *host, int32_t *port);
int32_t ct_store_fail(const char *prefix, int32_t rank, const char *line);

// MARK: nccl.cpp

// A sum by NCCL on a GPU, in a group of this process alone.
int32_t ct_nccl_try(int32_t index);

// MARK: buckets.cpp

// As ct_gradients of one root, added up over all ranks in buckets of so many bytes, which travel while the backward
// pass goes on.
int32_t ct_group_gradients(ct_tensor root, const ct_optional_tensor *_Nonnull inputs, int64_t count,
                           int64_t bucket_bytes, ct_optional_tensor *_Nonnull out);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
