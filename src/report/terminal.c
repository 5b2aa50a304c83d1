/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain text for a terminal: columns aligned, paragraphs wrapped, bold where colour is allowed.
 */
#include "report/tree.h"
#include "report/untrusted.h"

#include <string.h>

enum { COLUMNS_MAX = 32, BAR_CELLS = 40 };

struct page {
    struct text *out;
    size_t width;
    bool colour;
};

static void put(struct text *out, const char *bytes, size_t count)
{
    text_add_bytes(out, bytes, count);
}

static void pad(struct text *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        text_add(out, " ");
}

static void write_bold(const struct page *page, const char *text)
{
    text_add(page->out, page->colour ? "\033[1m" : "");
    untrusted_add(page->out, text, put);
    text_add(page->out, page->colour ? "\033[0m\n" : "\n");
}

/* Of UTF-8: every byte but those that continue one. */
static size_t characters(const char *word, size_t bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < bytes; i++)
        count += ((unsigned char)word[i] & 0xc0) != 0x80;
    return count;
}

/* Breaks at spaces; `indent` spaces before every line but the first, in which `column` are taken already. */
static void write_wrapped(const struct page *page, const char *string, size_t indent, size_t column)
{
    struct text clean;
    text_init(&clean, DOCUMENT_LIMIT_BYTES);
    untrusted_add(&clean, string, put);
    bool first = column == indent; /* of its line */
    for (const char *word = text_string(&clean); *word;) {
        size_t length = strcspn(word, " "), width = characters(word, length);
        if (page->width && !first && column + 1 + width > page->width) {
            text_add(page->out, "\n");
            pad(page->out, indent);
            column = indent;
        } else if (!first) {
            text_add(page->out, " ");
            column++;
        }
        text_add_bytes(page->out, word, length);
        column += width;
        first = false;
        word += length + strspn(word + length, " ");
    }
    text_add(page->out, "\n");
    page->out->failed |= clean.failed;
    text_fini(&clean);
}

static void write_cells(const struct page *page, const char *const *cells, const size_t *widths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        untrusted_add(page->out, cells[i], put);
        if (i + 1 < count)
            pad(page->out, widths[i] - untrusted_width(cells[i]) + 2);
    }
    text_add(page->out, "\n");
}

static void widen(size_t *widths, const char *const *cells, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t width = untrusted_width(cells[i]);
        if (width > widths[i])
            widths[i] = width;
    }
}

/* A row of a table that is wider than the page: its cells below one another, each behind its column's name. */
static void write_record(const struct page *page, const struct block *table, const struct row *row)
{
    write_bold(page, row->cells[0]);
    for (size_t i = 1; i < table->column_count; i++) {
        text_add(page->out, "  ");
        untrusted_add(page->out, table->columns[i], put);
        text_add(page->out, ":");
        write_wrapped(page, row->cells[i], 4, 3 + untrusted_width(table->columns[i]));
    }
}

static void write_records(const struct page *page, const struct block *table)
{
    for (const struct row *row = table->rows; row; row = row->next)
        write_record(page, table, row);
    text_add(page->out, "\n");
}

static void write_table(const struct page *page, const struct block *table)
{
    size_t widths[COLUMNS_MAX] = {0}, total = 0;
    size_t count = table->column_count < COLUMNS_MAX ? table->column_count : COLUMNS_MAX;
    widen(widths, table->columns, count);
    for (const struct row *row = table->rows; row; row = row->next)
        widen(widths, row->cells, count);
    for (size_t i = 0; i < count; i++)
        total += widths[i] + (i + 1 < count ? 2 : 0);
    if (page->width && total > page->width) {
        write_records(page, table);
        return;
    }
    write_cells(page, table->columns, widths, count);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < widths[i] + (i + 1 < count ? 2 : 0); j++)
            text_add(page->out, "-");
    }
    text_add(page->out, "\n");
    for (const struct row *row = table->rows; row; row = row->next)
        write_cells(page, row->cells, widths, count);
    text_add(page->out, "\n");
}

static void write_bar(const struct page *page, const struct block *bar)
{
    enum { LABEL_WIDTH = 12 };
    size_t width = untrusted_width(bar->text), label = width < LABEL_WIDTH ? LABEL_WIDTH : width + 1;
    size_t beside = label + 1 + untrusted_width(bar->value), room = BAR_CELLS;
    if (page->width && beside + room > page->width)
        room = page->width > beside ? page->width - beside : 0;
    size_t cells = (size_t)(bar->share * (double)room + 0.5);
    untrusted_add(page->out, bar->text, put);
    pad(page->out, label - width);
    for (size_t i = 0; i < cells; i++)
        text_add(page->out, "█");
    pad(page->out, room - cells + 1);
    untrusted_add(page->out, bar->value, put);
    text_add(page->out, "\n");
}

static void write_block(const struct page *page, const struct block *block)
{
    switch (block->kind) {
    case BLOCK_HEADING:
    case BLOCK_CALLOUT:
        text_add(page->out, page->colour ? "\033[1m" : "");
        write_wrapped(page, block->text, 0, 0);
        text_add(page->out, page->colour ? "\033[0m" : "");
        break;
    case BLOCK_PARAGRAPH:
        write_wrapped(page, block->text, 0, 0);
        break;
    case BLOCK_ITEM:
        text_add(page->out, "- ");
        write_wrapped(page, block->text, 2, 2);
        break;
    case BLOCK_TABLE:
        write_table(page, block);
        return;
    case BLOCK_BAR:
        write_bar(page, block);
        break;
    }
    if ((block->kind != BLOCK_ITEM && block->kind != BLOCK_BAR) || block_closes_run(block))
        text_add(page->out, "\n");
}

enum err document_terminal(struct text *out, const struct document *document, size_t width, bool colour,
                           struct diag *diag)
{
    struct page page = {out, width, colour};
    TRY(document_check(document, out, diag)); /* a document that failed has holes */
    for (const struct block *block = document->first; block; block = block->next)
        write_block(&page, block);
    return document_check(document, out, diag);
}
