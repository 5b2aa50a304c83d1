/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/count.h"
#include "trace/names.h"
#include "trace/page.h"
#include "trace/pages.h"
#include "trace/v1.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* What has a slot comes first, in the order of the slots. */
static int compare_places(const struct slot_place *a, const struct slot_place *b)
{
    int order = (a->ring == NULL) - (b->ring == NULL);
    if (order == 0 && a->ring)
        order = strcmp(a->ring, b->ring);
    return order ? order : compare(a->offset, b->offset);
}

static int compare_slots(const struct process_slot *a, const struct process_slot *b)
{
    int order = compare(a->start, b->start);
    return order ? order : compare(a->pid, b->pid);
}

static int by_process(const void *left, const void *right)
{
    const struct process_found *a = left, *b = right;
    int order = compare_slots(a->slot, b->slot);
    return order ? order : compare_places(&a->at, &b->at);
}

static int compare_streams(const struct pages_stream *a, const struct pages_stream *b)
{
    int order = compare(a->process_start_ns, b->process_start_ns);
    if (order == 0)
        order = compare(a->pid, b->pid);
    return order ? order : compare(a->number, b->number);
}

static int by_stream(const void *left, const void *right)
{
    const struct pages_stream *a = left, *b = right;
    int order = compare_streams(a, b);
    return order ? order : compare_places(&a->slot, &b->slot);
}

/* A boot_id as the kernel writes it; anything else is the same as none. */
static void copy_boot(char out[TRACE_BOOT_BYTES + 1], const char boot[TRACE_BOOT_BYTES])
{
    memcpy(out, boot, TRACE_BOOT_BYTES);
    out[TRACE_BOOT_BYTES] = '\0';
    if (strspn(out, "0123456789abcdef-") != TRACE_BOOT_BYTES)
        memset(out, 0, TRACE_BOOT_BYTES);
}

static enum err take_clock(struct pages_clock **out, struct pages *pages, const struct process_slot *slot,
                           struct diag *diag)
{
    struct pages_clock wanted = {.kind = (enum trace_clock)slot->clock};
    struct clock_pair pair = {.ticks = slot->ticks, .ns = slot->ns};
    copy_boot(wanted.boot, slot->boot);
    size_t at = 0;
    while (at < pages->clock_count &&
           (pages->clocks[at].kind != wanted.kind || strcmp(pages->clocks[at].boot, wanted.boot) != 0))
        at++;
    *out = &pages->clocks[at];
    if (at < pages->clock_count) {
        if (wanted.kind != CLOCK_IS_NS)
            clock_line_widen(&(*out)->line, pair);
        return ERR_OK;
    }
    if (at == PAGES_CLOCKS_MAX)
        return diag_fail(diag, ERR_FORMAT, pages->folder.path, NULL, "was recorded in more than %d boots",
                         PAGES_CLOCKS_MAX);
    **out = wanted;
    clock_line_begin(&(*out)->line, pair);
    if (wanted.kind == CLOCK_IS_NS)
        clock_line_identity(&(*out)->line);
    pages->clock_count++;
    return ERR_OK;
}

static enum err name_stages(struct pages_process *process, struct names *names, struct process_slot *slot,
                            struct arena *arena, struct diag *diag)
{
    process->stages = ARENA_ARRAY(arena, uint16_t, process->stage_count);
    if (!process->stages)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < process->stage_count; i++) {
        slot->names[i][TRACE_STAGE_NAME_BYTES] = '\0';
        process->stages[i] = PAGES_STAGE_NONE;
        if (stage_name_bytes(slot->names[i]) > 0)
            TRY(names_intern(&process->stages[i], names, slot->names[i], arena, diag));
    }
    return ERR_OK;
}

static bool slot_can_be_right(const struct process_slot *slot)
{
    return slot->stages <= TRACE_STAGES_MAX && (slot->clock == CLOCK_IS_NS || slot->clock == CLOCK_IS_TSC);
}

static enum err open_processes(struct pages *pages, struct names *names, const struct slots *slots, struct arena *arena,
                               struct diag *diag)
{
    pages->processes = ARENA_ARRAY(arena, struct pages_process, slots->process_count);
    pages->clocks = ARENA_ARRAY(arena, struct pages_clock, PAGES_CLOCKS_MAX + 1);
    if (!pages->processes || !pages->clocks)
        return arena_exhausted(arena, diag);
    if (slots->process_count > 0)
        qsort(slots->processes, slots->process_count, sizeof *slots->processes, by_process);
    for (size_t i = 0; i < slots->process_count; i++) {
        struct process_slot *slot = slots->processes[i].slot;
        bool repeated = i > 0 && compare_slots(slot, slots->processes[i - 1].slot) == 0;
        if (repeated || !slot_can_be_right(slot)) {
            pages->rejected = count_add(pages->rejected, 1);
            continue;
        }
        struct pages_process *process = &pages->processes[pages->process_count++];
        *process = (struct pages_process){
            .pid = slot->pid, .start_ns = slot->start, .stage_count = (uint32_t)slot->stages, .losses = slot->losses};
        TRY(take_clock(&process->clock, pages, slot, diag));
        TRY(name_stages(process, names, slot, arena, diag));
        span_losses_add(&pages->losses, &slot->losses);
    }
    return ERR_OK;
}

static const struct pages_process *process_of(const struct pages *pages, const struct pages_stream *stream)
{
    size_t low = 0, high = pages->process_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct pages_process *process = &pages->processes[middle];
        int order = compare(process->start_ns, stream->process_start_ns);
        if (order == 0)
            order = compare(process->pid, stream->pid);
        if (order == 0)
            return process;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* How the file of a stream is called. */
static enum err name_file(const char **out, const struct pages_stream *stream, struct arena *arena, struct diag *diag)
{
    *out = arena_printf(arena, "%" PRIu32 "-%" PRIu64 "-%" PRIu32 TRACE_SPANS_SUFFIX, stream->pid,
                        stream->process_start_ns, stream->number);
    return *out ? ERR_OK : arena_exhausted(arena, diag);
}

/* The stream that a file of spans says it is of; *out_ours false when that is no name of ours. */
static enum err parse_name(struct pages_stream *out, bool *out_ours, const char *name, struct arena *arena,
                           struct diag *diag)
{
    *out = (struct pages_stream){.slot = {.ring = NULL}};
    *out_ours = sscanf(name, "%" SCNu32 "-%" SCNu64 "-%" SCNu32, &out->pid, &out->process_start_ns, &out->number) == 3;
    TRY(name_file(&out->file, out, arena, diag));
    *out_ours = *out_ours && strcmp(out->file, name) == 0;
    return ERR_OK;
}

static void put_found(struct pages_stream *out, const struct stream_found *found)
{
    *out = (struct pages_stream){.pid = found->slot.pid,
                                 .process_start_ns = found->slot.process_start,
                                 .number = found->slot.number,
                                 .tid = found->slot.tid,
                                 .losses = found->slot.losses,
                                 .slot = found->at};
}

/* Every slot and every file of spans, still apart, sorted so that what belongs together stands together. */
static enum err collect_streams(struct pages_stream **out, size_t *out_count, struct pages *pages,
                                const struct slots *slots, struct arena *arena, struct diag *diag)
{
    const char **names;
    size_t names_count, count = 0;
    TRY(folder_list(&names, &names_count, &pages->folder, TRACE_SPANS_SUFFIX, arena, diag));
    struct pages_stream *all = ARENA_ARRAY(arena, struct pages_stream, slots->stream_count + names_count);
    if (!all)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < slots->stream_count; i++)
        put_found(&all[count++], &slots->streams[i]);
    for (size_t i = 0; i < names_count; i++) {
        bool ours;
        TRY(parse_name(&all[count], &ours, names[i], arena, diag));
        if (ours)
            count++;
        else
            pages->rejected = count_add(pages->rejected, 1);
    }
    if (count > 0)
        qsort(all, count, sizeof *all, by_stream);
    *out = all;
    *out_count = count;
    return ERR_OK;
}

/* The newest page in the slot of the stream. */
static enum err read_ring_sequence(struct pages_stream *stream, const struct pages *pages, struct diag *diag)
{
    AUTO(folder_file_close) struct folder_file ring = {.fd = -1};
    if (!stream->slot.ring)
        return ERR_OK;
    TRY(folder_file_open(&ring, &pages->folder, stream->slot.ring, diag));
    for (uint64_t place = 0; place < TRACE_BLOCK_PAGES; place++) {
        struct page_head head;
        uint64_t offset = stream->slot.offset + (1 + place) * TRACE_PAGE_BYTES;
        TRY(folder_file_read(&head, sizeof head, offset, &ring, diag));
        bool ours = head.stream == stream->id && head.sequence > 0 && (head.sequence - 1) % TRACE_BLOCK_PAGES == place;
        if (ours && head.sequence > stream->ring_sequence)
            stream->ring_sequence = head.sequence;
    }
    return ERR_OK;
}

static enum err open_stream(struct pages_stream *stream, const struct pages *pages, struct arena *arena,
                            struct diag *diag)
{
    AUTO(folder_file_close) struct folder_file file = {.fd = -1};
    stream->id = trace_stream_id(stream->pid, stream->process_start_ns, stream->number);
    stream->process = process_of(pages, stream);
    if (!stream->file)
        TRY(name_file(&stream->file, stream, arena, diag)); /* it may come */
    TRY(folder_file_open(&file, &pages->folder, stream->file, diag));
    TRY(read_ring_sequence(stream, pages, diag));
    uint64_t in_file = file.bytes / TRACE_PAGE_BYTES; /* a page that was cut off is none */
    in_file = in_file < UINT32_MAX ? in_file : UINT32_MAX;
    stream->pages = in_file > stream->ring_sequence ? (uint32_t)in_file : stream->ring_sequence;
    return ERR_OK;
}

static enum err open_streams(struct pages *pages, const struct slots *slots, struct arena *arena, struct diag *diag)
{
    struct pages_stream *all;
    size_t count;
    TRY(collect_streams(&all, &count, pages, slots, arena, diag));
    pages->streams = all;
    for (size_t i = 0; i < count; i++) {
        bool repeated = pages->stream_count > 0 && compare_streams(&all[pages->stream_count - 1], &all[i]) == 0;
        if (repeated) { /* its file, or another slot of its name */
            if (all[i].slot.ring)
                pages->rejected = count_add(pages->rejected, 1);
            continue;
        }
        all[pages->stream_count++] = all[i];
        span_losses_add(&pages->losses, &all[i].losses);
    }
    for (size_t i = 0; i < pages->stream_count; i++)
        TRY(open_stream(&all[i], pages, arena, diag));
    return ERR_OK;
}

/* The pairs of one page: in its head, and in clock records. */
static void widen_by_page(struct clock_line *line, const unsigned char *page, uint32_t stages)
{
    struct page_head head;
    struct page_cursor cursor;
    struct page_span span;
    memcpy(&head, page, sizeof head);
    if (head.sequence == 0)
        return;
    clock_line_widen(line, (struct clock_pair){head.ticks, head.ns});
    page_cursor_begin(&cursor, page, stages);
    while (page_cursor_next(&span, &cursor))
        continue;
    if (cursor.clock.ns > 0)
        clock_line_widen(line, cursor.clock);
}

/* The first pairs are those of the processes; the last ones stand in the newest pages. */
static enum err fit_clocks(struct pages *pages, struct arena *arena, struct diag *diag)
{
    unsigned char *block = ARENA_ARRAY(arena, unsigned char, TRACE_BLOCK_BYTES);
    if (!block)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < pages->stream_count; i++) {
        const struct pages_stream *stream = &pages->streams[i];
        if (!stream->process || stream->process->clock->kind == CLOCK_IS_NS)
            continue;
        uint32_t last = pages_before(pages, stream, 0);
        if (last == 0)
            continue;
        uint32_t first = (last - 1) / TRACE_BLOCK_PAGES * TRACE_BLOCK_PAGES + 1;
        TRY(pages_read(block, pages, stream, first, last - first + 1, diag));
        for (uint32_t page = 0; page <= last - first; page++)
            widen_by_page(&stream->process->clock->line, block + (size_t)page * TRACE_PAGE_BYTES,
                          stream->process->stage_count);
    }
    for (size_t i = 0; i < pages->clock_count; i++)
        if (pages->clocks[i].kind != CLOCK_IS_NS)
            clock_line_fit(&pages->clocks[i].line);
    return ERR_OK;
}

static enum err open_slots(struct pages *pages, struct arena *arena, struct diag *diag)
{
    struct slots slots;
    struct names *names = ARENA_NEW(arena, struct names);
    if (!names)
        return arena_exhausted(arena, diag);
    TRY(slots_read(&slots, PAGES_SLOTS_MAX, &pages->folder, arena, diag));
    pages->rejected = slots.cut;
    TRY(open_processes(pages, names, &slots, arena, diag));
    TRY(open_streams(pages, &slots, arena, diag));
    pages->stages = names->names;
    pages->stage_count = names->count;
    return fit_clocks(pages, arena, diag);
}

enum err pages_open(struct pages *out, const char *path, struct arena *arena, struct diag *diag)
{
    bool old;
    *out = (struct pages){.version = TRACE_VERSION};
    TRY(folder_open(&out->folder, path, arena, diag));
    TRY(v1_is_there(&old, &out->folder, arena, diag));
    if (!old)
        return open_slots(out, arena, diag);
    out->version = 1;
    return ERR_OK;
}

void pages_close(struct pages *pages)
{
    for (size_t i = 0; i < PAGES_FILES_KEPT; i++)
        folder_file_close(&pages->kept[i]);
    folder_close(&pages->folder);
}
