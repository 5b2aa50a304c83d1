/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct arena arena;
static char folder[32];

static int set_up(void **state)
{
    (void)state;
    (void)strcpy(folder, "/tmp/file-test-XXXXXX");
    arena_init(&arena, 64 * 1024 * 1024);
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    struct diag diag;
    arena_fini(&arena);
    return chdir("/") == 0 && dir_remove(folder, &diag) == ERR_OK ? 0 : -1;
}

static void write_file(const char *path, const char *text)
{
    struct diag diag;
    assert_int_equal(file_write_atomic(path, text, strlen(text), &diag), ERR_OK);
}

static void assert_content(const char *path, const char *expected)
{
    struct diag diag;
    char *text;
    size_t bytes;
    assert_int_equal(file_read(&text, &bytes, path, 65536, &arena, &diag), ERR_OK);
    assert_int_equal(bytes, strlen(expected));
    assert_string_equal(text, expected);
}

static size_t entries(void)
{
    char line[16] = "";
    FILE *count = popen("ls -A | wc -l", "r");
    assert_non_null(count);
    assert_non_null(fgets(line, sizeof line, count));
    (void)pclose(count);
    return (size_t)strtoul(line, NULL, 10);
}

static void a_file_is_replaced_whole(void **state)
{
    (void)state;
    struct stat status;
    mode_t mask = umask(027);
    write_file("x", "old and longer");
    write_file("x", "new");
    assert_content("x", "new");
    assert_int_equal(stat("x", &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    struct diag diag;
    assert_int_equal(file_write_script("s", "#!/bin/sh\nexit 7\n", &diag), ERR_OK);
    assert_int_equal(stat("s", &status), 0);
    assert_int_equal(status.st_mode & 0777, 0750);
    assert_int_equal(WEXITSTATUS(system("./s")), 7);
    assert_int_equal(file_write_atomic("empty", "", 0, &diag), ERR_OK);
    assert_content("empty", "");
    assert_int_equal(entries(), 3); /* no temporary is left */
    (void)umask(mask);
}

/* A reader beside the writer sees one version or the other, never a part. */
static void a_reader_never_sees_a_part(void **state)
{
    (void)state;
    static char versions[2][300000];
    memset(versions[0], 'a', sizeof versions[0]);
    memset(versions[1], 'b', sizeof versions[1] / 2); /* the second version is half as long */
    struct diag diag;
    assert_int_equal(file_write_atomic("x", versions[0], sizeof versions[0], &diag), ERR_OK);
    pid_t writer = fork();
    assert_true(writer >= 0);
    if (writer == 0) {
        int failed = 0;
        for (size_t i = 1; i <= 40; i++)
            failed |= file_write_atomic("x", versions[i % 2], sizeof versions[0] / (i % 2 + 1), &diag) != ERR_OK;
        _exit(failed);
    }
    int status;
    while (waitpid(writer, &status, WNOHANG) == 0) {
        char *text;
        size_t bytes;
        arena_fini(&arena);
        assert_int_equal(file_read(&text, &bytes, "x", sizeof versions[0], &arena, &diag), ERR_OK);
        assert_int_equal(bytes, sizeof versions[0] / (text[0] == 'a' ? 1 : 2));
        assert_memory_equal(text, versions[text[0] == 'b'], bytes);
    }
    assert_int_equal(status, 0);
}

static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A disk that is full in the middle of a file: the old one stays, nothing else does. */
static void a_failed_write_leaves_the_old_file(void **state)
{
    (void)state;
    static char large[100000];
    struct diag diag;
    write_file("x", "old");
    (void)signal(SIGXFSZ, SIG_IGN);
    limit_file_size(4096);
    enum err error = file_write_atomic("x", large, sizeof large, &diag);
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(error, ERR_IO);
    assert_non_null(strstr(diag.what, "cannot write: "));
    assert_content("x", "old");
    assert_int_equal(entries(), 1);
}

static void a_place_that_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    struct diag diag;
    char name[PATH_MAX + 10];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(mkdir("folder", 0777), 0);
    assert_int_equal(file_write_atomic("absent/x", "1", 1, &diag), ERR_IO);
    assert_int_equal(file_write_atomic("folder", "1", 1, &diag), ERR_IO);
    assert_int_equal(file_write_atomic(name, "1", 1, &diag), ERR_IO);
    assert_int_equal(file_write_atomic("", "1", 1, &diag), ERR_IO);
    assert_int_equal(entries(), 1);
}

/* Somebody else may have put a link where our temporary goes. */
static void a_planted_link_is_not_followed(void **state)
{
    (void)state;
    struct diag diag;
    char temporary[64];
    write_file("victim", "precious");
    (void)snprintf(temporary, sizeof temporary, "x.%d.tmp", (int)getpid());
    assert_int_equal(symlink("victim", temporary), 0);
    assert_int_equal(file_write_atomic("x", "evil", 4, &diag), ERR_IO);
    assert_content("victim", "precious");
}

static void reading_has_a_limit(void **state)
{
    (void)state;
    struct diag diag;
    char *text;
    size_t bytes;
    write_file("x", "12345");
    assert_int_equal(file_read(&text, &bytes, "x", 5, &arena, &diag), ERR_OK);
    assert_int_equal(text[5], '\0');
    assert_int_equal(file_read(&text, &bytes, "x", 4, &arena, &diag), ERR_FORMAT);
    assert_string_equal(diag.what, "has 5 bytes, more than the 4 accepted");
    AUTO(arena_fini) struct arena small;
    arena_init(&small, 5);
    assert_int_equal(file_read(&text, &bytes, "x", 5, &small, &diag), ERR_MEMORY);
}

static void only_regular_files_are_read(void **state)
{
    (void)state;
    struct diag diag;
    char *text;
    size_t bytes;
    assert_int_equal(mkfifo("fifo", 0600), 0); /* must not wait for a writer */
    assert_int_equal(file_read(&text, &bytes, "fifo", 10, &arena, &diag), ERR_IO);
    assert_string_equal(diag.what, "is not a regular file");
    assert_int_equal(file_read(&text, &bytes, ".", 10, &arena, &diag), ERR_IO);
    assert_int_equal(file_read(&text, &bytes, "/dev/zero", 10, &arena, &diag), ERR_IO);
    assert_int_equal(file_read(&text, &bytes, "absent", 10, &arena, &diag), ERR_IO);
    assert_string_equal(diag.where, "absent");
    assert_string_equal(diag.what, "cannot open: No such file or directory");
}

static void folders_are_made_with_their_parents(void **state)
{
    (void)state;
    struct diag diag;
    char name[PATH_MAX + 10], absolute[64];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    (void)snprintf(absolute, sizeof absolute, "%s/d/e/", folder);
    assert_int_equal(dir_make("a/b//c", &diag), ERR_OK);
    assert_int_equal(dir_make("a/b/c", &diag), ERR_OK);
    assert_int_equal(dir_make(absolute, &diag), ERR_OK);
    assert_int_equal(access("a/b/c", W_OK) + access("d/e", W_OK), 0);
    write_file("file", "");
    assert_int_equal(dir_make("file", &diag), ERR_IO);
    assert_string_equal(diag.what, "is not a folder");
    assert_int_equal(dir_make("file/x", &diag), ERR_IO);
    assert_int_equal(dir_make("", &diag), ERR_IO);
    assert_int_equal(dir_make(name, &diag), ERR_IO);
    assert_int_equal(dir_keep("f/g", &diag), ERR_OK);
    assert_int_equal(dir_keep("f/g", &diag), ERR_OK);
    assert_int_equal(dir_keep("/", &diag), ERR_OK);
    assert_int_equal(access("f/g", W_OK), 0);
    assert_int_equal(dir_keep("file/x", &diag), ERR_IO);
}

static void folders_are_removed_without_following_links(void **state)
{
    (void)state;
    struct diag diag;
    assert_int_equal(dir_make("tree/deep/er", &diag), ERR_OK);
    assert_int_equal(dir_make("kept", &diag), ERR_OK);
    write_file("kept/x", "x");
    write_file("tree/deep/y", "y");
    assert_int_equal(symlink("../../kept", "tree/deep/link"), 0);
    assert_int_equal(dir_remove("tree", &diag), ERR_OK);
    assert_int_equal(access("tree", F_OK), -1);
    assert_content("kept/x", "x");
    assert_int_equal(dir_remove("tree", &diag), ERR_OK); /* absent is fine */
}

static void a_slow_reader_gets_every_byte(void **state)
{
    (void)state;
    static char data[1024 * 1024];
    struct diag diag;
    int ends[2];
    memset(data, 'x', sizeof data);
    assert_int_equal(pipe(ends), 0);
    pid_t reader = fork();
    assert_true(reader >= 0);
    if (reader == 0) {
        char piece[777];
        size_t total = 0;
        (void)close(ends[1]);
        for (ssize_t got; (got = read(ends[0], piece, sizeof piece)) > 0;)
            total += (size_t)got;
        _exit(total != sizeof data);
    }
    assert_int_equal(fd_write_all(ends[1], data, sizeof data, "pipe", &diag), ERR_OK);
    fd_close(&ends[0]);
    fd_close(&ends[1]);
    int status;
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_int_equal(status, 0);
}

static void a_reader_that_left_is_an_error(void **state)
{
    (void)state;
    struct diag diag;
    int ends[2];
    (void)signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(ends), 0);
    fd_close(&ends[0]);
    assert_int_equal(ends[0], -1);
    fd_close(&ends[0]); /* once is enough, twice is fine */
    assert_int_equal(fd_write_all(ends[1], "x", 1, "pipe", &diag), ERR_IO);
    assert_string_equal(diag.what, "cannot write: Broken pipe");
    assert_int_equal(fd_write_all(ends[1], "", 0, "pipe", &diag), ERR_OK);
    fd_close(&ends[1]);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static void a_folder_is_locked_once_and_while_it_is_there(void **state)
{
    (void)state;
    char place[] = "/tmp/venturi-lock-XXXXXX", moved[sizeof place + 4];
    struct diag diag = {0};
    int first, second;
    assert_non_null(mkdtemp(place));
    (void)snprintf(moved, sizeof moved, "%s-old", place);
    assert_int_equal(dir_lock(&first, place, &diag), ERR_OK);
    assert_int_equal(dir_lock(&second, place, &diag), ERR_CONFIG);
    assert_int_equal(second, -1);
    assert_non_null(strstr(diag.what, "another venturi"));
    assert_int_equal(rename(place, moved), 0); /* what is there now is another place, and free */
    assert_int_equal(dir_make(place, &diag), ERR_OK);
    assert_int_equal(dir_lock(&second, place, &diag), ERR_OK);
    fd_close(&first);
    fd_close(&second);
    assert_int_equal(dir_lock(&first, place, &diag), ERR_OK);
    fd_close(&first);
    assert_int_equal(rmdir(place), 0);
    assert_int_equal(rmdir(moved), 0);
    assert_int_equal(dir_lock(&first, place, &diag), ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_is_locked_once_and_while_it_is_there),
        IN_FOLDER(a_file_is_replaced_whole),
        IN_FOLDER(a_reader_never_sees_a_part),
        IN_FOLDER(a_failed_write_leaves_the_old_file),
        IN_FOLDER(a_place_that_cannot_be_written_is_an_error),
        IN_FOLDER(a_planted_link_is_not_followed),
        IN_FOLDER(reading_has_a_limit),
        IN_FOLDER(only_regular_files_are_read),
        IN_FOLDER(folders_are_made_with_their_parents),
        IN_FOLDER(folders_are_removed_without_following_links),
        IN_FOLDER(a_slow_reader_gets_every_byte),
        IN_FOLDER(a_reader_that_left_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
