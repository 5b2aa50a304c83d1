/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

void fd_close(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

enum err fd_write_all(int fd, const void *data, size_t bytes, const char *where, struct diag *diag)
{
    const char *next = data;
    while (bytes > 0) {
        ssize_t written = write(fd, next, bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return diag_errno(diag, ERR_IO, errno, where, "cannot write");
        next += written;
        bytes -= (size_t)written;
    }
    return ERR_OK;
}

enum err dir_make(const char *path, struct diag *diag)
{
    char part[PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof part)
        return diag_fail(diag, ERR_IO, path, NULL, "cannot make a folder with a name of %zu bytes", length);
    memcpy(part, path, length + 1);
    for (char *slash = part + 1;; slash++) {
        if (*slash != '/' && *slash != '\0')
            continue;
        char kept = *slash;
        *slash = '\0';
        if (mkdir(part, 0777) < 0 && errno != EEXIST)
            return diag_errno(diag, ERR_IO, errno, part, "cannot make the folder");
        *slash = kept;
        if (kept == '\0')
            break;
    }
    struct stat status;
    if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode))
        return diag_fail(diag, ERR_IO, path, "choose another folder", "is not a folder");
    return ERR_OK;
}

/* A folder that cannot be opened or synced, being another's or read-only, got no entry from us. */
enum err dir_keep(const char *path, struct diag *diag)
{
    char whole[PATH_MAX];
    TRY(dir_make(path, diag));
    if (!realpath(path, whole))
        return diag_errno(diag, ERR_IO, errno, path, "cannot open the folder");
    char *slash;
    do {
        slash = strrchr(whole, '/');
        slash[slash == whole] = '\0'; /* the root keeps its own */
        AUTO(fd_close) int fd = open(whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0 && fsync(fd) < 0 && errno == EIO)
            return diag_errno(diag, ERR_IO, errno, whole, "cannot sync the folder");
    } while (slash > whole);
    return ERR_OK;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status;
    (void)kind;
    (void)at;
    return remove(path);
}

/* A folder that its holder removed may be open here still, and its lock worth nothing. */
static bool is_still_there(int fd, const char *path)
{
    struct stat held, there;
    return fstat(fd, &held) == 0 && stat(path, &there) == 0 && held.st_ino == there.st_ino &&
           held.st_dev == there.st_dev;
}

enum err dir_lock(int *out_fd, const char *path, struct diag *diag)
{
    *out_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*out_fd < 0)
        return diag_errno(diag, ERR_IO, errno, path, "cannot open the folder");
    int error = flock(*out_fd, LOCK_EX | LOCK_NB) < 0 ? errno : is_still_there(*out_fd, path) ? 0 : EWOULDBLOCK;
    if (error == 0)
        return ERR_OK;
    fd_close(out_fd);
    return error == EWOULDBLOCK
               ? diag_fail(diag, ERR_CONFIG, path, "wait for the other to end, or choose another folder",
                           "another venturi is at work in this folder")
               : diag_errno(diag, ERR_IO, error, path, "cannot lock the folder");
}

enum err dir_remove(const char *path, struct diag *diag)
{
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
        return diag_errno(diag, ERR_IO, errno, path, "cannot remove the folder");
    return ERR_OK;
}

/* A rename is durable only when the folder that holds the name is. */
static enum err sync_folder_of(const char *path, struct diag *diag)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int length = slash ? (int)(slash - path) : 0;
    (void)snprintf(folder, sizeof folder, "%.*s", length ? length : 1, length ? path : (slash ? "/" : "."));
    AUTO(fd_close) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return diag_errno(diag, ERR_IO, errno, folder, "cannot sync the folder");
    return ERR_OK;
}

static enum err write_whole(const char *path, mode_t mode, const struct file_content *content, struct diag *diag)
{
    AUTO(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return diag_errno(diag, ERR_IO, errno, path, "cannot create");
    TRY(content->write(fd, path, content->context, diag));
    if (fsync(fd) < 0)
        return diag_errno(diag, ERR_IO, errno, path, "cannot sync");
    return ERR_OK;
}

static enum err replace(const char *path, mode_t mode, const struct file_content *content, struct diag *diag)
{
    char temporary[PATH_MAX];
    if (snprintf(temporary, sizeof temporary, "%s.%d.tmp", path, (int)getpid()) >= (int)sizeof temporary)
        return diag_fail(diag, ERR_IO, path, NULL, "the name is too long");
    enum err error = write_whole(temporary, mode, content, diag);
    if (error == ERR_OK && rename(temporary, path) < 0)
        error = diag_errno(diag, ERR_IO, errno, path, "cannot replace");
    if (error != ERR_OK) {
        (void)unlink(temporary);
        return error;
    }
    return sync_folder_of(path, diag);
}

enum err file_write_atomic_from(const char *path, const struct file_content *content, struct diag *diag)
{
    return replace(path, 0666, content, diag);
}

struct bytes {
    const void *data;
    size_t count;
};

static enum err write_bytes(int fd, const char *path, void *context, struct diag *diag)
{
    const struct bytes *bytes = context;
    return fd_write_all(fd, bytes->data, bytes->count, path, diag);
}

enum err file_write_atomic(const char *path, const void *data, size_t bytes, struct diag *diag)
{
    struct bytes context = {.data = data, .count = bytes};
    return replace(path, 0666, &(struct file_content){write_bytes, &context}, diag);
}

enum err file_write_script(const char *path, const char *text, struct diag *diag)
{
    struct bytes context = {.data = text, .count = strlen(text)};
    return replace(path, 0777, &(struct file_content){write_bytes, &context}, diag);
}

static enum err read_open_file(char *out, size_t bytes, int fd, const char *path, struct diag *diag)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t got = read(fd, out + done, bytes - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return diag_fail(diag, ERR_IO, path, NULL, "ended after %zu of %zu bytes", done, bytes);
        done += (size_t)got;
    }
    return ERR_OK;
}

enum err file_read(char **out, size_t *out_bytes, const char *path, size_t limit_bytes, struct arena *arena,
                   struct diag *diag)
{
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        return diag_errno(diag, ERR_IO, errno, path, "cannot open");
    if (!S_ISREG(status.st_mode))
        return diag_fail(diag, ERR_IO, path, "name a file", "is not a regular file");
    size_t bytes = (size_t)status.st_size;
    if (bytes > limit_bytes)
        return diag_fail(diag, ERR_FORMAT, path, NULL, "has %zu bytes, more than the %zu accepted", bytes, limit_bytes);
    char *data = arena_alloc(arena, bytes + 1, 1, 1);
    if (!data)
        return arena_exhausted(arena, diag);
    TRY(read_open_file(data, bytes, fd, path, diag));
    *out = data;
    *out_bytes = bytes;
    return ERR_OK;
}
