// libtorch's half for NVIDIA's GPUs, which is opened and not linked: a machine without it loses nothing.
#pragma once

#include <cstdint>
#include <string>

namespace ct {

// What the dynamic loader has against it; empty once it is open.
const std::string &cuda_opening_problem();

int32_t count_gpus();

} // namespace ct
