/* SPDX-License-Identifier: Apache-2.0
 *
 * A trace, opened: its processes, its streams, and the pages of each stream in any order. Every file is hostile; what
 * a page says (page.h) is not looked at here, only that it is that page of that stream.
 */
#pragma once

#include "trace/clock_line.h"
#include "trace/folder.h"
#include "trace/format.h"
#include "trace/slots.h"

#include <stddef.h>
#include <stdint.h>

enum {
    PAGES_SLOTS_MAX = 65536,  /* that began, of processes and threads */
    PAGES_CLOCKS_MAX = 64,    /* boots */
    PAGES_FILES_KEPT = 64,    /* open at a time */
    PAGES_STAGE_NONE = 65535, /* a name that cannot be right */
};

/** A clock that some of the processes share. */
struct pages_clock {
    char boot[TRACE_BOOT_BYTES + 1]; /* "" = unknown */
    enum trace_clock kind;
    struct clock_line line; /* its ticks in CLOCK_MONOTONIC ns */
};

struct pages_process {
    uint32_t pid;
    uint64_t start_ns; /* CLOCK_MONOTONIC; with the pid it names the process */
    struct pages_clock *clock;
    uint16_t *stages; /* stage n (from 1) of this process is pages.stages[stages[n - 1]], or PAGES_STAGE_NONE */
    uint32_t stage_count;
    struct span_losses losses; /* that belong to no stream */
};

struct pages_stream {
    const struct pages_process *process; /* NULL: its slot is gone, so its stages have no names */
    uint32_t pid;
    uint64_t process_start_ns;
    uint32_t number, tid; /* tid 0 when the slot is gone */
    struct span_losses losses;
    uint32_t pages; /* sequences 1 to `pages` may be there, no other */

    /* where they are */
    uint32_t id;            /* trace_stream_id */
    const char *file;       /* `.spans`, there or not */
    struct slot_place slot; /* ring NULL = none */
    uint32_t ring_sequence; /* newest page in the slot when it was opened; 0 = none */
};

struct pages {
    uint32_t version;          /* 1: only `folder` is filled; trace_read reads such a trace */
    const char *const *stages; /* distinct names over all processes, in order of appearance; at most NAMES_MAX */
    size_t stage_count;
    struct pages_process *processes; /* by start */
    size_t process_count;
    struct pages_stream *streams; /* by start of their process, then number */
    size_t stream_count;
    struct pages_clock *clocks;
    size_t clock_count;
    struct span_losses losses; /* summed over processes and streams */
    uint64_t rejected;         /* slots that say what another one says, and slots and files that cannot be right */

    struct folder folder;
    struct folder_file
        kept[PAGES_FILES_KEPT]; /* open .spans files, each at the place of its stream modulo their number */
};

/** Opens the trace at `path`, a folder or a packed file. `arena` owns everything but the descriptors, which
 *  pages_close closes, also after a failure. A trace that is still being recorded goes on: its open pages fill, its
 *  new pages, streams and stages are there once it is opened again.
 *  ERR_IO: not readable. ERR_FORMAT: not a trace, of another version, or beyond a limit. */
CHECKED enum err pages_open(struct pages *out, const char *path, struct arena *arena, struct diag *diag);
/** Accepts a zeroed or closed one. */
void pages_close(struct pages *pages);

/** Reads the pages with the sequences `first` to `first + count - 1` (>= 1) of a stream into `out`, which has room for
 *  count x TRACE_PAGE_BYTES. What cannot be had is lost and has sequence 0; all others are whole, in the file or still
 *  in the ring. The clock pairs of their heads are noted in the line. Fastest for whole blocks:
 *  first = TRACE_BLOCK_PAGES x n + 1, count = TRACE_BLOCK_PAGES. */
CHECKED enum err pages_read(void *out, struct pages *pages, const struct pages_stream *stream, uint32_t first,
                            uint32_t count, struct diag *diag);
/** The sequence of the newest page before `sequence` (0: of all) that may be there; 0 = none. Steps over the holes of a
 *  sparse file: what lies between is lost. */
uint32_t pages_before(struct pages *pages, const struct pages_stream *stream, uint32_t sequence);
