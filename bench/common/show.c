/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bench.h"

#include "lab/machine.h"
#include "stats/effect.h"
#include "stats/summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define LOOK_NS 200000000ULL
#define PERCENT 100

enum { TEXT_BYTES = 64 };

static struct machine_counters before;

bool bench_read_rounds(size_t *out, const char *text)
{
    char *end;
    unsigned long long rounds = strtoull(text, &end, 10);
    *out = (size_t)rounds;
    return *text >= '0' && *text <= '9' && *end == '\0' && rounds >= BENCH_ROUNDS_MIN && rounds <= 10000;
}

void bench_show_machine(const char *folder)
{
    static struct machine machine;
    machine_look(&machine, folder, LOOK_NS);
    machine_count(&before);
    printf("%s, %u cores of which %u are ours, governor %s; Linux %s, clock %s; files in %s\n", machine.cpu,
           machine.cores, machine.cores_allowed, *machine.governor ? machine.governor : "not visible", machine.kernel,
           machine.clocksource, folder);
    printf("beforehand: load %.1f, others' CPU time %.0f %%, stolen %.1f %%\n\n", machine.load,
           PERCENT * machine.others_ratio, PERCENT * machine.steal_ratio);
}

/* Median, least and most over the rounds of a quantity, or of its ratio to the base. */
static enum err summarise(struct interval *out, const struct bench_line *line, const struct bench_case *base,
                          size_t rounds, struct arena *arena, struct diag *diag)
{
    double *values = ARENA_ARRAY(arena, double, rounds);
    if (!values)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < rounds; i++) {
        values[i] = line->of->samples[i].of[line->quantity];
        if (base)
            values[i] /= base->samples[i].of[line->quantity];
    }
    TRY(quantile(&out->low, values, rounds, 0, arena, diag));
    TRY(quantile(&out->mid, values, rounds, 0.5, arena, diag));
    return quantile(&out->high, values, rounds, 1, arena, diag);
}

static const char *interval_text(char out[TEXT_BYTES], const struct interval *interval)
{
    (void)snprintf(out, TEXT_BYTES, "%.4g [%.4g..%.4g]", interval->mid, interval->low, interval->high);
    return out;
}

static const char *limit_text(char out[TEXT_BYTES], double limit)
{
    out[0] = '\0';
    if (limit > 0)
        (void)snprintf(out, TEXT_BYTES, "%g", limit);
    return out;
}

/* NAN is above every limit. */
static const char *judgement(double found, double limit)
{
    return limit <= 0 ? "" : found <= limit ? "ok" : "ABOVE";
}

static void show_cells(const char *name, const char *figure, const char *ratio, const char *limit, const char *verdict)
{
    printf("%-36s %-34s %-28s %6s  %s\n", name, figure, ratio, limit, verdict);
}

static enum err show_line(bool *met, const struct bench_line *line, size_t rounds, struct arena *arena,
                          struct diag *diag)
{
    static const char *const units[BENCH_QUANTITIES] = {"ns", "ns of CPU", "bytes"};
    char figure_text[TEXT_BYTES], ratio_text[TEXT_BYTES] = "", limit[TEXT_BYTES], cell[2 * TEXT_BYTES];
    struct interval figure, ratio;
    if (!line->of->run || (line->base && !line->base->run)) {
        show_cells(line->of->name, "not to be had here", "", "", "");
        return ERR_OK;
    }
    TRY(summarise(&figure, line, NULL, rounds, arena, diag));
    ratio = figure;
    if (line->base) {
        TRY(summarise(&ratio, line, line->base, rounds, arena, diag));
        (void)interval_text(ratio_text, &ratio);
    }
    (void)snprintf(cell, sizeof cell, "%s %s", interval_text(figure_text, &figure), units[line->quantity]);
    const char *verdict = judgement(ratio.mid, line->limit);
    show_cells(line->of->name, cell, ratio_text, limit_text(limit, line->limit), verdict);
    *met = *met && (line->limit <= 0 || ratio.mid <= line->limit);
    return ERR_OK;
}

enum err bench_show(bool *met, const struct bench_line *lines, size_t count, size_t rounds, struct arena *arena,
                    struct diag *diag)
{
    struct machine_counters during;
    char head[TEXT_BYTES];
    machine_count_since(&during, &before);
    *met = true;
    (void)snprintf(head, sizeof head, "%zu rounds: median [least..most]", rounds);
    show_cells("an operation", head, "x base, in the same round", "limit", "");
    for (size_t i = 0; i < count; i++)
        TRY(show_line(met, &lines[i], rounds, arena, diag));
    printf("\nmeanwhile: %.0f %% of the CPU time stolen, %" PRIu64 " stops by a quota or heat\n",
           PERCENT * (double)during.ticks.steal / (double)(during.ticks.total ? during.ticks.total : 1),
           during.quota_stops + during.hot_stops);
    return ERR_OK;
}
