/* SPDX-License-Identifier: Apache-2.0
 *
 * Records a span as two events of LTTng-ust, over and over: a byte asks for a round, a struct bench_sample answers; one
 * that means nothing says that it is ready.
 */
#include "common/bench.h"

#include <math.h>
#include <time.h>
#include <unistd.h>

#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "recorder/lttng_events.h"

enum { SPANS = 1 << 18, STAGES = 4 };

static double now_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

int main(void)
{
    struct bench_sample sample = {{NAN, NAN, NAN}};
    char asked;
    while (write(STDOUT_FILENO, &sample, sizeof sample) == sizeof sample && read(STDIN_FILENO, &asked, 1) == 1) {
        double start_ns = now_ns(CLOCK_MONOTONIC), start_cpu_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);
        for (unsigned i = 0; i < SPANS; i++) {
            lttng_ust_tracepoint(bench, begin, i % STAGES);
            lttng_ust_tracepoint(bench, end, i % STAGES);
        }
        sample.of[BENCH_CPU_NS] = (now_ns(CLOCK_THREAD_CPUTIME_ID) - start_cpu_ns) / SPANS;
        sample.of[BENCH_WALL_NS] = (now_ns(CLOCK_MONOTONIC) - start_ns) / SPANS;
    }
    return 0;
}
