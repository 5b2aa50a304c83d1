/* SPDX-License-Identifier: Apache-2.0
 *
 * A trace folder that is removed again, and a child process that records into it: the recorder reads its environment
 * once a process, so every case has a process of its own.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/file.h"
#include "trace/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct fixture {
    char folder[256];
    struct arena arena;
    struct trace *trace; /* after fixture_read */
};

static inline int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    const char *base = getenv("TMPDIR");
    (void)snprintf(fixture->folder, sizeof fixture->folder, "%s/venturi-XXXXXX", base ? base : "/tmp");
    *state = fixture;
    return mkdtemp(fixture->folder) ? 0 : -1;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    arena_fini(&fixture->arena);
    enum err error = dir_remove(fixture->folder, NULL);
    free(fixture);
    return error == ERR_OK ? 0 : -1;
}

/** Runs `body` in a child that records into the folder, and waits for it; returns what waitpid says. */
static inline int fixture_record(struct fixture *fixture, void (*body)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)setenv("VENTURI_TRACE", fixture->folder, 1);
        body();
        exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static inline enum err fixture_try_read(struct fixture *fixture, struct diag *diag)
{
    arena_fini(&fixture->arena);
    arena_init(&fixture->arena, 256 * 1024 * 1024);
    return trace_read(&fixture->trace, fixture->folder, &fixture->arena, diag);
}

static inline const struct trace *fixture_read(struct fixture *fixture)
{
    struct diag diag = {0};
    char line[1024];
    if (fixture_try_read(fixture, &diag) != ERR_OK)
        fail_msg("%s", diag_line(&diag, line, sizeof line));
    return fixture->trace;
}

#define FIXTURE_TEST(body) cmocka_unit_test_setup_teardown(body, fixture_setup, fixture_teardown)
