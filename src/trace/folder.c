/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/folder.h"

#include "base/file.h"
#include "trace/tar.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool ends_with(const char *name, const char *suffix)
{
    size_t bytes = strlen(name), tail = strlen(suffix);
    return bytes > tail && strcmp(name + bytes - tail, suffix) == 0;
}

/* Names or members, collected up to the limit. */
struct list {
    struct folder_entry *entries;
    size_t count, capacity;
};

static enum err list_add(struct list *list, const struct folder_entry *entry, const char *path, struct arena *arena,
                         struct diag *diag)
{
    if (list->count == FOLDER_FILES_MAX)
        return diag_fail(diag, ERR_FORMAT, path, NULL, "holds more than %d files", FOLDER_FILES_MAX);
    struct folder_entry *room = arena_room(arena, list->entries, &list->capacity, list->count, sizeof *room);
    if (!room)
        return arena_exhausted(arena, diag);
    list->entries = room;
    list->entries[list->count] = *entry;
    list->entries[list->count].name = arena_strdup(arena, entry->name);
    return list->entries[list->count++].name ? ERR_OK : arena_exhausted(arena, diag);
}

static int by_name(const void *left, const void *right)
{
    const struct folder_entry *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order ? order : (a->offset > b->offset) - (a->offset < b->offset);
}

static void list_sort(struct list *list)
{
    if (list->count > 0)
        qsort(list->entries, list->count, sizeof *list->entries, by_name);
}

static enum err read_some(void *out, size_t *got, size_t bytes, uint64_t offset, const struct folder_file *file,
                          struct diag *diag)
{
    *got = 0;
    while (*got < bytes) {
        ssize_t more = pread(file->fd, (char *)out + *got, bytes - *got, (off_t)(offset + *got));
        if (more < 0 && errno == EINTR)
            continue;
        if (more < 0)
            return diag_errno(diag, ERR_IO, errno, file->name, "cannot read");
        if (more == 0)
            break;
        *got += (size_t)more;
    }
    return ERR_OK;
}

/* The members of a packed file. One that was cut off keeps what is there. */
static enum err read_members(struct folder *folder, uint64_t bytes, struct arena *arena, struct diag *diag)
{
    struct list list = {0};
    struct tar_member member;
    unsigned char block[TAR_BLOCK_BYTES];
    const struct folder_file whole = {.name = folder->path, .fd = folder->fd, .shared = true, .bytes = bytes};
    for (uint64_t at = 0; at < bytes; at += tar_padded(member.bytes)) {
        TRY(folder_file_read(block, sizeof block, at, &whole, diag));
        if (!tar_get_head(&member, block))
            break;
        at += sizeof block;
        uint64_t left = at < bytes ? bytes - at : 0;
        member.bytes = member.bytes < left ? member.bytes : left;
        struct folder_entry entry = {.name = member.regular ? member.name : "", .offset = at, .bytes = member.bytes};
        TRY(list_add(&list, &entry, folder->path, arena, diag));
    }
    if (list.count == 0)
        return diag_fail(diag, ERR_FORMAT, folder->path, "name a folder that a run left, or a packed one",
                         "is not a trace");
    list_sort(&list);
    folder->entries = list.entries;
    folder->entry_count = list.count;
    return ERR_OK;
}

enum err folder_open(struct folder *out, const char *path, struct arena *arena, struct diag *diag)
{
    struct stat status;
    *out = (struct folder){.path = path, .fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
    if (out->fd < 0 || fstat(out->fd, &status) != 0)
        return diag_errno(diag, ERR_IO, errno, path, "cannot open the trace");
    if (S_ISDIR(status.st_mode))
        return ERR_OK;
    if (!S_ISREG(status.st_mode))
        return diag_fail(diag, ERR_FORMAT, path, NULL, "is neither a folder nor a packed trace");
    out->packed = true;
    return read_members(out, (uint64_t)status.st_size, arena, diag);
}

void folder_close(struct folder *folder)
{
    if (folder->path)
        fd_close(&folder->fd);
    *folder = (struct folder){.fd = -1};
}

static void close_entries(DIR **entries)
{
    if (*entries)
        (void)closedir(*entries);
}

static enum err list_folder(struct list *list, const struct folder *folder, const char *suffix, struct arena *arena,
                            struct diag *diag)
{
    int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO(close_entries) DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (!entries) {
        int error = errno;
        fd_close(&fd);
        return diag_errno(diag, ERR_IO, error, folder->path, "cannot list");
    }
    errno = 0;
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        if (ends_with(entry->d_name, suffix))
            TRY(list_add(list, &(struct folder_entry){.name = entry->d_name}, folder->path, arena, diag));
        errno = 0;
    }
    if (errno != 0)
        return diag_errno(diag, ERR_IO, errno, folder->path, "cannot list");
    list_sort(list);
    return ERR_OK;
}

static bool is_repeated(const struct folder_entry *entries, size_t at)
{
    return at > 0 && strcmp(entries[at - 1].name, entries[at].name) == 0;
}

enum err folder_list(const char ***out, size_t *out_count, const struct folder *folder, const char *suffix,
                     struct arena *arena, struct diag *diag)
{
    struct list list = {.entries = folder->entries, .count = folder->entry_count};
    if (!folder->packed)
        TRY(list_folder(&list, folder, suffix, arena, diag));
    *out = ARENA_ARRAY(arena, const char *, list.count);
    *out_count = 0;
    if (!*out)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < list.count; i++)
        if (ends_with(list.entries[i].name, suffix) && !is_repeated(list.entries, i))
            (*out)[(*out_count)++] = list.entries[i].name;
    return ERR_OK;
}

/* Of two members of one name the first counts. */
static void open_member(struct folder_file *out, const struct folder *folder, const char *name)
{
    size_t low = 0, high = folder->entry_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(folder->entries[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == folder->entry_count || strcmp(folder->entries[low].name, name) != 0)
        return;
    out->fd = folder->fd;
    out->shared = true;
    out->offset = folder->entries[low].offset;
    out->bytes = folder->entries[low].bytes;
}

enum err folder_file_open(struct folder_file *out, const struct folder *folder, const char *name, struct diag *diag)
{
    struct stat status;
    *out = (struct folder_file){.name = name, .fd = -1};
    if (folder->packed) {
        open_member(out, folder, name);
        return ERR_OK;
    }
    out->fd = openat(folder->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (out->fd < 0 && errno == ENOENT)
        return ERR_OK;
    if (out->fd < 0)
        return diag_errno(diag, errno == ELOOP ? ERR_FORMAT : ERR_IO, errno, name, "cannot open");
    enum err error = ERR_OK;
    if (fstat(out->fd, &status) != 0)
        error = diag_errno(diag, ERR_IO, errno, name, "cannot open");
    else if (!S_ISREG(status.st_mode))
        error = diag_fail(diag, ERR_FORMAT, name, NULL, "is not a regular file");
    if (error != ERR_OK) {
        folder_file_close(out);
        return error;
    }
    out->bytes = (uint64_t)status.st_size;
    return ERR_OK;
}

void folder_file_close(struct folder_file *file)
{
    if (file->name && !file->shared)
        fd_close(&file->fd);
    file->fd = -1;
}

enum err folder_file_read(void *out, size_t bytes, uint64_t offset, const struct folder_file *file, struct diag *diag)
{
    size_t got = 0;
    if (file->fd >= 0 && offset <= INT64_MAX - file->offset) {
        uint64_t left = !file->shared ? bytes : offset < file->bytes ? file->bytes - offset : 0;
        TRY(read_some(out, &got, bytes < left ? bytes : left, file->offset + offset, file, diag));
    }
    memset((char *)out + got, 0, bytes - got);
    return ERR_OK;
}

/* Whether [offset, limit) of the file holds data; a file system that does not know says yes. */
static bool has_data(const struct folder_file *file, uint64_t offset, uint64_t limit)
{
    off_t found = lseek(file->fd, (off_t)(file->offset + offset), SEEK_DATA);
    if (found < 0)
        return errno != ENXIO;
    return (uint64_t)found < file->offset + limit;
}

uint64_t folder_file_data_end(const struct folder_file *file, uint64_t limit)
{
    enum { GRAIN_BYTES = 1 << 16 };
    uint64_t low = 0, high = limit < file->bytes ? limit : file->bytes;
    if (file->fd < 0)
        return 0;
    if (high > GRAIN_BYTES && !has_data(file, high - GRAIN_BYTES, high))
        high -= GRAIN_BYTES;
    else
        return high;
    for (uint64_t end = high; high - low > 1;) { /* the less is left of [.., end), the less data are in it */
        uint64_t middle = low + (high - low) / 2;
        if (has_data(file, middle, end))
            low = middle;
        else
            high = middle;
    }
    return high;
}
