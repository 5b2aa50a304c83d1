/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders and packed files give the same files, and neither is trusted.
 */
#include "trace/folder.h"

#include "trace/pack.h"
#include "trace/tar.h"
#include "trace/trace_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define PACKED "packed.tar"

static void pack(struct fixture *fixture)
{
    fixture_empty(fixture, FIXTURE_MEMORY);
    fixture_must(fixture, trace_pack(fixture->folder, fixture_path(fixture, PACKED), &fixture->arena, &fixture->diag));
}

static void open_folder(struct folder *out, struct fixture *fixture, const char *path)
{
    fixture_must(fixture, folder_open(out, path, &fixture->arena, &fixture->diag));
}

static void test_every_size_comes_back(void **state)
{
    static const size_t sizes[] = {0, 1, 511, 512, 513, 65535, 65536, 65537, 200000};
    struct fixture *fixture = *state;
    static unsigned char in[200000], out[200016];
    char name[32];
    struct folder folder;
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (unsigned char)(i * 7 + i / 251);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        (void)snprintf(name, sizeof name, "1-1-%zu.spans", i);
        fixture_put(fixture, name, in + i, sizes[i] - (sizes[i] == sizeof in ? i : 0));
    }
    pack(fixture);
    for (int packed = 0; packed < 2; packed++) {
        const char **names;
        size_t count;
        open_folder(&folder, fixture, packed ? fixture_path(fixture, PACKED) : fixture->folder);
        fixture_must(fixture, folder_list(&names, &count, &folder, ".spans", &fixture->arena, &fixture->diag));
        assert_int_equal(count, sizeof sizes / sizeof *sizes);
        for (size_t i = 0; i < count; i++) {
            AUTO(folder_file_close) struct folder_file file;
            fixture_must(fixture, folder_file_open(&file, &folder, names[i], &fixture->diag));
            size_t bytes = (size_t)file.bytes;
            assert_in_range(bytes, sizes[i] > i ? sizes[i] - i : sizes[i], sizes[i]);
            memset(out, 0xee, sizeof out);
            fixture_must(fixture, folder_file_read(out, bytes + 16, 0, &file, &fixture->diag));
            assert_memory_equal(out, in + i, bytes);
            for (size_t at = bytes; at < bytes + 16; at++)
                assert_int_equal(out[at], 0); /* what is not there, and not the next member */
            fixture_must(fixture, folder_file_read(out, 16, UINT64_MAX - 8, &file, &fixture->diag));
            assert_int_equal(out[0], 0);
        }
        struct folder_file absent;
        fixture_must(fixture, folder_file_open(&absent, &folder, "absent", &fixture->diag));
        assert_int_equal(absent.fd, -1);
        folder_close(&folder);
    }
}

static size_t file_bytes(struct fixture *fixture, const char *name)
{
    struct stat status;
    assert_int_equal(stat(fixture_path(fixture, name), &status), 0);
    return (size_t)status.st_size;
}

/* tar agrees, and the same trace gives the same bytes, packed again too. */
static void test_tar_opens_it(void **state)
{
    struct fixture *fixture = *state;
    char command[1200];
    fixture_fill(fixture, TRACE_BLOCK_PAGES + 2);
    fixture_write(fixture);
    fixture_put(fixture, "notes.txt", "mine", 4);
    pack(fixture);
    const char *folder = fixture->folder;
    (void)snprintf(command, sizeof command,
                   "cd '%s' && mkdir out && tar -xf " PACKED " -C out && ls out | tr '\\n' ' ' > list && "
                   "cmp " FIXTURE_RING " out/" FIXTURE_RING " && cmp " FIXTURE_SPANS " out/" FIXTURE_SPANS,
                   folder);
    assert_int_equal(system(command), 0);
    char *list, *first, *second;
    size_t bytes, first_bytes, second_bytes;
    struct arena *arena = &fixture->arena;
    assert_int_equal(file_read(&list, &bytes, fixture_path(fixture, "list"), 1000, arena, NULL), ERR_OK);
    assert_string_equal(list, FIXTURE_RING " " FIXTURE_SPANS " " FIXTURE_PROCESS_RING " ");
    char again[300];
    (void)snprintf(again, sizeof again, "%s", fixture_path(fixture, "again.tar"));
    fixture_must(fixture, trace_pack(fixture_path(fixture, PACKED), again, arena, &fixture->diag));
    size_t limit = 1 << 20;
    assert_int_equal(file_read(&first, &first_bytes, fixture_path(fixture, PACKED), limit, arena, NULL), ERR_OK);
    assert_int_equal(file_read(&second, &second_bytes, again, limit, arena, NULL), ERR_OK);
    assert_int_equal(first_bytes, second_bytes);
    assert_memory_equal(first, second, first_bytes);
}

/* A tar that somebody else made of the folder, with its path in front of the names. */
static void test_a_tar_by_hand(void **state)
{
    struct fixture *fixture = *state;
    char command[1200], path[300];
    fixture_fill(fixture, 3);
    fixture_write(fixture);
    size_t spans = fixture_read(fixture)->span_count;
    (void)snprintf(command, sizeof command, "cd '%s' && mkdir out && tar -cf out/x.tar --exclude out -C .. '%s'",
                   fixture->folder, strrchr(fixture->folder, '/') + 1);
    assert_int_equal(system(command), 0);
    (void)snprintf(path, sizeof path, "%s", fixture_path(fixture, "out/x.tar"));
    fixture_must(fixture, trace_read(&fixture->trace, path, &fixture->arena, &fixture->diag));
    assert_int_equal(fixture->trace->span_count, spans);
}

static void test_sizes_of_members(void **state)
{
    static const uint64_t sizes[] = {0,         1, 511, ((uint64_t)1 << 33) - 1, (uint64_t)1 << 33, (uint64_t)1 << 45,
                                     UINT64_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char block[TAR_BLOCK_BYTES];
        struct tar_member put = {.name = "a.ring", .bytes = sizes[i], .regular = true}, got;
        tar_put_head(block, &put);
        assert_true(tar_get_head(&got, block));
        assert_string_equal(got.name, put.name);
        assert_true(got.bytes == put.bytes && got.regular);
        for (size_t byte = 0; byte < TAR_BLOCK_BYTES; byte++) {
            block[byte] ^= 1;
            bool in_sum = byte >= 148 && byte < 156; /* its last two bytes say nothing */
            assert_true(in_sum || !tar_get_head(&got, block));
            block[byte] ^= 1;
        }
    }
    assert_true(tar_padded(UINT64_MAX) % TAR_BLOCK_BYTES == 0);
}

/* However much is left of a packed file: an error or a sound trace. */
static void test_packed_cut(void **state)
{
    struct fixture *fixture = *state;
    char path[300];
    fixture->stream.open = 200;
    fixture_fill(fixture, TRACE_BLOCK_PAGES + 2);
    fixture_write(fixture);
    pack(fixture);
    (void)snprintf(path, sizeof path, "%s", fixture_path(fixture, PACKED));
    size_t before = SIZE_MAX;
    for (size_t left = file_bytes(fixture, PACKED); left > 0; left -= left > 700 ? 61 : 1) {
        assert_int_equal(truncate(path, (off_t)left - 1), 0);
        fixture_empty(fixture, FIXTURE_MEMORY);
        enum err error = trace_read(&fixture->trace, path, &fixture->arena, &fixture->diag);
        assert_true(error == ERR_OK || (error == ERR_FORMAT && left <= TAR_BLOCK_BYTES));
        size_t count = error == ERR_OK ? fixture->trace->span_count : 0;
        assert_true(count <= before);
        before = count;
    }
}

static void put_members(struct fixture *fixture, const struct tar_member *members, size_t count)
{
    FILE *file = builder_checked(fopen(fixture_path(fixture, PACKED), "we"));
    for (size_t i = 0; i < count; i++) {
        unsigned char block[TAR_BLOCK_BYTES];
        tar_put_head(block, &members[i]);
        assert_int_equal(fwrite(block, sizeof block, 1, file), 1);
    }
    assert_int_equal(fclose(file), 0);
}

static void test_hostile_members(void **state)
{
    struct fixture *fixture = *state;
    struct folder folder;
    struct folder_file file;
    const struct tar_member members[] = {
        {.name = "one.ring", .bytes = 0, .regular = true},
        {.name = "one.ring", .bytes = 512, .regular = true}, /* its bytes would be the next head */
        {.name = "hidden.ring", .bytes = 0, .regular = true},
        {.name = "../../up.ring", .bytes = UINT64_MAX, .regular = true},
        {.name = "after.ring", .bytes = 0, .regular = true},
    };
    put_members(fixture, members, sizeof members / sizeof *members);
    arena_init(&fixture->arena, FIXTURE_MEMORY);
    open_folder(&folder, fixture, fixture_path(fixture, PACKED));
    const char **names;
    size_t count;
    fixture_must(fixture, folder_list(&names, &count, &folder, ".ring", &fixture->arena, &fixture->diag));
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "one.ring");
    assert_string_equal(names[1], "up.ring");
    fixture_must(fixture, folder_file_open(&file, &folder, "one.ring", &fixture->diag));
    assert_int_equal(file.bytes, 0); /* the first */
    fixture_must(fixture, folder_file_open(&file, &folder, "up.ring", &fixture->diag));
    assert_int_equal(file.bytes, TAR_BLOCK_BYTES); /* what is there */
    folder_close(&folder);
}

static void test_no_trace(void **state)
{
    struct fixture *fixture = *state;
    char path[300];
    fixture_empty(fixture, FIXTURE_MEMORY);
    (void)snprintf(path, sizeof path, "%s", fixture_path(fixture, "text"));
    fixture_put(fixture, "text", "mine", 4);
    assert_int_equal(trace_read(&fixture->trace, path, &fixture->arena, &fixture->diag), ERR_FORMAT);
    assert_string_equal(fixture->diag.what, "is not a trace");
    const char *packed = fixture_path(fixture, PACKED);
    assert_int_equal(trace_pack(fixture->folder, packed, &fixture->arena, &fixture->diag), ERR_FORMAT);
    assert_string_equal(fixture->diag.what, "holds no trace");
    assert_int_equal(access(packed, F_OK), -1);
    assert_int_equal(trace_pack("/nonexistent", packed, &fixture->arena, &fixture->diag), ERR_IO);
    assert_int_equal(mkfifo(fixture_path(fixture, "fifo"), 0600), 0);
    struct folder folder; /* does not wait for a writer */
    assert_int_equal(folder_open(&folder, fixture_path(fixture, "fifo"), &fixture->arena, &fixture->diag), ERR_FORMAT);
    folder_close(&folder);
    folder_close(&folder);
}

static size_t entries(const char *path)
{
    size_t count = 0;
    DIR *folder = opendir(path);
    while (readdir(folder))
        count++;
    (void)closedir(folder);
    return count;
}

/* Whole or absent: a disk that is full in the middle leaves neither the file nor a part of it. */
static void test_no_room(void **state)
{
    struct fixture *fixture = *state;
    fixture_fill(fixture, TRACE_BLOCK_PAGES + 2);
    fixture_write(fixture);
    size_t before = entries(fixture->folder);
    for (rlim_t limit = 0; limit < 150000; limit += 9999) {
        pid_t child = fork();
        if (child == 0) {
            struct arena arena;
            arena_init(&arena, FIXTURE_MEMORY);
            (void)signal(SIGXFSZ, SIG_IGN);
            if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){limit, limit}) != 0)
                _exit(2);
            enum err error = trace_pack(fixture->folder, fixture_path(fixture, PACKED), &arena, NULL);
            _exit(error == ERR_IO ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(entries(fixture->folder), before);
    }
}

static void test_a_long_name(void **state)
{
    struct fixture *fixture = *state;
    char name[128];
    memset(name, 'x', sizeof name);
    memcpy(name + TAR_NAME_BYTES - 5, ".ring", 6);
    fixture_put(fixture, name, "", 0);
    pack(fixture);
    struct folder folder;
    open_folder(&folder, fixture, fixture_path(fixture, PACKED));
    assert_string_equal(folder.entries[0].name, name); /* all of its 100 bytes */
    folder_close(&folder);
    memset(name + TAR_NAME_BYTES - 5, 'x', 5);
    memcpy(name + TAR_NAME_BYTES - 4, ".ring", 6);
    fixture_put(fixture, name, "", 0);
    const char *packed = fixture_path(fixture, PACKED);
    assert_int_equal(trace_pack(fixture->folder, packed, &fixture->arena, &fixture->diag), ERR_FORMAT);
    assert_non_null(strstr(fixture->diag.what, "more than 100 bytes"));
}

static void test_too_many_files(void **state)
{
    struct fixture *fixture = *state;
    struct folder folder;
    struct tar_member *members = builder_checked(calloc(FOLDER_FILES_MAX + 1, sizeof *members));
    for (size_t i = 0; i <= FOLDER_FILES_MAX; i++) {
        members[i].regular = true;
        (void)snprintf(members[i].name, sizeof members[i].name, "%zu.ring", i);
    }
    fixture_empty(fixture, (size_t)64 << 20);
    put_members(fixture, members, FOLDER_FILES_MAX);
    open_folder(&folder, fixture, fixture_path(fixture, PACKED));
    assert_int_equal(folder.entry_count, FOLDER_FILES_MAX);
    folder_close(&folder);
    put_members(fixture, members, FOLDER_FILES_MAX + 1);
    assert_int_equal(folder_open(&folder, fixture_path(fixture, PACKED), &fixture->arena, &fixture->diag), ERR_FORMAT);
    assert_non_null(strstr(fixture->diag.what, "more than 65536 files"));
    folder_close(&folder);
    free(members);
}

/* Where the data of a sparse file end, wherever they are. */
static void test_where_data_end(void **state)
{
    static const uint64_t places[] = {0, 4096, 1 << 20, (uint64_t)1 << 30, ((uint64_t)1 << 40) - 4096};
    const uint64_t size = (uint64_t)1 << 40;
    struct fixture *fixture = *state;
    struct folder folder;
    arena_init(&fixture->arena, FIXTURE_MEMORY);
    open_folder(&folder, fixture, fixture->folder);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        AUTO(folder_file_close) struct folder_file file;
        AUTO(fd_close) int fd = open(fixture_path(fixture, "sparse"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_int_equal(ftruncate(fd, (off_t)size), 0);
        assert_int_equal(pwrite(fd, "x", 1, (off_t)places[i]), 1);
        fixture_must(fixture, folder_file_open(&file, &folder, "sparse", &fixture->diag));
        uint64_t end = folder_file_data_end(&file, size);
        assert_in_range(end, places[i] + 1, places[i] + ((uint64_t)2 << 20)); /* as coarse as the file system is */
        assert_int_equal(folder_file_data_end(&file, places[i] + 1), places[i] + 1);
        assert_in_range(folder_file_data_end(&file, places[i]), 0, places[i]);
        assert_int_equal(folder_file_data_end(&file, 0), 0);
    }
    folder_close(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_every_size_comes_back),
        FIXTURE_TEST(test_tar_opens_it),
        FIXTURE_TEST(test_a_tar_by_hand),
        cmocka_unit_test(test_sizes_of_members),
        FIXTURE_TEST(test_packed_cut),
        FIXTURE_TEST(test_hostile_members),
        FIXTURE_TEST(test_no_trace),
        FIXTURE_TEST(test_no_room),
        FIXTURE_TEST(test_a_long_name),
        FIXTURE_TEST(test_too_many_files),
        FIXTURE_TEST(test_where_data_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
