/* SPDX-License-Identifier: Apache-2.0
 *
 * Quantiles and fits with known answers, intervals with known coverage.
 */
#include "stats/summary.h"

#include "stats/stats_fixture.h"

#include <math.h>

#define EXACT 1e-12

static double quantile_of(void **state, const double *samples, size_t count, double q)
{
    double out = NAN;
    assert_int_equal(quantile(&out, samples, count, q, *state, NULL), ERR_OK);
    return out;
}

static void quantiles_are_type_7(void **state)
{
    const double samples[] = {4, 1, 3, 2};
    assert_near(quantile_of(state, samples, 4, 0), 1, EXACT);
    assert_near(quantile_of(state, samples, 4, 0.5), 2.5, EXACT);
    assert_near(quantile_of(state, samples, 4, 0.25), 1.75, EXACT);
    assert_near(quantile_of(state, samples, 4, 1), 4, EXACT);
    assert_near(quantile_of(state, samples, 1, 0.9), 4, EXACT);
    assert_near(samples[0], 4, EXACT); /* a copy was sorted */
}

static void infinity_and_nan_sort_last(void **state)
{
    (void)state;
    double values[] = {NAN, 2, INFINITY, NAN, 1};
    sort_ascending(values, 5);
    assert_near(values[0], 1, EXACT);
    assert_near(values[1], 2, EXACT);
    assert_true(isinf(values[2]) && isnan(values[3]) && isnan(values[4]));
}

static void one_sample_is_its_own_interval(void **state)
{
    const double sample = 7;
    struct interval out;
    struct rng rng;
    rng_init(&rng, 1);
    assert_int_equal(bootstrap_median(&out, &sample, 1, 0.95, &rng, *state, NULL), ERR_OK);
    assert_near(out.low, 7, EXACT);
    assert_near(out.mid, 7, EXACT);
    assert_near(out.high, 7, EXACT);
}

static void three_samples_reach_from_end_to_end(void **state)
{
    /* The median is the smallest of three with probability 7/27, far above 2.5 %. */
    const double samples[] = {3, 1, 2};
    struct interval out;
    struct rng rng;
    rng_init(&rng, 1);
    assert_int_equal(bootstrap_median(&out, samples, 3, 0.95, &rng, *state, NULL), ERR_OK);
    assert_near(out.low, 1, EXACT);
    assert_near(out.mid, 2, EXACT);
    assert_near(out.high, 3, EXACT);
}

static void the_median_interval_covers(void **state)
{
    enum { EXPERIMENTS = 300, SAMPLES = 15 };
    struct rng rng;
    rng_init(&rng, 42);
    int covered = 0;
    for (int i = 0; i < EXPERIMENTS; i++) {
        double samples[SAMPLES];
        struct interval out;
        for (int j = 0; j < SAMPLES; j++)
            samples[j] = rng_uniform(&rng);
        arena_fini(*state);
        assert_int_equal(bootstrap_median(&out, samples, SAMPLES, 0.95, &rng, *state, NULL), ERR_OK);
        covered += out.low <= 0.5 && 0.5 <= out.high;
    }
    assert_in_range(covered, EXPERIMENTS * 90 / 100, EXPERIMENTS - 1);
}

static struct line_fit fit_of(void **state, const double *b, const double *t, size_t count)
{
    struct line_fit out;
    struct rng rng;
    rng_init(&rng, 1);
    assert_int_equal(line_fit(&out, b, t, count, &rng, *state, NULL), ERR_OK);
    return out;
}

static void a_line_is_found(void **state)
{
    const double b[] = {100, 1000, 10000, 1000}, t[] = {1.1, 2, 11, 2};
    struct line_fit out = fit_of(state, b, t, 4);
    assert_near(out.c0.mid, 1, EXACT);
    assert_near(out.c1.mid, 0.001, EXACT);
    assert_near(out.c0.low, 1, 1e-9);
    assert_near(out.c1.high, 0.001, 1e-9);
    assert_near(out.residual_ratio_max, 0, EXACT);
}

static void what_a_line_misses_is_said(void **state)
{
    /* Normal equations by hand: c1 = 3/2, c0 = -1/6, fitted -1/6 + {0, 3/2, 3}; the first is below 0. */
    const double b[] = {0, 1, 2}, t[] = {0, 1, 3}, up[] = {1, 2, 4};
    struct line_fit below = fit_of(state, b, t, 3), above = fit_of(state, b, up, 3);
    assert_near(below.c1.mid, 1.5, EXACT);
    assert_near(below.c0.mid, -1.0 / 6, EXACT);
    assert_true(isinf(below.residual_ratio_max));
    assert_near(above.residual_ratio_max, (1.0 / 6) / (5.0 / 6), EXACT);
    assert_true(above.c1.low < above.c1.mid && above.c1.mid < above.c1.high);
    assert_true(above.c0.low < above.c0.mid && above.c0.mid < above.c0.high);
}

static void one_size_is_no_line(void **state)
{
    const double b[] = {5, 5}, t[] = {1, 2};
    struct line_fit out;
    struct rng rng;
    struct diag diag = {0};
    rng_init(&rng, 1);
    assert_int_equal(line_fit(&out, b, t, 2, &rng, *state, &diag), ERR_NOISE);
    assert_true(diag.what[0] != '\0');
    assert_int_equal(line_fit(&out, b, t, 0, &rng, *state, NULL), ERR_NOISE);
}

static enum err all(struct arena *arena, struct diag *diag)
{
    const double b[] = {1, 2, 3}, t[] = {1, 2, 4};
    struct rng rng;
    struct interval interval;
    struct line_fit fit;
    rng_init(&rng, 1);
    TRY(bootstrap_median(&interval, t, 3, 0.95, &rng, arena, diag));
    return line_fit(&fit, b, t, 3, &rng, arena, diag);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    assert_survives_every_failed_allocation(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_type_7),           cmocka_unit_test(infinity_and_nan_sort_last),
        cmocka_unit_test(one_sample_is_its_own_interval), cmocka_unit_test(three_samples_reach_from_end_to_end),
        cmocka_unit_test(the_median_interval_covers),     cmocka_unit_test(a_line_is_found),
        cmocka_unit_test(what_a_line_misses_is_said),     cmocka_unit_test(one_size_is_no_line),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
