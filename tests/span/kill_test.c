/* SPDX-License-Identifier: Apache-2.0
 *
 * kill -9 at any moment: what was acknowledged is readable, nothing is invented, at most one call a thread is open.
 * A timer of the kernel kills, so that it hits between any two instructions. Each plan is a function of its number:
 * VENTURI_KILLS says how many, VENTURI_KILLS_FROM where to start, so that a long run can be split, gone on with, and
 * any plan be played again.
 */
#include "base/random.h"
#include "writer.h"

#include <pthread.h>
#include <sys/resource.h>
#include <time.h>

enum { KILLS = SANITIZED ? 100 : 5000 };
enum { THREADS_MAX = 8, FORKS_MAX = 3, SLOTS_MAX = 32, DEADLINE_S = 60, BUDGET_BYTES = 1 << 28 };
enum { TARGET_BITS = 13, TAIL_MAX = 3500, DELAY_BITS = 17, FLUSH_NS = 200000 };
enum { DELAY_LEAST_NS = 70000 }; /* a shorter one may end inside the call that sets it */

static struct writer *writers;

/* Where a kill is aimed. */
enum aim {
    AIM_COUNT, /* at a number of records */
    AIM_TURN,  /* at a place in a page of the first stream */
    AIM_FLUSH, /* in the last page but one of its block */
    AIM_EARLY, /* at what comes before the first record */
};

struct plan {
    uint64_t number;
    bool in_lab;
    unsigned threads, processes;
    enum aim aim;
    uint64_t target;   /* records, or for a page its index */
    unsigned tail;     /* bytes before the end of the page */
    uint64_t delay_ns; /* from there on */
};

struct tally {
    uint64_t kills, mid_write, in_block; /* in_block: while a block was sealed or written out */
    uint64_t records;
};

/* In the process that is to be killed. */
static const struct plan *plan;
static const char *slots; /* of the lab; NULL without one */
static timer_t timer;

static void draw_plan(struct plan *out, uint64_t number)
{
    struct rng rng;
    rng_init(&rng, number);
    *out = (struct plan){.number = number, .in_lab = rng_coin(&rng), .threads = 1, .processes = 1};
    if (rng_below(&rng, 8))
        out->threads = 2 + (unsigned)rng_below(&rng, rng_coin(&rng) ? 2 : THREADS_MAX - 1);
    if (rng_below(&rng, 6) == 0)
        out->processes = 2 + (unsigned)rng_below(&rng, FORKS_MAX);
    out->aim = out->in_lab ? (enum aim)rng_below(&rng, 3) : AIM_COUNT;
    if (rng_below(&rng, 256) == 0)
        out->aim = AIM_EARLY;
    out->target = out->aim == AIM_TURN    ? rng_below(&rng, TRACE_BLOCK_PAGES)
                  : out->aim == AIM_FLUSH ? TRACE_BLOCK_PAGES - 2
                                          : rng_below(&rng, 1ull << rng_below(&rng, TARGET_BITS + 1));
    out->tail = RECORD_BYTES_MAX + (unsigned)rng_below(&rng, TAIL_MAX);
    out->delay_ns =
        DELAY_LEAST_NS + rng_below(&rng, out->aim == AIM_FLUSH ? FLUSH_NS : 1ull << rng_below(&rng, DELAY_BITS));
    for (size_t i = 0; i < WRITERS_MAX; i++)
        writers[i] = (struct writer){.form = (enum form)rng_below(&rng, FORMS)};
}

/* The block of whoever got the first slot of a thread; NULL before. */
static const char *first_block(void)
{
    for (size_t slot = 1; slots && slot < SLOTS_MAX; slot++)
        if (memcmp(slots + slot * TRACE_SLOT_BYTES, TRACE_STREAM_MAGIC, 8) == 0)
            return slots + slot * TRACE_SLOT_BYTES + TRACE_PAGE_BYTES;
    return NULL;
}

/* The page at which the kill is aimed was filled but for its tail. */
static bool is_filled(void)
{
    uint64_t bytes = 0;
    const char *block = first_block();
    const char *tail = block ? block + (plan->target + 1) * TRACE_PAGE_BYTES - plan->tail : NULL;
    for (size_t i = 0; tail && i < RECORD_BYTES_MAX; i += 8)
        bytes |=
            __atomic_load_n((const uint64_t *)(const void *)(((uintptr_t)tail & ~(uintptr_t)7) + i), __ATOMIC_RELAXED);
    return bytes != 0;
}

static bool has_come(const struct pen *pen)
{
    switch (plan->aim) {
    case AIM_COUNT:
        return pen->shared->begun >= plan->target;
    case AIM_EARLY:
        return true;
    default:
        return is_filled();
    }
}

static void arm(void)
{
    struct itimerspec once = {.it_value = {.tv_nsec = (long)plan->delay_ns}};
    if (timer_settime(timer, 0, &once, NULL))
        _exit(1);
}

static void make_timer(void)
{
    struct sigevent kill = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    if (timer_create(CLOCK_MONOTONIC, &kill, &timer))
        _exit(1);
}

static void *write_for_ever(void *named)
{
    struct pen pen = *(const struct pen *)named;
    pen_begin(&pen);
    for (;;)
        pen_write_run(&pen);
    return NULL;
}

static void write_until_killed(const struct pen *named)
{
    struct pen pen = *named;
    pen_begin(&pen);
    while (!has_come(&pen))
        pen_write_run(&pen);
    arm();
    for (;;)
        pen_write_run(&pen);
}

/* `processes` processes, the first with `threads` threads, in one group. The first forks the others from under its own
 * recording threads; it is the one that is killed by the timer. */
static void record(void)
{
    static struct pen pens[THREADS_MAX + FORKS_MAX + 1];
    unsigned count = plan->threads + plan->processes - 1;
    const struct rlimit budget = {.rlim_cur = BUDGET_BYTES, .rlim_max = BUDGET_BYTES};
    (void)alarm(DEADLINE_S);
    if (setpgid(0, 0) || setrlimit(RLIMIT_FSIZE, &budget))
        _exit(1);
    make_timer();
    if (plan->aim == AIM_EARLY)
        arm();
    for (unsigned i = 0; i < count; i++)
        pen_name(&pens[i], writers, i);
    for (unsigned i = 1; i < plan->threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, write_for_ever, &pens[i]))
            _exit(1);
    }
    for (unsigned i = plan->threads; i < count; i++) {
        pid_t child = fork();
        if (child == 0) {
            (void)alarm(DEADLINE_S);
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)write_for_ever(&pens[i]);
        }
    }
    write_until_killed(&pens[0]);
}

/* The others of its group go with it; their reaper are we. */
static void reap(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    (void)kill(-child, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static bool any_mid_write(void)
{
    for (size_t i = 0; i < WRITERS_MAX; i++)
        if (writers[i].begun != writers[i].acknowledged)
            return true;
    return false;
}

/* The first stream was sealing its block or writing it out. */
static bool is_in_block(void)
{
    struct page_head head, last;
    const char *block = first_block();
    if (!block)
        return false;
    memcpy(&head, block, sizeof head);
    memcpy(&last, block + (TRACE_BLOCK_PAGES - 1) * TRACE_PAGE_BYTES, sizeof last);
    return head.check != 0 && last.sequence == head.sequence + TRACE_BLOCK_PAGES - 1;
}

static void play(struct tally *tally, struct fixture *fixture)
{
    struct found found;
    pid_t child = fixture_fork(fixture);
    if (child == 0)
        record();
    reap(child);
    tally->kills++;
    tally->mid_write += any_mid_write();
    tally->in_block += is_in_block();
    tally->records += writers_acknowledged(writers);
    writers_find(&found, writers, fixture);
    writers_check(&found, writers);
    assert_int_equal(losses_sum(&found.losses), 0);
}

static void kill_once(struct tally *tally, uint64_t number)
{
    void *state = NULL;
    static struct plan drawn;
    draw_plan(&drawn, number);
    plan = &drawn;
    assert_int_equal(drawn.in_lab ? fixture_setup_in_lab(&state) : fixture_setup(&state), 0);
    struct fixture *fixture = state;
    size_t bytes = SLOTS_MAX * (size_t)TRACE_SLOT_BYTES;
    void *map = drawn.in_lab ? mmap(NULL, bytes, PROT_READ, MAP_SHARED, fixture->rings.fd, 0) : NULL;
    assert_true(map != MAP_FAILED);
    slots = map;
    play(tally, fixture);
    plan = NULL;
    assert_true(!map || munmap(map, bytes) == 0);
    assert_int_equal(fixture_teardown(&state), 0);
}

static int setup(void **state)
{
    (void)state;
    writers = writers_new();
    return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static int teardown(void **state)
{
    (void)state;
    if (plan)
        print_message("red: VENTURI_KILLS=1 VENTURI_KILLS_FROM=%llu\n", (unsigned long long)plan->number);
    writers_free(writers);
    return 0;
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void test_kill_loses_and_invents_nothing(void **state)
{
    struct tally tally = {.kills = 0};
    uint64_t from = setting("VENTURI_KILLS_FROM", 0), kills = setting("VENTURI_KILLS", KILLS);
    (void)state;
    for (uint64_t i = from; i < from + kills; i++)
        kill_once(&tally, i);
    print_message("%llu kills, %llu mid-write, %llu while a block was written out; %llu records\n",
                  (unsigned long long)tally.kills, (unsigned long long)tally.mid_write,
                  (unsigned long long)tally.in_block, (unsigned long long)tally.records);
    assert_true(tally.mid_write >= tally.kills * 95 / 100);
    assert_true(SANITIZED || tally.in_block >= tally.kills / 40); /* instrumented ones are slow between two blocks */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kill_loses_and_invents_nothing, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
