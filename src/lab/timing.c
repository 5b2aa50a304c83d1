/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/timing.h"

enum { FAST_NS = 1000, LEAST_COST_NS = 2, READINGS_LEAST = 10 };

void timing_measure(struct timing *out, uint64_t (*read_ns)(void), uint64_t for_ns)
{
    /* No clock is read faster than that: so many readings and no end mean that it stands still. */
    uint64_t readings_max = for_ns / LEAST_COST_NS + READINGS_LEAST, passed_ns = 0, fast = 0, last_ns = read_ns();
    *out = (struct timing){0};
    while (passed_ns < for_ns && out->readings < readings_max) {
        uint64_t now_ns = read_ns();
        out->readings++;
        if (now_ns < last_ns) {
            out->backwards++;
        } else {
            passed_ns += now_ns - last_ns;
            fast += now_ns - last_ns < FAST_NS;
        }
        last_ns = now_ns;
    }
    out->stuck = passed_ns < for_ns;
    out->cost_ns = out->readings ? (double)passed_ns / (double)out->readings : 0;
    out->fast_ratio = out->readings ? (double)fast / (double)out->readings : 0;
}
