/* SPDX-License-Identifier: Apache-2.0 */
#include "base/duration.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    double ns;
} units[] = {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};

bool duration_parse(uint64_t *out_ns, const char *text)
{
    const double limit_ns = 30 * 86400e9;
    char *unit;
    double number = strtod(text, &unit);
    if (!isdigit((unsigned char)*text) || unit != text + strspn(text, "0123456789."))
        return false; /* strtod would take "inf", " 1", "-1", "0x10" and "1e3" */
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        double ns = number * units[i].ns;
        if (strcmp(unit, units[i].name) == 0 && ns >= 1 && ns <= limit_ns) {
            *out_ns = (uint64_t)ns;
            return true;
        }
    }
    return false;
}
