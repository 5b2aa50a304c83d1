/* SPDX-License-Identifier: Apache-2.0
 * A machine that is fit, and one fault after the other. */
#include "lab/checks.h"

#include "base/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define GIB ((uint64_t)1 << 30)

static struct machine fit(void)
{
    return (struct machine){
        .cpu = "cpu",
        .kernel = "6.1",
        .clocksource = "tsc",
        .governor = "performance",
        .timing = {.readings = 1000, .cost_ns = 25, .fast_ratio = 1},
        .cores = 4,
        .cores_allowed = 4,
        .quota_cores = INFINITY,
        .during = {.ticks = {.total = 1000}},
        .memory_bytes = 16 * GIB,
        .available_bytes = 8 * GIB,
        .folder_free_bytes = 100 * GIB,
        .files_max = 4096,
        .processes_max = UINT64_MAX,
        .file_bytes_max = UINT64_MAX,
        .pid_namespaces = true,
    };
}

static const struct check *find(const struct checks *checks, const char *name)
{
    for (size_t i = 0; i < checks->count; i++)
        if (strcmp(checks->items[i].name, name) == 0)
            return &checks->items[i];
    fail_msg("no check '%s'", name);
    return NULL;
}

/* Exactly the named check is not ok, and says what to do. */
static void expect(const struct machine *machine, const char *name, enum check_level level, const char *part)
{
    struct checks checks = {0};
    checks_machine(&checks, machine);
    const struct check *check = find(&checks, name);
    if (check->level != level || !strstr(check->finding, part))
        fail_msg("%s is %s: %s", name, check_level_name(check->level), check->finding);
    assert_true(check->advice[0] != '\0');
    assert_int_equal(checks_worst(&checks), level);
    for (size_t i = 0; i < checks.count; i++)
        if (&checks.items[i] != check)
            assert_int_equal(checks.items[i].level, CHECK_OK);
}

static void a_fit_machine_has_nothing_to_say(void **state)
{
    (void)state;
    struct checks checks = {0};
    struct machine machine = fit();
    checks_machine(&checks, &machine);
    assert_int_equal(checks_worst(&checks), CHECK_OK);
    assert_true(checks.count >= 14);
    for (size_t i = 0; i < checks.count; i++)
        assert_string_equal(checks.items[i].advice, "");
    machine = (struct machine){.cores = 4, .cores_allowed = 4}; /* what is not visible is not blamed */
    machine.load = machine.others_ratio = machine.steal_ratio = NAN;
    checks = (struct checks){0};
    checks_machine(&checks, &machine);
    assert_int_equal(find(&checks, "load")->level, CHECK_OK);
    assert_int_equal(find(&checks, "steal")->level, CHECK_OK);
    assert_int_equal(find(&checks, "frequency")->level, CHECK_OK);
    assert_int_equal(find(&checks, "clocksource")->level, CHECK_OK);
}

static void each_fault_is_its_own_check(void **state)
{
    (void)state;
    struct machine hpet = fit();
#define FAULT(change, name, level, part)                                                                               \
    do {                                                                                                               \
        struct machine machine = fit();                                                                                \
        machine.change;                                                                                                \
        expect(&machine, name, level, part);                                                                           \
    } while (0)
    FAULT(timing.backwards = 1, "clock", CHECK_BAD, "went backwards");
    FAULT(timing.stuck = true, "clock", CHECK_BAD, "stands still");
    FAULT(timing.fast_ratio = 0.89, "clock", CHECK_WARN, "89 % under 1 us");
    FAULT(timing.cost_ns = 700, "clock", CHECK_WARN, "700 ns a reading");
    FAULT(load = 2.1, "load", CHECK_WARN, "load was 2.1 on 4 cores");
    FAULT(load = 9, "load", CHECK_WARN, "load was 9"); /* of the last minute, but idle now */
    FAULT(others_ratio = 0.2, "load", CHECK_WARN, "others used 20 %");
    FAULT(load = 9; machine.others_ratio = 0.9, "load", CHECK_BAD, "others used 90 %");
    FAULT(steal_ratio = 0.02; machine.during.ticks.steal = 20, "steal", CHECK_WARN, "2 %");
    FAULT(steal_ratio = 0.2; machine.during.ticks.steal = 200, "steal", CHECK_BAD, "20 %");
    FAULT(governor[0] = 'x', "frequency", CHECK_WARN, "governor xerformance");
    FAULT(hot_stops = 3, "throttling", CHECK_WARN, "3 times");
    FAULT(during.hot_stops = 3; machine.hot_stops = 3, "throttling", CHECK_BAD, "3 of them just now");
    FAULT(cores_allowed = 1, "cores", CHECK_WARN, "1 of 4 cores");
    FAULT(quota_cores = 1.5, "quota", CHECK_WARN, "1.5 cores");
    FAULT(quota_cores = 4; machine.during.quota_stops = 2, "quota", CHECK_WARN, "2 periods");
    FAULT(available_bytes = GIB / 4, "memory", CHECK_WARN, "0.25 of 16 GiB");
    FAULT(available_bytes = 1000, "memory", CHECK_BAD, "of 16 GiB");
    FAULT(swap_used_bytes = GIB, "swap", CHECK_WARN, "1 GiB in use, at rest");
    FAULT(during.swapped_pages = 1, "swap", CHECK_BAD, "pages are moving");
    FAULT(folder_free_bytes = GIB / 2, "disk", CHECK_WARN, "0.5 GiB free");
    FAULT(folder_free_bytes = 4096, "disk", CHECK_BAD, "GiB free");
    FAULT(files_max = 256, "files", CHECK_WARN, "256");
    FAULT(files_max = 20, "files", CHECK_BAD, "20");
    FAULT(processes_max = 100, "processes", CHECK_WARN, "100");
    FAULT(processes_max = 10, "processes", CHECK_BAD, "10");
    FAULT(file_bytes_max = 100000000, "file_size", CHECK_WARN, "100000000");
    FAULT(file_bytes_max = 1000, "file_size", CHECK_BAD, "1000");
    FAULT(pid_namespaces = false, "namespaces", CHECK_WARN, "not allowed");
    FAULT(leftover_count = 1; machine.leftovers[0] = 123, "leftovers", CHECK_WARN, "earlier venturi: 123");
    FAULT(leftover_count = 99, "leftovers", CHECK_WARN, "and more");
    (void)strcpy(hpet.clocksource, "hpet");
    expect(&hpet, "clocksource", CHECK_WARN, "hpet");
#undef FAULT
}

/* One tick of a short look may be 5 %, and is no share of anything. */
static void a_single_stolen_tick_is_not_held_against_the_host(void **state)
{
    (void)state;
    struct checks checks = {0};
    struct machine machine = fit();
    machine.during.ticks = (struct cpu_ticks){.total = 20, .steal = 1};
    machine.steal_ratio = 0.05;
    checks_machine(&checks, &machine);
    assert_int_equal(find(&checks, "steal")->level, CHECK_OK);
}

static void the_journal_gets_what_is_not_ok(void **state)
{
    (void)state;
    struct checks checks = {0};
    struct machine machine = fit();
    machine.load = 3.1;
    machine.cores_allowed = 2;
    checks_machine(&checks, &machine);
    AUTO(json_release) json_t *json = machine_json(&machine, &checks), *all = checks_json(&checks);
    const json_t *warnings = json_object_get(json, "warnings"), *first = json_array_get(warnings, 0);
    assert_int_equal(json_array_size(warnings), 1);
    assert_string_equal(json_string_or(first, "name", ""), "load");
    assert_string_equal(json_string_or(first, "level", ""), "warn");
    assert_true(json_is_null(json_object_get(json, "quota_cores"))); /* infinity */
    assert_int_equal(json_array_size(all), checks.count);
    struct machine_counters during = {.ticks = {.total = 200, .steal = 3}, .quota_stops = 7};
    AUTO(json_release) json_t *disturbances = disturbances_json(&during);
    assert_true(json_number_or(disturbances, "steal_ratio", 0) == 0.015);
    assert_true(json_number_or(disturbances, "quota_stops", 0) == 7);
}

static void the_list_has_an_end(void **state)
{
    (void)state;
    struct checks checks = {0};
    for (int i = 0; i < 2 * CHECKS_MAX; i++)
        checks_add(&checks, "x", CHECK_WARN, "do", "%0*d", 2 * CHECK_FINDING_BYTES, i);
    assert_int_equal(checks.count, CHECKS_MAX);
    assert_int_equal(strlen(checks.items[CHECKS_MAX - 1].finding), CHECK_FINDING_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fit_machine_has_nothing_to_say),
        cmocka_unit_test(each_fault_is_its_own_check),
        cmocka_unit_test(a_single_stolen_tick_is_not_held_against_the_host),
        cmocka_unit_test(the_journal_gets_what_is_not_ok),
        cmocka_unit_test(the_list_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
