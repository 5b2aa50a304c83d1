/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulator against closed forms, against a recurrence for lines of queues, and against what must hold for any
 * plan.
 */
#include "whatif/simulate.h"

#include "base/random.h"
#include "whatif/whatif_fixture.h"

#define EXACT 1e-9

enum { ITEMS_MAX = 64, STAGES_MAX = 4 };

static const struct conditions alone = {.in_order = true};

struct world {
    struct plan plan;
    size_t crew[STAGES_MAX];
    unsigned workers[STAGES_MAX];
    double divisor[STAGES_MAX];
    struct service services[ITEMS_MAX * STAGES_MAX];
    double critical_s[STAGES_MAX];
    size_t items;
};

/** `crews` and `workers` have a digit a stage; each item waits `waiting_s[stage]`. The queues hold 2. */
static struct world make_world(size_t items, const char *crews, const char *workers, const double *waiting_s)
{
    struct world world = {.items = items, .plan = {.stage_count = strlen(crews), .queue_items = 2}};
    for (size_t stage = 0; stage < world.plan.stage_count; stage++) {
        world.crew[stage] = (size_t)(crews[stage] - '0');
        world.workers[stage] = 1;
        world.divisor[stage] = 1;
        for (size_t item = 0; item < items; item++)
            world.services[item * world.plan.stage_count + stage] =
                (struct service){.waiting_s = waiting_s[stage], .crowd = 1};
    }
    for (size_t stage = 0; stage < world.plan.stage_count; stage++)
        world.workers[world.crew[stage]] = (unsigned)(workers[stage] - '0');
    return world;
}

static double play(void **state, struct world *world, const struct conditions *conditions)
{
    struct simulator *simulator;
    world->plan.crew = world->crew;
    world->plan.workers = world->workers;
    world->plan.divisor = world->divisor;
    memset(world->critical_s, 0, sizeof world->critical_s);
    assert_int_equal(simulator_new(&simulator, world->plan.stage_count, world->items, *state, NULL), ERR_OK);
    return simulate(simulator, &world->plan, world->services, world->items, conditions, world->critical_s);
}

static double sum(const double *values, size_t count)
{
    double total = 0;
    for (size_t i = 0; i < count; i++)
        total += values[i];
    return total;
}

static void a_serial_chain_takes_the_sum(void **state)
{
    struct world world = make_world(5, "000", "111", (const double[]){3, 2, 0.5});
    assert_near(play(state, &world, &alone), 5 * 5.5, EXACT);
    assert_near(world.critical_s[0], 15, EXACT);
    assert_near(world.critical_s[1], 10, EXACT);
    assert_near(world.critical_s[2], 2.5, EXACT);
}

static void equal_items_go_in_waves(void **state)
{
    for (size_t items = 1; items <= 12; items++) {
        for (unsigned workers = 1; workers <= 5; workers++) {
            char digits[] = {(char)('0' + workers), '1', '\0'};
            struct world world = make_world(items, "01", digits, (const double[]){2, 0});
            double waves = ceil((double)items / workers);
            assert_near(play(state, &world, &alone), 2 * waves, EXACT);
            assert_near(world.critical_s[0], 2 * waves, EXACT);
        }
    }
}

static void overlapped_equal_stages_fill_and_drain(void **state)
{
    for (size_t items = 1; items <= 10; items++) {
        struct world two = make_world(items, "01", "11", (const double[]){1, 1});
        struct world three = make_world(items, "012", "111", (const double[]){1, 1, 1});
        assert_near(play(state, &two, &alone), (double)items + 1, EXACT);
        assert_near(play(state, &three, &alone), (double)items + 2, EXACT);
    }
}

static void the_slowest_stage_is_the_critical_one(void **state)
{
    struct world world = make_world(10, "012", "111", (const double[]){1, 5, 2});
    assert_near(play(state, &world, &alone), 1 + 10 * 5 + 2, EXACT);
    assert_near(world.critical_s[0], 1, EXACT);
    assert_near(world.critical_s[1], 50, EXACT);
    assert_near(world.critical_s[2], 2, EXACT);
}

static void a_full_queue_holds_the_worker_before_it(void **state)
{
    /* Stage 0 is fast but for its last item, which cannot begin before item 2 left the queue of 2: at 1 + 10. */
    struct world world = make_world(5, "01", "11", (const double[]){1, 10});
    world.services[4 * 2].waiting_s = 100;
    assert_near(play(state, &world, &alone), 1 + 10 + 100 + 10, EXACT);
    world.plan.queue_items = 3; /* one more place: it begins at 4 */
    assert_near(play(state, &world, &alone), 4 + 100 + 10, EXACT);
}

static void order_costs_what_a_slow_first_item_holds_up(void **state)
{
    /* Item 0 takes 10 s beside items of 1 s, and the rest takes 2 s an item. */
    struct world world = make_world(4, "01", "21", (const double[]){1, 2});
    world.services[0].waiting_s = 10;
    assert_near(play(state, &world, &alone), 10 + 4 * 2, EXACT);
    assert_near(play(state, &world, &(struct conditions){.in_order = false}), 10 + 2, EXACT);
}

static void a_shared_worker_drains_before_it_feeds(void **state)
{
    /* Worker 0 does stages 0 and 2: begins item 0, then item 1 while 1 works, then finishes item 0, ... */
    struct world world = make_world(2, "010", "111", (const double[]){1, 1, 1});
    assert_near(play(state, &world, &alone), 4, EXACT);
    struct world serial = make_world(2, "000", "111", (const double[]){1, 1, 1});
    assert_near(play(state, &serial, &alone), 6, EXACT);
}

static void a_shared_link_gains_nothing(void **state)
{
    for (unsigned workers = 1; workers <= 8; workers++) {
        char digits[] = {(char)('0' + workers), '1', '\0'};
        struct world world = make_world(7, "01", digits, (const double[]){3, 0});
        assert_near(play(state, &world, &(struct conditions){.sharing = 1, .in_order = true}), 21, EXACT);
    }
    struct world half = make_world(2, "01", "21", (const double[]){3, 0});
    assert_near(play(state, &half, &(struct conditions){.sharing = 0.5, .in_order = true}), 4.5, EXACT);
}

static void what_was_measured_in_a_crowd_is_cheaper_alone(void **state)
{
    struct world world = make_world(3, "0", "1", (const double[]){6});
    for (size_t i = 0; i < 3; i++)
        world.services[i].crowd = 3;
    assert_near(play(state, &world, &(struct conditions){.sharing = 0.5}), 3 * 3, EXACT);
    world.workers[0] = 3;
    assert_near(play(state, &world, &(struct conditions){.sharing = 0.5}), 6, EXACT); /* as measured */
    assert_near(play(state, &world, &(struct conditions){.sharing = 0}), 6, EXACT);
}

static void runners_share_the_cores(void **state)
{
    struct world world = make_world(4, "0", "4", (const double[]){0});
    for (size_t i = 0; i < 4; i++)
        world.services[i].running_s = 1;
    assert_near(play(state, &world, &(struct conditions){.cores = 2}), 2, EXACT);
    assert_near(play(state, &world, &(struct conditions){.cores = 8}), 1, EXACT);
    assert_near(play(state, &world, &(struct conditions){.cores = 0}), 1, EXACT);
    for (size_t i = 0; i < 4; i++)
        world.services[i].waiting_s = 1;
    assert_near(play(state, &world, &(struct conditions){.cores = 1}), 1 + 4, EXACT); /* waiting needs no core */
}

static void time_of_unknown_kind_may_run(void **state)
{
    struct world world = make_world(4, "0", "4", (const double[]){1});
    for (size_t i = 0; i < 4; i++)
        world.services[i].cpu_unknown = true;
    assert_near(play(state, &world, &(struct conditions){.cores = 2}), 1, EXACT);
    assert_near(play(state, &world, &(struct conditions){.cores = 2, .unknown_runs = true}), 2, EXACT);
}

static void a_divisor_speeds_up_and_infinity_removes(void **state)
{
    struct world world = make_world(3, "00", "11", (const double[]){4, 1});
    world.services[0].running_s = 2;
    world.divisor[0] = 2;
    assert_near(play(state, &world, &alone), 3 * (2 + 1) + 1, EXACT);
    world.divisor[0] = INFINITY;
    assert_near(play(state, &world, &alone), 3, EXACT);
    assert_near(world.critical_s[0], 0, EXACT);
    world.divisor[0] = 1e-320; /* endless, but not for us */
    assert_true(isinf(play(state, &world, &alone)));
}

static void randomise(struct world *world, struct rng *rng)
{
    for (size_t i = 0; i < world->items * world->plan.stage_count; i++)
        world->services[i] =
            (struct service){.waiting_s = rng_uniform(rng), .running_s = 0.5 * rng_uniform(rng), .crowd = 1};
}

static double whole(const struct service *service)
{
    return service->waiting_s + service->running_s;
}

/** A line of single workers: an item begins when its worker is free, it came, and there is room behind (a blocked
 *  worker's next begin waits for the item that makes room). */
static double line_time(const struct world *world)
{
    double begin_s[STAGES_MAX][ITEMS_MAX], end_s[STAGES_MAX][ITEMS_MAX];
    size_t stages = world->plan.stage_count, room = world->plan.queue_items;
    for (size_t item = 0; item < world->items; item++) {
        for (size_t stage = 0; stage < stages; stage++) {
            double at_s = stage > 0 ? end_s[stage - 1][item] : 0;
            if (item > 0)
                at_s = fmax(at_s, end_s[stage][item - 1]);
            if (stage + 1 < stages && item > room)
                at_s = fmax(at_s, begin_s[stage + 1][item - room - 1]);
            begin_s[stage][item] = at_s;
            end_s[stage][item] = at_s + whole(&world->services[item * stages + stage]);
        }
    }
    return end_s[stages - 1][world->items - 1];
}

static void a_line_of_queues_follows_its_recurrence(void **state)
{
    struct rng rng;
    rng_init(&rng, 7);
    for (int round = 0; round < 200; round++) {
        struct world world = make_world(1 + rng_below(&rng, 20), "0123", "1111", (const double[]){0, 0, 0, 0});
        world.plan.queue_items = 1 + (unsigned)rng_below(&rng, 3);
        randomise(&world, &rng);
        assert_near(play(state, &world, &alone), line_time(&world), EXACT);
    }
}

/** Whatever the plan: no stage is faster than its work over its workers, and nothing is slower than one by one. */
static void any_plan_keeps_the_bounds(void **state)
{
    static const char *const crews[] = {"000", "011", "012", "010", "001"};
    struct rng rng;
    rng_init(&rng, 11);
    for (int round = 0; round < 500; round++) {
        struct world world =
            make_world(1 + rng_below(&rng, 20), crews[rng_below(&rng, 5)], "111", (const double[]){0, 0, 0});
        for (size_t i = 0; i < 3; i++)
            world.workers[i] = 1 + (unsigned)rng_below(&rng, 4);
        randomise(&world, &rng);
        struct conditions conditions = {.sharing = rng_uniform(&rng), .in_order = rng_coin(&rng), .cores = 2};
        double time_s = play(state, &world, &conditions), work_s = 0, running_s = 0;
        double stage_s[3] = {0};
        for (size_t i = 0; i < world.items * 3; i++) {
            stage_s[i % 3] += whole(&world.services[i]);
            running_s += world.services[i].running_s;
            work_s += whole(&world.services[i]);
        }
        for (size_t i = 0; i < 3; i++)
            assert_true(time_s > stage_s[i] / world.workers[world.crew[i]] - EXACT);
        assert_true(time_s > running_s / 2 - EXACT);
        assert_true(time_s < work_s + EXACT);
        assert_near(sum(world.critical_s, 3), time_s, EXACT);
    }
}

static void more_workers_never_take_longer(void **state)
{
    struct rng rng;
    rng_init(&rng, 13);
    for (int round = 0; round < 100; round++) {
        struct world world = make_world(20, "011", "111", (const double[]){0, 0, 0});
        randomise(&world, &rng);
        double before_s = INFINITY;
        for (unsigned workers = 1; workers <= 8; workers++) {
            world.workers[0] = workers;
            double time_s = play(state, &world, &alone);
            assert_true(time_s <= before_s + EXACT);
            before_s = time_s;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_serial_chain_takes_the_sum),
        cmocka_unit_test(equal_items_go_in_waves),
        cmocka_unit_test(overlapped_equal_stages_fill_and_drain),
        cmocka_unit_test(the_slowest_stage_is_the_critical_one),
        cmocka_unit_test(a_full_queue_holds_the_worker_before_it),
        cmocka_unit_test(order_costs_what_a_slow_first_item_holds_up),
        cmocka_unit_test(a_shared_worker_drains_before_it_feeds),
        cmocka_unit_test(a_shared_link_gains_nothing),
        cmocka_unit_test(what_was_measured_in_a_crowd_is_cheaper_alone),
        cmocka_unit_test(runners_share_the_cores),
        cmocka_unit_test(time_of_unknown_kind_may_run),
        cmocka_unit_test(a_divisor_speeds_up_and_infinity_removes),
        cmocka_unit_test(a_line_of_queues_follows_its_recurrence),
        cmocka_unit_test(any_plan_keeps_the_bounds),
        cmocka_unit_test(more_workers_never_take_longer),
    };
    return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
