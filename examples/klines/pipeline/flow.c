/* SPDX-License-Identifier: Apache-2.0
 *
 * A chain of crews joined by bounded queues. A crew is one thread or several that each take a month through the crew's
 * steps. A serial run is one crew that does everything; concurrent downloads are a crew in front of it; with overlap
 * each step has a crew. A month that failed travels on in its place, so the run ends the same way however it is crewed.
 */
#include "pipeline/flow.h"

#include "pipeline/queue.h"
#include "pipeline/steps.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { STEPS_MAX = 4, CREWS_MAX = STEPS_MAX, QUEUE_MONTHS = 2 };

struct flow;

struct crew {
    struct flow *flow;
    step *const *steps;
    size_t step_count;
    unsigned workers;
    struct queue *in, *out; /* NULL at the ends of the chain */
};

struct flow {
    const struct options *options;
    void *sink;
    struct stop *stop;
    struct crew crews[CREWS_MAX];
    struct queue queues[CREWS_MAX - 1];
    size_t crew_count;
    atomic_size_t next; /* month to begin */
    /* What came out at the end; touched by the last crew only, which is one thread. */
    struct content content;
    /* The first reason to stop. */
    pthread_mutex_t mutex;
    enum status status;
    struct failure failure;
};

static void stop_flow(struct flow *flow, enum status status, const struct failure *failure)
{
    pthread_mutex_lock(&flow->mutex);
    if (flow->status == STATUS_OK) {
        flow->status = status;
        flow->failure = *failure;
    }
    pthread_mutex_unlock(&flow->mutex);
    stop_raise(flow->stop);
    for (size_t i = 0; i + 1 < flow->crew_count; i++)
        queue_stop(&flow->queues[i]);
}

/* The next month for this crew; NULL when there is none or the flow stops. */
static struct item *take_item(const struct crew *crew)
{
    struct flow *flow = crew->flow;
    if (crew->in != NULL)
        return queue_take(crew->in);
    size_t number = atomic_fetch_add(&flow->next, 1);
    if (number >= flow->options->months || stop_raised(flow->stop))
        return NULL;
    struct item *item = item_new(number, month_after(flow->options->from, (unsigned)number));
    if (item == NULL) {
        struct failure failure = {0};
        stop_flow(flow, fail_no_memory(&failure), &failure);
    }
    return item;
}

static void finish_item(struct flow *flow, struct item *item)
{
    if (item->status == STATUS_OK)
        content_merge(&flow->content, &item->rows.content);
    else
        stop_flow(flow, item->status, &item->failure);
    item_free(item);
}

static void hand_on(const struct crew *crew, struct item *item)
{
    if (crew->out == NULL)
        finish_item(crew->flow, item);
    else if (!queue_put(crew->out, item->number, item))
        item_free(item);
}

static void work(const struct crew *crew, const struct tools *tools)
{
    struct item *item;
    while ((item = take_item(crew)) != NULL) {
        for (size_t i = 0; i < crew->step_count && item->status == STATUS_OK; i++)
            item->status = crew->steps[i](item, tools);
        hand_on(crew, item);
    }
}

static void *run_worker(void *context)
{
    const struct crew *crew = context;
    struct flow *flow = crew->flow;
    struct download download = {0};
    struct failure failure;
    struct tools tools = {.options = flow->options, .download = &download, .sink = flow->sink};
    enum status status =
        crew->in == NULL ? download_init(&download, &flow->options->download, flow->stop, &failure) : STATUS_OK;
    if (status == STATUS_OK)
        work(crew, &tools);
    else
        stop_flow(flow, status, &failure);
    download_fini(&download);
    return NULL;
}

/* Cuts the chain of steps into crews: the first, which downloads, has `concurrency` workers. */
static enum status form_crews(struct flow *flow, step *const *steps, size_t step_count, struct failure *failure)
{
    const struct options *options = flow->options;
    bool first_alone = options->overlap || options->concurrency > 1;
    for (size_t at = 0; at < step_count; flow->crew_count++) {
        bool cut = at == 0 ? first_alone : options->overlap;
        struct crew *crew = &flow->crews[flow->crew_count];
        *crew = (struct crew){.flow = flow, .steps = steps + at, .step_count = cut ? 1 : step_count - at};
        crew->workers = at == 0 ? options->concurrency : 1;
        at += crew->step_count;
    }
    for (size_t i = 0; i + 1 < flow->crew_count; i++) {
        if (!queue_init(&flow->queues[i], flow->crews[i].workers + QUEUE_MONTHS, options->months))
            return fail_no_memory(failure);
        flow->crews[i].out = flow->crews[i + 1].in = &flow->queues[i];
    }
    return STATUS_OK;
}

static void start_and_join(struct flow *flow)
{
    pthread_t threads[CREWS_MAX + OPTIONS_CONCURRENCY_MAX];
    size_t count = 0;
    for (size_t c = 0; c < flow->crew_count; c++) {
        for (unsigned w = 0; w < flow->crews[c].workers; w++) {
            if (pthread_create(&threads[count], NULL, run_worker, &flow->crews[c]) == 0) {
                count++;
            } else {
                struct failure failure = {0};
                stop_flow(flow, fail_with(&failure, STATUS_INTERNAL, "cannot start a thread"), &failure);
            }
        }
    }
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static void flow_fini(struct flow *flow)
{
    for (size_t i = 0; i < CREWS_MAX - 1; i++)
        queue_fini(&flow->queues[i], item_free);
    pthread_mutex_destroy(&flow->mutex);
}

enum status flow_run(struct content *content, const struct options *options, void *sink, struct stop *stop,
                     struct failure *failure)
{
    static step *const apart[] = {step_download, step_extract, step_parse, step_ingest};
    static step *const streamed[] = {step_download_and_extract, step_parse, step_ingest};
    struct flow flow = {.options = options, .sink = sink, .stop = stop};
    pthread_mutex_init(&flow.mutex, NULL);
    enum status status =
        options->streaming ? form_crews(&flow, streamed, 3, failure) : form_crews(&flow, apart, 4, failure);
    if (status == STATUS_OK) {
        start_and_join(&flow);
        status = flow.status;
        *failure = flow.failure;
        *content = flow.content;
    }
    flow_fini(&flow);
    return status;
}
