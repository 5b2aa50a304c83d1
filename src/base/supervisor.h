/* SPDX-License-Identifier: Apache-2.0
 *
 * The process between us and a program that we run (child.h): it starts the program in a process group of its own,
 * waits for it, and leaves nothing of its tree behind. Only child.c includes this. After the clone it makes system
 * calls only: other threads of ours may have held locks.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct supervisor_task {
    char *const *argv, *const *env; /* NULL-terminated; env is the whole environment */
    const char *folder;             /* NULL = ours */
    uint64_t timeout_ns;            /* 0 = none */
    uint64_t grace_ns;
    int out_fd, err_fd; /* of the program; -1 leaves ours */
    int socket_fd;      /* SOCK_SEQPACKET: reports go up, SUPERVISOR_STOP comes down, its end means "kill all now" */
};

/* Exits with 0 when nobody of the tree is left. */
enum { SUPERVISOR_STOP = 'T', SUPERVISOR_TREE_BOUND_S = 5 };

enum supervisor_event { SUPERVISED_STARTED, SUPERVISED_NOT_STARTED, SUPERVISED_ENDED };

/** One datagram. STARTED is sent by the program's own process, so its credentials name its pid in our namespace. */
struct supervisor_report {
    enum supervisor_event event;
    int code; /* errno, exit status or signal */
    bool signalled, timed_out;
    uint64_t at_ns, cpu_ns;
    uint64_t read_bytes, written_bytes;
    uint64_t peak_bytes; /* 0 when it is no more than what the fork itself brought along */
};

/** Clones the supervisor, in a pid namespace when *in_namespace comes back true. The caller owns *pidfd. */
CHECKED enum err supervisor_start(pid_t *pid, int *pidfd, bool *in_namespace, const struct supervisor_task *task,
                                  struct diag *diag);
