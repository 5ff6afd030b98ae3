#include "kernels/argmax.h"
#include "kernels/parallel.h"
#include "kernels/rows.h"

#include <ATen/Functions.h>
#include <algorithm>

namespace {

// Pixels whose best scores and classes stay in the nearest cache.
constexpr int64_t block = 1024;

// Of `count` pixels, at most a block, whose scores of one class lie in a row; `stride` from a class to the next. Of
// equal scores the first class wins, and what is no number wins over every number, as in at::argmax.
CT_CLONES void strongest(const float *scores, int64_t stride, int64_t classes, int64_t count, int64_t *result) {
    float best[block];
    int32_t index[block];
    for (int64_t i = 0; i < count; i++) best[i] = scores[i], index[i] = 0;
    for (int64_t c = 1; c < classes; c++) {
        const float *own = scores + c * stride;
        for (int64_t i = 0; i < count; i++) {
            bool wins = (own[i] > best[i]) | ((own[i] != own[i]) & (best[i] == best[i]));
            best[i] = wins ? own[i] : best[i];
            index[i] = wins ? static_cast<int32_t>(c) : index[i];
        }
    }
    for (int64_t i = 0; i < count; i++) result[i] = index[i];
}

} // namespace

at::Tensor ct::argmax(const at::Tensor &x, int64_t dim) {
    auto fits = x.dim() == 4 && dim == 1 && x.is_cpu() && x.scalar_type() == at::kFloat && x.numel() > 0;
    if (!fits) return at::argmax(x, dim);
    auto scores = x.detach().contiguous();
    auto classes = scores.size(1), pixels = scores.size(2) * scores.size(3);
    auto result = at::empty({scores.size(0), scores.size(2), scores.size(3)}, scores.options().dtype(at::kLong));
    auto from = scores.const_data_ptr<float>();
    auto to = result.mutable_data_ptr<int64_t>();
    auto blocks = (pixels + block - 1) / block;
    parallel_for(scores.size(0) * blocks, 8, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            auto image = i / blocks, start = i % blocks * block;
            strongest(from + image * classes * pixels + start, pixels, classes, std::min(block, pixels - start),
                      to + image * pixels + start);
        }
    });
    return result;
}
