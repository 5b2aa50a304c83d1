/* SPDX-License-Identifier: Apache-2.0
 *
 * Markdown as GitHub reads it: every character that could mean something is escaped.
 */
#include "report/tree.h"
#include "report/untrusted.h"

#include <string.h>

static bool ends_with(const struct text *out, const char *suffix)
{
    size_t bytes = strlen(suffix);
    return out->length_bytes >= bytes && memcmp(out->data + out->length_bytes - bytes, suffix, bytes) == 0;
}

/* Whether a paragraph or an item would begin at this offset of `out`. */
static bool begins_block(const struct text *out, size_t at)
{
    const char *data = text_string(out);
    if (at == 0 || data[at - 1] == '\n')
        return true;
    return at >= 2 && memcmp(data + at - 2, "- ", 2) == 0 && (at == 2 || data[at - 3] == '\n');
}

static bool follows_opening_number(const struct text *out)
{
    size_t at = out->length_bytes;
    while (at > 0 && out->data[at - 1] >= '0' && out->data[at - 1] <= '9')
        at--;
    return at < out->length_bytes && begins_block(out, at);
}

/* What means something only here: the start of a list, rule or heading, and of a bare link. */
static bool means_something_here(const struct text *out, char c)
{
    switch (c) {
    case '-':
    case '+':
    case '=':
        return begins_block(out, out->length_bytes);
    case ')':
        return follows_opening_number(out);
    case '.':
        return follows_opening_number(out) || ends_with(out, "www");
    case '/':
        return ends_with(out, ":");
    default:
        return false;
    }
}

static void put(struct text *out, const char *bytes, size_t count)
{
    char c = count == 1 ? *bytes : '\0';
    if (c == ' ' && begins_block(out, out->length_bytes))
        return;                             /* four would make a block of code */
    if (c == '<' || c == '>' || c == '&') { /* a backslash does not stop HTML in every reader */
        text_add(out, c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&amp;");
        return;
    }
    if (c && (strchr("\\`*_{}[]#|!~$@", c) || means_something_here(out, c)))
        text_add(out, "\\");
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
