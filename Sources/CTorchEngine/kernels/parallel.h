// Ranges on libtorch's threads.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <ATen/ops/empty.h>

namespace ct {

// Numbers that are worth a thread.
constexpr int64_t smallest_part = 32768;

// Runs `body(begin, end)` on parts of 0 to `count`, each of at least `grain` (but the last), on libtorch's threads.
//
// at::parallel_for is a template that does so only where OpenMP is compiled for, for which Swift's compiler has neither
// headers nor libtorch's run-time library. What iterates over tensors is compiled in libtorch itself: here over one of
// `count` bytes that nobody reads, whose places are the indices.
template <typename Body> void parallel_for(int64_t count, int64_t grain, const Body &body) {
    if (count <= grain || at::get_num_threads() == 1) return body(int64_t(0), count);
    auto places = at::empty({count}, at::kByte);
    auto first = static_cast<const char *>(places.const_data_ptr());
    auto iterator =
        at::TensorIteratorConfig().check_all_same_dtype(false).add_output(places).resize_outputs(false).build();
    iterator.for_each(
        [&](char **data, const int64_t *, int64_t size, int64_t rows) {
            auto begin = data[0] - first;
            body(begin, begin + size * rows);
        },
        grain);
}

} // namespace ct
