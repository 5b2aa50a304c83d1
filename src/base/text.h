/* SPDX-License-Identifier: Apache-2.0
 *
 * A growable text with a limit set when it is made. A failed append (no memory, limit) is remembered, so a writer may
 * append a whole document and check once at the end.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *data; /* NUL-terminated once something was added; NULL before */
    size_t length_bytes, capacity_bytes, limit_bytes;
    bool failed;
};

void text_init(struct text *text, size_t limit_bytes);
void text_fini(struct text *text);
void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const char *bytes, size_t count);
void text_addf(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
/** Forgets the content, keeps the memory. */
void text_clear(struct text *text);
/** The content, "" when empty; borrowed until the next change. */
const char *text_string(const struct text *text);
/** ERR_MEMORY if any append failed. */
CHECKED enum err text_check(const struct text *text, struct diag *diag);
