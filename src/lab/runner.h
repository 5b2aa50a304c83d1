/* SPDX-License-Identifier: Apache-2.0
 *
 * One run: the `before` commands, the pipeline's command with its trace, the `check` command; each a supervised child.
 * A run of several repetitions does all of that so many times, and all must do the same work.
 */
#pragma once

#include "base/loop.h"
#include "base/sha256.h"
#include "lab/outcome.h"
#include "pipeline/ports.h"
#include "pipeline/variant.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum run_status { RUN_OK, RUN_FAILED, RUN_TIMED_OUT };
enum { RUN_OUTPUT_BYTES = 1024 };

struct run_order {
    const struct variant *variant;
    const struct ports *ports;
    const char *trace_folder; /* absolute; emptied first */
    size_t padding_bytes;     /* of the environment: its size shifts the stack, so it must differ between runs */
    bool record_cpu;
    unsigned repeats; /* at least 1 */
};

struct run_result {
    enum run_status status;
    int exit;                     /* of the command: status, 128 + signal, or -1 when it was not started */
    char why[OUTCOME_TEXT_BYTES]; /* it failed; "" when it did not */
    char started[24];             /* UTC */
    unsigned repeats;             /* that were begun */
    bool uneven;                  /* a repetition did other work than the one before */
    double duration_s;            /* of the command, exec to exit; of one repetition, on average, as all amounts here */
    double cost_s;                /* of everything, all repetitions together */
    double cpu_s;
    uint64_t peak_bytes;                /* 0 = not known */
    uint64_t read_bytes, written_bytes; /* from and to storage */
    uint64_t rows, spans, lost_spans;   /* of the last repetition, whose trace is kept, as everything below */
    char check[SHA256_TEXT_BYTES];      /* of the check command's output; "" without one */
    size_t stdout_bytes, stderr_bytes;
    char head[RUN_OUTPUT_BYTES + 1]; /* of stdout */
    char tail[RUN_OUTPUT_BYTES + 1]; /* of stderr, or of stdout when nothing was written there */
};

struct runner;
typedef void runner_done(void *context, const struct run_result *result);

/** Starts the run; `done` is called once from the loop and may free the runner. Everything in `order` is borrowed until
 *  then. What goes wrong with the run's programs is a result; an error is ours. */
CHECKED enum err runner_start(struct runner **out, const struct run_order *order, struct loop *loop, runner_done *done,
                              void *context, struct diag *diag);
/** Ends the run now, as failed: what it needs is gone. `done` is called before this returns. */
void runner_abort(struct runner *runner, const char *why);
/** Kills what still runs. Accepts NULL. */
void runner_free(struct runner **runner);
