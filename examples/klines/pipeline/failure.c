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
    return status;
}

enum status fail_no_memory(struct failure *failure)
{
    return fail_with(failure, STATUS_INTERNAL, "out of memory");
}
