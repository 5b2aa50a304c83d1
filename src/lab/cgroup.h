/* SPDX-License-Identifier: Apache-2.0
 *
 * How much CPU the control groups around us grant, and how often they took it away.
 */
#pragma once

#include <stdint.h>

struct cgroup_cpu {
    double quota_cores; /* the tightest of all groups around us; INFINITY = no limit */
    uint64_t stops;     /* periods in which a group had used up its quota, in that group with most of them */
};

/** `root` is where the groups are mounted (/sys/fs/cgroup), `own` the text of /proc/self/cgroup. What is not visible
 *  does not count. */
void cgroup_cpu_read(struct cgroup_cpu *out, const char *root, const char *own);
