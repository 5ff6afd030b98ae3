// Lets one call on files fail, be interrupted, do a part, or be the program's last (LD_PRELOAD).
//
// FAULT_UNDER: a part of the paths that count; files elsewhere are left alone.
// FAULT: ENOSPC (calls that take room on a disk), EIO, EINTR, SHORT (half of the bytes are read or written), KILL.
// FAULT_AT: which of the calls that could have this fault, counted from 1; 0 for none.
// FAULT_CALLS: a file that gets a line for each such call, its name and path.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum fault { NONE, NO_SPACE, INPUT_OUTPUT, INTERRUPTED, SHORT, KILLED };
/// What a call does, and so which faults it can have.
enum call { TAKES_ROOM = 1, READS = 2, WRITES = 4, WAITS = 8, CHANGES_NAMES = 16 };

static atomic_int calls;

static enum fault fault(void) {
    const char *name = getenv("FAULT");
    if (!name) return NONE;
    if (!strcmp(name, "ENOSPC")) return NO_SPACE;
    if (!strcmp(name, "EIO")) return INPUT_OUTPUT;
    if (!strcmp(name, "EINTR")) return INTERRUPTED;
    if (!strcmp(name, "SHORT")) return SHORT;
    if (!strcmp(name, "KILL")) return KILLED;
    return NONE;
}

static int counts(int call) {
    switch (fault()) {
    case NONE:
        return 0;
    case NO_SPACE:
        return call & TAKES_ROOM;
    case INTERRUPTED:
        return call & WAITS;
    case SHORT:
        return call & (READS | WRITES);
    default:
        return 1;
    }
}

/// Appends a call to the list.
static void list(const char *name, const char *path) {
    const char *list = getenv("FAULT_CALLS");
    if (!list) return;
    char line[PATH_MAX + 32];
    int length = snprintf(line, sizeof line, "%s %s\n", name, path);
    int file = (int)syscall(SYS_openat, AT_FDCWD, list, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file < 0) return;
    syscall(SYS_write, file, line, length < (int)sizeof line ? length : (int)sizeof line - 1);
    syscall(SYS_close, file);
}

/// Whether this is the call: its error is set, or its program killed.
static int fails(int call, const char *name, const char *path) {
    if (!counts(call)) return 0;
    int error = errno;
    list(name, path);
    errno = error;
    const char *at = getenv("FAULT_AT");
    if (atomic_fetch_add(&calls, 1) + 1 != (at ? atoi(at) : 0)) return 0;
    switch (fault()) {
    case NO_SPACE:
        errno = ENOSPC;
        break;
    case INPUT_OUTPUT:
        errno = EIO;
        break;
    case INTERRUPTED:
        errno = EINTR;
        break;
    case KILLED:
        kill(getpid(), SIGKILL);
        break;
    default:
        break;
    }
    return 1;
}

static int has(const char *path) {
    const char *part = getenv("FAULT_UNDER");
    return part && strstr(path, part) != NULL;
}

/// The path of the descriptor that `open_has` was asked about last.
static _Thread_local char path_of_open[PATH_MAX];

static int open_has(int descriptor) {
    char link[64], *path = path_of_open;
    int error = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    errno = error;
    if (length < 0) return 0;
    path[length] = 0;
    return has(path);
}

/// A path that may be relative to an open folder.
static int has_at(int folder, const char *path) {
    return has(path) || (path[0] != '/' && folder >= 0 && open_has(folder));
}

#define NEXT(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

static int opening(int flags) { return WAITS | (flags & O_CREAT ? TAKES_ROOM : 0); }

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...) {                                                                       \
        va_list list;                                                                                                  \
        va_start(list, flags);                                                                                         \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, int) : 0;                                           \
        va_end(list);                                                                                                  \
        if (has(path) && fails(opening(flags), #name, path)) return -1;                                                \
        return NEXT(name)(path, flags, mode);                                                                          \
    }
OPEN(open)
OPEN(open64)

#define OPEN_AT(name)                                                                                                  \
    int name(int folder, const char *path, int flags, ...) {                                                           \
        va_list list;                                                                                                  \
        va_start(list, flags);                                                                                         \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, int) : 0;                                           \
        va_end(list);                                                                                                  \
        if (has_at(folder, path) && fails(opening(flags), #name, path)) return -1;                                     \
        return NEXT(name)(folder, path, flags, mode);                                                                  \
    }
OPEN_AT(openat)
OPEN_AT(openat64)

ssize_t read(int file, void *buffer, size_t count) {
    if (count > 1 && open_has(file) && fails(READS | WAITS, "read", path_of_open)) {
        if (fault() != SHORT) return -1;
        count /= 2;
    }
    return NEXT(read)(file, buffer, count);
}

ssize_t write(int file, const void *buffer, size_t count) {
    if (count > 1 && open_has(file) && fails(WRITES | WAITS | TAKES_ROOM, "write", path_of_open)) {
        if (fault() != SHORT) return -1;
        count /= 2;
    }
    return NEXT(write)(file, buffer, count);
}

#define AT_OFFSET(name, pointer, kind)                                                                                 \
    ssize_t name(int file, pointer buffer, size_t count, off_t at) {                                                   \
        if (count > 1 && open_has(file) && fails(kind, #name, path_of_open)) {                                         \
            if (fault() != SHORT) return -1;                                                                           \
            count /= 2;                                                                                                \
        }                                                                                                              \
        return NEXT(name)(file, buffer, count, at);                                                                    \
    }
AT_OFFSET(pread, void *, READS | WAITS)
AT_OFFSET(pread64, void *, READS | WAITS)
AT_OFFSET(pwrite, const void *, WRITES | WAITS | TAKES_ROOM)
AT_OFFSET(pwrite64, const void *, WRITES | WAITS | TAKES_ROOM)

int fsync(int file) { return open_has(file) && fails(TAKES_ROOM, "fsync", path_of_open) ? -1 : NEXT(fsync)(file); }
int fdatasync(int file) {
    return open_has(file) && fails(TAKES_ROOM, "fdatasync", path_of_open) ? -1 : NEXT(fdatasync)(file);
}
int ftruncate(int file, off_t size) {
    return open_has(file) && fails(WAITS, "ftruncate", path_of_open) ? -1 : NEXT(ftruncate)(file, size);
}
int ftruncate64(int file, off_t size) {
    return open_has(file) && fails(WAITS, "ftruncate64", path_of_open) ? -1 : NEXT(ftruncate64)(file, size);
}
int truncate(const char *path, off_t size) {
    return has(path) && fails(WAITS, "truncate", path) ? -1 : NEXT(truncate)(path, size);
}
int truncate64(const char *path, off_t size) {
    return has(path) && fails(WAITS, "truncate64", path) ? -1 : NEXT(truncate64)(path, size);
}

int rename(const char *from, const char *to) {
    return has(to) && fails(CHANGES_NAMES | TAKES_ROOM, "rename", to) ? -1 : NEXT(rename)(from, to);
}
int renameat(int folder, const char *from, int other, const char *to) {
    return has_at(other, to) && fails(CHANGES_NAMES | TAKES_ROOM, "renameat", to)
               ? -1
               : NEXT(renameat)(folder, from, other, to);
}
int link(const char *from, const char *to) {
    return has(to) && fails(CHANGES_NAMES | TAKES_ROOM, "link", to) ? -1 : NEXT(link)(from, to);
}
int linkat(int folder, const char *from, int other, const char *to, int flags) {
    if (has_at(other, to) && fails(CHANGES_NAMES | TAKES_ROOM, "linkat", to)) return -1;
    return NEXT(linkat)(folder, from, other, to, flags);
}
int unlink(const char *path) { return has(path) && fails(CHANGES_NAMES, "unlink", path) ? -1 : NEXT(unlink)(path); }
int unlinkat(int folder, const char *path, int flags) {
    return has_at(folder, path) && fails(CHANGES_NAMES, "unlinkat", path) ? -1 : NEXT(unlinkat)(folder, path, flags);
}
int rmdir(const char *path) { return has(path) && fails(CHANGES_NAMES, "rmdir", path) ? -1 : NEXT(rmdir)(path); }
int mkdir(const char *path, mode_t mode) {
    return has(path) && fails(CHANGES_NAMES | TAKES_ROOM, "mkdir", path) ? -1 : NEXT(mkdir)(path, mode);
}
int mkdirat(int folder, const char *path, mode_t mode) {
    return has_at(folder, path) && fails(CHANGES_NAMES | TAKES_ROOM, "mkdirat", path)
               ? -1
               : NEXT(mkdirat)(folder, path, mode);
}
DIR *opendir(const char *path) { return has(path) && fails(0, "opendir", path) ? NULL : NEXT(opendir)(path); }
