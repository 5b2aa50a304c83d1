/* SPDX-License-Identifier: Apache-2.0 */
#include "cdn/range.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Digits only: strtoull alone would take blanks and signs. A number too large is the largest. */
static bool read_digits(uint64_t *out, const char **text)
{
    char *end;
    if (!isdigit((unsigned char)**text))
        return false;
    *out = strtoull(*text, &end, 10);
    *text = end;
    return true;
}

enum range_answer range_read(struct range *out, const char *header, uint64_t size)
{
    uint64_t first = 0, last = UINT64_MAX;
    *out = (struct range){.first = 0, .count = size};
    if (header == NULL || strncmp(header, "bytes=", 6) != 0)
        return RANGE_WHOLE;
    const char *text = header + 6;
    bool has_first = read_digits(&first, &text);
    if (*text != '-')
        return RANGE_WHOLE;
    text++;
    bool has_last = read_digits(&last, &text);
    if (*text != '\0' || (!has_first && !has_last) || (has_first && has_last && last < first))
        return RANGE_WHOLE;
    if (!has_first) { /* "bytes=-500": the last 500 */
        first = last < size ? size - last : 0;
        last = last == 0 ? 0 : UINT64_MAX;
        if (last == 0)
            return RANGE_UNSATISFIABLE;
    }
    if (first >= size)
        return RANGE_UNSATISFIABLE;
    *out = (struct range){.first = first, .count = (last < size ? last + 1 : size) - first};
    return RANGE_PART;
}
