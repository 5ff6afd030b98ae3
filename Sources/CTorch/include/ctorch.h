// The C interface to libtorch: everything that Swift may ask of the engine.
//
// Functions return a status and write their result through an out-pointer. No C++ exception crosses this border: its
// message is kept per thread and read by ct_last_error. Tensors are handles; each handle that is returned must be freed
// once, with ct_free. Lists of handles are borrowed for the duration of the call.
#pragma once

#include "ctorch_distributed.h"
#include "ctorch_engine.h"
#include "ctorch_types.h"
