// Forwards of ctorch_engine.h.
#include "forwarding.h"

#pragma clang assume_nonnull begin

CT_FORWARD(const char *, "", ct_version, (void), ())
CT_ANSWER(int64_t, 0, ct_live_tensor_count, (void), ())
CT_STATUS(ct_set_num_threads, (int32_t count), (count))
CT_FORWARD(int32_t, 0, ct_get_num_threads, (void), ())
CT_FORWARD(int32_t, 0, ct_device_count, (int32_t kind), (kind))
CT_STATUS(ct_library_path, (char *buffer, int64_t capacity), (buffer, capacity))
CT_STATUS(ct_cuda_unavailable_reason, (char *buffer, int64_t capacity), (buffer, capacity))
CT_RUN(ct_free, (ct_tensor tensor), (tensor))
CT_STATUS(ct_from_data,
          (const void *data, const int64_t *shape, int64_t rank, int32_t dtype, int32_t device, int32_t index,
           ct_optional_tensor *_Nonnull out),
          (data, shape, rank, dtype, device, index, out))
CT_STATUS(ct_full,
          (double value, const int64_t *shape, int64_t rank, int32_t dtype, int32_t device, int32_t index,
           ct_optional_tensor *_Nonnull out),
          (value, shape, rank, dtype, device, index, out))
CT_STATUS(ct_copy_to_buffer, (ct_tensor tensor, int32_t dtype, void *data, int64_t bytes), (tensor, dtype, data, bytes))
CT_STATUS(ct_copy_from_buffer, (ct_tensor tensor, const void *data, int64_t bytes), (tensor, data, bytes))
CT_STATUS(ct_item, (ct_tensor tensor, double *out), (tensor, out))
CT_FORWARD(int64_t, 0, ct_dim, (ct_tensor tensor), (tensor))
CT_FORWARD(int64_t, 0, ct_size, (ct_tensor tensor, int64_t dim), (tensor, dim))
CT_FORWARD(int64_t, 0, ct_numel, (ct_tensor tensor), (tensor))
CT_FORWARD(int32_t, 0, ct_dtype, (ct_tensor tensor), (tensor))
CT_FORWARD(int32_t, 0, ct_device, (ct_tensor tensor, int32_t *index), (tensor, index))
CT_FORWARD(bool, false, ct_is_channels_last, (ct_tensor tensor), (tensor))
CT_STATUS(ct_to_dtype, (ct_tensor tensor, int32_t dtype, ct_optional_tensor *_Nonnull out), (tensor, dtype, out))
CT_STATUS(ct_to_device, (ct_tensor tensor, int32_t device, int32_t index, ct_optional_tensor *_Nonnull out),
          (tensor, device, index, out))
CT_STATUS(ct_contiguous, (ct_tensor tensor, ct_optional_tensor *_Nonnull out), (tensor, out))
CT_STATUS(ct_channels_last, (ct_tensor tensor, ct_optional_tensor *_Nonnull out), (tensor, out))
CT_STATUS(ct_clone, (ct_tensor tensor, ct_optional_tensor *_Nonnull out), (tensor, out))
CT_STATUS(ct_alias, (ct_tensor tensor, ct_optional_tensor *_Nonnull out), (tensor, out))
CT_STATUS(ct_reshape, (ct_tensor a, const int64_t *shape, int64_t rank, ct_optional_tensor *_Nonnull out),
          (a, shape, rank, out))
CT_STATUS(ct_expand, (ct_tensor a, const int64_t *shape, int64_t rank, ct_optional_tensor *_Nonnull out),
          (a, shape, rank, out))
CT_STATUS(ct_permute, (ct_tensor a, const int64_t *dims, int64_t rank, ct_optional_tensor *_Nonnull out),
          (a, dims, rank, out))
CT_STATUS(ct_transpose, (ct_tensor a, int64_t dim0, int64_t dim1, ct_optional_tensor *_Nonnull out),
          (a, dim0, dim1, out))
CT_STATUS(ct_unsqueeze, (ct_tensor a, int64_t dim, ct_optional_tensor *_Nonnull out), (a, dim, out))
CT_STATUS(ct_squeeze, (ct_tensor a, int64_t dim, ct_optional_tensor *_Nonnull out), (a, dim, out))
CT_STATUS(ct_narrow, (ct_tensor a, int64_t dim, int64_t start, int64_t length, ct_optional_tensor *_Nonnull out),
          (a, dim, start, length, out))
CT_STATUS(ct_select, (ct_tensor a, int64_t dim, int64_t index, ct_optional_tensor *_Nonnull out), (a, dim, index, out))
CT_STATUS(ct_index_select, (ct_tensor a, int64_t dim, ct_tensor indices, ct_optional_tensor *_Nonnull out),
          (a, dim, indices, out))
CT_STATUS(ct_flip, (ct_tensor a, const int64_t *dims, int64_t count, ct_optional_tensor *_Nonnull out),
          (a, dims, count, out))
CT_STATUS(ct_repeat_interleave, (ct_tensor a, int64_t times, int64_t dim, ct_optional_tensor *_Nonnull out),
          (a, times, dim, out))
CT_STATUS(ct_cat,
          (const ct_optional_tensor *_Nonnull list, int64_t count, int64_t dim, ct_optional_tensor *_Nonnull out),
          (list, count, dim, out))
CT_STATUS(ct_stack,
          (const ct_optional_tensor *_Nonnull list, int64_t count, int64_t dim, ct_optional_tensor *_Nonnull out),
          (list, count, dim, out))
CT_STATUS(ct_pad, (ct_tensor a, const int64_t *pads, int64_t count, double value, ct_optional_tensor *_Nonnull out),
          (a, pads, count, value, out))
CT_STATUS(ct_add, (ct_tensor a, ct_tensor b, ct_optional_tensor *_Nonnull out), (a, b, out))
CT_STATUS(ct_sub, (ct_tensor a, ct_tensor b, ct_optional_tensor *_Nonnull out), (a, b, out))
CT_STATUS(ct_mul, (ct_tensor a, ct_tensor b, ct_optional_tensor *_Nonnull out), (a, b, out))
CT_STATUS(ct_div, (ct_tensor a, ct_tensor b, ct_optional_tensor *_Nonnull out), (a, b, out))
CT_STATUS(ct_maximum, (ct_tensor a, ct_tensor b, ct_optional_tensor *_Nonnull out), (a, b, out))
CT_STATUS(ct_add_scalar, (ct_tensor a, double b, ct_optional_tensor *_Nonnull out), (a, b, out))
CT_STATUS(ct_mul_scalar, (ct_tensor a, double b, ct_optional_tensor *_Nonnull out), (a, b, out))
CT_STATUS(ct_rsub_scalar, (ct_tensor a, double b, ct_optional_tensor *_Nonnull out), (a, b, out))
CT_STATUS(ct_rdiv_scalar, (ct_tensor a, double b, ct_optional_tensor *_Nonnull out), (a, b, out))
CT_STATUS(ct_pow_scalar, (ct_tensor a, double b, ct_optional_tensor *_Nonnull out), (a, b, out))
CT_STATUS(ct_neg, (ct_tensor a, ct_optional_tensor *_Nonnull out), (a, out))
CT_STATUS(ct_exp, (ct_tensor a, ct_optional_tensor *_Nonnull out), (a, out))
CT_STATUS(ct_log, (ct_tensor a, ct_optional_tensor *_Nonnull out), (a, out))
CT_STATUS(ct_sqrt, (ct_tensor a, ct_optional_tensor *_Nonnull out), (a, out))
CT_STATUS(ct_abs, (ct_tensor a, ct_optional_tensor *_Nonnull out), (a, out))
CT_STATUS(ct_relu, (ct_tensor a, ct_optional_tensor *_Nonnull out), (a, out))
CT_STATUS(ct_relu6, (ct_tensor a, ct_optional_tensor *_Nonnull out), (a, out))
CT_STATUS(ct_sigmoid, (ct_tensor a, ct_optional_tensor *_Nonnull out), (a, out))
CT_STATUS(ct_floor, (ct_tensor a, ct_optional_tensor *_Nonnull out), (a, out))
CT_STATUS(ct_isfinite, (ct_tensor a, ct_optional_tensor *_Nonnull out), (a, out))
CT_STATUS(ct_softmax, (ct_tensor a, int64_t dim, ct_optional_tensor *_Nonnull out), (a, dim, out))
CT_STATUS(ct_log_softmax, (ct_tensor a, int64_t dim, ct_optional_tensor *_Nonnull out), (a, dim, out))
CT_STATUS(ct_matmul, (ct_tensor a, ct_tensor b, ct_optional_tensor *_Nonnull out), (a, b, out))
CT_STATUS(ct_sum,
          (ct_tensor a, const int64_t *_Nullable dims, int64_t count, bool keep, ct_optional_tensor *_Nonnull out),
          (a, dims, count, keep, out))
CT_STATUS(ct_mean,
          (ct_tensor a, const int64_t *_Nullable dims, int64_t count, bool keep, ct_optional_tensor *_Nonnull out),
          (a, dims, count, keep, out))
CT_STATUS(ct_argmax, (ct_tensor a, int64_t dim, ct_optional_tensor *_Nonnull out), (a, dim, out))
CT_STATUS(ct_amax, (ct_tensor a, int64_t dim, bool keep, ct_optional_tensor *_Nonnull out), (a, dim, keep, out))
CT_STATUS(ct_eq_scalar, (ct_tensor a, double b, ct_optional_tensor *_Nonnull out), (a, b, out))
CT_STATUS(ct_lt_scalar, (ct_tensor a, double b, ct_optional_tensor *_Nonnull out), (a, b, out))
CT_STATUS(ct_where, (ct_tensor condition, ct_tensor a, ct_tensor b, ct_optional_tensor *_Nonnull out),
          (condition, a, b, out))
CT_STATUS(ct_relu_in_place, (ct_tensor a), (a))
CT_STATUS(ct_relu6_in_place, (ct_tensor a), (a))
CT_STATUS(ct_add_in_place, (ct_tensor a, ct_tensor b, double scale), (a, b, scale))
CT_STATUS(ct_mul_in_place, (ct_tensor a, double scale), (a, scale))
CT_STATUS(ct_fill_in_place, (ct_tensor a, double value), (a, value))
CT_STATUS(ct_copy_in_place, (ct_tensor a, ct_tensor source), (a, source))
CT_STATUS(ct_conv2d,
          (ct_tensor x, ct_tensor weight, ct_optional_tensor bias, int64_t stride, int64_t padding, int64_t dilation,
           int64_t groups, ct_optional_tensor *_Nonnull out),
          (x, weight, bias, stride, padding, dilation, groups, out))
CT_STATUS(ct_batch_norm,
          (ct_tensor x, ct_optional_tensor weight, ct_optional_tensor bias, ct_optional_tensor mean,
           ct_optional_tensor variance, bool training, double momentum, double eps, int32_t activation,
           ct_optional_tensor *_Nonnull out),
          (x, weight, bias, mean, variance, training, momentum, eps, activation, out))
CT_STATUS(ct_avg_pool2d,
          (ct_tensor x, int64_t kernel, int64_t stride, int64_t padding, ct_optional_tensor *_Nonnull out),
          (x, kernel, stride, padding, out))
CT_STATUS(ct_max_pool2d,
          (ct_tensor x, int64_t kernel, int64_t stride, int64_t padding, ct_optional_tensor *_Nonnull out),
          (x, kernel, stride, padding, out))
CT_STATUS(ct_upsample_bilinear2d,
          (ct_tensor x, int64_t height, int64_t width, bool align_corners, ct_optional_tensor *_Nonnull out),
          (x, height, width, align_corners, out))
CT_STATUS(ct_interpolate,
          (ct_tensor x, const int64_t *rows, const float *row_shares, int64_t height, const int64_t *columns,
           const float *column_shares, int64_t width, ct_optional_tensor *_Nonnull out),
          (x, rows, row_shares, height, columns, column_shares, width, out))
CT_STATUS(ct_nll_loss_sum,
          (ct_tensor log_probabilities, ct_tensor labels, ct_optional_tensor class_weights, int64_t ignored,
           ct_optional_tensor *_Nonnull out),
          (log_probabilities, labels, class_weights, ignored, out))
CT_STATUS(ct_class_overlaps,
          (ct_tensor probabilities, ct_tensor labels, int64_t ignored, ct_optional_tensor *_Nonnull out),
          (probabilities, labels, ignored, out))
CT_STATUS(ct_cross_entropy_per_pixel,
          (ct_tensor logits, ct_tensor labels, ct_optional_tensor class_weights, double smoothing, int64_t ignored,
           ct_optional_tensor *_Nonnull out),
          (logits, labels, class_weights, smoothing, ignored, out))
CT_STATUS(ct_topk_values, (ct_tensor a, int64_t count, ct_optional_tensor *_Nonnull out), (a, count, out))
CT_FORWARD(bool, false, ct_has_byte_convolutions, (void), ())
CT_STATUS(ct_to_bytes, (ct_tensor x, ct_byte_scale scale, ct_optional_tensor *_Nonnull out), (x, scale, out))
CT_STATUS(ct_from_bytes, (ct_tensor q, ct_byte_scale scale, ct_optional_tensor *_Nonnull out), (q, scale, out))
CT_STATUS(ct_add_bytes,
          (ct_tensor a, ct_byte_scale a_scale, ct_tensor b, ct_byte_scale b_scale, ct_byte_scale scale,
           ct_optional_tensor *_Nonnull out),
          (a, a_scale, b, b_scale, scale, out))
CT_STATUS(ct_pack_byte_kernel,
          (ct_tensor kernel, ct_tensor scales, ct_byte_scale input, const int64_t *shape, int64_t rank,
           ct_byte_convolution form, ct_optional_tensor *_Nonnull out),
          (kernel, scales, input, shape, rank, form, out))
CT_STATUS(ct_byte_conv2d,
          (ct_tensor q, ct_byte_scale input, ct_tensor packed, ct_tensor scales, ct_tensor bias,
           ct_byte_convolution form, const ct_byte_scale *_Nullable output, ct_optional_tensor *_Nonnull out),
          (q, input, packed, scales, bias, form, output, out))
CT_FORWARD(bool, false, ct_requires_grad, (ct_tensor a), (a))
CT_STATUS(ct_set_requires_grad, (ct_tensor a, bool value), (a, value))
CT_STATUS(ct_detach, (ct_tensor a, ct_optional_tensor *_Nonnull out), (a, out))
CT_STATUS(ct_grad, (ct_tensor a, ct_optional_tensor *_Nonnull out), (a, out))
CT_STATUS(ct_zero_grad, (ct_tensor a), (a))
CT_STATUS(ct_backward, (ct_tensor root), (root))
CT_FORWARD(bool, false, ct_is_grad_enabled, (void), ())
CT_RUN(ct_set_grad_enabled, (bool enabled), (enabled))
CT_FORWARD(bool, false, ct_is_autocast_enabled, (int32_t device_kind), (device_kind))
CT_RUN(ct_set_autocast_enabled, (int32_t device_kind, bool enabled), (device_kind, enabled))
CT_STATUS(ct_gradients,
          (const ct_optional_tensor *_Nonnull roots, const ct_optional_tensor *_Nullable root_gradients,
           int64_t root_count, const ct_optional_tensor *_Nonnull inputs, int64_t input_count,
           ct_optional_tensor *_Nonnull out),
          (roots, root_gradients, root_count, inputs, input_count, out))
CT_STATUS(ct_run_regions,
          (const ct_checkpointed_region *regions, int64_t count, bool keep_graph, int32_t workers,
           ct_optional_tensor *_Nonnull outputs),
          (regions, count, keep_graph, workers, outputs))
CT_STATUS(ct_sgd_step,
          (const ct_optional_tensor *_Nonnull parameters, const ct_optional_tensor *_Nonnull gradients,
           const ct_optional_tensor *_Nonnull momenta, int64_t count, double rate, double momentum, double decay,
           bool first),
          (parameters, gradients, momenta, count, rate, momentum, decay, first))
CT_STATUS(ct_adam_step,
          (const ct_optional_tensor *_Nonnull parameters, const ct_optional_tensor *_Nonnull gradients,
           const ct_optional_tensor *_Nonnull first_moments, const ct_optional_tensor *_Nonnull second_moments,
           const ct_optional_tensor *_Nonnull steps, int64_t count, double rate, double beta1, double beta2,
           double decay, double eps),
          (parameters, gradients, first_moments, second_moments, steps, count, rate, beta1, beta2, decay, eps))
CT_STATUS(ct_adamw_step,
          (const ct_optional_tensor *_Nonnull parameters, const ct_optional_tensor *_Nonnull gradients,
           const ct_optional_tensor *_Nonnull first_moments, const ct_optional_tensor *_Nonnull second_moments,
           const ct_optional_tensor *_Nonnull steps, int64_t count, double rate, double beta1, double beta2,
           double decay, double eps),
          (parameters, gradients, first_moments, second_moments, steps, count, rate, beta1, beta2, decay, eps))
CT_STATUS(ct_total_norm, (const ct_optional_tensor *_Nonnull list, int64_t count, ct_optional_tensor *_Nonnull out),
          (list, count, out))
CT_STATUS(ct_scale_all, (const ct_optional_tensor *_Nonnull list, int64_t count, double scale), (list, count, scale))
CT_STATUS(ct_generator_new, (uint64_t seed, ct_generator _Nullable *_Nonnull out), (seed, out))
CT_RUN(ct_generator_free, (ct_generator generator), (generator))
CT_STATUS(ct_generator_get_state, (ct_generator generator, ct_optional_tensor *_Nonnull out), (generator, out))
CT_STATUS(ct_generator_set_state, (ct_generator generator, ct_tensor state), (generator, state))
CT_STATUS(ct_uniform_in_place, (ct_tensor a, double from, double to, ct_generator generator), (a, from, to, generator))
CT_STATUS(ct_normal_in_place, (ct_tensor a, double mean, double deviation, ct_generator generator),
          (a, mean, deviation, generator))
CT_STATUS(ct_bernoulli_in_place, (ct_tensor a, double probability, ct_generator generator), (a, probability, generator))

#pragma clang assume_nonnull end
