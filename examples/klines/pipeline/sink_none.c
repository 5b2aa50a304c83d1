/* SPDX-License-Identifier: Apache-2.0
 *
 * The sink that takes everything and keeps nothing: the pipeline without a database.
 */
#include "pipeline/sink.h"

static enum status none_open(void **sink, const struct sink_options *options, struct failure *failure)
{
    (void)options, (void)failure;
    *sink = NULL;
    return STATUS_OK;
}

static enum status none_begin(void *sink, struct month month, struct failure *failure)
{
    (void)sink, (void)month, (void)failure;
    return STATUS_OK;
}

static enum status none_write(uint64_t *bytes, void *sink, const struct kline *rows, size_t count, bool last,
                              struct failure *failure)
{
    (void)sink, (void)rows, (void)last, (void)failure;
    *bytes = count * sizeof *rows;
    return STATUS_OK;
}

static enum status none_settle(void *sink, size_t rows, struct failure *failure)
{
    (void)sink, (void)rows, (void)failure;
    return STATUS_OK;
}

static bool none_abandon(void *sink)
{
    (void)sink;
    return true;
}

static enum status none_reset(void *sink, struct failure *failure)
{
    (void)sink, (void)failure;
    return STATUS_OK;
}

static enum status none_read(struct content *content, void *sink, struct failure *failure)
{
    (void)sink;
    *content = (struct content){0};
    return fail_with(failure, STATUS_USAGE, "--checksum: the sink 'none' keeps nothing");
}

static void none_close(void *sink)
{
    (void)sink;
}

const struct sink_kind sink_none = {"none",       none_open,  none_begin, none_write, none_settle,
                                    none_abandon, none_reset, none_read,  none_close};
