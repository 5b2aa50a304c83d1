/* SPDX-License-Identifier: Apache-2.0
 *
 * Writers that do nothing but record, and what they must leave: the n-th lap or span of a writer is a function of the
 * writer, its form and n, and the writer says in memory that it shares with the test how far it is. So a trace is
 * checked record by record, whatever happened to the writer.
 */
#pragma once

#include "trace/names.h"
#include "venturi.h"
#include "walk.h"

#include <inttypes.h>
#include <sys/mman.h>

/** What each call of a writer goes through. */
#ifndef WRITER_CALL
#define WRITER_CALL(call) (call)
#endif

enum form {
    FORM_LAPS,         /* two to four bytes each, but for some with counts */
    FORM_LAPS_COUNTED, /* with rows and bytes, a new item every now and then */
    FORM_SPANS,        /* eight bytes each */
    FORM_SPANS_FULL,   /* with item, rows and bytes; some failed */
    FORM_MIXED,        /* laps with spans inside */
    FORMS,
};
enum { WRITERS_MAX = 48, WRITER_STAGES = 4, RUN = 64, REUSES = 4 * RUN, MIXED_LAP = 4 };

/** Shared with the test: the calls for number `begun` - 1 were begun; those for `acknowledged` - 1 have returned. */
struct writer {
    _Alignas(64) uint64_t begun, acknowledged; /* both atomic */
    enum form form;
};

/** What the trace must show. */
struct expected {
    bool lap, failed;
    uint64_t item, rows, bytes;
};

static inline struct writer *writers_new(void)
{
    return shared_new(WRITERS_MAX * sizeof(struct writer));
}

static inline void writers_free(struct writer *writers)
{
    assert_int_equal(munmap(writers, WRITERS_MAX * sizeof *writers), 0);
}

static inline uint64_t item_of(unsigned writer, uint64_t number)
{
    return (uint64_t)(writer + 1) << 32 | number;
}

static inline bool is_lap(enum form form, uint64_t number)
{
    return form == FORM_LAPS || form == FORM_LAPS_COUNTED || (form == FORM_MIXED && number % MIXED_LAP == 0);
}

static inline bool is_counted(enum form form, uint64_t number)
{
    switch (form) {
    case FORM_LAPS:
        return number % RUN == RUN - 1;
    case FORM_SPANS:
        return false;
    case FORM_MIXED:
        return number / MIXED_LAP % 2 == 0;
    default:
        return true;
    }
}

/* Items change where a run of laps or the use of an open span ends. */
static inline uint64_t expected_item(unsigned writer, enum form form, uint64_t number)
{
    switch (form) {
    case FORM_LAPS:
        return item_of(writer, number - number % (64 * RUN));
    case FORM_LAPS_COUNTED:
        return item_of(writer, number - number % 8);
    case FORM_SPANS:
        return 0;
    case FORM_SPANS_FULL:
        return item_of(writer, number - number % REUSES);
    default:
        return number % WRITER_STAGES < 2 && number % MIXED_LAP ? 0 : item_of(writer, number - number % REUSES);
    }
}

static inline struct expected writer_expected(unsigned writer, enum form form, uint64_t number)
{
    struct expected expected = {.lap = is_lap(form, number), .item = expected_item(writer, form, number)};
    expected.failed = !expected.lap && form != FORM_SPANS && number % 16 == 15;
    if (is_counted(form, number) && !expected.failed) {
        expected.rows = item_of(writer, number);
        expected.bytes = ~number;
    }
    return expected;
}

/** A writer's own state. */
struct pen {
    struct writer *shared;
    unsigned writer, written;
    venturi_stage stages[WRITER_STAGES];
    venturi_span open[WRITER_STAGES]; /* ended many times: little but ends is recorded then */
    uint32_t open_state;              /* of a span that is open */
};

/** Names the writer's stages: `<writer>-0` and so on, by number. */
static inline void pen_name(struct pen *pen, struct writer *writers, unsigned writer)
{
    *pen = (struct pen){.shared = &writers[writer], .writer = writer};
    for (unsigned i = 0; i < WRITER_STAGES; i++) {
        char name[24];
        (void)snprintf(name, sizeof name, "%u-%u", writer, i);
        pen->stages[i] = venturi_stage_named(name);
    }
}

static inline void pen_begin_number(const struct pen *pen, uint64_t number)
{
    __atomic_store_n(&pen->shared->begun, number + 1, __ATOMIC_RELEASE);
}

static inline void pen_acknowledge(const struct pen *pen, uint64_t number)
{
    __atomic_store_n(&pen->shared->acknowledged, number + 1, __ATOMIC_RELEASE);
}

static inline void pen_begin_lap(const struct pen *pen, uint64_t number, uint64_t item_before)
{
    struct expected lap = writer_expected(pen->writer, pen->shared->form, number);
    if (lap.item != item_before)
        WRITER_CALL(venturi_lap_item(lap.item));
    WRITER_CALL(venturi_lap(pen->stages[number % WRITER_STAGES]));
}

/** Wanted once, before the first is written. */
static inline void pen_begin(const struct pen *pen)
{
    if (is_lap(pen->shared->form, 0))
        pen_begin_lap(pen, 0, 0);
}

static inline void pen_end_lap(const struct pen *pen, uint64_t number, const struct expected *lap)
{
    uint64_t next = number + (pen->shared->form == FORM_MIXED ? MIXED_LAP : 1);
    pen_begin_number(pen, number);
    if (lap->rows | lap->bytes)
        WRITER_CALL(venturi_lap_count(lap->rows, lap->bytes));
    if (number % RUN == RUN - MIXED_LAP)
        WRITER_CALL(venturi_lap_end());
    pen_begin_lap(pen, next, lap->item);
    pen_acknowledge(pen, number);
}

static inline void pen_end_span(struct pen *pen, uint64_t number, const struct expected *expected)
{
    venturi_span *open = &pen->open[number % WRITER_STAGES];
    if (pen->written < WRITER_STAGES || number % REUSES < WRITER_STAGES * MIXED_LAP)
        WRITER_CALL(*open = venturi_begin(pen->stages[number % WRITER_STAGES], expected->item));
    venturi_span span = *open;
    pen->open_state = span.state;
    pen_begin_number(pen, number);
    if (expected->failed)
        WRITER_CALL(venturi_fail(&span));
    else
        WRITER_CALL(venturi_end(&span, expected->rows, expected->bytes));
    pen_acknowledge(pen, number);
}

/** Records the next lap or span. */
static inline void pen_write(struct pen *pen)
{
    uint64_t number = __atomic_load_n(&pen->shared->begun, __ATOMIC_RELAXED);
    struct expected expected = writer_expected(pen->writer, pen->shared->form, number);
    if (expected.lap)
        pen_end_lap(pen, number, &expected);
    else
        pen_end_span(pen, number, &expected);
    pen->written++;
}

/** Records the same as so many calls of pen_write, and many at a time where nothing but the stage changes: next to all
 *  the time passes inside the recorder. */
static inline void pen_write_run(struct pen *pen)
{
    enum form form = pen->shared->form;
    uint64_t number = pen->shared->begun, last = number - number % RUN + RUN - MIXED_LAP;
    if (form == FORM_LAPS)
        for (; number < last; number++) {
            pen_begin_number(pen, number);
            venturi_lap(pen->stages[(number + 1) % WRITER_STAGES]);
            pen_acknowledge(pen, number);
        }
    if (form == FORM_SPANS && number % REUSES >= WRITER_STAGES * MIXED_LAP && pen->written >= WRITER_STAGES)
        for (; number < last; number++) {
            venturi_span *span = &pen->open[number % WRITER_STAGES];
            pen_begin_number(pen, number);
            venturi_end(span, 0, 0);
            span->state = pen->open_state; /* quicker than a copy */
            pen_acknowledge(pen, number);
        }
    pen_write(pen);
}

static inline uint64_t writers_acknowledged(const struct writer *writers)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < WRITERS_MAX; i++)
        sum += __atomic_load_n(&writers[i].acknowledged, __ATOMIC_ACQUIRE);
    return sum;
}

/** What a trace was found to hold. */
struct found {
    const struct writer *writers;
    uint64_t numbers[WRITERS_MAX]; /* how far each writer came */
    uint16_t stages[NAMES_MAX];    /* by name: writer x WRITER_STAGES + place in the cycle + 1 */
    struct span_losses losses;
};

static inline unsigned found_stage(struct found *found, const struct pages *pages, const struct pages_stream *stream,
                                   uint32_t stage)
{
    unsigned writer, cycle;
    uint16_t *known = &found->stages[stream->process->stages[stage - 1]];
    if (*known == 0) {
        assert_int_equal(sscanf(walk_stage(pages, stream, stage), "%u-%u", &writer, &cycle), 2);
        assert_true(writer < WRITERS_MAX && cycle < WRITER_STAGES);
        *known = (uint16_t)(writer * WRITER_STAGES + cycle + 1);
    }
    return *known - 1u;
}

static inline void found_span(void *context, const struct pages *pages, const struct pages_stream *stream,
                              const struct page_span *span)
{
    struct found *found = context;
    unsigned stage = found_stage(found, pages, stream, span->record.stage), writer = stage / WRITER_STAGES;
    uint64_t number = found->numbers[writer]++;
    struct expected expected = writer_expected(writer, found->writers[writer].form, number);
    const struct record *record = &span->record;
    bool right = stage % WRITER_STAGES == number % WRITER_STAGES && span->item == expected.item &&
                 record->rows == expected.rows && record->bytes == expected.bytes &&
                 record->kind == (expected.lap ? RECORD_IS_LAP : RECORD_IS_SPAN) &&
                 record->more == (expected.failed ? (unsigned)RECORD_FAILED : 0u) && span->start <= span->end;
    if (!right)
        fail_msg("writer %u of form %d: number %" PRIu64 " is stage %u, item %" PRIx64 ", %" PRIx64 " rows, %" PRIx64
                 " bytes",
                 writer, (int)found->writers[writer].form, number, stage, span->item, record->rows, record->bytes);
}

/** Reads the whole trace; fails when it holds anything that was never recorded, twice, out of order or changed, or when
 *  something is missing before something that is there. */
static inline void writers_find(struct found *found, const struct writer *writers, struct fixture *fixture)
{
    struct walk walk = {.visit = found_span, .context = found};
    *found = (struct found){.writers = writers};
    walk_trace(&walk, fixture);
    found->losses = walk.losses;
}

/** Fails unless everything that was acknowledged is there, and nothing beyond the call that each writer was in. */
static inline void writers_check(const struct found *found, const struct writer *writers)
{
    for (size_t i = 0; i < WRITERS_MAX; i++) {
        assert_in_range(found->numbers[i], writers[i].acknowledged, writers[i].begun);
        assert_true(writers[i].begun - writers[i].acknowledged <= 1);
    }
}
