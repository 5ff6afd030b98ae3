// Compiled, never run: what nccl.cpp takes for granted of libtorch's class, compared with libtorch's own header.
#include "stand_ins.h"

#define USE_C10D_NCCL
#include <torch/csrc/api/include/torch/version.h>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "distributed/nccl_layout.h"

using Group = c10d::ProcessGroupNCCL;

static_assert(TORCH_VERSION_MAJOR == ct::nccl_torch_major && TORCH_VERSION_MINOR == ct::nccl_torch_minor);
static_assert(sizeof(Group) == ct::nccl_group_bytes);
static_assert(sizeof(Group::Options) == ct::nccl_options_bytes);
static_assert(alignof(Group) <= alignof(std::max_align_t) && alignof(Group::Options) <= alignof(std::max_align_t));

// The two constructors, as their mangled names have them.
static_assert(std::is_constructible_v<Group::Options, bool>);
static_assert(
    std::is_constructible_v<Group, c10::intrusive_ptr<c10d::Store>, int, int, c10::intrusive_ptr<Group::Options>>);

// A first base without a second one: the object's address is that of its base.
static_assert(std::is_base_of_v<c10d::Backend, Group> && std::is_base_of_v<c10d::Backend::Options, Group::Options>);
