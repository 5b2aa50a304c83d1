/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/mistake.h"

#include "pipeline/pipeline.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WORD_LIMIT = 40, SLIPS = 2 };

/* The length of the UTF-8 character at `at` that a terminal may be given; 0 for bytes it may not. */
static size_t printable(const unsigned char *at)
{
    if (at[0] < 0x80)
        return at[0] >= 0x20 && at[0] != 0x7f;
    size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || (at[0] == 0xc2 && at[1] < 0xa0))
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* Newlines, escape sequences and characters cut in two become '?'. */
static void make_printable(char *text)
{
    for (char *at = text; *at;) {
        size_t length = printable((const unsigned char *)at);
        if (length == 0)
            *at = '?';
        at += length ? length : 1;
    }
}

void diag_make_printable(struct diag *diag)
{
    if (!diag)
        return;
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 8 * sizeof diag->what);
    (void)snprintf(diag->what, sizeof diag->what, "%s", pipeline_url_redacted(diag->what, &arena));
    make_printable(diag->where);
    make_printable(diag->what);
    make_printable(diag->hint);
}

/* "name:line"; of a long name the end is kept. */
static void say_where(char *out, size_t out_bytes, const char *name, unsigned line)
{
    size_t length = strlen(name), kept = out_bytes - 20;
    (void)snprintf(out, out_bytes, "%s%s:%u", length > kept ? "..." : "", length > kept ? name + length - kept : name,
                   line);
}

enum err mistake(const struct reading *reading, const struct toml_value *at, const char *hint, const char *format, ...)
{
    char what[sizeof reading->diag->what], where[sizeof reading->diag->where];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    say_where(where, sizeof where, reading->name, at->line);
    enum err error = diag_fail(reading->diag, ERR_CONFIG, where, hint, "%s %s", reading->subject, what);
    diag_make_printable(reading->diag);
    return error;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to insert, delete, change or swap to get from `a` to `b` (optimal string alignment distance). */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][WORD_LIMIT + 1], a_length = strlen(a), b_length = strlen(b);
    if (a_length > WORD_LIMIT || b_length > WORD_LIMIT)
        return WORD_LIMIT;
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

static const char *nearest(const char *wrong, const char *const *known, size_t count)
{
    const char *best = NULL;
    size_t best_distance = SLIPS + 1;
    for (size_t i = 0; i < count; i++) {
        size_t slips = distance(wrong, known[i]);
        if (slips < best_distance && 3 * slips <= strlen(known[i])) {
            best = known[i];
            best_distance = slips;
        }
    }
    return best;
}

const char *suggest(char hint[HINT_BYTES], const char *wrong, const char *const *known, size_t count)
{
    const char *meant = nearest(wrong, known, count);
    if (meant) {
        (void)snprintf(hint, HINT_BYTES, "did you mean '%s'?", meant);
        return hint;
    }
    size_t used = (size_t)snprintf(hint, HINT_BYTES, count ? "expected one of: " : "there is none");
    for (size_t i = 0; i < count && used < HINT_BYTES; i++)
        used += (size_t)snprintf(hint + used, HINT_BYTES - used, "%s%s", i ? ", " : "", known[i]);
    return hint;
}
