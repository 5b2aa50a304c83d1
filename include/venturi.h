/* SPDX-License-Identifier: Apache-2.0
 *
 * venturi.h: mark the stages of a data pipeline. The only header a pipeline includes; link libventuri.
 *
 *     static venturi_stage download;                       // once, anywhere
 *     download = venturi_stage_named("download");
 *
 *     venturi_span span = venturi_begin(download, month);  // item = what is being worked on: a file, a batch
 *     ... fetch it ...
 *     venturi_end(&span, 0, bytes);                        // rows and bytes that went through
 *
 * A straight line of stages needs one call a boundary:
 *
 *     venturi_lap(extract, month); ...; venturi_lap(parse, month); ...; venturi_lap_end(rows, bytes);
 *
 * Without VENTURI_TRACE in the environment every call returns at once. With VENTURI_TRACE=FOLDER the spans of each
 * thread go to a file of their own in that folder (which exists). VENTURI_CPU=1 also notes the thread's CPU time, for
 * about 1.3 us a span. The environment is read once, when the first stage is named; never in set-user-id programs.
 *
 * The recorder cannot hurt its host: calls return nothing to check, keep errno, hold no descriptor, never allocate,
 * never raise a signal and never wait for another thread, but for the moment in which a file is made. What is lost is
 * counted, and the reader says so. A span that ended is readable even after kill -9. Every call but venturi_stage_named
 * is safe in a signal handler; all are safe from any thread and in a forked child, which records on its own: a span
 * that its parent began is the parent's to end. C11, C17, C++17.
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
    uint64_t start_ns;
    uint64_t start_cpu_ns;
    uint64_t item;
    venturi_stage stage;
    uint32_t process; /* which one began it, told apart over fork */
    uint32_t thread;  /* which one began it: CPU time holds for this one only */
    uint32_t state;   /* 0 = not recording */
} venturi_span;

/** The number of the stage called `name` (1 to 63 bytes of printable UTF-8, copied), recording or not. The same name
 *  gives the same number, from any thread. At most 255 stages; 0 beyond that or for a bad name. Takes a lock: call it
 *  once, and not in a signal handler. */
VENTURI_API venturi_stage venturi_stage_named(const char *name);

/** Opens a span of `stage` for `item`. Spans may nest and overlap. One clock read when recording. */
VENTURI_API venturi_span venturi_begin(venturi_stage stage, uint64_t item);

/** Ends a span that did its work: `rows` and `bytes` went through it. Ending twice is ignored and counted. Any thread
 * may end it: it then belongs to that thread's stream, without CPU time. */
VENTURI_API void venturi_end(venturi_span *span, uint64_t rows, uint64_t bytes);

/** Ends a span whose work failed: it counts as time, never as rows. */
VENTURI_API void venturi_fail(venturi_span *span);

/** Ends this thread's current lap, if any, and begins one of `stage` for `item`, with one clock read. */
VENTURI_API void venturi_lap(venturi_stage stage, uint64_t item);

/** Says what went through the current lap; added to what was said before. */
VENTURI_API void venturi_lap_count(uint64_t rows, uint64_t bytes);

/** Adds rows and bytes to the current lap and ends it. */
VENTURI_API void venturi_lap_end(uint64_t rows, uint64_t bytes);

/** 1 when this process records, else 0 (as before the first venturi_stage_named): for callers who want to skip
 * preparing an argument. */
VENTURI_API int venturi_enabled(void);

#ifdef __cplusplus
}
#endif

#endif
