/* SPDX-License-Identifier: Apache-2.0 */
#include "report/untrusted.h"

#include "finding/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Control characters, and what turns the reading direction or cannot be seen (Unicode bidi controls, zero width, BOM,
 * tags). */
static bool deceives(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
           code == 0x61c || (code >= 0xe0000 && code <= 0xe007f);
}

static void put_escape(struct text *out, uint32_t code, untrusted_put *put)
{
    char escape[16];
    (void)snprintf(escape, sizeof escape, "\\u%04x", code);
    for (const char *c = escape; *c; c++)
        put(out, c, 1);
}

void untrusted_add(struct text *out, const char *string, untrusted_put *put)
{
    const char *s = string;
    while (*s) {
        uint32_t code = 0;
        size_t length = utf8_decode(&code, s);
        if (length == 0)
            put(out, "\xef\xbf\xbd", 3);
        else if (code == '\n' || code == '\t' || code == '\r')
            put(out, " ", 1);
        else if (deceives(code))
            put_escape(out, code, put);
        else
            put(out, s, length);
        s += length ? length : 1;
    }
}

static void count_character(struct text *out, const char *bytes, size_t count)
{
    (void)bytes;
    (void)count;
    out->length_bytes++;
}

size_t untrusted_width(const char *string)
{
    struct text counter = {0};
    untrusted_add(&counter, string, count_character);
    return counter.length_bytes;
}
