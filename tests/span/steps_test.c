/* SPDX-License-Identifier: Apache-2.0
 *
 * Each system call of the recorder, one after the other, is the one at which the process is killed, or which fails. The
 * calls are wrapped by the linker (--wrap); only a child that recorded as far as step `target` is touched.
 */
#include "witness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

enum fault { KILL_BEFORE, KILL_AFTER, KILL_HALF_WAY, FAIL_ONCE, FAIL_FROM_THEN_ON };

static bool armed;
static enum fault fault;
static unsigned step, target;
static struct witness *witnesses;

enum { SPANS = 8000 }; /* more than two blocks */

/* Counts the step; true when it has to fail. */
static bool enter_step(void)
{
    if (!armed)
        return false;
    step++;
    if (step == target && fault == KILL_BEFORE)
        (void)raise(SIGKILL);
    return (step == target && fault == FAIL_ONCE) || (step >= target && fault == FAIL_FROM_THEN_ON);
}

static void leave_step(void)
{
    if (armed && step == target && (fault == KILL_AFTER || fault == KILL_HALF_WAY))
        (void)raise(SIGKILL);
}

#define WRAP(type, name, fallback, error, parameters, ...)                                                             \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        if (enter_step()) {                                                                                            \
            errno = error;                                                                                             \
            return fallback;                                                                                           \
        }                                                                                                              \
        type result = __real_##name(__VA_ARGS__);                                                                      \
        leave_step();                                                                                                  \
        return result;                                                                                                 \
    }

WRAP(int, open64, -1, EMFILE, (const char *path, int flags, mode_t mode), path, flags, mode)
WRAP(int, posix_fallocate64, ENOSPC, 0, (int fd, off_t offset, off_t bytes), fd, offset, bytes)
WRAP(int, fstat64, -1, EIO, (int fd, struct stat *status), fd, status)
WRAP(int, statx, -1, EIO, (int fd, const char *path, int flags, unsigned mask, struct statx *status), fd, path, flags,
     mask, status)
WRAP(int, madvise, -1, EINVAL, (void *start, size_t bytes, int advice), start, bytes, advice)
WRAP(void *, mmap64, MAP_FAILED, ENOMEM, (void *at, size_t bytes, int protection, int flags, int fd, off_t offset), at,
     bytes, protection, flags, fd, offset)

ssize_t __real_pwrite64(int fd, const void *data, size_t bytes, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t bytes, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t bytes, off_t offset)
{
    if (enter_step()) {
        errno = ENOSPC;
        return -1;
    }
    bool half = armed && step == target && fault == KILL_HALF_WAY;
    ssize_t result = __real_pwrite64(fd, data, half ? bytes / 2 : bytes, offset);
    leave_step();
    return result;
}

/* These cannot fail, but a kill can come there; the end of a hold is the first step after the head was changed. */
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
    (void)enter_step();
    int result = __real_close(fd);
    leave_step();
    return result;
}

int __real_pthread_sigmask(int how, const sigset_t *set, sigset_t *old);
int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *old);
int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    (void)enter_step();
    int result = __real_pthread_sigmask(how, set, old);
    leave_step();
    return result;
}

/* A clock that stands still and a pid that everybody has: names collide as they can over pid namespaces. */
static bool frozen;

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    if (!frozen)
        return __real_clock_gettime(clock, now);
    *now = (struct timespec){.tv_sec = 1000};
    return 0;
}

pid_t __real_getpid(void);
pid_t __wrap_getpid(void);
pid_t __wrap_getpid(void)
{
    return frozen ? 1 : __real_getpid();
}

static void record_as_twin(uint64_t number)
{
    frozen = true;
    venturi_stage stage = venturi_stage_named("work");
    for (unsigned i = 0; i < SPANS; i++)
        witness_span(witnesses, number, stage);
    frozen = false;
}

static void record_as_first(void)
{
    record_as_twin(0);
}

static void record_as_second(void)
{
    record_as_twin(1);
}

static void test_names_collide(void **state)
{
    assert_int_equal(fixture_setup(state), 0);
    struct fixture *fixture = *state;
    char link[300];
    (void)snprintf(link, sizeof link, "%s/1-1000000000001.ring", fixture->folder);
    assert_int_equal(symlink("/nonexistent", link), 0); /* a name that is taken, and leads elsewhere */
    witnesses = witnesses_new();
    assert_int_equal(fixture_record(fixture, record_as_first), 0);
    assert_int_equal(fixture_record(fixture, record_as_second), 0);
    assert_int_equal(unlink(link), 0);
    witness_check(witnesses, fixture_read(fixture));
    assert_int_equal(witness_acknowledged(witnesses), 2 * SPANS);
    assert_int_equal(fixture->trace->worker_count, 2);
    witnesses_free(witnesses);
    assert_int_equal(fixture_teardown(state), 0);
}

static void record(void)
{
    armed = true;
    venturi_stage stage = venturi_stage_named("work");
    for (unsigned i = 0; i < SPANS; i++)
        witness_span(witnesses, 0, stage);
    armed = false;
    _exit(step < target ? 1 : 0); /* 1: the steps are all done */
}

/* Plays one fault at one step; returns what waitpid says. */
static int play(enum fault played_fault, unsigned at)
{
    void *state;
    assert_int_equal(fixture_setup(&state), 0);
    struct fixture *fixture = state;
    witnesses = witnesses_new();
    fault = played_fault;
    target = at;
    int status = fixture_record(fixture, record);
    const struct trace *trace = fixture_read(fixture);
    if (WIFSIGNALED(status)) {
        witness_check(witnesses, trace);
    } else {
        uint64_t found[WITNESSES_MAX];
        witness_spans(found, trace);
        bool traced = trace->worker_count > 0 || losses_sum(&trace->losses) > 0;
        assert_int_equal(found[0] + losses_sum(&trace->losses), traced ? SPANS : 0);
        assert_int_equal(witnesses[0].acknowledged, SPANS); /* the host went on */
    }
    witnesses_free(witnesses);
    assert_int_equal(fixture_teardown(&state), 0);
    return status;
}

enum { STEPS_LEAST = 30, STEPS_MOST = 500 };

static void kill_at_every_step(enum fault kind)
{
    unsigned at = 1;
    for (; at < STEPS_MOST; at++) {
        int status = play(kind, at);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
            break;
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
    assert_in_range(at, STEPS_LEAST, STEPS_MOST - 1);
}

static void fail_at_every_step(enum fault kind)
{
    int status = 0;
    for (unsigned at = 1; at < STEPS_MOST && WEXITSTATUS(status) == 0; at++) {
        status = play(kind, at);
        assert_true(WIFEXITED(status));
    }
    assert_int_equal(WEXITSTATUS(status), 1);
}

static void test_kill_before_each_call(void **state)
{
    (void)state;
    kill_at_every_step(KILL_BEFORE);
}

static void test_kill_after_each_call(void **state)
{
    (void)state;
    kill_at_every_step(KILL_AFTER);
}

static void test_kill_half_way_through_each_write(void **state)
{
    (void)state;
    kill_at_every_step(KILL_HALF_WAY);
}

static void test_each_call_fails_once(void **state)
{
    (void)state;
    fail_at_every_step(FAIL_ONCE);
}

static void test_every_call_fails_from_then_on(void **state)
{
    (void)state;
    fail_at_every_step(FAIL_FROM_THEN_ON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_collide),        cmocka_unit_test(test_kill_before_each_call),
        cmocka_unit_test(test_kill_after_each_call), cmocka_unit_test(test_kill_half_way_through_each_write),
        cmocka_unit_test(test_each_call_fails_once), cmocka_unit_test(test_every_call_fails_from_then_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
