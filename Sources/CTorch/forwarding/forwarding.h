// The interface in a program that is linked without the engine: each function hands its call on to the engine's of the
// same name, in a library that the first call opens. So what needs no tensor need not wait until libtorch is loaded.
//
// All definitions are weak: in a program that is linked with the engine, the engine's own stand in their places.
#pragma once

#include "ctorch.h"
#include <stdatomic.h>

typedef void (*ct_function)(void);
typedef _Atomic(ct_function) ct_found_function;

// The engine's function of that name, kept in `found`; null, and ct_last_error says why, where there is none.
ct_function ct_find(const char *name, ct_found_function *found);

// Why the engine cannot be opened: CT_OUT_OF_MEMORY or CT_ERROR.
int32_t ct_opening_status(void);

// Whether the engine has been asked for anything yet.
bool ct_is_engine_open(void);

// `Result` is what the function returns, `otherwise` what it does where the engine cannot be opened.
#define CT_FORWARD(Result, otherwise, name, parameters, arguments)                                                     \
    __attribute__((weak)) Result name parameters {                                                                     \
        static ct_found_function found;                                                                                \
        ct_function function = atomic_load_explicit(&found, memory_order_acquire);                                     \
        if (!function) function = ct_find(#name, &found);                                                              \
        return function ? ((Result(*) parameters)function)arguments : otherwise;                                       \
    }

#define CT_STATUS(name, parameters, arguments) CT_FORWARD(int32_t, ct_opening_status(), name, parameters, arguments)

#define CT_RUN(name, parameters, arguments) CT_FORWARD(void, (void)0, name, parameters, arguments)

// As CT_FORWARD, but an engine that nobody has asked for anything need not be opened to know the answer.
#define CT_ANSWER(Result, answer, name, parameters, arguments)                                                         \
    __attribute__((weak)) Result name parameters {                                                                     \
        static ct_found_function found;                                                                                \
        ct_function function = ct_is_engine_open() ? ct_find(#name, &found) : 0;                                       \
        return function ? ((Result(*) parameters)function)arguments : answer;                                          \
    }
