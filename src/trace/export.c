/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/export.h"

#include "base/file.h"
#include "trace/page.h"
#include "trace/pages.h"
#include "trace/reader.h"

#include <string.h>

enum {
    BUFFER_BYTES = 1 << 16,
    SPAN_BYTES_MAX = 1024, /* a name of 63 bytes, each escaped, 12 numbers and their labels */
    NUMBER_BYTES = 20,
};
#define RECORDER "(recorder)"

struct exported {
    uint32_t process, thread;
    const char *stage;
    struct span span;
};

typedef char *put_span(char *out, const struct exported *one);

struct exporting {
    int fd;
    const char *to;
    put_span *put;
    const char *between; /* spans */
    char *buffer, *at;   /* BUFFER_BYTES */
    bool first;
    struct arena *arena;
    struct diag *diag;
};

static char *put_number(char *out, uint64_t value)
{
    char digits[NUMBER_BYTES], *at = digits + sizeof digits;
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    size_t bytes = (size_t)(digits + sizeof digits - at);
    memcpy(out, at, bytes);
    return out + bytes;
}

/* Microseconds with three decimals. */
static char *put_us(char *out, uint64_t ns)
{
    out = put_number(out, ns / 1000);
    *out++ = '.';
    *out++ = (char)('0' + ns / 100 % 10);
    *out++ = (char)('0' + ns / 10 % 10);
    *out++ = (char)('0' + ns % 10);
    return out;
}

static char *put_escaped(char *out, const char *name, const char *special, char escape)
{
    for (; *name; name++) {
        if (strchr(special, *name))
            *out++ = escape;
        *out++ = *name;
    }
    return out;
}

/* Names are printable. One that a spreadsheet would take for a formula gets an apostrophe, as OWASP advises. */
static char *put_csv_name(char *out, const char *name)
{
    bool quoted = strpbrk(name, ",\"") != NULL;
    if (quoted)
        *out++ = '"';
    if (strchr("=+-@", *name))
        *out++ = '\'';
    out = put_escaped(out, name, "\"", '"');
    if (quoted)
        *out++ = '"';
    return out;
}

static char *put_csv_number(char *out, uint64_t value, bool known)
{
    *out++ = ',';
    return known ? put_number(out, value) : out;
}

static const char CSV_HEAD[] =
    "process,thread,stage,start_ns,end_ns,item,rows,bytes,failed,cpu_ns,allocations,allocated_bytes\n";

static char *put_csv(char *out, const struct exported *one)
{
    const struct span *span = &one->span;
    out = put_number(out, one->process);
    out = put_csv_number(out, one->thread, true);
    *out++ = ',';
    out = put_csv_name(out, one->stage);
    out = put_csv_number(out, span->start_ns, true);
    out = put_csv_number(out, span->end_ns, true);
    out = put_csv_number(out, span->item, true);
    out = put_csv_number(out, span->rows, true);
    out = put_csv_number(out, span->bytes, true);
    out = put_csv_number(out, span->outcome == SPAN_FAILED, true);
    out = put_csv_number(out, span->cpu_ns, span->cpu_ns != TRACE_CPU_UNKNOWN);
    out = put_csv_number(out, span->allocations, span->allocations != TRACE_ALLOCATIONS_UNKNOWN);
    out = put_csv_number(out, span->allocated_bytes, span->allocated_bytes != TRACE_ALLOCATIONS_UNKNOWN);
    *out++ = '\n';
    return out;
}

static char *put_json_name(char *out, const char *label, const char *name)
{
    out = stpcpy(out, label);
    *out++ = '"';
    out = put_escaped(out, name, "\"\\", '\\');
    *out++ = '"';
    return out;
}

static char *put_json_number(char *out, const char *label, uint64_t value)
{
    return put_number(stpcpy(out, label), value);
}

/* Item, rows and what was measured; nothing that is not there. */
static char *put_json_work(char *out, const struct span *span)
{
    out = put_json_number(out, "\"item\":", span->item);
    if (span->rows | span->bytes) {
        out = put_json_number(out, ",\"rows\":", span->rows);
        out = put_json_number(out, ",\"bytes\":", span->bytes);
    }
    if (span->outcome == SPAN_FAILED)
        out = stpcpy(out, ",\"failed\":true");
    if (span->cpu_ns != TRACE_CPU_UNKNOWN)
        out = put_json_number(out, ",\"cpu_ns\":", span->cpu_ns);
    if (span->allocations != TRACE_ALLOCATIONS_UNKNOWN) {
        out = put_json_number(out, ",\"allocations\":", span->allocations);
        out = put_json_number(out, ",\"allocated_bytes\":", span->allocated_bytes);
    }
    return out;
}

static char *put_jsonl(char *out, const struct exported *one)
{
    out = put_json_number(out, "{\"process\":", one->process);
    out = put_json_number(out, ",\"thread\":", one->thread);
    out = put_json_name(out, ",\"stage\":", one->stage);
    out = put_json_number(out, ",\"start_ns\":", one->span.start_ns);
    out = put_json_number(out, ",\"end_ns\":", one->span.end_ns);
    *out++ = ',';
    return stpcpy(put_json_work(out, &one->span), "}\n");
}

static char *put_chrome(char *out, const struct exported *one)
{
    out = put_json_number(out, "{\"ph\":\"X\",\"pid\":", one->process);
    out = put_json_number(out, ",\"tid\":", one->thread);
    out = put_json_name(out, ",\"name\":", one->stage);
    out = put_us(stpcpy(out, ",\"ts\":"), one->span.start_ns);
    out = put_us(stpcpy(out, ",\"dur\":"), one->span.end_ns - one->span.start_ns);
    return stpcpy(put_json_work(stpcpy(out, ",\"args\":{"), &one->span), "}}");
}

static const struct {
    const char *name, *before, *between, *after;
    put_span *put;
} texts[] = {
    [TRACE_CSV] = {"csv", CSV_HEAD, "", "", put_csv},
    [TRACE_JSONL] = {"jsonl", "", "", "", put_jsonl},
    [TRACE_CHROME] = {"chrome", "{\"traceEvents\":[\n", ",\n", "\n]}\n", put_chrome},
};

bool trace_text_named(enum trace_text *out, const char *name)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(texts[i].name, name) == 0) {
            *out = (enum trace_text)i;
            return true;
        }
    }
    return false;
}

static enum err flush(struct exporting *exporting)
{
    size_t bytes = (size_t)(exporting->at - exporting->buffer);
    exporting->at = exporting->buffer;
    return fd_write_all(exporting->fd, exporting->buffer, bytes, exporting->to, exporting->diag);
}

static enum err add(struct exporting *exporting, const struct exported *one)
{
    if (!exporting->first)
        exporting->at = stpcpy(exporting->at, exporting->between);
    exporting->first = false;
    exporting->at = exporting->put(exporting->at, one);
    if (exporting->at - exporting->buffer > BUFFER_BYTES - SPAN_BYTES_MAX)
        return flush(exporting);
    return ERR_OK;
}

/* Where the stream has pages, by block, the newest first: a sparse file is not read where it holds nothing. */
static enum err find_blocks(uint32_t **out, size_t *out_count, struct pages *pages, const struct pages_stream *stream,
                            struct exporting *exporting)
{
    uint32_t *blocks = NULL;
    size_t count = 0, room = 0;
    uint32_t last = pages_before(pages, stream, 0);
    while (last > 0) {
        blocks = arena_room(exporting->arena, blocks, &room, count, sizeof *blocks);
        if (!blocks)
            return arena_exhausted(exporting->arena, exporting->diag);
        blocks[count] = (last - 1) / TRACE_BLOCK_PAGES;
        last = pages_before(pages, stream, blocks[count++] * TRACE_BLOCK_PAGES + 1);
    }
    *out = blocks;
    *out_count = count;
    return ERR_OK;
}

static enum err export_page(struct exporting *exporting, const struct pages *pages, const struct pages_stream *stream,
                            const unsigned char *page)
{
    const struct pages_process *process = stream->process;
    struct page_cursor cursor;
    struct page_span from;
    page_cursor_begin(&cursor, page, process->stage_count);
    while (page_cursor_next(&from, &cursor)) {
        uint32_t number = from.record.stage;
        bool recorder = number == TRACE_STAGE_FLUSH;
        uint16_t stage = recorder ? 0 : process->stages[number - 1];
        if (stage == PAGES_STAGE_NONE)
            continue;
        struct exported one = {.process = stream->pid,
                               .thread = stream->tid,
                               .stage = recorder ? RECORDER : pages->stages[stage],
                               .span = span_of_page(&from, &process->clock->line)};
        TRY(add(exporting, &one));
    }
    return ERR_OK;
}

static enum err export_stream(struct exporting *exporting, struct pages *pages, const struct pages_stream *stream,
                              unsigned char *block)
{
    uint32_t *blocks;
    size_t count;
    if (!stream->process)
        return ERR_OK; /* its stages have no names */
    TRY(find_blocks(&blocks, &count, pages, stream, exporting));
    for (; count > 0; count--) {
        uint32_t first = blocks[count - 1] * TRACE_BLOCK_PAGES + 1, left = stream->pages - (first - 1);
        uint32_t pages_here = left < TRACE_BLOCK_PAGES ? left : TRACE_BLOCK_PAGES;
        TRY(pages_read(block, pages, stream, first, pages_here, exporting->diag));
        for (uint32_t i = 0; i < pages_here; i++) {
            struct page_head head;
            memcpy(&head, block + (size_t)i * TRACE_PAGE_BYTES, sizeof head);
            if (head.sequence > 0)
                TRY(export_page(exporting, pages, stream, block + (size_t)i * TRACE_PAGE_BYTES));
        }
    }
    return ERR_OK;
}

/* Of a trace of version 1, which says neither process nor thread: its streams are numbered. */
static enum err export_memory(struct exporting *exporting, const char *from)
{
    struct trace *trace;
    TRY(trace_read(&trace, from, exporting->arena, exporting->diag));
    for (size_t i = 0; i < trace->span_count; i++) {
        const struct span *span = &trace->spans[i];
        TRY(add(exporting,
                &(struct exported){.thread = span->worker, .stage = trace->stages[span->stage], .span = *span}));
    }
    return ERR_OK;
}

static enum err export_spans(struct exporting *exporting, const char *from)
{
    AUTO(pages_close) struct pages pages;
    TRY(pages_open(&pages, from, exporting->arena, exporting->diag));
    unsigned char *block = ARENA_ARRAY(exporting->arena, unsigned char, TRACE_BLOCK_BYTES);
    if (!block)
        return arena_exhausted(exporting->arena, exporting->diag);
    if (pages.version == 1)
        return export_memory(exporting, from);
    for (size_t i = 0; i < pages.stream_count; i++)
        TRY(export_stream(exporting, &pages, &pages.streams[i], block));
    return ERR_OK;
}

enum err trace_export(int fd, const char *to, const char *from, enum trace_text text, struct arena *arena,
                      struct diag *diag)
{
    struct exporting exporting = {.fd = fd,
                                  .to = to,
                                  .put = texts[text].put,
                                  .between = texts[text].between,
                                  .buffer = ARENA_ARRAY(arena, char, BUFFER_BYTES),
                                  .first = true,
                                  .arena = arena,
                                  .diag = diag};
    if (!exporting.buffer)
        return arena_exhausted(arena, diag);
    exporting.at = stpcpy(exporting.buffer, texts[text].before);
    TRY(export_spans(&exporting, from));
    exporting.at = stpcpy(exporting.at, texts[text].after);
    return flush(&exporting);
}
