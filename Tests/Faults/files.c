// Counts a program's calls that change what names there are in a folder, kills it at one of them, or refuses it second
// names (LD_PRELOAD).
//
// FILES_WITHIN is a part of the paths that count; FILES_LOG is a file that gets a line for each call, its name and its
// path; FILES_KILL is the number of the call, from 1 on, in place of which the program is killed; FILES_KILL_IN is the
// end of a folder's path: the program is killed in place of the call after the first .tmp that it makes there.
// FILES_NO_LINKS is the error's number with which link() fails.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int calls, armed;

#define NEXT(name) ((typeof(name) *)dlsym(RTLD_NEXT, #name))

static void arm(const char *call, const char *path) {
    const char *end = getenv("FILES_KILL_IN");
    const char *slash = strrchr(path, '/');
    if (!end || !slash || strcmp(call, "open") != 0 || strcmp(path + strlen(path) - 4, ".tmp") != 0) return;
    size_t length = slash - path;
    if (length >= strlen(end) && strncmp(slash - strlen(end), end, strlen(end)) == 0) armed = 1;
}

static void count(const char *call, int folder, const char *name) {
    const char *within = getenv("FILES_WITHIN");
    if (!within) return;
    char path[8192] = "";
    if (name[0] != '/' && folder != AT_FDCWD) {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t length = readlink(link, path, sizeof path / 2);
        if (length > 0) strcpy(path + length, "/");
    }
    strncat(path, name, sizeof path / 2 - 1);
    if (!strstr(path, within)) return;
    int number = atomic_fetch_add(&calls, 1) + 1;
    const char *log = getenv("FILES_LOG");
    if (log) {
        char line[8300];
        int length = snprintf(line, sizeof line, "%s %s\n", call, path);
        int file = NEXT(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (file >= 0) {
            if (write(file, line, length) < 0) abort();
            close(file);
        }
    }
    const char *kill_at = getenv("FILES_KILL");
    if (armed || (kill_at && number == atoi(kill_at))) {
        kill(getpid(), SIGKILL);
        for (;;) pause();
    }
    arm(call, path);
}

static int refuses_links(void) {
    const char *code = getenv("FILES_NO_LINKS");
    if (!code) return 0;
    errno = atoi(code);
    return 1;
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...) {                                                                       \
        va_list list;                                                                                                  \
        va_start(list, flags);                                                                                         \
        mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;                                                      \
        va_end(list);                                                                                                  \
        if (flags & O_CREAT) count("open", AT_FDCWD, path);                                                            \
        return NEXT(name)(path, flags, mode);                                                                          \
    }

#define OPENAT(name)                                                                                                   \
    int name(int folder, const char *path, int flags, ...) {                                                           \
        va_list list;                                                                                                  \
        va_start(list, flags);                                                                                         \
        mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;                                                      \
        va_end(list);                                                                                                  \
        if (flags & O_CREAT) count("open", folder, path);                                                              \
        return NEXT(name)(folder, path, flags, mode);                                                                  \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

int rename(const char *from, const char *to) {
    count("rename", AT_FDCWD, to);
    return NEXT(rename)(from, to);
}

int renameat(int source, const char *from, int target, const char *to) {
    count("rename", target, to);
    return NEXT(renameat)(source, from, target, to);
}

int unlink(const char *path) {
    count("unlink", AT_FDCWD, path);
    return NEXT(unlink)(path);
}

int unlinkat(int folder, const char *path, int flags) {
    count("unlink", folder, path);
    return NEXT(unlinkat)(folder, path, flags);
}

int link(const char *from, const char *to) {
    count("link", AT_FDCWD, to);
    return refuses_links() ? -1 : NEXT(link)(from, to);
}

int linkat(int source, const char *from, int target, const char *to, int flags) {
    count("link", target, to);
    return refuses_links() ? -1 : NEXT(linkat)(source, from, target, to, flags);
}
