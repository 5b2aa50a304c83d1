/* SPDX-License-Identifier: Apache-2.0
 *
 * Each call is counted once, with its bytes, for the thread that made it. Runs with the library preloaded and finds its
 * counters as the recorder does.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct counts {
    uint64_t count, bytes;
};

static void (*allocations)(uint64_t *count, uint64_t *bytes);
static struct counts in_constructor;

static struct counts counts_now(void)
{
    struct counts now = {0};
    allocations(&now.count, &now.bytes);
    return now;
}

static struct counts counts_since(struct counts start)
{
    struct counts now = counts_now();
    return (struct counts){.count = now.count - start.count, .bytes = now.bytes - start.bytes};
}

/* Where blocks go, so that the compiler cannot know that nobody reads them. */
static void *volatile kept;

__attribute__((constructor)) static void allocate_before_main(void)
{
    void *found = dlsym(RTLD_DEFAULT, "venturi_allocations");
    memcpy(&allocations, &found, sizeof found);
    if (!allocations)
        return;
    struct counts start = counts_now();
    kept = malloc(77);
    free(kept);
    in_constructor = counts_since(start);
}

static void by_malloc(void)
{
    kept = malloc(100);
}

static void by_calloc(void)
{
    kept = calloc(25, 4);
}

static void by_realloc(void)
{
    kept = realloc(NULL, 100);
}

static void by_reallocarray(void)
{
    kept = reallocarray(NULL, 10, 10);
}

static void by_memalign(void)
{
    kept = memalign(64, 100);
}

static void by_aligned_alloc(void)
{
    kept = aligned_alloc(4, 100);
}

static void by_posix_memalign(void)
{
    void *block = NULL;
    assert_int_equal(posix_memalign(&block, 64, 100), 0);
    kept = block;
}

static void by_libc_itself(void)
{
    char text[100] = {0};
    memset(text, 'x', sizeof text - 1);
    kept = strdup(text);
}

static void each_call_counts_once(void **state)
{
    static void (*const ways[])(void) = {by_malloc,   by_calloc,        by_realloc,        by_reallocarray,
                                         by_memalign, by_aligned_alloc, by_posix_memalign, by_libc_itself};
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct counts start = counts_now();
        ways[i]();
        struct counts made = counts_since(start);
        assert_non_null(kept);
        free(kept);
        assert_int_equal(made.count, 1);
        assert_int_equal(made.bytes, 100);
    }
}

static void growing_counts_the_new_size(void **state)
{
    (void)state;
    struct counts start = counts_now();
    kept = malloc(10);
    kept = realloc(kept, 1000);
    struct counts made = counts_since(start);
    free(kept);
    assert_int_equal(made.count, 2);
    assert_int_equal(made.bytes, 1010);
}

static void what_fails_does_not_count(void **state)
{
    volatile size_t too_much = PTRDIFF_MAX;
    void *block = NULL;
    (void)state;
    struct counts start = counts_now();
    assert_null(malloc(too_much));
    assert_null(calloc(too_much, 16));
    assert_null(realloc(NULL, too_much));
    assert_null(reallocarray(NULL, too_much, 4));
    assert_int_not_equal(posix_memalign(&block, 3, 100), 0);
    struct counts made = counts_since(start);
    assert_int_equal(made.count, 0);
    assert_int_equal(made.bytes, 0);
}

static void a_constructor_is_counted(void **state)
{
    (void)state;
    assert_int_equal(in_constructor.count, 1);
    assert_int_equal(in_constructor.bytes, 77);
}

enum { THREADS = 8, ROUNDS = 20000 };

static void *allocate_many(void *out)
{
    struct counts start = counts_now();
    for (size_t i = 0; i < ROUNDS; i++)
        free(malloc(1 + i % 2000));
    *(struct counts *)out = counts_since(start);
    return NULL;
}

static void threads_count_apart(void **state)
{
    pthread_t threads[THREADS];
    struct counts made[THREADS];
    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, allocate_many, &made[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(made[i].count, ROUNDS);
        assert_int_equal(made[i].bytes, ROUNDS / 2000 * (2000 * 2001 / 2));
    }
}

static void a_forked_child_counts_on(void **state)
{
    int status = 0;
    (void)state;
    struct counts start = counts_now();
    pid_t child = fork();
    if (child == 0) {
        kept = malloc(100);
        struct counts made = counts_since(start);
        _exit(made.count == 1 && made.bytes == 100 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(counts_since(start).count, 0);
}

static int must_be_preloaded(void **state)
{
    (void)state;
    return allocations ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_counts_once),     cmocka_unit_test(growing_counts_the_new_size),
        cmocka_unit_test(what_fails_does_not_count), cmocka_unit_test(a_constructor_is_counted),
        cmocka_unit_test(threads_count_apart),       cmocka_unit_test(a_forked_child_counts_on),
    };
    return cmocka_run_group_tests(tests, must_be_preloaded, NULL);
}
