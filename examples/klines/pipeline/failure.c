/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/failure.h"

#include <stdarg.h>
#include <stdio.h>

enum status fail_with(struct failure *failure, enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(failure->text, sizeof failure->text, format, args);
    va_end(args);
    for (char *at = failure->text; *at != '\0'; at++) /* parts of it may come out of bad data */
        *at = (unsigned char)*at < ' ' || *at == 0x7f ? '?' : *at;
    return status;
}

enum status fail_no_memory(struct failure *failure)
{
    return fail_with(failure, STATUS_INTERNAL, "out of memory");
}
