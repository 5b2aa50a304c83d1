/* SPDX-License-Identifier: Apache-2.0
 *
 * One HTML page without scripts. The policy in its head forbids everything but its own style, so that even a mistake
 * here could load or run nothing.
 */
#include "report/tree.h"
#include "report/untrusted.h"

static const char head_start[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>";
static const char head_end[] =
    "</title>\n<style>\n"
    ":root { color-scheme: light dark; --line: #8885; --bar: #3b82c4; --mark: #e8f1fa; }\n"
    "@media (prefers-color-scheme: dark) { :root { --mark: #1d2b3a; } }\n"
    "body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }\n"
    "table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }\n"
    "th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }\n"
    ".callout { background: var(--mark); border-left: 4px solid var(--bar); padding: .7rem 1rem; font-weight: 600; }\n"
    ".bar { fill: var(--bar); } svg text { fill: currentColor; font-size: 14px; }\n"
    "</style>\n</head>\n<body>\n";

static void put(struct text *out, const char *bytes, size_t count)
{
    switch (count == 1 ? *bytes : 0) {
    case '&':
        text_add(out, "&amp;");
        break;
    case '<':
        text_add(out, "&lt;");
        break;
    case '>':
        text_add(out, "&gt;");
        break;
    case '"':
        text_add(out, "&quot;");
        break;
    case '\'':
        text_add(out, "&#39;");
        break;
    default:
        text_add_bytes(out, bytes, count);
    }
}

static void write_element(struct text *out, const char *open, const char *text, const char *close)
{
    text_add(out, open);
    untrusted_add(out, text, put);
    text_add(out, close);
}

static void write_row(struct text *out, const char *const *cells, size_t count, const char *open, const char *close)
{
    text_add(out, "<tr>");
    for (size_t i = 0; i < count; i++)
        write_element(out, open, cells[i], close);
    text_add(out, "</tr>\n");
}

static void write_table(struct text *out, const struct block *table)
{
    text_add(out, "<table>\n<thead>");
    write_row(out, table->columns, table->column_count, "<th scope=\"col\">", "</th>");
    text_add(out, "</thead>\n<tbody>\n");
    for (const struct row *row = table->rows; row; row = row->next)
        write_row(out, row->cells, table->column_count, "<td>", "</td>");
    text_add(out, "</tbody>\n</table>\n");
}

/* Each bar is a picture of its own, so that a chart needs no measuring of its neighbours. */
static void write_bar(struct text *out, const struct block *bar)
{
    enum { LABEL_WIDTH = 160, BAR_WIDTH = 400 };
    double width = bar->share * BAR_WIDTH;
    text_addf(out, "<svg role=\"img\" width=\"760\" height=\"24\" style=\"display:block\"><text x=\"0\" y=\"17\">");
    untrusted_add(out, bar->text, put);
    text_addf(out,
              "</text><rect class=\"bar\" x=\"%d\" y=\"4\" width=\"%.1f\" height=\"16\"/><text x=\"%.1f\" y=\"17\">",
              LABEL_WIDTH, width, LABEL_WIDTH + width + 8);
    untrusted_add(out, bar->value, put);
    text_add(out, "</text></svg>\n");
}

static void write_heading(struct text *out, const struct block *heading)
{
    text_addf(out, "<h%u>", heading->level);
    untrusted_add(out, heading->text, put);
    text_addf(out, "</h%u>\n", heading->level);
}

static void write_block(struct text *out, const struct block *block, const struct block *previous)
{
    switch (block->kind) {
    case BLOCK_HEADING:
        write_heading(out, block);
        break;
    case BLOCK_PARAGRAPH:
        write_element(out, "<p>", block->text, "</p>\n");
        break;
    case BLOCK_CALLOUT:
        write_element(out, "<p class=\"callout\">", block->text, "</p>\n");
        break;
    case BLOCK_ITEM:
        write_element(out, block_opens_run(previous, block) ? "<ul>\n<li>" : "<li>", block->text,
                      block_closes_run(block) ? "</li>\n</ul>\n" : "</li>\n");
        break;
    case BLOCK_TABLE:
        write_table(out, block);
        break;
    case BLOCK_BAR:
        write_bar(out, block);
        break;
    }
}

enum err document_html(struct text *out, const struct document *document, const char *title, struct diag *diag)
{
    const struct block *previous = NULL;
    TRY(document_check(document, out, diag)); /* a document that failed has holes */
    text_add(out, head_start);
    untrusted_add(out, title, put);
    text_add(out, head_end);
    for (const struct block *block = document->first; block; previous = block, block = block->next)
        write_block(out, block, previous);
    text_add(out, "</body>\n</html>\n");
    return document_check(document, out, diag);
}
