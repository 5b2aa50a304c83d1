/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/steps.h"

#include "pipeline/extract.h"
#include "pipeline/pipe.h"

#include <stdlib.h>
#include <venturi.h>

/* No real month comes near; an archive that does is hostile. */
enum { ROW_BYTES_MAX = 256, CSV_BYTES_MAX = MONTH_ROWS_MAX * ROW_BYTES_MAX, ARCHIVE_BYTES_MAX = CSV_BYTES_MAX };

static venturi_stage download, extract, parse, ingest;

void steps_start(void)
{
    download = venturi_stage_named("download");
    extract = venturi_stage_named("extract");
    parse = venturi_stage_named("parse");
    ingest = venturi_stage_named("ingest");
}

struct item *item_new(size_t number, struct month month)
{
    struct item *item = calloc(1, sizeof *item);
    if (item == NULL)
        return NULL;
    item->number = number;
    item->month = month;
    bytes_init(&item->archive, ARCHIVE_BYTES_MAX);
    bytes_init(&item->csv, CSV_BYTES_MAX);
    return item;
}

void item_free(void *pointer)
{
    struct item *item = pointer;
    bytes_fini(&item->archive);
    bytes_fini(&item->csv);
    rows_fini(&item->rows);
    free(item);
}

static enum status end_span(venturi_span *span, enum status status, uint64_t rows, uint64_t bytes)
{
    if (status == STATUS_OK)
        venturi_end(span, rows, bytes);
    else
        venturi_fail(span);
    return status;
}

struct names {
    char archive[48], csv[48];
};

static void item_names(struct names *names, const struct item *item, const struct tools *tools)
{
    month_file_name(names->archive, sizeof names->archive, tools->options->sink.symbol, item->month, ".zip");
    month_file_name(names->csv, sizeof names->csv, tools->options->sink.symbol, item->month, ".csv");
}

static bool keep(void *archive, const char *data, size_t bytes)
{
    return bytes_add(archive, data, bytes);
}

enum status step_download(struct item *item, const struct tools *tools)
{
    struct names names;
    uint64_t bytes;
    item_names(&names, item, tools);
    venturi_span span = venturi_begin(download, item->number);
    enum status status = download_file(&bytes, tools->download, names.archive, keep, &item->archive, &item->failure);
    return end_span(&span, status, 0, bytes);
}

/* Lends all of the archive, then nothing. */
static ssize_t next_of_memory(void *context, const void **piece)
{
    struct bytes *rest = context;
    ssize_t bytes = (ssize_t)rest->count;
    *piece = rest->data;
    rest->count = 0;
    return bytes;
}

enum status step_extract(struct item *item, const struct tools *tools)
{
    struct names names;
    struct bytes rest = item->archive;
    struct source source = {next_of_memory, &rest};
    item_names(&names, item, tools);
    venturi_span span = venturi_begin(extract, item->number);
    enum status status = extract_csv(&item->csv, &source, names.csv, &item->failure);
    bytes_fini(&item->archive);
    return end_span(&span, status, 0, item->csv.count);
}

/* The extracting side of step_download_and_extract, in a thread of its own. */
struct extraction {
    struct pipe pipe;
    struct item *item;
    const char *csv_name;
    enum status status;
    struct failure failure;
};

static ssize_t next_of_pipe(void *pipe, const void **piece)
{
    return pipe_read(pipe, piece);
}

static bool pour(void *pipe, const char *data, size_t bytes)
{
    return pipe_write(pipe, data, bytes);
}

static void *run_extraction(void *context)
{
    struct extraction *extraction = context;
    struct source source = {next_of_pipe, &extraction->pipe};
    const void *rest;
    venturi_span span = venturi_begin(extract, extraction->item->number);
    extraction->status = extract_csv(&extraction->item->csv, &source, extraction->csv_name, &extraction->failure);
    while (extraction->status == STATUS_OK && pipe_read(&extraction->pipe, &rest) > 0)
        ; /* the archive's directory, which stands behind the file */
    pipe_leave(&extraction->pipe);
    (void)end_span(&span, extraction->status, 0, extraction->item->csv.count);
    return NULL;
}

static enum status pour_file(struct item *item, const struct tools *tools, const char *name, struct pipe *pipe)
{
    uint64_t bytes;
    venturi_span span = venturi_begin(download, item->number);
    enum status status = download_file(&bytes, tools->download, name, pour, pipe, &item->failure);
    pipe_end(pipe, status == STATUS_OK);
    return end_span(&span, status, 0, bytes);
}

enum status step_download_and_extract(struct item *item, const struct tools *tools)
{
    struct names names;
    pthread_t thread;
    item_names(&names, item, tools);
    struct extraction *extraction = calloc(1, sizeof *extraction);
    if (extraction == NULL)
        return fail_no_memory(&item->failure);
    extraction->item = item;
    extraction->csv_name = names.csv;
    pipe_init(&extraction->pipe);
    enum status status = fail_with(&item->failure, STATUS_INTERNAL, "cannot start a thread");
    if (pthread_create(&thread, NULL, run_extraction, extraction) == 0) {
        status = pour_file(item, tools, names.archive, &extraction->pipe);
        pthread_join(thread, NULL);
        if (extraction->status != STATUS_OK && !extraction->pipe.broken) { /* else the download is to blame */
            status = extraction->status;
            item->failure = extraction->failure;
        }
    }
    pipe_fini(&extraction->pipe);
    free(extraction);
    return status;
}

enum status step_parse(struct item *item, const struct tools *tools)
{
    struct names names;
    item_names(&names, item, tools);
    venturi_span span = venturi_begin(parse, item->number);
    enum status status = parse_csv(&item->rows, &item->csv, item->month, names.csv, &item->failure);
    uint64_t bytes = item->csv.count;
    bytes_fini(&item->csv);
    return end_span(&span, status, item->rows.count, bytes);
}

/* One span a batch, as that is what costs. */
static enum status write_batches(struct item *item, const struct tools *tools)
{
    const struct sink_kind *kind = tools->options->sink_kind;
    size_t batch_rows = tools->options->batch_rows, rows = item->rows.count;
    for (size_t done = 0; done < rows; done += batch_rows) {
        size_t count = rows - done < batch_rows ? rows - done : batch_rows;
        uint64_t bytes = 0;
        venturi_span span = venturi_begin(ingest, item->number);
        enum status status =
            kind->write(&bytes, tools->sink, item->rows.items + done, count, done + count == rows, &item->failure);
        TRY(end_span(&span, status, count, bytes));
    }
    return STATUS_OK;
}

/* Accepted is not queryable: the wait in between is a span without rows. */
static enum status settle(struct item *item, const struct tools *tools)
{
    venturi_span span = venturi_begin(ingest, item->number);
    enum status status = tools->options->sink_kind->settle(tools->sink, item->rows.count, &item->failure);
    return end_span(&span, status, 0, 0);
}

enum status step_ingest(struct item *item, const struct tools *tools)
{
    const struct sink_kind *kind = tools->options->sink_kind;
    enum status status = kind->begin(tools->sink, item->month, &item->failure);
    if (status == STATUS_OK)
        status = write_batches(item, tools);
    if (status == STATUS_OK)
        status = settle(item, tools);
    if (status != STATUS_OK && !kind->abandon(tools->sink)) {
        struct failure first = item->failure;
        return fail_with(&item->failure, status, "%.500s; the half month goes when klines next opens the sink",
                         first.text);
    }
    return status;
}
