/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/program.h"

#include "base/file.h"
#include "pipeline/fixture.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena arena;
static char folder[32];

static int set_up(void **state)
{
    (void)state;
    struct diag diag;
    (void)strcpy(folder, "/tmp/program-test-XXXXXX");
    arena_init(&arena, 1024 * 1024);
    if (!mkdtemp(folder) || chdir(folder) < 0 || dir_make("one", &diag) != ERR_OK ||
        dir_make("two/tool", &diag) != ERR_OK)
        return -1;
    bool made = file_write_script("one/tool", "", &diag) == ERR_OK &&
                file_write_script("two/other", "", &diag) == ERR_OK &&
                file_write_atomic("one/data", "", 0, &diag) == ERR_OK && symlink("tool", "one/link") == 0;
    return made ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    struct diag diag;
    arena_fini(&arena);
    return chdir("/") == 0 && dir_remove(folder, &diag) == ERR_OK ? 0 : -1;
}

/* `expected` below the test's folder; NULL = not found. */
static void assert_found(const char *program, const char *expected)
{
    struct diag diag;
    const char *found;
    char path[PATH_MAX];
    assert_int_equal(program_find(&found, program, folder, &arena, &diag), ERR_OK);
    (void)snprintf(path, sizeof path, "%s/%s", folder, expected ? expected : "");
    if (!expected)
        assert_null(found);
    else
        assert_string_equal(found, path);
}

static void a_slash_means_the_folder_of_the_file(void **state)
{
    (void)state;
    char absolute[64];
    assert_found("one/tool", "one/tool");
    assert_found("./one/tool", "./one/tool");
    assert_found("one/link", "one/link"); /* not resolved: some programs look at their name */
    assert_found("one/absent", NULL);
    assert_found("one/data", NULL);
    assert_found("two/tool", NULL); /* a folder */
    (void)snprintf(absolute, sizeof absolute, "%s/one/tool", folder);
    assert_found(absolute, "one/tool");
    assert_found("/absent/tool", NULL);
}

static void other_names_are_searched_in_path(void **state)
{
    (void)state;
    char path[100];
    (void)snprintf(path, sizeof path, "/absent:%s/two:%s/one", folder, folder);
    assert_int_equal(setenv("PATH", path, 1), 0);
    assert_found("tool", "one/tool"); /* the folder two/tool is passed over */
    assert_found("other", "two/other");
    assert_found("data", NULL);
    assert_found("absent", NULL);
    assert_found("", NULL);
    assert_found(".", NULL);
}

/* The current folder is not ours to guess: empty and relative entries are passed over. */
static void only_absolute_entries_count(void **state)
{
    (void)state;
    assert_int_equal(setenv("PATH", ":one:./one::", 1), 0);
    assert_found("tool", NULL);
    assert_int_equal(setenv("PATH", "", 1), 0);
    assert_found("tool", NULL);
    assert_int_equal(unsetenv("PATH"), 0);
    struct diag diag;
    const char *found;
    assert_int_equal(program_find(&found, "sh", folder, &arena, &diag), ERR_OK);
    assert_non_null(found);
}

static void long_names_and_no_memory(void **state)
{
    (void)state;
    struct diag diag;
    const char *found;
    char name[PATH_MAX + 10];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_found(name, NULL);
    name[1] = '/';
    assert_found(name, NULL);
    assert_int_equal(setenv("PATH", name, 1), 0);
    assert_found("tool", NULL);
    AUTO(arena_fini) struct arena small;
    arena_init(&small, 3);
    assert_int_equal(program_find(&found, "one/tool", folder, &small, &diag), ERR_MEMORY);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_slash_means_the_folder_of_the_file),
        IN_FOLDER(other_names_are_searched_in_path),
        IN_FOLDER(only_absolute_entries_count),
        IN_FOLDER(long_names_and_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
