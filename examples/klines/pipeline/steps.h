/* SPDX-License-Identifier: Apache-2.0
 *
 * The stages of the pipeline, each a step that takes one month further and is one span in venturi's eyes.
 */
#pragma once

#include "pipeline/bytes.h"
#include "pipeline/options.h"
#include "pipeline/parse.h"

/** A month on its way. */
struct item {
    size_t number; /* 0 = the first month of the run */
    struct month month;
    struct bytes archive, csv;
    struct rows rows;
    enum status status; /* not OK: the steps behind are skipped, and the run ends when this month has its turn */
    struct failure failure;
};

/** What the steps work with; a download belongs to one thread. */
struct tools {
    const struct options *options;
    struct download *download;
    void *sink;
};

typedef enum status step(struct item *item, const struct tools *tools);

step step_download, step_extract, step_parse, step_ingest;
/** Download and extraction in one, the archive never in memory as a whole. */
step step_download_and_extract;

/** Registers the stages' names; call once, before any step. */
void steps_start(void);
struct item *item_new(size_t number, struct month month);
/** For queues: takes a struct item. */
void item_free(void *item);
