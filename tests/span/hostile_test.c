/* SPDX-License-Identifier: Apache-2.0
 *
 * Damaged traces: turned bits, cut files, rubbish over what was right. The reader says no or reads what is left; it
 * never takes a damaged record for a span.
 */
#include "base/random.h"
#include "trace/rings.h"
#include "trace_invariants.h"
#include "witness.h"

#include <dirent.h>
#include <fcntl.h>

enum { ROUNDS = 2000, SPANS = 4000, FILE_BYTES_MAX = 256 * 1024 };

static struct witness *witnesses;
static struct rings rings;

struct recorded {
    char path[600];
    unsigned char bytes[FILE_BYTES_MAX];
    size_t count;
};

static void record(void)
{
    char path[RINGS_PATH_BYTES];
    (void)setenv("VENTURI_RING", rings_path(path, &rings), 1);
    venturi_stage stage = venturi_stage_named("work");
    for (unsigned i = 0; i < SPANS; i++)
        witness_span(witnesses, 0, stage);
}

static size_t load_all(struct recorded *files, size_t capacity, const char *folder)
{
    size_t count = 0;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        struct recorded *file = &files[count];
        if (entry->d_name[0] == '.')
            continue;
        assert_true(count++ < capacity);
        (void)snprintf(file->path, sizeof file->path, "%s/%s", folder, entry->d_name);
        int fd = open(file->path, O_RDONLY | O_CLOEXEC);
        ssize_t got = read(fd, file->bytes, sizeof file->bytes);
        assert_true(got > 0);
        file->count = (size_t)got;
        (void)close(fd);
    }
    (void)closedir(entries);
    return count;
}

static void store(const struct recorded *file, const unsigned char *bytes, size_t count)
{
    int fd = open(file->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, count), (ssize_t)count);
    (void)close(fd);
}

/* Most of a file is records; half of the damage goes where the reader decides: into the head. */
static size_t place_in(const struct recorded *file, struct rng *rng)
{
    size_t head = sizeof(struct page_head);
    return (size_t)rng_below(rng, rng_coin(rng) ? head : file->count);
}

static size_t damage(unsigned char *bytes, const struct recorded *file, struct rng *rng)
{
    memcpy(bytes, file->bytes, file->count);
    size_t at = place_in(file, rng), most = file->count - at;
    switch (rng_below(rng, 4)) {
    case 0:
        bytes[at] = (unsigned char)(bytes[at] ^ 1u << rng_below(rng, 8));
        return file->count;
    case 1: /* rubbish */
        for (size_t i = 0; i < most && i < 64; i++)
            bytes[at + i] = (unsigned char)rng_next(rng);
        return file->count;
    case 2: /* a piece from elsewhere in the file */
        memmove(bytes + at, bytes + rng_below(rng, file->count - most / 2), most / 2);
        return file->count;
    default:
        return at;
    }
}

static void read_damaged(struct fixture *fixture)
{
    struct diag diag = {0};
    enum err error = fixture_try_read(fixture, &diag);
    if (error != ERR_OK) {
        assert_true(error == ERR_FORMAT && diag.what[0] != '\0');
        return;
    }
    assert_true(trace_is_sound(fixture->trace));
    for (size_t i = 0; i < fixture->trace->span_count; i++) {
        const struct span *span = &fixture->trace->spans[i];
        assert_true(span->item < SPANS && span->rows == 3 * span->item + 1 && span->bytes == ~span->item);
    }
}

static void test_damaged_traces(void **state)
{
    static struct recorded files[2];
    static unsigned char damaged[FILE_BYTES_MAX];
    struct fixture *fixture = *state;
    struct rng rng;
    rng_init(&rng, 4711);
    witnesses = witnesses_new();
    assert_int_equal(rings_open(&rings, NULL), ERR_OK);
    assert_int_equal(fixture_record(fixture, record), 0);
    assert_int_equal(rings_save(&rings, fixture->folder, NULL), ERR_OK);
    rings_close(&rings);
    assert_int_equal(load_all(files, 2, fixture->folder), 2);
    for (int round = 0; round < ROUNDS; round++) {
        const struct recorded *file = &files[rng_below(&rng, 2)];
        size_t count = damage(damaged, file, &rng);
        store(file, damaged, count);
        read_damaged(fixture);
        store(file, file->bytes, file->count);
    }
    assert_int_equal(fixture_read(fixture)->span_count, SPANS);
    witnesses_free(witnesses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {FIXTURE_TEST(test_damaged_traces)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
