/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/walk.h"

#include <math.h>
#include <string.h>

enum { SHORT_STAGES = RECORD_SHORT_STAGES + 1 };

/* Of the short laps of a page, by number of the stage; moments count from the walk's origin. */
struct short_sums {
    uint64_t ticks[SHORT_STAGES];       /* durations added up */
    uint64_t ends[SHORT_STAGES];        /* added up */
    uint64_t first_start[SHORT_STAGES]; /* UINT64_MAX when there is none */
    uint64_t laps;
};

static void point(struct walk *walk, uint32_t number, size_t stage)
{
    walk->tally_of[number] = &walk->tallies[stage];
    walk->swept_of[number] = (uint32_t)(stage < walk->stage_count ? stage : walk->stage_count);
    walk->counts_of[number] = walk->tallies[stage].histogram->counts;
    walk->slow_ticks[number] = walk->tallies[stage].slow_ticks;
}

static void take_process(struct walk *walk, const struct pages_process *process)
{
    size_t nameless = walk->stage_count + WALK_NAMELESS;
    walk->process = process;
    walk->numbers = process ? process->stage_count : TRACE_STAGES_MAX;
    for (uint32_t i = 1; i <= walk->numbers; i++) {
        bool named = process && process->stages[i - 1] != PAGES_STAGE_NONE;
        point(walk, i, named ? process->stages[i - 1] : nameless);
    }
    point(walk, 0, walk->stage_count + WALK_GAP);
    point(walk, TRACE_STAGE_FLUSH, walk->stage_count + WALK_FLUSH);
}

enum err walk_begin(struct walk *out, const struct pages *pages, struct arena *arena, struct diag *diag)
{
    size_t count = pages->stage_count + WALK_OTHERS;
    *out = (struct walk){.tallies = ARENA_ARRAY(arena, struct tally, count),
                         .stage_count = pages->stage_count,
                         .in_ns = pages->clock_count > 1,
                         .ns_per_tick = 1};
    if (!out->tallies)
        return arena_exhausted(arena, diag);
    if (pages->process_count > 0 && !out->in_ns)
        out->origin = pages->clocks[0].line.first.ticks;
    for (size_t i = 0; i < count; i++)
        TRY(tally_begin(&out->tallies[i], out->origin, arena, diag));
    out->tallies[pages->stage_count + WALK_GAP].slow_ticks = UINT64_MAX;
    if (pages->clock_count == 1)
        out->ns_per_tick = ldexp((double)pages->clocks[0].line.factor, -(int)pages->clocks[0].line.shift);
    take_process(out, NULL);
    return ERR_OK;
}

__attribute__((noinline)) static void add_slow_lap(struct walk *walk, uint32_t number, uint64_t start, uint64_t ticks,
                                                   uint64_t item)
{
    struct tally *tally = walk->tally_of[number];
    tally_add_slow(tally, (struct slow_span){.ticks = ticks, .end = start + ticks + walk->origin, .item = item});
    walk->slow_ticks[number] = tally->slow_ticks;
}

struct short_lap {
    uint32_t number, delta, bytes;
};

/* The short lap that `word` begins with; false when it begins with something else. */
static inline bool get_short_lap(struct short_lap *out, uint64_t word, uint32_t numbers)
{
    static const uint32_t masks[] = {0, 0xff, 0xffff, 0xffffff};
    uint32_t size = word & 3;
    *out = (struct short_lap){.number = word >> 2 & 63, .delta = (uint32_t)word >> 8 & masks[size], .bytes = size + 1};
    return size != 0 && out->number <= numbers;
}

/* Whether what follows may be laps that each begin where the record before ended, and whose ends do not overflow. */
static bool laps_follow(const struct page_cursor *cursor, const struct walk *walk)
{
    return cursor->lap_start == cursor->ticks && cursor->ticks >> 63 == 0 && !walk->in_ns;
}

static inline void add_short_lap(struct short_sums *sums, const struct short_lap *lap, uint64_t start,
                                 struct walk *walk, const uint64_t *item)
{
    uint32_t number = lap->number;
    if (start < sums->first_start[number])
        sums->first_start[number] = start;
    sums->ticks[number] += lap->delta;
    sums->ends[number] += start + lap->delta;
    walk->counts_of[number][histogram_bucket(lap->delta)]++;
    if (lap->delta > walk->slow_ticks[number])
        add_slow_lap(walk, number, start, lap->delta, *item);
}

/* Two laps a load: where the second one begins is known sooner than a load would tell. */
__attribute__((noinline)) static void add_short_laps(struct short_sums *sums, struct page_cursor *cursor,
                                                     struct walk *walk)
{
    const unsigned char *at = cursor->bytes.at, *last = cursor->bytes.end - sizeof(uint64_t);
    uint64_t word, now = cursor->ticks - walk->origin, laps = 0;
    uint32_t numbers = walk->numbers;
    struct short_lap lap;
    if (!laps_follow(cursor, walk))
        return;
    for (; at <= last; laps += 2) {
        memcpy(&word, at, sizeof word);
        if (!get_short_lap(&lap, word, numbers))
            break;
        add_short_lap(sums, &lap, now, walk, &cursor->lap_item);
        at += lap.bytes;
        now += lap.delta;
        if (!get_short_lap(&lap, word >> 8 * lap.bytes, numbers)) {
            laps++;
            break;
        }
        add_short_lap(sums, &lap, now, walk, &cursor->lap_item);
        at += lap.bytes;
        now += lap.delta;
    }
    if (laps == 0)
        return;
    sums->laps += laps;
    cursor->bytes.at = at;
    cursor->ticks = cursor->lap_start = now + walk->origin;
}

/* `ticks` of a stream in the unit of the walk. */
static uint64_t in_unit(uint64_t ticks, const struct walk *walk, const struct pages_stream *stream)
{
    return walk->in_ns && stream->process ? clock_line_ns(&stream->process->clock->line, ticks) : ticks;
}

/* A number of which all bytes are there: it has less than 10. Most have two or three, as many as the ones before. */
static inline bool get_number(uint64_t *out, const unsigned char **at)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        uint64_t byte = *(*at)++;
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* Whether the cursor may move on to it: a known stage, and times that did not run over. */
static inline bool is_possible(const struct page_span *span, const struct page_cursor *cursor, uint32_t numbers)
{
    return (span->record.stage - 1 < numbers) & (span->start <= span->end) & (cursor->ticks <= span->end);
}

/* The next record if it is a full one that is neither wide nor carries more, without looking for the end of the page
 * at each byte. */
static inline bool get_plain(struct page_span *out, struct page_cursor *cursor, uint32_t numbers)
{
    enum { BYTES_MAX = 8 + 3 * 9, PLAIN = RECORD_TAG_FULL | RECORD_WIDE | RECORD_MORE | 3 };
    const unsigned char *at = cursor->bytes.at;
    struct record *record = &out->record;
    uint64_t word;
    if (cursor->bytes.end - at < BYTES_MAX)
        return false;
    memcpy(&word, at, sizeof word);
    bool span = word & RECORD_SPAN;
    record->kind = span ? RECORD_IS_SPAN : RECORD_IS_LAP;
    record->stage = word >> 8 & 0xff;
    record->rows = record->bytes = record->more = 0;
    out->end = cursor->ticks + (word >> 16 & (RECORD_SHORT_TICKS - 1));
    out->start = span ? out->end - (word >> 40) : cursor->lap_start;
    out->item = span ? 0 : cursor->lap_item;
    if ((word & PLAIN) != RECORD_TAG_FULL || !is_possible(out, cursor, numbers))
        return false;
    at += span ? 8 : 5;
    if ((word & RECORD_ITEM) && !(span && get_number(&out->item, &at)))
        return false;
    if ((word & RECORD_COUNTS) && !(get_number(&record->rows, &at) && get_number(&record->bytes, &at)))
        return false;
    cursor->bytes.at = at;
    cursor->ticks = out->end;
    cursor->lap_start = span ? cursor->lap_start : out->end;
    cursor->records++;
    return true;
}

static inline bool get_short_span(struct page_span *out, struct page_cursor *cursor, uint32_t numbers)
{
    enum { MASK = (1 << RECORD_SPAN_BITS) - 1 };
    struct record *record = &out->record;
    uint64_t word;
    if (cursor->bytes.end - cursor->bytes.at < (ptrdiff_t)sizeof word)
        return false;
    memcpy(&word, cursor->bytes.at, sizeof word);
    record->kind = RECORD_IS_SPAN;
    record->stage = word >> 8 & 0xff;
    record->rows = record->bytes = record->more = 0;
    out->end = cursor->ticks + (word >> 16 & MASK);
    out->start = out->end - (word >> (16 + RECORD_SPAN_BITS) & MASK);
    out->item = 0;
    if ((word & 0xff) != RECORD_TAG_SPAN || !is_possible(out, cursor, numbers))
        return false;
    cursor->bytes.at += 7;
    cursor->ticks = out->end;
    cursor->records++;
    return true;
}

/* The next span that is no short lap, or is one after something else. */
static inline bool get_span(struct page_span *out, struct page_cursor *cursor, const struct walk *walk,
                            const struct pages_stream *stream)
{
    if (!get_short_span(out, cursor, walk->numbers) && !get_plain(out, cursor, walk->numbers) &&
        !page_cursor_next(out, cursor))
        return false;
    if (walk->in_ns) {
        out->start = in_unit(out->start, walk, stream);
        out->end = in_unit(out->end, walk, stream);
    }
    return true;
}

static void add_spans(struct walk_page *out, struct page_cursor *cursor, struct short_sums *sums,
                      uint64_t ticks_of[WALK_STAGES], struct walk *walk, const struct pages_stream *stream)
{
    struct page_span span;
    for (;;) {
        if (cursor->bytes.at < cursor->bytes.end && (*cursor->bytes.at & 3))
            add_short_laps(sums, cursor, walk);
        if (!get_span(&span, cursor, walk, stream))
            return;
        uint32_t number = span.record.stage;
        uint64_t ticks = span.end - span.start;
        struct tally *tally = walk->tally_of[number];
        tally_add(tally, &span);
        if (span.record.more)
            tally_add_more(tally, &span.record, (uint64_t)((double)ticks * walk->ns_per_tick));
        walk->slow_ticks[number] = tally->slow_ticks;
        if (span.record.kind == RECORD_IS_LAP)
            ticks_of[number] += ticks;
        else if (number != TRACE_STAGE_FLUSH)
            out->only_laps = false;
    }
}

/* Of one stage. */
static void add_short_sum(struct tally *tally, uint64_t *ticks, const struct short_sums *sums, uint32_t number,
                          uint64_t origin)
{
    uint64_t first_start = sums->first_start[number] + origin;
    if (sums->first_start[number] == UINT64_MAX)
        return;
    tally->ticks += sums->ticks[number];
    tally->end_sum += (int64_t)sums->ends[number];
    tally->first_start = first_start < tally->first_start ? first_start : tally->first_start;
    *ticks += sums->ticks[number];
}

/* Pages come from the newest to the oldest of a stream: this is rare. */
static void note_last_end(struct walk *walk, const struct pages_stream *stream, const unsigned char *page)
{
    struct page_cursor cursor;
    struct page_span span;
    page_cursor_begin(&cursor, page, walk->numbers);
    while (page_cursor_next(&span, &cursor)) {
        uint64_t end = in_unit(span.end, walk, stream);
        if (walk->swept_of[span.record.stage] < walk->stage_count && end > walk->last_end)
            walk->last_end = end;
    }
}

void walk_add(struct walk_page *out, struct walk *walk, const struct pages_stream *stream, const unsigned char *page)
{
    uint64_t ticks_of[WALK_STAGES];
    struct short_sums sums;
    struct page_cursor cursor;
    if (stream->process != walk->process)
        take_process(walk, stream->process);
    uint32_t shorts = walk->numbers < SHORT_STAGES ? walk->numbers + 1 : SHORT_STAGES;
    memset(ticks_of, 0, (walk->numbers + 1) * sizeof *ticks_of);
    for (uint32_t i = 0; i < shorts; i++) {
        sums.ticks[i] = sums.ends[i] = 0;
        sums.first_start[i] = UINT64_MAX;
    }
    sums.laps = 0;
    page_cursor_begin(&cursor, page, walk->numbers);
    out->base = cursor.ticks;
    out->only_laps = cursor.lap_start == cursor.ticks; /* else spans on pages before may end in between */
    add_spans(out, &cursor, &sums, ticks_of, walk, stream);
    out->end = cursor.ticks;
    out->broken = cursor.broken;
    out->records = cursor.records + sums.laps;
    for (uint32_t i = 0; i < shorts; i++)
        add_short_sum(walk->tally_of[i], &ticks_of[i], &sums, i, walk->origin);
    out->time_count = 0;
    for (uint32_t i = 1; i <= walk->numbers; i++)
        if (ticks_of[i] > 0 && walk->swept_of[i] < walk->stage_count)
            out->times[out->time_count++] = (struct stage_time){.ticks = ticks_of[i], .stage = walk->swept_of[i]};
    if (out->end > walk->last_end)
        note_last_end(walk, stream, page);
    out->base = in_unit(out->base, walk, stream);
    out->end = in_unit(out->end, walk, stream);
}

/* Moments of a page. */
struct list {
    struct moment *moments;
    size_t count;
    uint32_t none;
};

/* One moment a lap: where it begins, the one before it ends. */
static void list_short_laps(struct list *list, struct page_cursor *cursor, const struct walk *walk)
{
    const unsigned char *at = cursor->bytes.at;
    struct moment *out = list->moments + list->count;
    uint64_t word, ticks = cursor->ticks;
    uint32_t numbers = walk->numbers, ended = list->none;
    struct short_lap lap, after;
    bool more = laps_follow(cursor, walk);
    while (more && at <= cursor->bytes.end - sizeof word) {
        memcpy(&word, at, sizeof word);
        if (!get_short_lap(&lap, word, numbers))
            break;
        more = get_short_lap(&after, word >> 8 * lap.bytes, numbers);
        *out++ = (struct moment){.at = ticks, .began = walk->swept_of[lap.number], .ended = ended};
        ended = walk->swept_of[lap.number];
        at += lap.bytes;
        ticks += lap.delta;
        if (!more)
            break;
        *out++ = (struct moment){.at = ticks, .began = walk->swept_of[after.number], .ended = ended};
        ended = walk->swept_of[after.number];
        at += after.bytes;
        ticks += after.delta;
    }
    if (at == cursor->bytes.at)
        return;
    *out++ = (struct moment){.at = ticks, .began = list->none, .ended = ended};
    list->count = (size_t)(out - list->moments);
    cursor->bytes.at = at;
    cursor->ticks = cursor->lap_start = ticks;
}

/* A start goes where it belongs if that is near, else it waits. */
static enum err list_start(struct list *list, uint64_t start, uint32_t stage, struct sweep *sweep, struct diag *diag)
{
    enum { NEAR = 16 };
    size_t far = list->count > NEAR ? list->count - NEAR : 0, place = list->count;
    while (place > far && list->moments[place - 1].at > start)
        place--;
    struct moment *before = place > 0 ? &list->moments[place - 1] : NULL;
    if (!before || before->at > start)
        return sweep_wait(sweep, start, stage, diag);
    if (before->at == start && before->began == list->none) {
        before->began = stage;
        return ERR_OK;
    }
    memmove(before + 2, before + 1, (list->count - place) * sizeof *before);
    before[1] = (struct moment){.at = start, .began = stage, .ended = list->none};
    list->count++;
    return ERR_OK;
}

static enum err list_span(struct list *list, const struct page_span *span, uint32_t stage, struct sweep *sweep,
                          struct diag *diag)
{
    TRY(list_start(list, span->start, stage, sweep, diag));
    list->moments[list->count++] = (struct moment){.at = span->end, .began = list->none, .ended = stage};
    return ERR_OK;
}

enum err walk_list(size_t *out_count, struct moment *out, struct sweep *sweep, struct walk *walk,
                   const struct pages_stream *stream, const unsigned char *page, struct diag *diag)
{
    struct list list = {.moments = out, .none = sweep_none(sweep)};
    struct page_cursor cursor;
    struct page_span span;
    if (stream->process != walk->process)
        take_process(walk, stream->process);
    page_cursor_begin(&cursor, page, walk->numbers);
    for (;;) {
        if (cursor.bytes.at < cursor.bytes.end && (*cursor.bytes.at & 3))
            list_short_laps(&list, &cursor, walk);
        if (!get_span(&span, &cursor, walk, stream))
            break;
        uint32_t stage = walk->swept_of[span.record.stage];
        if (stage != list.none && span.start < span.end)
            TRY(list_span(&list, &span, stage, sweep, diag));
    }
    *out_count = list.count;
    return ERR_OK;
}

uint64_t walk_end(struct walk *walk, const struct pages_stream *stream, const unsigned char *page)
{
    struct page_cursor cursor;
    struct page_span span;
    page_cursor_begin(&cursor, page, stream->process ? stream->process->stage_count : TRACE_STAGES_MAX);
    while (page_cursor_next(&span, &cursor))
        continue;
    return in_unit(cursor.ticks, walk, stream);
}
