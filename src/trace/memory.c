/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/memory.h"

#include <stdlib.h>

enum { SAMPLES_MAX = 4 * 1024 * 1024 };

static int by_time(const void *left, const void *right)
{
    const struct memory_sample *a = left, *b = right;
    return (a->at_ns > b->at_ns) - (a->at_ns < b->at_ns);
}

enum err memory_read(struct memory_sample **out, size_t *out_count, const struct folder *folder, struct arena *arena,
                     struct diag *diag)
{
    AUTO(folder_file_close) struct folder_file file = {.fd = -1};
    TRY(folder_file_open(&file, folder, TRACE_MEMORY_FILE, diag));
    uint64_t count = file.bytes / sizeof **out; /* a sample that was cut off is ignored */
    if (count > SAMPLES_MAX)
        return diag_fail(diag, ERR_FORMAT, TRACE_MEMORY_FILE, NULL, "holds more than %d samples", SAMPLES_MAX);
    struct memory_sample *samples = ARENA_ARRAY(arena, struct memory_sample, count);
    if (!samples)
        return arena_exhausted(arena, diag);
    TRY(folder_file_read(samples, count * sizeof *samples, 0, &file, diag));
    if (count > 0)
        qsort(samples, count, sizeof *samples, by_time);
    *out = samples;
    *out_count = count;
    return ERR_OK;
}
