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

static bool map(struct venturi_file *file, int fd, size_t bytes)
{
    struct stat status;
    if (posix_fallocate(fd, 0, (off_t)bytes) != 0 || fstat(fd, &status) != 0)
        return false;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return false;
    (void)madvise(memory, bytes, MADV_DONTFORK);
    *file = (struct venturi_file){.map = memory, .device = status.st_dev, .inode = status.st_ino};
    return true;
}

enum venturi_made venturi_file_make(struct venturi_file *file, const struct venturi_path *path, size_t bytes)
{
    int fd = open(path->text, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? FILE_EXISTS : FILE_REFUSED;
    bool mapped = map(file, fd, bytes);
    if (!mapped)
        (void)unlink(path->text);
    (void)close(fd);
    return mapped ? FILE_MADE : FILE_REFUSED;
}

static bool is_same(const struct venturi_file *file, int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && status.st_dev == file->device && status.st_ino == file->inode;
}

bool venturi_file_append(const struct venturi_file *file, const struct venturi_path *path, uint64_t offset,
                         const void *data, size_t bytes)
{
    int fd = open(path->text, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    size_t done = 0;
    for (ssize_t wrote = is_same(file, fd) ? 1 : 0; wrote > 0 && done < bytes; done += (size_t)wrote) {
        wrote = pwrite(fd, (const char *)data + done, bytes - done, (off_t)(offset + done));
        if (wrote < 0)
            break;
    }
    (void)close(fd);
    return done == bytes;
}
