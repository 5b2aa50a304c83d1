/* SPDX-License-Identifier: Apache-2.0 */
#include "whatif/sample.h"

#include <math.h>

static double seconds(uint64_t ns)
{
    return (double)ns * 1e-9;
}

/** The spans of one stage over time. */
struct crowd {
    unsigned open;
    uint64_t since_ns;   /* of the last change of `open` */
    double span_seconds; /* integral of `open` up to since_ns */
};

static double crowd_until(struct crowd *crowd, uint64_t at_ns)
{
    crowd->span_seconds += crowd->open * seconds(at_ns - crowd->since_ns);
    crowd->since_ns = at_ns;
    return crowd->span_seconds;
}

/** The mean number of spans of the same stage open during each piece: the integral between its edges. */
static enum err measure_crowds(double *mean, const struct pieces *pieces, size_t stage_count, struct arena *arena,
                               struct diag *diag)
{
    struct crowd *crowds = ARENA_ARRAY(arena, struct crowd, stage_count);
    if (!crowds)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < 2 * pieces->count; i++) {
        const struct edge *edge = &pieces->edges[i];
        const struct piece *piece = &pieces->at[edge->piece];
        struct crowd *crowd = &crowds[piece->stage];
        double span_seconds = crowd_until(crowd, edge->at_ns);
        if (edge->opens) {
            mean[edge->piece] = span_seconds;
            crowd->open++;
        } else {
            double length_s = seconds(piece->end_ns - piece->start_ns);
            mean[edge->piece] = fmax(1, (span_seconds - mean[edge->piece]) / length_s);
            crowd->open--;
        }
    }
    return ERR_OK;
}

static double outside_of(const struct pieces *pieces)
{
    uint64_t outside_ns = 0;
    size_t open = 0;
    for (size_t i = 0; i < 2 * pieces->count; i++) {
        if (i > 0 && open == 0)
            outside_ns += pieces->edges[i].at_ns - pieces->edges[i - 1].at_ns;
        open += pieces->edges[i].opens ? 1 : (size_t)-1;
    }
    return seconds(outside_ns);
}

/** The crowd of several spans is their mean by length. */
static void add_piece(struct service *service, const struct piece *piece, double crowd)
{
    bool known = piece->cpu_ns != TRACE_CPU_UNKNOWN;
    double own_s = seconds(piece->own_ns), running_s = known ? fmin(own_s, seconds(piece->cpu_ns)) : 0;
    double before_s = service->waiting_s + service->running_s, after_s = before_s + own_s;
    if (own_s > 0)
        service->crowd = (service->crowd * before_s + crowd * own_s) / after_s;
    service->running_s += running_s;
    service->waiting_s += own_s - running_s;
    service->cpu_unknown = service->cpu_unknown || !known;
}

enum err sample_take(struct sample *out, const struct pieces *pieces, size_t stage_count, struct arena *arena,
                     struct diag *diag)
{
    double *crowds = ARENA_ARRAY(arena, double, pieces->count);
    *out = (struct sample){.services = ARENA_ARRAY(arena, struct service, pieces->items * stage_count),
                           .items = pieces->items};
    if (!crowds || !out->services)
        return arena_exhausted(arena, diag);
    if (pieces->count == 0)
        return ERR_OK;
    TRY(measure_crowds(crowds, pieces, stage_count, arena, diag));
    for (size_t i = 0; i < pieces->items * stage_count; i++)
        out->services[i].crowd = 1;
    for (size_t i = 0; i < pieces->count; i++)
        add_piece(&out->services[pieces->at[i].place * stage_count + pieces->at[i].stage], &pieces->at[i], crowds[i]);
    out->outside_s = outside_of(pieces);
    out->wall_s = seconds(pieces->edges[2 * pieces->count - 1].at_ns - pieces->edges[0].at_ns);
    return ERR_OK;
}
