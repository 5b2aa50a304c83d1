/* SPDX-License-Identifier: Apache-2.0
 *
 * For tests: a folder that is removed again, and in it a process with the stages "parse" and "ingest" and a stream.
 */
#pragma once

#include "base/file.h"
#include "trace/page_builder.h"
#include "trace/pages.h"
#include "trace/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { FIXTURE_PID = 11, FIXTURE_START = 5000, FIXTURE_MEMORY = 16 * 1024 * 1024 };
#define FIXTURE_PROCESS_RING "11-5000.ring"
#define FIXTURE_RING "11-5000-0.ring"
#define FIXTURE_SPANS "11-5000-0.spans"

struct fixture {
    char folder[256], path[300];
    struct arena arena;
    struct diag diag;
    struct pages pages;  /* after fixture_open */
    struct trace *trace; /* after fixture_read */
    struct built_process process;
    struct page_builder stream;
};

static inline int fixture_setup(void **state)
{
    static const char *const stages[] = {"parse", "ingest", NULL};
    struct fixture *fixture = builder_checked(calloc(1, sizeof *fixture));
    const char *base = getenv("TMPDIR");
    (void)snprintf(fixture->folder, sizeof fixture->folder, "%s/venturi-XXXXXX", base ? base : "/tmp");
    built_process_begin(&fixture->process, FIXTURE_PID, FIXTURE_START, stages);
    builder_begin(&fixture->stream, &fixture->process, 0);
    *state = fixture;
    return mkdtemp(fixture->folder) ? 0 : -1;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    pages_close(&fixture->pages);
    arena_fini(&fixture->arena);
    builder_end(&fixture->stream);
    enum err error = dir_remove(fixture->folder, NULL);
    free(fixture);
    return error == ERR_OK ? 0 : -1;
}

/** The path of a file of the folder; valid until the next call. */
static inline const char *fixture_path(struct fixture *fixture, const char *name)
{
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/%s", fixture->folder, name);
    return fixture->path;
}

static inline void fixture_put(struct fixture *fixture, const char *name, const void *data, size_t bytes)
{
    built_file_write(fixture->folder, name, data, bytes);
}

static inline void fixture_remove(struct fixture *fixture, const char *name)
{
    assert_int_equal(unlink(fixture_path(fixture, name)), 0);
}

static inline void fixture_cut(struct fixture *fixture, const char *name, uint64_t bytes)
{
    assert_int_equal(truncate(fixture_path(fixture, name), (off_t)bytes), 0);
}

/** Writes the process and the stream. */
static inline void fixture_write(struct fixture *fixture)
{
    built_process_write(&fixture->process, fixture->folder);
    builder_write(&fixture->stream, fixture->folder);
}

/** Laps of the two stages in turn, 100 ticks each, until page `sequence` is open. */
static inline void fixture_fill(struct fixture *fixture, uint32_t sequence)
{
    while (fixture->stream.sequence < sequence)
        builder_lap(&fixture->stream, 1 + (uint32_t)(fixture->stream.records % 2), 100);
}

static inline void fixture_empty(struct fixture *fixture, size_t limit_bytes)
{
    pages_close(&fixture->pages);
    arena_fini(&fixture->arena);
    arena_init(&fixture->arena, limit_bytes);
}

static inline enum err fixture_try_open(struct fixture *fixture)
{
    fixture_empty(fixture, FIXTURE_MEMORY);
    return pages_open(&fixture->pages, fixture->folder, &fixture->arena, &fixture->diag);
}

static inline void fixture_must(const struct fixture *fixture, enum err error)
{
    char line[1024];
    if (error != ERR_OK)
        fail_msg("%s", diag_line(&fixture->diag, line, sizeof line));
}

static inline struct pages *fixture_open(struct fixture *fixture)
{
    fixture_must(fixture, fixture_try_open(fixture));
    return &fixture->pages;
}

static inline enum err fixture_try_read(struct fixture *fixture)
{
    fixture_empty(fixture, FIXTURE_MEMORY);
    return trace_read(&fixture->trace, fixture->folder, &fixture->arena, &fixture->diag);
}

static inline const struct trace *fixture_read(struct fixture *fixture)
{
    fixture_must(fixture, fixture_try_read(fixture));
    return fixture->trace;
}

/** Reading ends in ERR_FORMAT that names `where` and says `what`. */
static inline void fixture_refused(struct fixture *fixture, const char *where, const char *what)
{
    assert_int_equal(fixture_try_read(fixture), ERR_FORMAT);
    assert_string_equal(fixture->diag.where, where);
    assert_non_null(strstr(fixture->diag.what, what));
}

#define FIXTURE_TEST(body) cmocka_unit_test_setup_teardown(body, fixture_setup, fixture_teardown)
