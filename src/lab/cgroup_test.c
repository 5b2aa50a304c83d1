/* SPDX-License-Identifier: Apache-2.0
 * Control groups as folders of files, laid out as kernels and containers show them. */
#include "lab/cgroup.h"

#include "base/file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char root[32];

static int make_root(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof root, "/tmp/venturi-cgroup-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    struct diag diag;
    return dir_remove(root, &diag) == ERR_OK ? 0 : -1;
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[256];
    struct diag diag = {0};
    (void)snprintf(path, sizeof path, "%s%s", root, folder);
    assert_int_equal(dir_make(path, &diag), ERR_OK);
    (void)snprintf(path, sizeof path, "%s%s/%s", root, folder, name);
    assert_int_equal(file_write_atomic(path, text, strlen(text), &diag), ERR_OK);
}

static void expect(const char *own, double cores, uint64_t stops)
{
    struct cgroup_cpu cpu;
    cgroup_cpu_read(&cpu, root, own);
    if (!(cpu.quota_cores == cores) || cpu.stops != stops)
        fail_msg("%g cores and %llu stops, not %g and %llu", cpu.quota_cores, (unsigned long long)cpu.stops, cores,
                 (unsigned long long)stops);
}

static void the_tightest_group_of_version_2_counts(void **state)
{
    (void)state;
    put("", "cpu.stat", "usage_usec 5\n");
    put("/a", "cpu.max", "150000 100000\n");
    put("/a", "cpu.stat", "nr_periods 9\nnr_throttled 3\n");
    put("/a/b", "cpu.max", "max 100000\n");
    put("/a/b", "cpu.stat", "nr_throttled 0\n");
    put("/c", "cpu.max", "10000 100000\n");
    expect("0::/a/b\n", 1.5, 3);
    expect("0::/a\n", 1.5, 3);
    expect("0::/\n", INFINITY, 0);
    expect("0::/../outside/of/this/container\n", INFINITY, 0);
}

static void version_1_has_two_files_and_no_quota_is_minus_1(void **state)
{
    (void)state;
    put("/cpu", "cpu.cfs_quota_us", "-1\n");
    put("/cpu", "cpu.cfs_period_us", "100000\n");
    put("/cpu/x", "cpu.cfs_quota_us", "50000\n");
    put("/cpu/x", "cpu.cfs_period_us", "100000\n");
    put("/cpu/x", "cpu.stat", "nr_periods 4\nnr_throttled 2\nthrottled_time 1\n");
    expect("4:cpu,cpuacct:/x\n0::/\n", 0.5, 2);
    expect("4:cpu,cpuacct:/\n0::/\n", INFINITY, 0);
}

/* In a container the group is its own root: what /proc names is not there. */
static void a_container_shows_its_own_group_as_the_root(void **state)
{
    (void)state;
    put("", "cpu.max", "25000 100000\n");
    expect("0::/docker/0123456789abcdef\n", 0.25, 0);
    expect("", INFINITY, 0);
    expect("rubbish\n:::\n", INFINITY, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_tightest_group_of_version_2_counts, make_root, remove_root),
        cmocka_unit_test_setup_teardown(version_1_has_two_files_and_no_quota_is_minus_1, make_root, remove_root),
        cmocka_unit_test_setup_teardown(a_container_shows_its_own_group_as_the_root, make_root, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
