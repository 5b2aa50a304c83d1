/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/merge.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { RUNS_MAX = 9, RUN_MAX = 40, ALL_MAX = RUNS_MAX * RUN_MAX, ROUNDS = 5000 };

/* Sorted, nothing lost, and what is equal in time keeps the order of its run. */
static void test_runs_of_any_length(void **state)
{
    static struct moment moments[RUNS_MAX][RUN_MAX], spare[2][ALL_MAX];
    struct rng rng;
    (void)state;
    rng_init(&rng, 1);
    for (int round = 0; round < ROUNDS; round++) {
        struct run runs[RUNS_MAX];
        size_t count = 1 + rng_below(&rng, RUNS_MAX), all = 0, seen[RUNS_MAX] = {0};
        for (uint32_t i = 0; i < count; i++) {
            runs[i] = (struct run){.moments = moments[i], .count = rng_below(&rng, RUN_MAX + 1)};
            for (uint32_t j = 0; j < runs[i].count; j++)
                moments[i][j] =
                    (struct moment){.at = (j ? moments[i][j - 1].at : 0) + rng_below(&rng, 3), .began = i, .ended = j};
            all += runs[i].count;
        }
        struct run merged = merge_runs(runs, count, (struct moment *const[]){spare[0], spare[1]});
        assert_int_equal(merged.count, all);
        for (size_t i = 0; i < merged.count; i++) {
            const struct moment *moment = &merged.moments[i];
            assert_true(i == 0 || merged.moments[i - 1].at <= moment->at);
            assert_int_equal(moment->ended, seen[moment->began]++);
            assert_int_equal(moment->at, moments[moment->began][moment->ended].at);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_runs_of_any_length)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
