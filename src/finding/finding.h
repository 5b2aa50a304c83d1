/* SPDX-License-Identifier: Apache-2.0
 *
 * What an agent says: findings.json of docs/contracts.md as a struct, built by an agent, and read back strictly,
 * because the writer may be any program. Everything is owned by the arena given at the start.
 *
 * Building remembers its first failure (out of memory, a cap), so an agent says everything it has to say and checks
 * once, in findings_write. Texts are cut at STRICT_TEXT_BYTES; bytes that are not UTF-8 become U+FFFD.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "finding/brief.h"
#include "finding/strict.h"
#include "stats/effect.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    FINDINGS_BYTES_MAX = 1024 * 1024,
    FINDINGS_ITEMS_MAX = 200, /* claims, stances, rows of a table, lines looked at */
    FINDINGS_TABLES_MAX = 20,
    FINDINGS_COLUMNS_MAX = 20,
    FINDINGS_EXPERIMENTS_MAX = 50, /* that one claim or stance rests on */
};
/** The smallest gain worth recommending: the delta of the measuring protocol. */
#define WORTH_DOING 1.02
/** A candidate whose bound lies below this is settled without an experiment: in a budget of minutes the noise would
 * hide most of what it could gain, and the time is better spent where more is at stake. */
#define WORTH_TRYING 1.10
#define FINDINGS_RATIO_MAX 1e6 /* an effect above this is a mistake */

/** How an agent stands on a candidate; "neutral", "recommend", "oppose". */
enum vote { VOTE_NEUTRAL, VOTE_RECOMMEND, VOTE_OPPOSE };
const char *vote_name(enum vote vote);

/** What a number rests on, strongest first; the names in JSON are the same words in lower case. */
enum basis { BASIS_CONFIRMED, BASIS_MEASURED, BASIS_INJECTED, BASIS_SIMULATED, BASIS_BOUNDED, BASIS_CLAIMED };
const char *basis_name(enum basis basis);

/** "share" (0 to 1), "ratio", "s", "rows", "rows/s", "bytes", "bytes/s", "count". */
enum unit { UNIT_SHARE, UNIT_RATIO, UNIT_S, UNIT_ROWS, UNIT_ROWS_S, UNIT_BYTES, UNIT_BYTES_S, UNIT_COUNT };
const char *unit_name(enum unit unit);

struct quantity {
    struct interval value;
    enum unit unit;
};

/** An effect, time before / time after, and what it rests on. `high` may be INFINITY when BASIS_BOUNDED. */
struct estimate {
    struct interval ratio;
    enum basis basis;
};

struct knob_change {
    const char *knob, *from, *to; /* values as in the brief */
};

struct claim {
    const char *text;
    enum basis basis;
    const struct quantity *value;   /* NULL = none */
    const char *const *experiments; /* in the journal, or runs; NULL-terminated; NULL = none */
};

struct stance {
    const char *candidate; /* id in the brief */
    enum vote vote;
    const char *why;
    const struct knob_change *change;           /* NULL = none */
    const struct estimate *effect, *prediction; /* NULL = none */
    const char *const *experiments;             /* ids, NULL-terminated; NULL = none */
};

struct capacity {
    const char *stage; /* in the brief */
    struct interval rows_s;
};

struct table {
    const char *title;
    const char **columns;
    size_t column_count;
    const char ***rows; /* row_count rows of column_count cells */
    size_t row_count;
};

struct lines {
    const char **items;
    size_t count;
};

struct findings {
    const char *agent;
    bool answered;
    const char *why; /* when !answered: what happened; else NULL */
    const char *summary;
    struct lines looked_at, not_looked_at;
    struct claim *claims;
    size_t claim_count;
    struct stance *stances;
    size_t stance_count;
    const struct capacity *capacity; /* NULL = none */
    struct table *tables;
    size_t table_count;

    struct arena *arena;     /* the builder's */
    const char *build_error; /* the first failure of building, static text; NULL = none */
};

/** Empty, answered findings. The arena must outlive them. */
CHECKED enum err findings_new(struct findings **out, const char *agent, struct arena *arena, struct diag *diag);
/** The findings of an agent that gave none: `why` is the reason shown to people ("killed by signal 9"). */
CHECKED enum err findings_no_answer(struct findings **out, const char *agent, const char *why, struct arena *arena,
                                    struct diag *diag);

void findings_summary(struct findings *findings, const char *format, ...) PRINTF_LIKE(2, 3);
void findings_looked_at(struct findings *findings, const char *format, ...) PRINTF_LIKE(2, 3);
/** What was not measured, and why. */
void findings_not_looked_at(struct findings *findings, const char *format, ...) PRINTF_LIKE(2, 3);
/** Adds a claim. `value` and `experiments` (NULL-terminated) may be NULL; everything is copied. */
void findings_claim(struct findings *findings, enum basis basis, const struct quantity *value,
                    const char *const *experiments, const char *format, ...) PRINTF_LIKE(5, 6);
/** Adds a stance; everything is copied; stance->why is ignored, the text takes its place. */
void findings_stance(struct findings *findings, const struct stance *stance, const char *why_format, ...)
    PRINTF_LIKE(3, 4);
void findings_capacity(struct findings *findings, const char *stage, struct interval rows_s);
/** Starts a table; `columns` is NULL-terminated. */
void findings_table(struct findings *findings, const char *title, const char *const *columns);
/** Adds a row to the table started last: exactly as many cells as it has columns. A NULL cell is a failure (that is
 *  what arena_printf gives when memory is out). */
void findings_row(struct findings *findings, const char *const *cells);

/** The document; the caller owns *out. Fails with the first failure of building. */
CHECKED enum err findings_to_json(json_t **out, const struct findings *findings, struct diag *diag);
/** Writes findings.json, whole or not at all. */
CHECKED enum err findings_write(const char *path, const struct findings *findings, struct diag *diag);

/** Reads what `agent` wrote about `brief`. Anything that breaks the contract is ERR_FORMAT: unknown or missing keys,
 *  wrong types, words outside the lists, numbers out of range or order, candidates, knobs, values or stages the brief
 *  does not have, more than the caps. The result does not refer to `json`. `where` names the source in the diag. */
CHECKED enum err findings_from_json(struct findings **out, const json_t *json, const char *where, const char *agent,
                                    const struct brief *brief, struct arena *arena, struct diag *diag);
/** Same, from a file of at most FINDINGS_BYTES_MAX. */
CHECKED enum err findings_read(struct findings **out, const char *path, const char *agent, const struct brief *brief,
                               struct arena *arena, struct diag *diag);
