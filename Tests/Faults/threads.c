// Lets a program start so many threads and no more (LD_PRELOAD), as where a limit of processes is reached.
//
// THREADS_AT_MOST is their number.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument) {
    static atomic_int started;
    static int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (!create) create = dlsym(RTLD_NEXT, "pthread_create");
    const char *limit = getenv("THREADS_AT_MOST");
    if (limit && atomic_fetch_add(&started, 1) >= atoi(limit)) return EAGAIN;
    return create(thread, attributes, body, argument);
}
