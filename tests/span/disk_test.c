/* SPDX-License-Identifier: Apache-2.0
 *
 * Disks and limits: full, too small, gone. The host gets no signal and goes on; what could not be kept is counted.
 */
#include "with_witnesses.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { SPANS = 5000, THREADS = 4 };

static void *record_some(void *thread)
{
    venturi_stage stage = venturi_stage_named("work");
    for (unsigned i = 0; i < SPANS; i++)
        witness_span(witnesses, (uintptr_t)thread, stage);
    return NULL;
}

/* What is there is right, and with what is counted as lost it makes all. */
static void check(struct fixture *fixture, uint64_t spans)
{
    uint64_t found[WITNESSES_MAX], sum = 0;
    const struct trace *trace = fixture_read(fixture);
    witness_spans(found, trace);
    for (size_t i = 0; i < WITNESSES_MAX; i++)
        sum += found[i];
    assert_int_equal(trace->rejected, 0);
    assert_int_equal(witness_acknowledged(witnesses), spans);
    bool traced = trace->worker_count > 0 || losses_sum(&trace->losses) > 0;
    assert_int_equal(sum + losses_sum(&trace->losses), traced ? spans : 0);
}

static rlim_t limit_bytes;

static void record_limited(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit))
        _exit(1);
    limit.rlim_cur = limit_bytes;
    if (setrlimit(RLIMIT_FSIZE, &limit))
        _exit(2);
    (void)record_some(0);
}

/* SIGXFSZ kills whoever writes beyond the limit and does not expect it. */
static void test_file_size_limit(void **state)
{
    static const rlim_t limits[] = {0,     1,     4096,   16391,  16392,  16393,  20480,  69567,
                                    69568, 69569, 135039, 135040, 135041, 200000, 1 << 20};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        limit_bytes = limits[i];
        assert_int_equal(fixture_record(*state, record_limited), 0);
        check(*state, SPANS);
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
    }
}

static void keep_own_signal(void)
{
    sigset_t pending, set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGXFSZ);
    if (sigprocmask(SIG_BLOCK, &set, NULL) || raise(SIGXFSZ))
        _exit(1);
    limit_bytes = 100000;
    record_limited();
    _exit(sigpending(&pending) || !sigismember(&pending, SIGXFSZ)); /* the host's own, not ours to take */
}

static void test_the_hosts_own_signal_stays(void **state)
{
    assert_int_equal(fixture_record(*state, keep_own_signal), 0);
    check(*state, SPANS);
}

static unsigned disk_pages;

/* The trace as it was left on the small disk is copied out, because the disk goes with its namespace. */
static void copy_out(const char *from, const char *to)
{
    char command[700];
    (void)snprintf(command, sizeof command, "cp -a %s/. %s/", from, to);
    if (system(command) != 0)
        _exit(5);
}

static void record_on_small_disk(void)
{
    char disk[300], options[64];
    const char *folder = getenv("VENTURI_TRACE");
    pthread_t threads[THREADS];
    (void)snprintf(disk, sizeof disk, "%s.disk", folder);
    (void)snprintf(options, sizeof options, "size=%uk", disk_pages * 4);
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
        _exit(77);
    if (mkdir(disk, 0700) || mount("venturi-test", disk, "tmpfs", 0, options))
        _exit(77);
    (void)setenv("VENTURI_TRACE", disk, 1);
    for (uintptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, record_some, (void *)i))
            _exit(2);
    for (size_t i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    copy_out(disk, folder);
    if (umount2(disk, MNT_DETACH) || rmdir(disk))
        _exit(6);
    _exit(0);
}

static void test_full_disk(void **state)
{
    for (disk_pages = 1; disk_pages < 260; disk_pages += disk_pages < 60 ? 1 : 7) {
        int status = fixture_record(*state, record_on_small_disk);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
            skip(); /* not root here */
        assert_int_equal(status, 0);
        check(*state, THREADS * SPANS);
        assert_int_equal(teardown(state), 0);
        assert_int_equal(setup(state), 0);
    }
}

/* Calls `touch` for each file of the folder whose name ends in `suffix`. */
static void for_each_file(const char *folder, const char *suffix, void (*touch)(const char *path))
{
    DIR *entries = opendir(folder);
    if (!entries)
        _exit(3);
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        char path[600];
        const char *end = strrchr(entry->d_name, '.');
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (end && strcmp(end, suffix) == 0)
            touch(path);
    }
    (void)closedir(entries);
}

static void remove_file(const char *path)
{
    if (unlink(path))
        _exit(4);
}

static void record_and_unlink(void)
{
    (void)record_some(0);
    for_each_file(getenv("VENTURI_TRACE"), TRACE_SPANS_SUFFIX, remove_file);
    (void)record_some(0);
}

static void test_unlinked_stream(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_record(fixture, record_and_unlink), 0);
    assert_int_equal(witnesses[0].acknowledged, 2 * SPANS);
    const struct trace *trace = fixture_read(fixture); /* who removes the file has removed its spans */
    assert_true(trace->span_count < SPANS && trace->losses.write_failed > 0 && trace->rejected > 0);
}

static void replace_by_link(const char *path)
{
    char victim[600];
    (void)snprintf(victim, sizeof victim, "%s/victim", getenv("VENTURI_TRACE"));
    int fd = open(victim, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || close(fd) || unlink(path) || symlink(victim, path))
        _exit(4);
}

static void replace_by_file(const char *path)
{
    if (unlink(path))
        _exit(4);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || close(fd))
        _exit(5);
}

static void (*attack)(const char *path);
static const char *victim_suffix;
static off_t victim_bytes;

static void measure(const char *path)
{
    struct stat status;
    victim_bytes = lstat(path, &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : -1;
}

static void record_under_attack(void)
{
    const char *folder = getenv("VENTURI_TRACE");
    char victim[600];
    (void)record_some(0);
    for_each_file(folder, TRACE_SPANS_SUFFIX, attack);
    (void)record_some(0);
    (void)snprintf(victim, sizeof victim, "%s/victim", folder);
    if (attack == replace_by_link)
        measure(victim);
    else
        for_each_file(folder, victim_suffix, measure);
    _exit(victim_bytes != 0); /* nothing was written into what took the stream's name */
}

static void test_replaced_by_a_link(void **state)
{
    attack = replace_by_link;
    assert_int_equal(fixture_record(*state, record_under_attack), 0);
}

static void test_replaced_by_another_file(void **state)
{
    attack = replace_by_file;
    victim_suffix = TRACE_SPANS_SUFFIX;
    assert_int_equal(fixture_record(*state, record_under_attack), 0);
}

/* A link to a pipe: who only opened it would already be noticed at the other end. */
static void replace_by_link_to_pipe(const char *path)
{
    char pipe_path[600];
    (void)snprintf(pipe_path, sizeof pipe_path, "%s/pipe", getenv("VENTURI_TRACE"));
    if (mkfifo(pipe_path, 0600) || unlink(path) || symlink(pipe_path, path))
        _exit(4);
}

static void record_towards_a_pipe(void)
{
    const char *folder = getenv("VENTURI_TRACE");
    char pipe_path[600];
    (void)record_some(0);
    for_each_file(folder, TRACE_SPANS_SUFFIX, replace_by_link_to_pipe);
    (void)snprintf(pipe_path, sizeof pipe_path, "%s/pipe", folder);
    struct pollfd reader = {.fd = open(pipe_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), .events = POLLIN};
    (void)record_some(0);
    _exit(reader.fd < 0 || poll(&reader, 1, 0) != 0); /* POLLHUP: a writer came and went */
}

static void test_links_are_not_opened(void **state)
{
    assert_int_equal(fixture_record(*state, record_towards_a_pipe), 0);
}

static void check_mode(const char *path)
{
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    assert_int_equal(status.st_mode, S_IFREG | 0600);
}

static void record_once(void)
{
    (void)umask(0);
    (void)record_some(0);
}

static void test_files_are_private(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_record(fixture, record_once), 0);
    for_each_file(fixture->folder, TRACE_SPANS_SUFFIX, check_mode);
    for_each_file(fixture->folder, TRACE_RING_SUFFIX, check_mode);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITNESSED_TEST(test_file_size_limit),
        WITNESSED_TEST(test_the_hosts_own_signal_stays),
        WITNESSED_TEST(test_full_disk),
        WITNESSED_TEST(test_unlinked_stream),
        WITNESSED_TEST(test_replaced_by_a_link),
        WITNESSED_TEST(test_replaced_by_another_file),
        WITNESSED_TEST(test_links_are_not_opened),
        WITNESSED_TEST(test_files_are_private),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
