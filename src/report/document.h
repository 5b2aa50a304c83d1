/* SPDX-License-Identifier: Apache-2.0
 *
 * A report as a tree of blocks, and its writers. All text is taken for untrusted: it is escaped once, by the writer,
 * and characters that could move a cursor or turn the reading direction come out as visible escapes.
 *
 * Building remembers its first failure, so a report is built whole and checked once, by the writer.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum { DOCUMENT_LIMIT_BYTES = 16 * 1024 * 1024 };

struct document;

/** An empty document; NULL when the arena is exhausted. The arena owns everything added later. */
struct document *document_new(struct arena *arena);
void document_heading(struct document *document, unsigned level, const char *format, ...) PRINTF_LIKE(3, 4);
void document_paragraph(struct document *document, const char *format, ...) PRINTF_LIKE(2, 3);
/** One sentence that must not be overlooked. */
void document_callout(struct document *document, const char *format, ...) PRINTF_LIKE(2, 3);
/** An item; items in a row make a list. */
void document_item(struct document *document, const char *format, ...) PRINTF_LIKE(2, 3);
/** Starts a table with these columns (NULL-terminated). */
void document_table(struct document *document, const char *const *columns);
/** A row of the table started last: as many cells as it has columns; a NULL cell is a failure. */
void document_row(struct document *document, const char *const *cells);
/** A bar of a chart; bars in a row make one. `share` is cut to 0..1. */
void document_bar(struct document *document, const char *label, double share, const char *text);

CHECKED enum err document_markdown(struct text *out, const struct document *document, struct diag *diag);
/** A page of its own: no script, nothing loaded from anywhere, readable in light and dark. */
CHECKED enum err document_html(struct text *out, const struct document *document, const char *title, struct diag *diag);
/** For a terminal of `width` columns (0 = do not wrap); `colour` allows bold. */
CHECKED enum err document_terminal(struct text *out, const struct document *document, size_t width, bool colour,
                                   struct diag *diag);
