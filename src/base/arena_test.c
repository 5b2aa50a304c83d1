/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void memory_is_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    static const size_t alignments[] = {1, 2, 4, 8, alignof(max_align_t)};
    AUTO(arena_fini) struct arena arena;
    unsigned char *last_end = NULL;
    arena_init(&arena, 1024 * 1024);
    for (size_t i = 0; i < 5000; i++) {
        size_t bytes = i % 97 + 1, alignment = alignments[i % 5];
        unsigned char *memory = arena_alloc(&arena, bytes, 1, alignment);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % alignment, 0);
        for (size_t at = 0; at < bytes; at++)
            assert_int_equal(memory[at], 0);
        memset(memory, 0xff, bytes); /* a piece that overlaps it would not be zero */
        assert_true(last_end != memory + bytes);
        last_end = memory + bytes;
    }
}

static void a_block_may_be_larger_than_usual(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, SIZE_MAX / 2);
    assert_non_null(ARENA_NEW(&arena, int));
    char *large = ARENA_ARRAY(&arena, char, 10 * 1024 * 1024);
    assert_non_null(large);
    large[10 * 1024 * 1024 - 1] = 1;
    assert_non_null(ARENA_NEW(&arena, int));
}

static void the_limit_is_exact(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 100);
    assert_non_null(arena_alloc(&arena, 99, 1, 1));
    assert_null(arena_alloc(&arena, 2, 1, 1));
    assert_non_null(arena_alloc(&arena, 1, 1, 1)); /* a refused request takes nothing */
    assert_null(arena_alloc(&arena, 1, 1, 1));
    assert_int_equal(arena.used_bytes, 100);
    assert_non_null(arena_alloc(&arena, 0, 8, 8)); /* nothing is always there */
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, SIZE_MAX);
    assert_null(arena_alloc(&arena, SIZE_MAX, 2, 1));
    assert_null(arena_alloc(&arena, SIZE_MAX / 8 + 2, 8, 8));
    assert_null(arena_alloc(&arena, SIZE_MAX, 1, 1));
    assert_int_equal(arena.used_bytes, 0);
}

static void lists_grow(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena arena;
    size_t capacity = 0, count = 0;
    uint64_t *items = NULL;
    arena_init(&arena, 1 << 14);
    for (void *more; (more = arena_room(&arena, items, &capacity, count, sizeof *items)); count++) {
        items = more;
        items[count] = count;
    }
    assert_int_equal(count, capacity);
    assert_true(count >= 512 && arena.used_bytes <= 1 << 14);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(items[i], i);
}

static void texts_are_copied(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena arena;
    char text[] = "text";
    arena_init(&arena, 64);
    char *copy = arena_strdup(&arena, text);
    text[0] = 'n';
    assert_string_equal(copy, "text");
    assert_null(arena_strdup(&arena, NULL));
    assert_string_equal(arena_strdup(&arena, ""), "");
    assert_string_equal(arena_printf(&arena, "%s-%d", copy, 7), "text-7");
    assert_null(arena_printf(&arena, "%100s", ""));
    assert_null(arena_strdup(&arena, "0123456789012345678901234567890123456789012345678901234567890123456789"));
}

static void exhaustion_says_how_much(void **state)
{
    (void)state;
    AUTO(arena_fini) struct arena arena;
    struct diag diag;
    arena_init(&arena, 10);
    assert_non_null(arena_alloc(&arena, 7, 1, 1));
    assert_int_equal(arena_exhausted(&arena, &diag), ERR_MEMORY);
    assert_string_equal(diag.what, "out of memory after 7 of at most 10 bytes");
    assert_int_equal(arena_exhausted(&arena, NULL), ERR_MEMORY);
}

static void freeing_may_be_repeated(void **state)
{
    (void)state;
    struct arena arena = {0};
    arena_fini(&arena);
    arena_init(&arena, 64);
    assert_non_null(arena_alloc(&arena, 64, 1, 1));
    arena_fini(&arena);
    arena_fini(&arena);
    assert_non_null(arena_alloc(&arena, 64, 1, 1)); /* empty again, same limit */
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(a_block_may_be_larger_than_usual),
        cmocka_unit_test(the_limit_is_exact),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(lists_grow),
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(exhaustion_says_how_much),
        cmocka_unit_test(freeing_may_be_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
