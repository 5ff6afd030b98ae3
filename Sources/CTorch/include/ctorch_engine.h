// Tensors, operations, autograd, optimizers and random numbers.
#pragma once

#include "ctorch_types.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

// MARK: engine.cpp
// The version of this interface that the engine was built with, CT_INTERFACE.
int32_t ct_interface(void);
// Makes sure that the engine and libtorch are loaded; they are where a program is linked to them.
int32_t ct_load(void);
// The file of an engine that is not part of the program; empty where it is, or is not loaded yet.
const char *ct_engine_path(void);
const char *ct_last_error(void);
const char *ct_version(void);
int64_t ct_live_tensor_count(void);
int32_t ct_set_num_threads(int32_t count);
int32_t ct_get_num_threads(void);
int32_t ct_device_count(int32_t kind);
int32_t ct_library_path(char *buffer, int64_t capacity);

// MARK: cuda.cpp
// Why no NVIDIA GPU can be used; empty where one can.
int32_t ct_cuda_unavailable_reason(char *buffer, int64_t capacity);

// MARK: tensor.cpp
void ct_free(ct_tensor tensor);
int32_t ct_from_data(const void *data, const int64_t *shape, int64_t rank, int32_t dtype, int32_t device, int32_t index,
                     ct_optional_tensor *_Nonnull out);
int32_t ct_full(double value, const int64_t *shape, int64_t rank, int32_t dtype, int32_t device, int32_t index,
                ct_optional_tensor *_Nonnull out);
int32_t ct_copy_to_buffer(ct_tensor tensor, int32_t dtype, void *data, int64_t bytes);
int32_t ct_copy_from_buffer(ct_tensor tensor, const void *data, int64_t bytes);
int32_t ct_item(ct_tensor tensor, double *out);
int64_t ct_dim(ct_tensor tensor);
int64_t ct_size(ct_tensor tensor, int64_t dim);
int64_t ct_numel(ct_tensor tensor);
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
int32_t ct_relu6(ct_tensor a, ct_optional_tensor *_Nonnull out);
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
int32_t ct_relu6_in_place(ct_tensor a);
int32_t ct_add_in_place(ct_tensor a, ct_tensor b, double scale);
int32_t ct_mul_in_place(ct_tensor a, double scale);
int32_t ct_fill_in_place(ct_tensor a, double value);
int32_t ct_copy_in_place(ct_tensor a, ct_tensor source);

// MARK: network.cpp
int32_t ct_conv2d(ct_tensor x, ct_tensor weight, ct_optional_tensor bias, int64_t stride, int64_t padding,
                  int64_t dilation, int64_t groups, ct_optional_tensor *_Nonnull out);
int32_t ct_batch_norm(ct_tensor x, ct_optional_tensor weight, ct_optional_tensor bias, ct_optional_tensor mean,
                      ct_optional_tensor variance, bool training, double momentum, double eps, int32_t activation,
                      ct_optional_tensor *_Nonnull out);
int32_t ct_avg_pool2d(ct_tensor x, int64_t kernel, int64_t stride, int64_t padding, ct_optional_tensor *_Nonnull out);
int32_t ct_max_pool2d(ct_tensor x, int64_t kernel, int64_t stride, int64_t padding, ct_optional_tensor *_Nonnull out);
int32_t ct_upsample_bilinear2d(ct_tensor x, int64_t height, int64_t width, bool align_corners,
                               ct_optional_tensor *_Nonnull out);
// Bilinear, at places between rows and columns: `rows[i]` and the one after it (the last: itself), which counts by
// `row_shares[i]`; columns alike.
int32_t ct_interpolate(ct_tensor x, const int64_t *rows, const float *row_shares, int64_t height,
                       const int64_t *columns, const float *column_shares, int64_t width,
                       ct_optional_tensor *_Nonnull out);
int32_t ct_nll_loss_sum(ct_tensor log_probabilities, ct_tensor labels, ct_optional_tensor class_weights,
                        int64_t ignored, ct_optional_tensor *_Nonnull out);
// Per class the sums of probabilities [N, C, H, W] where it is the label and where any is, and its labels: [3, C].
int32_t ct_class_overlaps(ct_tensor probabilities, ct_tensor labels, int64_t ignored, ct_optional_tensor *_Nonnull out);
// The loss of each pixel (no reduction), [N, H, W]; 0 where the label is ignored.
int32_t ct_cross_entropy_per_pixel(ct_tensor logits, ct_tensor labels, ct_optional_tensor class_weights,
                                   double smoothing, int64_t ignored, ct_optional_tensor *_Nonnull out);
// The `count` largest of all elements, unsorted.
int32_t ct_topk_values(ct_tensor a, int64_t count, ct_optional_tensor *_Nonnull out);

// MARK: bytes.cpp
// Whether this libtorch has convolutions of bytes.
bool ct_has_byte_convolutions(void);
int32_t ct_to_bytes(ct_tensor x, ct_byte_scale scale, ct_optional_tensor *_Nonnull out);
int32_t ct_from_bytes(ct_tensor q, ct_byte_scale scale, ct_optional_tensor *_Nonnull out);
int32_t ct_add_bytes(ct_tensor a, ct_byte_scale a_scale, ct_tensor b, ct_byte_scale b_scale, ct_byte_scale scale,
                     ct_optional_tensor *_Nonnull out);
// `kernel` holds whole numbers from -127 to 127, `scales` what one step of each output's values stands for; `shape` is
// about that of the inputs, which have the scale `input`.
int32_t ct_pack_byte_kernel(ct_tensor kernel, ct_tensor scales, ct_byte_scale input, const int64_t *shape, int64_t rank,
                            ct_byte_convolution form, ct_optional_tensor *_Nonnull out);
// Bytes of the scale `output`, or real numbers where it is null.
int32_t ct_byte_conv2d(ct_tensor q, ct_byte_scale input, ct_tensor packed, ct_tensor scales, ct_tensor bias,
                       ct_byte_convolution form, const ct_byte_scale *_Nullable output,
                       ct_optional_tensor *_Nonnull out);

// MARK: autograd.cpp
bool ct_requires_grad(ct_tensor a);
int32_t ct_set_requires_grad(ct_tensor a, bool value);
int32_t ct_detach(ct_tensor a, ct_optional_tensor *_Nonnull out);
int32_t ct_grad(ct_tensor a, ct_optional_tensor *_Nonnull out);
int32_t ct_zero_grad(ct_tensor a);
int32_t ct_backward(ct_tensor root);
bool ct_is_grad_enabled(void);
void ct_set_grad_enabled(bool enabled);
// Autocast to bfloat16 for this thread, on a kind of device.
bool ct_is_autocast_enabled(int32_t device_kind);
void ct_set_autocast_enabled(int32_t device_kind, bool enabled);
int32_t ct_gradients(const ct_optional_tensor *_Nonnull roots, const ct_optional_tensor *_Nullable root_gradients,
                     int64_t root_count, const ct_optional_tensor *_Nonnull inputs, int64_t input_count,
                     ct_optional_tensor *_Nonnull out);

// MARK: checkpoint.cpp
// Regions of computation written in Swift, each with an autograd graph of its own (activation checkpointing).

// Reads `inputs`, fills `outputs` with handles that the caller then owns. `is_recomputing` tells the second run, in the
// backward pass.
typedef int32_t (*ct_region_body)(void *context, const ct_optional_tensor *_Nonnull inputs, int64_t input_count,
                                  ct_optional_tensor *_Nonnull outputs, int64_t output_count, bool is_recomputing);
typedef void (*ct_region_release)(void *context);

// `parameters` are the leaves that the body reads besides its inputs. `context` is released once, by `release`, when no
// graph can run the body again.
typedef struct {
    ct_region_body body;
    ct_region_release release;
    void *context;
    const ct_optional_tensor *_Nonnull inputs;
    int64_t input_count;
    const ct_optional_tensor *_Nonnull parameters;
    int64_t parameter_count;
    int64_t output_count;
} ct_checkpointed_region;

// Runs independent regions in parallel on `workers` threads. With `keep_graph` their inner graphs are kept for the
// backward pass, else they are recomputed there. `outputs` takes the regions' outputs, region by region.
int32_t ct_run_regions(const ct_checkpointed_region *regions, int64_t count, bool keep_graph, int32_t workers,
                       ct_optional_tensor *_Nonnull outputs);

// MARK: optimizers.cpp
int32_t ct_sgd_step(const ct_optional_tensor *_Nonnull parameters, const ct_optional_tensor *_Nonnull gradients,
                    const ct_optional_tensor *_Nonnull momenta, int64_t count, double rate, double momentum,
                    double decay, bool first);
int32_t ct_adam_step(const ct_optional_tensor *_Nonnull parameters, const ct_optional_tensor *_Nonnull gradients,
                     const ct_optional_tensor *_Nonnull first_moments,
                     const ct_optional_tensor *_Nonnull second_moments, const ct_optional_tensor *_Nonnull steps,
                     int64_t count, double rate, double beta1, double beta2, double decay, double eps);
// As ct_adam_step, but the decay takes `rate * decay` of the parameters and does not enter the moments.
int32_t ct_adamw_step(const ct_optional_tensor *_Nonnull parameters, const ct_optional_tensor *_Nonnull gradients,
                      const ct_optional_tensor *_Nonnull first_moments,
                      const ct_optional_tensor *_Nonnull second_moments, const ct_optional_tensor *_Nonnull steps,
                      int64_t count, double rate, double beta1, double beta2, double decay, double eps);
int32_t ct_total_norm(const ct_optional_tensor *_Nonnull list, int64_t count, ct_optional_tensor *_Nonnull out);
int32_t ct_scale_all(const ct_optional_tensor *_Nonnull list, int64_t count, double scale);

// MARK: random.cpp
int32_t ct_generator_new(uint64_t seed, ct_generator _Nullable *_Nonnull out);
void ct_generator_free(ct_generator generator);
int32_t ct_generator_get_state(ct_generator generator, ct_optional_tensor *_Nonnull out);
int32_t ct_generator_set_state(ct_generator generator, ct_tensor state);
int32_t ct_uniform_in_place(ct_tensor a, double from, double to, ct_generator generator);
int32_t ct_normal_in_place(ct_tensor a, double mean, double deviation, ct_generator generator);
int32_t ct_bernoulli_in_place(ct_tensor a, double probability, ct_generator generator);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
