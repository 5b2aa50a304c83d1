/* SPDX-License-Identifier: Apache-2.0
 *
 * The rival: LTTng-ust in a program of its own (its library starts threads), beside a session daemon of its own.
 */
#pragma once

#include "common/bench.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct lttng {
    pid_t session; /* 0 = none */
    int ask, answers;
};

/** Starts both; leaves *lttng as it is where they are not installed. */
void lttng_start(struct lttng *lttng);
bool lttng_is_there(const struct lttng *lttng);
/** Times events of the struct lttng that is its context. */
bench_run time_lttng;
/** Accepts one that is not there. The daemon stops whatever becomes of us: it reads that we are gone. */
void lttng_stop(struct lttng *lttng);
