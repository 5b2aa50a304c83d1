/* SPDX-License-Identifier: Apache-2.0
 *
 * The calls of venturi.h. Each thread has a stream of its own, so a span costs its clock reads and the store of a
 * record; system calls happen when a thread records for the first time and when its ring is full.
 */
#include "venturi.h"

#include "span/process.h"

#include <stdbool.h>
#include <time.h>

enum { SPAN_NONE = 0, SPAN_OPEN = 1, SPAN_ENDED = 2 }; /* venturi_span.state */

/* initial-exec: found without a call that might allocate, in a library loaded late too. */
#define THREAD_LOCAL static _Thread_local __attribute__((tls_model("initial-exec")))

THREAD_LOCAL struct {
    uint32_t generation; /* the process that the rest belongs to; another after fork */
    uint32_t number;     /* tells this thread from others; 0 = none yet */
    bool busy;           /* inside the recorder: a signal handler that gets here has interrupted it */
    bool refused;        /* no stream could be had */
    struct venturi_stream stream;
    venturi_span lap;
    uint64_t lap_rows, lap_bytes;
} thread;

static uint32_t last_thread; /* atomic */

struct moment {
    uint64_t at_ns, cpu_ns;
};

static struct moment now(void)
{
    struct moment moment = {.at_ns = venturi_now_ns(), .cpu_ns = TRACE_CPU_UNKNOWN};
    struct timespec cpu;
    if (venturi_with_cpu && clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu) == 0)
        moment.cpu_ns = (uint64_t)cpu.tv_sec * 1000000000 + (uint64_t)cpu.tv_nsec;
    return moment;
}

static struct venturi_process *recording(void)
{
    return __atomic_load_n(&venturi_recording, __ATOMIC_ACQUIRE);
}

static uint32_t thread_number(void)
{
    if (thread.number == 0)
        thread.number = __atomic_add_fetch(&last_thread, 1, __ATOMIC_RELAXED);
    return thread.number;
}

static struct span_losses *losses(const struct venturi_process *process)
{
    static struct span_losses nowhere; /* without a process file there is no place that a reader would look at */
    if (thread.stream.head && thread.generation == __atomic_load_n(&process->generation, __ATOMIC_RELAXED))
        return &thread.stream.head->losses;
    struct process_file *file = __atomic_load_n(&process->file, __ATOMIC_ACQUIRE);
    return file ? &file->losses : &nowhere;
}

static void lose(uint64_t *count)
{
    (void)__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

/* A thread's first step in this process: in a forked child its stream and lap are still the parent's. */
static void join(struct venturi_process *process, uint32_t generation)
{
    struct venturi_hold hold;
    venturi_hold_begin(&hold);
    thread.stream = (struct venturi_stream){0};
    thread.lap = (venturi_span){0};
    thread.refused = false;
    thread.generation = generation;
    venturi_process_ready(process);
    venturi_hold_end(&hold);
}

static bool enter(struct venturi_process *process)
{
    if (thread.busy) {
        lose(&losses(process)->interrupted);
        return false;
    }
    thread.busy = true;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    uint32_t generation = venturi_process_generation(process);
    if (thread.generation != generation)
        join(process, generation);
    return true;
}

static void leave(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    thread.busy = false;
}

static bool open_stream(struct venturi_process *process)
{
    struct venturi_hold hold;
    struct venturi_stream stream;
    if (thread.refused)
        return false;
    venturi_hold_begin(&hold);
    thread.refused = !venturi_process_lend(process, &stream);
    if (!thread.refused) {
        thread.stream = stream;
        venturi_process_watch(&thread);
    }
    venturi_hold_end(&hold);
    return !thread.refused;
}

static bool append_block(const struct venturi_process *process)
{
    struct venturi_hold hold;
    struct venturi_path path;
    if (thread.stream.stopped)
        return false;
    venturi_hold_begin(&hold);
    venturi_process_stream_path(&path, process, thread.stream.number);
    bool appended = venturi_stream_append(&thread.stream, &path);
    venturi_hold_end(&hold);
    return appended;
}

static void keep(struct venturi_process *process, const struct span_record *record)
{
    if (record->stage == 0 || record->stage > venturi_process_stages())
        lose(&losses(process)->no_stage);
    else if (!thread.stream.head && !open_stream(process))
        lose(&losses(process)->no_stream);
    else if (venturi_stream_full(&thread.stream) && !append_block(process))
        lose(&losses(process)->write_failed);
    else
        venturi_stream_put(&thread.stream, record);
}

/* Signals are held, so the thread that ends is not inside the recorder as well. */
static void thread_ends(void *ended)
{
    struct venturi_process *process = recording();
    struct venturi_hold hold;
    (void)ended;
    venturi_hold_begin(&hold);
    if (thread.stream.head && thread.generation == venturi_process_generation(process))
        venturi_process_return(process, &thread.stream);
    thread.stream = (struct venturi_stream){0};
    venturi_hold_end(&hold);
}

/* The clocks tick a little apart, and another thread's CPU clock says nothing. */
static uint64_t cpu_between(const venturi_span *span, struct moment end)
{
    if (end.cpu_ns == TRACE_CPU_UNKNOWN || span->thread != thread_number() || end.cpu_ns < span->start_cpu_ns)
        return TRACE_CPU_UNKNOWN;
    uint64_t cpu_ns = end.cpu_ns - span->start_cpu_ns, wall_ns = end.at_ns - span->start_ns;
    return cpu_ns < wall_ns ? cpu_ns : wall_ns;
}

static struct span_record record_of(const venturi_span *span, struct moment end)
{
    return (struct span_record){.start_ns = span->start_ns,
                                .end_ns = end.at_ns,
                                .cpu_ns = cpu_between(span, end),
                                .item = span->item,
                                .stage = span->stage};
}

static venturi_span open_span(struct venturi_process *process, venturi_stage stage, uint64_t item, struct moment start)
{
    return (venturi_span){.start_ns = start.at_ns,
                          .start_cpu_ns = start.cpu_ns,
                          .item = item,
                          .stage = stage,
                          .process = venturi_process_generation(process),
                          .thread = thread_number(),
                          .state = SPAN_OPEN};
}

static void end(venturi_span *span, uint64_t rows, uint64_t bytes, enum span_outcome outcome)
{
    struct venturi_process *process = recording();
    if (!process || !span || span->state == SPAN_NONE)
        return;
    struct moment at = now();
    if (!enter(process))
        return;
    if (span->state != SPAN_OPEN || span->process != thread.generation) {
        lose(&losses(process)->misuse);
    } else {
        struct span_record record = record_of(span, at);
        record.rows = rows;
        record.bytes = bytes;
        record.outcome = outcome;
        keep(process, &record);
    }
    span->state = SPAN_ENDED;
    leave();
}

static void end_lap(struct venturi_process *process, struct moment at)
{
    if (thread.lap.state != SPAN_OPEN)
        return;
    struct span_record record = record_of(&thread.lap, at);
    record.rows = thread.lap_rows;
    record.bytes = thread.lap_bytes;
    thread.lap.state = SPAN_ENDED;
    thread.lap_rows = thread.lap_bytes = 0;
    keep(process, &record);
}

static void count_lap(struct venturi_process *process, uint64_t rows, uint64_t bytes)
{
    if (thread.lap.state != SPAN_OPEN) {
        lose(&losses(process)->misuse);
        return;
    }
    thread.lap_rows += rows;
    thread.lap_bytes += bytes;
}

venturi_stage venturi_stage_named(const char *name)
{
    struct venturi_hold hold;
    venturi_stage stage = 0;
    size_t bytes = name ? stage_name_bytes(name) : 0;
    venturi_hold_begin(&hold);
    struct venturi_process *process = venturi_process_start(thread_ends);
    if (recording())
        venturi_process_ready(process);
    if (process && bytes > 0)
        stage = venturi_process_stage(process, name, bytes);
    venturi_hold_end(&hold);
    return stage;
}

venturi_span venturi_begin(venturi_stage stage, uint64_t item)
{
    struct venturi_process *process = recording();
    return process ? open_span(process, stage, item, now()) : (venturi_span){0};
}

void venturi_end(venturi_span *span, uint64_t rows, uint64_t bytes)
{
    end(span, rows, bytes, SPAN_OK);
}

void venturi_fail(venturi_span *span)
{
    end(span, 0, 0, SPAN_FAILED);
}

void venturi_lap(venturi_stage stage, uint64_t item)
{
    struct venturi_process *process = recording();
    if (!process)
        return;
    struct moment at = now();
    if (!enter(process))
        return;
    end_lap(process, at);
    thread.lap = open_span(process, stage, item, at);
    leave();
}

void venturi_lap_count(uint64_t rows, uint64_t bytes)
{
    struct venturi_process *process = recording();
    if (!process || !enter(process))
        return;
    count_lap(process, rows, bytes);
    leave();
}

void venturi_lap_end(uint64_t rows, uint64_t bytes)
{
    struct venturi_process *process = recording();
    if (!process)
        return;
    struct moment at = now();
    if (!enter(process))
        return;
    count_lap(process, rows, bytes);
    end_lap(process, at);
    leave();
}

int venturi_enabled(void)
{
    return recording() != NULL;
}
