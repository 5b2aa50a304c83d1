/* SPDX-License-Identifier: Apache-2.0
 * Children that misbehave, each in a pid namespace where the kernel grants one and again without (CAP_SYS_ADMIN
 * dropped). After every test no process of a tree may be left: each carries a marker in its environment. */
#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
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
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/carriers.h"

enum { DEADLINE_S = 30 };
static char marker[64];

static void expect_no_survivors(void)
{
    expect_no_carriers(marker, DEADLINE_S);
}

struct run {
    struct child *child;
    struct child_result result;
};

static void run(struct run *run, struct child_options *options)
{
    const char *env[] = {marker, NULL};
    struct diag diag = {0};
    options->env = env;
    assert_int_equal(child_run(&run->child, &run->result, options, &diag), ERR_OK);
}

static void run_shell(struct run *out, const char *script, uint64_t timeout_ms)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    run(out, &(struct child_options){
                 .argv = argv, .timeout_ns = timeout_ms * NS_PER_MS, .grace_ns = (uint64_t)50 * NS_PER_MS});
}

static void expect_text(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in '%s'", part, text);
}

static void output_status_and_times(void **state)
{
    (void)state;
    struct run run = {0};
    uint64_t before_ns = clock_monotonic_ns();
    run_shell(&run, "echo out; echo err >&2; sleep 0.02; exit 3", 0);
    assert_int_equal(run.result.outcome, CHILD_EXITED);
    assert_int_equal(run.result.code, 3);
    assert_string_equal(run.result.out.head, "out\n");
    assert_string_equal(run.result.err.head, "err\n");
    assert_int_equal(run.result.out.bytes, 4);
    assert_true(run.result.started_ns > before_ns);
    assert_true(run.result.ended_ns - run.result.started_ns >= 20 * (uint64_t)NS_PER_MS);
    assert_true(run.result.ended_ns <= clock_monotonic_ns());
    assert_true(run.result.cpu_s > 0);
    child_free(&run.child);
    expect_no_survivors();
}

static void a_program_sees_clean_surroundings(void **state)
{
    (void)state;
    struct run run = {0};
    int leak = open("/dev/null", O_RDONLY); /* not CLOEXEC */
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    assert_int_equal(sigaction(SIGUSR1, &ignore, &before), 0);
    run_shell(&run,
              "ls /proc/self/fd | tr '\\n' ' '; readlink /proc/self/fd/0; grep -E 'Sig(Blk|Ign)' /proc/self/status;"
              "cat; pwd",
              0);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
    expect_text(run.result.out.head, "0 1 2 3 "); /* 3 is ls reading the folder */
    assert_null(strstr(run.result.out.head, " 4 "));
    expect_text(run.result.out.head, "/dev/null");
    expect_text(run.result.out.head, "SigBlk:\t0000000000000000");
    expect_text(run.result.out.head, "SigIgn:\t0000000000000000");
    child_free(&run.child);
    fd_close(&leak);
}

static void environment_and_folder(void **state)
{
    (void)state;
    struct diag diag = {0};
    struct run run = {0};
    const char *argv[] = {"sh", "-c", "echo $HOME; pwd; env | grep -c ^HOME=", NULL};
    const char *env[] = {"HOME=/elsewhere", NULL};
    assert_int_equal(setenv("HOME", "/before", 1), 0);
    struct child_options options = {.argv = argv, .env = env, .folder = "/usr"};
    assert_int_equal(child_run(&run.child, &run.result, &options, &diag), ERR_OK);
    assert_string_equal(run.result.out.head, "/elsewhere\n/usr\n1\n");
    child_free(&run.child);
}

static void programs_that_cannot_start(void **state)
{
    (void)state;
    const struct {
        const char *program, *folder;
        int code;
    } cases[] = {
        {"/nowhere/at/all", NULL, ENOENT},
        {"no-such-program-in-path", NULL, ENOENT},
        {"/dev/null", NULL, EACCES},
        {"true", "/nowhere", ENOENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run out = {0};
        const char *argv[] = {cases[i].program, NULL};
        run(&out, &(struct child_options){.argv = argv, .folder = cases[i].folder});
        assert_int_equal(out.result.outcome, CHILD_NOT_STARTED);
        assert_int_equal(out.result.code, cases[i].code);
        child_free(&out.child);
    }
    expect_no_survivors();
}

static void death_by_signal(void **state)
{
    (void)state;
    struct run run = {0};
    run_shell(&run, "kill -SEGV $$", 0);
    assert_int_equal(run.result.outcome, CHILD_SIGNALLED);
    assert_int_equal(run.result.code, SIGSEGV);
    child_free(&run.child);
}

static void trees_that_do_not_want_to_end(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "trap '' TERM; while :; do sleep 60; done",  /* ignores TERM */
        "trap '' TERM INT HUP; sleep 60 & sleep 60", /* and so do its children */
        "kill -STOP $$; sleep 60",                   /* stops itself */
        "exec >&- 2>&-; trap '' TERM; sleep 60",     /* closes its pipes */
        "(setsid sh -c 'trap \"\" TERM; (setsid sleep 60 &) ; sleep 60' &) ; trap '' TERM; sleep 60", /* escapes, twice
                                                                                                       */
        "f() { if [ $1 -gt 0 ]; then f $(($1-1)) & f $(($1-1)) & fi; sleep 60; }; trap '' TERM; f 4", /* spreads */
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct run run = {0};
        run_shell(&run, scripts[i], 100);
        assert_int_equal(run.result.outcome, CHILD_TIMED_OUT);
        child_free(&run.child);
        expect_no_survivors();
    }
}

static void term_is_enough_for_a_polite_program(void **state)
{
    (void)state;
    struct run run = {0};
    const char *argv[] = {"sh", "-c", "trap 'echo bye; exit 7' TERM; while :; do sleep 0.01; done", NULL};
    const char *env[] = {marker, NULL};
    struct child_options options = {
        .argv = argv, .env = env, .timeout_ns = (uint64_t)100 * NS_PER_MS, .grace_ns = DEADLINE_S * NS_PER_S};
    struct diag diag = {0};
    assert_int_equal(child_run(&run.child, &run.result, &options, &diag), ERR_OK);
    assert_int_equal(run.result.outcome, CHILD_TIMED_OUT);
    assert_int_equal(run.result.code, 7);
    assert_string_equal(run.result.out.head, "bye\n");
    child_free(&run.child);
}

static void daemons_do_not_outlive_their_program(void **state)
{
    (void)state;
    struct run run = {0};
    run_shell(&run, "(setsid sleep 60 >/dev/null 2>&1 &) ; (setsid sh -c 'trap \"\" TERM HUP; sleep 60' &) ; echo done",
              0);
    assert_int_equal(run.result.outcome, CHILD_EXITED);
    assert_string_equal(run.result.out.head, "done\n");
    child_free(&run.child);
    expect_no_survivors();
}

/* In a namespace its parent is the first process, which nobody in there can kill. */
static void killing_its_supervisor_frees_nobody(void **state)
{
    (void)state;
    struct run run = {0};
    run_shell(&run,
              "(setsid sleep 60 &) ; (setsid sh -c 'trap \"\" TERM; (setsid sleep 60 &) ; sleep 60' &) ; kill -9 "
              "$PPID; kill -9 $$",
              0);
    assert_int_equal(run.result.outcome, CHILD_SIGNALLED);
    assert_int_equal(run.result.code, SIGKILL);
    child_free(&run.child);
    expect_no_survivors();
}

static void bytes_to_storage_are_counted(void **state)
{
    (void)state;
    struct run idle = {0}, busy = {0};
    char folder[] = "/var/tmp/venturi-child-XXXXXX", script[200]; /* /tmp is often in memory */
    struct statfs file_system;
    struct diag diag = {0};
    assert_non_null(mkdtemp(folder));
    assert_int_equal(statfs(folder, &file_system), 0);
    (void)snprintf(script, sizeof script, "head -c 3000000 /dev/zero > %s/file; sync %s/file", folder, folder);
    run_shell(&busy, script, 0);
    run_shell(&idle, ":", 0);
    assert_int_equal(busy.result.code, 0);
    if (file_system.f_type != TMPFS_MAGIC && file_system.f_type != OVERLAYFS_SUPER_MAGIC)
        assert_in_range(busy.result.written_bytes, 3000000, 8000000);
    assert_int_equal(idle.result.written_bytes, 0);
    assert_int_equal(dir_remove(folder, &diag), ERR_OK);
    child_free(&busy.child);
    child_free(&idle.child);
}

static void a_flood_is_counted_and_capped(void **state)
{
    (void)state;
    struct run run = {0};
    struct rusage before, after;
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    run_shell(&run, "printf start; head -c 100000000 /dev/zero; printf end; head -c 1000000 /dev/zero >&2", 0);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_int_equal(run.result.out.bytes, 100000008);
    assert_int_equal(run.result.err.bytes, 1000000);
    assert_int_equal(strlen(run.result.out.head), CHILD_OUTPUT_KEEP_BYTES);
    assert_int_equal(strlen(run.result.out.tail), CHILD_OUTPUT_KEEP_BYTES);
    assert_memory_equal(run.result.out.head, "start?", 6);
    assert_string_equal(run.result.out.tail + CHILD_OUTPUT_KEEP_BYTES - 4, "?end");
    assert_true(after.ru_maxrss - before.ru_maxrss < 16 * 1024);
    child_free(&run.child);
}

static void output_of_every_length_is_kept_right(void **state)
{
    (void)state;
    static const size_t keep = CHILD_OUTPUT_KEEP_BYTES;
    const size_t lengths[] = {0, 1, keep - 1, keep, keep + 1, 2 * keep - 1, 2 * keep, 2 * keep + 1, 5 * keep + 77};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct run run = {0};
        char script[100], expected[32];
        (void)snprintf(script, sizeof script, "seq -f %%015.0f 100000 | head -c %zu", lengths[i]);
        run_shell(&run, script, 0);
        const struct child_output *out = &run.result.out;
        size_t in_head = lengths[i] < keep ? lengths[i] : keep;
        size_t in_tail = lengths[i] - in_head < keep ? lengths[i] - in_head : keep;
        assert_int_equal(out->bytes, lengths[i]);
        assert_int_equal(strlen(out->head), in_head);
        assert_int_equal(strlen(out->tail), in_tail);
        size_t line = (lengths[i] - in_tail + 15) / 16 + 1, skip = (line - 1) * 16 - (lengths[i] - in_tail);
        (void)snprintf(expected, sizeof expected, "%015zu", line);
        if (in_tail >= skip + 15)
            assert_memory_equal(out->tail + skip, expected, 15);
        child_free(&run.child);
    }
}

static void peak_memory_is_the_programs_own(void **state)
{
    (void)state;
    struct run big = {0}, small = {0};
    run_shell(&big, "head -c 50000000 /dev/zero | tail -c 49000000 > /dev/null", 0);
    assert_true(big.result.peak_bytes >= 49000000);
    assert_true(big.result.peak_bytes < 90000000);
    run_shell(&small, "true", 0);
    assert_true(small.result.peak_bytes < 49000000);
    child_free(&big.child);
    child_free(&small.child);
}

struct wait {
    struct loop *loop;
    bool done;
    struct child_result result;
};

static void note(void *context, const struct child_result *result)
{
    struct wait *wait = context;
    assert_false(wait->done);
    wait->done = true;
    wait->result = *result;
}

static struct child *start(struct wait *wait, const char *script)
{
    const char *argv[] = {"sh", "-c", script, NULL}, *env[] = {marker, NULL};
    struct child_options options = {.argv = argv, .env = env, .grace_ns = (uint64_t)50 * NS_PER_MS};
    struct child *child = NULL;
    struct diag diag = {0};
    if (!wait->loop)
        assert_int_equal(loop_new(&wait->loop, &diag), ERR_OK);
    assert_int_equal(child_start(&child, &options, wait->loop, note, wait, &diag), ERR_OK);
    return child;
}

static void turn_until(struct wait *wait, const struct child *child, bool pid_known)
{
    struct diag diag = {0};
    uint64_t until_ns = clock_monotonic_ns() + DEADLINE_S * NS_PER_S;
    while (!wait->done && !(pid_known && child_pid(child)) && clock_monotonic_ns() < until_ns)
        assert_int_equal(loop_turn(wait->loop, until_ns, &diag), ERR_OK);
    assert_true(wait->done || pid_known);
}

static void the_pid_is_ours_and_its_tree_is_weighed(void **state)
{
    (void)state;
    struct wait wait = {0};
    struct child *child = start(&wait, "sleep 60 & sleep 60");
    assert_int_equal(child_pid(child), 0);
    turn_until(&wait, child, true);
    char path[64], program[64] = "";
    uint64_t until_ns = clock_monotonic_ns() + DEADLINE_S * NS_PER_S;
    (void)snprintf(path, sizeof path, "/proc/%d/comm", (int)child_pid(child));
    while (strcmp(program, "sh\n") != 0 && clock_monotonic_ns() < until_ns) {
        AUTO(fd_close) int fd = open(path, O_RDONLY);
        ssize_t count = fd < 0 ? 0 : read(fd, program, sizeof program - 1);
        program[count > 0 ? count : 0] = '\0';
    }
    assert_string_equal(program, "sh\n");
    while (child_resident_bytes(child) < 100000 && clock_monotonic_ns() < until_ns)
        (void)poll(NULL, 0, 1);
    assert_true(child_resident_bytes(child) >= 100000);
    child_stop(child);
    turn_until(&wait, child, false);
    assert_int_equal(wait.result.outcome, CHILD_SIGNALLED);
    assert_int_equal(wait.result.code, SIGTERM);
    assert_int_equal(child_resident_bytes(child), 0);
    assert_int_equal(child_pid(child), 0);
    child_free(&child);
    loop_free(&wait.loop);
    expect_no_survivors();
}

static void freeing_a_running_child_ends_its_tree(void **state)
{
    (void)state;
    struct wait wait = {0};
    struct child *child = start(&wait, "trap '' TERM; (setsid sleep 60 &); sleep 60");
    turn_until(&wait, child, true);
    child_free(&child);
    assert_null(child);
    expect_no_survivors();
    child = start(&wait, "sleep 60"); /* and one that had no time to start */
    child_free(&child);
    expect_no_survivors();
    assert_false(wait.done);
    loop_free(&wait.loop);
}

static void a_stopped_child_keeps_its_grace_when_freed(void **state)
{
    (void)state;
    char path[] = "/tmp/venturi-child-XXXXXX", script[200];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)snprintf(script, sizeof script, "trap 'sleep 0.02; echo tidy > %s; exit' TERM; echo up > %s; %s", path, path,
                   "while :; do sleep 0.01; done");
    struct wait wait = {0};
    const char *argv[] = {"sh", "-c", script, NULL}, *env[] = {marker, NULL};
    struct child_options options = {.argv = argv, .env = env, .grace_ns = DEADLINE_S * NS_PER_S};
    struct child *child;
    struct diag diag = {0};
    char text[8] = "";
    assert_int_equal(loop_new(&wait.loop, &diag), ERR_OK);
    assert_int_equal(child_start(&child, &options, wait.loop, note, &wait, &diag), ERR_OK);
    uint64_t until_ns = clock_monotonic_ns() + DEADLINE_S * NS_PER_S;
    while (pread(fd, text, sizeof text, 0) == 0 && clock_monotonic_ns() < until_ns)
        (void)poll(NULL, 0, 1);
    child_stop(child);
    child_free(&child);
    assert_int_equal(pread(fd, text, sizeof text, 0), 5);
    assert_memory_equal(text, "tidy\n", 5);
    (void)unlink(path);
    fd_close(&fd);
    loop_free(&wait.loop);
    expect_no_survivors();
}

static void stopping_twice_or_late_is_fine(void **state)
{
    (void)state;
    struct wait wait = {0};
    struct child *child = start(&wait, "trap '' TERM; while :; do sleep 0.01; done");
    turn_until(&wait, child, true);
    child_stop(child);
    child_stop(child);
    turn_until(&wait, child, false);
    child_stop(child);
    child_free(&child);
    child_free(&child);
    loop_free(&wait.loop);
    expect_no_survivors();
}

static void a_flood_does_not_starve_a_neighbour(void **state)
{
    (void)state;
    struct wait flood = {0}, quiet = {0};
    struct child *loud = start(&flood, "yes");
    quiet.loop = flood.loop;
    struct child *other = start(&quiet, "echo heard");
    turn_until(&quiet, other, false);
    assert_string_equal(quiet.result.out.head, "heard\n");
    child_free(&other);
    child_free(&loud);
    loop_free(&flood.loop);
    expect_no_survivors();
}

static void no_descriptor_is_left(void **state)
{
    (void)state;
    int before = dup(0);
    fd_close(&(int){before});
    for (int i = 0; i < 5; i++) {
        struct run run = {0};
        run_shell(&run, "echo x", 1000);
        child_free(&run.child);
    }
    int after = dup(0);
    fd_close(&(int){after});
    assert_int_equal(before, after);
}

static void without_descriptors_the_error_is_clear(void **state)
{
    (void)state;
    struct rlimit kept, tight;
    struct diag diag = {0};
    const char *argv[] = {"true", NULL};
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &kept), 0);
    int refused = 0;
    for (rlim_t limit = 3; limit < 24; limit++) {
        struct run run = {0};
        tight = (struct rlimit){.rlim_cur = limit, .rlim_max = kept.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
        struct child_options options = {.argv = argv};
        enum err error = child_run(&run.child, &run.result, &options, &diag);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &kept), 0);
        assert_true(error == ERR_OK || (error == ERR_INTERNAL && diag.what[0]));
        if (error != ERR_OK)
            expect_text(diag.what, strerror(EMFILE));
        refused += error != ERR_OK;
        child_free(&run.child);
        expect_no_survivors();
    }
    assert_in_range(refused, 1, 20);
}

/* The victim plays venturi: it starts a tree and is killed with SIGKILL at a random moment. */
static void play_venturi(int ready_fd)
{
    struct wait wait = {0};
    struct child *child = start(&wait, "trap '' TERM HUP; (setsid sleep 60 &); (setsid sh -c 'sleep 60' &); sleep 60");
    (void)!write(ready_fd, "x", 1);
    turn_until(&wait, child, false);
}

static void killing_us_leaves_nobody(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        int ready[2];
        char byte;
        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        pid_t victim = fork();
        assert_true(victim >= 0);
        if (victim == 0) {
            play_venturi(ready[1]);
            _exit(0);
        }
        fd_close(&ready[1]);
        assert_int_equal(read(ready[0], &byte, 1), 1);
        (void)poll(NULL, 0, i); /* from "supervisor just cloned" to "whole tree up" */
        assert_int_equal(kill(victim, SIGKILL), 0);
        assert_int_equal(waitpid(victim, NULL, 0), victim);
        fd_close(&ready[0]);
        expect_no_survivors();
    }
}

static int drop_namespaces(void **state)
{
    (void)state;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0)
        return -1;
    for (int i = 0; i < 2; i++)
        data[i].effective &= i == 0 ? ~(1U << CAP_SYS_ADMIN) : ~0U;
    return (int)syscall(SYS_capset, &header, data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_status_and_times),
        cmocka_unit_test(a_program_sees_clean_surroundings),
        cmocka_unit_test(environment_and_folder),
        cmocka_unit_test(programs_that_cannot_start),
        cmocka_unit_test(death_by_signal),
        cmocka_unit_test(trees_that_do_not_want_to_end),
        cmocka_unit_test(term_is_enough_for_a_polite_program),
        cmocka_unit_test(daemons_do_not_outlive_their_program),
        cmocka_unit_test(killing_its_supervisor_frees_nobody),
        cmocka_unit_test(bytes_to_storage_are_counted),
        cmocka_unit_test(a_flood_is_counted_and_capped),
        cmocka_unit_test(output_of_every_length_is_kept_right),
        cmocka_unit_test(peak_memory_is_the_programs_own),
        cmocka_unit_test(the_pid_is_ours_and_its_tree_is_weighed),
        cmocka_unit_test(freeing_a_running_child_ends_its_tree),
        cmocka_unit_test(a_stopped_child_keeps_its_grace_when_freed),
        cmocka_unit_test(stopping_twice_or_late_is_fine),
        cmocka_unit_test(a_flood_does_not_starve_a_neighbour),
        cmocka_unit_test(no_descriptor_is_left),
        cmocka_unit_test(without_descriptors_the_error_is_clear),
        cmocka_unit_test(killing_us_leaves_nobody),
    };
    (void)snprintf(marker, sizeof marker, "VENTURI_CHILD_TEST=%d-%llu", (int)getpid(),
                   (unsigned long long)clock_monotonic_ns());
    int failures = cmocka_run_group_tests_name("as permitted", tests, NULL, NULL);
    return failures + cmocka_run_group_tests_name("without namespaces", tests, drop_namespaces, NULL);
}
