/* SPDX-License-Identifier: Apache-2.0
 *
 * lab/journal.jsonl: one record a line, each on disk before the lab goes on, and each with a sum over it and all before
 * it. A last line that a crash cut is dropped when the journal is opened again, and that is said; a journal that was
 * changed in any other way is refused.
 */
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

struct journal;

/** Opens the journal in `folder`, which exists. A journal that already holds records is ERR_CONFIG unless `resume`;
 *  *out_past (new reference) is the array of those records. ERR_FORMAT names the line that is damaged, and nothing was
 *  written. The caller frees *out. */
CHECKED enum err journal_open(struct journal **out, json_t **out_past, const char *folder, bool resume,
                              struct diag *diag);
/** What was dropped of a last line when it was opened. */
size_t journal_cut_bytes(const struct journal *journal);
/** Accepts NULL. */
void journal_close(struct journal **journal);
/** Appends one record and waits until it is on disk. After a failure all others fail. */
CHECKED enum err journal_append(struct journal *journal, const json_t *record, struct diag *diag);
