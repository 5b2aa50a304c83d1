/* SPDX-License-Identifier: Apache-2.0
 *
 * The null distribution is counted by adding one rank at a time; its probabilities are multiples of 2^-count and so
 * exact in a double up to 53 values. Interval and estimate: Hollander, Wolfe & Chicken, Nonparametric Statistical
 * Methods, 3rd ed., 3.2 and 3.3 (Tukey's interval from ordered Walsh averages).
 */
#include "stats/signed_rank.h"

#include "stats/summary.h"

#include <math.h>
#include <stdlib.h>

/** probability[s] of each sum s when every weight joins the sum with probability 1/2. NULL when memory is out. */
static double *null_distribution(size_t *out_total, const size_t *weights, size_t count, struct arena *arena)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += weights[i];
    double *probability = ARENA_ARRAY(arena, double, total + 1);
    if (!probability)
        return NULL;
    probability[0] = 1;
    size_t reached = 0;
    for (size_t i = 0; i < count; i++) {
        reached += weights[i];
        for (size_t s = reached + 1; s-- > 0;)
            probability[s] = (probability[s] + (s >= weights[i] ? probability[s - weights[i]] : 0)) / 2;
    }
    *out_total = total;
    return probability;
}

/** The largest k with P(W < k) <= alpha/2: the k-th Walsh average from either end is an end of the interval. */
static enum err critical_place(size_t *out, size_t count, double alpha, struct arena *arena, struct diag *diag)
{
    size_t *ranks = ARENA_ARRAY(arena, size_t, count), total;
    if (!ranks)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < count; i++)
        ranks[i] = i + 1;
    const double *probability = null_distribution(&total, ranks, count, arena);
    if (!probability)
        return arena_exhausted(arena, diag);
    *out = 0;
    for (double below = probability[0]; *out < total / 2 && below <= alpha / 2; below += probability[*out])
        ++*out;
    return ERR_OK;
}

enum err signed_rank_interval(struct interval *out, const double *values, size_t count, double alpha,
                              struct arena *arena, struct diag *diag)
{
    size_t walsh_count = count * (count + 1) / 2, place = 0;
    double *walsh = ARENA_ARRAY(arena, double, walsh_count);
    if (!walsh)
        return arena_exhausted(arena, diag);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j <= i; j++)
            walsh[at++] = values[i] / 2 + values[j] / 2;
    }
    sort_ascending(walsh, walsh_count);
    TRY(critical_place(&place, count, alpha, arena, diag));
    size_t first = place > 0 ? place - 1 : 0;
    *out = (struct interval){.low = walsh[first],
                             .mid = (walsh[(walsh_count - 1) / 2] + walsh[walsh_count / 2]) / 2,
                             .high = walsh[walsh_count - 1 - first]};
    return ERR_OK;
}

static int by_size(const void *left, const void *right)
{
    double a = fabs(*(const double *)left), b = fabs(*(const double *)right);
    return (a > b) - (a < b);
}

/** Twice the mid-rank of each non-zero value of `sorted` (by size), compacted into `ranks`; *positive: the sum over
 *  the positive ones. Twice, because a mid-rank may end in a half. Returns how many. */
static size_t doubled_ranks(size_t *ranks, size_t *positive, const double *sorted, size_t count)
{
    size_t kept = 0;
    *positive = 0;
    for (size_t first = 0, next; first < count; first = next) {
        for (next = first + 1; next < count && fabs(sorted[next]) <= fabs(sorted[first]);)
            next++;
        size_t rank = first + 1 + next;
        for (size_t i = first; i < next && fabs(sorted[i]) > 0; i++) {
            ranks[kept++] = rank;
            *positive += sorted[i] > 0 ? rank : 0;
        }
    }
    return kept;
}

enum err signed_rank_p(double *out, const double *values, size_t count, struct arena *arena, struct diag *diag)
{
    double *sorted = ARENA_ARRAY(arena, double, count);
    size_t *ranks = ARENA_ARRAY(arena, size_t, count);
    if (!sorted || !ranks)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < count; i++)
        sorted[i] = values[i];
    qsort(sorted, count, sizeof *sorted, by_size);
    size_t positive, total, kept = doubled_ranks(ranks, &positive, sorted, count);
    const double *probability = null_distribution(&total, ranks, kept, arena);
    if (!probability)
        return arena_exhausted(arena, diag);
    size_t smaller = positive < total - positive ? positive : total - positive;
    double tail = 0; /* the distribution is symmetric: both tails are twice the lower one */
    for (size_t s = 0; s <= smaller; s++)
        tail += probability[s];
    *out = fmin(1, 2 * tail);
    return ERR_OK;
}
