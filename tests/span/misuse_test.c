/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls in any order with any arguments: no stage, spans never begun, ended twice, made of rubbish or by another
 * process. A model says what each call has to leave: a record, a count of what is lost, or nothing; the trace must hold
 * just that. The calls are a function of a seed, so the test plays them once more for the model alone.
 */
#include "base/random.h"
#include "venturi.h"
#include "walk.h"

#include <sys/mman.h>

enum { ROUNDS = SANITIZED ? 15 : 60, CALLS = 20000, SPANS = 64, NAMES = 40, DEPTH = 1000000 };
enum { OPEN = 1, ENDED = 2 }; /* venturi_span.state */

struct model_span {
    uint32_t state, stage;
    bool ours;     /* of this process */
    bool tomorrow; /* it begins after its end */
    uint64_t item;
};

struct model {
    struct rng rng;
    bool records; /* this is the process that makes the calls */
    uint32_t stages;
    bool named[NAMES];
    uint32_t numbers[NAMES];
    uint64_t item, lap_item, lap_rows, lap_bytes;
    uint32_t lap; /* stage; 0 = none */
    struct model_span spans[SPANS];
    venturi_span real[SPANS];
    struct span_losses losses;
    struct record *expected; /* CALLS of them; delta and duration mean nothing */
    size_t count;
};

static uint64_t any_number(struct rng *rng)
{
    return rng_next(rng) >> rng_below(rng, 64);
}

static uint32_t any_stage(struct model *model)
{
    uint64_t kind = rng_below(&model->rng, 8);
    uint32_t wild = (uint32_t)any_number(&model->rng);
    return kind == 0 ? wild : kind == 1 || model->stages == 0 ? 0 : 1 + wild % model->stages;
}

static bool is_known(const struct model *model, uint32_t stage)
{
    return stage - 1 < model->stages;
}

static void expect(struct model *model, const struct record *record)
{
    model->expected[model->count++] = *record;
}

static void require(bool holds)
{
    if (!holds)
        _exit(9);
}

static void name_a_stage(struct model *model)
{
    char name[16];
    size_t which = rng_below(&model->rng, NAMES);
    (void)snprintf(name, sizeof name, "stage %zu", which);
    if (!model->named[which]) {
        model->named[which] = true;
        model->numbers[which] = ++model->stages;
    }
    if (model->records)
        require(venturi_stage_named(name) == model->numbers[which]);
}

/* No stage comes of it; nor does a number, mostly. */
static void name_badly(struct model *model)
{
    static const char *const names[] = {NULL, "", "\n", "\x7f", "\xc3", "\xed\xa0\x80", "a\tb", "\xf5", "x\x80"};
    char longest[4096];
    size_t which = rng_below(&model->rng, sizeof names / sizeof *names + 1);
    memset(longest, 'x', sizeof longest);
    longest[64 + rng_below(&model->rng, sizeof longest - 64)] = '\0';
    if (model->records)
        require(venturi_stage_named(which < sizeof names / sizeof *names ? names[which] : longest) == 0);
}

static void end_lap(struct model *model)
{
    if (model->lap)
        expect(model, &(struct record){.kind = RECORD_IS_LAP,
                                       .stage = model->lap,
                                       .item = model->lap_item,
                                       .rows = model->lap_rows,
                                       .bytes = model->lap_bytes});
    model->lap = 0;
}

static void lap(struct model *model)
{
    uint32_t stage = any_stage(model);
    if (model->records)
        venturi_lap(stage);
    end_lap(model);
    model->lap = is_known(model, stage) ? stage : 0;
    model->losses.no_stage += model->lap == 0;
    model->lap_item = model->item;
    model->lap_rows = model->lap_bytes = 0;
}

static void lap_item(struct model *model)
{
    model->item = rng_coin(&model->rng) ? 0 : any_number(&model->rng);
    if (model->records)
        venturi_lap_item(model->item);
}

static void lap_count(struct model *model)
{
    uint64_t rows = any_number(&model->rng), bytes = any_number(&model->rng);
    if (model->records)
        venturi_lap_count(rows, bytes);
    model->losses.misuse += model->lap == 0;
    model->lap_rows += rows;
    model->lap_bytes += bytes;
}

static void lap_end(struct model *model)
{
    if (model->records)
        venturi_lap_end();
    end_lap(model);
}

static void begin(struct model *model)
{
    size_t i = rng_below(&model->rng, SPANS);
    struct model_span *span = &model->spans[i];
    *span = (struct model_span){.state = OPEN, .stage = any_stage(model), .ours = true};
    span->item = any_number(&model->rng);
    if (model->records)
        model->real[i] = venturi_begin(span->stage, span->item);
}

/* A span that nobody began. What it would have to say can still be right. */
static void make_up(struct model *model)
{
    size_t i = rng_below(&model->rng, SPANS);
    struct model_span *span = &model->spans[i];
    venturi_span rubbish;
    for (size_t byte = 0; byte < sizeof rubbish; byte++)
        ((unsigned char *)&rubbish)[byte] = (unsigned char)rng_next(&model->rng);
    bool ours = rng_coin(&model->rng), tomorrow = rng_coin(&model->rng);
    if (rng_coin(&model->rng))
        rubbish.stage = any_stage(model);
    if (rng_below(&model->rng, 4))
        rubbish.state = (uint32_t)rng_below(&model->rng, 4);
    rubbish.start_ticks = tomorrow ? UINT64_MAX - rubbish.start_ticks % 1000 : rubbish.start_ticks % 1000;
    *span = (struct model_span){rubbish.state, rubbish.stage, ours, tomorrow, rubbish.item};
    if (!model->records)
        return;
    uint32_t process = venturi_begin(0, 0).process;
    rubbish.process = ours ? process : process + 1 + rubbish.process % 1000;
    model->real[i] = rubbish;
}

static void copy(struct model *model)
{
    size_t to = rng_below(&model->rng, SPANS), from = rng_below(&model->rng, SPANS);
    model->spans[to] = model->spans[from];
    model->real[to] = model->real[from];
}

static void end(struct model *model, bool fail)
{
    size_t i = rng_below(&model->rng, SPANS);
    struct model_span *span = &model->spans[i];
    uint64_t rows = any_number(&model->rng), bytes = any_number(&model->rng);
    struct record record = {.kind = RECORD_IS_SPAN, .stage = span->stage, .item = span->item};
    if (model->records && fail)
        venturi_fail(&model->real[i]);
    else if (model->records)
        venturi_end(&model->real[i], rows, bytes);
    if (span->state == 0)
        return;
    if (span->state != OPEN || !span->ours) {
        model->losses.misuse++;
    } else if (!is_known(model, span->stage)) {
        model->losses.no_stage++;
    } else if (span->tomorrow) {
        model->losses.clock++;
    } else {
        record.rows = fail ? 0 : rows;
        record.bytes = fail ? 0 : bytes;
        record.more = fail ? RECORD_FAILED : 0;
        expect(model, &record);
    }
    span->state = ENDED;
}

static void end_nothing(struct model *model)
{
    venturi_span none = {0};
    if (!model->records)
        return;
    venturi_end(NULL, 1, 1);
    venturi_fail(NULL);
    venturi_end(&none, 1, 1);
}

static void call(struct model *model)
{
    switch (rng_below(&model->rng, 20)) {
    case 0:
        name_a_stage(model);
        break;
    case 1:
        name_badly(model);
        break;
    case 2:
    case 3:
    case 4:
        lap(model);
        break;
    case 5:
        lap_item(model);
        break;
    case 6:
    case 7:
        lap_count(model);
        break;
    case 8:
        lap_end(model);
        break;
    case 9:
    case 10:
    case 11:
    case 12:
        begin(model);
        break;
    case 13:
        make_up(model);
        break;
    case 14:
        copy(model);
        break;
    case 15:
        end_nothing(model);
        break;
    case 16:
        end(model, true);
        break;
    default:
        end(model, false);
        break;
    }
}

static void play(struct model *model, uint64_t seed, bool records)
{
    static struct record expected[CALLS];
    *model = (struct model){.records = records, .expected = expected};
    rng_init(&model->rng, seed);
    for (int i = 0; i < CALLS; i++)
        call(model);
}

struct check {
    const struct model *model;
    size_t seen;
};

static void check_span(void *context, const struct pages *pages, const struct pages_stream *stream,
                       const struct page_span *span)
{
    struct check *check = context;
    assert_true(check->seen < check->model->count);
    const struct record *expected = &check->model->expected[check->seen++], *found = &span->record;
    (void)pages;
    (void)stream;
    assert_true(found->kind == expected->kind && found->stage == expected->stage && span->item == expected->item);
    assert_true(found->rows == expected->rows && found->bytes == expected->bytes);
    assert_int_equal(found->more & RECORD_FAILED, expected->more);
    assert_true(span->start <= span->end);
}

static void play_and_check(struct fixture *fixture, uint64_t seed)
{
    static struct model model;
    int status;
    pid_t child = fixture_fork(fixture);
    if (child == 0) {
        if (seed % 3 == 1)
            (void)setenv("VENTURI_CLOCK", "monotonic", 1);
        if (seed % 4 == 1)
            (void)setenv("VENTURI_CPU", "1", 1);
        (void)venturi_stage_named(NULL); /* recording begins */
        play(&model, seed, true);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    play(&model, seed, false);
    struct check check = {.model = &model};
    struct walk walk = {.visit = check_span, .context = &check};
    walk_trace(&walk, fixture);
    assert_int_equal(check.seen, model.count);
    assert_memory_equal(&walk.losses, &model.losses, sizeof model.losses);
}

/* VENTURI_CALLS wants a longer run than usual. */
static void test_any_calls(void **state)
{
    const char *wanted = getenv("VENTURI_CALLS");
    uint64_t rounds = wanted ? strtoull(wanted, NULL, 10) / CALLS : ROUNDS;
    (void)state;
    for (uint64_t seed = 1; seed <= rounds; seed++) {
        void *own = NULL;
        assert_int_equal(seed % 2 ? fixture_setup(&own) : fixture_setup_in_lab(&own), 0);
        play_and_check(own, seed);
        assert_int_equal(fixture_teardown(&own), 0);
    }
}

/* A million spans inside one another. */
static void record_deep(void)
{
    static venturi_span spans[DEPTH];
    venturi_stage stage = venturi_stage_named("work");
    for (uint64_t i = 0; i < DEPTH; i++)
        spans[i] = venturi_begin(stage, i);
    for (uint64_t i = DEPTH; i > 0; i--)
        venturi_end(&spans[i - 1], i, 0);
}

struct depth {
    uint64_t next, start, end;
};

static void check_depth(void *context, const struct pages *pages, const struct pages_stream *stream,
                        const struct page_span *span)
{
    struct depth *outer = context;
    (void)pages;
    (void)stream;
    assert_true(span->record.rows == outer->next && span->item == outer->next - 1);
    assert_true(span->start <= outer->start && span->end >= outer->end);
    *outer = (struct depth){outer->next - 1, span->start, span->end};
}

static void test_a_million_spans_deep(void **state)
{
    struct depth depth = {.next = DEPTH, .start = UINT64_MAX};
    struct walk walk = {.visit = check_depth, .context = &depth};
    assert_int_equal(fixture_record(*state, record_deep), 0);
    walk_trace(&walk, *state);
    assert_int_equal(depth.next, 0);
    assert_int_equal(losses_sum(&walk.losses), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_calls),
        FIXTURE_LAB_TEST(test_a_million_spans_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
