/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/pack.h"

#include "base/file.h"
#include "trace/folder.h"
#include "trace/format.h"
#include "trace/format_v1.h"
#include "trace/tar.h"

#include <stdio.h>
#include <string.h>

enum { COPY_BYTES = 1 << 16 };

struct packing {
    struct folder folder;
    struct arena *arena;
    unsigned char *buffer; /* COPY_BYTES */
    int fd;
    const char *to;
    size_t members;
};

/* A file that shrinks meanwhile ends in zeros, one that grows is cut. */
static enum err copy(const struct packing *packing, const struct folder_file *file, struct diag *diag)
{
    for (uint64_t at = 0; at < file->bytes; at += COPY_BYTES) {
        uint64_t left = file->bytes - at;
        size_t bytes = left < COPY_BYTES ? (size_t)left : COPY_BYTES;
        memset(packing->buffer + bytes, 0, COPY_BYTES - bytes);
        TRY(folder_file_read(packing->buffer, bytes, at, file, diag));
        TRY(fd_write_all(packing->fd, packing->buffer, (size_t)tar_padded(bytes), packing->to, diag));
    }
    return ERR_OK;
}

static enum err add_member(struct packing *packing, const char *name, struct diag *diag)
{
    AUTO(folder_file_close) struct folder_file file = {.fd = -1};
    unsigned char head[TAR_BLOCK_BYTES];
    struct tar_member member = {.regular = true};
    if (strlen(name) > TAR_NAME_BYTES)
        return diag_fail(diag, ERR_FORMAT, name, NULL, "has a name of more than %d bytes", TAR_NAME_BYTES);
    TRY(folder_file_open(&file, &packing->folder, name, diag));
    if (file.fd < 0)
        return ERR_OK;
    (void)snprintf(member.name, sizeof member.name, "%s", name);
    member.bytes = file.bytes;
    tar_put_head(head, &member);
    TRY(fd_write_all(packing->fd, head, sizeof head, packing->to, diag));
    packing->members++;
    return copy(packing, &file, diag);
}

static enum err add_members(struct packing *packing, const char *suffix, struct diag *diag)
{
    const char **names;
    size_t count;
    TRY(folder_list(&names, &count, &packing->folder, suffix, packing->arena, diag));
    for (size_t i = 0; i < count; i++)
        TRY(add_member(packing, names[i], diag));
    return ERR_OK;
}

/* What says who wrote comes first. */
static enum err write_members(int fd, const char *path, void *context, struct diag *diag)
{
    struct packing *packing = context;
    static const char *const suffixes[] = {V1_PROCESS_SUFFIX, TRACE_RING_SUFFIX, TRACE_SPANS_SUFFIX};
    static const unsigned char end[2 * TAR_BLOCK_BYTES];
    packing->fd = fd;
    packing->to = path;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        TRY(add_members(packing, suffixes[i], diag));
    if (packing->members == 0)
        return diag_fail(diag, ERR_FORMAT, packing->folder.path, "name a folder that a run left", "holds no trace");
    TRY(add_member(packing, TRACE_MEMORY_FILE, diag));
    return fd_write_all(fd, end, sizeof end, path, diag);
}

static void packing_close(struct packing *packing)
{
    folder_close(&packing->folder);
}

enum err trace_pack(const char *from, const char *to, struct arena *arena, struct diag *diag)
{
    AUTO(packing_close)
    struct packing packing = {.arena = arena, .buffer = ARENA_ARRAY(arena, unsigned char, COPY_BYTES)};
    if (!packing.buffer)
        return arena_exhausted(arena, diag);
    TRY(folder_open(&packing.folder, from, arena, diag));
    return file_write_atomic_from(to, &(struct file_content){write_members, &packing}, diag);
}
