/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mark.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/tree.h"

#include <ctype.h>
#include <dirent.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "VENTURI_OWNER="

static void close_file(FILE **file)
{
    if (*file)
        (void)fclose(*file);
}

static void free_bytes(char **bytes)
{
    free(*bytes);
}

/* In clock ticks since boot: field 22 of /proc/PID/stat, the 20th behind the name. 0 = it is gone, or a zombie. */
static unsigned long long start_time(pid_t pid)
{
    enum { FIELDS_BEFORE = 19 };
    char path[40], text[1024] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    AUTO(close_file) FILE *file = fopen(path, "re");
    if (!file || !fgets(text, sizeof text, file))
        return 0;
    const char *at = strrchr(text, ')');
    if (!at || at[1] != ' ' || strchr("ZX", at[2]))
        return 0;
    at++;
    for (int i = 0; i < FIELDS_BEFORE && at; i++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

static unsigned long long own_namespace(void)
{
    struct stat status;
    return stat("/proc/self/ns/pid", &status) == 0 ? (unsigned long long)status.st_ino : 0;
}

const char *mark_text(char out[MARK_BYTES])
{
    (void)snprintf(out, MARK_BYTES, NAME "%llu.%d.%llu.%llu", own_namespace(), (int)getpid(), start_time(getpid()),
                   (unsigned long long)clock_monotonic_ns());
    return out;
}

static bool owner_is_gone(const char *mark, unsigned long long namespace)
{
    unsigned long long inode, started;
    int pid;
    return sscanf(mark, NAME "%llu.%d.%llu", &inode, &pid, &started) == 3 && inode == namespace &&
           start_time((pid_t)pid) != started;
}

/* The mark that a process carries; false when it has none, or we may not look. */
static bool read_mark(char out[MARK_BYTES], const char *pid)
{
    char path[300];
    AUTO(free_bytes) char *variable = NULL;
    size_t room = 0;
    (void)snprintf(path, sizeof path, "/proc/%s/environ", pid);
    AUTO(close_file) FILE *file = fopen(path, "re");
    while (file && getdelim(&variable, &room, '\0', file) > 0) {
        if (strncmp(variable, NAME, sizeof NAME - 1) != 0)
            continue;
        (void)snprintf(out, MARK_BYTES, "%s", variable);
        return true;
    }
    return false;
}

size_t mark_leftovers(pid_t *out, size_t count_max)
{
    size_t count = 0;
    unsigned long long namespace = own_namespace();
    char mark[MARK_BYTES];
    DIR *proc = tree_is_visible() ? opendir("/proc") : NULL;
    if (!proc)
        return 0;
    for (const struct dirent *entry; (entry = readdir(proc));) {
        if (!isdigit((unsigned char)entry->d_name[0]) || !read_mark(mark, entry->d_name) ||
            !owner_is_gone(mark, namespace))
            continue;
        if (count < count_max)
            out[count] = (pid_t)strtol(entry->d_name, NULL, 10);
        count++;
    }
    (void)closedir(proc);
    return count;
}

/* By its number: these are no children of ours, and numbers are given out in turn, so none comes back within the moment
 * between the look and the kill. A pidfd would miss one that hops from process to process; its group does not. */
static bool kill_if_marked(const char *pid, const char *mark)
{
    char carried[MARK_BYTES];
    if (!read_mark(carried, pid) || strcmp(carried, mark) != 0)
        return false;
    tree_kill_group((pid_t)strtol(pid, NULL, 10));
    return true;
}

static size_t kill_marked(const char *mark)
{
    size_t count = 0;
    DIR *proc = tree_is_visible() ? opendir("/proc") : NULL;
    if (!proc)
        return 0;
    for (const struct dirent *entry; (entry = readdir(proc));)
        count += isdigit((unsigned char)entry->d_name[0]) && kill_if_marked(entry->d_name, mark);
    (void)closedir(proc);
    return count;
}

void mark_kill(const char *mark)
{
    enum { EMPTY_LOOKS = 2, LOOKS_MAX = 500, PAUSE_MS = 2 }; /* a look misses who is being forked at that moment */
    for (int looks = 0, empty = 0; looks < LOOKS_MAX && empty < EMPTY_LOOKS; looks++) {
        empty = kill_marked(mark) > 0 ? 0 : empty + 1;
        (void)poll(NULL, 0, PAUSE_MS);
    }
}
