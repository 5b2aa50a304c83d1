/* SPDX-License-Identifier: Apache-2.0
 *
 * Markdown as GitHub reads it: every character that could mean something is escaped.
 */
#include "report/tree.h"
#include "report/untrusted.h"

#include <string.h>

static void put(struct text *out, const char *bytes, size_t count)
{
    if (count == 1 && strchr("\\`*_{}[]<>#|!&~$:@", *bytes)) {
        /* a backslash does not stop autolinks and HTML in every reader: entities do */
        text_add(out, *bytes == '<' ? "&lt;" : *bytes == '>' ? "&gt;" : *bytes == '&' ? "&amp;" : "");
        if (strchr("<>&", *bytes))
            return;
        if (!strchr(":@", *bytes))
            text_add(out, "\\");
    }
    text_add_bytes(out, bytes, count);
}

static void write_row(struct text *out, const char *const *cells, size_t count)
{
    text_add(out, "|");
    for (size_t i = 0; i < count; i++) {
        text_add(out, " ");
        untrusted_add(out, cells[i], put);
        text_add(out, " |");
    }
    text_add(out, "\n");
}

static void write_table(struct text *out, const struct block *table)
{
    write_row(out, table->columns, table->column_count);
    text_add(out, "|");
    for (size_t i = 0; i < table->column_count; i++)
        text_add(out, " --- |");
    text_add(out, "\n");
    for (const struct row *row = table->rows; row; row = row->next)
        write_row(out, row->cells, table->column_count);
    text_add(out, "\n");
}

static void write_bar(struct text *out, const struct block *bar, bool first)
{
    enum { CELLS = 40 };
    if (first)
        text_add(out, "| | share | |\n| --- | --- | --- |\n");
    text_add(out, "| ");
    untrusted_add(out, bar->text, put);
    text_add(out, " | ");
    for (size_t i = 0; i < (size_t)(bar->share * CELLS + 0.5); i++)
        text_add(out, "█");
    text_add(out, " | ");
    untrusted_add(out, bar->value, put);
    text_add(out, " |\n");
}

static void write_block(struct text *out, const struct block *block, const struct block *previous)
{
    static const char *const prefixes[] = {[BLOCK_PARAGRAPH] = "", [BLOCK_CALLOUT] = "> **", [BLOCK_ITEM] = "- "};
    switch (block->kind) {
    case BLOCK_TABLE:
        write_table(out, block);
        return;
    case BLOCK_BAR:
        write_bar(out, block, block_opens_run(previous, block));
        break;
    case BLOCK_HEADING:
        for (unsigned i = 0; i < block->level; i++)
            text_add(out, "#");
        text_add(out, " ");
        untrusted_add(out, block->text, put);
        text_add(out, "\n\n");
        return;
    default:
        text_add(out, prefixes[block->kind]);
        untrusted_add(out, block->text, put);
        text_add(out, block->kind == BLOCK_CALLOUT ? "**\n" : "\n");
    }
    if ((block->kind != BLOCK_ITEM && block->kind != BLOCK_BAR) || block_closes_run(block))
        text_add(out, "\n");
}

enum err document_markdown(struct text *out, const struct document *document, struct diag *diag)
{
    const struct block *previous = NULL;
    TRY(document_check(document, out, diag)); /* a document that failed has holes */
    for (const struct block *block = document->first; block; previous = block, block = block->next)
        write_block(out, block, previous);
    return document_check(document, out, diag);
}
