/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree as the writers see it.
 */
#pragma once

#include "report/document.h"

enum block_kind { BLOCK_HEADING, BLOCK_PARAGRAPH, BLOCK_CALLOUT, BLOCK_ITEM, BLOCK_TABLE, BLOCK_BAR };

struct row {
    const char **cells;
    struct row *next;
};

struct block {
    enum block_kind kind;
    unsigned level;    /* of a heading */
    const char *text;  /* of everything but a table; the label of a bar */
    const char *value; /* beside a bar */
    double share;      /* of a bar */
    const char **columns;
    size_t column_count, row_count;
    struct row *rows, *last_row;
    struct block *next;
};

struct document {
    struct arena *arena;
    struct block *first, *last;
    bool failed;
};

/** ERR_MEMORY if building failed or a writer ran over the limit. */
CHECKED enum err document_check(const struct document *document, const struct text *out, struct diag *diag);
/** True when `block` is the first resp. last of several of its kind in a row. */
bool block_opens_run(const struct block *previous, const struct block *block);
bool block_closes_run(const struct block *block);
