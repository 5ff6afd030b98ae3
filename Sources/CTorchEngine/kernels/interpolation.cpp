#include "kernels/interpolation.h"
#include "kernels/parallel.h"
#include "kernels/rows.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <algorithm>
#include <vector>

namespace {

using ct::LinearPlaces;

// One row at places between its columns; `row` holds its last value twice.
CT_CLONES void between_columns(const float *row, const int32_t *indices, const float *shares, int64_t count,
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
CT_CLONES void between_pixels(const float *row, int64_t width, int64_t channels, const int32_t *indices,
                              const float *shares, int64_t count, float *result) {
    for (int64_t i = 0; i < count; i++) {
        auto left = row + indices[i] * channels, right = indices[i] + 1 < width ? left + channels : left;
        auto share = shares[i];
        for (int64_t c = 0; c < channels; c++) result[i * channels + c] = left[c] * (1 - share) + right[c] * share;
    }
}

// Rows of one map at places between its columns, of which two are kept: the next place is mostly between the same ones.
class ResizedRows {
  public:
    ResizedRows(const float *map, int64_t width, const std::vector<int32_t> &columns, const float *shares)
        : map(map), width(width), columns(columns), shares(shares), row(width + 1) {
        for (auto &values : kept) values.resize(columns.size());
    }

    const float *at(int64_t index) {
        auto place = index % 2;
        if (held[place] != index) {
            std::copy_n(map + index * width, width, row.begin());
            row[width] = row[width - 1];
            between_columns(row.data(), columns.data(), shares, static_cast<int64_t>(columns.size()),
                            kept[place].data());
            held[place] = index;
        }
        return kept[place].data();
    }

  private:
    const float *map;
    int64_t width;
    const std::vector<int32_t> &columns;
    const float *shares;
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

// Values that are worth a thread.
constexpr int64_t smallest_part = 32768;

} // namespace

// Maps [N, C, H, W] whose pixels have their channels side by side.
static at::Tensor interpolate_channels_last(const at::Tensor &x, LinearPlaces rows, LinearPlaces columns) {
    auto images = x.size(0), channels = x.size(1), height = x.size(2), width = x.size(3);
    auto result = at::empty({images, channels, rows.count, columns.count}, x.options(), at::MemoryFormat::ChannelsLast);
    auto from = x.const_data_ptr<float>();
    auto to = result.mutable_data_ptr<float>();
    std::vector<int32_t> places(columns.indices, columns.indices + columns.count);
    auto row_size = width * channels, new_size = columns.count * channels;
    auto grain = std::max<int64_t>(1, smallest_part / std::max<int64_t>(1, new_size));
    ct::parallel_for(images * rows.count, grain, [&](int64_t begin, int64_t end) {
        std::vector<float> mixed(static_cast<size_t>(row_size));
        for (int64_t i = begin; i < end; i++) {
            auto row = i % rows.count, upper = rows.indices[row], lower = std::min(upper + 1, height - 1);
            auto map = from + i / rows.count * height * row_size;
            between_rows(map + upper * row_size, map + lower * row_size, rows.shares[row], row_size, mixed.data());
            between_pixels(mixed.data(), width, channels, places.data(), columns.shares, columns.count,
                           to + i * new_size);
        }
    });
    return result;
}

// Maps whose planes lie one after another.
static at::Tensor interpolate_planes(const at::Tensor &x, LinearPlaces rows, LinearPlaces columns) {
    auto planes = x.size(0) * x.size(1), height = x.size(2), width = x.size(3);
    auto result = at::empty({x.size(0), x.size(1), rows.count, columns.count}, x.options());
    auto from = x.const_data_ptr<float>();
    auto to = result.mutable_data_ptr<float>();
    std::vector<int32_t> places(columns.indices, columns.indices + columns.count);
    auto blocks = (rows.count + block - 1) / block;
    auto grain = std::max<int64_t>(1, smallest_part / (block * std::max<int64_t>(1, columns.count)));
    ct::parallel_for(planes * blocks, grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            auto plane = i / blocks, start = i % blocks * block;
            ResizedRows resized(from + plane * height * width, width, places, columns.shares);
            for (auto row = start; row < std::min(start + block, rows.count); row++) {
                auto upper = rows.indices[row];
                between_rows(resized.at(upper), resized.at(std::min(upper + 1, height - 1)), rows.shares[row],
                             columns.count, to + (plane * rows.count + row) * columns.count);
            }
        }
    });
    return result;
}

at::Tensor ct::interpolate(const at::Tensor &x, LinearPlaces rows, LinearPlaces columns) {
    TORCH_CHECK(x.dim() == 4 && x.numel() > 0, "maps [N, C, H, W] that hold something");
    for (auto [places, size] : {std::pair(rows, x.size(2)), std::pair(columns, x.size(3))}) {
        auto last = places.indices + places.count;
        TORCH_CHECK(std::all_of(places.indices, last, [size = size](int64_t i) { return i >= 0 && i < size; }),
                    "places beyond a map");
    }
    auto plain = x.is_cpu() && x.scalar_type() == at::kFloat && !(at::GradMode::is_enabled() && x.requires_grad());
    if (!plain) return between(between(x, 2, rows), 3, columns);
    auto maps = x.detach();
    if (maps.size(1) > 1 && maps.is_contiguous(at::MemoryFormat::ChannelsLast))
        return interpolate_channels_last(maps, rows, columns);
    return interpolate_planes(maps.contiguous(), rows, columns);
}
