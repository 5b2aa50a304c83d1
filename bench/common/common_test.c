/* SPDX-License-Identifier: Apache-2.0
 *
 * A bench is judged by the median of its rounds; a case that fails or dies fails the bench.
 */
#include "common/bench.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROUNDS = BENCH_ROUNDS_MIN, ARENA_LIMIT_BYTES = 1 << 20 };

struct fixture {
    struct arena arena;
    struct rng rng;
    struct diag diag;
};

static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    arena_init(&fixture.arena, ARENA_LIMIT_BYTES);
    rng_init(&fixture.rng, 1);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    arena_fini(&fixture->arena);
    return 0;
}

static enum err costs(struct bench_sample *out, const void *context, struct diag *diag)
{
    (void)diag;
    *out = (struct bench_sample){{*(const double *)context, NAN, NAN}};
    return ERR_OK;
}

static enum err fails(struct bench_sample *out, const void *context, struct diag *diag)
{
    (void)out;
    (void)context;
    return diag_fail(diag, ERR_IO, "the case", NULL, "no disk");
}

static enum err dies(struct bench_sample *out, const void *context, struct diag *diag)
{
    (void)out;
    (void)context;
    (void)diag;
    abort();
}

static const double two = 2, three = 3;

/* Whether lines with these limits for the ratio 1.5 and the figure 3 are met. */
static bool is_met(struct fixture *fixture, double ratio_limit, double limit)
{
    bool met;
    struct bench_case cases[] = {{.name = "two", .run = costs, .context = &two},
                                 {.name = "three", .run = costs, .context = &three}};
    struct bench_line lines[] = {{.of = &cases[1], .base = &cases[0], .limit = ratio_limit},
                                 {.of = &cases[1], .limit = limit}};
    assert_int_equal(bench_play(cases, 2, ROUNDS, &fixture->rng, &fixture->arena, &fixture->diag), ERR_OK);
    assert_int_equal(bench_show(&met, lines, 2, ROUNDS, &fixture->arena, &fixture->diag), ERR_OK);
    return met;
}

static void limits_are_for_ratios_and_figures(void **state)
{
    assert_true(is_met(*state, 1.5, 3));
    assert_false(is_met(*state, 1.4, 3));
    assert_false(is_met(*state, 1.5, 2.9));
    assert_true(is_met(*state, 0, 0));
}

static void the_median_decides(void **state)
{
    struct fixture *fixture = *state;
    struct bench_sample samples[ROUNDS];
    struct bench_case subject = {.name = "noisy", .run = costs, .samples = samples};
    struct bench_line line = {.of = &subject, .limit = 2};
    bool met;
    for (size_t i = 0; i < ROUNDS; i++)
        samples[i].of[BENCH_WALL_NS] = i < ROUNDS / 2 ? 100 : 2;
    assert_int_equal(bench_show(&met, &line, 1, ROUNDS, &fixture->arena, &fixture->diag), ERR_OK);
    assert_true(met);
    samples[ROUNDS - 1].of[BENCH_WALL_NS] = 100;
    assert_int_equal(bench_show(&met, &line, 1, ROUNDS, &fixture->arena, &fixture->diag), ERR_OK);
    assert_false(met);
}

static void what_was_not_measured_is_above_its_limit(void **state)
{
    struct fixture *fixture = *state;
    struct bench_case subject = {.name = "three", .run = costs, .context = &three};
    struct bench_line line = {.of = &subject, .quantity = BENCH_BYTES, .limit = 100};
    bool met;
    assert_int_equal(bench_play(&subject, 1, ROUNDS, &fixture->rng, &fixture->arena, &fixture->diag), ERR_OK);
    assert_int_equal(bench_show(&met, &line, 1, ROUNDS, &fixture->arena, &fixture->diag), ERR_OK);
    assert_false(met);
}

static void a_rival_that_is_absent_is_no_failure(void **state)
{
    struct fixture *fixture = *state;
    struct bench_case cases[] = {{.name = "rival"}, {.name = "three", .run = costs, .context = &three}};
    struct bench_line lines[] = {{.of = &cases[0], .base = &cases[1]}, {.of = &cases[1], .limit = 3}};
    bool met;
    assert_int_equal(bench_play(cases, 2, ROUNDS, &fixture->rng, &fixture->arena, &fixture->diag), ERR_OK);
    assert_int_equal(bench_show(&met, lines, 2, ROUNDS, &fixture->arena, &fixture->diag), ERR_OK);
    assert_true(met);
}

static void a_case_that_fails_says_why(void **state)
{
    struct fixture *fixture = *state;
    struct bench_case subject = {.name = "broken", .run = fails};
    assert_int_equal(bench_play(&subject, 1, ROUNDS, &fixture->rng, &fixture->arena, &fixture->diag), ERR_IO);
    assert_string_equal(fixture->diag.what, "no disk");
    subject.run = dies;
    assert_int_equal(bench_play(&subject, 1, ROUNDS, &fixture->rng, &fixture->arena, &fixture->diag), ERR_INTERNAL);
}

static void rounds_are_eleven_or_more(void **state)
{
    static const char *const wrong[] = {"", "10", "-11", "11x", " 11", "1e3", "99999999"};
    size_t rounds;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(bench_read_rounds(&rounds, wrong[i]));
    assert_true(bench_read_rounds(&rounds, "11"));
    assert_int_equal(rounds, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(limits_are_for_ratios_and_figures, setup, teardown),
        cmocka_unit_test_setup_teardown(the_median_decides, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_not_measured_is_above_its_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rival_that_is_absent_is_no_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(a_case_that_fails_says_why, setup, teardown),
        cmocka_unit_test(rounds_are_eleven_or_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
