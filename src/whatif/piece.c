/* SPDX-License-Identifier: Apache-2.0 */
#include "whatif/piece.h"

#include <stdlib.h>
#include <string.h>

/** The profile's index of each stage of the trace; stage_count when it has none. */
static size_t *map_stages(const struct trace *trace, const struct profile *profile, struct arena *arena)
{
    size_t *map = ARENA_ARRAY(arena, size_t, trace->stage_count);
    for (size_t i = 0; map && i < trace->stage_count; i++) {
        while (map[i] < profile->stage_count && strcmp(profile->stages[map[i]].name, trace->stages[i]) != 0)
            map[i]++;
    }
    return map;
}

static void keep_spans(struct pieces *out, const struct trace *trace, const size_t *stage_map, size_t stage_count)
{
    for (size_t i = 0; i < trace->span_count; i++) {
        const struct span *span = &trace->spans[i];
        size_t stage = stage_map[span->stage];
        if (stage == stage_count || span->end_ns <= span->start_ns)
            continue;
        out->at[out->count++] = (struct piece){.start_ns = span->start_ns,
                                               .end_ns = span->end_ns,
                                               .own_ns = span->end_ns - span->start_ns,
                                               .cpu_ns = span->cpu_ns,
                                               .item = span->item,
                                               .stage = stage,
                                               .worker = span->worker};
    }
}

static bool encloses(const struct piece *outer, const struct piece *inner)
{
    return outer->end_ns >= inner->end_ns && outer->item == inner->item && outer->stage != inner->stage;
}

static void take_out(struct piece *outer, const struct piece *inner)
{
    outer->own_ns -= inner->own_ns < outer->own_ns ? inner->own_ns : outer->own_ns;
    if (outer->cpu_ns == TRACE_CPU_UNKNOWN || inner->cpu_ns == TRACE_CPU_UNKNOWN)
        outer->cpu_ns = TRACE_CPU_UNKNOWN;
    else
        outer->cpu_ns -= inner->cpu_ns < outer->cpu_ns ? inner->cpu_ns : outer->cpu_ns;
}

/** Leaves each moment to the innermost span: a stack a worker, as links from a piece to the one around it. */
static enum err unnest(struct pieces *pieces, struct arena *arena, struct diag *diag)
{
    struct piece **innermost = ARENA_ARRAY(arena, struct piece *, pieces->workers);
    struct piece **around = ARENA_ARRAY(arena, struct piece *, pieces->count);
    if (!innermost || !around)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < pieces->count; i++) {
        struct piece *piece = &pieces->at[i], *outer = innermost[piece->worker];
        while (outer && outer->end_ns <= piece->start_ns)
            outer = around[outer - pieces->at];
        if (outer && encloses(outer, piece)) {
            piece->nested = true;
            take_out(outer, piece);
        }
        around[i] = outer;
        innermost[piece->worker] = piece;
    }
    return ERR_OK;
}

struct key {
    uint64_t item;
    size_t piece;
};

static int by_item_then_piece(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    if (a->item != b->item)
        return a->item < b->item ? -1 : 1;
    return (a->piece > b->piece) - (a->piece < b->piece);
}

/** Numbers the items by their first start, whatever numbers the pipeline gave them. */
static enum err place_items(struct pieces *pieces, struct arena *arena, struct diag *diag)
{
    struct key *keys = ARENA_ARRAY(arena, struct key, pieces->count);
    size_t *first = ARENA_ARRAY(arena, size_t, pieces->count); /* of the piece's item */
    if (!keys || !first)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < pieces->count; i++)
        keys[i] = (struct key){.item = pieces->at[i].item, .piece = i};
    qsort(keys, pieces->count, sizeof *keys, by_item_then_piece);
    for (size_t i = 0; i < pieces->count; i++)
        first[keys[i].piece] = i > 0 && keys[i].item == keys[i - 1].item ? first[keys[i - 1].piece] : keys[i].piece;
    for (size_t i = 0; i < pieces->count; i++)
        pieces->at[i].place = first[i] == i ? pieces->items++ : pieces->at[first[i]].place;
    return ERR_OK;
}

static int by_time(const void *left, const void *right)
{
    const struct edge *a = left, *b = right;
    if (a->at_ns != b->at_ns)
        return a->at_ns < b->at_ns ? -1 : 1;
    if (a->opens != b->opens)
        return a->opens ? 1 : -1;
    return (a->piece > b->piece) - (a->piece < b->piece);
}

static enum err order_edges(struct pieces *pieces, struct arena *arena, struct diag *diag)
{
    pieces->edges = ARENA_ARRAY(arena, struct edge, 2 * pieces->count);
    if (!pieces->edges)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < pieces->count; i++) {
        pieces->edges[2 * i] = (struct edge){.at_ns = pieces->at[i].start_ns, .piece = i, .opens = true};
        pieces->edges[2 * i + 1] = (struct edge){.at_ns = pieces->at[i].end_ns, .piece = i};
    }
    qsort(pieces->edges, 2 * pieces->count, sizeof *pieces->edges, by_time);
    return ERR_OK;
}

enum err pieces_collect(struct pieces *out, const struct trace *trace, const struct profile *profile,
                        struct arena *arena, struct diag *diag)
{
    size_t *stage_map = map_stages(trace, profile, arena);
    *out = (struct pieces){.at = ARENA_ARRAY(arena, struct piece, trace->span_count), .workers = trace->worker_count};
    if (!stage_map || !out->at)
        return arena_exhausted(arena, diag);
    keep_spans(out, trace, stage_map, profile->stage_count);
    TRY(unnest(out, arena, diag));
    TRY(place_items(out, arena, diag));
    return order_edges(out, arena, diag);
}
