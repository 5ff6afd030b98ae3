// c10d's process group over NCCL, for CUDA tensors.
#pragma once

#include "distributed/heartbeat_monitor.h"

#ifdef USE_C10D_GLOO
namespace ct {

// The PCI bus id of a GPU, unique on its machine; empty for other devices.
std::string gpu_bus_id(c10::Device device);

// Opened by all ranks together, which try an all-reduce on their GPUs; kept until the process ends.
//
// A collective that takes longer than `timeout` is aborted, and the next one throws. Throws where there is no NCCL, or
// where its sum is wrong.
c10d::Backend *open_nccl(StoreHandle store, int rank, int size, std::chrono::milliseconds timeout, c10::Device gpu);

} // namespace ct
#endif
