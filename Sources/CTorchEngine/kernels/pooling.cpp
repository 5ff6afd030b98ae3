#include "kernels/pooling.h"
#include "kernels/layout.h"
#include "kernels/parallel.h"
#include "kernels/simd.h"

#include <ATen/Dispatch.h>
#include <ATen/Functions.h>
#include <algorithm>
#include <limits>
#include <torch/csrc/autograd/custom_function.h>

using namespace ct;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

struct Shape {
    int64_t images, channels, height, width;
    explicit Shape(const at::Tensor &map)
        : images(map.size(0)), channels(map.size(1)), height(map.size(2)), width(map.size(3)) {}

    int64_t row() const { return width * channels; }
};

// The places around one in a row or a column, as far as they are inside.
struct Neighbours {
    int64_t begin, end;
};
CT_INLINE Neighbours around(int64_t place, int64_t count) {
    return {place > 0 ? place - 1 : 0, place + 2 < count ? place + 2 : count};
}
CT_INLINE int64_t count(const Neighbours &places) { return places.end - places.begin; }

// Where in its window the largest value lies: the row of three, times three, plus the column.
using Place = uint8_t;
constexpr Place none = 255;
template <int V> struct PlacesType {
    typedef Place type __attribute__((vector_size(V), aligned(1), may_alias));
};
template <int V> CT_INLINE typename PlacesType<V>::type &places_at(Place *p) {
    return *reinterpret_cast<typename PlacesType<V>::type *>(p);
}
template <int V> CT_INLINE const typename PlacesType<V>::type &places_at(const Place *p) {
    return *reinterpret_cast<const typename PlacesType<V>::type *>(p);
}

// Integers as wide as T.
template <typename T> using Whole = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;

// Calls `body(pixel, channel, window, constant V)` for one row. `window(each)` calls `each(row, column)` for the places
// around the pixel: all nine, whose number is then known when this is compiled, or those that are inside.
template <typename T, typename Body> CT_INLINE void over_row(int64_t row, const Shape &shape, Body &&body) {
    auto rows = around(row, shape.height);
    for (int64_t w = 0; w < shape.width; w++) {
        auto columns = around(w, shape.width);
        auto whole = count(rows) == 3 && count(columns) == 3;
        over_channels<T>(shape.channels, [&](int64_t c, auto v) __attribute__((always_inline)) {
            if (whole) {
                auto window = [&](auto &&each) __attribute__((always_inline)) {
                    CT_UNROLLED for (int i = 0; i < 3; i++) {
                        CT_UNROLLED for (int j = 0; j < 3; j++) each(row - 1 + i, w - 1 + j);
                    }
                };
                body(w, c, window, v);
            } else {
                auto window = [&](auto &&each) __attribute__((always_inline)) {
                    for (auto h = rows.begin; h < rows.end; h++) {
                        for (auto x = columns.begin; x < columns.end; x++) each(h, x);
                    }
                };
                body(w, c, window, v);
            }
        });
    }
}

// How many values the mean around a place is of.
CT_INLINE int64_t window_size(int64_t row, int64_t column, const Shape &shape) {
    return count(around(row, shape.height)) * count(around(column, shape.width));
}

// The windows' sums, or their means.
template <bool means, typename T> CT_INLINE void sum_row_body(const T *image, T *out, int64_t row, const Shape &shape) {
    over_row<T>(row, shape, [&](int64_t w, int64_t c, auto &&window, auto v) __attribute__((always_inline)) {
        constexpr int V = decltype(v)::value;
        simd<T, V> sum = {};
        window([&](int64_t h, int64_t x) __attribute__((always_inline)) {
            sum += simd_at<V>(image + (h * shape.width + x) * shape.channels + c);
        });
        if constexpr (means) sum /= static_cast<T>(window_size(row, w, shape));
        simd_at<V>(out + w * shape.channels + c) = sum;
    });
}

// What each value of a mean has of the mean's gradient.
template <typename T> CT_INLINE void share_row_body(const T *image, T *out, int64_t row, const Shape &shape) {
    for (int64_t w = 0; w < shape.width; w++) {
        auto share = T(1) / static_cast<T>(window_size(row, w, shape));
        auto first = (row * shape.width + w) * shape.channels;
        auto to = out + w * shape.channels;
        CT_INDEPENDENT for (int64_t c = 0; c < shape.channels; c++) to[c] = share * image[first + c];
    }
}

// The first of equal values is the largest, and what is no number is larger than all before it, as in libtorch.
template <typename T>
CT_INLINE void max_row_body(const T *image, T *out, Place *places, int64_t row, const Shape &shape) {
    over_row<T>(row, shape, [&](int64_t w, int64_t c, auto &&window, auto v) __attribute__((always_inline)) {
        constexpr int V = decltype(v)::value;
        simd<T, V> largest = {};
        simd<Whole<T>, V> place = {};
        largest -= std::numeric_limits<T>::infinity();
        place += Whole<T>(none);
        window([&](int64_t h, int64_t x) __attribute__((always_inline)) {
            auto value = simd_at<V>(image + (h * shape.width + x) * shape.channels + c);
            simd<Whole<T>, V> here = {};
            here += static_cast<Whole<T>>((h - row + 1) * 3 + x - w + 1);
            auto larger = (value > largest) | (value != value) | (place == Whole<T>(none));
            largest = larger ? value : largest;
            place = larger ? here : place;
        });
        auto pixel = w * shape.channels + c;
        simd_at<V>(out + pixel) = largest;
        if (places) {
            places_at<V>(places + pixel) = __builtin_convertvector(place, typename PlacesType<V>::type);
        }
    });
}

// Each value goes to where it came from.
template <typename T>
CT_INLINE void max_gradient_body(const T *gradient, const Place *places, T *out, int64_t row, const Shape &shape) {
    over_row<T>(row, shape, [&](int64_t w, int64_t c, auto &&window, auto v) __attribute__((always_inline)) {
        constexpr int V = decltype(v)::value;
        simd<T, V> sum = {}, nothing = {};
        window([&](int64_t h, int64_t x) __attribute__((always_inline)) {
            auto pixel = (h * shape.width + x) * shape.channels + c;
            auto place = __builtin_convertvector(places_at<V>(places + pixel), simd<Whole<T>, V>);
            auto is_own = place == static_cast<Whole<T>>((row - h + 1) * 3 + w - x + 1);
            sum += is_own ? simd_at<V>(gradient + pixel) : nothing;
        });
        simd_at<V>(out + w * shape.channels + c) = sum;
    });
}

CT_CLONES void mean_row(const float *image, float *out, int64_t row, const Shape &shape) {
    sum_row_body<true>(image, out, row, shape);
}
CT_CLONES void mean_row(const double *image, double *out, int64_t row, const Shape &shape) {
    sum_row_body<true>(image, out, row, shape);
}
CT_CLONES void sum_row(const float *image, float *out, int64_t row, const Shape &shape) {
    sum_row_body<false>(image, out, row, shape);
}
CT_CLONES void sum_row(const double *image, double *out, int64_t row, const Shape &shape) {
    sum_row_body<false>(image, out, row, shape);
}
CT_CLONES void share_row(const float *image, float *out, int64_t row, const Shape &shape) {
    share_row_body(image, out, row, shape);
}
CT_CLONES void share_row(const double *image, double *out, int64_t row, const Shape &shape) {
    share_row_body(image, out, row, shape);
}
CT_CLONES void max_row(const float *image, float *out, Place *places, int64_t row, const Shape &shape) {
    max_row_body(image, out, places, row, shape);
}
CT_CLONES void max_row(const double *image, double *out, Place *places, int64_t row, const Shape &shape) {
    max_row_body(image, out, places, row, shape);
}
CT_CLONES void max_gradient(const float *gradient, const Place *places, float *out, int64_t row, const Shape &shape) {
    max_gradient_body(gradient, places, out, row, shape);
}
CT_CLONES void max_gradient(const double *gradient, const Place *places, double *out, int64_t row, const Shape &shape) {
    max_gradient_body(gradient, places, out, row, shape);
}

// Calls `body(image, row)` on libtorch's threads.
template <typename Body> void over_rows(const Shape &shape, const Body &body) {
    auto grain = std::max(int64_t(1), smallest_part / std::max(int64_t(1), shape.row()));
    ct::parallel_for(shape.images * shape.height, grain, [&](int64_t begin, int64_t end) {
        for (auto i = begin; i < end; i++) body(i / shape.height, i % shape.height);
    });
}

// A map whose rows are made one by one from another: `make(image, row of the result, number of the row, shape)`.
template <typename Make> at::Tensor by_rows(const at::Tensor &x, const Make &make) {
    Shape shape(x);
    auto y = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "average_pool2d", [&] {
        auto from = x.const_data_ptr<scalar_t>();
        auto to = y.mutable_data_ptr<scalar_t>();
        over_rows(shape, [&](int64_t image, int64_t row) {
            auto start = image * shape.height * shape.row();
            make(from + start, to + start + row * shape.row(), row, shape);
        });
    });
    return y;
}

at::Tensor averages(const at::Tensor &x) {
    return by_rows(x, [](auto image, auto out, int64_t row, const Shape &shape) { mean_row(image, out, row, shape); });
}

at::Tensor average_gradients(const at::Tensor &gradient) {
    auto shares = by_rows(
        gradient, [](auto image, auto out, int64_t row, const Shape &shape) { share_row(image, out, row, shape); });
    return by_rows(shares,
                   [](auto image, auto out, int64_t row, const Shape &shape) { sum_row(image, out, row, shape); });
}

// Where `places` is defined, it is told where the values come from.
at::Tensor maxima(const at::Tensor &x, const at::Tensor &places = {}) {
    Shape shape(x);
    auto y = at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast);
    auto place = places.defined() ? places.mutable_data_ptr<Place>() : nullptr;
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "max_pool2d", [&] {
        auto from = x.const_data_ptr<scalar_t>();
        auto to = y.mutable_data_ptr<scalar_t>();
        over_rows(shape, [&](int64_t image, int64_t row) {
            auto start = image * shape.height * shape.row(), own = start + row * shape.row();
            max_row(from + start, to + own, place ? place + own : nullptr, row, shape);
        });
    });
    return y;
}

class AveragePool2d : public torch::autograd::Function<AveragePool2d> {
  public:
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x) {
        context->save_for_backward({x});
        return averages(x);
    }

    static at::Tensor again(AutogradContext &context) { return averages(context.get_saved_variables()[0]); }

    static variable_list backward(AutogradContext *, variable_list gradients) {
        TORCH_CHECK(!at::GradMode::is_enabled(), "this pool has no second derivative");
        return {average_gradients(gradients[0].contiguous(at::MemoryFormat::ChannelsLast))};
    }
};

class MaxPool2d : public torch::autograd::Function<MaxPool2d> {
  public:
    static at::Tensor forward(AutogradContext *context, const at::Tensor &x) {
        auto places = at::empty_like(x, x.options().dtype(at::kByte), at::MemoryFormat::ChannelsLast);
        context->save_for_backward({x, places});
        return maxima(x, places);
    }

    static at::Tensor again(AutogradContext &context) { return maxima(context.get_saved_variables()[0]); }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        TORCH_CHECK(!at::GradMode::is_enabled(), "this pool has no second derivative");
        auto places = context->get_saved_variables()[1];
        auto g = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
        Shape shape(g);
        auto gx = at::empty_like(g, g.options(), at::MemoryFormat::ChannelsLast);
        AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "max_pool2d_backward", [&] {
            auto from = g.const_data_ptr<scalar_t>();
            auto place = places.const_data_ptr<Place>();
            auto to = gx.mutable_data_ptr<scalar_t>();
            over_rows(shape, [&](int64_t image, int64_t row) {
                auto start = image * shape.height * shape.row();
                max_gradient(from + start, place + start, to + start + row * shape.row(), row, shape);
            });
        });
        return {gx};
    }
};

template <typename Pool> torch::autograd::CppNode<Pool> *node_of(torch::autograd::Node *node) {
    return dynamic_cast<torch::autograd::CppNode<Pool> *>(node);
}

bool learns(const at::Tensor &x) { return at::GradMode::is_enabled() && x.requires_grad(); }

} // namespace

bool ct::has_pool_kernel(const at::Tensor &x, int64_t kernel, int64_t stride, int64_t padding) {
    return has_row_kernel(x) && x.dim() == 4 && x.numel() > 0 && lies_channels_last(x) && kernel == 3 && stride == 1 &&
           padding == 1;
}

at::Tensor ct::average_pool2d(const at::Tensor &x) { return learns(x) ? AveragePool2d::apply(x) : averages(x); }

at::Tensor ct::max_pool2d(const at::Tensor &x) { return learns(x) ? MaxPool2d::apply(x) : maxima(x); }

bool ct::is_pooled(const at::Tensor &map) {
    auto node = map.grad_fn().get();
    return node_of<AveragePool2d>(node) || node_of<MaxPool2d>(node);
}

at::Tensor ct::pooled_again(torch::autograd::Node &origin) {
    if (auto node = node_of<AveragePool2d>(&origin)) return AveragePool2d::again(node->ctx_);
    auto node = node_of<MaxPool2d>(&origin);
    TORCH_CHECK(node, "no pool made this map");
    return MaxPool2d::again(node->ctx_);
}
