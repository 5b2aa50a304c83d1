/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/histogram.h"

#include "base/random.h"
#include "stats/summary.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A bucket holds what lies together, and no more than 1/64 of it apart. */
static void test_buckets(void **state)
{
    size_t last = 0;
    (void)state;
    assert_int_equal(histogram_bucket(0), 0);
    for (uint64_t ticks = 1; ticks < 1 << 20; ticks++) {
        size_t bucket = histogram_bucket(ticks);
        assert_true(bucket >= last && bucket < HISTOGRAM_BUCKETS);
        assert_true(ticks < 64 ? bucket > last : histogram_bucket(ticks + ticks / 63 + 1) > bucket);
        last = bucket;
    }
    for (unsigned shift = 20; shift < 64; shift++)
        assert_true(histogram_bucket((uint64_t)1 << shift) < HISTOGRAM_BUCKETS);
    assert_int_equal(histogram_bucket(UINT64_MAX), histogram_bucket(INT64_MAX));
    assert_true(histogram_bucket(UINT64_MAX) < HISTOGRAM_BUCKETS);
}

static void test_quantiles_are_within_a_percent(void **state)
{
    enum { COUNT = 3000, ROUNDS = 40 };
    static double sorted[COUNT];
    struct rng rng;
    (void)state;
    rng_init(&rng, 1);
    for (int round = 0; round < ROUNDS; round++) {
        static struct histogram histogram;
        memset(&histogram, 0, sizeof histogram);
        size_t count = 1 + rng_below(&rng, COUNT);
        uint64_t most = (uint64_t)1 << (1 + rng_below(&rng, 50));
        for (size_t i = 0; i < count; i++) {
            uint64_t ticks = rng_below(&rng, 1 + rng_below(&rng, most));
            histogram.counts[histogram_bucket(ticks)]++;
            sorted[i] = (double)ticks;
        }
        sort_ascending(sorted, count);
        assert_int_equal(histogram_count(&histogram), count);
        for (double q = 0; q <= 1; q += 0.01) {
            double place = q * (double)(count - 1), below = floor(place);
            size_t at = (size_t)below, after = at + (place > below);
            double low = sorted[at] * 0.984, high = sorted[after] * 1.016;
            double found = histogram_quantile(&histogram, count, q);
            assert_true(found >= low - 1e-9 && found <= high + 1e-9);
        }
    }
}

/* Few values far apart are known to half of a bucket; small ones exactly. */
static void test_quantiles_of_few(void **state)
{
    static struct histogram histogram;
    (void)state;
    histogram.counts[histogram_bucket(7)]++;
    histogram.counts[histogram_bucket(9)]++;
    assert_true(histogram_quantile(&histogram, 2, 0.5) == 8);
    histogram.counts[histogram_bucket(1000000)]++;
    assert_true(fabs(histogram_quantile(&histogram, 3, 1) / 1e6 - 1) < 0.008);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buckets),
        cmocka_unit_test(test_quantiles_are_within_a_percent),
        cmocka_unit_test(test_quantiles_of_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
