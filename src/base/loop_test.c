/* SPDX-License-Identifier: Apache-2.0
 * The event loop: order of timers, watches that remove themselves and each other, deadlines that end a turn. */
#include "base/clock.h"
#include "base/file.h"
#include "base/loop.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct probe {
    struct loop *loop;
    struct watch *watch, *other;
    char log[16];
    int calls;
};

static void turn(struct loop *loop, uint64_t ns)
{
    struct diag diag;
    assert_int_equal(loop_turn(loop, clock_monotonic_ns() + ns, &diag), ERR_OK);
}

static void log_a(void *context)
{
    (void)strcat(((struct probe *)context)->log, "a");
}

static void log_b(void *context)
{
    (void)strcat(((struct probe *)context)->log, "b");
}

static void again(void *context)
{
    struct probe *probe = context;
    struct diag diag;
    probe->calls++;
    assert_int_equal(loop_timer(&probe->watch, probe->loop, 0, again, probe, &diag), ERR_OK);
}

static void timers_fire_in_order_and_once(void **state)
{
    (void)state;
    struct probe probe = {0};
    struct diag diag;
    struct watch *late, *early, *never;
    uint64_t now_ns = clock_monotonic_ns();
    assert_int_equal(loop_new(&probe.loop, &diag), ERR_OK);
    assert_int_equal(loop_timer(&late, probe.loop, now_ns + 2 * NS_PER_MS, log_b, &probe, &diag), ERR_OK);
    assert_int_equal(loop_timer(&early, probe.loop, now_ns + 1 * NS_PER_MS, log_a, &probe, &diag), ERR_OK);
    assert_int_equal(loop_timer(&never, probe.loop, now_ns + 1 * NS_PER_MS, log_a, &probe, &diag), ERR_OK);
    loop_remove(probe.loop, &never);
    assert_null(never);
    while (strlen(probe.log) < 2)
        turn(probe.loop, NS_PER_S);
    turn(probe.loop, 5 * NS_PER_MS);
    assert_string_equal(probe.log, "ab");
    loop_free(&probe.loop);
}

static void a_timer_that_renews_itself_fires_once_a_turn(void **state)
{
    (void)state;
    struct probe probe = {0};
    struct diag diag;
    assert_int_equal(loop_new(&probe.loop, &diag), ERR_OK);
    assert_int_equal(loop_timer(&probe.watch, probe.loop, 0, again, &probe, &diag), ERR_OK);
    turn(probe.loop, NS_PER_S);
    turn(probe.loop, NS_PER_S);
    assert_int_equal(probe.calls, 2);
    loop_free(&probe.loop);
}

static void a_turn_ends_at_its_deadline(void **state)
{
    (void)state;
    struct loop *loop;
    struct diag diag;
    assert_int_equal(loop_new(&loop, &diag), ERR_OK);
    uint64_t before_ns = clock_monotonic_ns();
    turn(loop, 3 * NS_PER_MS);
    assert_true(clock_monotonic_ns() - before_ns >= 3 * NS_PER_MS);
    turn(loop, 0);
    loop_free(&loop);
}

static void remove_both(void *context, uint32_t events)
{
    struct probe *probe = context;
    assert_true(events & EPOLLIN);
    probe->calls++;
    loop_remove(probe->loop, &probe->watch);
    loop_remove(probe->loop, &probe->other);
}

/* Both pipes are readable in the same batch; whoever comes first removes both, so the second must not be called. */
static void a_removed_watch_is_not_called_in_the_same_turn(void **state)
{
    (void)state;
    struct probe probe = {0};
    struct diag diag;
    int one[2], two[2];
    assert_int_equal(pipe(one) | pipe(two), 0);
    assert_int_equal(loop_new(&probe.loop, &diag), ERR_OK);
    assert_int_equal(loop_watch(&probe.watch, probe.loop, one[0], EPOLLIN, remove_both, &probe, &diag), ERR_OK);
    assert_int_equal(loop_watch(&probe.other, probe.loop, two[0], EPOLLIN, remove_both, &probe, &diag), ERR_OK);
    assert_int_equal(write(one[1], "x", 1) + write(two[1], "x", 1), 2);
    turn(probe.loop, NS_PER_S);
    turn(probe.loop, 0);
    assert_int_equal(probe.calls, 1);
    for (int i = 0; i < 2; i++) {
        fd_close(&one[i]);
        fd_close(&two[i]);
    }
    loop_free(&probe.loop);
}

static void unwatched(void *context, uint32_t events)
{
    (void)context;
    (void)events;
    fail();
}

static void a_bad_descriptor_is_an_error(void **state)
{
    (void)state;
    struct loop *loop;
    struct watch *watch = NULL;
    struct diag diag;
    assert_int_equal(loop_new(&loop, &diag), ERR_OK);
    assert_int_equal(loop_watch(&watch, loop, -1, EPOLLIN, unwatched, NULL, &diag), ERR_INTERNAL);
    assert_null(watch);
    loop_remove(loop, &watch);
    loop_free(&loop);
    loop_free(&loop);
}

static void count_interrupt(void *context, uint32_t events)
{
    assert_true(events & EPOLLIN);
    ++*(int *)context;
}

static void an_interrupt_is_an_event(void **state)
{
    (void)state;
    static const int signals[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct loop *loop;
        struct diag diag;
        int count = 0;
        assert_int_equal(loop_new(&loop, &diag), ERR_OK);
        assert_int_equal(loop_watch_interrupts(loop, count_interrupt, &count, &diag), ERR_OK);
        turn(loop, 0);
        assert_int_equal(count, 0);
        assert_int_equal(raise(signals[i]), 0);
        turn(loop, NS_PER_S);
        assert_int_equal(count, 1);
        loop_free(&loop);
        sigset_t pending;
        int taken;
        (void)sigemptyset(&pending);
        (void)sigaddset(&pending, signals[i]);
        assert_int_equal(sigwait(&pending, &taken), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interrupt_is_an_event),
        cmocka_unit_test(timers_fire_in_order_and_once),
        cmocka_unit_test(a_timer_that_renews_itself_fires_once_a_turn),
        cmocka_unit_test(a_turn_ends_at_its_deadline),
        cmocka_unit_test(a_removed_watch_is_not_called_in_the_same_turn),
        cmocka_unit_test(a_bad_descriptor_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
