/* SPDX-License-Identifier: Apache-2.0
 *
 * Is this machine fit to measure on? What was looked at, judged one by one. Pure.
 */
#pragma once

#include "base/err.h"
#include "lab/machine.h"

#include <jansson.h>
#include <stddef.h>

/** Warn: numbers get worse, and the advice says how. Bad: measuring here would mislead, or cannot be done. */
enum check_level { CHECK_OK, CHECK_WARN, CHECK_BAD };

enum { CHECKS_MAX = 64, CHECK_FINDING_BYTES = 400 };

struct check {
    const char *name;
    enum check_level level;
    char finding[CHECK_FINDING_BYTES];
    const char *advice; /* what it does to numbers and what to do; "" when ok */
};

struct checks {
    struct check items[CHECKS_MAX];
    size_t count;
};

/** Adds one; beyond CHECKS_MAX it is left out. `advice` is static text. */
void checks_add(struct checks *checks, const char *name, enum check_level level, const char *advice,
                const char *finding_format, ...) PRINTF_LIKE(5, 6);
/** Adds what there is to say about the machine. */
void checks_machine(struct checks *checks, const struct machine *machine);
enum check_level checks_worst(const struct checks *checks);
const char *check_level_name(enum check_level level); /* "ok", "warn", "bad" */

/** A new reference each, NULL when memory is out: the list of checks; the machine as the journal keeps it, with the
 *  checks that are not ok; what disturbed the machine while the lab was open. */
json_t *checks_json(const struct checks *checks);
json_t *machine_json(const struct machine *machine, const struct checks *checks);
json_t *disturbances_json(const struct machine_counters *during);
