/* SPDX-License-Identifier: Apache-2.0
 *
 * kill -9 at any moment: every span that ended before is readable, none is invented. VENTURI_KILLS sets how many.
 */
#include "base/random.h"
#include "witness.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { KILLS = 200 }; /* the fork of an instrumented process is slow */
#else
enum { KILLS = 1200 };
#endif
enum { THREADS_MAX = 8, FORKS = 3, TARGET_MOST = 6000, DEADLINE_S = 30 };

static struct witness *witnesses;
static venturi_stage stage;
static unsigned thread_count, process_count;

static void *record_for_ever(void *first)
{
    for (;;)
        witness_span(witnesses, (uintptr_t)first, stage);
    return NULL;
}

/* `process_count` processes, each with `thread_count` threads, in one process group. The first forks the others from
 * under its own recording threads. */
static void record(void)
{
    (void)setpgid(0, 0);
    stage = venturi_stage_named("work");
    uintptr_t first = 0;
    for (unsigned i = 0; i < thread_count; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, record_for_ever, (void *)first++))
            _exit(1);
    }
    for (unsigned i = 1; i < process_count; i++, first++)
        if (fork() == 0)
            (void)record_for_ever((void *)first);
    for (;;)
        (void)pause();
}

/* Waits until the writers have acknowledged `spans` spans. */
static void await(uint64_t spans)
{
    time_t deadline = time(NULL) + DEADLINE_S;
    while (witness_acknowledged(witnesses) < spans) {
        assert_true(time(NULL) < deadline);
        (void)sched_yield();
    }
}

static bool any_mid_write(void)
{
    for (size_t i = 0; i < WITNESSES_MAX; i++)
        if (witnesses[i].begun != witnesses[i].acknowledged)
            return true;
    return false;
}

/* Kills one group of writers after some spans; true when a thread was inside the recorder then. */
static bool kill_once(struct rng *rng)
{
    void *state;
    assert_int_equal(fixture_setup(&state), 0);
    struct fixture *fixture = state;
    witnesses = witnesses_new();
    thread_count = (unsigned)(rng_coin(rng) ? 1 : 1 + rng_below(rng, THREADS_MAX));
    process_count = (unsigned)(rng_below(rng, 4) ? 1 : 1 + rng_below(rng, FORKS));
    uint64_t target = rng_below(rng, 8) ? rng_below(rng, TARGET_MOST) : rng_below(rng, 3);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)setenv("VENTURI_TRACE", fixture->folder, 1);
        record();
    }
    await(target);
    if (kill(-child, SIGKILL) != 0)
        assert_int_equal(kill(child, SIGKILL), 0); /* it has no group of its own yet */
    while (waitpid(-1, NULL, 0) > 0)               /* grandchildren too: we are their reaper */
        continue;
    bool mid_write = any_mid_write();
    witness_check(witnesses, fixture_read(fixture));
    assert_int_equal(losses_sum(fixture->trace), 0);
    witnesses_free(witnesses);
    assert_int_equal(fixture_teardown(&state), 0);
    return mid_write;
}

static void test_kill_loses_and_invents_nothing(void **state)
{
    struct rng rng;
    const char *wanted = getenv("VENTURI_KILLS");
    long kills = wanted ? strtol(wanted, NULL, 10) : KILLS, mid_write = 0;
    (void)state;
    rng_init(&rng, 9);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    for (long i = 0; i < kills; i++)
        mid_write += kill_once(&rng);
    print_message("%ld of %ld kills hit a thread inside the recorder\n", mid_write, kills);
    assert_true(mid_write > kills / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kill_loses_and_invents_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
