/* SPDX-License-Identifier: Apache-2.0
 *
 * One arena owns everything derived in one analysis: many allocations, one free. It has a limit from the start, so
 * hostile input ends in ERR_MEMORY and not in the machine's swap. Not thread-safe.
 */
#pragma once

#include "base/err.h"

#include <stdalign.h>
#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used_bytes;          /* sum handed out */
    size_t limit_bytes;
};

/** An empty arena that never hands out more than `limit_bytes` in all. */
void arena_init(struct arena *arena, size_t limit_bytes);
/** Frees everything; accepts a zeroed or already freed arena. */
void arena_fini(struct arena *arena);

/** Zeroed memory, or NULL when memory or the limit is exhausted. Valid until arena_fini. */
void *arena_alloc(struct arena *arena, size_t count, size_t item_bytes, size_t alignment);
/** `items`, of which `count` are used, with room for one more: themselves while they have it, else a copy of twice the
 *  size, and *capacity says so. NULL on exhaustion. For lists whose length is not known before; `*capacity` begins at
 * 0. */
void *arena_room(struct arena *arena, void *items, size_t *capacity, size_t count, size_t item_bytes);
/** A copy of `text` (NULL gives NULL). NULL on exhaustion. */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
/** Says in `diag` that the arena is exhausted. */
void arena_say_exhausted(const struct arena *arena, struct diag *diag);
/** The failing path of an exhausted arena: is ERR_MEMORY. */
#define arena_exhausted(arena, diag) (arena_say_exhausted((arena), (diag)), (enum err)ERR_MEMORY)

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), 1, sizeof(type), alignof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc((arena), (count), sizeof(type), alignof(type)))
