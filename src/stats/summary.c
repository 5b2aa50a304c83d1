/* SPDX-License-Identifier: Apache-2.0
 *
 * Quantiles (Hyndman & Fan 1996, type 7) and percentile bootstraps (Efron & Tibshirani 1993, ch. 13).
 */
#include "stats/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RESAMPLES = 2000 };
#define FIT_COVERAGE 0.95

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    if (isnan(a) || isnan(b))
        return !!isnan(a) - !!isnan(b);
    return (a > b) - (a < b);
}

void sort_ascending(double *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
}

static double quantile_sorted(const double *sorted, size_t count, double q)
{
    double place = q * (double)(count - 1);
    size_t below = (size_t)place;
    if (below + 1 >= count)
        return sorted[count - 1];
    double part = place - (double)below;
    return part > 0 ? sorted[below] * (1 - part) + sorted[below + 1] * part : sorted[below];
}

enum err quantile(double *out, const double *samples, size_t count, double q, struct arena *arena, struct diag *diag)
{
    double *sorted = ARENA_ARRAY(arena, double, count);
    if (!sorted)
        return arena_exhausted(arena, diag);
    memcpy(sorted, samples, count * sizeof *sorted);
    sort_ascending(sorted, count);
    *out = quantile_sorted(sorted, count, q);
    return ERR_OK;
}

/** The middle `coverage` of `samples`, which it sorts, around the estimate `mid`. */
static struct interval middle_of(double *samples, size_t count, double coverage, double mid)
{
    sort_ascending(samples, count);
    return (struct interval){.low = fmin(mid, quantile_sorted(samples, count, (1 - coverage) / 2)),
                             .mid = mid,
                             .high = fmax(mid, quantile_sorted(samples, count, (1 + coverage) / 2))};
}

enum err bootstrap_median(struct interval *out, const double *samples, size_t count, double coverage, struct rng *rng,
                          struct arena *arena, struct diag *diag)
{
    double *drawn = ARENA_ARRAY(arena, double, count), *medians = ARENA_ARRAY(arena, double, RESAMPLES), median;
    if (!drawn || !medians)
        return arena_exhausted(arena, diag);
    TRY(quantile(&median, samples, count, 0.5, arena, diag));
    for (size_t i = 0; i < RESAMPLES; i++) {
        for (size_t j = 0; j < count; j++)
            drawn[j] = samples[rng_below(rng, count)];
        sort_ascending(drawn, count);
        medians[i] = quantile_sorted(drawn, count, 0.5);
    }
    *out = middle_of(medians, RESAMPLES, coverage, median);
    return ERR_OK;
}

struct line {
    double c0, c1;
};

/** False when the b are all the same. */
static bool fit(struct line *out, const double *b, const double *t, size_t count)
{
    double mean_b = 0, mean_t = 0, variance = 0, covariance = 0;
    for (size_t i = 0; i < count; i++) {
        mean_b += b[i] / (double)count;
        mean_t += t[i] / (double)count;
    }
    bool distinct = false;
    for (size_t i = 0; i < count; i++) {
        distinct = distinct || b[i] < b[0] || b[i] > b[0];
        variance += (b[i] - mean_b) * (b[i] - mean_b);
        covariance += (b[i] - mean_b) * (t[i] - mean_t);
    }
    if (!distinct)
        return false;
    out->c1 = covariance / variance;
    out->c0 = mean_t - out->c1 * mean_b;
    return true;
}

/** Points drawn with replacement into `drawn_b`, `drawn_t`, until they hold two sizes and so a line. */
static struct line fit_resampled(double *drawn_b, double *drawn_t, const double *b, const double *t, size_t count,
                                 struct rng *rng)
{
    struct line line;
    do {
        for (size_t i = 0; i < count; i++) {
            size_t at = (size_t)rng_below(rng, count);
            drawn_b[i] = b[at];
            drawn_t[i] = t[at];
        }
    } while (!fit(&line, drawn_b, drawn_t, count));
    return line;
}

static double residual_ratio_max(const struct line *line, const double *b, const double *t, size_t count)
{
    double worst = 0;
    for (size_t i = 0; i < count; i++) {
        double fitted = line->c0 + line->c1 * b[i];
        worst = fmax(worst, fitted > 0 ? fabs(t[i] - fitted) / fitted : INFINITY);
    }
    return worst;
}

enum err line_fit(struct line_fit *out, const double *b, const double *t, size_t count, struct rng *rng,
                  struct arena *arena, struct diag *diag)
{
    struct line line;
    if (!fit(&line, b, t, count))
        return diag_fail(diag, ERR_NOISE, NULL, "measure at least two different sizes",
                         "a line needs two different sizes, but the %zu points have one", count);
    double *drawn_b = ARENA_ARRAY(arena, double, count), *drawn_t = ARENA_ARRAY(arena, double, count);
    double *c0 = ARENA_ARRAY(arena, double, RESAMPLES), *c1 = ARENA_ARRAY(arena, double, RESAMPLES);
    if (!drawn_b || !drawn_t || !c0 || !c1)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < RESAMPLES; i++) {
        struct line again = fit_resampled(drawn_b, drawn_t, b, t, count, rng);
        c0[i] = again.c0;
        c1[i] = again.c1;
    }
    out->c0 = middle_of(c0, RESAMPLES, FIT_COVERAGE, line.c0);
    out->c1 = middle_of(c1, RESAMPLES, FIT_COVERAGE, line.c1);
    out->residual_ratio_max = residual_ratio_max(&line, b, t, count);
    return ERR_OK;
}
