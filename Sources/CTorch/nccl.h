// Sums of tensors on GPUs: c10d's process group over NCCL.
#pragma once

#include "watch.h"

#ifdef USE_C10D_GLOO
namespace ct {

// What tells a GPU from all others of the machine; empty where there is none.
std::string gpu_name(c10::Device device);

// Opened by all ranks together, which add up something on their GPUs, and kept until the process ends.
//
// A collective that takes longer than `patience` is given up, and what follows it throws. Throws where there is no
// NCCL, or where it does not add up.
c10d::Backend *open_nccl(StoreHandle store, int rank, int size, std::chrono::milliseconds patience, c10::Device gpu);

} // namespace ct
#endif
