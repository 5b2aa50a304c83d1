/* SPDX-License-Identifier: Apache-2.0
 *
 * klines: downloads months of one-minute klines, extracts and parses them and puts them into a database.
 */
#include "pipeline/flow.h"
#include "pipeline/steps.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

static enum status act(struct content *content, const struct options *options, void *sink, struct stop *stop,
                       struct failure *failure)
{
    switch (options->action) {
    case ACTION_RESET:
        return options->sink_kind->reset(sink, failure);
    case ACTION_CHECKSUM:
        return options->sink_kind->read(content, sink, failure);
    case ACTION_RUN:
        break;
    }
    return flow_run(content, options, sink, stop, failure);
}

static enum status run(struct content *content, const struct options *options, struct stop *stop,
                       struct failure *failure)
{
    void *sink;
    TRY(http_start(failure));
    TRY(options->sink_kind->open(&sink, &options->sink, failure));
    enum status status = act(content, options, sink, stop, failure);
    options->sink_kind->close(sink);
    return status;
}

int main(int argc, char **argv)
{
    struct options options;
    enum args_outcome outcome = options_read(&options, argc, argv);
    if (outcome != ARGS_RUN)
        return outcome == ARGS_DONE ? STATUS_OK : STATUS_USAGE;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file at its size limit is a full disk, not a crash */
    steps_start();

    struct stop stop;
    struct content content = {0};
    struct failure failure;
    stop_init(&stop);
    enum status status = run(&content, &options, &stop, &failure);
    stop_fini(&stop);
    if (status != STATUS_OK)
        fprintf(stderr, "klines: %s\n", failure.text);
    else if (options.action != ACTION_RESET)
        printf("rows %" PRIu64 " checksum %016" PRIx64 "\n", content.rows, content.checksum);
    return (int)status;
}
