/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/proc_text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_number(uint64_t *out, const char **at)
{
    char *end;
    const char *start = *at + strspn(*at, " \t");
    errno = 0;
    unsigned long long number = strtoull(start, &end, 10);
    if (!isdigit((unsigned char)*start) || errno)
        return false;
    *out = number;
    *at = end;
    return true;
}

/* Behind `name` at the start of a line; NULL when no line has it. */
static const char *behind(const char *text, const char *name)
{
    size_t bytes = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, bytes) == 0 && strchr(" \t:", line[bytes]) && line[bytes])
            return line + bytes;
    }
    return NULL;
}

bool proc_number(uint64_t *out, const char *text, const char *name)
{
    const char *at = behind(text, name);
    at = at ? at + strspn(at, ": \t") : NULL;
    return at && read_number(out, &at);
}

bool proc_word(char *out, size_t out_bytes, const char *text, const char *name)
{
    const char *at = behind(text, name);
    if (!at)
        return false;
    at += strspn(at, ": \t");
    (void)snprintf(out, out_bytes, "%.*s", (int)strcspn(at, "\n"), at);
    return out[0] != '\0';
}

bool proc_load(double *out, const char *text)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    double load = strtod(text, &end);
    if (*end != ' ' || !isfinite(load))
        return false;
    *out = load;
    return true;
}

bool proc_ticks(struct cpu_ticks *out, const char *text)
{
    /* user nice system idle iowait irq softirq steal; what guests used is in user already (proc(5)). */
    enum { IDLE = 3, IO_WAIT, STEAL = 7, FIELDS };
    uint64_t fields[FIELDS] = {0}, total = 0;
    const char *at = behind(text, "cpu");
    if (!at)
        return false;
    for (size_t i = 0; i < FIELDS; i++) {
        if (!read_number(&fields[i], &at) && i <= IDLE)
            return false; /* old kernels end after idle */
        total += fields[i];
    }
    *out = (struct cpu_ticks){.total = total, .idle = fields[IDLE] + fields[IO_WAIT], .steal = fields[STEAL]};
    return true;
}

/* Is `controller` one of "cpu,cpuacct"? */
static bool is_listed(const char *list, size_t bytes, const char *controller)
{
    size_t wanted = strlen(controller);
    while (bytes > 0) {
        const char *comma = memchr(list, ',', bytes);
        size_t length = comma ? (size_t)(comma - list) : bytes;
        if (length == wanted && memcmp(list, controller, wanted) == 0)
            return true;
        bytes -= length + (comma ? 1 : 0);
        list += length + (comma ? 1 : 0);
    }
    return wanted == 0;
}

bool proc_cgroup(char *out, size_t out_bytes, const char *text, const char *controller)
{
    for (const char *line = text; *line;) { /* "4:cpu,cpuacct:/path", and "0::/path" of version 2 */
        size_t length = strcspn(line, "\n");
        const char *list = memchr(line, ':', length);
        const char *path = list ? memchr(list + 1, ':', length - (size_t)(list + 1 - line)) : NULL;
        bool ours =
            path && (*controller ? is_listed(list + 1, (size_t)(path - list - 1), controller) : path == list + 1);
        size_t path_bytes = path ? length - (size_t)(path + 1 - line) : 0;
        if (ours && path_bytes < out_bytes) {
            memcpy(out, path + 1, path_bytes);
            out[path_bytes] = '\0';
            return true;
        }
        line += length + (line[length] == '\n');
    }
    return false;
}

bool proc_quota(double *out_cores, const char *text)
{
    uint64_t quota, period;
    if (strncmp(text, "max", 3) == 0) {
        *out_cores = INFINITY;
        return true;
    }
    if (!read_number(&quota, &text) || !read_number(&period, &text) || period == 0)
        return false;
    *out_cores = (double)quota / (double)period;
    return true;
}
