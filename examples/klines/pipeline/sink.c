/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/sink.h"

#include <ctype.h>
#include <stdio.h>

void sink_table_name(char *name, size_t name_bytes, const char *symbol)
{
    snprintf(name, name_bytes, "klines_%s", symbol);
    for (; *name != '\0'; name++)
        *name = (char)tolower((unsigned char)*name);
}
