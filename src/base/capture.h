/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program wrote to one stream: its head and its tail in fixed memory, and the count of all bytes, whatever the
 * flood. Only child.c includes this.
 */
#pragma once

#include "base/child.h"

#include <stddef.h>

struct capture {
    char head[CHILD_OUTPUT_KEEP_BYTES + 1];
    char ring[CHILD_OUTPUT_KEEP_BYTES]; /* of what came after the head; the byte at n stands at n % size */
    char tail[CHILD_OUTPUT_KEEP_BYTES + 1];
    size_t bytes;
};

void capture_add(struct capture *capture, const char *bytes, size_t count);
/** The texts, borrowed from `capture`; NUL bytes of the program come as '?'. */
struct child_output capture_output(struct capture *capture);
