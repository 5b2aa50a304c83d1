/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/extract.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

static la_ssize_t read_piece(struct archive *archive, void *context, const void **piece)
{
    const struct source *source = context;
    ssize_t bytes = source->next(source->context, piece);
    if (bytes < 0)
        archive_set_error(archive, ARCHIVE_FATAL, "the archive breaks off");
    return bytes;
}

static enum status fail_archive(struct failure *failure, struct archive *archive, const char *name)
{
    const char *why = archive_error_string(archive);
    if (why == NULL)
        why = "not understood";
    return fail_with(failure, STATUS_DATA, "%s: bad archive: %.*s", name, (int)strcspn(why, "\n"), why);
}

static enum status find_file(struct archive *archive, const char *name, struct failure *failure)
{
    struct archive_entry *entry;
    if (archive_read_next_header(archive, &entry) != ARCHIVE_OK)
        return fail_archive(failure, archive, name);
    const char *found = archive_entry_pathname(entry);
    if (found == NULL || strcmp(found, name) != 0)
        return fail_with(failure, STATUS_DATA, "%s: bad archive: it holds '%.80s'", name, found ? found : "");
    if (archive_entry_filetype(entry) != AE_IFREG)
        return fail_with(failure, STATUS_DATA, "%s: bad archive: not a regular file", name);
    return STATUS_OK;
}

static enum status copy_file(struct bytes *csv, struct archive *archive, const char *name, struct failure *failure)
{
    const void *piece;
    size_t count;
    la_int64_t offset;
    int result;
    /* Some damage is only a warning to libarchive; to us it is damage. */
    while ((result = archive_read_data_block(archive, &piece, &count, &offset)) == ARCHIVE_OK) {
        if (offset != (la_int64_t)csv->count || !bytes_add(csv, piece, count))
            return fail_with(failure, STATUS_DATA, "%s: bad archive: more than %zu bytes", name, csv->limit);
    }
    return result == ARCHIVE_EOF ? STATUS_OK : fail_archive(failure, archive, name);
}

static enum status read_archive(struct bytes *csv, struct archive *archive, const struct source *source,
                                const char *name, struct failure *failure)
{
    /* The streaming reader for archives in memory too, so that one archive has one meaning. */
    if (archive_read_support_format_zip_streamable(archive) != ARCHIVE_OK ||
        archive_read_open(archive, (void *)(uintptr_t)source, NULL, read_piece, NULL) != ARCHIVE_OK)
        return fail_archive(failure, archive, name);
    TRY(find_file(archive, name, failure));
    TRY(copy_file(csv, archive, name, failure));
    struct archive_entry *another;
    int end = archive_read_next_header(archive, &another);
    if (end == ARCHIVE_OK)
        return fail_with(failure, STATUS_DATA, "%s: bad archive: it holds a second file", name);
    return end == ARCHIVE_EOF ? STATUS_OK : fail_archive(failure, archive, name);
}

enum status extract_csv(struct bytes *csv, const struct source *source, const char *name, struct failure *failure)
{
    struct archive *archive = archive_read_new();
    if (archive == NULL)
        return fail_no_memory(failure);
    enum status status = read_archive(csv, archive, source, name, failure);
    archive_read_free(archive);
    return status;
}
