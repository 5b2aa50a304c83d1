/* SPDX-License-Identifier: Apache-2.0
 * Texts of several kernels and machines, and texts that no kernel would write. */
#include "lab/proc_text.h"

#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char MEMINFO[] = "MemTotal:       24684084 kB\nMemFree:        23513828 kB\nMemAvailable:   24075896 kB\n"
                              "SwapCached:            0 kB\nSwapTotal:       2097148 kB\nSwapFree:        1048576 kB\n";
static const char CPU_STAT[] = "nr_periods 10\nnr_throttled 7\nthrottled_time 123\n";
static const char CPUINFO[] = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R) CPU @ 2.9GHz\n"
                              "processor\t: 1\nmodel name\t: another\n";

static void numbers_stand_behind_their_names(void **state)
{
    (void)state;
    uint64_t number = 0;
    assert_true(proc_number(&number, MEMINFO, "MemTotal"));
    assert_int_equal(number, 24684084);
    assert_true(proc_number(&number, MEMINFO, "SwapFree"));
    assert_int_equal(number, 1048576);
    assert_true(proc_number(&number, CPU_STAT, "nr_throttled"));
    assert_int_equal(number, 7);
}

static void names_are_whole_and_at_the_start_of_a_line(void **state)
{
    (void)state;
    static const char *const names[] = {"Mem", "Free", "SwapTota", "swapfree", "kB", "Nowhere"};
    uint64_t number = 42;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_false(proc_number(&number, MEMINFO, names[i]));
    static const char *const texts[] = {"",
                                        "\n\n",
                                        "MemTotal",
                                        "MemTotal:",
                                        "MemTotal: kB",
                                        "MemTotal: -1",
                                        "MemTotal: 99999999999999999999",
                                        "x MemTotal: 1",
                                        "MemTotal:\n12"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (proc_number(&number, texts[i], "MemTotal"))
            fail_msg("taken: '%s'", texts[i]);
    assert_int_equal(number, 42);
}

static void words_end_with_their_line_and_their_room(void **state)
{
    (void)state;
    char text[64], small[6];
    assert_true(proc_word(text, sizeof text, CPUINFO, "model name"));
    assert_string_equal(text, "Intel(R) Xeon(R) CPU @ 2.9GHz");
    assert_true(proc_word(small, sizeof small, CPUINFO, "model name"));
    assert_string_equal(small, "Intel");
    assert_false(proc_word(text, sizeof text, CPUINFO, "mode"));
    assert_false(proc_word(text, sizeof text, "model name\t: \nnext", "model name"));
}

static void load_is_the_first_number(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "x", "nan 1 2", "inf 1 2", "-1 2 3", "1", "1e999 1 1", "0x1p3 "};
    double load = 0;
    assert_true(proc_load(&load, "3.14 2.45 2.54 2/345 12345\n"));
    assert_true(load == 3.14);
    for (size_t i = 0; i + 1 < sizeof wrong / sizeof *wrong; i++)
        if (proc_load(&load, wrong[i]))
            fail_msg("taken: '%s'", wrong[i]);
    assert_true(load == 3.14);
}

static void ticks_of_new_and_old_kernels(void **state)
{
    (void)state;
    struct cpu_ticks ticks;
    assert_true(proc_ticks(&ticks, "cpu  10 20 30 400 5 6 7 8 9 10\ncpu0 1 1 1 1\n"));
    assert_int_equal(ticks.total, 10 + 20 + 30 + 400 + 5 + 6 + 7 + 8);
    assert_int_equal(ticks.idle, 405);
    assert_int_equal(ticks.steal, 8);
    assert_true(proc_ticks(&ticks, "cpu 10 20 30 400\n"));
    assert_int_equal(ticks.total, 460);
    assert_int_equal(ticks.steal, 0);
    static const char *const wrong[] = {
        "", "cpu", "cpu \n", "cpu  1 2 3\n", "cpu0 1 2 3 4\n", "cpu a b c d", "cpu 1 2 3 99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (proc_ticks(&ticks, wrong[i]))
            fail_msg("taken: '%s'", wrong[i]);
    assert_int_equal(ticks.total, 460);
}

static void groups_of_both_versions(void **state)
{
    (void)state;
    static const char both[] = "12:pids:/a\n4:cpu,cpuacct:/user.slice/x:y\n1:name=systemd:/\n0::/init.scope\n";
    char path[64];
    assert_true(proc_cgroup(path, sizeof path, both, "cpu"));
    assert_string_equal(path, "/user.slice/x:y");
    assert_true(proc_cgroup(path, sizeof path, both, "cpuacct"));
    assert_true(proc_cgroup(path, sizeof path, both, ""));
    assert_string_equal(path, "/init.scope");
    assert_false(proc_cgroup(path, sizeof path, both, "cp"));
    assert_false(proc_cgroup(path, sizeof path, both, "memory"));
    assert_true(proc_cgroup(path, sizeof path, "0::/", ""));
    assert_string_equal(path, "/");
    static const char *const wrong[] = {"", "\n", ":", "::", "4:cpu", "0:", "4:,,:"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(proc_cgroup(path, sizeof path, wrong[i], "cpu"));
    assert_false(proc_cgroup(path, 5, "0::/much/longer", "")); /* half a path would be another group */
}

static void quotas(void **state)
{
    (void)state;
    double cores = 0;
    assert_true(proc_quota(&cores, "150000 100000\n"));
    assert_true(cores == 1.5);
    assert_true(proc_quota(&cores, "max 100000\n"));
    assert_true(isinf(cores));
    static const char *const wrong[] = {"", "100", "100 0", "-1 100000", "x 1", "100 x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (proc_quota(&cores, wrong[i]))
            fail_msg("taken: '%s'", wrong[i]);
}

/* Rubbish of every kind, made of what these texts are made of; the sanitizers look on. */
static void rubbish_is_survived(void **state)
{
    (void)state;
    static const char alphabet[] = "cpu:,/ \t\n0123456789-maxMTotal\x80\xff";
    struct rng rng;
    rng_init(&rng, 5);
    for (int i = 0; i < 100000; i++) {
        char text[80], out[16];
        size_t length = (size_t)rng_below(&rng, sizeof text);
        uint64_t number;
        double real;
        struct cpu_ticks ticks;
        for (size_t j = 0; j < length; j++)
            text[j] = alphabet[rng_below(&rng, sizeof alphabet - 1)];
        text[length] = '\0';
        (void)proc_number(&number, text, "cpu");
        (void)proc_word(out, sizeof out, text, "cpu");
        (void)proc_load(&real, text);
        (void)proc_ticks(&ticks, text);
        (void)proc_cgroup(out, sizeof out, text, "cpu");
        (void)proc_cgroup(out, sizeof out, text, "");
        (void)proc_quota(&real, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_stand_behind_their_names),
        cmocka_unit_test(names_are_whole_and_at_the_start_of_a_line),
        cmocka_unit_test(words_end_with_their_line_and_their_room),
        cmocka_unit_test(load_is_the_first_number),
        cmocka_unit_test(ticks_of_new_and_old_kernels),
        cmocka_unit_test(groups_of_both_versions),
        cmocka_unit_test(quotas),
        cmocka_unit_test(rubbish_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
