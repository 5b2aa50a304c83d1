/* SPDX-License-Identifier: Apache-2.0
 *
 * Building findings: every text is copied, cut and made UTF-8 here, so that what an agent writes can always be read.
 */
#include "finding/finding.h"

#include "finding/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err findings_new(struct findings **out, const char *agent, struct arena *arena, struct diag *diag)
{
    struct findings *findings = ARENA_NEW(arena, struct findings);
    if (!findings)
        return arena_exhausted(arena, diag);
    *findings = (struct findings){.agent = arena_strdup(arena, agent), .answered = true, .summary = "", .arena = arena};
    *out = findings;
    return findings->agent ? ERR_OK : arena_exhausted(arena, diag);
}

static void fail(struct findings *findings, const char *why)
{
    if (!findings->build_error)
        findings->build_error = why;
}

/* `text` as valid UTF-8 of at most STRICT_TEXT_BYTES; NULL in, or no memory, is a failure and gives "". */
static const char *keep(struct findings *findings, const char *text)
{
    static const char REPLACEMENT[] = "\xef\xbf\xbd"; /* U+FFFD */
    char clean[STRICT_TEXT_BYTES + 1];
    size_t used = 0;
    uint32_t point;
    while (text && *text) {
        size_t bytes = utf8_decode(&point, text);
        const char *from = bytes ? text : REPLACEMENT;
        size_t added = bytes ? bytes : sizeof REPLACEMENT - 1;
        if (used + added > STRICT_TEXT_BYTES)
            break;
        memcpy(clean + used, from, added);
        used += added;
        text += bytes ? bytes : 1;
    }
    clean[used] = '\0';
    const char *copy = text ? arena_strdup(findings->arena, clean) : NULL;
    if (!copy)
        fail(findings, "out of memory");
    return copy ? copy : "";
}

static const char *keep_format(struct findings *findings, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static const char *keep_format(struct findings *findings, const char *format, va_list args)
{
    char text[STRICT_TEXT_BYTES + 4]; /* room for a character cut in two, which `keep` then repairs or drops */
    (void)vsnprintf(text, sizeof text, format, args);
    return keep(findings, text);
}

/* Room for one more item of a list that grows by doubling; NULL and a failure at the cap. */
static void *grow(struct findings *findings, void *items, size_t count, size_t item_bytes, size_t limit)
{
    if (count >= limit) {
        fail(findings, "more items than a findings document may have");
        return NULL;
    }
    if (count > 0 && (count & (count - 1)) != 0)
        return items;
    void *bigger = arena_alloc(findings->arena, count ? 2 * count : 1, item_bytes, alignof(max_align_t));
    if (!bigger) {
        fail(findings, "out of memory");
        return NULL;
    }
    if (count > 0)
        memcpy(bigger, items, count * item_bytes);
    return bigger;
}

static void *keep_copy(struct findings *findings, const void *item, size_t bytes)
{
    void *copy = item ? arena_alloc(findings->arena, 1, bytes, alignof(max_align_t)) : NULL;
    if (item && !copy)
        fail(findings, "out of memory");
    return copy ? memcpy(copy, item, bytes) : NULL;
}

static const char *const *keep_ids(struct findings *findings, const char *const *ids)
{
    size_t count = 0;
    while (ids && ids[count])
        count++;
    if (count > FINDINGS_EXPERIMENTS_MAX)
        fail(findings, "more experiments than a claim or stance may rest on");
    const char **copy = ARENA_ARRAY(findings->arena, const char *, count + 1);
    if (!copy)
        fail(findings, "out of memory");
    for (size_t i = 0; copy && i < count; i++)
        copy[i] = keep(findings, ids[i]);
    return copy;
}

static void add_line(struct findings *findings, struct lines *lines, const char *text)
{
    const char **items = grow(findings, lines->items, lines->count, sizeof *items, FINDINGS_ITEMS_MAX);
    if (!items)
        return;
    items[lines->count++] = text;
    lines->items = items;
}

void findings_summary(struct findings *findings, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    findings->summary = keep_format(findings, format, args);
    va_end(args);
}

void findings_looked_at(struct findings *findings, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_line(findings, &findings->looked_at, keep_format(findings, format, args));
    va_end(args);
}

void findings_not_looked_at(struct findings *findings, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_line(findings, &findings->not_looked_at, keep_format(findings, format, args));
    va_end(args);
}

void findings_claim(struct findings *findings, enum basis basis, const struct quantity *value,
                    const char *const *experiments, const char *format, ...)
{
    struct claim *claims = grow(findings, findings->claims, findings->claim_count, sizeof *claims, FINDINGS_ITEMS_MAX);
    if (!claims)
        return;
    va_list args;
    va_start(args, format);
    claims[findings->claim_count++] = (struct claim){.text = keep_format(findings, format, args),
                                                     .basis = basis,
                                                     .value = keep_copy(findings, value, sizeof *value),
                                                     .experiments = keep_ids(findings, experiments)};
    va_end(args);
    findings->claims = claims;
}

static const struct knob_change *keep_change(struct findings *findings, const struct knob_change *change)
{
    struct knob_change *copy = keep_copy(findings, change, sizeof *change);
    if (copy)
        *copy = (struct knob_change){.knob = keep(findings, change->knob),
                                     .from = keep(findings, change->from),
                                     .to = keep(findings, change->to)};
    return copy;
}

void findings_stance(struct findings *findings, const struct stance *stance, const char *why_format, ...)
{
    struct stance *stances =
        grow(findings, findings->stances, findings->stance_count, sizeof *stances, FINDINGS_ITEMS_MAX);
    if (!stances)
        return;
    va_list args;
    va_start(args, why_format);
    stances[findings->stance_count++] =
        (struct stance){.candidate = keep(findings, stance->candidate),
                        .vote = stance->vote,
                        .why = keep_format(findings, why_format, args),
                        .change = keep_change(findings, stance->change),
                        .effect = keep_copy(findings, stance->effect, sizeof *stance->effect),
                        .prediction = keep_copy(findings, stance->prediction, sizeof *stance->prediction),
                        .experiments = keep_ids(findings, stance->experiments)};
    va_end(args);
    findings->stances = stances;
}

void findings_capacity(struct findings *findings, const char *stage, struct interval rows_s)
{
    struct capacity capacity = {.stage = keep(findings, stage), .rows_s = rows_s};
    findings->capacity = keep_copy(findings, &capacity, sizeof capacity);
}

void findings_table(struct findings *findings, const char *title, const char *const *columns)
{
    struct table *tables = grow(findings, findings->tables, findings->table_count, sizeof *tables, FINDINGS_TABLES_MAX);
    if (!tables)
        return;
    struct table table = {.title = keep(findings, title)};
    while (columns[table.column_count])
        table.column_count++;
    if (table.column_count > FINDINGS_COLUMNS_MAX)
        fail(findings, "more columns than a table may have");
    table.columns = ARENA_ARRAY(findings->arena, const char *, table.column_count);
    if (!table.columns)
        fail(findings, "out of memory");
    for (size_t i = 0; table.columns && i < table.column_count; i++)
        table.columns[i] = keep(findings, columns[i]);
    tables[findings->table_count++] = table;
    findings->tables = tables;
}

void findings_row(struct findings *findings, const char *const *cells)
{
    if (findings->table_count == 0) {
        fail(findings, "a row without a table");
        return;
    }
    struct table *table = &findings->tables[findings->table_count - 1];
    const char ***rows = grow(findings, table->rows, table->row_count, sizeof *rows, FINDINGS_ITEMS_MAX);
    const char **row = ARENA_ARRAY(findings->arena, const char *, table->column_count);
    if (!rows || !row) {
        fail(findings, "out of memory");
        return;
    }
    for (size_t i = 0; i < table->column_count; i++)
        row[i] = keep(findings, cells[i]);
    rows[table->row_count++] = row;
    table->rows = rows;
}

enum err findings_no_answer(struct findings **out, const char *agent, const char *why, struct arena *arena,
                            struct diag *diag)
{
    TRY(findings_new(out, agent, arena, diag));
    (*out)->answered = false;
    (*out)->why = keep(*out, why);
    return (*out)->build_error ? arena_exhausted(arena, diag) : ERR_OK;
}
