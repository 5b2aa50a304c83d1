/* SPDX-License-Identifier: Apache-2.0
 *
 * bench-recorder [ROUNDS [FOLDER]]: what recording costs, beside two bare readings of the clock and LTTng. Traces are
 * written to FOLDER. Exit 1 when a figure is above its limit, 2 for a command line that makes no sense.
 */
#include "base/clock.h"
#include "base/file.h"
#include "recorder/cases.h"
#include "recorder/lttng.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_LIMIT_BYTES ((size_t)1 << 24)

enum {
    READINGS,
    SPAN_RING,
    LAP_RING,
    LAP_FILE,
    SPAN_FILE,
    FULL_LAP_FILE,
    FULL_SPAN_FILE,
    CPU_LAP_FILE,
    TWO_SPAN_RING,
    TWO_LAP_FILE,
    IDLE_SPAN,
    IDLE_LAP,
    WAITING_LAP,
    WAITING_SPAN,
    LTTNG,
    CASES
};

enum { FEW = 1 << 18, MANY = 1 << 21, MORE = 1 << 22, MOST = 1 << 26 }; /* some 50 ms each */

#define LOOP &(const struct loop) /* { ... } */

static struct bench_case cases[CASES] = {
    [READINGS] = {"two clock readings", time_idle, LOOP{.run = two_readings, .count = MANY}, NULL},
    [SPAN_RING] = {"span, in a ring", time_in_ring, LOOP{.run = spans, .count = MANY, .record_bytes = 8}, NULL},
    [LAP_RING] = {"lap, in a ring", time_in_ring, LOOP{.run = laps, .count = MORE, .record_bytes = 2}, NULL},
    [LAP_FILE] = {"lap, bytes in a file", time_in_file, LOOP{.run = laps, .count = MORE}, NULL},
    [SPAN_FILE] = {"span, bytes in a file", time_in_file, LOOP{.run = spans, .count = MANY}, NULL},
    [FULL_LAP_FILE] = {"lap + item, rows, bytes, in a file", time_in_file, LOOP{.run = full_laps, .count = MANY}, NULL},
    [FULL_SPAN_FILE] = {"span + item, rows, bytes, in a file", time_in_file, LOOP{.run = full_spans, .count = MANY},
                        NULL},
    [CPU_LAP_FILE] = {"lap + CPU time, in a file", time_in_file,
                      LOOP{.run = laps, .count = FEW, .setting = "VENTURI_CPU"}, NULL},
    [TWO_SPAN_RING] = {"span, in a ring, two threads", time_in_ring,
                       LOOP{.run = spans, .count = MANY, .threads = 2, .record_bytes = 8}, NULL},
    [TWO_LAP_FILE] = {"lap, bytes in a file, two threads", time_in_file, LOOP{.run = laps, .count = MORE, .threads = 2},
                      NULL},
    [IDLE_SPAN] = {"span, not recording", time_idle, LOOP{.run = spans, .count = MOST}, NULL},
    [IDLE_LAP] = {"lap, not recording", time_idle, LOOP{.run = laps, .count = MOST}, NULL},
    [WAITING_LAP] = {"lap of 1 to 100 us", count_bytes, LOOP{.run = waiting_laps}, NULL},
    [WAITING_SPAN] = {"span of 1 to 100 us", count_bytes, LOOP{.run = waiting_spans}, NULL},
    [LTTNG] = {"LTTng-ust: begin and end event", NULL, NULL, NULL},
};

static const struct bench_line lines[] = {
    {&cases[READINGS], BENCH_WALL_NS, NULL, 0},
    {&cases[SPAN_RING], BENCH_WALL_NS, &cases[READINGS], 1.05},
    {&cases[LAP_RING], BENCH_WALL_NS, &cases[READINGS], 0},
    {&cases[LAP_FILE], BENCH_WALL_NS, &cases[READINGS], 0.65},
    {&cases[LAP_FILE], BENCH_CPU_NS, &cases[READINGS], 0.65},
    {&cases[SPAN_FILE], BENCH_WALL_NS, &cases[READINGS], 0},
    {&cases[FULL_LAP_FILE], BENCH_WALL_NS, &cases[READINGS], 0},
    {&cases[FULL_SPAN_FILE], BENCH_WALL_NS, &cases[READINGS], 0},
    {&cases[CPU_LAP_FILE], BENCH_WALL_NS, &cases[READINGS], 0},
    {&cases[LTTNG], BENCH_WALL_NS, &cases[READINGS], 0},
    {&cases[TWO_SPAN_RING], BENCH_WALL_NS, &cases[SPAN_RING], 1.15},
    {&cases[TWO_LAP_FILE], BENCH_WALL_NS, &cases[LAP_FILE], 1.15},
    {&cases[IDLE_SPAN], BENCH_WALL_NS, NULL, 1},
    {&cases[IDLE_LAP], BENCH_WALL_NS, NULL, 1},
    {&cases[WAITING_LAP], BENCH_BYTES, NULL, 4},
    {&cases[WAITING_SPAN], BENCH_BYTES, NULL, 8},
    {&cases[FULL_LAP_FILE], BENCH_BYTES, NULL, 0},
    {&cases[FULL_SPAN_FILE], BENCH_BYTES, NULL, 0},
};

static void leave_out_what_is_absent(const struct lttng *lttng)
{
    if (cores_allowed() < 2)
        cases[TWO_SPAN_RING].run = cases[TWO_LAP_FILE].run = NULL;
    cases[LTTNG].run = lttng_is_there(lttng) ? time_lttng : NULL;
    cases[LTTNG].context = lttng;
}

static enum err play(bool *met, size_t rounds, const char *folder, struct lttng *lttng, struct arena *arena,
                     struct diag *diag)
{
    struct rng rng;
    rng_init(&rng, clock_monotonic_ns());
    lttng_start(lttng);
    leave_out_what_is_absent(lttng);
    keep_traces_in(folder);
    TRY(bench_play(cases, CASES, rounds, &rng, arena, diag));
    return bench_show(met, lines, sizeof lines / sizeof lines[0], rounds, arena, diag);
}

static enum err bench(bool *met, size_t rounds, const char *below, struct diag *diag)
{
    char folder[PATH_MAX];
    struct lttng lttng = {0};
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, ARENA_LIMIT_BYTES);
    bench_show_machine(below);
    (void)snprintf(folder, sizeof folder, "%s/bench-recorder-XXXXXX", below);
    if (!mkdtemp(folder))
        return diag_errno(diag, ERR_IO, errno, folder, "no folder for the traces");
    enum err error = play(met, rounds, folder, &lttng, &arena, diag);
    lttng_stop(&lttng);
    enum err removed = dir_remove(folder, error == ERR_OK ? diag : NULL);
    return error == ERR_OK ? removed : error;
}

int main(int argc, char **argv)
{
    size_t rounds = BENCH_ROUNDS_MIN;
    const char *temporary = getenv("TMPDIR");
    const char *below = argc > 2 ? argv[2] : temporary ? temporary : "/tmp";
    struct diag diag = {0};
    char line[1024];
    bool met = false;
    if (argc > 3 || (argc > 1 && !bench_read_rounds(&rounds, argv[1]))) {
        (void)fprintf(stderr, "usage: bench-recorder [ROUNDS [FOLDER]], of at least %d rounds\n", BENCH_ROUNDS_MIN);
        return 2;
    }
    if (bench(&met, rounds, below, &diag) != ERR_OK) {
        (void)fprintf(stderr, "bench-recorder: %s\n", diag_line(&diag, line, sizeof line));
        return 1;
    }
    return met ? 0 : 1;
}
