/* SPDX-License-Identifier: Apache-2.0 */
#include "report/untrusted.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The length of the UTF-8 sequence at `s` and its code point; 0 when it is none (RFC 3629, overlong and surrogates
 * out). */
static size_t decode(const unsigned char *s, uint32_t *out)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = s[0] < 0x80 ? 1 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    if (length == 0 || s[0] >= 0xf5)
        return 0;
    uint32_t code = length == 1 ? s[0] : s[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3fu);
    }
    *out = code;
    return length > 1 && (code < smallest[length] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff) ? 0 : length;
}

/* Control characters, and what turns the reading direction or cannot be seen (Unicode bidi controls, zero width, BOM).
 */
static bool deceives(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || code == 0x61c;
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
    const unsigned char *s = (const unsigned char *)string;
    while (*s) {
        uint32_t code = 0;
        size_t length = decode(s, &code);
        if (length == 0)
            put(out, "\xef\xbf\xbd", 3);
        else if (code == '\n' || code == '\t' || code == '\r')
            put(out, " ", 1);
        else if (deceives(code))
            put_escape(out, code, put);
        else
            put(out, (const char *)s, length);
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
