/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fill(struct diag *diag, const char *where, const char *hint)
{
    (void)snprintf(diag->where, sizeof diag->where, "%s", where ? where : "");
    (void)snprintf(diag->hint, sizeof diag->hint, "%s", hint ? hint : "");
}

void diag_set(struct diag *diag, const char *where, const char *hint, const char *what_format, ...)
{
    if (!diag)
        return;
    va_list args;
    va_start(args, what_format);
    char what[sizeof diag->what]; /* the arguments may point into `diag` itself */
    (void)vsnprintf(what, sizeof what, what_format, args);
    va_end(args);
    fill(diag, where, hint);
    memcpy(diag->what, what, sizeof what);
}

void diag_set_errno(struct diag *diag, int errno_value, const char *where, const char *what)
{
    diag_set(diag, where, NULL, "%s: %s", what, strerror(errno_value));
}

const char *diag_line(const struct diag *diag, char *line, unsigned long line_bytes)
{
    (void)snprintf(line, line_bytes, "%s%s%s%s%s", diag->where, diag->where[0] ? ": " : "", diag->what,
                   diag->hint[0] ? "; " : "", diag->hint);
    return line;
}
