/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/pipe.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STREAM_BYTES = 3 * PIPE_BYTES + 12345, PIECE_BYTES_MAX = 50000 };

struct writer {
    struct pipe *pipe;
    bool whole, taken;
};

static char byte_at(size_t place)
{
    return (char)(place * 31 + place / 251);
}

/* Writes pieces of every size. */
static void *write_stream(void *context)
{
    struct writer *writer = context;
    struct rng rng;
    static char piece[PIECE_BYTES_MAX];
    rng_init(&rng, 4);
    writer->taken = true;
    for (size_t done = 0, count; done < STREAM_BYTES && writer->taken; done += count) {
        count = 1 + (size_t)rng_below(&rng, PIECE_BYTES_MAX);
        count = count < STREAM_BYTES - done ? count : STREAM_BYTES - done;
        for (size_t i = 0; i < count; i++)
            piece[i] = byte_at(done + i);
        writer->taken = pipe_write(writer->pipe, piece, count);
    }
    pipe_end(writer->pipe, writer->whole);
    return NULL;
}

/* Reads at most `limit` bytes and leaves; returns the last answer. */
static ssize_t read_stream(size_t *seen, struct writer *writer, size_t limit)
{
    struct pipe *pipe = malloc(sizeof *pipe);
    pthread_t thread;
    const void *piece;
    ssize_t count;
    assert_non_null(pipe);
    pipe_init(pipe);
    writer->pipe = pipe;
    assert_int_equal(pthread_create(&thread, NULL, write_stream, writer), 0);
    *seen = 0;
    while (*seen < limit && (count = pipe_read(pipe, &piece)) > 0) {
        for (ssize_t i = 0; i < count; i++)
            assert_int_equal(((const char *)piece)[i], byte_at((*seen)++));
    }
    pipe_leave(pipe);
    pthread_join(thread, NULL);
    pipe_fini(pipe);
    free(pipe);
    return count;
}

static void all_bytes_arrive_in_order(void **state)
{
    struct writer writer = {.whole = true};
    size_t seen;
    (void)state;
    assert_int_equal(read_stream(&seen, &writer, SIZE_MAX), 0);
    assert_int_equal(seen, STREAM_BYTES);
}

static void a_broken_stream_says_so(void **state)
{
    struct writer writer = {.whole = false};
    size_t seen;
    (void)state;
    assert_int_equal(read_stream(&seen, &writer, SIZE_MAX), -1);
    assert_int_equal(seen, STREAM_BYTES);
}

static void a_reader_that_leaves_frees_the_writer(void **state)
{
    struct writer writer = {.whole = true};
    size_t seen;
    (void)state;
    read_stream(&seen, &writer, 1);
    assert_false(writer.taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_bytes_arrive_in_order),
        cmocka_unit_test(a_broken_stream_says_so),
        cmocka_unit_test(a_reader_that_leaves_frees_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
