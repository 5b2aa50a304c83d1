/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/cgroup.h"

#include "base/err.h"
#include "base/file.h"
#include "lab/proc_text.h"

#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_BYTES = 4096 };

static bool read_in(char out[TEXT_BYTES], const char *folder, const char *name)
{
    char path[PATH_MAX + 64];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? 0 : read(fd, out, TEXT_BYTES - 1);
    out[count > 0 ? count : 0] = '\0';
    return count > 0;
}

/* Version 2 says "quota period" in one file, version 1 in two; a quota of -1 there is none. */
static double quota_of(const char *folder)
{
    char text[TEXT_BYTES], both[2 * TEXT_BYTES], period[TEXT_BYTES];
    double cores = INFINITY;
    if (read_in(text, folder, "cpu.max")) {
        (void)proc_quota(&cores, text);
    } else if (read_in(text, folder, "cpu.cfs_quota_us") && read_in(period, folder, "cpu.cfs_period_us")) {
        (void)snprintf(both, sizeof both, "%.*s %s", (int)strcspn(text, "\n"), text, period);
        (void)proc_quota(&cores, both);
    }
    return cores;
}

static void take_group(struct cgroup_cpu *out, const char *folder)
{
    char text[TEXT_BYTES];
    uint64_t stops = 0;
    out->quota_cores = fmin(out->quota_cores, quota_of(folder));
    if (read_in(text, folder, "cpu.stat") && proc_number(&stops, text, "nr_throttled") && stops > out->stops)
        out->stops = stops;
}

void cgroup_cpu_read(struct cgroup_cpu *out, const char *root, const char *own)
{
    static const struct {
        const char *controller, *mount;
    } hierarchies[] = {{"", ""}, {"", "/unified"}, {"cpu", "/cpu"}};
    char folder[PATH_MAX], path[PATH_MAX / 2];
    *out = (struct cgroup_cpu){.quota_cores = INFINITY};
    for (size_t i = 0; i < sizeof hierarchies / sizeof *hierarchies; i++) {
        if (!proc_cgroup(path, sizeof path, own, hierarchies[i].controller))
            continue;
        char *last;
        do { /* our group and all around it */
            (void)snprintf(folder, sizeof folder, "%s%s%s", root, hierarchies[i].mount, path);
            take_group(out, folder);
            last = strrchr(path, '/');
            if (last)
                *last = '\0';
        } while (last);
    }
}
