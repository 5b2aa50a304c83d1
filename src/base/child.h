/* SPDX-License-Identifier: Apache-2.0
 *
 * Supervised children. Between us and the program stands a small supervisor process of our own: it makes a process
 * group, is the subreaper of everything below it (in a pid namespace of its own where the kernel allows one), dies with
 * us (PR_SET_PDEATHSIG) and takes the whole tree along, so not even `kill -9` of venturi leaves a grandchild. The
 * output is read here: head and tail kept, bytes counted.
 */
#pragma once

#include "base/err.h"
#include "base/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CHILD_OUTPUT_KEEP_BYTES = 16 * 1024 }; /* of the head and again of the tail, per stream */

struct child_options {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH unless it holds a slash */
    const char *const *env;  /* "NAME=value" set on top of ours; NULL-terminated or NULL */
    const char *folder;      /* working directory, NULL = ours */
    uint64_t timeout_ns;     /* 0 = none */
    uint64_t grace_ns;       /* between TERM and KILL; 0 = 2 s */
    bool inherit_stderr;     /* leave stderr alone instead of capturing it */
};

enum child_outcome { CHILD_EXITED, CHILD_SIGNALLED, CHILD_TIMED_OUT, CHILD_NOT_STARTED };

struct child_output {
    char *head, *tail; /* NUL-terminated, NULs inside come as '?'; tail is "" when everything fits the head */
    size_t bytes;      /* all that was written */
};

struct child_result {
    enum child_outcome outcome;
    int code;                           /* exit status or signal number; errno when not started */
    uint64_t started_ns, ended_ns;      /* exec to exit of the program itself */
    double cpu_s;                       /* of the program and everything it waited for */
    uint64_t peak_bytes;                /* largest resident set of one process; 0 = no more than ours, so not known */
    uint64_t read_bytes, written_bytes; /* from and to storage, as cpu_s; what the page cache served does not count */
    struct child_output out, err;       /* borrowed from the child */
};

struct child;
typedef void child_done(void *context, const struct child_result *result);

/** Starts the program; `done` is called once from the loop when the whole tree is gone and its output is read. */
CHECKED enum err child_start(struct child **out, const struct child_options *options, struct loop *loop,
                             child_done *done, void *context, struct diag *diag);
/** TERM now, KILL after the grace; `done` is still called. */
void child_stop(struct child *child);
/** Frees the child; one that still runs is killed, with its tree, and waited for first (bounded). After child_stop it
 *  keeps its grace. */
void child_free(struct child **child);
/** The program's pid in our namespace, 0 before it is known. */
pid_t child_pid(const struct child *child);
/** Resident bytes of the whole tree right now, from /proc; 0 when it is gone. */
uint64_t child_resident_bytes(const struct child *child);
/** Runs to the end on a private loop: for `before`, `check` and tests. The result's texts are owned by *out_child. */
CHECKED enum err child_run(struct child **out_child, struct child_result *result, const struct child_options *options,
                           struct diag *diag);
