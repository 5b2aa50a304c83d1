/* SPDX-License-Identifier: Apache-2.0
 *
 * From traces to promises: what each change is worth in pipelines whose answer is known, and when there is none.
 */
#include "whatif/whatif.h"

#include "whatif/whatif_fixture.h"

#define EXACT 1e-6

enum { STAGES = 4, RUNS = 3, DOWNLOAD = 0, EXTRACT, PARSE, INGEST };

struct lab {
    struct trace *runs[RUNS];
    struct profile *profile;
    struct whatif_options options;
};

/** Three runs of `items` items through `service_s`, one after the other on one thread; each run is `sway` slower than
 *  the one before, and idles `gap_s[run]` seconds before its last item. */
static struct lab serial_lab(void **state, size_t items, const double *service_s, double sway, const double *gap_s)
{
    struct lab lab = {.profile = fixture_profile(*state, STAGES), .options = {.simulations = 50, .cores = 2}};
    for (size_t run = 0; run < RUNS; run++) {
        double now_s = 0;
        lab.runs[run] = fixture_trace(*state, STAGES);
        for (size_t item = 0; item < items; item++) {
            now_s += gap_s && item + 1 == items ? gap_s[run] : 0;
            for (size_t stage = 0; stage < STAGES; stage++) {
                double length_s = service_s[stage] * (1 + sway * (double)run);
                fixture_span(lab.runs[run], stage, item, 0, now_s, now_s + length_s, 0);
                now_s += length_s;
            }
        }
    }
    return lab;
}

/** A line of one thread a stage, with room for everything between them. */
static struct lab overlapped_lab(void **state, size_t items, const double *service_s)
{
    struct lab lab = {.profile = fixture_profile(*state, STAGES), .options = {.simulations = 50, .cores = 2}};
    for (size_t run = 0; run < RUNS; run++) {
        double free_s[STAGES] = {0};
        lab.runs[run] = fixture_trace(*state, STAGES);
        for (size_t item = 0; item < items; item++) {
            double came_s = 0;
            for (uint32_t stage = 0; stage < STAGES; stage++) {
                double start_s = fmax(came_s, free_s[stage]);
                came_s = free_s[stage] = start_s + service_s[stage];
                fixture_span(lab.runs[run], stage, item, stage, start_s, came_s, 0);
            }
        }
    }
    return lab;
}

static struct prediction predict(void **state, const struct lab *lab, struct change change)
{
    struct prediction out;
    struct rng rng;
    rng_init(&rng, 1);
    assert_int_equal(whatif_predict(&out, (const struct trace *const *)lab->runs, RUNS, lab->profile, &change,
                                    &lab->options, &rng, *state, NULL),
                     ERR_OK);
    return out;
}

static void assert_effect(const struct prediction *prediction, double expected)
{
    assert_true(prediction->may_predict);
    assert_null(prediction->why_not);
    assert_near(prediction->effect.mid, expected, EXACT * expected);
    assert_near(prediction->effect.low, expected, EXACT * expected);
    assert_near(prediction->effect.high, expected, EXACT * expected);
}

/** A flow that is not there yet: some of the gain may be lost to what the simulation leaves out. */
static void assert_new_flow(const struct prediction *prediction, double expected)
{
    assert_true(prediction->may_predict);
    assert_near(prediction->effect.mid, expected, EXACT * expected);
    assert_near(prediction->effect.low, pow(expected, 0.9) / exp(0.01), EXACT * expected);
    assert_near(prediction->effect.high, expected * exp(0.01), EXACT * expected);
}

/* The story: one month takes 857 ms to fetch and 93 ms for the rest. */
static const double klines_s[STAGES] = {0.857, 0.013, 0.04, 0.04};

static void a_faster_stage_follows_amdahl(void **state)
{
    struct lab lab = serial_lab(state, 6, klines_s, 0, NULL);
    struct prediction twice = predict(state, &lab, (struct change){.stage = DOWNLOAD, .speedup = 2});
    struct prediction gone = predict(state, &lab, (struct change){.stage = INGEST, .speedup = INFINITY});
    assert_effect(&twice, 0.95 / (0.95 - 0.857 / 2));
    assert_effect(&gone, 0.95 / 0.91);
    assert_int_equal(gone.next_bottleneck, DOWNLOAD);
    struct prediction half = predict(state, &lab, (struct change){.stage = INGEST, .speedup = 0.5});
    assert_effect(&half, 0.95 / 0.99);
    struct prediction none = predict(state, &lab, (struct change){.stage = INGEST});
    assert_effect(&none, 1);
}

static void time_outside_stays(void **state)
{
    struct lab lab = serial_lab(state, 6, klines_s, 0, (const double[]){1.2, 1.2, 1.2});
    struct prediction gone = predict(state, &lab, (struct change){.stage = DOWNLOAD, .speedup = INFINITY});
    assert_effect(&gone, (6 * 0.95 + 1.2) / (6 * 0.093 + 1.2));
}

static void concurrency_holds_for_so_many_files(void **state)
{
    /* 10 files, 5 at a time: 2 waves of 0.857, then the last five's rest, 0.093 each, behind the last wave.
     * 40 files: 8 waves. The gain grows with the files because the last wave drains once. */
    struct lab ten = serial_lab(state, 10, klines_s, 0, NULL), forty = serial_lab(state, 40, klines_s, 0, NULL);
    const struct change change = {.stage = DOWNLOAD, .workers = 5};
    struct prediction of_ten = predict(state, &ten, change), of_forty = predict(state, &forty, change);
    assert_new_flow(&of_ten, 10 * 0.95 / (2 * 0.857 + 5 * 0.093));
    assert_new_flow(&of_forty, 40 * 0.95 / (8 * 0.857 + 5 * 0.093));
    assert_int_equal(of_ten.next_bottleneck, DOWNLOAD);
    struct prediction all = predict(state, &forty, (struct change){.stage = DOWNLOAD, .workers = 40});
    assert_new_flow(&all, 40 * 0.95 / (0.857 + 40 * 0.093));
    assert_int_not_equal(all.next_bottleneck, DOWNLOAD);
}

static void unknown_sharing_promises_nothing(void **state)
{
    struct lab lab = serial_lab(state, 10, klines_s, 0, NULL);
    const struct change change = {.stage = DOWNLOAD, .workers = 10};
    lab.options.sharing = (struct interval){0, 0.2, 1};
    struct prediction unknown = predict(state, &lab, change);
    assert_true(unknown.effect.low <= 1);
    assert_near(unknown.effect.high, 10 * 0.95 / (0.857 + 10 * 0.093) * exp(0.01), 0.1);
    assert_true(unknown.effect.mid > 2 && unknown.effect.mid < unknown.effect.high);
    lab.options.sharing = (struct interval){NAN, NAN, NAN};
    struct prediction not_given = predict(state, &lab, change);
    assert_true(not_given.effect.low <= 1);
    assert_near(not_given.effect.high, unknown.effect.high, EXACT);
    struct prediction faster = predict(state, &lab, (struct change){.stage = DOWNLOAD, .speedup = 2});
    assert_effect(&faster, 0.95 / (0.95 - 0.857 / 2)); /* has nobody to share with */
}

static void one_shared_link_gives_only_the_overlap(void **state)
{
    const double download_only_s[STAGES] = {1, 0, 0, 0};
    struct lab lab = serial_lab(state, 8, download_only_s, 0, NULL);
    lab.options.sharing = (struct interval){1, 1, 1};
    struct prediction prediction = predict(state, &lab, (struct change){.stage = DOWNLOAD, .workers = 4});
    assert_new_flow(&prediction, 1);
}

static void overlap_of_equal_stages_fills_and_drains(void **state)
{
    const double two_equal_s[STAGES] = {1, 1, 0, 0};
    struct lab lab = serial_lab(state, 10, two_equal_s, 0, NULL);
    struct prediction prediction = predict(state, &lab, (struct change){.overlap = true});
    assert_new_flow(&prediction, 2.0 * 10 / (10 + 1));
}

static void what_hides_behind_another_stage_is_no_bottleneck(void **state)
{
    struct lab lab = overlapped_lab(state, 20, klines_s);
    struct prediction hidden = predict(state, &lab, (struct change){.stage = INGEST, .speedup = INFINITY});
    assert_true(hidden.may_predict);
    assert_near(hidden.effect.mid, 1, 0.005);
    struct prediction slow = predict(state, &lab, (struct change){.stage = DOWNLOAD, .speedup = INFINITY});
    assert_true(slow.effect.low > 10);
    assert_int_equal(slow.next_bottleneck, PARSE);
}

static void a_pool_is_recognised(void **state)
{
    /* Four downloaders feed one worker, and share half of what they wait for: 1 s alone is 2.5 s among four. */
    struct lab lab = {.profile = fixture_profile(*state, STAGES), .options = {.simulations = 50}};
    lab.options.sharing = (struct interval){0.5, 0.5, 0.5};
    for (size_t run = 0; run < RUNS; run++) {
        lab.runs[run] = fixture_trace(*state, STAGES);
        for (uint32_t item = 0; item < 16; item++) {
            double wave_s = 2.5 * (double)(item / 4);
            fixture_span(lab.runs[run], DOWNLOAD, item, 1 + item % 4, wave_s, wave_s + 2.5, 0);
            fixture_span(lab.runs[run], EXTRACT, item, 0, wave_s + 2.5 + 0.01 * (item % 4),
                         wave_s + 2.51 + 0.01 * (item % 4), 0);
        }
    }
    /* Not exact: the queue of 2 lets the fourth of a wave begin a moment after the others. */
    struct prediction alone = predict(state, &lab, (struct change){.stage = DOWNLOAD, .workers = 1});
    assert_near(alone.effect.mid, 10.04 / (16 * 1 + 0.01), 0.001);
    struct prediction eight = predict(state, &lab, (struct change){.stage = DOWNLOAD, .workers = 8});
    assert_near(eight.effect.mid, 10.04 / (2 * 4.5 + 8 * 0.01), 0.01);
    lab.options.sharing = (struct interval){0, 0.5, 1};
    struct prediction twice = predict(state, &lab, (struct change){.stage = DOWNLOAD, .speedup = 2});
    assert_true(twice.effect.low > 1.5); /* no worker more: it does not rest on sharing */
}

static void runs_slower_as_a_whole_leave_the_ratio_alone(void **state)
{
    struct lab lab = serial_lab(state, 6, klines_s, 0.3, NULL);
    struct prediction prediction = predict(state, &lab, (struct change){.stage = DOWNLOAD, .speedup = 2});
    assert_effect(&prediction, 0.95 / (0.95 - 0.857 / 2));
}

/** Four items, the first of 10 s and the others of 1 s, with 2 s of the rest each: in all runs, and so by nature or by
 *  chance. */
static struct lab slow_first_lab(void **state)
{
    struct lab lab = {.profile = fixture_profile(*state, STAGES), .options = {.simulations = 400}};
    for (size_t run = 0; run < RUNS; run++) {
        double now_s = 0;
        lab.runs[run] = fixture_trace(*state, STAGES);
        for (size_t item = 0; item < 4; item++) {
            double length_s = item == 0 ? 10 : 1;
            fixture_span(lab.runs[run], DOWNLOAD, item, 0, now_s, now_s + length_s, 0);
            fixture_span(lab.runs[run], EXTRACT, item, 0, now_s + length_s, now_s + length_s + 2, 0);
            now_s += length_s + 2;
        }
    }
    return lab;
}

static void items_are_slow_by_nature_or_by_chance(void **state)
{
    struct lab lab = slow_first_lab(state);
    struct prediction prediction = predict(state, &lab, (struct change){.stage = DOWNLOAD, .speedup = INFINITY});
    assert_near(prediction.effect.mid, 21.0 / 8, EXACT); /* half of the worlds keep it first */
    assert_true(prediction.effect.low < 2.3);            /* few slow ones drawn */
    assert_true(prediction.effect.high > 2.7);           /* many */
}

static void queues_may_keep_the_order_or_not(void **state)
{
    struct lab lab = slow_first_lab(state);
    lab.options.coverage = 0.01; /* next to the median: only the scenarios differ */
    struct prediction prediction = predict(state, &lab, (struct change){.stage = DOWNLOAD, .workers = 2});
    assert_true(prediction.effect.mid < 1.4);
    assert_near(prediction.effect.high, 21.0 / (10 + 2) * exp(0.01), 0.01);
}

static void what_the_model_misses_widens_the_interval(void **state)
{
    struct lab lab = serial_lab(state, 6, klines_s, 0, (const double[]){0, 0.3, 0.9});
    struct prediction prediction = predict(state, &lab, (struct change){.stage = INGEST, .speedup = INFINITY});
    double effect = (5.7 + 0.3) / (5.7 - 0.24 + 0.3), most = 6 / 5.7, least = 6 / 6.6;
    assert_true(prediction.may_predict);
    assert_near(prediction.baseline_error.low, least, EXACT);
    assert_near(prediction.baseline_error.mid, 1, EXACT);
    assert_near(prediction.baseline_error.high, most, EXACT);
    assert_near(prediction.effect.mid, effect, EXACT);
    assert_near(prediction.effect.low, effect * least, EXACT); /* 10 % off is worse than 5 % */
    assert_near(prediction.effect.high, effect / least, EXACT);
}

static void unmeasured_cpu_time_may_be_running(void **state)
{
    struct lab lab = serial_lab(state, 8, klines_s, 0, NULL);
    const struct change change = {.stage = DOWNLOAD, .workers = 8};
    struct prediction waits = predict(state, &lab, change);
    for (size_t run = 0; run < RUNS; run++) {
        for (size_t i = 0; i < lab.runs[run]->span_count; i++)
            lab.runs[run]->spans[i].cpu_ns = TRACE_CPU_UNKNOWN;
    }
    struct prediction unknown = predict(state, &lab, change);
    assert_near(unknown.effect.mid, waits.effect.mid, EXACT);
    assert_near(unknown.effect.high, waits.effect.high, EXACT);
    assert_true(unknown.effect.low < 2.1); /* two cores */
    lab.options.cores = 0;
    unknown = predict(state, &lab, change);
    assert_near(unknown.effect.low, waits.effect.low, EXACT);
}

static void more_workers_are_never_worth_less(void **state)
{
    struct lab lab = serial_lab(state, 23, klines_s, 0.02, NULL);
    double before = 0;
    for (unsigned workers = 1; workers <= 24; workers++) {
        struct prediction prediction = predict(state, &lab, (struct change){.stage = DOWNLOAD, .workers = workers});
        assert_true(prediction.effect.mid >= before - EXACT);
        before = prediction.effect.mid;
    }
    assert_true(before > 4);
}

static void many_items_are_played_in_part(void **state)
{
    struct lab lab = serial_lab(state, 1000, klines_s, 0, (const double[]){95, 95, 95});
    struct prediction prediction = predict(state, &lab, (struct change){.stage = DOWNLOAD, .speedup = INFINITY});
    assert_effect(&prediction, (950.0 + 95) / (93.0 + 95));
}

static void runs_of_unequal_length_are_drawn_as_far_as_they_go(void **state)
{
    struct lab lab = serial_lab(state, 6, klines_s, 0, NULL), longer = serial_lab(state, 9, klines_s, 0, NULL);
    lab.runs[1] = longer.runs[1];
    struct prediction prediction = predict(state, &lab, (struct change){.stage = DOWNLOAD, .speedup = 2});
    assert_effect(&prediction, 0.95 / (0.95 - 0.857 / 2));
}

static void the_same_seed_gives_the_same_bytes(void **state)
{
    struct lab lab = serial_lab(state, 6, klines_s, 0.05, (const double[]){0.1, 0.15, 0.12});
    struct prediction first, again;
    memset(&first, 0, sizeof first);
    memset(&again, 0, sizeof again);
    first = predict(state, &lab, (struct change){.stage = DOWNLOAD, .workers = 3});
    again = predict(state, &lab, (struct change){.stage = DOWNLOAD, .workers = 3});
    assert_true(first.may_predict);
    assert_memory_equal(&first.effect, &again.effect, sizeof first.effect);
    assert_memory_equal(&first.baseline_error, &again.baseline_error, sizeof first.baseline_error);
    assert_int_equal(first.next_bottleneck, again.next_bottleneck);
}

static void assert_refused(const struct prediction *prediction, const char *part)
{
    assert_false(prediction->may_predict);
    assert_non_null(prediction->why_not);
    if (!strstr(prediction->why_not, part))
        fail_msg("\"%s\" does not say \"%s\"", prediction->why_not, part);
    assert_true(isnan(prediction->effect.mid));
}

static void hidden_gaps_that_vary_forbid_it(void **state)
{
    struct lab lab = serial_lab(state, 6, klines_s, 0, (const double[]){0.1, 3, 1});
    struct prediction prediction = predict(state, &lab, (struct change){.stage = DOWNLOAD, .speedup = 2});
    assert_refused(&prediction, "no span explains");
    assert_true(prediction.baseline_error.low < 0.8 && prediction.baseline_error.high > 1.1);
}

static void a_flow_the_model_does_not_know_forbids_it(void **state)
{
    /* Four threads download at once, but one comes late for the last wave: 3.3 s where the model takes 3 s. */
    struct lab lab = serial_lab(state, 1, klines_s, 0, NULL);
    for (size_t run = 0; run < RUNS; run++) {
        lab.runs[run] = fixture_trace(*state, STAGES);
        for (uint32_t item = 0; item < 12; item++) {
            double start_s = item / 4 + (item == 11 ? 0.3 : 0);
            fixture_span(lab.runs[run], DOWNLOAD, item, item % 4, start_s, start_s + 1, 0);
        }
    }
    struct prediction prediction = predict(state, &lab, (struct change){.stage = DOWNLOAD, .workers = 8});
    assert_refused(&prediction, "does not take as long");
}

static void there_must_be_something_to_predict_from(void **state)
{
    struct lab lab = serial_lab(state, 2, klines_s, 0, NULL), empty = lab, instant = lab, foreign = lab;
    struct change change = {.stage = DOWNLOAD, .speedup = 2};
    for (size_t run = 0; run < RUNS; run++) {
        empty.runs[run] = fixture_trace(*state, STAGES);
        instant.runs[run] = fixture_trace(*state, STAGES);
        fixture_span(instant.runs[run], DOWNLOAD, 0, 0, 1, 1, 0);
    }
    struct prediction prediction = predict(state, &empty, change);
    assert_refused(&prediction, "no spans");
    prediction = predict(state, &instant, change);
    assert_refused(&prediction, "took any time");
    lab.profile->lost_spans = 1;
    prediction = predict(state, &foreign, change);
    assert_refused(&prediction, "lost");
    lab.profile->lost_spans = 0;
    prediction = predict(state, &lab, (struct change){.stage = STAGES});
    assert_refused(&prediction, "not in the traces");
    for (double speedup = -1; !isnan(speedup); speedup = NAN) {
        prediction = predict(state, &lab, (struct change){.stage = DOWNLOAD, .speedup = speedup});
        assert_refused(&prediction, "speedup");
    }
    instant.runs[1] = lab.runs[1]; /* one good run is enough */
    prediction = predict(state, &instant, change);
    assert_true(prediction.may_predict);
}

static void defaults_stand_in_for_zeros(void **state)
{
    struct lab lab = serial_lab(state, 6, klines_s, 0, NULL);
    lab.options = (struct whatif_options){0};
    struct prediction prediction = predict(state, &lab, (struct change){.stage = DOWNLOAD, .workers = 6});
    assert_new_flow(&prediction, 6 * 0.95 / (0.857 + 6 * 0.093));
}

static void the_bound_is_the_share_removed(void **state)
{
    struct profile *profile = fixture_profile(*state, STAGES);
    profile->stages[DOWNLOAD].share = (struct interval){0.89, 0.9, 0.91};
    profile->stages[INGEST].share = (struct interval){0.99, 1, 1.01};
    struct interval bound = whatif_bound(profile, DOWNLOAD);
    assert_near(bound.low, 1, EXACT);
    assert_near(bound.mid, 10, EXACT);
    assert_near(bound.high, 1 / 0.09, EXACT);
    bound = whatif_bound(profile, INGEST);
    assert_true(isinf(bound.mid) && isinf(bound.high));
    profile->stages[INGEST].share.mid = nextafter(1, 0);
    assert_true(isinf(whatif_bound(profile, INGEST).mid));
    bound = whatif_bound(profile, EXTRACT);
    assert_near(bound.high, 1, EXACT);
}

static struct lab memory_lab;

static enum err predict_once(struct arena *arena, struct diag *diag)
{
    struct prediction out;
    struct rng rng;
    rng_init(&rng, 1);
    return whatif_predict(&out, (const struct trace *const *)memory_lab.runs, RUNS, memory_lab.profile,
                          &(struct change){.stage = DOWNLOAD, .workers = 2}, &memory_lab.options, &rng, arena, diag);
}

static void no_memory_is_an_error(void **state)
{
    memory_lab = serial_lab(state, 3, klines_s, 0, NULL);
    memory_lab.options.simulations = 2;
    assert_survives_every_failed_allocation(predict_once);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_faster_stage_follows_amdahl),
        cmocka_unit_test(time_outside_stays),
        cmocka_unit_test(concurrency_holds_for_so_many_files),
        cmocka_unit_test(unknown_sharing_promises_nothing),
        cmocka_unit_test(one_shared_link_gives_only_the_overlap),
        cmocka_unit_test(overlap_of_equal_stages_fills_and_drains),
        cmocka_unit_test(what_hides_behind_another_stage_is_no_bottleneck),
        cmocka_unit_test(a_pool_is_recognised),
        cmocka_unit_test(runs_slower_as_a_whole_leave_the_ratio_alone),
        cmocka_unit_test(items_are_slow_by_nature_or_by_chance),
        cmocka_unit_test(queues_may_keep_the_order_or_not),
        cmocka_unit_test(what_the_model_misses_widens_the_interval),
        cmocka_unit_test(unmeasured_cpu_time_may_be_running),
        cmocka_unit_test(more_workers_are_never_worth_less),
        cmocka_unit_test(many_items_are_played_in_part),
        cmocka_unit_test(runs_of_unequal_length_are_drawn_as_far_as_they_go),
        cmocka_unit_test(the_same_seed_gives_the_same_bytes),
        cmocka_unit_test(hidden_gaps_that_vary_forbid_it),
        cmocka_unit_test(a_flow_the_model_does_not_know_forbids_it),
        cmocka_unit_test(there_must_be_something_to_predict_from),
        cmocka_unit_test(defaults_stand_in_for_zeros),
        cmocka_unit_test(the_bound_is_the_share_removed),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
