/* SPDX-License-Identifier: Apache-2.0
 *
 * What the recorder asks of the system: nothing between two blocks, a few calls to write one out, and never memory. A
 * seccomp filter kills at any other system call, malloc and its like abort.
 */
#include "writer.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/syscall.h>

static bool no_malloc; /* atomic */

static void need_malloc(void)
{
    if (__atomic_load_n(&no_malloc, __ATOMIC_RELAXED))
        abort();
}

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *memory);

void *malloc(size_t bytes)
{
    need_malloc();
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    need_malloc();
    return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes)
{
    need_malloc();
    return __libc_realloc(memory, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    need_malloc();
    return __libc_memalign(alignment, bytes);
}

void free(void *memory)
{
    need_malloc();
    __libc_free(memory);
}

enum { CALLS_MAX = 16, PARAMETERS_MAX = 2, BLOCKS = 3 };

/* From here on any other call kills the process. */
static void allow_only(const int *calls, size_t count)
{
    struct sock_filter code[CALLS_MAX + 3];
    size_t length = 0;
    code[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < count; i++)
        code[length++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i], (unsigned char)(count - i), 0);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = (unsigned short)length, .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        _exit(2);
}

static struct writer *writers;
static struct pen pen;

static void begin(void)
{
    pen_name(&pen, writers, 0);
    pen_begin(&pen);
    for (int i = 0; i < WRITER_STAGES; i++)
        pen_write(&pen);
}

/* Short of a block in any form. */
static void record_inside_a_block(void)
{
    static const int calls[] = {SYS_exit_group};
    begin();
    no_malloc = true;
    allow_only(calls, sizeof calls / sizeof *calls);
    for (int i = 0; i < 1000; i++)
        pen_write(&pen);
    _exit(0);
}

static void record_blocks(void)
{
    static const int calls[] = {SYS_openat,         SYS_statx,         SYS_pwrite64,  SYS_close,
                                SYS_rt_sigprocmask, SYS_rt_sigpending, SYS_exit_group};
    begin();
    no_malloc = true;
    allow_only(calls, sizeof calls / sizeof *calls);
    for (int i = 0; i < BLOCKS * 30000; i++)
        pen_write(&pen);
    _exit(0);
}

/* Everything from a thread's first record on, without memory from the heap. */
static void *record_first(void *unused)
{
    no_malloc = true;
    pen_begin(&pen);
    for (int i = 0; i < BLOCKS * 30000; i++)
        pen_write(&pen);
    no_malloc = false;
    return unused;
}

static void record_in_new_thread(void)
{
    pthread_t thread;
    pen_name(&pen, writers, 0);
    if (pthread_create(&thread, NULL, record_first, NULL) || pthread_join(thread, NULL))
        _exit(1);
    _exit(0);
}

static void record_behind_many_keys(void)
{
    for (int i = 0; i < 100; i++) {
        pthread_key_t key;
        if (pthread_key_create(&key, NULL))
            _exit(1);
    }
    record_in_new_thread();
}

static void play(struct fixture *fixture, enum form form, void (*body)(void))
{
    struct found found;
    writers = writers_new();
    writers[0].form = form;
    assert_int_equal(fixture_record(fixture, body), 0);
    writers_find(&found, writers, fixture);
    writers_check(&found, writers);
    assert_int_equal(losses_sum(&found.losses), 0);
    writers_free(writers);
}

static void play_all_forms(void (*body)(void))
{
    for (int form = 0; form < FORMS; form++) {
        void *state = NULL;
        assert_int_equal(form % 2 ? fixture_setup(&state) : fixture_setup_in_lab(&state), 0);
        play(state, (enum form)form, body);
        assert_int_equal(fixture_teardown(&state), 0);
    }
}

static void test_no_system_call_inside_a_block(void **state)
{
    (void)state;
    play_all_forms(record_inside_a_block);
}

static void test_few_system_calls_a_block(void **state)
{
    (void)state;
    play_all_forms(record_blocks);
}

static void test_no_memory_from_the_heap(void **state)
{
    (void)state;
    play_all_forms(record_in_new_thread);
}

static void test_no_memory_from_the_heap_behind_many_keys(void **state)
{
    (void)state;
    play_all_forms(record_behind_many_keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_system_call_inside_a_block),
        cmocka_unit_test(test_few_system_calls_a_block),
        cmocka_unit_test(test_no_memory_from_the_heap),
        cmocka_unit_test(test_no_memory_from_the_heap_behind_many_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
