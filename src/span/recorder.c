/* SPDX-License-Identifier: Apache-2.0
 *
 * The calls of venturi.h. Each thread has a stream of its own, so a call costs its clock reading and the store of a
 * record; system calls happen when a thread records for the first time and when its block is full.
 */
#include "venturi.h"

#include "span/process.h"

#include <stdbool.h>
#include <sys/mman.h>
#include <time.h>

enum { SPAN_NONE = 0, SPAN_OPEN = 1, SPAN_ENDED = 2 }; /* venturi_span.state */

/* initial-exec: found without a call that might allocate, in a library loaded late too. */
#define THREAD_LOCAL static _Thread_local __attribute__((tls_model("initial-exec")))

struct resources {
    uint64_t cpu_ns, allocations, allocated_bytes;
};

struct lap {
    uint32_t stage; /* 0 = between laps */
    bool plain;     /* its times are all there is to say, and they fit a short record if it is not long */
    uint64_t rows, bytes;
    struct resources start;
};

THREAD_LOCAL struct {
    uint32_t generation; /* the process that the rest belongs to; another after fork */
    uint32_t number;     /* tells this thread from others; 0 = none yet */
    bool busy;           /* inside the recorder: a signal handler that gets here has interrupted it */
    bool refused;        /* no stream could be had */
    uint64_t item;       /* of the next lap */
    struct lap lap;
    struct venturi_stream stream;
} thread;

static uint32_t last_thread; /* atomic */

static uint32_t thread_number(void)
{
    if (thread.number == 0)
        thread.number = __atomic_add_fetch(&last_thread, 1, __ATOMIC_RELAXED);
    return thread.number;
}

static bool measures_resources(void)
{
    return venturi_settings.with_cpu || venturi_settings.allocations;
}

__attribute__((noinline)) static struct resources read_resources(void)
{
    struct resources now = {0};
    struct timespec cpu;
    if (venturi_settings.with_cpu && clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu) == 0)
        now.cpu_ns = (uint64_t)cpu.tv_sec * 1000000000 + (uint64_t)cpu.tv_nsec;
    if (venturi_settings.allocations)
        venturi_settings.allocations(&now.allocations, &now.allocated_bytes);
    return now;
}

static inline struct resources resources_now(void)
{
    return measures_resources() ? read_resources() : (struct resources){0};
}

static struct span_losses *losses(void)
{
    static struct span_losses nowhere; /* without a slot there is no place that a reader would look at */
    struct venturi_process *process = venturi_process;
    if (thread.stream.slot && thread.generation == __atomic_load_n(&process->generation, __ATOMIC_RELAXED))
        return &thread.stream.slot->losses;
    struct process_slot *slot = __atomic_load_n(&process->slot, __ATOMIC_ACQUIRE);
    return slot ? &slot->losses : &nowhere;
}

static void lose(uint64_t *count)
{
    (void)__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

/* A thread's first step in this process: in a forked child its stream and lap are still the parent's. */
__attribute__((noinline, cold)) static void join(uint32_t generation)
{
    struct venturi_hold hold;
    venturi_hold_begin(&hold);
    thread.stream = (struct venturi_stream){0};
    thread.lap = (struct lap){0};
    thread.item = 0;
    thread.refused = false;
    thread.generation = generation;
    venturi_process_ready(venturi_process);
    venturi_hold_end(&hold);
}

static inline bool enter(void)
{
    if (thread.busy) {
        lose(&losses()->interrupted);
        return false;
    }
    thread.busy = true;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    uint32_t generation = venturi_process_generation(venturi_process);
    if (thread.generation != generation)
        join(generation);
    return true;
}

static inline void leave(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    thread.busy = false;
}

/* Ours to give back, unless the thread was cancelled or jumped out of a handler while it was inside the recorder: then
 * its last record may be half way. */
static bool has_whole_stream(void)
{
    return thread.stream.slot && !thread.busy && thread.generation == venturi_process_generation(venturi_process);
}

static void put_last_clock(void)
{
    if (!thread.stream.stopped && venturi_stream_has_room(&thread.stream))
        venturi_stream_put_clock(&thread.stream);
}

static void thread_ends(void *ended)
{
    struct venturi_hold hold;
    (void)ended;
    venturi_hold_begin(&hold);
    if (has_whole_stream()) {
        put_last_clock();
        venturi_process_return(venturi_process, &thread.stream);
    }
    thread.stream = (struct venturi_stream){0};
    thread.lap = (struct lap){0};
    venturi_hold_end(&hold);
}

__attribute__((constructor)) static void library_begins(void)
{
    venturi_process_watch_threads(thread_ends);
}

__attribute__((destructor)) static void process_ends(void)
{
    if (venturi_recording && has_whole_stream())
        put_last_clock();
}

/* A signal handler that interrupted the recorder may fork, and the child comes back into the middle of a call, to a
 * slot that is not mapped there. It ends that call into scrap. */
static void child_begins(void)
{
    if (thread.busy && thread.stream.slot)
        (void)mmap(thread.stream.slot, TRACE_SLOT_BYTES, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/* What ended at `end` is the first on a fresh stream, which begins there and not when it is made: else that would be
 * shifted by the time which the making took. */
static bool open_stream(uint64_t end)
{
    struct venturi_hold hold;
    struct venturi_stream stream;
    if (thread.refused)
        return false;
    venturi_hold_begin(&hold);
    thread.refused = !venturi_process_lend(venturi_process, &stream);
    if (!thread.refused) {
        if (stream.sequence == 0)
            stream.time = stream.lap_start = end;
        thread.stream = stream;
        venturi_process_watch(&thread);
    }
    venturi_hold_end(&hold);
    return !thread.refused;
}

static bool turn_page(struct venturi_flush *flush)
{
    struct venturi_hold hold;
    struct venturi_path path;
    if (thread.stream.stopped || !venturi_stream_block_full(&thread.stream))
        return venturi_stream_turn(&thread.stream, NULL, flush);
    venturi_hold_begin(&hold);
    venturi_process_spans_path(&path, venturi_process, thread.stream.number);
    bool turned = venturi_stream_turn(&thread.stream, &path, flush);
    venturi_hold_end(&hold);
    return turned;
}

/* Room for a record that ended at `end`, if need be on the next page: NULL, or where to count what is lost. */
static uint64_t *make_room(uint64_t end, struct venturi_flush *flush)
{
    if (!thread.stream.slot && !open_stream(end))
        return &losses()->no_stream;
    return venturi_stream_has_room(&thread.stream) || turn_page(flush) ? NULL : &losses()->write_failed;
}

/* Whether the clock stands before what is recorded already. Then the page is closed, so that what follows comes here
 * and not the short way. */
static bool is_behind(uint64_t end)
{
    struct venturi_stream *stream = &thread.stream;
    if (end >= stream->time || venturi_ticks() >= stream->time)
        return false;
    stream->behind = true;
    stream->end = stream->at;
    return true;
}

/* A lap that began while the clock was behind: nobody knows when. */
static void drop_lap(struct record *record)
{
    if (record->stage != 0)
        lose(&losses()->clock);
    *record = (struct record){.kind = RECORD_IS_LAP};
    thread.stream.behind = false;
}

static void put_flush(struct venturi_flush flush)
{
    struct record record = {.kind = RECORD_IS_SPAN,
                            .stage = TRACE_STAGE_FLUSH,
                            .delta = flush.end - thread.stream.time,
                            .duration = flush.end - flush.start};
    venturi_stream_passed(&thread.stream, record_put_full(thread.stream.at, &record), flush.end);
}

static void put_clock_if_due(struct venturi_stream *stream)
{
    if (stream->time >= stream->clock_due && venturi_stream_has_room(stream))
        venturi_stream_put_clock(stream);
}

/* Puts a lap or span that ended at `end`; a handler that interrupted us before may have recorded a little later. The
 * time between laps is no loss. */
static void put(struct record *record, uint64_t end)
{
    struct venturi_stream *stream = &thread.stream;
    struct venturi_flush flush = {0};
    uint64_t *lost = is_behind(end) ? &losses()->clock : make_room(end, &flush);
    if (lost) {
        if (record->stage != 0)
            lose(lost);
        return;
    }
    if (record->kind == RECORD_IS_LAP && stream->behind)
        drop_lap(record);
    uint64_t time = end > stream->time ? end : stream->time;
    record->delta = time - stream->time;
    venturi_stream_passed(stream, record_put_full(stream->at, record), time);
    if (record->kind == RECORD_IS_LAP)
        stream->lap_start = time;
    if (flush.end > time)
        put_flush(flush);
    put_clock_if_due(stream);
}

/* The clocks tick a little apart. */
static void add_resources(struct record *record, struct resources start, struct resources end)
{
    if (venturi_settings.with_cpu && end.cpu_ns >= start.cpu_ns) {
        record->more |= RECORD_CPU;
        record->cpu_ns = end.cpu_ns - start.cpu_ns;
    }
    if (venturi_settings.allocations) {
        record->more |= RECORD_ALLOCATIONS;
        record->allocations = end.allocations - start.allocations;
        record->allocated_bytes = end.allocated_bytes - start.allocated_bytes;
    }
}

__attribute__((noinline)) static void put_lap(uint64_t end, const struct resources *at)
{
    struct record record = {
        .kind = RECORD_IS_LAP, .stage = thread.lap.stage, .rows = thread.lap.rows, .bytes = thread.lap.bytes};
    if (record.stage != 0 && measures_resources())
        add_resources(&record, thread.lap.start, *at);
    put(&record, end);
}

/* Whether a short record may be put without further ado. */
static inline bool takes_short(const struct venturi_stream *stream, uint64_t now)
{
    return stream->end - stream->at >= 8 && now < stream->clock_due;
}

/* Ends the lap, or the time between two, at `now`. */
static inline void end_lap(uint64_t now, const struct resources *at)
{
    struct venturi_stream *stream = &thread.stream;
    uint64_t delta = now - stream->time;
    size_t bytes;
    if (__builtin_expect(thread.lap.plain && delta < RECORD_SHORT_TICKS && takes_short(stream, now), 1)) {
        uint64_t word = record_short_lap(thread.lap.stage, delta, &bytes);
        venturi_stream_put_short(stream, word, bytes, now);
        stream->lap_start = now;
    } else {
        put_lap(now, at);
    }
}

__attribute__((noinline, cold)) static void put_item(void)
{
    struct venturi_flush flush = {0};
    if (thread.stream.behind || make_room(thread.stream.time, &flush))
        return;
    venturi_stream_passed(&thread.stream, record_put_item(thread.stream.at, thread.item), thread.stream.time);
    thread.stream.lap_item = thread.item;
    if (flush.end > thread.stream.time)
        put_flush(flush);
}

static inline void begin_lap(venturi_stage stage, const struct resources *at)
{
    bool known = stage - 1 < __atomic_load_n(&venturi_stages, __ATOMIC_ACQUIRE);
    if (!known)
        lose(&losses()->no_stage);
    thread.lap.stage = known ? stage : 0;
    thread.lap.plain = thread.lap.stage <= RECORD_SHORT_STAGES && !measures_resources();
    thread.lap.rows = thread.lap.bytes = 0;
    thread.lap.start = *at;
    if (thread.item != thread.stream.lap_item)
        put_item();
}

venturi_stage venturi_stage_named(const char *name)
{
    struct venturi_hold hold;
    venturi_stage stage = 0;
    size_t bytes = name ? stage_name_bytes(name) : 0;
    venturi_hold_begin(&hold);
    struct venturi_process *process = venturi_process_start(child_begins);
    if (venturi_recording)
        venturi_process_ready(process);
    if (process && bytes > 0)
        stage = venturi_process_stage(process, name, bytes);
    venturi_hold_end(&hold);
    return stage;
}

void venturi_record_lap(venturi_stage stage)
{
    uint64_t now = venturi_ticks();
    if (!enter())
        return;
    struct resources at = resources_now();
    end_lap(now, &at);
    begin_lap(stage, &at);
    leave();
}

void venturi_record_lap_item(uint64_t item)
{
    if (!enter())
        return;
    thread.item = item;
    leave();
}

static void count_lap(uint64_t rows, uint64_t bytes)
{
    if (thread.lap.stage == 0) {
        lose(&losses()->misuse);
        return;
    }
    thread.lap.rows += rows;
    thread.lap.bytes += bytes;
    thread.lap.plain = false;
}

void venturi_record_lap_count(uint64_t rows, uint64_t bytes)
{
    if (!enter())
        return;
    count_lap(rows, bytes);
    leave();
}

void venturi_record_lap_end(void)
{
    uint64_t now = venturi_ticks();
    if (!enter())
        return;
    struct resources at = resources_now();
    if (thread.lap.stage != 0)
        end_lap(now, &at);
    thread.lap = (struct lap){.plain = true};
    leave();
}

__attribute__((noinline)) static void note_resources(venturi_span *span)
{
    struct resources start = read_resources();
    span->start_cpu_ns = start.cpu_ns;
    span->start_allocations = start.allocations;
    span->start_allocated_bytes = start.allocated_bytes;
}

void venturi_record_begin(venturi_span *span, venturi_stage stage, uint64_t item)
{
    span->item = item;
    span->stage = stage;
    span->process = venturi_process_generation(venturi_process);
    span->thread = thread_number();
    span->state = SPAN_OPEN;
    if (measures_resources())
        note_resources(span);
    span->start_ticks = venturi_ticks();
}

/* What a span is said to have done when it ends. */
struct done {
    uint64_t rows, bytes;
    unsigned more;
};

/* Another thread's counts say nothing about this span. */
__attribute__((noinline)) static void put_span(const venturi_span *span, uint64_t now, struct done done)
{
    struct record record = {.kind = RECORD_IS_SPAN,
                            .stage = span->stage,
                            .duration = now - span->start_ticks,
                            .item = span->item,
                            .rows = done.rows,
                            .bytes = done.bytes,
                            .more = done.more};
    if (measures_resources() && span->thread == thread_number()) {
        struct resources start = {span->start_cpu_ns, span->start_allocations, span->start_allocated_bytes};
        add_resources(&record, start, resources_now());
    }
    put(&record, now);
}

static inline bool is_plain(const venturi_span *span, struct done done)
{
    return (span->item | done.rows | done.bytes | done.more) == 0 && !measures_resources();
}

static inline void end_span(const venturi_span *span, uint64_t now, struct done done)
{
    struct venturi_stream *stream = &thread.stream;
    uint64_t delta = now - stream->time, duration = now - span->start_ticks;
    size_t bytes;
    if (span->stage - 1 >= __atomic_load_n(&venturi_stages, __ATOMIC_ACQUIRE))
        lose(&losses()->no_stage);
    else if (now < span->start_ticks)
        lose(&losses()->clock);
    else if ((delta | duration) < RECORD_SHORT_TICKS && is_plain(span, done) && takes_short(stream, now)) {
        uint64_t word = record_short_span(span->stage, delta, duration, &bytes);
        venturi_stream_put_short(stream, word, bytes, now);
    } else {
        put_span(span, now, done);
    }
}

static inline void end(venturi_span *span, struct done done)
{
    uint64_t now = venturi_ticks();
    if (!span || span->state == SPAN_NONE || !enter())
        return;
    if (span->state != SPAN_OPEN || span->process != thread.generation)
        lose(&losses()->misuse);
    else
        end_span(span, now, done);
    span->state = SPAN_ENDED;
    leave();
}

void venturi_record_end(venturi_span *span, uint64_t rows, uint64_t bytes)
{
    end(span, (struct done){.rows = rows, .bytes = bytes});
}

void venturi_record_fail(venturi_span *span)
{
    end(span, (struct done){.more = RECORD_FAILED});
}
