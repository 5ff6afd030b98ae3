#include "kernels/overlaps.h"
#include "kernels/layout.h"
#include "kernels/parallel.h"
#include "kernels/rows.h"

#include <ATen/Dispatch.h>
#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <algorithm>
#include <torch/csrc/autograd/custom_function.h>
#include <vector>

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Pixels whose labels stay in the nearest cache while the classes are gone through.
constexpr int64_t block = 1024;
// Sums that are made beside each other.
constexpr int64_t lanes = 16;

// A block's labels as 32-bit integers, of which the least stands for ignored ones.
CT_CLONES void narrow(const int64_t *labels, int64_t count, int64_t ignored, int32_t *result) {
    // What is no 32-bit number is no class either, but it is not ignored.
    for (int64_t i = 0; i < count; i++) {
        result[i] = labels[i] <= INT32_MIN || labels[i] > INT32_MAX ? -1 : static_cast<int32_t>(labels[i]);
        result[i] = labels[i] == ignored ? INT32_MIN : result[i];
    }
}

// One class's three sums over a block.
template <typename T>
CT_INLINE void sums_of(const T *p, const int32_t *labels, int32_t label, int64_t count, double *sums) {
    T own[lanes] = {}, all[lanes] = {};
    int32_t pixels[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        for (int64_t j = 0; j < lanes; j++) {
            auto is_own = labels[i + j] == label, is_labelled = labels[i + j] != INT32_MIN;
            own[j] += is_own ? p[i + j] : T(0);
            all[j] += is_labelled ? p[i + j] : T(0);
            pixels[j] += is_own;
        }
    }
    for (int64_t j = 0; i + j < count; j++) {
        if (labels[i + j] == label) own[j] += p[i + j], pixels[j]++;
        if (labels[i + j] != INT32_MIN) all[j] += p[i + j];
    }
    for (int64_t j = 0; j < lanes; j++) sums[0] += own[j], sums[1] += all[j], sums[2] += pixels[j];
}
CT_CLONES void add_sums(const float *p, const int32_t *labels, int32_t label, int64_t count, double *sums) {
    sums_of(p, labels, label, count, sums);
}
CT_CLONES void add_sums(const double *p, const int32_t *labels, int32_t label, int64_t count, double *sums) {
    sums_of(p, labels, label, count, sums);
}

template <typename T>
CT_INLINE void gradient_of(const int32_t *labels, int32_t label, T own, T all, int64_t count, T *result) {
    for (int64_t i = 0; i < count; i++) {
        result[i] = (labels[i] == label ? own : T(0)) + (labels[i] != INT32_MIN ? all : T(0));
    }
}
CT_CLONES void gradient(const int32_t *labels, int32_t label, float own, float all, int64_t count, float *result) {
    gradient_of(labels, label, own, all, count, result);
}
CT_CLONES void gradient(const int32_t *labels, int32_t label, double own, double all, int64_t count, double *result) {
    gradient_of(labels, label, own, all, count, result);
}

// The blocks of pixels of maps [N, C, H, W], one image after another.
struct Blocks {
    int64_t images, classes, pixels;

    int64_t each() const { return (pixels + block - 1) / block; }
    int64_t count() const { return images * each(); }

    // Calls `body(index, image, first pixel, pixels, labels)` for each block, on several threads.
    template <typename Body> void for_each(const int64_t *labels, int64_t ignored, const Body &body) const {
        ct::parallel_for(count(), 8, [&](int64_t begin, int64_t end) {
            int32_t narrowed[block];
            for (int64_t i = begin; i < end; i++) {
                auto image = i / each(), first = i % each() * block, length = std::min(block, pixels - first);
                narrow(labels + image * pixels + first, length, ignored, narrowed);
                body(i, image, first, length, narrowed);
            }
        });
    }
};

class ClassOverlaps : public torch::autograd::Function<ClassOverlaps> {
  public:
    static at::Tensor forward(AutogradContext *context, const at::Tensor &probabilities, const at::Tensor &labels,
                              int64_t ignored) {
        Blocks blocks{probabilities.size(0), probabilities.size(1), probabilities.size(2) * probabilities.size(3)};
        context->save_for_backward({labels});
        context->saved_data["ignored"] = ignored;
        context->saved_data["classes"] = blocks.classes;
        // Parts that follow from the size alone, so that a sum does not depend on the number of threads.
        std::vector<double> parts(blocks.count() * blocks.classes * 3);
        AT_DISPATCH_FLOATING_TYPES(probabilities.scalar_type(), "class_overlaps", [&] {
            auto p = probabilities.const_data_ptr<scalar_t>();
            blocks.for_each(labels.const_data_ptr<int64_t>(), ignored,
                            [&](int64_t i, int64_t image, int64_t first, int64_t length, const int32_t *narrowed) {
                                for (int64_t c = 0; c < blocks.classes; c++) {
                                    add_sums(p + (image * blocks.classes + c) * blocks.pixels + first, narrowed,
                                             static_cast<int32_t>(c), length, &parts[(i * blocks.classes + c) * 3]);
                                }
                            });
        });
        auto sums = at::zeros({3, blocks.classes}, probabilities.options().dtype(at::kDouble));
        auto to = sums.mutable_data_ptr<double>();
        for (int64_t i = 0; i < blocks.count() * blocks.classes; i++) {
            for (int64_t kind = 0; kind < 3; kind++)
                to[kind * blocks.classes + i % blocks.classes] += parts[i * 3 + kind];
        }
        return sums.to(probabilities.scalar_type());
    }

    static variable_list backward(AutogradContext *context, variable_list gradients) {
        TORCH_CHECK(!at::GradMode::is_enabled(), "overlaps of classes have no second derivative");
        auto labels = context->get_saved_variables()[0];
        auto g = gradients[0].contiguous();
        Blocks blocks{labels.size(0), context->saved_data["classes"].toInt(), labels.size(1) * labels.size(2)};
        auto result = at::empty({labels.size(0), blocks.classes, labels.size(1), labels.size(2)}, g.options());
        AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "class_overlaps_backward", [&] {
            auto slopes = g.const_data_ptr<scalar_t>();
            auto to = result.mutable_data_ptr<scalar_t>();
            blocks.for_each(labels.const_data_ptr<int64_t>(), context->saved_data["ignored"].toInt(),
                            [&](int64_t, int64_t image, int64_t first, int64_t length, const int32_t *narrowed) {
                                for (int64_t c = 0; c < blocks.classes; c++) {
                                    gradient(narrowed, static_cast<int32_t>(c), slopes[c], slopes[blocks.classes + c],
                                             length, to + (image * blocks.classes + c) * blocks.pixels + first);
                                }
                            });
        });
        return {result, at::Tensor(), at::Tensor()};
    }
};

// The same by libtorch's operations, for what has no kernel here.
at::Tensor class_overlaps_reference(const at::Tensor &probabilities, const at::Tensor &labels, int64_t ignored) {
    auto classes = at::arange(probabilities.size(1), labels.options()).view({1, -1, 1, 1});
    auto truth = labels.unsqueeze(1).eq(classes).to(probabilities.scalar_type());
    auto labelled = labels.unsqueeze(1).ne(ignored).to(probabilities.scalar_type());
    return at::stack({at::mul(probabilities, truth).sum({0, 2, 3}), at::mul(probabilities, labelled).sum({0, 2, 3}),
                      truth.sum({0, 2, 3})});
}

} // namespace

at::Tensor ct::class_overlaps(const at::Tensor &probabilities, const at::Tensor &labels, int64_t ignored) {
    TORCH_CHECK(probabilities.dim() == 4 && labels.dim() == 3 && labels.scalar_type() == at::kLong &&
                    labels.size(0) == probabilities.size(0) && labels.size(1) == probabilities.size(2) &&
                    labels.size(2) == probabilities.size(3),
                "overlaps of classes: probabilities ", probabilities.sizes(), " and labels ", labels.sizes());
    if (!has_row_kernel(probabilities) || !labels.is_cpu()) {
        return class_overlaps_reference(probabilities, labels, ignored);
    }
    return ClassOverlaps::apply(probabilities.contiguous(), labels.contiguous(), ignored);
}
