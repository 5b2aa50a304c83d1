/* SPDX-License-Identifier: Apache-2.0
 *
 * The sequential protocol; docs/measuring.md says why it is so. All arithmetic is on gain = ln(time_A / time_B): its
 * exp() is the effect, above 0 means that B is faster.
 */
#include "stats/pairs.h"

#include "stats/signed_rank.h"

#include <math.h>

struct look {
    size_t pairs;
    double alpha;
};
/* The alphas add up to 0.05 (union bound), so the interval holds whichever look ends the experiment. */
static const struct look looks[LOOK_COUNT] = {
    {PAIRS_FIRST_LOOK, 0.008}, {12, 0.008}, {18, 0.010}, {27, 0.012}, {PAIRS_MAX, 0.012},
};
#define ORDER_EFFECT_ALPHA 0.01
#define PAIRS_NEEDED_MAX 1e9

size_t pairs_at_look(size_t look)
{
    return looks[look < LOOK_COUNT ? look : LOOK_COUNT - 1].pairs;
}

static const struct look *last_look_reached(size_t count)
{
    const struct look *reached = NULL;
    for (size_t i = 0; i < LOOK_COUNT && looks[i].pairs <= count; i++)
        reached = &looks[i];
    return reached;
}

static bool is_duration(double seconds)
{
    return isfinite(seconds) && seconds > 0;
}

static bool all_durations(const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_duration(pairs[i].a_s) || !is_duration(pairs[i].b_s))
            return false;
    }
    return true;
}

/** NULL when memory is out. */
static double *gains_of(const struct pair *pairs, size_t count, struct arena *arena)
{
    double *gains = ARENA_ARRAY(arena, double, count);
    for (size_t i = 0; gains && i < count; i++)
        gains[i] = log(pairs[i].a_s) - log(pairs[i].b_s);
    return gains;
}

/** What B saves over all runs. */
static double saved_in_all(const struct pair *pairs, size_t count)
{
    double saved_s = 0;
    for (size_t i = 0; i < count; i++)
        saved_s += pairs[i].a_s - pairs[i].b_s;
    return saved_s;
}

/** The effect is taken out first, or a large one together with unlucky coins would look like an order effect. */
static enum err find_order_effect(bool *out, const struct pair *pairs, const double *gains, double centre, size_t count,
                                  struct arena *arena, struct diag *diag)
{
    double *second_slower = ARENA_ARRAY(arena, double, count), p;
    if (!second_slower)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < count; i++)
        second_slower[i] = pairs[i].b_first ? gains[i] - centre : centre - gains[i];
    TRY(signed_rank_p(&p, second_slower, count, arena, diag));
    *out = p < ORDER_EFFECT_ALPHA;
    return ERR_OK;
}

/** The totals must point the same way as the interval: otherwise few slow runs decide, and the p99 is the story. */
static enum verdict judge(const struct interval *gain, double saved_s, double delta)
{
    double margin = log1p(delta);
    if (gain->low > 0)
        return saved_s > 0 ? VERDICT_FASTER : VERDICT_CANNOT_TELL;
    if (gain->high < 0)
        return saved_s < 0 ? VERDICT_SLOWER : VERDICT_CANNOT_TELL;
    return gain->low >= -margin && gain->high <= margin ? VERDICT_SAME : VERDICT_CANNOT_TELL;
}

static size_t round_up_to_look(size_t count)
{
    for (size_t i = 0; i < LOOK_COUNT; i++) {
        if (looks[i].pairs >= count)
            return looks[i].pairs;
    }
    return count;
}

/** The interval shrinks with the square root of the pairs; it should be no wider than +-delta. */
static size_t estimate_pairs_needed(size_t count, double half_width, double delta)
{
    double widths = half_width / log1p(delta), needed = ceil((double)count * widths * widths);
    if (!(needed <= PAIRS_NEEDED_MAX))
        return (size_t)PAIRS_NEEDED_MAX;
    return round_up_to_look(needed > (double)count ? (size_t)needed : count + 1);
}

static struct interval ratio_interval(const struct interval *gain)
{
    return (struct interval){.low = exp(gain->low), .mid = exp(gain->mid), .high = exp(gain->high)};
}

static enum err compare_preliminary(struct comparison *out, const struct pair *pairs, size_t count, struct arena *arena,
                                    struct diag *diag)
{
    out->verdict = VERDICT_PRELIMINARY;
    out->pairs_needed = PAIRS_FIRST_LOOK;
    if (count == 0)
        return ERR_OK;
    struct interval gain;
    const double *gains = gains_of(pairs, count, arena);
    if (!gains)
        return arena_exhausted(arena, diag);
    TRY(signed_rank_interval(&gain, gains, count, 0, arena, diag));
    out->effect = ratio_interval(&gain);
    return ERR_OK;
}

static enum err compare_at_look(struct comparison *out, const struct pair *pairs, const struct look *look, double delta,
                                struct arena *arena, struct diag *diag)
{
    struct interval gain;
    const double *gains = gains_of(pairs, look->pairs, arena);
    if (!gains)
        return arena_exhausted(arena, diag);
    TRY(signed_rank_interval(&gain, gains, look->pairs, look->alpha, arena, diag));
    TRY(find_order_effect(&out->order_effect, pairs, gains, gain.mid, look->pairs, arena, diag));
    double half_width = (gain.high - gain.low) / 2;
    out->effect = ratio_interval(&gain);
    out->pairs = look->pairs;
    out->alpha = look->alpha;
    out->visible_ratio = exp(half_width);
    out->verdict = judge(&gain, saved_in_all(pairs, look->pairs), delta);
    out->decided = out->verdict != VERDICT_CANNOT_TELL || look->pairs == PAIRS_MAX;
    if (out->verdict == VERDICT_CANNOT_TELL)
        out->pairs_needed = estimate_pairs_needed(look->pairs, half_width, delta);
    return ERR_OK;
}

enum err pairs_compare(struct comparison *out, const struct pair *pairs, size_t count, double delta,
                       struct arena *arena, struct diag *diag)
{
    *out = (struct comparison){.effect = {NAN, NAN, NAN}, .pairs = count, .visible_ratio = NAN};
    if (!all_durations(pairs, count)) {
        out->verdict = VERDICT_INVALID;
        out->decided = true;
        return ERR_OK;
    }
    const struct look *look = last_look_reached(count);
    return look ? compare_at_look(out, pairs, look, delta, arena, diag)
                : compare_preliminary(out, pairs, count, arena, diag);
}

enum err pairs_p_value(double *out, const struct pair *pairs, size_t count, struct arena *arena, struct diag *diag)
{
    *out = 1;
    if (!all_durations(pairs, count))
        return ERR_OK;
    const double *gains = gains_of(pairs, count, arena);
    return gains ? signed_rank_p(out, gains, count, arena, diag) : arena_exhausted(arena, diag);
}
