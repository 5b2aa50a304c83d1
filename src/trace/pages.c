/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/pages.h"

#include "trace/record.h"

#include <string.h>

static struct page_head head_of(const unsigned char *page)
{
    struct page_head head;
    memcpy(&head, page, sizeof head);
    return head;
}

static void mark_lost(unsigned char *page)
{
    memset(page, 0, sizeof(struct page_head));
}

/* Whether that is the page of this stream; sealed or, in the ring, not yet. */
static bool is_page(const unsigned char *page, const struct pages_stream *stream, uint64_t sequence)
{
    struct page_head head = head_of(page);
    return head.sequence == sequence && head.stream == stream->id &&
           (head.check == 0 || head.check == page_check(page));
}

static bool is_sealed(const unsigned char *page, const struct pages_stream *stream, uint64_t sequence)
{
    return head_of(page).check != 0 && is_page(page, stream, sequence);
}

static enum err keep_file(const struct folder_file **out, struct pages *pages, const struct pages_stream *stream,
                          struct diag *diag)
{
    struct folder_file *file = &pages->kept[(size_t)(stream - pages->streams) % PAGES_FILES_KEPT];
    *out = file;
    if (file->name == stream->file && file->fd >= 0)
        return ERR_OK;
    folder_file_close(file);
    return folder_file_open(file, &pages->folder, stream->file, diag);
}

static enum err read_file(unsigned char *out, struct pages *pages, const struct pages_stream *stream, uint64_t first,
                          uint32_t count, struct diag *diag)
{
    const struct folder_file *file;
    TRY(keep_file(&file, pages, stream, diag));
    return folder_file_read(out, (size_t)count * TRACE_PAGE_BYTES, (first - 1) * TRACE_PAGE_BYTES, file, diag);
}

/* Puts an end behind the last record that stands in `earlier` into `page`, which was read later. So every record of it
 * was whole before the reading of `page` began, in whatever order its bytes came. */
static void cut(unsigned char *page, const unsigned char *earlier)
{
    struct record record;
    struct record_bytes bytes = {earlier + sizeof(struct page_head), earlier + TRACE_PAGE_BYTES};
    while (record_stands(&bytes))
        if (!record_get(&record, &bytes))
            return;
    if (bytes.at < bytes.end)
        page[bytes.at - earlier] = 0;
}

/* A page of the ring may be written to, or even be made into another one, while it is read: it is read twice. */
static enum err read_ring(unsigned char *out, const struct pages *pages, const struct pages_stream *stream,
                          uint64_t sequence, struct diag *diag)
{
    unsigned char earlier[TRACE_PAGE_BYTES];
    AUTO(folder_file_close) struct folder_file ring = {.fd = -1};
    uint64_t offset = stream->slot.offset + (1 + (sequence - 1) % TRACE_BLOCK_PAGES) * TRACE_PAGE_BYTES;
    TRY(folder_file_open(&ring, &pages->folder, stream->slot.ring, diag));
    TRY(folder_file_read(earlier, sizeof earlier, offset, &ring, diag));
    TRY(folder_file_read(out, TRACE_PAGE_BYTES, offset, &ring, diag));
    bool cut_off = ring.bytes < offset + TRACE_PAGE_BYTES; /* maybe in the middle of a record */
    if (cut_off || !is_page(earlier, stream, sequence) || !is_page(out, stream, sequence))
        mark_lost(out);
    else
        cut(out, earlier);
    return ERR_OK;
}

/* A page that is not in the file: in the ring; or, when it left the ring meanwhile, in the file after all. */
static enum err find_page(unsigned char *out, struct pages *pages, const struct pages_stream *stream, uint64_t sequence,
                          struct diag *diag)
{
    mark_lost(out);
    if (!stream->slot.ring || sequence + TRACE_BLOCK_PAGES <= stream->ring_sequence || sequence > UINT32_MAX)
        return ERR_OK;
    TRY(read_ring(out, pages, stream, sequence, diag));
    if (head_of(out).sequence > 0)
        return ERR_OK;
    TRY(read_file(out, pages, stream, sequence, 1, diag));
    if (!is_sealed(out, stream, sequence))
        mark_lost(out);
    return ERR_OK;
}

enum err pages_read(void *out, struct pages *pages, const struct pages_stream *stream, uint32_t first, uint32_t count,
                    struct diag *diag)
{
    TRY(read_file(out, pages, stream, first, count, diag));
    struct clock_line *line = stream->process ? &stream->process->clock->line : NULL;
    for (uint64_t i = 0; i < count; i++) {
        unsigned char *page = (unsigned char *)out + i * TRACE_PAGE_BYTES;
        if (!is_sealed(page, stream, first + i))
            TRY(find_page(page, pages, stream, first + i, diag));
        struct page_head head = head_of(page);
        if (line && line->known && head.sequence > 0)
            clock_line_note(line, (struct clock_pair){head.ticks, head.ns});
    }
    return ERR_OK;
}

uint32_t pages_before(struct pages *pages, const struct pages_stream *stream, uint32_t sequence)
{
    const struct folder_file *file;
    uint32_t limit = sequence - 1 < stream->pages ? sequence - 1 : stream->pages;
    uint32_t in_ring = limit < stream->ring_sequence ? limit : stream->ring_sequence;
    if (!stream->slot.ring || stream->ring_sequence - in_ring >= TRACE_BLOCK_PAGES)
        in_ring = 0;
    if (keep_file(&file, pages, stream, NULL) != ERR_OK)
        return limit; /* who reads there is told */
    uint64_t bytes = folder_file_data_end(file, (uint64_t)limit * TRACE_PAGE_BYTES);
    uint32_t in_file = (uint32_t)((bytes + TRACE_PAGE_BYTES - 1) / TRACE_PAGE_BYTES);
    return in_file > in_ring ? in_file : in_ring;
}
