/* SPDX-License-Identifier: Apache-2.0
 * A lab on a pipeline that waits: what it answers, and what it does when runs fail, lie or hang. */
#include "fixture.h"

#include "trace/reader.h"

#include <sys/stat.h>

static void a_gain_is_found(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, PIPELINE);
    bench_open(&bench, (struct lab_options){0});
    AUTO(json_release)
    json_t *got = experiment(&bench, "{\"op\": \"compare\", \"b\": {\"ms\": \"1\"}, \"purpose\": \"faster?\"}");
    const json_t *found = comparison(got, 0), *effect = json_object_get(found, "effect");
    assert_string_equal(text_of(found, "verdict"), "faster");
    assert_string_equal(text_of(got, "reason"), "decided");
    assert_string_equal(text_of(got, "id"), "e1");
    assert_true(number_of(found, "pairs") >= 8);
    assert_true(json_number_or(effect, "low", 0) > 1);
    assert_true(json_number_or(effect, "high", 0) >= json_number_or(effect, "mid", 0));
    for (size_t i = 0; i < 2; i++) {
        const json_t *arm = json_array_get(json_object_get(got, "arms"), i);
        assert_int_equal(json_array_size(json_object_get(arm, "runs")), number_of(found, "pairs"));
        assert_int_equal(number_of(arm, "failed"), 0);
    }
    bench_fini(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gain_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
