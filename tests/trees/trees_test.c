/* SPDX-License-Identifier: Apache-2.0
 * Random hostile trees, several at a time, in pid namespaces and without: when a child is said to be done, nobody of
 * its tree is left, whatever it did. VENTURI_TREES and VENTURI_SEED set how many and which. */
#include "base/child.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/carriers.h"

enum { TREES = 500, AT_ONCE = 8, KILLS = 60, DEADLINE_S = 60, FLOODS = 8, TIMEOUT_MS = 40, GRACE_MS = 30 };
#define FLOOD_BYTES 268435457ULL
#define MEMORY_MAX_KB (64L * 1024)
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#elif defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif
static char mark_all[64];

static unsigned long long number_of(const char *variable, unsigned long long fallback)
{
    const char *text = getenv(variable);
    return text ? strtoull(text, NULL, 10) : fallback;
}

static void expect_nobody(void)
{
    expect_no_carriers(mark_all, DEADLINE_S);
}

struct tree {
    struct child *child;
    char mark[96];
    uint64_t seed;
    bool done;
};

static void on_done(void *context, const struct child_result *result)
{
    struct tree *tree = context;
    assert_false(tree->done);
    tree->done = true;
    if (result->outcome == CHILD_NOT_STARTED)
        fail_msg("tree %llu did not start: %s", (unsigned long long)tree->seed, strerror(result->code));
    /* A supervisor that keeps its deadlines is not killed by its backstop; only trees of even seeds kill it. */
    if (tree->seed % 2 == 1 && result->outcome == CHILD_SIGNALLED)
        fail_msg("tree %llu had to be given up: signal %d", (unsigned long long)tree->seed, result->code);
    int left = count_carriers(tree->mark);
    if (left > 0)
        fail_msg("%d processes of tree %llu live on", left, (unsigned long long)tree->seed);
}

static void plant(struct tree *tree, struct loop *loop, uint64_t seed, uint64_t timeout_ms)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    const char *argv[] = {HOSTILE, "tree", text, NULL}, *env[] = {tree->mark, NULL};
    struct child_options options = {
        .argv = argv, .env = env, .timeout_ns = timeout_ms * NS_PER_MS, .grace_ns = GRACE_MS * NS_PER_MS};
    struct diag diag = {0};
    (void)snprintf(tree->mark, sizeof tree->mark, "%s:%s", mark_all, text);
    tree->seed = seed;
    tree->done = false;
    if (child_start(&tree->child, &options, loop, on_done, tree, &diag) != ERR_OK)
        fail_msg("%s", diag.what);
}

/* The clean end of every tree is checked as it comes. */
static void no_tree_outlives_its_run(void **state)
{
    (void)state;
    struct tree trees[AT_ONCE] = {0};
    AUTO(loop_free) struct loop *loop = NULL;
    struct diag diag = {0};
    unsigned long long count = number_of("VENTURI_TREES", TREES), seed = number_of("VENTURI_SEED", 1), planted = 0,
                       ended = 0;
    assert_int_equal(loop_new(&loop, &diag), ERR_OK);
    uint64_t until_ns = clock_monotonic_ns() + (DEADLINE_S + count) * NS_PER_S;
    while (ended < count && clock_monotonic_ns() < until_ns) {
        for (size_t i = 0; i < AT_ONCE; i++) {
            struct tree *tree = &trees[i];
            ended += tree->done;
            if (tree->done)
                child_free(&tree->child);
            tree->done = false;
            if (!tree->child && planted < count)
                plant(tree, loop, seed * 1000000 + planted++, TIMEOUT_MS);
        }
        assert_int_equal(loop_turn(loop, clock_monotonic_ns() + NS_PER_S, &diag), ERR_OK);
    }
    assert_int_equal(ended, count);
    expect_nobody();
}

/* It does nothing but to become another process, as fast as it can, for much longer than anyone waits here; the third
 * kind kills its supervisor first. */
static void who_hops_is_caught(void **state)
{
    (void)state;
    for (int kind = 1; kind <= 3; kind++) {
        char text[8];
        (void)snprintf(text, sizeof text, "%d", kind);
        const char *argv[] = {HOSTILE, "hop", text, NULL}, *env[] = {mark_all, NULL};
        struct child_options options = {.argv = argv, .env = env};
        struct child *child;
        struct child_result result;
        struct diag diag = {0};
        assert_int_equal(child_run(&child, &result, &options, &diag), ERR_OK);
        int left = count_carriers(mark_all);
        if (left > 0)
            fail_msg("kind %d lives on", kind);
        child_free(&child);
        expect_nobody();
    }
}

struct flood {
    struct child *child;
    bool done;
    struct child_result result;
};

static void on_flood_done(void *context, const struct child_result *result)
{
    struct flood *flood = context;
    flood->done = true;
    flood->result = *result;
}

static void floods_are_counted_to_the_byte(void **state)
{
    (void)state;
    struct flood floods[FLOODS] = {0};
    AUTO(loop_free) struct loop *loop = NULL;
    struct diag diag = {0};
    char text[32];
    (void)snprintf(text, sizeof text, "%llu", FLOOD_BYTES);
    const char *argv[] = {HOSTILE, "flood", text, NULL}, *env[] = {mark_all, NULL};
    struct child_options options = {.argv = argv, .env = env};
    assert_int_equal(loop_new(&loop, &diag), ERR_OK);
    for (size_t i = 0; i < FLOODS; i++)
        assert_int_equal(child_start(&floods[i].child, &options, loop, on_flood_done, &floods[i], &diag), ERR_OK);
    for (size_t i = 0; i < FLOODS; i++) {
        while (!floods[i].done)
            assert_int_equal(loop_turn(loop, clock_monotonic_ns() + NS_PER_S, &diag), ERR_OK);
        assert_int_equal(floods[i].result.code, 0);
        assert_int_equal(floods[i].result.out.bytes, FLOOD_BYTES);
        child_free(&floods[i].child);
    }
    expect_nobody();
}

/* Plays venturi: some trees at a time until it is killed. They let their parents live: without namespaces nobody is
 * left to look after a tree whose supervisor is killed as well (docs/doctor.md). */
_Noreturn static void play_venturi(uint64_t seed)
{
    struct tree trees[AT_ONCE / 2] = {0};
    struct loop *loop;
    struct diag diag = {0};
    if (loop_new(&loop, &diag) != ERR_OK)
        _exit(1);
    for (size_t i = 0; i < AT_ONCE / 2; i++)
        plant(&trees[i], loop, seed + 2 * i + 1, 0); /* odd */
    while (loop_turn(loop, clock_monotonic_ns() + NS_PER_S, &diag) == ERR_OK)
        ;
    _exit(1);
}

static void killing_venturi_leaves_nobody(void **state)
{
    (void)state;
    enum { MOMENT_US_MAX = 80000 };
    struct rng rng;
    uint64_t seed = number_of("VENTURI_SEED", 1);
    rng_init(&rng, seed);
    for (uint64_t i = 0; i < KILLS; i++) {
        pid_t victim = fork();
        assert_true(victim >= 0);
        if (victim == 0)
            play_venturi((seed * 1000000 + 500000 + i * AT_ONCE) & ~1ULL);
        struct timespec moment = {.tv_nsec = (long)rng_below(&rng, MOMENT_US_MAX) * 1000};
        (void)nanosleep(&moment, NULL);
        assert_int_equal(kill(victim, SIGKILL), 0);
        assert_int_equal(waitpid(victim, NULL, 0), victim);
        expect_nobody();
    }
}

/* After all that, in the largest moment of it. */
static void it_took_little_memory(void **state)
{
    (void)state;
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    (void)printf("at most %ld KiB\n", usage.ru_maxrss);
    if (!SANITIZED)
        assert_in_range(usage.ru_maxrss, 0, MEMORY_MAX_KB);
}

static int drop_namespaces(void **state)
{
    (void)state;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0)
        return -1;
    data[0].effective &= ~(1U << CAP_SYS_ADMIN);
    return (int)syscall(SYS_capset, &header, data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_tree_outlives_its_run),       cmocka_unit_test(who_hops_is_caught),
        cmocka_unit_test(floods_are_counted_to_the_byte), cmocka_unit_test(killing_venturi_leaves_nobody),
        cmocka_unit_test(it_took_little_memory),
    };
    (void)snprintf(mark_all, sizeof mark_all, "VENTURI_TREES_TEST=%d-%llu", (int)getpid(),
                   (unsigned long long)clock_monotonic_ns());
    int failures = cmocka_run_group_tests_name("as permitted", tests, NULL, NULL);
    return failures + cmocka_run_group_tests_name("without namespaces", tests, drop_namespaces, NULL);
}
