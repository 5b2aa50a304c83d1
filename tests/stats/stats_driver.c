/* SPDX-License-Identifier: Apache-2.0
 *
 * Lends the statistics to scipy_test.py: a line of numbers in, a line of results out.
 *
 *     alpha value ...    ->    p low mid high q25 q75
 */
#include "stats/signed_rank.h"
#include "stats/summary.h"

#include <stdio.h>
#include <stdlib.h>

enum { VALUES_MAX = 256, LINE_BYTES = 16384, ARENA_LIMIT_BYTES = 1 << 26 };

static enum err answer(double alpha, const double *values, size_t count, struct diag *diag)
{
    struct interval interval;
    double p, q25, q75;
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, ARENA_LIMIT_BYTES);
    TRY(signed_rank_p(&p, values, count, &arena, diag));
    TRY(signed_rank_interval(&interval, values, count, alpha, &arena, diag));
    TRY(quantile(&q25, values, count, 0.25, &arena, diag));
    TRY(quantile(&q75, values, count, 0.75, &arena, diag));
    printf("%.17g %.17g %.17g %.17g %.17g %.17g\n", p, interval.low, interval.mid, interval.high, q25, q75);
    return ERR_OK;
}

int main(void)
{
    static char line[LINE_BYTES];
    while (fgets(line, sizeof line, stdin)) {
        double values[VALUES_MAX];
        size_t count = 0;
        struct diag diag = {0};
        for (char *at = line, *end; count < VALUES_MAX; at = end) {
            values[count] = strtod(at, &end);
            if (end == at)
                break;
            count++;
        }
        if (count < 2 || answer(values[0], values + 1, count - 1, &diag) != ERR_OK) {
            (void)fprintf(stderr, "stats_driver: %s\n", diag.what);
            return 1;
        }
    }
    return 0;
}
