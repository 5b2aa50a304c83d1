/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/cases.h"

#include "base/clock.h"
#include "base/file.h"
#include "recorder/stages.h"
#include "trace/format.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    THREADS_MAX = 2,
    WARM_UP = TRACE_BLOCK_BYTES,                             /* operations: more than fill a block */
    STEP = 64,                                               /* operations between two looks at the file */
    STRETCH_BYTES = TRACE_BLOCK_BYTES - 2 * TRACE_PAGE_BYTES /* leaves room for a step and a disturbed record */
};

/** A thread that times a loop. */
struct worker {
    const struct loop *loop;
    enum err (*time)(struct worker *worker);
    unsigned core;
    int file; /* of its stream */
    pthread_t thread;
    enum err error;
    struct diag diag;
    struct bench_sample sample;
};

static const char *traces;
static char folder[PATH_MAX]; /* of the trace */
static pthread_barrier_t all_ready;

static double thread_cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * (double)NS_PER_S + (double)now.tv_nsec;
}

void keep_traces_in(const char *path)
{
    traces = path;
}

unsigned cores_allowed(void)
{
    cpu_set_t allowed;
    return sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? (unsigned)CPU_COUNT(&allowed) : 1;
}

/* To the n-th core that the process may use, so that a loop does not wander. */
static void pin(unsigned n)
{
    cpu_set_t allowed, own;
    CPU_ZERO(&allowed);
    CPU_ZERO(&own);
    (void)sched_getaffinity(0, sizeof allowed, &allowed);
    for (size_t core = 0; core < CPU_SETSIZE; core++)
        if (CPU_ISSET(core, &allowed) && n-- == 0)
            CPU_SET(core, &own);
    (void)pthread_setaffinity_np(pthread_self(), sizeof own, &own);
}

static void run_timed(struct bench_sample *out, const struct loop *loop)
{
    double cpu_ns = thread_cpu_ns();
    uint64_t start_ns = clock_monotonic_ns();
    loop->run(loop->count);
    uint64_t end_ns = clock_monotonic_ns();
    cpu_ns = thread_cpu_ns() - cpu_ns;
    out->of[BENCH_WALL_NS] = (double)(end_ns - start_ns) / (double)loop->count;
    out->of[BENCH_CPU_NS] = cpu_ns / (double)loop->count;
}

/* Opens the file of whole blocks that the n-th thread writes. */
static enum err open_stream(int *out, unsigned n, struct diag *diag)
{
    char pattern[PATH_MAX + 32];
    glob_t found;
    *out = -1;
    (void)snprintf(pattern, sizeof pattern, "%s/*-%u" TRACE_SPANS_SUFFIX, folder, n);
    if (glob(pattern, 0, NULL, &found) == 0)
        *out = open(found.gl_pathv[0], O_RDONLY | O_CLOEXEC);
    globfree(&found);
    return *out >= 0 ? ERR_OK : diag_fail(diag, ERR_IO, pattern, NULL, "the recorder has written no block");
}

/* Threads begin one after another, because streams are numbered as they begin. */
static enum err warm_up(struct worker *worker)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    static unsigned streams;
    (void)pthread_mutex_lock(&one_at_a_time);
    worker->loop->run(WARM_UP);
    enum err error = open_stream(&worker->file, streams++, &worker->diag);
    (void)pthread_mutex_unlock(&one_at_a_time);
    return error;
}

static double file_bytes(int file)
{
    struct stat status;
    return fstat(file, &status) == 0 ? (double)status.st_size : NAN;
}

static enum err time_all(struct worker *worker)
{
    double before = file_bytes(worker->file);
    run_timed(&worker->sample, worker->loop);
    worker->sample.of[BENCH_BYTES] = (file_bytes(worker->file) - before) / (double)worker->loop->count;
    return ERR_OK;
}

/* Until a block has been written, so that the next one is empty or nearly; returns after how many steps. */
static size_t run_to_next_block(int file, operations *run, size_t step)
{
    double before = file_bytes(file);
    size_t steps = 0;
    while (steps < WARM_UP && file_bytes(file) <= before) {
        run(step);
        steps++;
    }
    return steps;
}

static enum err time_stretches(struct worker *worker)
{
    const struct loop *loop = worker->loop;
    size_t stretch = STRETCH_BYTES / loop->record_bytes, timed = 0;
    uint64_t all_ns = 0;
    for (size_t done = 0; done < loop->count; done += stretch) {
        (void)run_to_next_block(worker->file, loop->run, STEP);
        double before = file_bytes(worker->file);
        uint64_t start_ns = clock_monotonic_ns();
        loop->run(stretch);
        uint64_t end_ns = clock_monotonic_ns();
        if (file_bytes(worker->file) > before)
            continue;
        all_ns += end_ns - start_ns;
        timed += stretch;
    }
    worker->sample.of[BENCH_WALL_NS] = timed > 0 ? (double)all_ns / (double)timed : NAN;
    return ERR_OK;
}

static void *work(void *context)
{
    struct worker *worker = context;
    pin(worker->core);
    worker->error = warm_up(worker);
    (void)pthread_barrier_wait(&all_ready);
    if (worker->error == ERR_OK)
        worker->error = worker->time(worker);
    fd_close(&worker->file);
    return NULL;
}

/* From here on the process records. */
static enum err record(const struct loop *loop, struct diag *diag)
{
    (void)snprintf(folder, sizeof folder, "%s/XXXXXX", traces);
    if (!mkdtemp(folder))
        return diag_errno(diag, ERR_IO, errno, folder, "no folder for the trace");
    if (setenv("VENTURI_TRACE", folder, 1) < 0 || (loop->setting && setenv(loop->setting, "1", 1) < 0))
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
    name_stages();
    return venturi_recording ? ERR_OK : diag_fail(diag, ERR_INTERNAL, folder, NULL, "the recorder does not record");
}

static enum err join(struct bench_sample *out, struct worker *workers, unsigned count, struct diag *diag)
{
    enum err error = ERR_OK;
    *out = (struct bench_sample){{0}};
    for (unsigned i = 0; i < count; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        if (workers[i].error != ERR_OK) {
            error = workers[i].error;
            *diag = workers[i].diag;
        }
        for (size_t quantity = 0; quantity < BENCH_QUANTITIES; quantity++)
            out->of[quantity] += workers[i].sample.of[quantity] / count;
    }
    return error;
}

/* Mean over the threads. */
static enum err time_recording(struct bench_sample *out, const struct loop *loop, enum err (*time)(struct worker *),
                               struct diag *diag)
{
    struct worker workers[THREADS_MAX];
    unsigned threads = loop->threads ? loop->threads : 1;
    TRY(record(loop, diag));
    (void)pthread_barrier_init(&all_ready, NULL, threads);
    for (unsigned i = 0; i < threads; i++) {
        workers[i] = (struct worker){.loop = loop, .time = time, .core = i, .file = -1, .sample = {{NAN, NAN, NAN}}};
        int error = pthread_create(&workers[i].thread, NULL, work, &workers[i]);
        if (error)
            return diag_errno(diag, ERR_INTERNAL, error, "pthread_create", "no thread");
    }
    TRY(join(out, workers, threads, diag));
    return dir_remove(folder, diag);
}

enum err time_in_file(struct bench_sample *out, const void *context, struct diag *diag)
{
    return time_recording(out, context, time_all, diag);
}

enum err time_in_ring(struct bench_sample *out, const void *context, struct diag *diag)
{
    return time_recording(out, context, time_stretches, diag);
}

enum err time_idle(struct bench_sample *out, const void *context, struct diag *diag)
{
    const struct loop *loop = context;
    (void)unsetenv("VENTURI_TRACE");
    name_stages();
    if (venturi_recording)
        return diag_fail(diag, ERR_INTERNAL, NULL, NULL, "the recorder records");
    pin(0);
    *out = (struct bench_sample){{NAN, NAN, NAN}};
    loop->run(WARM_UP);
    run_timed(out, loop);
    return ERR_OK;
}

enum err count_bytes(struct bench_sample *out, const void *context, struct diag *diag)
{
    const struct loop *loop = context;
    AUTO(fd_close) int file = -1;
    TRY(record(loop, diag));
    laps(WARM_UP);
    TRY(open_stream(&file, 0, diag));
    (void)run_to_next_block(file, laps, 1);
    size_t count = run_to_next_block(file, loop->run, 1);
    *out = (struct bench_sample){{NAN, NAN, TRACE_BLOCK_BYTES / (double)count}};
    return dir_remove(folder, diag);
}
