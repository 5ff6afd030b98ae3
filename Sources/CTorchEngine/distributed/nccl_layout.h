// What is known of a class that is constructed without its header: see nccl.cpp. Tests compile
// Tests/FakeCUDA/layout/process_group_nccl.cpp, which compares it with libtorch's own declarations.
#pragma once

#include <cstddef>

namespace ct {

constexpr int nccl_torch_major = 2, nccl_torch_minor = 15;

// sizeof(c10d::ProcessGroupNCCL) and of its Options, whose ncclConfig_t is as NCCL 2.32 has it.
constexpr std::size_t nccl_group_bytes = 1184, nccl_options_bytes = 304;

} // namespace ct
