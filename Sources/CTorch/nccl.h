// Sums of tensors on GPUs: c10d's process group over NCCL.
#pragma once

#include "watch.h"

#ifdef USE_C10D_GLOO
namespace ct {

// Before any thread is there: NCCL's process group reads its settings from the process's environment.
void prepare_nccl();

// What tells a GPU from all others of the machine; empty where there is none.
std::string gpu_name(c10::Device device);

// Opened once, and kept until the process ends.
//
// A collective that takes longer than `patience` is given up in all ranks, and what follows it throws. Throws where
// there is no libtorch_cuda, no NCCL or no GPU.
c10d::Backend *open_nccl(StoreHandle store, int rank, int size, std::chrono::milliseconds patience);

} // namespace ct
#endif
