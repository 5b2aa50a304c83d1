/* SPDX-License-Identifier: Apache-2.0
 *
 * Is the comparison protocol right as often as it says? Simulated experiments of known truth under six kinds of noise:
 * false alarms, coverage of the intervals, wrong directions. Exit 1 when one is beyond its limit. --mutate breaks the
 * protocol on purpose (all of A before all of B; a look after every pair): then it has to be.
 */
#include "noise.h"

#include "stats/pairs.h"
#include "stats/signed_rank.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FALSE_ALARM_LIMIT 0.05
#define COVERAGE_LIMIT 0.95
#define WRONG_DIRECTION_LIMIT 0.001

enum { EXPERIMENTS_DEFAULT = 10000, ARENA_LIMIT_BYTES = 1 << 24 };
enum mutation { MUTATE_NOTHING, MUTATE_ORDER, MUTATE_LOOK };

struct options {
    unsigned long experiments;
    uint64_t seed;
    enum mutation mutation;
};

/** What became of the experiments of one noise and ratio. */
struct tally {
    unsigned long experiments, faster, slower, same, covered, order_effects;
    unsigned long pairs; /* in all */
};

static void run_in_pairs(struct pair *pairs, const struct noise *noise, double ratio, struct rng *rng)
{
    struct noise_state state = {0};
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        bool b_first = rng_coin(rng);
        double first = noise->next(&state, rng, 2 * i, false), second = noise->next(&state, rng, 2 * i + 1, true);
        pairs[i] = (struct pair){
            .a_s = b_first ? second : first, .b_s = ratio * (b_first ? first : second), .b_first = b_first};
    }
}

static void run_in_blocks(struct pair *pairs, const struct noise *noise, double ratio, struct rng *rng)
{
    struct noise_state state = {0};
    for (size_t i = 0; i < PAIRS_MAX; i++)
        pairs[i].a_s = noise->next(&state, rng, i, false);
    for (size_t i = 0; i < PAIRS_MAX; i++)
        pairs[i].b_s = ratio * noise->next(&state, rng, PAIRS_MAX + i, true);
}

static enum err compare_in_looks(struct comparison *out, const struct pair *pairs, struct arena *arena,
                                 struct diag *diag)
{
    for (size_t look = 0; look == 0 || !out->decided; look++)
        TRY(pairs_compare(out, pairs, pairs_at_look(look), PAIRS_DELTA_DEFAULT, arena, diag));
    return ERR_OK;
}

/** The mutant: each pair after the seventh is a look at the largest alpha there is. */
static enum err compare_at_every_pair(struct comparison *out, const struct pair *pairs, struct arena *arena,
                                      struct diag *diag)
{
    double gains[PAIRS_MAX];
    struct interval gain;
    *out = (struct comparison){.verdict = VERDICT_CANNOT_TELL};
    for (size_t i = 0; i < PAIRS_MAX && !out->decided; i++) {
        gains[i] = log(pairs[i].a_s / pairs[i].b_s);
        if (i + 1 < PAIRS_FIRST_LOOK)
            continue;
        TRY(signed_rank_interval(&gain, gains, i + 1, 0.012, arena, diag));
        out->decided = gain.low > 0 || gain.high < 0;
        out->verdict = gain.low > 0 ? VERDICT_FASTER : gain.high < 0 ? VERDICT_SLOWER : VERDICT_CANNOT_TELL;
        out->effect = (struct interval){exp(gain.low), exp(gain.mid), exp(gain.high)};
        out->pairs = i + 1;
    }
    return ERR_OK;
}

static void count(struct tally *tally, const struct comparison *comparison, double truth)
{
    tally->experiments++;
    tally->faster += comparison->verdict == VERDICT_FASTER;
    tally->slower += comparison->verdict == VERDICT_SLOWER;
    tally->same += comparison->verdict == VERDICT_SAME;
    tally->covered += comparison->effect.low <= truth && truth <= comparison->effect.high;
    tally->order_effects += comparison->order_effect;
    tally->pairs += comparison->pairs;
}

static enum err experiment(struct tally *tally, const struct noise *noise, double ratio, enum mutation mutation,
                           struct rng *rng, struct diag *diag)
{
    struct pair pairs[PAIRS_MAX] = {0};
    struct comparison comparison;
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, ARENA_LIMIT_BYTES);
    if (mutation == MUTATE_ORDER)
        run_in_blocks(pairs, noise, ratio, rng);
    else
        run_in_pairs(pairs, noise, ratio, rng);
    if (mutation == MUTATE_LOOK)
        TRY(compare_at_every_pair(&comparison, pairs, &arena, diag));
    else
        TRY(compare_in_looks(&comparison, pairs, &arena, diag));
    count(tally, &comparison, 1 / ratio);
    return ERR_OK;
}

static double share(unsigned long part, unsigned long whole)
{
    return (double)part / (double)whole;
}

/** Prints one line of the table; returns how many limits it breaks. */
static int judge(const struct noise *noise, double ratio, const struct tally *tally)
{
    double alarms = share(tally->faster + tally->slower, tally->experiments);
    double coverage = share(tally->covered, tally->experiments), wrong = share(tally->slower, tally->experiments);
    bool equal = ratio >= 1;
    bool too_many = equal && alarms > FALSE_ALARM_LIMIT, too_narrow = coverage < COVERAGE_LIMIT;
    bool backwards = !equal && wrong > WRONG_DIRECTION_LIMIT;
    printf("%-21s %5.2f  %6.2f %6.2f %6.2f  %7.2f  %6.1f  %6.2f%s%s%s\n", noise->name, ratio,
           100 * share(tally->faster, tally->experiments), 100 * wrong, 100 * share(tally->same, tally->experiments),
           100 * coverage, share(tally->pairs, tally->experiments),
           100 * share(tally->order_effects, tally->experiments), too_many ? "  FALSE ALARMS" : "",
           too_narrow ? "  COVERAGE" : "", backwards ? "  WRONG DIRECTION" : "");
    return too_many + too_narrow + backwards;
}

static enum err calibrate(int *broken, const struct options *options, struct diag *diag)
{
    static const double ratios[] = {1, 0.97, 0.95, 0.90};
    printf("%-21s %5s  %6s %6s %6s  %7s  %6s  %6s\n", "noise", "ratio", "faster", "slower", "same", "covered", "pairs",
           "order");
    for (size_t i = 0; i < NOISE_COUNT; i++) {
        for (size_t j = 0; j < sizeof ratios / sizeof ratios[0]; j++) {
            struct rng seeded, rng;
            struct tally tally = {0};
            rng_init(&seeded, options->seed + j);
            rng_fork(&rng, &seeded, noises[i].name);
            while (tally.experiments < options->experiments)
                TRY(experiment(&tally, &noises[i], ratios[j], options->mutation, &rng, diag));
            *broken += judge(&noises[i], ratios[j], &tally);
        }
    }
    return ERR_OK;
}

/** False for a command line that makes no sense. */
static bool read_options(struct options *out, int argc, char **argv)
{
    static const struct option known[] = {{"experiments", required_argument, NULL, 'e'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"mutate", required_argument, NULL, 'm'},
                                          {0}};
    *out = (struct options){.experiments = EXPERIMENTS_DEFAULT, .seed = 1};
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (option == 'e')
            out->experiments = strtoul(optarg, NULL, 10);
        else if (option == 's')
            out->seed = strtoull(optarg, NULL, 10);
        else if (option == 'm' && strcmp(optarg, "order") == 0)
            out->mutation = MUTATE_ORDER;
        else if (option == 'm' && strcmp(optarg, "look") == 0)
            out->mutation = MUTATE_LOOK;
        else
            return false;
    }
    return optind == argc && out->experiments > 0;
}

int main(int argc, char **argv)
{
    struct options options;
    struct diag diag = {0};
    int broken = 0;
    if (!read_options(&options, argc, argv)) {
        (void)fputs("usage: venturi-calibrate [--experiments N] [--seed N] [--mutate order|look]\n", stderr);
        return 2;
    }
    if (calibrate(&broken, &options, &diag) != ERR_OK) {
        (void)fprintf(stderr, "venturi-calibrate: %s\n", diag.what);
        return 1;
    }
    printf("%s: %d limits broken in %lu experiments a line\n", broken ? "failed" : "passed", broken,
           options.experiments);
    return broken > 0;
}
