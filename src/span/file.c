/* SPDX-License-Identifier: Apache-2.0 */
#include "span/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(off_t) == 8, "offsets beyond 2 GiB");

static bool size_signal_pending(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 1;
}

void venturi_hold_begin(struct venturi_hold *hold)
{
    sigset_t all;
    hold->error = errno;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &hold->cancel);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &hold->signals);
    hold->size_signal_pending = size_signal_pending();
}

void venturi_hold_end(const struct venturi_hold *hold)
{
    if (!hold->size_signal_pending && size_signal_pending()) {
        sigset_t size_signal;
        (void)sigemptyset(&size_signal);
        (void)sigaddset(&size_signal, SIGXFSZ);
        (void)sigtimedwait(&size_signal, NULL, &(struct timespec){0});
    }
    (void)pthread_sigmask(SIG_SETMASK, &hold->signals, NULL);
    (void)pthread_setcancelstate(hold->cancel, NULL);
    errno = hold->error;
}

void venturi_path_add(struct venturi_path *path, const char *text)
{
    size_t bytes = strlen(text);
    if (path->bytes + bytes >= sizeof path->text) {
        path->bytes = sizeof path->text; /* stays full, so nothing fits any more */
        path->text[0] = '\0';
        return;
    }
    memcpy(path->text + path->bytes, text, bytes + 1);
    path->bytes += bytes;
}

void venturi_path_add_number(struct venturi_path *path, uint64_t number)
{
    char digits[21] = "";
    char *first = digits + sizeof digits - 1;
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    venturi_path_add(path, first);
}

void *venturi_fd_map(int fd, uint64_t offset, size_t bytes)
{
    if (posix_fallocate(fd, (off_t)offset, (off_t)bytes) != 0)
        return NULL;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, (off_t)offset);
    if (memory == MAP_FAILED)
        return NULL;
    (void)madvise(memory, bytes, MADV_DONTFORK);
    return memory;
}

enum venturi_made venturi_file_map(void **map, const struct venturi_path *path, size_t bytes)
{
    int fd = open(path->text, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? FILE_EXISTS : FILE_REFUSED;
    *map = venturi_fd_map(fd, 0, bytes);
    if (!*map)
        (void)unlink(path->text);
    (void)close(fd);
    return *map ? FILE_MADE : FILE_REFUSED;
}

static bool look_at(struct venturi_file *out, uint64_t *bytes, int fd)
{
    struct statx status;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_SIZE | STATX_BTIME, &status) != 0)
        return false;
    bool born = status.stx_mask & STATX_BTIME;
    *out = (struct venturi_file){.inode = status.stx_ino,
                                 .device_major = status.stx_dev_major,
                                 .device_minor = status.stx_dev_minor,
                                 .born_s = born ? status.stx_btime.tv_sec : 0,
                                 .born_ns = born ? status.stx_btime.tv_nsec : 0};
    *bytes = status.stx_size;
    return true;
}

static bool is_same(const struct venturi_file *a, const struct venturi_file *b)
{
    return a->inode == b->inode && a->device_major == b->device_major && a->device_minor == b->device_minor &&
           a->born_s == b->born_s && a->born_ns == b->born_ns;
}

/* Opens the file: the first time it must not exist, later it must be the same. */
static int open_same(struct venturi_file *file, const struct venturi_path *path, uint64_t offset)
{
    struct venturi_file found;
    uint64_t bytes;
    bool first = file->inode == 0;
    int flags = O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (first ? O_CREAT | O_EXCL : 0);
    int fd = open(path->text, flags, 0600);
    if (fd < 0)
        return -1;
    bool known = look_at(&found, &bytes, fd);
    if (known && first)
        *file = found;
    if (known && is_same(file, &found) && bytes == offset)
        return fd;
    (void)close(fd);
    return -1;
}

bool venturi_file_append(struct venturi_file *file, const struct venturi_path *path, uint64_t offset, const void *data,
                         size_t bytes)
{
    size_t done = 0;
    ssize_t wrote = 1;
    int fd = open_same(file, path, offset);
    if (fd < 0)
        return false;
    for (; wrote > 0 && done<bytes; done += wrote> 0 ? (size_t)wrote : 0)
        wrote = pwrite(fd, (const char *)data + done, bytes - done, (off_t)(offset + done));
    (void)close(fd);
    return done == bytes;
}
