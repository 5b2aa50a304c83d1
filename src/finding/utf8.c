/* SPDX-License-Identifier: Apache-2.0 */
#include "finding/utf8.h"

/* Smallest code point that may take 1, 2, 3, 4 bytes; anything shorter is an overlong form (RFC 3629, section 3). */
static const uint32_t FIRST_POINT[] = {0, 0, 0x80, 0x800, 0x10000};

static size_t sequence_bytes(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
}

size_t utf8_decode(uint32_t *point, const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t count = sequence_bytes(bytes[0]);
    uint32_t value = count == 1 ? bytes[0] : bytes[0] & (0x7fU >> count);
    for (size_t i = 1; i < count; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (bytes[i] & 0x3fU);
    }
    *point = value;
    return value < FIRST_POINT[count] || (value >= 0xd800 && value < 0xe000) || value > 0x10ffff ? 0 : count;
}
