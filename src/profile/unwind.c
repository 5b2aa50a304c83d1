/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/unwind.h"

#include "profile/merge.h"
#include "trace/count.h"
#include "trace/page.h"

#include <stdlib.h>
#include <string.h>

enum {
    OPEN_MAX = 1024,            /* threads that record at one time */
    STREAMS_BY_THE_BLOCK = 256, /* with more of them pages are read one by one, for the memory */
};

/* What a source needs while it is open. */
struct buffers {
    unsigned char *pages;
    struct moment *moments;   /* WALK_MOMENTS_MAX */
    struct stage_time *times; /* WALK_STAGES */
};

/* A stream, and its page at hand: the newest that was not swept whole. */
struct source {
    const struct pages_stream *stream;
    uint64_t top;            /* no span that was not swept ends later */
    uint32_t sequence;       /* of the page at hand; 0 = none yet */
    uint32_t first_read;     /* of the pages that were read */
    uint32_t newer;          /* sequence of the page before this one; 0 = none */
    uint64_t records_before; /* records of the stream up to the page at hand */
    struct buffers buffers;
    struct walk_page page;
    bool listed;  /* its spans stand in the buffer: */
    size_t count; /* those not swept */
};

struct unwinding {
    struct unwound *out;
    struct pages *pages;
    struct walk *walk;
    struct sweep *sweep;
    struct source *closed; /* by increasing top */
    size_t closed_count;
    struct source *open;
    size_t open_count;
    struct buffers *spare;
    size_t spare_count;
    struct run *runs; /* OPEN_MAX */
    struct moment *merged[2];
    size_t merged_room;
    struct arena *arena;
    struct diag *diag;
};

static uint32_t block_pages(const struct unwinding *unwinding)
{
    return unwinding->pages->stream_count <= STREAMS_BY_THE_BLOCK ? TRACE_BLOCK_PAGES : 1;
}

/* Moves on to the page before the one at hand; *out is NULL when there is none. */
static enum err read_before(const unsigned char **out, struct source *source, struct unwinding *unwinding)
{
    uint32_t before = source->sequence - 1, step = block_pages(unwinding);
    *out = NULL;
    if (source->sequence == 0 || before < source->first_read) {
        before = pages_before(unwinding->pages, source->stream, source->sequence);
        if (before == 0)
            return ERR_OK;
        source->first_read = (before - 1) / step * step + 1;
        TRY(pages_read(source->buffers.pages, unwinding->pages, source->stream, source->first_read,
                       before - source->first_read + 1, unwinding->diag));
    }
    source->sequence = before;
    *out = source->buffers.pages + (size_t)(before - source->first_read) * TRACE_PAGE_BYTES;
    return ERR_OK;
}

static void note_page(struct source *source, struct unwound *out, const struct page_head *head)
{
    uint64_t end = count_add(head->records, source->page.records);
    uint64_t missing = page_missing_records(&source->records_before, head->records, end, source->page.broken);
    out->rejected = count_add(out->rejected, missing);
    out->pages++;
    out->pages_lost += source->newer ? source->newer - head->sequence - 1 : 0;
    source->newer = head->sequence;
}

/* Takes the next page that holds something; *out is false when there is none. */
static enum err next_page(bool *out, struct source *source, struct unwinding *unwinding)
{
    const unsigned char *bytes;
    struct page_head head = {.sequence = 0};
    while (head.sequence == 0) {
        TRY(read_before(&bytes, source, unwinding));
        *out = bytes != NULL;
        if (!bytes)
            break;
        memcpy(&head, bytes, sizeof head);
    }
    if (!*out && source->newer > 0) {
        unwinding->out->rejected = count_add(unwinding->out->rejected, page_missing_first(source->records_before));
        unwinding->out->pages_lost += source->newer - 1;
    }
    if (!*out)
        return ERR_OK;
    walk_add(&source->page, unwinding->walk, source->stream, bytes);
    note_page(source, unwinding->out, &head);
    source->top = source->page.end;
    source->listed = false;
    return ERR_OK;
}

static enum err take_buffers(struct buffers *out, struct unwinding *unwinding)
{
    struct arena *arena = unwinding->arena;
    if (unwinding->spare_count > 0) {
        *out = unwinding->spare[--unwinding->spare_count];
        return ERR_OK;
    }
    if (unwinding->open_count == OPEN_MAX)
        return diag_fail(unwinding->diag, ERR_FORMAT, unwinding->pages->folder.path, NULL,
                         "more than %d threads recorded at one time", OPEN_MAX);
    *out =
        (struct buffers){.pages = ARENA_ARRAY(arena, unsigned char, (size_t)block_pages(unwinding) * TRACE_PAGE_BYTES),
                         .moments = ARENA_ARRAY(arena, struct moment, WALK_MOMENTS_MAX),
                         .times = ARENA_ARRAY(arena, struct stage_time, WALK_STAGES)};
    return out->pages && out->moments && out->times ? ERR_OK : arena_exhausted(arena, unwinding->diag);
}

/* The page at hand of the source is done. */
static enum err go_on(struct source *source, struct unwinding *unwinding)
{
    bool more;
    TRY(next_page(&more, source, unwinding));
    if (more)
        return ERR_OK;
    unwinding->spare[unwinding->spare_count++] = source->buffers;
    *source = unwinding->open[--unwinding->open_count];
    return ERR_OK;
}

static enum err open_next(struct unwinding *unwinding)
{
    struct source *source = &unwinding->open[unwinding->open_count];
    *source = unwinding->closed[--unwinding->closed_count];
    TRY(take_buffers(&source->buffers, unwinding));
    source->page.times = source->buffers.times;
    unwinding->open_count++;
    return go_on(source, unwinding);
}

static enum err list(struct source *source, struct unwinding *unwinding)
{
    const unsigned char *page =
        source->buffers.pages + (size_t)(source->sequence - source->first_read) * TRACE_PAGE_BYTES;
    if (source->listed)
        return ERR_OK;
    source->listed = true;
    return walk_list(&source->count, source->buffers.moments, unwinding->sweep, unwinding->walk, source->stream, page,
                     unwinding->diag);
}

/* What the source lists from `horizon` on. */
static struct run cut(struct source *source, uint64_t horizon)
{
    size_t low = 0, high = source->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (source->buffers.moments[middle].at < horizon)
            low = middle + 1;
        else
            high = middle;
    }
    struct run run = {.moments = source->buffers.moments + low, .count = source->count - low};
    source->count = low;
    source->top = low > 0 ? run.moments[-1].at : source->page.base;
    return run;
}

/* Nothing of another source ends where the page at hand does. */
static enum err sweep_alone(struct source *source, struct unwinding *unwinding)
{
    bool done = source->page.only_laps && source->page.time_count == 0;
    if (!done && !source->listed && source->page.only_laps)
        done = sweep_over_times(unwinding->sweep, source->page.base, source->page.end, source->page.times,
                                source->page.time_count);
    if (!done) {
        TRY(list(source, unwinding));
        sweep_over(unwinding->sweep, source->buffers.moments, source->count);
    }
    return go_on(source, unwinding);
}

static enum err make_room(struct unwinding *unwinding, size_t moments)
{
    if (moments <= unwinding->merged_room)
        return ERR_OK;
    unwinding->merged_room = 2 * moments;
    for (int i = 0; i < 2; i++) {
        unwinding->merged[i] = ARENA_ARRAY(unwinding->arena, struct moment, unwinding->merged_room);
        if (!unwinding->merged[i])
            return arena_exhausted(unwinding->arena, unwinding->diag);
    }
    return ERR_OK;
}

/* Everything from `horizon` on is at hand. */
static enum err sweep_together(struct unwinding *unwinding, uint64_t horizon)
{
    size_t count = 0, moments = 0;
    for (size_t i = 0; i < unwinding->open_count; i++) {
        struct source *source = &unwinding->open[i];
        if (source->top < horizon)
            continue;
        TRY(list(source, unwinding));
        struct run run = cut(source, horizon);
        moments += run.count;
        if (run.count > 0)
            unwinding->runs[count++] = run;
    }
    TRY(make_room(unwinding, moments));
    if (count > 0) {
        struct run run = merge_runs(unwinding->runs, count, unwinding->merged);
        sweep_over(unwinding->sweep, run.moments, run.count);
    }
    for (size_t i = unwinding->open_count; i > 0; i--) {
        struct source *source = &unwinding->open[i - 1];
        if (source->listed && source->count == 0)
            TRY(go_on(source, unwinding));
    }
    return ERR_OK;
}

/* What one look over the open sources tells. */
struct view {
    struct source *newest;
    uint64_t others;  /* no span of any other source ends later */
    uint64_t horizon; /* all spans that end later are at hand */
};

static struct view look(const struct unwinding *unwinding)
{
    struct view view = {.newest = unwinding->open};
    for (size_t i = 0; i < unwinding->open_count; i++) {
        struct source *source = &unwinding->open[i];
        if (source->top > view.newest->top)
            view.newest = source;
        view.horizon = source->page.base > view.horizon ? source->page.base : view.horizon;
    }
    for (size_t i = 0; i < unwinding->open_count; i++) {
        const struct source *source = &unwinding->open[i];
        if (source != view.newest && source->top > view.others)
            view.others = source->top;
    }
    if (unwinding->closed_count > 0) {
        uint64_t top = unwinding->closed[unwinding->closed_count - 1].top;
        view.others = top > view.others ? top : view.others;
    }
    return view;
}

static enum err sweep_all(struct unwinding *unwinding)
{
    while (unwinding->open_count + unwinding->closed_count > 0) {
        struct view view = look(unwinding);
        if (unwinding->closed_count > 0 &&
            (unwinding->open_count == 0 || unwinding->closed[unwinding->closed_count - 1].top > view.horizon))
            TRY(open_next(unwinding));
        else if (view.others <= view.newest->page.base)
            TRY(sweep_alone(view.newest, unwinding));
        else
            TRY(sweep_together(unwinding, view.horizon));
    }
    sweep_end(unwinding->sweep);
    return ERR_OK;
}

static int by_top(const void *left, const void *right)
{
    const struct source *a = left, *b = right;
    return (a->top > b->top) - (a->top < b->top);
}

/* The end of the last record of the stream. */
static enum err find_top(uint64_t *out, const struct pages_stream *stream, struct unwinding *unwinding)
{
    unsigned char page[TRACE_PAGE_BYTES];
    struct page_head head = {.sequence = 0};
    *out = 0;
    for (uint32_t at = 0; head.sequence == 0;) {
        at = pages_before(unwinding->pages, stream, at);
        if (at == 0)
            return ERR_OK;
        TRY(pages_read(page, unwinding->pages, stream, at, 1, unwinding->diag));
        memcpy(&head, page, sizeof head);
    }
    *out = walk_end(unwinding->walk, stream, page);
    return ERR_OK;
}

enum err unwind(struct unwound *out, struct pages *pages, struct walk *walk, struct sweep *sweep, struct arena *arena,
                struct diag *diag)
{
    size_t count = pages->stream_count, open = count < OPEN_MAX ? count : OPEN_MAX;
    struct unwinding unwinding = {.out = out,
                                  .pages = pages,
                                  .walk = walk,
                                  .sweep = sweep,
                                  .closed = ARENA_ARRAY(arena, struct source, count),
                                  .closed_count = count,
                                  .open = ARENA_ARRAY(arena, struct source, open + 1),
                                  .spare = ARENA_ARRAY(arena, struct buffers, open),
                                  .runs = ARENA_ARRAY(arena, struct run, open),
                                  .arena = arena,
                                  .diag = diag};
    *out = (struct unwound){.rejected = pages->rejected};
    if (!unwinding.closed || !unwinding.open || !unwinding.spare || !unwinding.runs)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < count; i++) {
        unwinding.closed[i] = (struct source){.stream = &pages->streams[i], .records_before = PAGE_NONE_YET};
        TRY(find_top(&unwinding.closed[i].top, &pages->streams[i], &unwinding));
    }
    qsort(unwinding.closed, count, sizeof *unwinding.closed, by_top);
    return sweep_all(&unwinding);
}
