/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/folder.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool ends_with(const char *name, const char *suffix)
{
    size_t bytes = strlen(name), tail = strlen(suffix);
    return bytes > tail && strcmp(name + bytes - tail, suffix) == 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void close_folder(DIR **entries)
{
    if (*entries)
        (void)closedir(*entries);
}

static enum err open_entries(DIR **out, const struct folder *folder, struct diag *diag)
{
    int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *out = fd < 0 ? NULL : fdopendir(fd);
    if (*out)
        return ERR_OK;
    int error = errno;
    fd_close(&fd);
    return diag_errno(diag, ERR_IO, error, folder->path, "cannot list");
}

enum err folder_list(const char ***out, size_t *out_count, const struct folder *folder, const char *suffix,
                     struct arena *arena, struct diag *diag)
{
    AUTO(close_folder) DIR *entries = NULL;
    size_t count = 0, capacity = 0;
    const char **names = NULL;
    TRY(open_entries(&entries, folder, diag));
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        if (!ends_with(entry->d_name, suffix))
            continue;
        if (count == FOLDER_FILES_MAX)
            return diag_fail(diag, ERR_FORMAT, folder->path, NULL, "holds more than %d files", FOLDER_FILES_MAX);
        if (count == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            const char **more = ARENA_ARRAY(arena, const char *, capacity);
            if (!more)
                return arena_exhausted(arena, diag);
            if (count > 0)
                memcpy(more, names, count * sizeof *names);
            names = more;
        }
        names[count] = arena_strdup(arena, entry->d_name);
        if (!names[count++])
            return arena_exhausted(arena, diag);
    }
    if (count > 0)
        qsort(names, count, sizeof *names, by_name);
    *out = names;
    *out_count = count;
    return ERR_OK;
}

enum err folder_open(int *out_fd, uint64_t *out_bytes, const struct folder *folder, const char *name, struct diag *diag)
{
    struct stat status;
    *out_bytes = 0;
    *out_fd = openat(folder->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (*out_fd < 0 && errno == ENOENT)
        return ERR_OK;
    if (*out_fd < 0)
        return diag_errno(diag, errno == ELOOP ? ERR_FORMAT : ERR_IO, errno, name, "cannot open");
    if (fstat(*out_fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        fd_close(out_fd);
        return diag_fail(diag, ERR_FORMAT, name, NULL, "is not a regular file");
    }
    *out_bytes = (uint64_t)status.st_size;
    return ERR_OK;
}

enum err folder_read(void *out, size_t bytes, uint64_t offset, int fd, const char *name, struct diag *diag)
{
    size_t done = 0;
    while (done < bytes) {
        ssize_t got = pread(fd, (char *)out + done, bytes - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return diag_errno(diag, ERR_IO, errno, name, "cannot read");
        if (got == 0)
            break;
        done += (size_t)got;
    }
    memset((char *)out + done, 0, bytes - done);
    return ERR_OK;
}
