/* SPDX-License-Identifier: Apache-2.0
 *
 * What the threads of a process share: its settings, its stages, its process file. The struct lives in a page that the
 * kernel empties in a forked child (MADV_WIPEONFORK), however the child was made: the child finds generation 0, an open
 * lock and no file, and begins anew instead of writing into its parent's trace.
 */
#pragma once

#include "span/stream.h"
#include "trace/format.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { IDLE_STREAMS_MAX = 32 };

struct venturi_process {
    uint32_t generation;       /* atomic; unlike that of any forefather; 0 in a child that has not recorded yet */
    pthread_mutex_t lock;      /* all zero bytes is an open one */
    struct process_file *file; /* atomic; NULL before it is made and when it cannot be */
    bool refused;              /* it cannot: this process records nothing */
    uint32_t pid;              /* with start_ns: the names of its files */
    uint64_t start_ns;
    uint64_t streams;    /* numbers given out */
    unsigned idle_count; /* streams of threads that ended, for the next ones: files stay few */
    struct venturi_stream idle[IDLE_STREAMS_MAX];
};

/** The process when it records, else NULL. */
extern struct venturi_process *venturi_recording; /* atomic */
/** Whether spans carry CPU time. Constant once venturi_recording is set. */
extern bool venturi_with_cpu;

/* All of these want venturi_hold_begin in force, but for the two that say otherwise. */

/** Reads the environment the first time; `thread_ends` is called in every watched thread that ends. NULL: no memory. */
struct venturi_process *venturi_process_start(void (*thread_ends)(void *thread));
/** Has `thread_ends(thread)` called when the calling thread ends. */
void venturi_process_watch(void *thread);
/** Which process this is, never 0. Needs no hold. */
uint32_t venturi_process_generation(struct venturi_process *process);
/** Makes the process file unless it stands or was refused. */
void venturi_process_ready(struct venturi_process *process);
/** The number of the stage `name` of `bytes` bytes; 0 when the table is full. */
uint32_t venturi_process_stage(struct venturi_process *process, const char *name, size_t bytes);
/** How many stages there are: a number above is unknown. Needs no hold. */
uint32_t venturi_process_stages(void);
/** A stream for the calling thread, an idle one or a new one; false when none can be had. */
bool venturi_process_lend(struct venturi_process *process, struct venturi_stream *stream);
/** Takes back the stream of a thread that ends. */
void venturi_process_return(struct venturi_process *process, const struct venturi_stream *stream);
/** The name of a stream's file. */
void venturi_process_stream_path(struct venturi_path *path, const struct venturi_process *process, uint64_t number);

uint64_t venturi_now_ns(void);
