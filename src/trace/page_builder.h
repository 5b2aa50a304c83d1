/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests: a process and its streams as a recorder would leave them, made in memory and written into a folder.
 */
#pragma once

#include "trace/record.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct built_process {
    struct process_slot slot;
    uint64_t ticks_per_ns; /* 1 unless it is CLOCK_IS_TSC */
};

struct page_builder {
    const struct built_process *process;
    struct stream_slot *slot; /* TRACE_SLOT_BYTES, with the pages behind it */
    unsigned char *file;      /* the whole blocks */
    size_t file_bytes;
    unsigned char *at; /* in the open page: the next record */
    size_t left, open; /* bytes left in it; bytes of a page that are used at all */
    uint64_t ticks;    /* end of the last record */
    uint64_t lap_start, lap_item, records;
    uint32_t sequence; /* of the open page */
};

static inline void *builder_checked(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

/** A process with the stages `names`, up to a NULL, whose ticks are nanoseconds. */
static inline void built_process_begin(struct built_process *out, uint32_t pid, uint64_t start_ns,
                                       const char *const *names)
{
    *out = (struct built_process){.ticks_per_ns = 1};
    out->slot = (struct process_slot){.version = TRACE_VERSION,
                                      .pid = pid,
                                      .start = start_ns,
                                      .ticks = start_ns,
                                      .ns = start_ns,
                                      .clock = CLOCK_IS_NS};
    memcpy(out->slot.magic, TRACE_PROCESS_MAGIC, sizeof out->slot.magic);
    memcpy(out->slot.boot, "01234567-89ab-cdef-0123-456789abcdef", TRACE_BOOT_BYTES);
    for (; *names; names++)
        (void)snprintf(out->slot.names[out->slot.stages++], sizeof *out->slot.names, "%s", *names);
}

/** Its ticks are those of a counter that stood at `ticks` when it began. */
static inline void built_process_tsc(struct built_process *process, uint64_t ticks, uint64_t ticks_per_ns)
{
    process->slot.clock = CLOCK_IS_TSC;
    process->slot.ticks = ticks;
    process->ticks_per_ns = ticks_per_ns;
}

/** Begins stream `number` of `process`, which outlives it. builder_end frees it. */
static inline void builder_begin(struct page_builder *out, const struct built_process *process, uint32_t number)
{
    *out = (struct page_builder){.process = process,
                                 .slot = builder_checked(calloc(1, TRACE_SLOT_BYTES)),
                                 .open = TRACE_PAGE_BYTES,
                                 .ticks = process->slot.ticks,
                                 .lap_start = process->slot.ticks};
    *out->slot = (struct stream_slot){.version = TRACE_VERSION,
                                      .pid = process->slot.pid,
                                      .process_start = process->slot.start,
                                      .number = number,
                                      .tid = process->slot.pid + number};
    memcpy(out->slot->magic, TRACE_STREAM_MAGIC, sizeof out->slot->magic);
}

static inline void builder_end(struct page_builder *builder)
{
    free(builder->slot);
    free(builder->file);
    *builder = (struct page_builder){.left = 0};
}

/** Page `sequence` in the slot. */
static inline unsigned char *builder_page(const struct page_builder *builder, uint32_t sequence)
{
    size_t place = (sequence - 1) % TRACE_BLOCK_PAGES;
    return (unsigned char *)builder->slot + (1 + place) * TRACE_PAGE_BYTES;
}

static inline uint64_t builder_ns(const struct page_builder *builder)
{
    const struct built_process *process = builder->process;
    return process->slot.ns + (builder->ticks - process->slot.ticks) / process->ticks_per_ns;
}

/** Sets the checks of the block in the slot and appends it to the file. */
static inline void builder_append_block(struct page_builder *builder)
{
    builder->file = builder_checked(realloc(builder->file, builder->file_bytes + TRACE_BLOCK_BYTES));
    for (uint32_t place = 1; place <= TRACE_BLOCK_PAGES; place++) {
        uint64_t check = page_check(builder_page(builder, place));
        memcpy(builder_page(builder, place), &check, sizeof check);
    }
    memcpy(builder->file + builder->file_bytes, builder_page(builder, 1), TRACE_BLOCK_BYTES);
    builder->file_bytes += TRACE_BLOCK_BYTES;
}

/** Opens the next page, also when the last one has room; a full block goes to the file first. */
static inline void builder_turn(struct page_builder *builder)
{
    if (builder->sequence > 0 && builder->sequence % TRACE_BLOCK_PAGES == 0)
        builder_append_block(builder);
    builder->sequence++;
    unsigned char *page = builder_page(builder, builder->sequence);
    struct page_head head = {
        .sequence = builder->sequence,
        .stream = trace_stream_id(builder->slot->pid, builder->slot->process_start, builder->slot->number),
        .base = builder->ticks,
        .ticks = builder->ticks,
        .ns = builder_ns(builder),
        .lap_start = builder->lap_start,
        .lap_item = builder->lap_item,
        .records = builder->records};
    memset(page, 0, TRACE_PAGE_BYTES);
    memcpy(page, &head, sizeof head);
    builder->at = page + sizeof head;
    builder->left = builder->open - sizeof head;
}

static inline bool builder_is_short(const struct record *record)
{
    bool lap = record->kind == RECORD_IS_LAP && record->stage <= RECORD_SHORT_STAGES;
    bool span = record->kind == RECORD_IS_SPAN && record->duration < RECORD_SHORT_TICKS && record->item == 0;
    return (lap || span) && record->delta < RECORD_SHORT_TICKS && !(record->rows | record->bytes) && !record->more;
}

static inline uint64_t builder_short(const struct record *record, size_t *bytes)
{
    return record->kind == RECORD_IS_LAP ? record_short_lap(record->stage, record->delta, bytes)
                                         : record_short_span(record->stage, record->delta, record->duration, bytes);
}

/** Adds a record of any kind, in its shortest form. The ns of a clock record are made here. */
static inline void builder_put(struct page_builder *builder, const struct record *record)
{
    size_t bytes = 0;
    if (builder->left < RECORD_BYTES_MAX)
        builder_turn(builder);
    builder->ticks += record->delta;
    if (builder_is_short(record)) {
        uint64_t word = builder_short(record, &bytes);
        memcpy(builder->at, &word, sizeof word);
    } else if (record->kind == RECORD_IS_ITEM) {
        bytes = record_put_item(builder->at, record->item);
    } else if (record->kind == RECORD_IS_CLOCK) {
        bytes = record_put_clock(builder->at, record->delta, builder_ns(builder));
    } else {
        bytes = record_put_full(builder->at, record);
    }
    if (record->kind == RECORD_IS_LAP)
        builder->lap_start = builder->ticks;
    if (record->kind == RECORD_IS_ITEM)
        builder->lap_item = record->item;
    builder->at += bytes;
    builder->left -= bytes;
    builder->records++;
}

/** A lap of `stage` that ends `ticks` after the last record; stage 0 is the time between laps. */
static inline void builder_lap(struct page_builder *builder, uint32_t stage, uint64_t ticks)
{
    builder_put(builder, &(struct record){.kind = RECORD_IS_LAP, .stage = stage, .delta = ticks});
}

/** A span that ends `ticks` after the last record and lasted `duration` ticks. */
static inline void builder_span(struct page_builder *builder, uint32_t stage, uint64_t ticks, uint64_t duration,
                                uint64_t item)
{
    builder_put(
        builder,
        &(struct record){.kind = RECORD_IS_SPAN, .stage = stage, .delta = ticks, .duration = duration, .item = item});
}

/** The laps from here on work on `item`. */
static inline void builder_item(struct page_builder *builder, uint64_t item)
{
    builder_put(builder, &(struct record){.kind = RECORD_IS_ITEM, .item = item});
}

/** Writes the file; one that is there is written over, which is quicker than a new one. */
static inline void built_file_write(const char *folder, const char *name, const void *data, size_t bytes)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || pwrite(fd, data, bytes, 0) != (ssize_t)bytes || ftruncate(fd, (off_t)bytes) || close(fd))
        abort();
}

/** Writes `<pid>-<start>.ring`. */
static inline void built_process_write(const struct built_process *process, const char *folder)
{
    char name[96];
    unsigned char *slot = builder_checked(calloc(1, TRACE_PROCESS_BYTES));
    memcpy(slot, &process->slot, sizeof process->slot);
    (void)snprintf(name, sizeof name, "%" PRIu32 "-%" PRIu64 TRACE_RING_SUFFIX, process->slot.pid, process->slot.start);
    built_file_write(folder, name, slot, TRACE_PROCESS_BYTES);
    free(slot);
}

/** Writes `<pid>-<start>-<n>.ring` and, when it has blocks, `<pid>-<start>-<n>.spans`. */
static inline void builder_write(const struct page_builder *builder, const char *folder)
{
    char name[96];
    int stem = snprintf(name, sizeof name, "%" PRIu32 "-%" PRIu64 "-%" PRIu32, builder->slot->pid,
                        builder->slot->process_start, builder->slot->number);
    (void)snprintf(name + stem, sizeof name - (size_t)stem, "%s", TRACE_RING_SUFFIX);
    built_file_write(folder, name, builder->slot, TRACE_SLOT_BYTES);
    (void)snprintf(name + stem, sizeof name - (size_t)stem, "%s", TRACE_SPANS_SUFFIX);
    if (builder->file_bytes > 0)
        built_file_write(folder, name, builder->file, builder->file_bytes);
}
