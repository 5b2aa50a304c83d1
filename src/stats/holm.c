/* SPDX-License-Identifier: Apache-2.0
 *
 * Many comparisons at once: Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6 (1979).
 */
#include "stats/pairs.h"

#include <stdlib.h>

struct claim {
    double p;
    size_t index;
};

static int by_p(const void *left, const void *right)
{
    double a = ((const struct claim *)left)->p, b = ((const struct claim *)right)->p;
    return (a > b) - (a < b);
}

enum err holm_reject(bool *rejected, const double *p, size_t count, double alpha, struct arena *arena,
                     struct diag *diag)
{
    struct claim *claims = ARENA_ARRAY(arena, struct claim, count);
    if (!claims)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < count; i++) {
        claims[i] = (struct claim){.p = p[i], .index = i};
        rejected[i] = false;
    }
    qsort(claims, count, sizeof *claims, by_p);
    for (size_t i = 0; i < count && claims[i].p <= alpha / (double)(count - i); i++)
        rejected[claims[i].index] = true;
    return ERR_OK;
}
