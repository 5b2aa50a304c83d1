/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void the_clock_never_goes_back(void **state)
{
    (void)state;
    uint64_t last_ns = clock_monotonic_ns();
    for (int i = 0; i < 100000; i++) {
        uint64_t now_ns = clock_monotonic_ns();
        assert_true(now_ns >= last_ns);
        last_ns = now_ns;
    }
    struct timespec now; /* the same time line as everyone's CLOCK_MONOTONIC */
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    assert_true(last_ns / NS_PER_S <= (uint64_t)now.tv_sec);
    assert_true(last_ns / NS_PER_S + 60 > (uint64_t)now.tv_sec);
}

static void utc_is_iso_8601(void **state)
{
    (void)state;
    char text[24];
    int year, month, day, hour, minute, second;
    assert_ptr_equal(clock_utc(text, sizeof text), text);
    assert_int_equal(strlen(text), strlen("2026-01-31T12:00:00Z"));
    assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2dZ", &year, &month, &day, &hour, &minute, &second), 6);
    struct tm parts = {.tm_year = year - 1900,
                       .tm_mon = month - 1,
                       .tm_mday = day,
                       .tm_hour = hour,
                       .tm_min = minute,
                       .tm_sec = second};
    time_t off = time(NULL) - timegm(&parts);
    assert_true(off >= 0 && off < 60);
    assert_string_equal(clock_utc(text, 5), ""); /* no room: no half a date */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_clock_never_goes_back), cmocka_unit_test(utc_is_iso_8601)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
