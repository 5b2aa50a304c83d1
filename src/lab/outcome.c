/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/outcome.h"

#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = 200 };

/* The last line with something on it, cut at LINE_BYTES; control bytes become spaces. */
static void last_line(char out[LINE_BYTES], const struct child_output *output)
{
    const char *text = output->tail[0] ? output->tail : output->head;
    size_t end = strlen(text), start;
    while (end > 0 && (unsigned char)text[end - 1] <= ' ')
        end--;
    for (start = end; start > 0 && text[start - 1] != '\n'; start--)
        ;
    (void)snprintf(out, LINE_BYTES, "%.*s", (int)(end - start), text + start);
    for (char *at = out; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = ' ';
}

static void how(char *out, size_t out_bytes, const struct child_result *result)
{
    switch (result->outcome) {
    case CHILD_EXITED:
        (void)snprintf(out, out_bytes, "exited with status %d", result->code);
        break;
    case CHILD_SIGNALLED:
        (void)snprintf(out, out_bytes, "was killed by signal %d (%s)", result->code, strsignal(result->code));
        break;
    case CHILD_TIMED_OUT:
        (void)snprintf(out, out_bytes, "timed out after %.3g s", (double)(result->ended_ns - result->started_ns) / 1e9);
        break;
    case CHILD_NOT_STARTED:
        (void)snprintf(out, out_bytes, "could not be started: %s", strerror(result->code));
        break;
    }
}

const char *outcome_text(char out[OUTCOME_TEXT_BYTES], const struct child_result *result)
{
    char line[LINE_BYTES], ending[OUTCOME_TEXT_BYTES - LINE_BYTES - 4];
    how(ending, sizeof ending, result);
    last_line(line, result->err.bytes ? &result->err : &result->out);
    (void)snprintf(out, OUTCOME_TEXT_BYTES, "%s%s%s", ending, line[0] ? ": " : "", line);
    return out;
}
