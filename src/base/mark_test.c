/* SPDX-License-Identifier: Apache-2.0
 * Leftovers: real processes whose owner was killed, told from those whose owner lives. */
#include "base/mark.h"

#include "base/clock.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEADLINE_S = 30, FOUND_MAX = 64 };

/* A `sleep` that carries the mark, as exec leaves it. */
static pid_t start_marked(const char *mark)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char *env[] = {(char[]){"A=1"}, (char *)mark, NULL};
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)execle("/bin/sleep", "sleep", "60", (char *)NULL, env);
        _exit(127);
    }
    return pid;
}

static bool is_found(pid_t pid)
{
    pid_t found[FOUND_MAX];
    size_t count = mark_leftovers(found, FOUND_MAX);
    for (size_t i = 0; i < count && i < FOUND_MAX; i++)
        if (found[i] == pid)
            return true;
    return false;
}

static bool is_found_in_time(pid_t pid)
{
    uint64_t until_ns = clock_monotonic_ns() + DEADLINE_S * NS_PER_S;
    while (!is_found(pid) && clock_monotonic_ns() < until_ns)
        (void)poll(NULL, 0, 2);
    return is_found(pid);
}

static void end(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The mark of a process that has ended meanwhile; it stays a zombie until its parent looks, or not. */
static void mark_of_the_dead(char mark[MARK_BYTES], bool reaped)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t owner = fork();
    assert_true(owner >= 0);
    if (owner == 0) {
        (void)mark_text(mark);
        _exit(write(ends[1], mark, MARK_BYTES) == MARK_BYTES ? 0 : 1);
    }
    assert_int_equal(read(ends[0], mark, MARK_BYTES), MARK_BYTES);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)owner, &info, WEXITED | (reaped ? 0 : WNOWAIT)), 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void a_program_whose_owner_is_gone_is_found(void **state)
{
    (void)state;
    for (int reaped = 0; reaped < 2; reaped++) {
        char mark[MARK_BYTES] = "";
        mark_of_the_dead(mark, reaped);
        pid_t pid = start_marked(mark);
        assert_true(is_found_in_time(pid));
        assert_true(mark_leftovers(NULL, 0) >= 1);
        end(pid);
        assert_false(is_found(pid));
        (void)waitpid(-1, NULL, WNOHANG);
    }
}

static void a_process_that_took_the_owners_number_is_not_the_owner(void **state)
{
    (void)state;
    char mark[MARK_BYTES];
    unsigned long long namespace;
    assert_int_equal(sscanf(mark_text(mark), "VENTURI_OWNER=%llu.", &namespace), 1);
    (void)snprintf(mark, sizeof mark, "VENTURI_OWNER=%llu.%d.1.1", namespace, (int)getpid()); /* since boot */
    pid_t pid = start_marked(mark);
    assert_true(is_found_in_time(pid));
    end(pid);
}

static void the_children_of_the_living_and_of_strangers_are_let_be(void **state)
{
    (void)state;
    char mark[MARK_BYTES], dead[MARK_BYTES] = "";
    mark_of_the_dead(dead, true);
    pid_t pids[] = {
        start_marked(mark_text(mark)),           start_marked("VENTURI_OWNER=1.999999999.1"), /* another namespace */
        start_marked("VENTURI_OWNER="),          start_marked("VENTURI_OWNER=x.y.z"),
        start_marked("NOT_VENTURI_OWNER=1.1.1"), start_marked("VENTURI_OWNER=99999999999999999999999999.1"),
    };
    pid_t witness = start_marked(dead);
    assert_true(is_found_in_time(witness)); /* so the others have had their exec too, all but surely */
    for (size_t i = 0; i < sizeof pids / sizeof *pids; i++) {
        assert_false(is_found(pids[i]));
        end(pids[i]);
    }
    end(witness);
}

static void killing_by_mark_hits_nobody_else(void **state)
{
    (void)state;
    char mark[MARK_BYTES], other[MARK_BYTES];
    int status;
    pid_t brother = start_marked(mark_text(other)), pid = start_marked(mark_text(mark)), longer;
    assert_string_not_equal(mark, other);
    (void)strcat(other, "1");
    longer = start_marked(other);
    uint64_t until_ns = clock_monotonic_ns() + DEADLINE_S * NS_PER_S;
    while (waitpid(pid, &status, WNOHANG) == 0 &&
           clock_monotonic_ns() < until_ns) /* it may not have had its exec yet */
        mark_kill(mark);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(waitpid(brother, NULL, WNOHANG), 0);
    assert_int_equal(waitpid(longer, NULL, WNOHANG), 0);
    end(brother);
    end(longer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_whose_owner_is_gone_is_found),
        cmocka_unit_test(a_process_that_took_the_owners_number_is_not_the_owner),
        cmocka_unit_test(killing_by_mark_hits_nobody_else),
        cmocka_unit_test(the_children_of_the_living_and_of_strangers_are_let_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
