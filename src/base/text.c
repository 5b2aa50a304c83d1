/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_init(struct text *text, size_t limit_bytes)
{
    const size_t sane_bytes = SIZE_MAX / 4; /* so that no sum below overflows */
    *text = (struct text){.limit_bytes = limit_bytes < sane_bytes ? limit_bytes : sane_bytes};
}

void text_fini(struct text *text)
{
    free(text->data);
    *text = (struct text){0};
}

/* Room for `more` bytes and the final NUL. */
static bool reserve(struct text *text, size_t more)
{
    if (text->failed || more > text->limit_bytes - text->length_bytes)
        return !(text->failed = true);
    size_t needed = text->length_bytes + more + 1;
    if (needed <= text->capacity_bytes)
        return true;
    size_t capacity = text->capacity_bytes * 2 > needed ? text->capacity_bytes * 2 : needed + 64;
    char *data = realloc(text->data, capacity);
    if (!data)
        return !(text->failed = true);
    text->data = data;
    text->capacity_bytes = capacity;
    return true;
}

void text_add_bytes(struct text *text, const char *bytes, size_t count)
{
    if (!reserve(text, count))
        return;
    memcpy(text->data + text->length_bytes, bytes, count);
    text->length_bytes += count;
    text->data[text->length_bytes] = '\0';
}

void text_add(struct text *text, const char *string)
{
    text_add_bytes(text, string, strlen(string));
}

void text_addf(struct text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) {
        text->failed = true;
    } else if (reserve(text, (size_t)length)) {
        (void)vsnprintf(text->data + text->length_bytes, (size_t)length + 1, format, again);
        text->length_bytes += (size_t)length;
    }
    va_end(again);
}

void text_clear(struct text *text)
{
    text->length_bytes = 0;
    if (text->data)
        text->data[0] = '\0';
}

const char *text_string(const struct text *text)
{
    return text->data ? text->data : "";
}

enum err text_check(const struct text *text, struct diag *diag)
{
    if (!text->failed)
        return ERR_OK;
    return diag_fail(diag, ERR_MEMORY, NULL, NULL, "a text reached its limit of %zu bytes, or memory is out",
                     text->limit_bytes);
}
