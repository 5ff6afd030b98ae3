// What one state adds to all blocks that it feeds (paper equations 1 to 4), in one pass forward and two backward.
//
// A weighted sum of normalised maps needs no normalised map: sum_k a_k (x_k - m_k) / d_k = sum_k (a_k / d_k) x_k -
// const.
#include "mixed_rows.h"
#include "supernet.h"

#include <torch/csrc/autograd/custom_function.h>

using namespace ct;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

// Pixels that a kernel goes through at a time: few enough that their sums stay in the nearest cache.
constexpr int64_t block_rows = 16;

struct MixedOperationState : torch::CustomClassHolder {
    BatchNormOptions options;
    int64_t edges, channels, normalized, rows;
    bool splits;
    bool has_base;
    // By group, then by normalised map.
    std::vector<std::vector<Moments>> moments;
    // By map: what makes it again in the backward pass, and is kept alive by the graph until then; none where it is
    // kept.
    std::vector<Origin> origins;

    int64_t columns() const { return edges * channels; }
    int64_t first_columns() const { return splits ? channels : 0; }
    int64_t copies(const at::Tensor &map) const { return map.size(1) == columns() ? 1 : edges; }
};

// Start and width of a map's rows, looked up once: asking the tensor costs as much as a row.
template <typename T> struct Rows {
    T *start;
    int64_t width;

    T *operator[](int64_t row) const { return start + row * width; }
};

template <typename T> std::vector<Rows<T>> rows_of(const std::vector<at::Tensor> &maps) {
    std::vector<Rows<T>> result;
    for (auto &map : maps) result.push_back({map.data_ptr<T>(), map.size(1)});
    return result;
}

// `[N, C, H, W]` like `map`, of another number of images and channels, channels last.
at::Tensor like(const at::Tensor &map, int64_t images, int64_t channels) {
    return at::empty({images, channels, map.size(2), map.size(3)},
                     map.options().memory_format(at::MemoryFormat::ChannelsLast));
}

template <typename T>
void forward_rows(MixedOperationState &state, const std::vector<at::Tensor> &maps, const at::Tensor &weights,
                  const at::Tensor &base, at::Tensor &running_mean, at::Tensor &running_variance, at::Tensor &finished,
                  at::Tensor &rest) {
    auto columns = state.columns(), rows = state.rows, first = state.first_columns(), last = columns - first;
    auto alpha = weights.accessor<T, 2>();
    auto total = running_mean.size(1);
    auto sources = rows_of<T>(maps);
    auto base_start = state.has_base ? base.const_data_ptr<T>() : nullptr;
    auto finished_start = finished.mutable_data_ptr<T>(), rest_start = rest.mutable_data_ptr<T>();
    std::vector<T> sums(block_rows * columns), shift(columns), scale(columns * maps.size());
    std::vector<FeatureMap<T>> normalized_maps;
    for (int64_t group = 0; world_size() > 1 && group < state.options.groups; group++) {
        for (int64_t k = 0; k < state.normalized; k++) {
            normalized_maps.push_back({sources[k][group * rows], sources[k].width});
        }
    }
    auto synchronized = synchronized_moments(normalized_maps, rows, state.options);
    for (int64_t group = 0; group < state.options.groups; group++) {
        std::fill(shift.begin(), shift.end(), T(0));
        std::vector<Moments> found;
        int64_t place = group * total;
        for (size_t k = 0; k < maps.size(); k++) {
            auto width = sources[k].width;
            auto is_normalized = static_cast<int64_t>(k) < state.normalized;
            if (is_normalized) {
                found.push_back(batch_or_running_moments<T>(
                    sources[k][group * rows], rows, width, running_mean.data_ptr<T>() + place,
                    running_variance.data_ptr<T>() + place, state.options,
                    synchronized.empty() ? nullptr : &synchronized[group * state.normalized + k]));
                place += width;
            }
            for (int64_t m = 0; m < columns; m++) {
                auto a = static_cast<double>(alpha[m / state.channels][k]);
                auto c = m % width;
                scale[k * columns + m] = static_cast<T>(is_normalized ? a * found[k].inverse[c] : a);
                if (is_normalized) shift[m] -= static_cast<T>(a * found[k].inverse[c] * found[k].mean[c]);
            }
        }
        state.moments.push_back(std::move(found));
        auto base_rows = state.has_base ? base.numel() / columns : 0;
        for (int64_t start = group * rows; start < (group + 1) * rows; start += block_rows) {
            auto count = std::min(block_rows, (group + 1) * rows - start);
            for (int64_t i = 0; i < count; i++) {
                auto row = &sums[i * columns];
                std::copy(shift.begin(), shift.end(), row);
                if (state.has_base) add_rows(base_start + (start + i) % base_rows * columns, 1, columns, row);
            }
            for (size_t k = 0; k < maps.size(); k++) {
                auto width = sources[k].width;
                accumulate(sources[k][start], count, width, columns / width, &scale[k * columns], sums.data());
            }
            for (int64_t i = 0; i < count; i++) {
                auto row = &sums[i * columns];
                if (first) std::copy_n(row, first, finished_start + (start + i) * first);
                if (last) std::copy_n(row + first, last, rest_start + (start + i) * last);
            }
        }
    }
}

template <typename T>
void backward_rows(const MixedOperationState &state, const variable_list &maps, const at::Tensor &weights,
                   const at::Tensor &finished, const at::Tensor &rest, variable_list &map_gradients,
                   at::Tensor &weight_gradient, at::Tensor &base_gradient) {
    auto columns = state.columns(), rows = state.rows, first = state.first_columns(), last = columns - first;
    auto alpha = weights.accessor<T, 2>();
    auto alpha_gradient = weight_gradient.accessor<T, 2>();
    auto count = maps.size();
    auto sources = rows_of<T>(maps), targets = rows_of<T>(map_gradients);
    auto finished_start = finished.const_data_ptr<T>(), rest_start = rest.const_data_ptr<T>();
    auto base_start = state.has_base ? base_gradient.mutable_data_ptr<T>() : nullptr;
    std::vector<T> upper(block_rows * columns), partial((count + 1) * columns);
    auto load_gradients = [&](int64_t start, int64_t size) {
        for (int64_t i = 0; i < size; i++) {
            auto row = &upper[i * columns];
            if (first) std::copy_n(finished_start + (start + i) * first, first, row);
            if (last) std::copy_n(rest_start + (start + i) * last, last, row + first);
        }
    };
    std::vector<T> ga(columns * count), gb(columns * count), gc(columns * count);
    auto base_rows = state.has_base ? base_gradient.numel() / columns : 0;
    // Sums of g and of g * x_k per column, group by group.
    auto width_of_sums = (count + 1) * columns;
    std::vector<double> own(state.options.groups * width_of_sums, 0.0);
    for (int64_t group = 0; group < state.options.groups; group++) {
        auto sums = &own[group * width_of_sums];
        for (int64_t start = 0; start < rows; start += partial_rows) {
            std::fill(partial.begin(), partial.end(), T(0));
            auto end = group * rows + std::min(start + partial_rows, rows);
            for (int64_t r = group * rows + start; r < end; r += block_rows) {
                auto size = std::min(block_rows, end - r);
                load_gradients(r, size);
                add_rows(upper.data(), size, columns, &partial[count * columns]);
                for (int64_t i = 0; state.has_base && i < size; i++) {
                    add_rows(&upper[i * columns], 1, columns, base_start + (r + i) % base_rows * columns);
                }
                for (size_t k = 0; k < count; k++) {
                    auto width = sources[k].width;
                    dots(upper.data(), sources[k][r], size, width, columns / width, &partial[k * columns]);
                }
            }
            for (size_t i = 0; i < partial.size(); i++) sums[i] += partial[i];
        }
    }
    // The inputs' gradients depend on all ranks' batches; the weights' gradient is this rank's share.
    std::vector<double> reduced;
    if (world_size() > 1 && state.normalized > 0 && state.options.use_batch_statistics) {
        reduced = own;
        all_reduce(reduced);
    }
    auto &all = reduced.empty() ? own : reduced;
    for (int64_t group = 0; group < state.options.groups; group++) {
        auto sums = &own[group * width_of_sums], total = &all[group * width_of_sums];
        for (size_t k = 0; k < count; k++) {
            auto width = sources[k].width;
            for (int64_t c = 0; c < width; c++) gb[k * columns + c] = gc[k * columns + c] = 0;
            for (int64_t m = 0; m < columns; m++) {
                auto a = static_cast<double>(alpha[m / state.channels][k]);
                auto p = sums[count * columns + m], q = sums[k * columns + m];
                auto place = k * columns;
                if (static_cast<int64_t>(k) < state.normalized) {
                    auto &moments = state.moments[group][k];
                    auto coefficients =
                        gradient_coefficients(moments, m % width, a, total[count * columns + m], total[place + m],
                                              rows * world_size(), state.options.use_batch_statistics);
                    ga[place + m] = static_cast<T>(coefficients.g);
                    gb[place + m % width] += static_cast<T>(coefficients.x);
                    gc[place + m % width] += static_cast<T>(coefficients.constant);
                    alpha_gradient[m / state.channels][k] += static_cast<T>(xhat_sum(moments, m % width, p, q));
                } else {
                    ga[place + m] = static_cast<T>(a);
                    alpha_gradient[m / state.channels][k] += static_cast<T>(q);
                }
            }
        }
        for (int64_t start = group * rows; start < (group + 1) * rows; start += block_rows) {
            auto size = std::min(block_rows, (group + 1) * rows - start);
            load_gradients(start, size);
            for (size_t k = 0; k < count; k++) {
                auto width = sources[k].width;
                mixed_operation_gradient(upper.data(), sources[k][start], targets[k][start], size, width,
                                         columns / width, &ga[k * columns], &gb[k * columns], &gc[k * columns]);
            }
        }
    }
}

class MixedOperation : public torch::autograd::Function<MixedOperation> {
  public:
    static variable_list forward(AutogradContext *context, c10::intrusive_ptr<MixedOperationState> state,
                                 at::Tensor weights, std::optional<at::Tensor> start, at::Tensor running_mean,
                                 at::Tensor running_variance, at::TensorList inputs) {
        auto maps = inputs.vec();
        weights = weights.contiguous();
        for (auto &map : maps) map = map.contiguous(at::MemoryFormat::ChannelsLast);
        at::Tensor base;
        if (start) base = start->contiguous(at::MemoryFormat::ChannelsLast);
        auto images = maps[0].size(0), first = state->first_columns();
        auto finished = like(maps[0], images, first), rest = like(maps[0], images, state->columns() - first);
        AT_DISPATCH_FLOATING_TYPES(weights.scalar_type(), "mixed_operation", [&] {
            forward_rows<scalar_t>(*state, maps, weights, base, running_mean, running_variance, finished, rest);
        });
        variable_list saved = maps;
        for (auto &map : saved) {
            auto again = can_be_computed_again(map);
            state->origins.push_back(again ? Origin(map.grad_fn()) : no_origin);
            if (again) map = at::Tensor();
        }
        saved.push_back(weights);
        context->save_for_backward(saved);
        context->saved_data["state"] = c10::IValue::make_capsule(state);
        context->saved_data["base_images"] = base.defined() ? base.size(0) : 0;
        return {finished, rest};
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        auto maps = context->get_saved_variables();
        auto weights = maps.back();
        maps.pop_back();
        auto state = c10::static_intrusive_pointer_cast<MixedOperationState>(context->saved_data["state"].toCapsule());
        auto finished = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
        auto rest = gradients[1].contiguous(at::MemoryFormat::ChannelsLast);
        variable_list map_gradients;
        for (size_t k = 0; k < maps.size(); k++) {
            auto is_kept = maps[k].defined();
            if (!is_kept) maps[k] = computed_again(state->origins[k]);
            // What is nobody else's is written over, pixel by pixel.
            map_gradients.push_back(is_kept ? like(maps[k], maps[k].size(0), maps[k].size(1)) : maps[k]);
        }
        auto weight_gradient = at::zeros_like(weights);
        at::Tensor base_gradient;
        if (state->has_base) {
            auto images = context->saved_data["base_images"].toInt();
            base_gradient = like(maps[0], images, state->columns()).zero_();
        }
        AT_DISPATCH_FLOATING_TYPES(weights.scalar_type(), "mixed_operation_backward", [&] {
            backward_rows<scalar_t>(*state, maps, weights, finished, rest, map_gradients, weight_gradient,
                                    base_gradient);
        });
        variable_list result = {at::Tensor(), weight_gradient, base_gradient, at::Tensor(), at::Tensor()};
        result.insert(result.end(), map_gradients.begin(), map_gradients.end());
        return result;
    }
};

// Reference implementation by libtorch's operations, for devices and dtypes without a row kernel.
at::Tensor mixed_operation_reference(const MixedOperationState &state, const std::vector<at::Tensor> &maps,
                                     const at::Tensor &weights, const at::Tensor &base, const at::Tensor &running_mean,
                                     const at::Tensor &running_variance) {
    at::Tensor sum = base;
    if (state.has_base && base.size(0) != maps[0].size(0)) sum = base.repeat({maps[0].size(0) / base.size(0), 1, 1, 1});
    int64_t place = 0;
    for (size_t k = 0; k < maps.size(); k++) {
        auto map = maps[k];
        if (static_cast<int64_t>(k) < state.normalized) {
            auto width = map.size(1);
            map = batch_norm_reference(map, running_mean.narrow(1, place, width),
                                       running_variance.narrow(1, place, width), state.options);
            place += width;
        }
        if (state.copies(maps[k]) > 1) map = map.repeat({1, state.edges, 1, 1});
        auto factor = weights.select(1, static_cast<int64_t>(k)).repeat_interleave(state.channels).view({1, -1, 1, 1});
        auto part = at::mul(map, factor.to(map.scalar_type()));
        sum = sum.defined() ? at::add(sum, part) : part;
    }
    return sum;
}

// One row a group, and in it the channels of all normalised maps.
void check_statistics(const MixedOperationState &state, const std::vector<at::Tensor> &maps, const at::Tensor &running,
                      const char *name) {
    int64_t channels = 0;
    for (int64_t k = 0; k < state.normalized; k++) channels += maps[k].size(1);
    TORCH_CHECK(running.is_contiguous() && running.dim() == 2 && running.size(0) == state.options.groups &&
                    running.size(1) == channels,
                "mixed operation: a running ", name, " of ", running.sizes(), " for ", state.options.groups,
                " groups of ", channels, " channels");
}

} // namespace

int32_t ct_mixed_operation(const ct_optional_tensor *handles, int64_t count, int64_t normalized, ct_tensor weights,
                           ct_optional_tensor base, ct_tensor running_mean, ct_tensor running_variance,
                           ct_batch_norm_options options, bool splits, ct_optional_tensor *finished,
                           ct_optional_tensor *rest) {
    return guard([&] {
        auto maps = tensors(handles, count);
        TORCH_CHECK(count > 0 && normalized >= 0 && normalized <= count, "mixed operation: ", normalized, " of ", count,
                    " maps");
        TORCH_CHECK(options.groups > 0 && get(weights).dim() == 2 && get(weights).size(0) > 0 &&
                        get(weights).size(1) >= count,
                    "mixed operation: weights of ", get(weights).sizes(), " for ", count, " maps in ", options.groups,
                    " groups");
        for (auto &map : maps) {
            TORCH_CHECK(map.dim() == 4 && map.size(0) == maps[0].size(0) && map.size(2) == maps[0].size(2) &&
                            map.size(3) == maps[0].size(3),
                        "mixed operation: a map of ", map.sizes(), " beside one of ", maps[0].sizes());
            map = upcast_bfloat16(map);
        }
        TORCH_CHECK(maps[0].size(0) % options.groups == 0, "mixed operation: ", maps[0].size(0), " images in ",
                    options.groups, " groups");
        auto state = c10::make_intrusive<MixedOperationState>();
        state->options = converted(options);
        state->normalized = normalized;
        state->edges = get(weights).size(0);
        int64_t widest = 0;
        for (auto &map : maps) widest = std::max(widest, map.size(1));
        state->channels = widest / state->edges;
        state->rows = maps[0].size(0) * maps[0].size(2) * maps[0].size(3) / options.groups;
        state->splits = splits;
        state->has_base = base != nullptr;
        for (auto &map : maps) {
            TORCH_CHECK(map.size(1) == state->columns() || map.size(1) == state->channels, "mixed operation: a map of ",
                        map.size(1), " channels for ", state->edges, " edges of ", state->channels);
        }
        check_statistics(*state, maps, get(running_mean), "mean");
        check_statistics(*state, maps, get(running_variance), "variance");
        auto start = base ? upcast_bfloat16(get(base)) : at::Tensor();
        TORCH_CHECK(!base || (start.dim() == 4 && start.size(1) == state->columns() && start.size(0) > 0 &&
                              maps[0].size(0) % start.size(0) == 0 && start.size(2) == maps[0].size(2) &&
                              start.size(3) == maps[0].size(3)),
                    "mixed operation: a base of ", start.sizes(), " for maps of ", maps[0].sizes());
        at::Tensor first, others;
        if (has_row_kernel(maps[0])) {
            auto inputs = at::TensorList(maps);
            auto optional_start = start.defined() ? std::optional(start) : std::nullopt;
            auto both = MixedOperation::apply(state, get(weights), optional_start, get(running_mean),
                                              get(running_variance), inputs);
            first = both[0], others = both[1];
        } else {
            auto all =
                mixed_operation_reference(*state, maps, get(weights), start, get(running_mean), get(running_variance));
            auto edge = state->first_columns();
            first = all.narrow(1, 0, edge), others = all.narrow(1, edge, state->columns() - edge);
        }
        *finished = splits ? wrap(first) : nullptr;
        *rest = others.size(1) ? wrap(others) : nullptr;
    });
}
