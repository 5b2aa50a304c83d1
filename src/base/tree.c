/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TREE_MAX = 4096 };

struct tree {
    pid_t pids[TREE_MAX]; /* breadth first */
    size_t count;
};

static size_t read_text(char *text, size_t text_bytes, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? 0 : read(fd, text, text_bytes - 1);
    if (fd >= 0)
        (void)close(fd);
    text[count > 0 ? count : 0] = '\0';
    return count > 0 ? (size_t)count : 0;
}

/* The kernel lists a child under the thread that made it. */
static void add_children_of_thread(struct tree *tree, pid_t pid, const char *thread)
{
    char path[64], text[4096];
    (void)snprintf(path, sizeof path, "/proc/%d/task/%.20s/children", (int)pid, thread);
    (void)read_text(text, sizeof text, path);
    const char *next = text;
    for (const char *space; (space = strchr(next, ' ')) && tree->count < TREE_MAX; next = space + 1)
        tree->pids[tree->count++] = (pid_t)strtol(next, NULL, 10);
}

static void add_children(struct tree *tree, pid_t pid)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (!threads)
        return;
    for (const struct dirent *entry; (entry = readdir(threads));) {
        if (entry->d_name[0] != '.')
            add_children_of_thread(tree, pid, entry->d_name);
    }
    (void)closedir(threads);
}

static void read_tree(struct tree *tree, pid_t root)
{
    tree->count = 0;
    add_children(tree, root);
    for (size_t i = 0; i < tree->count; i++)
        add_children(tree, tree->pids[i]);
}

uint64_t tree_resident_bytes(pid_t root)
{
    struct tree tree;
    uint64_t pages = 0;
    read_tree(&tree, root);
    for (size_t i = 0; i < tree.count; i++) {
        char path[64], text[128];
        (void)snprintf(path, sizeof path, "/proc/%d/statm", (int)tree.pids[i]);
        (void)read_text(text, sizeof text, path);
        const char *resident = strchr(text, ' ');
        pages += resident ? strtoull(resident, NULL, 10) : 0;
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

bool tree_is_visible(void)
{
    char text[24] = "";
    ssize_t count = readlink("/proc/self", text, sizeof text - 1);
    return count > 0 && strtol(text, NULL, 10) == (long)getpid();
}

void tree_kill_group(pid_t pid)
{
    pid_t group = getpgid(pid); /* one that has ended and was not waited for still has it */
    if (group > 1 && group != getpgrp())
        (void)kill(-group, SIGKILL);
    (void)kill(pid, SIGKILL);
}

void tree_kill(pid_t root)
{
    struct tree tree;
    if (!tree_is_visible())
        return;
    read_tree(&tree, root);
    for (size_t i = 0; i < tree.count; i++)
        tree_kill_group(tree.pids[i]);
}
