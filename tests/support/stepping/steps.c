/* Loaded before the C library: counts, records and fails the calls that change files below one
 * directory. What is loaded does nothing until `steps_watch` is called.
 *
 * Calls are taken one at a time, so that the record has the order in which they took effect. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { CREATE, WRITE, SYNC, RENAME, UNLINK, MKDIR, RMDIR, TRUNCATE, ALLOCATE, LINK };
enum fault { NONE, KILL, FAIL, FULL };

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_length;
static int log_descriptor = -1, keeps_data;
static long step, faulty_step;
static enum fault fault;
static int fault_number;
static int64_t room;

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* What Python calls. */

void steps_watch(const char *directory, int descriptor, int data) {
    pthread_mutex_lock(&turn);
    snprintf(root, sizeof root, "%s", directory);
    root_length = strlen(root);
    log_descriptor = descriptor, keeps_data = data;
    step = 0, fault = NONE;
    pthread_mutex_unlock(&turn);
}

/* At the step of that number from now, counted from 1; for FULL `number` bytes still fit. */
void steps_break(int what, long at, int number) {
    pthread_mutex_lock(&turn);
    step = 0, faulty_step = at, fault = what, fault_number = number;
    room = what == FULL ? number : 0;
    pthread_mutex_unlock(&turn);
}

long steps_taken(void) { return step; }

/* Which paths are watched. */

static const char *below(const char *path) {
    size_t length = strlen(path);
    if (!root_length || strncmp(path, root, root_length)) return NULL;
    if (path[root_length] && path[root_length] != '/') return NULL;
    if (length > 4 && !strcmp(path + length - 4, "-shm")) return NULL;
    return path[root_length] ? path + root_length + 1 : path + root_length;
}

static const char *of_descriptor(int descriptor, char *buffer) {
    char link[40];
    if (!root_length) return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, buffer, PATH_MAX - 1);
    if (length < 0) return NULL;
    buffer[length] = 0;
    return below(buffer);
}

static const char *of_path(int directory, const char *path, char *buffer) {
    char base[PATH_MAX] = "";
    if (!root_length || !path) return NULL;
    if (path[0] == '/') return below(path);
    char link[40] = "/proc/self/cwd";
    if (directory != AT_FDCWD) snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    ssize_t length = readlink(link, base, sizeof base - 1);
    if (length < 0) return NULL;
    base[length] = 0;
    if (snprintf(buffer, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return NULL;
    return below(buffer);
}

/* The record, and what befalls a step. */

struct record {
    uint32_t kind, path, other, data, failure, unused;
    uint64_t inode, offset;
};

static void put(const void *data, size_t size) {
    REAL(write);
    const char *at = data;
    while (size) {
        ssize_t count = real(log_descriptor, at, size);
        if (count <= 0) return;
        at += count, size -= count;
    }
}

/* Every step leaves one, those that fail with their errno and no more. */
static void record(enum kind kind, const char *path, const char *other, int failure,
                   uint64_t inode, uint64_t offset, const void *data, size_t size) {
    int saved = errno;
    if (log_descriptor >= 0) {
        uint32_t kept = keeps_data && !failure ? size : 0;
        struct record head = {
            kind, strlen(path), strlen(other), kept, failure, 0, inode, offset};
        put(&head, sizeof head), put(path, head.path), put(other, head.other), put(data, kept);
    }
    errno = saved;
}

static uint64_t inode_of(int descriptor) {
    struct stat status;
    int saved = errno;
    uint64_t inode = fstat(descriptor, &status) ? 0 : status.st_ino;
    errno = saved;
    return inode;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* Takes the turn. Nonzero: the call fails, with errno set. `growth` bytes are asked of the disk;
 * -1 is a call that takes room of its own, such as a directory entry. */
static int refused(int64_t growth) {
    pthread_mutex_lock(&turn);
    step++;
    if (fault == KILL && step == faulty_step) die();
    if (fault == FAIL && step == faulty_step) return errno = fault_number, 1;
    if (fault == FULL && step >= faulty_step && growth) {
        if (growth < 0 ? room <= 0 : growth > room) return errno = ENOSPC, 1;
        room -= growth < 0 ? 0 : growth;
    }
    return 0;
}

static void done(void) {
    int saved = errno;
    pthread_mutex_unlock(&turn);
    errno = saved;
}

static int64_t growth_of(int descriptor, int64_t end) {
    struct stat status;
    if (fstat(descriptor, &status) || end <= status.st_size) return 0;
    return end - status.st_size;
}

/* Calls on names. */

#define ON_NAME(result, name, parameters, kind, growth, path_of, other_of, call) \
    result name parameters { \
        REAL(name); \
        char one[PATH_MAX], two[PATH_MAX]; \
        const char *path = path_of, *other = other_of; \
        (void)one, (void)two; \
        if (!path || !other) return real call; \
        int answer = -1; \
        if (!refused(growth)) answer = real call; \
        record(kind, path, other, answer ? errno : 0, 0, 0, "", 0); \
        done(); \
        return answer; \
    }

ON_NAME(int, rename, (const char *from, const char *to), RENAME, 0,
        of_path(AT_FDCWD, from, one), of_path(AT_FDCWD, to, two), (from, to))
ON_NAME(int, renameat, (int at, const char *from, int into, const char *to), RENAME, 0,
        of_path(at, from, one), of_path(into, to, two), (at, from, into, to))
ON_NAME(int, unlink, (const char *name), UNLINK, 0, of_path(AT_FDCWD, name, one), "", (name))
ON_NAME(int, unlinkat, (int at, const char *name, int flags), flags & AT_REMOVEDIR ? RMDIR : UNLINK,
        0, of_path(at, name, one), "", (at, name, flags))
ON_NAME(int, rmdir, (const char *name), RMDIR, 0, of_path(AT_FDCWD, name, one), "", (name))
ON_NAME(int, mkdir, (const char *name, mode_t mode), MKDIR, -1,
        of_path(AT_FDCWD, name, one), "", (name, mode))
ON_NAME(int, mkdirat, (int at, const char *name, mode_t mode), MKDIR, -1,
        of_path(at, name, one), "", (at, name, mode))
ON_NAME(int, link, (const char *from, const char *to), LINK, -1,
        of_path(AT_FDCWD, from, one), of_path(AT_FDCWD, to, two), (from, to))
ON_NAME(int, linkat, (int at, const char *from, int into, const char *to, int flags), LINK, -1,
        of_path(at, from, one), of_path(into, to, two), (at, from, into, to, flags))

#define OPENING(name, signature, at, arguments) \
    int name signature { \
        REAL(name); \
        char buffer[PATH_MAX]; \
        mode_t mode = 0; \
        if (flags & (O_CREAT | O_TMPFILE)) { \
            va_list list; \
            va_start(list, flags); \
            mode = va_arg(list, mode_t); \
            va_end(list); \
        } \
        const char *path = flags & O_CREAT ? of_path(at, file, buffer) : NULL; \
        struct stat status; \
        if (!path || !fstatat(at, file, &status, 0)) return real arguments; \
        int answer = -1; \
        if (!refused(-1)) answer = real arguments; \
        record(CREATE, path, "", answer < 0 ? errno : 0, inode_of(answer), 0, "", 0); \
        done(); \
        return answer; \
    }

OPENING(open, (const char *file, int flags, ...), AT_FDCWD, (file, flags, mode))
OPENING(open64, (const char *file, int flags, ...), AT_FDCWD, (file, flags, mode))
OPENING(openat, (int directory, const char *file, int flags, ...), directory,
        (directory, file, flags, mode))
OPENING(openat64, (int directory, const char *file, int flags, ...), directory,
        (directory, file, flags, mode))

/* Calls on descriptors. */

/* Not passed on: neither a process that is killed nor one that is recorded needs the device. */
#define SYNCING(name) \
    int name(int descriptor) { \
        REAL(name); \
        char buffer[PATH_MAX]; \
        const char *path = of_descriptor(descriptor, buffer); \
        if (!path) return real(descriptor); \
        int answer = -1; \
        if (!refused(0)) answer = 0; \
        record(SYNC, path, "", answer ? errno : 0, inode_of(descriptor), 0, "", 0); \
        done(); \
        return answer; \
    }

SYNCING(fsync)
SYNCING(fdatasync)

/* The first half of what is written when the process is killed or the disk is full may be there. */
#define WRITING(name, signature, at, whole, half) \
    ssize_t name signature { \
        REAL(name); \
        char buffer[PATH_MAX]; \
        const char *path = of_descriptor(descriptor, buffer); \
        if (!path) return real whole; \
        off_t start = at; \
        ssize_t answer = 0; \
        if (fault == KILL && step + 1 == faulty_step) answer = real half; \
        answer = refused(growth_of(descriptor, start + size)) ? -1 : real whole; \
        record(WRITE, path, "", answer < 0 ? errno : 0, inode_of(descriptor), start, data, answer); \
        done(); \
        return answer; \
    }

#define POSITION lseek(descriptor, 0, fcntl(descriptor, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR)

WRITING(write, (int descriptor, const void *data, size_t size), POSITION,
        (descriptor, data, size), (descriptor, data, size / 2))
WRITING(pwrite, (int descriptor, const void *data, size_t size, off_t offset), offset,
        (descriptor, data, size, offset), (descriptor, data, size / 2, offset))
WRITING(pwrite64, (int descriptor, const void *data, size_t size, off64_t offset), offset,
        (descriptor, data, size, offset), (descriptor, data, size / 2, offset))

/* Copies within the kernel would escape the record: the caller falls back to reading and writing. */
ssize_t sendfile64(int out, int in, off64_t *offset, size_t size) {
    ssize_t (*real)(int, int, off64_t *, size_t) = dlsym(RTLD_NEXT, "sendfile64");
    char buffer[PATH_MAX];
    if (of_descriptor(out, buffer)) return errno = ENOTSOCK, -1;
    return real(out, in, offset, size);
}

ssize_t sendfile(int out, int in, off_t *offset, size_t size) {
    return sendfile64(out, in, (off64_t *)offset, size);
}

#define SIZING(name, signature, kind, growth, end, failure, arguments) \
    int name signature { \
        REAL(name); \
        char buffer[PATH_MAX]; \
        const char *path = of_descriptor(descriptor, buffer); \
        if (!path) return real arguments; \
        int answer; \
        answer = refused(growth) ? failure : real arguments; \
        record(kind, path, "", answer, inode_of(descriptor), end, "", 0); \
        done(); \
        return answer; \
    }

SIZING(ftruncate, (int descriptor, off_t size), TRUNCATE, 0, size, -1, (descriptor, size))
SIZING(ftruncate64, (int descriptor, off64_t size), TRUNCATE, 0, size, -1, (descriptor, size))
SIZING(posix_fallocate, (int descriptor, off_t offset, off_t size), ALLOCATE,
       growth_of(descriptor, offset + size), offset + size, errno, (descriptor, offset, size))
SIZING(posix_fallocate64, (int descriptor, off64_t offset, off64_t size), ALLOCATE,
       growth_of(descriptor, offset + size), offset + size, errno, (descriptor, offset, size))
