// Opens the library that holds the engine: the product AutoDeepLabEngine, beside the program.
#include "forwarding.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __APPLE__
#include <mach-o/dyld.h>
#define LIBRARY "libAutoDeepLabEngine.dylib"
#else
#define LIBRARY "libAutoDeepLabEngine.so"
#endif

static pthread_once_t opening = PTHREAD_ONCE_INIT;
static _Atomic(void *) library;
static char library_path[PATH_MAX + sizeof LIBRARY];
static char problem[PATH_MAX + 1024];
static int32_t problem_status = CT_ERROR;

// The library's path beside the program's own file, wherever a link to that lies; empty where it is not known.
static void find_beside_program(void) {
    char program[PATH_MAX] = "";
#ifdef __APPLE__
    char named[PATH_MAX];
    uint32_t size = sizeof named;
    if (_NSGetExecutablePath(named, &size) != 0 || !realpath(named, program)) return;
#else
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0) return;
    program[length] = 0;
#endif
    char *name = strrchr(program, '/');
    if (!name) return;
    name[1] = 0;
    snprintf(library_path, sizeof library_path, "%s%s", program, LIBRARY);
}

static void open_library(void) {
    find_beside_program();
    // A system may keep libraries in another folder than programs: the loader looks there.
    if (library_path[0] == 0 || access(library_path, F_OK) != 0) strcpy(library_path, LIBRARY);
    // As if the program had been linked to it: libraries that libtorch opens later look for symbols there.
    void *opened = dlopen(library_path, RTLD_LAZY | RTLD_GLOBAL);
    if (!opened) {
        const char *reason = dlerror();
        if (!reason) reason = LIBRARY;
        const char *remedy = library_path[0] == '/'
                                 ? "; its libtorch is missing or another one"
                                 : "; it belongs beside the program and is built as AutoDeepLabEngine";
        if (strstr(reason, "map segment") || strstr(reason, "allocate memory")) {
            problem_status = CT_OUT_OF_MEMORY;
            remedy = "";
        }
        snprintf(problem, sizeof problem, "the engine cannot be loaded: %s%s", reason, remedy);
        return;
    }
    int32_t (*interface)(void) = (int32_t (*)(void))dlsym(opened, "ct_interface");
    if (!interface || interface() != CT_INTERFACE) {
        snprintf(problem, sizeof problem, "the engine %s is of another version: build it with the program",
                 library_path);
        return;
    }
    atomic_store_explicit(&library, opened, memory_order_release);
}

int32_t ct_opening_status(void) { return problem_status; }

bool ct_is_engine_open(void) { return atomic_load_explicit(&library, memory_order_acquire) != 0; }

ct_function ct_find(const char *name, ct_found_function *found) {
    pthread_once(&opening, open_library);
    void *opened = atomic_load_explicit(&library, memory_order_acquire);
    ct_function function = opened ? (ct_function)dlsym(opened, name) : 0;
    atomic_store_explicit(found, function, memory_order_release);
    return function;
}

__attribute__((weak)) int32_t ct_interface(void) { return CT_INTERFACE; }

__attribute__((weak)) const char *ct_engine_path(void) { return ct_is_engine_open() ? library_path : ""; }

__attribute__((weak)) int32_t ct_load(void) {
    static ct_found_function found;
    return ct_find("ct_load", &found) ? CT_OK : ct_opening_status();
}

__attribute__((weak)) const char *ct_last_error(void) {
    static ct_found_function found;
    ct_function function = ct_is_engine_open() ? ct_find("ct_last_error", &found) : 0;
    return function ? ((const char *(*)(void))function)() : problem;
}
