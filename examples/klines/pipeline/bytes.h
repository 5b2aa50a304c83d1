/* SPDX-License-Identifier: Apache-2.0
 *
 * A growable piece of memory that never grows past the limit it was made with.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct bytes {
    char *data; /* a NUL follows the last byte once something was added */
    size_t count, capacity, limit;
};

void bytes_init(struct bytes *bytes, size_t limit);
void bytes_fini(struct bytes *bytes);
/** Makes room for `count` more and returns where they go; NULL beyond the limit or without memory. */
char *bytes_room(struct bytes *bytes, size_t count);
/** False beyond the limit or without memory. */
bool bytes_add(struct bytes *bytes, const void *data, size_t count);
