/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/cases.h"

#include "base/clock.h"
#include "base/random.h"
#include "recorder/stages.h"
#include "span/clock.h"

#include "venturi.h"

enum { SLOTS = 1024, ROWS = 1000, ROW_BYTES = 150, WAIT_NS_MIN = 1000, WAIT_NS_MAX = 100000 };

venturi_stage stages[STAGES];

/* Bare readings must be kept somewhere, or the compiler leaves the loop out. */
static uint64_t kept[SLOTS][2];
#define USED(memory) __asm__ volatile("" : : "r"(memory) : "memory")

void name_stages(void)
{
    static const char *const names[STAGES] = {"download", "extract", "parse", "ingest"};
    for (size_t i = 0; i < STAGES; i++)
        stages[i] = venturi_stage_named(names[i]);
}

#if defined(__x86_64__)
static void two_counter_readings(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        kept[i % SLOTS][0] = __rdtsc();
        kept[i % SLOTS][1] = __rdtsc();
        USED(kept);
    }
}
#endif

static void two_clock_readings(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        kept[i % SLOTS][0] = venturi_now_ns();
        kept[i % SLOTS][1] = venturi_now_ns();
        USED(kept);
    }
}

void two_readings(size_t count)
{
    venturi_clock_choose();
#if defined(__x86_64__)
    if (venturi_clock_is_tsc) {
        two_counter_readings(count);
        return;
    }
#endif
    two_clock_readings(count);
}

void spans(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        venturi_span span = venturi_begin(stages[i % STAGES], 0);
        venturi_end(&span, 0, 0);
        USED(&span);
    }
}

void full_spans(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        venturi_span span = venturi_begin(stages[i % STAGES], 1 + i / STAGES);
        venturi_end(&span, ROWS, ROWS * ROW_BYTES);
        USED(&span);
    }
}

void laps(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        venturi_lap(stages[i % STAGES]);
        USED(stages);
    }
}

void full_laps(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        venturi_lap_item(1 + i / STAGES);
        venturi_lap(stages[i % STAGES]);
        venturi_lap_count(ROWS, ROWS * ROW_BYTES);
        USED(stages);
    }
}

/* 1 to 100 us, each length as likely. */
static void wait_a_little(void)
{
    static struct rng rng;
    static bool seeded;
    if (!seeded)
        rng_init(&rng, 1);
    seeded = true;
    uint64_t until = clock_monotonic_ns() + WAIT_NS_MIN + rng_below(&rng, WAIT_NS_MAX - WAIT_NS_MIN);
    while (clock_monotonic_ns() < until)
        ;
}

void waiting_spans(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        venturi_span span = venturi_begin(stages[i % STAGES], 0);
        wait_a_little();
        venturi_end(&span, 0, 0);
    }
}

void waiting_laps(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        venturi_lap(stages[i % STAGES]);
        wait_a_little();
    }
}
