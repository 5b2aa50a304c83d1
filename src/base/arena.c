/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t size_bytes, used_bytes;
    alignas(max_align_t) unsigned char data[];
};

void arena_init(struct arena *arena, size_t limit_bytes)
{
    *arena = (struct arena){.limit_bytes = limit_bytes};
}

void arena_fini(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->used_bytes = 0;
}

static struct arena_block *add_block(struct arena *arena, size_t bytes)
{
    size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
    if (size > SIZE_MAX - sizeof(struct arena_block))
        return NULL;
    struct arena_block *block = calloc(1, sizeof *block + size);
    if (!block)
        return NULL;
    block->size_bytes = size;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *arena_alloc(struct arena *arena, size_t count, size_t item_bytes, size_t alignment)
{
    assert(alignment > 0 && alignment <= alignof(max_align_t) && (alignment & (alignment - 1)) == 0);
    if (item_bytes && count > SIZE_MAX / 2 / item_bytes)
        return NULL;
    size_t bytes = count * item_bytes;
    if (bytes > arena->limit_bytes - arena->used_bytes)
        return NULL;
    struct arena_block *block = arena->blocks;
    size_t start = block ? (block->used_bytes + alignment - 1) & ~(alignment - 1) : 0;
    if (!block || start > block->size_bytes || bytes > block->size_bytes - start) {
        block = add_block(arena, bytes);
        if (!block)
            return NULL;
        start = 0;
    }
    block->used_bytes = start + bytes;
    arena->used_bytes += bytes;
    return block->data + start;
}

void *arena_room(struct arena *arena, void *items, size_t *capacity, size_t count, size_t item_bytes)
{
    enum { FIRST = 16 };
    if (count < *capacity)
        return items;
    size_t wanted = *capacity ? 2 * *capacity : FIRST;
    void *more = arena_alloc(arena, wanted, item_bytes, alignof(max_align_t));
    if (!more)
        return NULL;
    if (count > 0)
        memcpy(more, items, count * item_bytes);
    *capacity = wanted;
    return more;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    if (!text)
        return NULL;
    size_t bytes = strlen(text) + 1;
    char *copy = arena_alloc(arena, bytes, 1, 1);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *out = length < 0 ? NULL : arena_alloc(arena, (size_t)length + 1, 1, 1);
    if (out)
        (void)vsnprintf(out, (size_t)length + 1, format, again);
    va_end(again);
    return out;
}

void arena_say_exhausted(const struct arena *arena, struct diag *diag)
{
    diag_set(diag, NULL, "the input is larger than venturi accepts, or the machine is out of memory",
             "out of memory after %zu of at most %zu bytes", arena->used_bytes, arena->limit_bytes);
}
