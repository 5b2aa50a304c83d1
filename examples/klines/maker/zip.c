/* SPDX-License-Identifier: Apache-2.0 */
#include "maker/zip.h"

#include "base/file.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

enum { ZIP_OVERHEAD_BYTES = 64 * 1024, MTIME_2024_S = 1704067200 };

static void archive_release(struct archive **archive)
{
    archive_write_free(*archive);
}

/* Everything but the data is fixed: time, owner and mode would make equal months different files. */
static struct archive_entry *entry_for(const char *name, size_t bytes)
{
    struct archive_entry *entry = archive_entry_new();
    if (entry == NULL)
        return NULL;
    archive_entry_set_pathname(entry, name);
    archive_entry_set_size(entry, (la_int64_t)bytes);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_mtime(entry, MTIME_2024_S, 0);
    return entry;
}

static enum err build(char *zip, size_t limit, size_t *used, struct archive_entry *entry, const void *data,
                      size_t bytes, struct diag *diag)
{
    AUTO(archive_release) struct archive *archive = archive_write_new();
    if (archive == NULL)
        return diag_fail(diag, ERR_MEMORY, "", NULL, "out of memory");
    if (archive_write_set_format_zip(archive) != ARCHIVE_OK ||
        archive_write_set_bytes_per_block(archive, 0) != ARCHIVE_OK ||
        archive_write_open_memory(archive, zip, limit, used) != ARCHIVE_OK ||
        archive_write_header(archive, entry) != ARCHIVE_OK ||
        archive_write_data(archive, data, bytes) != (la_ssize_t)bytes || archive_write_close(archive) != ARCHIVE_OK)
        return diag_fail(diag, ERR_INTERNAL, "libarchive", NULL, "%s", archive_error_string(archive));
    return ERR_OK;
}

enum err zip_write(const char *path, const char *name, const void *data, size_t bytes, struct diag *diag)
{
    size_t limit = bytes + bytes / 1000 + ZIP_OVERHEAD_BYTES, used = 0; /* deflate grows what it cannot shrink */
    char *zip = malloc(limit);
    struct archive_entry *entry = entry_for(name, bytes);
    enum err error = zip == NULL || entry == NULL ? diag_fail(diag, ERR_MEMORY, "", NULL, "out of memory")
                                                  : build(zip, limit, &used, entry, data, bytes, diag);
    if (error == ERR_OK)
        error = file_write_atomic(path, zip, used, diag);
    archive_entry_free(entry);
    free(zip);
    return error;
}
