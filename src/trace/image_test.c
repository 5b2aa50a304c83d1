/* SPDX-License-Identifier: Apache-2.0
 *
 * Power loss: of every page of every file the disk has some version, whichever, or another file's page, or nothing; of
 * a page of a `.spans` file, which is sealed, perhaps only some sectors. Whatever is read from such an image happened:
 * no span is invented, changed or doubled.
 */
#include "base/random.h"
#include "trace/trace_fixture.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IMAGES = 1000 };
#else
enum { IMAGES = 10000 };
#endif
enum {
    SEED = 77,
    MOMENTS = 48,
    SPANS = 32 * MOMENTS,
    PROCESS_PAGES = TRACE_PROCESS_BYTES / TRACE_PAGE_BYTES,
    SLOT_PAGES = 1 + TRACE_BLOCK_PAGES,
    FILE_PAGES = 3 * TRACE_BLOCK_PAGES,
};

struct truth {
    uint64_t start_ns, end_ns, item;
    const char *stage;
};

/* The files as they stood at one moment. */
struct moment {
    unsigned char process[PROCESS_PAGES][TRACE_PAGE_BYTES];
    unsigned char slot[SLOT_PAGES][TRACE_PAGE_BYTES];
    unsigned char file[FILE_PAGES][TRACE_PAGE_BYTES];
    size_t file_bytes;
};

struct history {
    struct moment moments[MOMENTS], foreign; /* of another stream */
    struct truth truth[SPANS];
    size_t spans;
    bool seen[SPANS];
};

/* One lap or span, told apart from all others by its rows. */
static void record_one(struct fixture *fixture, struct history *history, struct rng *rng)
{
    static const char *const names[] = {"parse", "ingest"};
    struct page_builder *stream = &fixture->stream;
    uint64_t lap_start = stream->lap_start;
    struct record record = {.kind = rng_coin(rng) ? RECORD_IS_LAP : RECORD_IS_SPAN,
                            .stage = 1 + (uint32_t)rng_below(rng, fixture->process.slot.stages),
                            .delta = rng_below(rng, 1000),
                            .rows = history->spans};
    if (record.kind == RECORD_IS_SPAN) {
        record.duration = rng_below(rng, stream->ticks);
        record.item = rng_below(rng, 5);
    } else if (rng_below(rng, 4) == 0) {
        builder_item(stream, rng_below(rng, 5));
    }
    uint64_t item = record.kind == RECORD_IS_LAP ? stream->lap_item : record.item;
    builder_put(stream, &record);
    uint64_t start = record.kind == RECORD_IS_LAP ? lap_start : stream->ticks - record.duration;
    history->truth[history->spans++] = (struct truth){start, stream->ticks, item, names[record.stage - 1]};
}

static void note(struct moment *out, const struct fixture *fixture)
{
    memcpy(out->process, &fixture->process.slot, sizeof fixture->process.slot);
    memcpy(out->slot, fixture->stream.slot, sizeof out->slot);
    assert_true(fixture->stream.file_bytes <= sizeof out->file);
    if (fixture->stream.file_bytes > 0)
        memcpy(out->file, fixture->stream.file, fixture->stream.file_bytes);
    out->file_bytes = fixture->stream.file_bytes;
}

static void record_history(struct fixture *fixture, struct history *history, struct rng *rng)
{
    struct page_builder foreign;
    fixture->process.slot.stages = 1; /* the second is named later */
    fixture->stream.open = 500;
    for (size_t i = 0; i < MOMENTS; i++) {
        if (i == MOMENTS / 4)
            fixture->process.slot.stages = 2;
        for (int span = 0; span < SPANS / MOMENTS; span++)
            record_one(fixture, history, rng);
        fixture->stream.slot->losses.misuse = i;
        note(&history->moments[i], fixture);
    }
    assert_true(fixture->stream.file_bytes >= TRACE_BLOCK_BYTES); /* there is something to mix */
    builder_begin(&foreign, &fixture->process, 1);
    foreign.open = fixture->stream.open;
    while (foreign.sequence < fixture->stream.sequence)
        builder_span(&foreign, 1, 999, 1, 99);
    memcpy(history->foreign.slot, foreign.slot, sizeof history->foreign.slot);
    memcpy(history->foreign.file, foreign.file, foreign.file_bytes);
    builder_end(&foreign);
}

/* Which moments the pages of an image are of: any, or those between two. */
struct window {
    size_t from, count;
};

static const struct moment *any_moment(const struct history *history, struct window window, struct rng *rng)
{
    return &history->moments[window.from + rng_below(rng, window.count)];
}

/* A page of the file, which is sealed, may even be torn between its sectors. */
static void tear(struct moment *out, struct rng *rng)
{
    enum { SECTOR = 512 };
    size_t at = SECTOR * (1 + rng_below(rng, TRACE_PAGE_BYTES / SECTOR - 1));
    unsigned char *page = out->file[rng_below(rng, FILE_PAGES)], *other = out->file[rng_below(rng, FILE_PAGES)];
    if (rng_coin(rng))
        memmove(page + at, other + at, TRACE_PAGE_BYTES - at);
    else
        memset(page + at, 0, TRACE_PAGE_BYTES - at);
}

static void make_image(struct moment *out, const struct history *history, struct rng *rng)
{
    struct window window = {.from = rng_below(rng, MOMENTS)};
    window.count = 1 + rng_below(rng, MOMENTS - window.from);
    for (size_t i = 0; i < PROCESS_PAGES; i++)
        memcpy(out->process[i], any_moment(history, window, rng)->process[i], TRACE_PAGE_BYTES);
    for (size_t i = 0; i < SLOT_PAGES; i++)
        memcpy(out->slot[i], any_moment(history, window, rng)->slot[i], TRACE_PAGE_BYTES);
    for (size_t i = 0; i < FILE_PAGES; i++)
        memcpy(out->file[i], any_moment(history, window, rng)->file[i], TRACE_PAGE_BYTES);
    out->file_bytes = any_moment(history, window, rng)->file_bytes;
    size_t slot = 1 + rng_below(rng, TRACE_BLOCK_PAGES), file = rng_below(rng, FILE_PAGES);
    if (rng_below(rng, 4) == 0)
        memcpy(out->slot[slot], history->foreign.slot[slot], TRACE_PAGE_BYTES);
    if (rng_below(rng, 4) == 0)
        memcpy(out->file[file], history->foreign.file[file], TRACE_PAGE_BYTES);
    if (rng_below(rng, 4) == 0)
        memset(out->slot[1 + rng_below(rng, TRACE_BLOCK_PAGES)], 0, TRACE_PAGE_BYTES);
    if (rng_below(rng, 4) == 0)
        memcpy(out->file[file], out->file[rng_below(rng, FILE_PAGES)], TRACE_PAGE_BYTES);
    if (rng_below(rng, 4) == 0)
        tear(out, rng);
}

static void check_spans(struct history *history, const struct trace *trace)
{
    memset(history->seen, 0, sizeof history->seen);
    for (size_t i = 0; i < trace->span_count; i++) {
        const struct span *span = &trace->spans[i];
        assert_true(span->rows < history->spans);
        const struct truth *truth = &history->truth[span->rows];
        assert_false(history->seen[span->rows]);
        history->seen[span->rows] = true;
        assert_int_equal(span->start_ns, truth->start_ns);
        assert_int_equal(span->end_ns, truth->end_ns);
        assert_int_equal(span->item, truth->item);
        assert_string_equal(trace->stages[span->stage], truth->stage);
    }
}

static void test_any_mix_of_old_and_new_pages(void **state)
{
    struct fixture *fixture = *state;
    struct history *history = builder_checked(calloc(1, sizeof *history));
    struct moment *image = builder_checked(calloc(1, sizeof *image));
    struct rng rng;
    uint64_t spans = 0, rejected = 0;
    rng_init(&rng, SEED);
    record_history(fixture, history, &rng);
    for (int i = 0; i < IMAGES; i++) {
        make_image(image, history, &rng);
        fixture_put(fixture, FIXTURE_PROCESS_RING, image->process, sizeof image->process);
        fixture_put(fixture, FIXTURE_RING, image->slot, sizeof image->slot);
        fixture_put(fixture, FIXTURE_SPANS, image->file, image->file_bytes);
        const struct trace *trace = fixture_read(fixture);
        check_spans(history, trace);
        spans += trace->span_count;
        rejected += trace->rejected > 0;
    }
    print_message("%d images: %llu spans, all of them true; %llu images show losses\n", IMAGES,
                  (unsigned long long)spans, (unsigned long long)rejected);
    assert_true(spans > (uint64_t)IMAGES * SPANS / 10);
    assert_true(rejected > IMAGES / 4);
    free(history);
    free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {FIXTURE_TEST(test_any_mix_of_old_and_new_pages)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
