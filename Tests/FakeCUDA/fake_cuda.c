// A fake GPU: CUDA's runtime and NCCL over main memory, as far as libtorch needs them.
//
// Loaded before the true ones (LD_PRELOAD), it lets what is written for GPUs run where there is none: sums by
// libtorch's own process group over NCCL truly, all other computations in form only. Memory of the device is memory of
// the process, and copies are done at once. Kernels do nothing, so that where one was to run, zeros are copied back.
// Sums come to an end in their own time, as on a true GPU: events and streams wait for all of them. The libraries of
// mathematics beside CUDA's are stand-ins whose functions do nothing either (scripts/setup.sh --venv).
//
// FAKE_CUDA_GPU, else LOCAL_RANK, is what tells the GPU of a process from the others'.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cuda_runtime_api.h>

// Sums that were begun, and those that are done, one after the other.
static atomic_int begun, done;

// Waits until a number is no longer what it was seen to be, and wakes all that wait so, in other processes too.
static void wait_for_change(atomic_int *number, int seen) { syscall(SYS_futex, number, FUTEX_WAIT, seen, NULL); }
static void tell_of_change(atomic_int *number) { syscall(SYS_futex, number, FUTEX_WAKE, INT_MAX); }

static void wait_for_sums(void) {
    for (int seen = done; seen < begun; seen = done) wait_for_change(&done, seen);
}

static atomic_bool kernels_ran;

static cudaError_t run_nothing(void) {
    kernels_ran = true;
    return cudaSuccess;
}

// A group's first sum is looked at, whatever ran before.
static cudaError_t copy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind) {
    wait_for_sums();
    if (kind == cudaMemcpyDeviceToHost && kernels_ran && done != 1) {
        memset(to, 0, bytes);
    } else {
        memmove(to, from, bytes);
    }
    return cudaSuccess;
}

// MARK: CUDA

static struct {
    char *start;
    size_t bytes;
    enum cudaMemoryType type;
} blocks[4096];
static atomic_int block_count;

// cuDNN is more than a stand-in can be: libtorch has convolutions of its own.
static void do_without_cudnn(void) {
    void *(*context)(void) = dlsym(RTLD_DEFAULT, "_ZN2at13globalContextEv");
    void (*set)(void *, bool) = dlsym(RTLD_DEFAULT, "_ZN2at7Context19setUserEnabledCuDNNEb");
    if (context && set) set(context(), false);
}

static cudaError_t allocate(void **out, size_t bytes, enum cudaMemoryType type) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, do_without_cudnn);
    int place = atomic_fetch_add(&block_count, 1);
    if (place >= 4096 || posix_memalign(out, 4096, bytes)) return cudaErrorMemoryAllocation;
    blocks[place].start = *out, blocks[place].bytes = bytes, blocks[place].type = type;
    return cudaSuccess;
}

cudaError_t cudaMalloc(void **out, size_t bytes) { return allocate(out, bytes, cudaMemoryTypeDevice); }
cudaError_t cudaHostAlloc(void **out, size_t bytes, unsigned f) { return allocate(out, bytes, cudaMemoryTypeHost); }
cudaError_t cudaFree(void *p) { return cudaSuccess; }
cudaError_t cudaFreeHost(void *p) { return cudaSuccess; }
cudaError_t cudaMemGetInfo(size_t *free, size_t *total) {
    *free = *total = (size_t)1 << 30;
    return cudaSuccess;
}
cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *out, const void *p) {
    memset(out, 0, sizeof *out);
    for (int i = 0; i < block_count && i < 4096; i++) {
        if ((char *)p < blocks[i].start || (char *)p >= blocks[i].start + blocks[i].bytes) continue;
        out->type = blocks[i].type;
        out->devicePointer = out->hostPointer = (void *)p;
    }
    return cudaSuccess;
}
cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind) {
    return copy(to, from, bytes, kind);
}
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t s) {
    return copy(to, from, bytes, kind);
}
cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t s) {
    memset(to, value, bytes);
    return cudaSuccess;
}
cudaError_t cudaLaunchKernel(const void *f, dim3 grid, dim3 block, void **a, size_t memory, cudaStream_t s) {
    return run_nothing();
}
cudaError_t __cudaLaunchKernel(void *f, dim3 grid, dim3 block, void **a, size_t memory, cudaStream_t s) {
    return run_nothing();
}
cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t *c, const void *f, void **a) { return run_nothing(); }
cudaError_t cudaFuncSetAttribute(const void *f, enum cudaFuncAttribute a, int value) { return cudaSuccess; }
cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *out, const void *f) {
    memset(out, 0, sizeof *out);
    out->maxThreadsPerBlock = 1024;
    return cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *count, const void *f, int size, size_t memory) {
    return *count = 1, cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *count, const void *f, int size, size_t memory,
                                                                   unsigned flags) {
    return *count = 1, cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count) { return *count = 1, cudaSuccess; }
cudaError_t cudaGetDevice(int *device) { return *device = 0, cudaSuccess; }
cudaError_t cudaSetDevice(int device) { return cudaSuccess; }
cudaError_t cudaDeviceSynchronize(void) { return wait_for_sums(), cudaSuccess; }
cudaError_t cudaDriverGetVersion(int *version) { return *version = 13020, cudaSuccess; }
cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr a, int d) { return *value = 1, cudaSuccess; }
cudaError_t cudaDeviceCanAccessPeer(int *can, int a, int b) { return *can = 0, cudaSuccess; }
cudaError_t cudaDeviceGetStreamPriorityRange(int *least, int *most) { return *least = *most = 0, cudaSuccess; }
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *out, int device) {
    memset(out, 0, sizeof *out);
    strcpy(out->name, "fake");
    out->totalGlobalMem = (size_t)1 << 30;
    out->major = 9, out->multiProcessorCount = 1, out->warpSize = 32;
    out->maxThreadsPerBlock = 1024, out->maxThreadsPerMultiProcessor = 2048, out->maxBlocksPerMultiProcessor = 32;
    out->regsPerBlock = out->regsPerMultiprocessor = 1 << 16;
    out->sharedMemPerBlock = 48 << 10, out->sharedMemPerBlockOptin = 227 << 10,
    out->sharedMemPerMultiprocessor = 228 << 10;
    for (int i = 0; i < 3; i++) out->maxGridSize[i] = 65535, out->maxThreadsDim[i] = 1024;
    return cudaSuccess;
}
cudaError_t cudaDeviceGetPCIBusId(char *out, int length, int device) {
    const char *name = getenv("FAKE_CUDA_GPU") ? getenv("FAKE_CUDA_GPU") : getenv("LOCAL_RANK");
    snprintf(out, (size_t)length, "%s", name ? name : "0");
    return cudaSuccess;
}
cudaError_t cudaGetLastError(void) { return cudaSuccess; }
cudaError_t cudaPeekAtLastError(void) { return cudaSuccess; }

// The driver, which libtorch opens for these alone.
int cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) { return *flags = 0, *active = 1, 0; }
int cuCtxGetCurrent(void **context) { return *context = &begun, 0; }
int cuCtxSetCurrent(void *context) { return 0; }

static cudaError_t handle(void *out) {
    static atomic_size_t last = 4096;
    *(size_t *)out = atomic_fetch_add(&last, 16);
    return cudaSuccess;
}
cudaError_t cudaStreamCreateWithPriority(cudaStream_t *s, unsigned f, int p) { return handle(s); }
cudaError_t cudaStreamDestroy(cudaStream_t s) { return cudaSuccess; }
cudaError_t cudaStreamQuery(cudaStream_t s) { return done < begun ? cudaErrorNotReady : cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t s) { return wait_for_sums(), cudaSuccess; }
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned f) { return cudaSuccess; }
cudaError_t cudaStreamIsCapturing(cudaStream_t s, enum cudaStreamCaptureStatus *out) {
    *out = cudaStreamCaptureStatusNone;
    return cudaSuccess;
}
cudaError_t cudaThreadExchangeStreamCaptureMode(enum cudaStreamCaptureMode *m) { return cudaSuccess; }
cudaError_t cudaEventCreate(cudaEvent_t *e) { return handle(e); }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *e, unsigned f) { return handle(e); }
cudaError_t cudaEventDestroy(cudaEvent_t e) { return cudaSuccess; }
cudaError_t cudaEventQuery(cudaEvent_t e) { return done < begun ? cudaErrorNotReady : cudaSuccess; }
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s) { return cudaSuccess; }
cudaError_t cudaEventRecordWithFlags(cudaEvent_t e, cudaStream_t s, unsigned f) { return cudaSuccess; }
cudaError_t cudaEventSynchronize(cudaEvent_t e) { return wait_for_sums(), cudaSuccess; }

// MARK: NCCL (its numbers are those of nccl.h)

enum { success = 0, system_error = 2, invalid_argument = 4 };
enum { int32 = 2, int64 = 4, float32 = 7, float64 = 8 };
enum { slot_bytes = 1 << 26, ranks_at_most = 4 };

typedef struct {
    char internal[128];
} UniqueId;

typedef struct {
    atomic_int came;
    // Counts what a waiting rank has to look at: ranks that came, and communicators that were aborted.
    atomic_int events;
    char slots[ranks_at_most][slot_bytes];
} Shared;

typedef struct {
    int rank, size, turn;
    atomic_bool aborted;
    Shared *shared;
} Comm;

int ncclGetVersion(int *version) { return *version = 23007, success; }
const char *ncclGetErrorString(int result) { return result ? "fake failure" : "no error"; }
const char *ncclGetLastError(Comm *c) { return ""; }
int ncclGetUniqueId(UniqueId *id) {
    memset(id, 0, sizeof *id);
    snprintf(id->internal, sizeof id->internal, "/fake-nccl-%d", getpid());
    return success;
}

static void tell_ranks(Comm *c) {
    c->shared->events++;
    tell_of_change(&c->shared->events);
}

static void meet(Comm *c) {
    c->turn++;
    c->shared->came++;
    tell_ranks(c);
    while (true) {
        int seen = c->shared->events;
        if (c->shared->came >= c->turn * c->size || c->aborted) return;
        wait_for_change(&c->shared->events, seen);
    }
}

// FAKE_NCCL says what goes wrong: it finds no other rank ("stuck"), or refuses ("fails").
int ncclCommInitRankConfig(Comm **out, int size, UniqueId id, int rank, void *config) {
    const char *fault = getenv("FAKE_NCCL");
    if (fault && strcmp(fault, "stuck") == 0) pause();
    if (fault && strcmp(fault, "fails") == 0) return system_error;
    int file = shm_open(id.internal, O_RDWR | O_CREAT, 0600);
    if (size > ranks_at_most || file < 0 || ftruncate(file, sizeof(Shared))) return system_error;
    Comm *c = calloc(1, sizeof *c);
    c->rank = rank, c->size = size;
    c->shared = mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (c->shared == MAP_FAILED) return system_error;
    close(file);
    meet(c);
    if (rank == 0) shm_unlink(id.internal);
    return *out = c, success;
}
int ncclCommInitRank(Comm **out, int size, UniqueId id, int rank) {
    return ncclCommInitRankConfig(out, size, id, rank, NULL);
}
int ncclCommUserRank(Comm *c, int *rank) { return *rank = c->rank, success; }
int ncclCommCount(Comm *c, int *size) { return *size = c->size, success; }
int ncclCommGetAsyncError(Comm *c, int *error) { return *error = success; }
int ncclCommFinalize(Comm *c) { return success; }
int ncclCommDestroy(Comm *c) { return success; }
int ncclCommAbort(Comm *c) {
    if (!c) return success;
    c->aborted = true;
    tell_ranks(c);
    return success;
}
int ncclGroupStart(void) { return success; }
int ncclGroupEnd(void) { return success; }

typedef struct Sum {
    Comm *c;
    const void *in;
    void *out;
    size_t count;
    int type;
    struct Sum *next;
} Sum;

#define ADD_UP(T)                                                                                                      \
    for (size_t i = 0; i < sum->count; i++) {                                                                          \
        T total = 0;                                                                                                   \
        for (int rank = 0; rank < c->size; rank++) total += ((T *)c->shared->slots[rank])[i];                          \
        ((T *)sum->out)[i] = total;                                                                                    \
    }

static size_t width(int type) { return type == int64 || type == float64 ? 8 : 4; }

static void add_up(Sum *sum) {
    Comm *c = sum->c;
    memcpy(c->shared->slots[c->rank], sum->in, sum->count * width(sum->type));
    meet(c);
    if (sum->type == int32) ADD_UP(int)
    if (sum->type == int64) ADD_UP(long long)
    if (sum->type == float32) ADD_UP(float)
    if (sum->type == float64) ADD_UP(double)
    meet(c);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t given = PTHREAD_COND_INITIALIZER;
static Sum *first, **last = &first;

static void *work(void *nothing) {
    pthread_mutex_lock(&mutex);
    while (true) {
        while (!first) pthread_cond_wait(&given, &mutex);
        Sum *sum = first;
        first = sum->next;
        if (!first) last = &first;
        pthread_mutex_unlock(&mutex);
        add_up(sum);
        free(sum);
        pthread_mutex_lock(&mutex);
        done++;
        tell_of_change(&done);
    }
    return NULL;
}

static void begin_work(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, work, NULL);
    pthread_detach(thread);
}

int ncclAllReduce(const void *in, void *out, size_t count, int type, int op, Comm *c, cudaStream_t s) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (type != int32 && type != int64 && type != float32 && type != float64) return invalid_argument;
    if (op != 0 || count * width(type) > slot_bytes) return invalid_argument;
    pthread_once(&once, begin_work);
    Sum *sum = malloc(sizeof *sum);
    *sum = (Sum){c, in, out, count, type, NULL};
    pthread_mutex_lock(&mutex);
    begun++;
    *last = sum;
    last = &sum->next;
    pthread_cond_signal(&given);
    pthread_mutex_unlock(&mutex);
    return success;
}
