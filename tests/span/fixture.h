/* SPDX-License-Identifier: Apache-2.0
 *
 * A trace folder that is removed again, and a child process that records into it, alone or in a lab: the recorder reads
 * its environment once a process, so every case has a process of its own.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/file.h"
#include "trace/reader.h"
#include "trace/rings.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

struct fixture {
    char folder[256];
    struct rings rings;  /* fd -1 = no lab: the recorder makes files of its own */
    struct arena arena;  /* of what was read last */
    struct trace *trace; /* after fixture_read */
};

/** Zeroed memory that this process and its children share. */
static inline void *shared_new(size_t bytes)
{
    void *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    return shared;
}

static inline void fixture_pass(enum err error, const struct diag *diag)
{
    char line[1024];
    if (error != ERR_OK)
        fail_msg("%s", diag_line(diag, line, sizeof line));
}

static inline int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    const char *base = getenv("TMPDIR");
    if (!fixture)
        return -1;
    fixture->rings.fd = -1;
    (void)snprintf(fixture->folder, sizeof fixture->folder, "%s/venturi-XXXXXX", base ? base : "/tmp");
    *state = fixture;
    return mkdtemp(fixture->folder) ? 0 : -1;
}

static inline int fixture_setup_in_lab(void **state)
{
    struct diag diag;
    return fixture_setup(state) == 0 && rings_open(&((struct fixture *)*state)->rings, &diag) == ERR_OK ? 0 : -1;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    arena_fini(&fixture->arena);
    rings_close(&fixture->rings);
    enum err error = dir_remove(fixture->folder, NULL);
    free(fixture);
    return error == ERR_OK ? 0 : -1;
}

/** Forks a child that records into the folder, and that does not outlive us. */
static inline pid_t fixture_fork(const struct fixture *fixture)
{
    char rings[RINGS_PATH_BYTES];
    (void)rings_path(rings, &fixture->rings);
    pid_t parent = getpid(), child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
            _exit(99);
        (void)setenv("VENTURI_TRACE", fixture->folder, 1);
        if (fixture->rings.fd >= 0)
            (void)setenv("VENTURI_RING", rings, 1);
    }
    return child;
}

/** Runs `body` in such a child and waits for it; returns what waitpid says. */
static inline int fixture_record(const struct fixture *fixture, void (*body)(void))
{
    int status;
    pid_t child = fixture_fork(fixture);
    if (child == 0) {
        body();
        exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/** What the lab does once its run has ended; more than once here. */
static inline void fixture_save(const struct fixture *fixture)
{
    char path[300];
    struct diag diag;
    if (fixture->rings.fd < 0)
        return;
    (void)snprintf(path, sizeof path, "%s/%s", fixture->folder, TRACE_LAB_RING);
    (void)unlink(path);
    fixture_pass(rings_save(&fixture->rings, fixture->folder, &diag), &diag);
}

static inline enum err fixture_try_read(struct fixture *fixture, struct diag *diag)
{
    arena_fini(&fixture->arena);
    arena_init(&fixture->arena, 256 * 1024 * 1024);
    fixture_save(fixture);
    return trace_read(&fixture->trace, fixture->folder, &fixture->arena, diag);
}

static inline const struct trace *fixture_read(struct fixture *fixture)
{
    struct diag diag = {0};
    fixture_pass(fixture_try_read(fixture, &diag), &diag);
    return fixture->trace;
}

static inline uint64_t losses_sum(const struct span_losses *losses)
{
    return losses->write_failed + losses->no_stage + losses->misuse + losses->no_stream + losses->interrupted +
           losses->clock;
}

#define FIXTURE_TEST(body) cmocka_unit_test_setup_teardown(body, fixture_setup, fixture_teardown)
#define FIXTURE_LAB_TEST(body)                                                                                         \
    {                                                                                                                  \
#body " in a lab", body, fixture_setup_in_lab, fixture_teardown, NULL                                          \
    }
