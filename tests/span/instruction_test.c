/* SPDX-License-Identifier: Apache-2.0
 *
 * Between any two instructions of the recorder: what a kill -9 there would leave, and what happens when a signal
 * handler comes there and records, forks, or jumps away for good. The processor's trap flag stops the recorder after
 * each instruction, so no window is too small to be hit. Where the recorder holds signals back the trap comes all the
 * same (pthread_sigmask is wrapped), but there a handler does nothing.
 */
static void step_on(void);
static void step_off(void);
#define WRITER_CALL(call) (step_on(), (void)(call), step_off())

#include "writer.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <ucontext.h>
#include <x86intrin.h>

enum { TRAP_FLAG = 0x100, LOOKED_AT = 2 * TRACE_SLOT_BYTES, DEADLINE_MS = 60000 };
enum { FIRST_RECORD = 100, IN_PAGE = 101 }; /* besides the number of a page, at whose end it is */
enum {
    AFTER = 4,
    FORKS = SANITIZED ? 20 : 150,
    JUMPS = SANITIZED ? 1 : 5,
    CALLS_MAX = 128,
    TAIL = RECORD_BYTES_MAX + 16
};

/* What is done between two instructions. */
enum deed { LOOK, RECORD, FORK, JUMP };

struct scene {
    enum form form;
    unsigned place;   /* where the steps begin */
    unsigned records; /* how many laps or spans are recorded step by step */
};

static const struct scene scenes[] = {
    {FORM_LAPS, FIRST_RECORD, 2}, {FORM_MIXED, FIRST_RECORD, 2},
    {FORM_LAPS, IN_PAGE, 6},      {FORM_LAPS_COUNTED, IN_PAGE, 6},
    {FORM_SPANS, IN_PAGE, 2},     {FORM_SPANS_FULL, IN_PAGE, 4},
    {FORM_LAPS, 3, 32},           {FORM_LAPS_COUNTED, 0, 8},
    {FORM_SPANS, 5, 18},          {FORM_SPANS_FULL, 14, 8},
    {FORM_MIXED, 7, 12},
};
static const struct scene flush_scenes[] = {
    {FORM_LAPS, TRACE_BLOCK_PAGES - 1, 32},
    {FORM_MIXED, TRACE_BLOCK_PAGES - 1, 12},
};
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Shared with the process that is stepped through. */
struct progress {
    uint64_t steps, deeds, calls;
    uint64_t steps_before[CALLS_MAX]; /* each call of the recorder */
};

static struct writer *writers;
static struct progress *progress;
static const char *slots;  /* of the lab: the process, then its first stream */
static struct pen pens[3]; /* of the steps; of handlers and who comes after; of forked children and who jumped away */

/* In the process that is stepped through. */
static bool stepping, is_child;
static bool held; /* signals are held back: a handler cannot come here */
static enum deed deed;
static uint64_t first_call, first, stride; /* deeds are done at step `first`, and then every so many */
static char seen[LOOKED_AT];
static sigjmp_buf away;
static int to_parent[2], to_child[2];

static void set_trap_flag(bool on)
{
    uint64_t flags = __readeflags();
    __writeeflags(on ? flags | TRAP_FLAG : flags & ~(uint64_t)TRAP_FLAG);
}

int __real_pthread_sigmask(int how, const sigset_t *set, sigset_t *old);
int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *old);
int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    sigset_t open = *set;
    held = sigismember(set, SIGUSR1) == 1;
    (void)sigdelset(&open, SIGTRAP);
    return __real_pthread_sigmask(how, &open, old);
}

static void write_some(struct pen *pen, unsigned records)
{
    for (unsigned i = 0; i < records; i++)
        pen_write(pen);
}

static void step_on(void)
{
    if (!stepping)
        return;
    uint64_t call = progress->calls++;
    if (call < CALLS_MAX)
        progress->steps_before[call] = progress->steps;
    if (call >= first_call)
        set_trap_flag(true);
}

/* The child of a handler has ended the call into whose middle it came back: it goes on as a process of its own. */
static void step_off(void)
{
    set_trap_flag(false);
    if (!is_child)
        return;
    is_child = false;
    write_some(&pens[2], AFTER);
    _exit(0);
}

static uint64_t interrupted(void)
{
    const struct process_slot *process = (const void *)slots;
    const struct stream_slot *stream = (const void *)(slots + TRACE_SLOT_BYTES);
    return process->losses.interrupted + stream->losses.interrupted;
}

/* One that is counted as lost is written again, so that the writer's numbers have no holes. */
static void record_in_handler(void)
{
    uint64_t lost = interrupted(), number = pens[1].shared->begun;
    pen_write(&pens[1]);
    if (interrupted() != lost)
        pens[1].shared->begun = pens[1].shared->acknowledged = number;
}

static void fork_in_handler(ucontext_t *context)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        is_child = true;
        context->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
    } else if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        _exit(4);
    }
}

/* Has the test look at what is there if that is anything new. Files change by system calls only. */
static void look(const ucontext_t *context)
{
    char go;
    const unsigned char *next = (const void *)context->uc_mcontext.gregs[REG_RIP];
    bool called = next[-2] == 0x0f && next[-1] == 0x05;
    if (!called && memcmp(seen, slots, sizeof seen) == 0)
        return;
    memcpy(seen, slots, sizeof seen);
    progress->deeds++;
    if (write(to_parent[1], "l", 1) != 1 || read(to_child[0], &go, 1) != 1)
        _exit(5);
}

static void do_deed(ucontext_t *context)
{
    progress->deeds++;
    if (deed == RECORD)
        record_in_handler();
    else if (deed == FORK)
        fork_in_handler(context);
    else
        siglongjmp(away, 1);
}

static void between_instructions(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    uint64_t step = progress->steps++;
    stepping = false; /* not in here */
    if (deed == LOOK)
        look(context);
    else if (!held && step >= first && (step - first) % stride == 0)
        do_deed(context);
    stepping = !is_child;
}

/* The page is there, and full but for its tail. */
static bool is_at_end_of(unsigned place)
{
    struct page_head head;
    const char *page = slots + TRACE_SLOT_BYTES + (place + 1) * (size_t)TRACE_PAGE_BYTES;
    const char *tail = page + TRACE_PAGE_BYTES - TAIL;
    memcpy(&head, page, sizeof head);
    for (unsigned i = 0; head.sequence != 0 && i < RECORD_BYTES_MAX; i++)
        if (tail[i] != 0)
            return true;
    return false;
}

static bool is_there(unsigned place)
{
    return place == IN_PAGE ? pens[0].shared->begun >= RUN - 6 : is_at_end_of(place);
}

static void *record_stepped(void *given)
{
    const struct scene *scene = given;
    if (sigsetjmp(away, 1)) { /* the recorder may still take this thread for inside */
        write_some(&pens[2], AFTER);
        return NULL;
    }
    if (scene->place != FIRST_RECORD) {
        pen_begin(&pens[0]);
        while (!is_there(scene->place))
            pen_write(&pens[0]);
    }
    memcpy(seen, slots, sizeof seen);
    stepping = true;
    if (scene->place == FIRST_RECORD)
        pen_begin(&pens[0]);
    write_some(&pens[0], scene->records);
    stepping = false;
    return NULL;
}

/* Gets the stream of the thread before, if that is whole. */
static void *record_after(void *unused)
{
    write_some(&pens[1], AFTER);
    return unused;
}

static void run_thread(void *(*body)(void *), const struct scene *scene)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, (void *)(uintptr_t)scene) || pthread_join(thread, NULL))
        _exit(3);
}

static void record(const struct scene *scene)
{
    struct sigaction action = {.sa_sigaction = between_instructions, .sa_flags = SA_SIGINFO};
    if (close(to_parent[0]) || close(to_child[1]) || sigaction(SIGTRAP, &action, NULL))
        _exit(2);
    for (unsigned i = 0; i < COUNT(pens); i++)
        pen_name(&pens[i], writers, i);
    run_thread(record_stepped, scene);
    run_thread(record_after, NULL);
    _exit(0);
}

static void look_at_trace(struct fixture *fixture)
{
    struct found found;
    writers_find(&found, writers, fixture);
    writers_check(&found, writers);
    assert_int_equal(losses_sum(&found.losses), 0);
}

/* Looks as often as the child asks for it; returns when it has ended. */
static void serve(struct fixture *fixture)
{
    struct pollfd asked = {.fd = to_parent[0], .events = POLLIN};
    char message;
    for (;;) {
        assert_int_equal(poll(&asked, 1, DEADLINE_MS), 1);
        if (read(to_parent[0], &message, 1) != 1)
            return;
        look_at_trace(fixture);
        assert_int_equal(write(to_child[1], "g", 1), 1);
    }
}

/* What was recorded is all there; what was lost is counted. */
static void check_trace(struct fixture *fixture)
{
    struct found found;
    writers_find(&found, writers, fixture);
    struct span_losses losses = found.losses;
    if (deed == JUMP) { /* the thread went on, and was taken for inside the recorder or not */
        assert_int_equal(found.numbers[2] + losses.interrupted, writers[2].acknowledged);
        writers[2].begun = writers[2].acknowledged = found.numbers[2];
    }
    writers_check(&found, writers);
    assert_int_equal(found.numbers[1], writers[1].acknowledged);
    if (deed == FORK) /* the child ended a span of its parent, or counted in its lap */
        losses.misuse = 0;
    losses.interrupted = 0;
    assert_int_equal(losses_sum(&losses), 0);
}

static void play_in(struct fixture *fixture, const struct scene *scene)
{
    int status;
    assert_true(pipe(to_parent) == 0 && pipe(to_child) == 0);
    pid_t child = fixture_fork(fixture);
    if (child == 0)
        record(scene);
    assert_true(close(to_parent[1]) == 0 && close(to_child[0]) == 0);
    serve(fixture);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(close(to_parent[0]) == 0 && close(to_child[1]) == 0);
    check_trace(fixture);
}

/* Plays one scene in a process of its own; returns how many steps it had. */
static uint64_t play(const struct scene *scene, enum deed what, uint64_t call, uint64_t at, uint64_t every)
{
    void *state;
    size_t bytes = (RINGS_SLOTS + 1) * (size_t)TRACE_SLOT_BYTES;
    assert_int_equal(fixture_setup_in_lab(&state), 0);
    struct fixture *fixture = state;
    char *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fixture->rings.fd, 0);
    assert_true(map != MAP_FAILED);
    slots = map + TRACE_SLOT_BYTES;
    writers = writers_new();
    writers[0].form = scene->form;
    writers[1].form = writers[2].form = FORM_SPANS_FULL;
    *progress = (struct progress){.steps = 0};
    deed = what;
    first_call = call;
    first = at;
    stride = every;
    play_in(fixture, scene);
    writers_free(writers);
    assert_int_equal(munmap(map, bytes), 0);
    assert_int_equal(fixture_teardown(&state), 0);
    return progress->steps;
}

static int setup(void **state)
{
    (void)state;
    progress = mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return progress == MAP_FAILED;
}

static int teardown(void **state)
{
    (void)state;
    return munmap(progress, sizeof *progress);
}

static void test_a_kill_between_any_two_instructions(void **state)
{
    uint64_t steps = 0, looks = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(scenes); i++, looks += progress->deeds)
        steps += play(&scenes[i], LOOK, 0, 0, 1);
    for (size_t i = 0; !SANITIZED && i < COUNT(flush_scenes); i++, looks += progress->deeds)
        steps += play(&flush_scenes[i], LOOK, 0, 0, 1);
    print_message("%llu instructions, %llu states\n", (unsigned long long)steps, (unsigned long long)looks);
    assert_true(looks > 100 * COUNT(scenes));
}

static void test_a_handler_records_between_any_two_instructions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(scenes); i++) {
        (void)play(&scenes[i], RECORD, 0, 0, 1);
        assert_true(progress->deeds > 100);
    }
}

static void test_a_handler_forks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(scenes); i++) {
        uint64_t steps = play(&scenes[i], RECORD, 0, UINT64_MAX, 1);
        (void)play(&scenes[i], FORK, 0, i, steps / FORKS + 1);
        assert_true(progress->deeds > FORKS / 4);
    }
}

/* Out of each call, at some of its instructions. */
static void jump_away(const struct scene *scene, unsigned salt)
{
    uint64_t steps = play(scene, RECORD, 0, UINT64_MAX, 1);
    struct progress all = *progress;
    assert_in_range(all.calls, 1, CALLS_MAX - 1);
    all.steps_before[all.calls] = steps;
    for (size_t call = 0; call < all.calls; call++) {
        uint64_t length = all.steps_before[call + 1] - all.steps_before[call];
        for (uint64_t at = salt % (length / JUMPS + 1); at < length; at += length / JUMPS + 1)
            (void)play(scene, JUMP, call, at, UINT64_MAX);
    }
}

static void test_a_handler_jumps_away(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT(scenes); i++)
        jump_away(&scenes[i], 7 * i);
}

#define STEP_TEST(body) cmocka_unit_test_setup_teardown(body, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STEP_TEST(test_a_kill_between_any_two_instructions),
        STEP_TEST(test_a_handler_records_between_any_two_instructions),
        STEP_TEST(test_a_handler_forks),
        STEP_TEST(test_a_handler_jumps_away),
    };
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* thousands of small traces */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
