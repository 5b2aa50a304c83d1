/* SPDX-License-Identifier: Apache-2.0
 *
 * The texts in which the kernel describes the machine, taken apart. Pure; a text of another form is false and leaves
 * *out alone: kernels, containers and emulators differ in what they show.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** CPU time of all processors since boot in clock ticks. */
struct cpu_ticks {
    uint64_t total, idle, steal;
};

/** The whole number behind `name` at the start of a line: "MemFree:   123 kB", "nr_throttled 7". */
bool proc_number(uint64_t *out, const char *text, const char *name);
/** The text behind `name` and a colon or spaces, up to the end of its line; cut to `out_bytes`. */
bool proc_word(char *out, size_t out_bytes, const char *text, const char *name);
/** The mean of the last minute in /proc/loadavg. */
bool proc_load(double *out, const char *text);
/** The first line of /proc/stat. */
bool proc_ticks(struct cpu_ticks *out, const char *text);
/** Our folder in the hierarchy of `controller`, "" for that of version 2, from /proc/self/cgroup. */
bool proc_cgroup(char *out, size_t out_bytes, const char *text, const char *controller);
/** The processors that a cpu.max of cgroup version 2 grants ("150000 100000" is 1.5); INFINITY for "max". */
bool proc_quota(double *out_cores, const char *text);
