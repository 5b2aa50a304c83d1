/* SPDX-License-Identifier: Apache-2.0
 *
 * venturi.h: mark the stages of a data pipeline. The only header a pipeline includes; link libventuri.
 *
 *     static venturi_stage download, parse;                // once, anywhere
 *     download = venturi_stage_named("download");
 *
 * A straight line of stages needs one call a boundary, which costs one reading of the clock:
 *
 *     venturi_lap_item(month);                             // what the next laps work on: a file, a batch
 *     venturi_lap(download);  ... fetch it ...             // ends the lap before, begins this one
 *     venturi_lap(parse);     ... parse it ...
 *     venturi_lap_count(rows, bytes);                      // what went through the current lap
 *     venturi_lap_end();
 *
 * What nests or overlaps, or ends on another thread, is a span:
 *
 *     venturi_span span = venturi_begin(download, month);
 *     ... fetch it ...
 *     venturi_end(&span, rows, bytes);                     // or venturi_fail(&span)
 *
 * Without VENTURI_TRACE in the environment a call is one test of a flag. With VENTURI_TRACE=FOLDER (it exists) the
 * process leaves its trace there. The environment is read once, when the first stage is named; never in set-user-id
 * programs. VENTURI_CPU=1 also notes the CPU time of the thread, for about 0.7 us a call.
 *
 * The recorder cannot hurt its host: calls return nothing to check, keep errno, hold no descriptor, never allocate,
 * never raise a signal and never wait for another thread, but for the moment in which a thread records for the first
 * time. What is lost is counted by its cause, and the reader says so. A span that ended is readable even after
 * kill -9. Every call but venturi_stage_named is safe in a signal handler; all are safe from any thread and in a forked
 * child, which records on its own: a span that its parent began is the parent's to end. C11, C17, C++17.
 */
#ifndef VENTURI_H
#define VENTURI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define VENTURI_API __attribute__((visibility("default")))
#else
#define VENTURI_API
#endif

/** A stage by number, given out by venturi_stage_named; 0 is "no stage", and spans of it are dropped and counted. */
typedef uint32_t venturi_stage;

/** An open span; lives on the caller's stack. Its fields are private. */
typedef struct venturi_span {
    uint64_t start_ticks;
    uint64_t item;
    uint64_t start_cpu_ns, start_allocations, start_allocated_bytes; /* set when asked for */
    venturi_stage stage;
    uint32_t process; /* which one began it, told apart over fork */
    uint32_t thread;  /* which one began it: CPU time holds for this one only */
    uint32_t state;   /* 0 = not recording */
} venturi_span;

/** The number of the stage called `name` (1 to 63 bytes of printable UTF-8, copied), recording or not. The same name
 *  gives the same number, from any thread. At most 254 stages; 0 beyond that or for a bad name. Takes a lock: call it
 *  once, and not in a signal handler. */
VENTURI_API venturi_stage venturi_stage_named(const char *name);

/** 1 once this process records: for callers who want to skip preparing an argument. Read it, never write it. */
extern VENTURI_API int venturi_recording;

/* What the calls below do when recording. */
VENTURI_API void venturi_record_lap(venturi_stage stage);
VENTURI_API void venturi_record_lap_item(uint64_t item);
VENTURI_API void venturi_record_lap_count(uint64_t rows, uint64_t bytes);
VENTURI_API void venturi_record_lap_end(void);
VENTURI_API void venturi_record_begin(venturi_span *span, venturi_stage stage, uint64_t item);
VENTURI_API void venturi_record_end(venturi_span *span, uint64_t rows, uint64_t bytes);
VENTURI_API void venturi_record_fail(venturi_span *span);

/** Ends this thread's current lap, if any, and begins one of `stage`, with one clock reading. */
static inline void venturi_lap(venturi_stage stage)
{
    if (venturi_recording)
        venturi_record_lap(stage);
}

/** What the laps of this thread that begin from now on work on; 0 = nothing in particular. */
static inline void venturi_lap_item(uint64_t item)
{
    if (venturi_recording)
        venturi_record_lap_item(item);
}

/** Says what went through the current lap; added to what was said before. */
static inline void venturi_lap_count(uint64_t rows, uint64_t bytes)
{
    if (venturi_recording)
        venturi_record_lap_count(rows, bytes);
}

/** Ends the current lap, if any, and begins none. */
static inline void venturi_lap_end(void)
{
    if (venturi_recording)
        venturi_record_lap_end();
}

/** Opens a span of `stage` for `item`. Spans may nest and overlap. One clock reading when recording. */
static inline venturi_span venturi_begin(venturi_stage stage, uint64_t item)
{
    venturi_span span = {0, 0, 0, 0, 0, 0, 0, 0, 0};
    if (venturi_recording)
        venturi_record_begin(&span, stage, item);
    return span;
}

/** Ends a span that did its work: `rows` and `bytes` went through it. Ending twice is ignored and counted. Any thread
 * may end it: it then belongs to that thread's stream, without CPU time. */
static inline void venturi_end(venturi_span *span, uint64_t rows, uint64_t bytes)
{
    if (venturi_recording)
        venturi_record_end(span, rows, bytes);
}

/** Ends a span whose work failed: it counts as time, never as rows. */
static inline void venturi_fail(venturi_span *span)
{
    if (venturi_recording)
        venturi_record_fail(span);
}

#ifdef __cplusplus
}
#endif

#endif
