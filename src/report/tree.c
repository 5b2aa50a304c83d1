/* SPDX-License-Identifier: Apache-2.0 */
#include "report/tree.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

struct document *document_new(struct arena *arena)
{
    struct document *document = ARENA_NEW(arena, struct document);
    if (document)
        document->arena = arena;
    return document;
}

static struct block *add_block(struct document *document, enum block_kind kind)
{
    struct block *block = ARENA_NEW(document->arena, struct block);
    if (!block) {
        document->failed = true;
        return NULL;
    }
    block->kind = kind;
    if (document->last)
        document->last->next = block;
    else
        document->first = block;
    return document->last = block;
}

PRINTF_LIKE(4, 0)
static void add_text(struct document *document, enum block_kind kind, unsigned level, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));
static void add_text(struct document *document, enum block_kind kind, unsigned level, const char *format, va_list args)
{
    struct block *block = add_block(document, kind);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *copy = length < 0 ? NULL : arena_alloc(document->arena, (size_t)length + 1, 1, 1);
    if (!block || !copy) {
        document->failed = true;
        return;
    }
    (void)vsnprintf(copy, (size_t)length + 1, format, args);
    block->text = copy;
    block->level = level;
}

#define ADD_TEXT(kind, level)                                                                                          \
    va_list args;                                                                                                      \
    va_start(args, format);                                                                                            \
    add_text(document, kind, level, format, args);                                                                     \
    va_end(args)

void document_heading(struct document *document, unsigned level, const char *format, ...)
{
    ADD_TEXT(BLOCK_HEADING, level);
}

void document_paragraph(struct document *document, const char *format, ...)
{
    ADD_TEXT(BLOCK_PARAGRAPH, 0);
}

void document_callout(struct document *document, const char *format, ...)
{
    ADD_TEXT(BLOCK_CALLOUT, 0);
}

void document_item(struct document *document, const char *format, ...)
{
    ADD_TEXT(BLOCK_ITEM, 0);
}

/* A copy of `count` texts; NULL (and failed) when one is missing or memory is out. */
static const char **copy_cells(struct document *document, const char *const *cells, size_t count)
{
    const char **copies = ARENA_ARRAY(document->arena, const char *, count);
    for (size_t i = 0; copies && i < count; i++) {
        copies[i] = arena_strdup(document->arena, cells[i]);
        if (!copies[i])
            copies = NULL;
    }
    document->failed |= !copies;
    return copies;
}

void document_table(struct document *document, const char *const *columns)
{
    struct block *block = add_block(document, BLOCK_TABLE);
    size_t count = 0;
    while (columns[count])
        count++;
    const char **copies = copy_cells(document, columns, count);
    if (!block || !copies)
        return;
    block->columns = copies;
    block->column_count = count;
}

void document_row(struct document *document, const char *const *cells)
{
    struct block *table = document->last;
    if (!table || table->kind != BLOCK_TABLE || !table->columns) {
        document->failed = true;
        return;
    }
    struct row *row = ARENA_NEW(document->arena, struct row);
    const char **copies = copy_cells(document, cells, table->column_count);
    if (!row || !copies) {
        document->failed = true;
        return;
    }
    row->cells = copies;
    if (table->last_row)
        table->last_row->next = row;
    else
        table->rows = row;
    table->last_row = row;
    table->row_count++;
}

void document_bar(struct document *document, const char *label, double share, const char *text)
{
    struct block *block = add_block(document, BLOCK_BAR);
    if (!block)
        return;
    block->text = arena_strdup(document->arena, label);
    block->value = arena_strdup(document->arena, text);
    block->share = isfinite(share) ? fmin(fmax(share, 0), 1) : 0;
    document->failed |= !block->text || !block->value;
}

enum err document_check(const struct document *document, const struct text *out, struct diag *diag)
{
    if (document->failed)
        return diag_fail(diag, ERR_MEMORY, "report", NULL, "could not be built: out of memory");
    return text_check(out, diag);
}

bool block_opens_run(const struct block *previous, const struct block *block)
{
    return !previous || previous->kind != block->kind;
}

bool block_closes_run(const struct block *block)
{
    return !block->next || block->next->kind != block->kind;
}
