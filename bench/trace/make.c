/* SPDX-License-Identifier: Apache-2.0 */
#include "make.h"

#include "trace/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STAGES = 6, PID = 1000, TICKS_PER_NS = 2, LEAST_TICKS = 1000 * TICKS_PER_NS, STEP_TICKS = 33000 };
static const uint64_t START_NS = 1000000000;
static const char *const STAGE_NAMES[STAGES] = {"download", "unpack", "parse", "check", "convert", "ingest"};

/* A thread with the page it is at. */
struct writer {
    FILE *file;
    unsigned char page[TRACE_PAGE_BYTES + RECORD_BYTES_MAX];
    unsigned char *at;
    uint64_t ticks, records;
    uint32_t id, sequence;
    unsigned stage;
};

struct maker {
    const struct making *making;
    struct writer *writers;
    FILE *records;
    uint64_t random; /* xorshift64: quick, and good enough for durations */
    bool failed;
};

static uint64_t draw(struct maker *maker, uint64_t bound)
{
    maker->random ^= maker->random << 13;
    maker->random ^= maker->random >> 7;
    maker->random ^= maker->random << 17;
    return (maker->random >> 32) * bound >> 32;
}

static FILE *open_in(const char *folder, const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return fopen(path, "we");
}

static bool write_process(const char *folder)
{
    char name[96];
    struct process_slot slot = {.version = TRACE_VERSION,
                                .pid = PID,
                                .start = START_NS,
                                .ticks = START_NS * TICKS_PER_NS,
                                .ns = START_NS,
                                .clock = CLOCK_IS_TSC,
                                .stages = STAGES};
    memcpy(slot.magic, TRACE_PROCESS_MAGIC, sizeof slot.magic);
    memcpy(slot.boot, "01234567-89ab-cdef-0123-456789abcdef", TRACE_BOOT_BYTES);
    for (size_t i = 0; i < STAGES; i++)
        memcpy(slot.names[i], STAGE_NAMES[i], strlen(STAGE_NAMES[i]));
    (void)snprintf(name, sizeof name, "%d-%" PRIu64 TRACE_RING_SUFFIX, PID, START_NS);
    FILE *file = open_in(folder, name);
    bool written = file && fwrite(&slot, 1, sizeof slot, file) == sizeof slot &&
                   fseek(file, TRACE_PROCESS_BYTES - 1, SEEK_SET) == 0 && fputc(0, file) == 0;
    return file && fclose(file) == 0 && written;
}

static bool open_writer(struct writer *out, const char *folder, uint32_t number)
{
    char name[96];
    (void)snprintf(name, sizeof name, "%d-%" PRIu64 "-%" PRIu32 TRACE_SPANS_SUFFIX, PID, START_NS, number);
    *out = (struct writer){.file = open_in(folder, name),
                           .ticks = START_NS * TICKS_PER_NS,
                           .id = trace_stream_id(PID, START_NS, number),
                           .stage = number};
    return out->file != NULL;
}

static void seal(struct maker *maker, struct writer *writer)
{
    uint64_t check = page_check(writer->page);
    memcpy(writer->page, &check, sizeof check);
    maker->failed |= fwrite(writer->page, TRACE_PAGE_BYTES, 1, writer->file) != 1;
}

static void turn(struct maker *maker, struct writer *writer)
{
    if (writer->sequence > 0)
        seal(maker, writer);
    struct page_head head = {.sequence = ++writer->sequence,
                             .stream = writer->id,
                             .base = writer->ticks,
                             .ticks = writer->ticks,
                             .ns = writer->ticks / TICKS_PER_NS,
                             .lap_start = writer->ticks,
                             .records = writer->records};
    memset(writer->page, 0, sizeof writer->page);
    memcpy(writer->page, &head, sizeof head);
    writer->at = writer->page + sizeof head;
}

/* Returns how long it was. */
static uint64_t put(struct maker *maker, struct writer *writer, uint32_t stage, uint64_t ticks)
{
    struct record record = {.kind = RECORD_IS_LAP, .stage = stage, .delta = ticks, .rows = 1000, .bytes = 151000};
    size_t bytes = 0;
    uint64_t word, duration = ticks * (1 + draw(maker, 4));
    switch (maker->making->kind) {
    case MADE_LAPS:
        word = record_short_lap(stage, ticks, &bytes);
        memcpy(writer->at, &word, sizeof word);
        writer->at += bytes;
        return ticks;
    case MADE_COUNTED:
        writer->at += record_put_full(writer->at, &record);
        return ticks;
    case MADE_SPANS:
        word = record_short_span(stage, ticks, duration, &bytes);
        memcpy(writer->at, &word, sizeof word);
        writer->at += bytes;
        return duration;
    }
    return 0;
}

static void make_span(struct maker *maker, struct writer *writer)
{
    if (writer->sequence == 0 || writer->page + TRACE_PAGE_BYTES - writer->at < RECORD_BYTES_MAX)
        turn(maker, writer);
    uint32_t stage = 1 + writer->stage++ % STAGES;
    uint64_t ticks = LEAST_TICKS + draw(maker, (uint64_t)stage * STEP_TICKS);
    uint64_t duration = put(maker, writer, stage, ticks);
    writer->ticks += ticks;
    writer->records++;
    uint64_t record[] = {writer->ticks - duration, writer->ticks, stage, (uint64_t)(writer - maker->writers)};
    _Static_assert(sizeof record == MADE_RECORD_BYTES, "as promised");
    if (maker->records)
        maker->failed |= fwrite(record, sizeof record, 1, maker->records) != 1;
}

/* The thread whose clock is furthest behind goes on. */
static struct writer *next_writer(const struct maker *maker)
{
    struct writer *next = maker->writers;
    for (uint32_t i = 1; i < maker->making->threads; i++)
        if (maker->writers[i].ticks < next->ticks)
            next = &maker->writers[i];
    return next;
}

bool make_trace(const struct making *making, const char *folder, const char *records)
{
    static struct writer writers[MADE_THREADS_MAX];
    struct maker maker = {.making = making, .writers = writers, .random = 88172645463325252};
    maker.records = records ? fopen(records, "we") : NULL;
    if (!write_process(folder) || (records && !maker.records))
        return false;
    for (uint32_t i = 0; i < making->threads; i++)
        if (!open_writer(&writers[i], folder, i))
            return false;
    for (uint64_t i = 0; i < making->spans; i++)
        make_span(&maker, next_writer(&maker));
    for (uint32_t i = 0; i < making->threads; i++) {
        seal(&maker, &writers[i]);
        maker.failed |= fclose(writers[i].file) != 0;
    }
    return (!maker.records || fclose(maker.records) == 0) && !maker.failed;
}
