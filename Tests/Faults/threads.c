// Lets a program have so many threads at a time and no more (LD_PRELOAD), as where a limit of processes is reached.
//
// THREADS_AT_MOST is their number, besides the first one.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct job {
    void *(*body)(void *);
    void *argument;
};

static atomic_int alive;

static void *run(void *pointer) {
    struct job job = *(struct job *)pointer;
    free(pointer);
    void *result = job.body(job.argument);
    atomic_fetch_sub(&alive, 1);
    return result;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument) {
    static int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (!create) create = dlsym(RTLD_NEXT, "pthread_create");
    const char *limit = getenv("THREADS_AT_MOST");
    struct job *job = malloc(sizeof *job);
    *job = (struct job){body, argument};
    int status = limit && atomic_fetch_add(&alive, 1) >= atoi(limit) ? EAGAIN : create(thread, attributes, run, job);
    if (status != 0) {
        atomic_fetch_sub(&alive, 1);
        free(job);
    }
    return status;
}
