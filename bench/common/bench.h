/* SPDX-License-Identifier: Apache-2.0
 *
 * What the benches share: cases are played in rounds, each once a round in an order of its own and in a process of its
 * own; a figure is the median over the rounds, a ratio the median of the ratios within a round, because what disturbs
 * one round disturbs both of its parts.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/random.h"

#include <stdbool.h>
#include <stddef.h>

enum { BENCH_ROUNDS_MIN = 11 };

enum bench_quantity { BENCH_WALL_NS, BENCH_CPU_NS, BENCH_BYTES, BENCH_QUANTITIES };

/** What one operation took in one round, by quantity; NAN = not measured. */
struct bench_sample {
    double of[BENCH_QUANTITIES];
};

typedef enum err bench_run(struct bench_sample *out, const void *context, struct diag *diag);

struct bench_case {
    const char *name;
    bench_run *run; /* called in a process of its own; NULL: cannot be had here */
    const void *context;
    struct bench_sample *samples; /* of each round: bench_play's answer; the arena's */
};

/** A line of the table: a quantity of a case, and what it may be. */
struct bench_line {
    const struct bench_case *of;
    enum bench_quantity quantity;
    const struct bench_case *base; /* the limit is for the ratio to it; NULL: for the figure itself */
    double limit;                  /* 0 = none, it is only shown */
};

/** Reads ROUNDS of a command line: a number from BENCH_ROUNDS_MIN on. */
bool bench_read_rounds(size_t *out, const char *text);
/** Prints what is measured on. */
void bench_show_machine(const char *folder);
/** Plays all cases, and one round before that does not count. From here on SIGINT and SIGTERM are answered by
 *  ERR_INTERRUPTED. */
CHECKED enum err bench_play(struct bench_case *cases, size_t count, size_t rounds, struct rng *rng, struct arena *arena,
                            struct diag *diag);
/** Prints the table, and beneath it how busy the machine was; *met: no line is above its limit. */
CHECKED enum err bench_show(bool *met, const struct bench_line *lines, size_t count, size_t rounds, struct arena *arena,
                            struct diag *diag);
