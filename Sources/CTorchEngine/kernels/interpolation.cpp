#include "kernels/interpolation.h"
#include "kernels/layout.h"
#include "kernels/parallel.h"
#include "kernels/rows.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <algorithm>
#include <torch/csrc/autograd/custom_function.h>
#include <vector>

namespace {

using ct::lies_channels_last;
using ct::LinearPlaces;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// One row at places between its columns; `row` holds its last value twice.
CT_CLONES void between_columns(const float *row, const int64_t *indices, const float *shares, int64_t count,
                               float *result) {
    for (int64_t i = 0; i < count; i++) {
        auto at = row + indices[i];
        result[i] = at[0] * (1 - shares[i]) + at[1] * shares[i];
    }
}

CT_CLONES void between_rows(const float *upper, const float *lower, float share, int64_t count, float *result) {
    for (int64_t i = 0; i < count; i++) result[i] = upper[i] * (1 - share) + lower[i] * share;
}

// The same of pixels that have their channels side by side.
CT_CLONES void between_pixels(const float *row, int64_t width, int64_t channels, const int64_t *indices,
                              const float *shares, int64_t count, float *result) {
    for (int64_t i = 0; i < count; i++) {
        auto left = row + indices[i] * channels, right = indices[i] + 1 < width ? left + channels : left;
        auto share = shares[i];
        for (int64_t c = 0; c < channels; c++) result[i * channels + c] = left[c] * (1 - share) + right[c] * share;
    }
}

CT_CLONES void add_weighted(const float *values, float weight, int64_t count, float *sum) {
    for (int64_t i = 0; i < count; i++) sum[i] += values[i] * weight;
}

// The other way round: new pixels give to the two between which they lie.
CT_CLONES void give_to_pixels(const float *row, int64_t width, int64_t channels, const int64_t *indices,
                              const float *shares, int64_t count, float *sum) {
    for (int64_t i = 0; i < count; i++) {
        auto own = row + i * channels;
        auto left = sum + indices[i] * channels;
        auto share = shares[i];
        if (indices[i] + 1 == width) share = 0;
        for (int64_t c = 0; c < channels; c++) left[c] += own[c] * (1 - share);
        if (indices[i] + 1 < width)
            for (int64_t c = 0; c < channels; c++) left[channels + c] += own[c] * share;
    }
}

// Rows of one map at places between its columns, of which two are kept: the next place is mostly between the same ones.
class ResizedRows {
  public:
    ResizedRows(const float *map, int64_t width, LinearPlaces columns)
        : map(map), width(width), columns(columns), row(width + 1) {
        for (auto &values : kept) values.resize(columns.count);
    }

    const float *at(int64_t index) {
        auto place = index % 2;
        if (held[place] != index) {
            std::copy_n(map + index * width, width, row.begin());
            row[width] = row[width - 1];
            between_columns(row.data(), columns.indices, columns.shares, columns.count, kept[place].data());
            held[place] = index;
        }
        return kept[place].data();
    }

  private:
    const float *map;
    int64_t width;
    LinearPlaces columns;
    std::vector<float> row, kept[2];
    int64_t held[2] = {-1, -1};
};

// The same by operations that there are on every device, for every kind of number and with gradients.
at::Tensor between(const at::Tensor &x, int64_t dim, LinearPlaces places) {
    auto kind = at::TensorOptions().device(at::kCPU);
    // Copies: what goes backward keeps them.
    auto indices = at::from_blob(const_cast<int64_t *>(places.indices), places.count, kind.dtype(at::kLong)).clone();
    auto shares = at::from_blob(const_cast<float *>(places.shares), places.count, kind.dtype(at::kFloat))
                      .clone()
                      .to(x.device(), x.scalar_type());
    if (dim == 2) shares = shares.unsqueeze(1);
    auto first = x.index_select(dim, indices.to(x.device()));
    auto second = x.index_select(dim, indices.add(1).clamp_max(x.size(dim) - 1).to(x.device()));
    return at::lerp(first, second, shares);
}

// Rows that a thread does at a time.
constexpr int64_t block = 32;

// Maps [N, C, H, W] whose pixels have their channels side by side.
at::Tensor interpolate_channels_last(const at::Tensor &x, LinearPlaces rows, LinearPlaces columns) {
    auto images = x.size(0), channels = x.size(1), height = x.size(2), width = x.size(3);
    auto result = at::empty({images, channels, rows.count, columns.count}, x.options(), at::MemoryFormat::ChannelsLast);
    auto from = x.const_data_ptr<float>();
    auto to = result.mutable_data_ptr<float>();
    auto row_size = width * channels, new_size = columns.count * channels;
    auto grain = std::max<int64_t>(1, ct::smallest_part / std::max<int64_t>(1, new_size));
    ct::parallel_for(images * rows.count, grain, [&](int64_t begin, int64_t end) {
        std::vector<float> mixed(static_cast<size_t>(row_size));
        for (int64_t i = begin; i < end; i++) {
            auto row = i % rows.count, upper = rows.indices[row], lower = std::min(upper + 1, height - 1);
            auto map = from + i / rows.count * height * row_size;
            between_rows(map + upper * row_size, map + lower * row_size, rows.shares[row], row_size, mixed.data());
            between_pixels(mixed.data(), width, channels, columns.indices, columns.shares, columns.count,
                           to + i * new_size);
        }
    });
    return result;
}

// Maps whose planes lie one after another.
at::Tensor interpolate_planes(const at::Tensor &x, LinearPlaces rows, LinearPlaces columns) {
    auto planes = x.size(0) * x.size(1), height = x.size(2), width = x.size(3);
    auto result = at::empty({x.size(0), x.size(1), rows.count, columns.count}, x.options());
    auto from = x.const_data_ptr<float>();
    auto to = result.mutable_data_ptr<float>();
    auto blocks = (rows.count + block - 1) / block;
    auto grain = std::max<int64_t>(1, ct::smallest_part / (block * std::max<int64_t>(1, columns.count)));
    ct::parallel_for(planes * blocks, grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            auto plane = i / blocks, start = i % blocks * block;
            ResizedRows resized(from + plane * height * width, width, columns);
            for (auto row = start; row < std::min(start + block, rows.count); row++) {
                auto upper = rows.indices[row];
                between_rows(resized.at(upper), resized.at(std::min(upper + 1, height - 1)), rows.shares[row],
                             columns.count, to + (plane * rows.count + row) * columns.count);
            }
        }
    });
    return result;
}

at::Tensor resized(const at::Tensor &x, LinearPlaces rows, LinearPlaces columns) {
    if (lies_channels_last(x)) return interpolate_channels_last(x, rows, columns);
    return interpolate_planes(x.contiguous(), rows, columns);
}

// The gradient of maps of `height` rows and `width` columns, laid as that of the result. What is read between two rows
// of the maps gives to both: for each of them first the sum of the result's rows, which are read in order, then of its
// columns.
at::Tensor resized_gradient(const at::Tensor &gradient, int64_t height, int64_t width, LinearPlaces rows,
                            LinearPlaces columns) {
    auto side_by_side = lies_channels_last(gradient);
    auto upper = side_by_side ? gradient : gradient.contiguous();
    auto result = at::empty({upper.size(0), upper.size(1), height, width}, upper.options(),
                            side_by_side ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous);
    auto channels = side_by_side ? upper.size(1) : 1;
    auto from = upper.const_data_ptr<float>();
    auto to = result.mutable_data_ptr<float>();
    auto row_size = width * channels, new_size = columns.count * channels;
    auto grain = std::max<int64_t>(1, ct::smallest_part * height / std::max<int64_t>(1, rows.count * new_size));
    ct::parallel_for(upper.numel() / (rows.count * new_size) * height, grain, [&](int64_t begin, int64_t end) {
        std::vector<float> sum(static_cast<size_t>(new_size));
        for (int64_t i = begin; i < end; i++) {
            auto row = i % height;
            auto map = from + i / height * rows.count * new_size;
            std::fill(sum.begin(), sum.end(), 0.0f);
            auto first = std::lower_bound(rows.indices, rows.indices + rows.count, row - 1) - rows.indices;
            for (auto place = first; place < rows.count && rows.indices[place] <= row; place++) {
                auto share = rows.shares[place];
                auto weight = rows.indices[place] < row ? share : row + 1 < height ? 1 - share : 1;
                add_weighted(map + place * new_size, weight, new_size, sum.data());
            }
            std::fill_n(to + i * row_size, row_size, 0.0f);
            give_to_pixels(sum.data(), width, channels, columns.indices, columns.shares, columns.count,
                           to + i * row_size);
        }
    });
    return result;
}

// The places, kept for the way back.
struct Places : torch::CustomClassHolder {
    std::vector<int64_t> indices;
    std::vector<float> shares;
    int64_t size;

    Places(LinearPlaces places, int64_t size)
        : indices(places.indices, places.indices + places.count), shares(places.shares, places.shares + places.count),
          size(size) {}
    LinearPlaces view() const { return {indices.data(), shares.data(), static_cast<int64_t>(indices.size())}; }
};

struct Interpolation : torch::autograd::Function<Interpolation> {
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x, c10::intrusive_ptr<Places> rows,
                              c10::intrusive_ptr<Places> columns) {
        context->saved_data["rows"] = c10::IValue::make_capsule(rows);
        context->saved_data["columns"] = c10::IValue::make_capsule(columns);
        return resized(x, rows->view(), columns->view());
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        if (!gradients[0].defined()) return {at::Tensor(), at::Tensor(), at::Tensor()};
        auto rows = c10::static_intrusive_pointer_cast<Places>(context->saved_data["rows"].toCapsule());
        auto columns = c10::static_intrusive_pointer_cast<Places>(context->saved_data["columns"].toCapsule());
        return {resized_gradient(gradients[0], rows->size, columns->size, rows->view(), columns->view()), at::Tensor(),
                at::Tensor()};
    }
};

void check(LinearPlaces places, int64_t size) {
    auto last = places.indices + places.count;
    TORCH_CHECK(std::is_sorted(places.indices, last) &&
                    (places.count == 0 || (places.indices[0] >= 0 && places.indices[places.count - 1] < size)),
                "places beyond a map, or not in order");
}

} // namespace

at::Tensor ct::interpolate(const at::Tensor &x, LinearPlaces rows, LinearPlaces columns) {
    TORCH_CHECK(x.dim() == 4 && x.numel() > 0, "maps [N, C, H, W] that hold something");
    check(rows, x.size(2));
    check(columns, x.size(3));
    if (!x.is_cpu() || x.scalar_type() != at::kFloat) return between(between(x, 2, rows), 3, columns);
    if (!at::GradMode::is_enabled() || !x.requires_grad()) return resized(x.detach(), rows, columns);
    return Interpolation::apply(x, c10::make_intrusive<Places>(rows, x.size(2)),
                                c10::make_intrusive<Places>(columns, x.size(3)));
}
