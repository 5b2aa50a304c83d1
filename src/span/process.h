/* SPDX-License-Identifier: Apache-2.0
 *
 * What the threads of a process share: its settings, its stages, its slot. The struct lives in a page that the
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
    struct process_slot *slot; /* atomic; NULL before it is had and when it cannot be */
    bool refused;              /* it cannot: this process records nothing */
    uint32_t pid;              /* with start_ns: the names of its files */
    uint64_t start_ns;
    uint32_t streams;    /* numbers given out */
    unsigned idle_count; /* streams of threads that ended, for the next ones: slots stay few */
    struct venturi_stream idle[IDLE_STREAMS_MAX];
};

/** What spans carry beside their times. Constant once venturi_recording is set. */
struct venturi_settings {
    bool with_cpu;
    void (*allocations)(uint64_t *count, uint64_t *bytes); /* of the calling thread so far; NULL = not counted */
};
extern struct venturi_settings venturi_settings;
/** The process; NULL before it records. */
extern struct venturi_process *venturi_process;
/** How many stages have a name: a number above is unknown. */
extern uint32_t venturi_stages; /* atomic */

/* All of these want venturi_hold_begin in force, but for those that say otherwise. */

/** Reads the environment the first time; `child_begins` is called in the child of every fork. NULL: no memory. */
struct venturi_process *venturi_process_start(void (*child_begins)(void));
/** Has `thread_ends` called in every watched thread that ends. To be called while the library is loaded: the first few
 * keys of a process are kept in the thread itself, for later ones libc allocates, and that is not safe in a handler.
 * Needs no hold. */
void venturi_process_watch_threads(void (*thread_ends)(void *thread));
/** Watches the calling thread. */
void venturi_process_watch(void *thread);
uint32_t venturi_process_new_generation(struct venturi_process *process);
/** Which process this is, never 0. Needs no hold. */
static inline uint32_t venturi_process_generation(struct venturi_process *process)
{
    uint32_t current = __atomic_load_n(&process->generation, __ATOMIC_ACQUIRE);
    return __builtin_expect(current != 0, 1) ? current : venturi_process_new_generation(process);
}
/** Takes the slot of the process unless it has one or was refused. */
void venturi_process_ready(struct venturi_process *process);
/** The number of the stage `name` of `bytes` bytes; 0 when the table is full. */
uint32_t venturi_process_stage(struct venturi_process *process, const char *name, size_t bytes);
/** A stream for the calling thread, an idle one or a new one; false when none can be had. */
bool venturi_process_lend(struct venturi_process *process, struct venturi_stream *stream);
/** Takes back the stream of a thread that ends. */
void venturi_process_return(struct venturi_process *process, const struct venturi_stream *stream);
/** The name of a stream's file of whole blocks. */
void venturi_process_spans_path(struct venturi_path *path, const struct venturi_process *process, uint32_t number);
