/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk goes over segments: a worker's time cut so that each piece belongs to the innermost span open there, the one
 * that began last. So a span around others is on the path only for what it does itself.
 *
 * From a segment of span s that ends at t, the walk goes on at the latest end before it: that of the segment before it
 * on the same worker, or that of an earlier span of the same item on another worker (the data came from there). When
 * the latter ends inside the segment, s was being fed by it: s is on the path only after that end. t falls with each
 * step, and each step gives what it passes to a stage or to the gap outside, so all of the run is given away once.
 */
#include "profile/critical.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct segment {
    uint64_t start_ns, end_ns;
    const struct span *span;
};

struct walk {
    const struct trace *trace;
    struct segment *segments; /* by worker, then start; disjoint within a worker */
    size_t segment_count;
    size_t *first;               /* of each worker; one more at the end */
    const struct span **by_item; /* spans with a length, by item, then end */
    size_t length_count;
};

/* Of spans that begin together the shortest is the innermost. */
static int by_worker(const void *left, const void *right)
{
    const struct span *a = *(const struct span *const *)left, *b = *(const struct span *const *)right;
    if (a->worker != b->worker)
        return a->worker < b->worker ? -1 : 1;
    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    if (a->end_ns != b->end_ns)
        return a->end_ns > b->end_ns ? -1 : 1;
    return (a > b) - (a < b);
}

static int by_item(const void *left, const void *right)
{
    const struct span *a = *(const struct span *const *)left, *b = *(const struct span *const *)right;
    if (a->item != b->item)
        return a->item < b->item ? -1 : 1;
    if (a->end_ns != b->end_ns)
        return a->end_ns < b->end_ns ? -1 : 1;
    return (a > b) - (a < b);
}

/* Cuts the time before `until_ns` among the open spans, the last of `open` being the innermost. */
static void close_until(struct walk *walk, const struct span **open, size_t *depth, uint64_t *cursor_ns,
                        uint64_t until_ns)
{
    while (*depth > 0 && *cursor_ns < until_ns) {
        const struct span *inner = open[*depth - 1];
        uint64_t end_ns = inner->end_ns < until_ns ? inner->end_ns : until_ns;
        if (end_ns > *cursor_ns) {
            walk->segments[walk->segment_count++] = (struct segment){*cursor_ns, end_ns, inner};
            *cursor_ns = end_ns;
        }
        if (inner->end_ns <= *cursor_ns)
            (*depth)--;
    }
    *cursor_ns = until_ns;
}

/* `ordered` holds the spans with a length by worker; `open` has room for as many. At most two segments a span: one is
 * cut when the next span begins, one when a span ends. */
static void cut(struct walk *walk, const struct span **ordered, const struct span **open)
{
    size_t i = 0;
    for (uint32_t worker = 0; worker < walk->trace->worker_count; worker++) {
        size_t depth = 0;
        uint64_t cursor_ns = 0;
        walk->first[worker] = walk->segment_count;
        for (; i < walk->length_count && ordered[i]->worker == worker; i++) {
            close_until(walk, open, &depth, &cursor_ns, ordered[i]->start_ns);
            open[depth++] = ordered[i];
        }
        close_until(walk, open, &depth, &cursor_ns, UINT64_MAX);
    }
    walk->first[walk->trace->worker_count] = walk->segment_count;
}

/* The last segment of `worker` that begins before `t_ns`, or NULL. */
static const struct segment *segment_before(const struct walk *walk, uint32_t worker, uint64_t t_ns)
{
    size_t low = walk->first[worker], high = walk->first[worker + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (walk->segments[middle].start_ns < t_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low > walk->first[worker] ? &walk->segments[low - 1] : NULL;
}

/* How many spans come before (item, t_ns) in by_item. */
static size_t ended_before(const struct walk *walk, uint64_t item, uint64_t t_ns)
{
    size_t low = 0, high = walk->length_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct span *span = walk->by_item[middle];
        if (span->item < item || (span->item == item && span->end_ns < t_ns))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Spans of one stage that work on one item at the same time share the work; they do not feed each other. */
static bool feeds(const struct span *earlier, const struct span *span)
{
    bool other_stage_or_done = earlier->stage != span->stage || earlier->end_ns <= span->start_ns;
    return earlier->worker != span->worker && earlier->start_ns < span->start_ns && other_stage_or_done;
}

/* The span that `span` got its item from, ended in [floor_ns, t_ns), the latest such; or NULL. The walk never comes
 * back to what is looked through here, because it goes on at or below it. */
static const struct span *feeder(const struct walk *walk, const struct span *span, uint64_t floor_ns, uint64_t t_ns)
{
    for (size_t i = ended_before(walk, span->item, t_ns); i > 0; i--) {
        const struct span *earlier = walk->by_item[i - 1];
        if (earlier->item != span->item || earlier->end_ns < floor_ns)
            return NULL;
        if (feeds(earlier, span))
            return earlier;
    }
    return NULL;
}

static void follow(struct critical_path *path, const struct walk *walk, const struct span *last, uint64_t first_ns)
{
    uint64_t t_ns = last->end_ns, next_ns;
    const struct segment *next, *segment = segment_before(walk, last->worker, t_ns);
    for (; segment; segment = next, t_ns = next_ns) {
        const struct span *span = segment->span;
        uint64_t entered_ns = segment->start_ns;
        next = segment_before(walk, span->worker, segment->start_ns);
        next_ns = next ? next->end_ns : first_ns;
        bool begins = segment->start_ns == span->start_ns;
        const struct span *source = feeder(walk, span, begins ? next_ns : segment->start_ns + 1, t_ns);
        if (source) {
            next = segment_before(walk, source->worker, source->end_ns);
            next_ns = source->end_ns;
            entered_ns = next_ns > entered_ns ? next_ns : entered_ns;
        }
        path->stage_ns[span->stage] += t_ns - entered_ns;
        path->outside_ns += entered_ns - next_ns;
    }
}

static enum err prepare(struct walk *walk, struct arena *arena, struct diag *diag)
{
    const struct trace *trace = walk->trace;
    const struct span **ordered = ARENA_ARRAY(arena, const struct span *, trace->span_count);
    const struct span **open = ARENA_ARRAY(arena, const struct span *, trace->span_count);
    walk->by_item = ARENA_ARRAY(arena, const struct span *, trace->span_count);
    walk->segments = ARENA_ARRAY(arena, struct segment, 2 * trace->span_count);
    walk->first = ARENA_ARRAY(arena, size_t, trace->worker_count + 1);
    if (!ordered || !open || !walk->by_item || !walk->segments || !walk->first)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < trace->span_count; i++)
        if (trace->spans[i].end_ns > trace->spans[i].start_ns)
            walk->by_item[walk->length_count++] = &trace->spans[i];
    if (walk->length_count == 0)
        return ERR_OK;
    memcpy(ordered, walk->by_item, walk->length_count * sizeof *ordered);
    qsort(ordered, walk->length_count, sizeof *ordered, by_worker);
    qsort(walk->by_item, walk->length_count, sizeof *walk->by_item, by_item);
    cut(walk, ordered, open);
    return ERR_OK;
}

enum err critical_path_walk(struct critical_path *out, const struct trace *trace, struct arena *arena,
                            struct diag *diag)
{
    struct walk walk = {.trace = trace};
    *out = (struct critical_path){.stage_ns = ARENA_ARRAY(arena, uint64_t, trace->stage_count)};
    if (!out->stage_ns)
        return arena_exhausted(arena, diag);
    TRY(prepare(&walk, arena, diag));
    uint64_t last_ns = 0;
    const struct span *last = NULL; /* to end, of those with a length */
    for (size_t i = 0; i < trace->span_count; i++)
        last_ns = trace->spans[i].end_ns > last_ns ? trace->spans[i].end_ns : last_ns;
    for (size_t i = 0; i < walk.length_count; i++)
        if (!last || walk.by_item[i]->end_ns > last->end_ns)
            last = walk.by_item[i];
    out->outside_ns = last_ns - (last ? last->end_ns : trace->spans[0].start_ns);
    if (last)
        follow(out, &walk, last, trace->spans[0].start_ns);
    return ERR_OK;
}
