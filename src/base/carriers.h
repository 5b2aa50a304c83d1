/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests of supervised children: who of a tree is still there, by a mark in its environment.
 */
#pragma once

#include "base/clock.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static inline bool carries(const char *pid, const char *mark)
{
    char path[300], text[32768];
    (void)snprintf(path, sizeof path, "/proc/%s/environ", pid);
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd < 0 ? 0 : read(fd, text, sizeof text);
    return bytes > 0 && memmem(text, (size_t)bytes, mark, strlen(mark) + (strchr(mark, ':') != NULL));
}

/** Processes that carry the mark in their environment: those of one tree ("...:12" and a NUL), or of all. */
static inline int count_carriers(const char *mark)
{
    int count = 0;
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    for (const struct dirent *entry; (entry = readdir(proc));)
        count += entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && carries(entry->d_name, mark);
    (void)closedir(proc);
    return count;
}

/** Fails unless, within the deadline, nobody carries the mark and no child of ours waits to be reaped. */
static inline void expect_no_carriers(const char *mark, unsigned deadline_s)
{
    enum { LOOKS = 3 }; /* a look at /proc misses who is being forked at that moment */
    uint64_t until_ns = clock_monotonic_ns() + deadline_s * NS_PER_S;
    int empty_looks = 0;
    while (empty_looks < LOOKS && clock_monotonic_ns() < until_ns) {
        empty_looks = count_carriers(mark) > 0 ? 0 : empty_looks + 1;
        (void)poll(NULL, 0, 2);
    }
    assert_int_equal(empty_looks, LOOKS);
    assert_true(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD); /* no zombie of ours either */
}
