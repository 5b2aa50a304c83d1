/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/conditions.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *records_text, const char *expected_text)
{
    AUTO(json_release) json_t *records = json_loads(records_text, 0, NULL);
    AUTO(json_release) json_t *expected = json_loads(expected_text, 0, NULL);
    assert_non_null(records);
    AUTO(json_release) json_t *texts = conditions_json(records);
    if (!json_equal(texts, expected))
        fail_msg("%s", json_dumps(texts, 0));
}

static void each_thing_is_said_once(void **state)
{
    (void)state;
    expect(
        "[{\"record\": \"lab\", \"machine\": {\"warnings\": [{\"finding\": \"load was 3.1\"}]}}, {\"record\": \"run\"},"
        "{\"record\": \"end\", \"disturbances\": {\"steal_ratio\": 0.03, \"swapped_pages\": 0, \"quota_stops\": 7}},"
        "{\"record\": \"lab\", \"machine\": {\"warnings\": [{\"finding\": \"load was 3.1\"}, {\"finding\": \"x\"}]}}]",
        "[\"load was 3.1\", \"3.0 % of the CPU time was stolen by the host while measuring\","
        " \"7 times a CPU quota was used up while measuring\", \"x\"]");
    expect("[{\"record\": \"lab\", \"cut_bytes\": 12}]",
           "[\"12 bytes of a record that a crash cut short were dropped from the journal\"]");
    expect("[{\"disturbances\": {\"hot_stops\": 1, \"swapped_pages\": 12}}]",
           "[\"12 pages were swapped while measuring\", \"1 times a hot CPU slowed down while measuring\"]");
}

static void a_quiet_machine_and_old_journals_say_nothing(void **state)
{
    (void)state;
    expect("[]", "[]");
    expect("[{\"record\": \"lab\", \"machine\": {\"cpu\": \"x\"}}, {\"record\": \"end\"}]", "[]");
    expect("[{\"machine\": {\"warnings\": []}}, {\"disturbances\": {\"steal_ratio\": 0.009, \"swapped_pages\": null}}]",
           "[]");
    expect("[1, null, {\"machine\": [], \"disturbances\": 3}, {\"machine\": {\"warnings\": [1, {\"finding\": 2}]}}]",
           "[]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_thing_is_said_once),
        cmocka_unit_test(a_quiet_machine_and_old_journals_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
