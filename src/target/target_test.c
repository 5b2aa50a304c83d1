/* SPDX-License-Identifier: Apache-2.0
 *
 * SQLite on a real file, and what every target must do when nobody is there. QuestDB itself is looked at in tests/live.
 */
#include "target/target.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/venturi-target-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char path[96];
    (void)state;
    (void)snprintf(path, sizeof path, "%s/klines.db", folder);
    (void)unlink(path);
    return rmdir(folder);
}

static void make_database(void)
{
    char path[96];
    sqlite3 *database;
    (void)snprintf(path, sizeof path, "%s/klines.db", folder);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(database, "PRAGMA page_size = 8192; CREATE TABLE t(a); CREATE INDEX i ON t(a)", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

static const struct target_setting *setting_named(const struct target_report *report, const char *name)
{
    for (size_t i = 0; i < report->setting_count; i++) {
        if (strcmp(report->settings[i].name, name) == 0)
            return &report->settings[i];
    }
    fail_msg("no setting %s", name);
    return NULL;
}

static void sqlite_tells_what_the_file_holds(void **state)
{
    (void)state;
    make_database();
    struct arena arena;
    struct diag diag = {0};
    struct target_report report;
    arena_init(&arena, 1 << 20);
    assert_int_equal(target_named("sqlite")->look(&report, "klines.db", folder, &arena, &diag), ERR_OK);
    assert_string_equal(setting_named(&report, "page_size")->value, "8192");
    assert_string_equal(setting_named(&report, "indexes")->value, "1");
    assert_null(setting_named(&report, "synchronous")->value);
    arena_fini(&arena);
}

static void absent_database_is_one_clear_line(void **state)
{
    (void)state;
    struct arena arena;
    struct diag diag = {0};
    struct target_report report;
    arena_init(&arena, 1 << 20);
    assert_int_equal(target_named("sqlite")->look(&report, "absent.db", folder, &arena, &diag), ERR_PIPELINE);
    assert_non_null(strstr(diag.where, "absent.db"));
    assert_int_equal(target_named("questdb")->look(&report, "http://127.0.0.1:1", folder, &arena, &diag), ERR_PIPELINE);
    assert_string_equal(diag.where, "QuestDB");
    arena_fini(&arena);
}

static void unknown_kind_is_null(void **state)
{
    (void)state;
    assert_null(target_named("oracle"));
    assert_null(target_named(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sqlite_tells_what_the_file_holds),
                                       cmocka_unit_test(absent_database_is_one_clear_line),
                                       cmocka_unit_test(unknown_kind_is_null)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
