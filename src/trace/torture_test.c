/* SPDX-License-Identifier: Apache-2.0
 *
 * Every system call of reading and packing fails once (linked with --wrap): that is an error, said in one line, or of
 * no account; nothing leaks and nothing half made is left.
 */
#include "trace/format_v1.h"
#include "trace/pack.h"
#include "trace/trace_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

static long countdown = -1; /* calls until one fails */
static bool failed;

static bool fails(void)
{
    if (countdown < 0 || countdown-- > 0)
        return false;
    failed = true;
    errno = EIO;
    return true;
}

#define WRAPPED(type, name, failure, parameters, arguments)                                                            \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        return fails() ? (failure) : __real_##name arguments;                                                          \
    }
WRAPPED(ssize_t, pread, -1, (int fd, void *out, size_t bytes, off_t offset), (fd, out, bytes, offset))
WRAPPED(int, fstat, -1, (int fd, struct stat *out), (fd, out))
WRAPPED(DIR *, fdopendir, NULL, (int fd), (fd))
WRAPPED(struct dirent *, readdir, NULL, (DIR * folder), (folder))
WRAPPED(off_t, lseek, -1, (int fd, off_t offset, int whence), (fd, offset, whence))
WRAPPED(ssize_t, write, -1, (int fd, const void *data, size_t bytes), (fd, data, bytes))
WRAPPED(int, fsync, -1, (int fd), (fd))
WRAPPED(int, rename, -1, (const char *from, const char *to), (from, to))
/* Both take a mode only with O_CREAT, and pass it on either way. */
WRAPPED(int, open, -1, (const char *path, int flags, mode_t mode), (path, flags, mode))
WRAPPED(int, openat, -1, (int fd, const char *path, int flags, mode_t mode), (fd, path, flags, mode))

static size_t open_files(void)
{
    int lowest = dup(0);
    assert_true(lowest >= 0);
    (void)close(lowest);
    return (size_t)lowest;
}

struct torture {
    struct fixture *fixture;
    char path[300], packed[300];
    size_t spans; /* nothing less, unless it is said */
};

static enum err read_it(struct torture *torture)
{
    struct fixture *fixture = torture->fixture;
    TRY(trace_read(&fixture->trace, torture->path, &fixture->arena, &fixture->diag));
    assert_int_equal(fixture->trace->span_count, torture->spans);
    return ERR_OK;
}

static enum err pack_it(struct torture *torture)
{
    struct fixture *fixture = torture->fixture;
    return trace_pack(torture->path, torture->packed, &fixture->arena, &fixture->diag);
}

/* Has the first, the second, ... call of `body` fail, until all go well. */
static void torture(struct torture *torture, enum err (*body)(struct torture *torture))
{
    size_t files = open_files(), errors = 0;
    for (long call = 0;; call++) {
        fixture_empty(torture->fixture, FIXTURE_MEMORY);
        torture->fixture->diag = (struct diag){.what = ""};
        failed = false;
        countdown = call;
        enum err error = body(torture);
        countdown = -1;
        assert_int_equal(open_files(), files);
        if (error != ERR_OK) {
            assert_int_equal(error, ERR_IO);
            assert_true(failed);
            assert_true(torture->fixture->diag.where[0] && torture->fixture->diag.what[0]);
            errors++;
        }
        if (!failed)
            break;
    }
    assert_true(errors > 5);
}

static void begin(struct torture *out, struct fixture *fixture)
{
    out->fixture = fixture;
    (void)snprintf(out->path, sizeof out->path, "%s", fixture->folder);
    (void)snprintf(out->packed, sizeof out->packed, "%s", fixture_path(fixture, "packed.tar"));
    built_process_tsc(&fixture->process, 1000, 2);
    builder_end(&fixture->stream);
    builder_begin(&fixture->stream, &fixture->process, 0);
    fixture->stream.open = 200;
    fixture_fill(fixture, TRACE_BLOCK_PAGES + 2);
    fixture_write(fixture);
    fixture_put(fixture, TRACE_MEMORY_FILE, &(struct memory_sample){1, 1}, sizeof(struct memory_sample));
    out->spans = fixture_read(fixture)->span_count;
}

static void test_reading(void **state)
{
    struct torture folder;
    begin(&folder, *state);
    torture(&folder, read_it);
    assert_int_equal(pack_it(&folder), ERR_OK);
    (void)snprintf(folder.path, sizeof folder.path, "%s", folder.packed);
    torture(&folder, read_it);
}

static void test_reading_version_1(void **state)
{
    struct fixture *fixture = *state;
    struct torture folder = {.fixture = fixture};
    struct v1_process process = {.version = V1_VERSION, .stages = 1, .names = {"a"}};
    struct v1_stream_head head = {.version = V1_VERSION, .blocks = 0, .records = 1};
    memcpy(process.magic, V1_PROCESS_MAGIC, sizeof process.magic);
    memcpy(head.magic, V1_STREAM_MAGIC, sizeof head.magic);
    fixture_put(fixture, "1-1.process", &process, sizeof process);
    fixture_put(fixture, "1-1-0.spans", &head, sizeof head);
    (void)snprintf(folder.path, sizeof folder.path, "%s", fixture->folder);
    torture(&folder, read_it);
}

static void test_packing(void **state)
{
    struct torture folder;
    begin(&folder, *state);
    torture(&folder, pack_it);
    assert_int_equal(access(folder.packed, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_reading),
        FIXTURE_TEST(test_reading_version_1),
        FIXTURE_TEST(test_packing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
