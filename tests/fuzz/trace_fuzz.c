/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes the trace reader. The input is the kind of a small valid trace (version 2, version 1, packed) and a list of
 * patches to its files, so that a few bytes reach every field. A patch may have the checks set right again, so that
 * what is absurd gets as far as it can.
 *
 *     kind (1 byte), then patches:
 *     patch: file and what to do (1 byte), offset (3 bytes, little endian), count (1 byte), that many bytes
 */
#include "base/arena.h"
#include "base/file.h"
#include "span/trace_invariants.h"
#include "trace/format_v1.h"
#include "trace/pack.h"
#include "trace/page_builder.h"
#include "trace/tar.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum trace_kind { KIND_V2, KIND_V1, KIND_PACKED, KINDS };
enum { PATCH, PATCH_CHECKED, CUT, ACTIONS };
enum { PATCH_HEAD_BYTES = 5, MEMORY_BYTES = 256, FILES_MAX = 4, PACKED_ROOM = 1 << 18 };

struct file {
    const char *name;
    const void *valid;
    size_t room, count; /* bytes there may be, and are when it is valid */
    void (*set_checks)(unsigned char *bytes, size_t count);
};

static char base[64], folder[80], packed[80];

/* Version 2: a process, a stream of one block in its file and two pages in its ring. */
static const char *const stages[] = {"a", "b", "c", NULL};
static struct built_process process;
static struct page_builder stream;

static struct v1_process v1_process;
static struct {
    struct v1_stream_head head;
    char pad[V1_HEAD_BYTES - sizeof(struct v1_stream_head)];
    struct v1_record ring[V1_RING_RECORDS];
    struct v1_record block[V1_RING_RECORDS];
} v1_stream;

static void set_page_checks(unsigned char *bytes, size_t count)
{
    for (size_t at = 0; at + TRACE_PAGE_BYTES <= count; at += TRACE_PAGE_BYTES) {
        uint64_t check = page_check(bytes + at);
        memcpy(bytes + at, &check, sizeof check);
    }
}

static void set_record_checks(unsigned char *bytes, size_t count)
{
    struct v1_stream_head head;
    (void)count; /* the room is never less */
    memcpy(&head, bytes, sizeof head);
    struct v1_record *ring = (struct v1_record *)(void *)(bytes + V1_HEAD_BYTES);
    for (uint64_t i = 0; i < V1_RING_RECORDS; i++) {
        ring[i].check = v1_record_check(&ring[i], head.start_ns, head.blocks * V1_RING_RECORDS + i);
        ring[V1_RING_RECORDS + i].check = v1_record_check(&ring[V1_RING_RECORDS + i], head.start_ns, i);
    }
}

/* Of every block that could be a head. */
static void set_tar_checks(unsigned char *bytes, size_t count)
{
    for (size_t at = 0; at + TAR_BLOCK_BYTES <= count; at += TAR_BLOCK_BYTES) {
        unsigned sum = 0;
        char text[8];
        if (memcmp(bytes + at + 257, "ustar", 5) != 0)
            continue;
        memset(bytes + at + 148, ' ', 8);
        for (size_t i = 0; i < TAR_BLOCK_BYTES; i++)
            sum += bytes[at + i];
        (void)snprintf(text, sizeof text, "%06o", sum);
        memcpy(bytes + at + 148, text, 7);
    }
}

static void make_v2(void)
{
    built_process_begin(&process, 1, 1000, stages);
    built_process_tsc(&process, 50000, 2);
    builder_begin(&stream, &process, 0);
    stream.open = sizeof(struct page_head) + 4 * RECORD_BYTES_MAX;
    while (stream.sequence < TRACE_BLOCK_PAGES + 2) {
        unsigned turn = (unsigned)stream.records;
        builder_lap(&stream, turn % 3, 1000);
        builder_span(&stream, 1 + turn % 3, 5 + ((uint64_t)turn << 18), 900, turn);
        if (turn % 7 == 0)
            builder_item(&stream, turn);
        builder_put(&stream, &(struct record){.kind = RECORD_IS_CLOCK, .delta = 3});
        builder_put(&stream, &(struct record){.kind = RECORD_IS_SPAN,
                                              .stage = turn % 5 ? 1 : TRACE_STAGE_FLUSH,
                                              .delta = 10,
                                              .rows = turn,
                                              .more = RECORD_CPU | RECORD_ALLOCATIONS,
                                              .cpu_ns = 3,
                                              .allocations = 2});
    }
}

static void make_v1(void)
{
    v1_process = (struct v1_process){.version = V1_VERSION, .stages = 3, .names = {"a", "b", "c"}};
    memcpy(v1_process.magic, V1_PROCESS_MAGIC, sizeof v1_process.magic);
    memcpy(v1_stream.head.magic, V1_STREAM_MAGIC, sizeof v1_stream.head.magic);
    v1_stream.head.version = V1_VERSION;
    v1_stream.head.blocks = 1;
    v1_stream.head.records = V1_RING_RECORDS + 5;
    for (uint32_t i = 0; i < V1_RING_RECORDS; i++) {
        v1_stream.block[i] = (struct v1_record){.start_ns = i, .end_ns = i + 1, .stage = 1 + i % 3};
        v1_stream.ring[i] = (struct v1_record){.start_ns = 2000 + i, .end_ns = 2001 + i, .stage = 1 + i % 3};
    }
    set_record_checks((unsigned char *)&v1_stream, sizeof v1_stream);
}

static void write_file(const char *path, const void *bytes, size_t count)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes, count) != (ssize_t)count || close(fd))
        abort();
}

static void write_into(const char *name, const void *bytes, size_t count)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    write_file(path, bytes, count);
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

static size_t make_packed(void *out)
{
    AUTO(arena_fini) struct arena arena;
    char *bytes;
    size_t count;
    arena_init(&arena, 1 << 20);
    built_process_write(&process, folder);
    builder_write(&stream, folder);
    require(trace_pack(folder, packed, &arena, NULL) == ERR_OK);
    require(file_read(&bytes, &count, packed, PACKED_ROOM, &arena, NULL) == ERR_OK);
    memcpy(out, bytes, count);
    require(dir_remove(folder, NULL) == ERR_OK && mkdir(folder, 0700) == 0);
    return count;
}

static void remove_base(void)
{
    builder_end(&stream);
    require(dir_remove(base, NULL) == ERR_OK);
}

static const struct file *files_of(enum trace_kind kind)
{
    static unsigned char memory[MEMORY_BYTES], tar[PACKED_ROOM];
    static struct file files[KINDS][FILES_MAX];
    if (base[0])
        return files[kind];
    (void)snprintf(base, sizeof base, "/dev/shm/venturi-fuzz-XXXXXX");
    require(mkdtemp(base) && atexit(remove_base) == 0);
    (void)snprintf(folder, sizeof folder, "%s/trace", base);
    (void)snprintf(packed, sizeof packed, "%s/packed", base);
    require(mkdir(folder, 0700) == 0);
    make_v2();
    make_v1();
    const struct file v2[] = {
        {"1-1000.ring", &process.slot, sizeof process.slot, sizeof process.slot, NULL},
        {"1-1000-0.ring", stream.slot, TRACE_SLOT_BYTES, TRACE_SLOT_BYTES, NULL},
        {"1-1000-0.spans", stream.file, stream.file_bytes, stream.file_bytes, set_page_checks},
        {TRACE_MEMORY_FILE, memory, sizeof memory, 0, NULL},
    };
    const struct file v1[] = {
        {"1-1.process", &v1_process, sizeof v1_process, sizeof v1_process, NULL},
        {"1-1-0.spans", &v1_stream, sizeof v1_stream, sizeof v1_stream, set_record_checks},
        {TRACE_MEMORY_FILE, memory, sizeof memory, 0, NULL},
    };
    memcpy(files[KIND_V2], v2, sizeof v2);
    memcpy(files[KIND_V1], v1, sizeof v1);
    files[KIND_PACKED][0] = (struct file){NULL, tar, sizeof tar, make_packed(tar), set_tar_checks};
    return files[kind];
}

/* A file while it is patched. */
struct copy {
    const struct file *file;
    unsigned char *bytes;
    size_t count;
};

static void patch(struct copy *copy, size_t offset, const uint8_t *data, size_t count)
{
    if (offset >= copy->file->room)
        return;
    count = count < copy->file->room - offset ? count : copy->file->room - offset;
    memcpy(copy->bytes + offset, data, count);
    copy->count = copy->count > offset + count ? copy->count : offset + count;
}

static void apply(struct copy *copies, size_t copy_count, const uint8_t *data, size_t bytes)
{
    while (bytes >= PATCH_HEAD_BYTES) {
        struct copy *copy = &copies[data[0] / ACTIONS % copy_count];
        unsigned action = data[0] % ACTIONS;
        size_t offset = (size_t)data[1] | (size_t)data[2] << 8 | (size_t)data[3] << 16, count = data[4];
        data += PATCH_HEAD_BYTES;
        bytes -= PATCH_HEAD_BYTES;
        count = count < bytes ? count : bytes;
        if (action == CUT)
            copy->count = offset < copy->count ? offset : copy->count;
        else
            patch(copy, offset, data, count);
        if (action == PATCH_CHECKED && copy->file->set_checks)
            copy->file->set_checks(copy->bytes, copy->count);
        data += count;
        bytes -= count;
    }
}

/* Writes the patched files of one kind; *copies holds FILES_MAX. */
static void make_trace(enum trace_kind kind, const uint8_t *data, size_t bytes)
{
    const struct file *files = files_of(kind);
    struct copy copies[FILES_MAX];
    size_t count = 0;
    for (; count < FILES_MAX && files[count].room > 0; count++) {
        copies[count] = (struct copy){&files[count], builder_checked(calloc(1, files[count].room)), files[count].count};
        memcpy(copies[count].bytes, files[count].valid, files[count].count);
    }
    apply(copies, count, data, bytes);
    for (size_t i = 0; i < count; i++) {
        if (kind == KIND_PACKED)
            write_file(packed, copies[i].bytes, copies[i].count);
        else
            write_into(files[i].name, copies[i].bytes, copies[i].count);
        free(copies[i].bytes);
    }
}

static void remove_files(const struct file *files)
{
    for (size_t i = 0; i < FILES_MAX && files[i].name; i++) {
        char path[160];
        (void)snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
        (void)unlink(path);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    AUTO(arena_fini) struct arena arena;
    struct trace *trace;
    struct diag diag;
    if (bytes == 0)
        return 0;
    enum trace_kind kind = (enum trace_kind)(data[0] % KINDS);
    make_trace(kind, data + 1, bytes - 1);
    arena_init(&arena, 8 * 1024 * 1024);
    if (trace_read(&trace, kind == KIND_PACKED ? packed : folder, &arena, &diag) == ERR_OK)
        require(trace_is_sound(trace));
    remove_files(files_of(kind));
    return 0;
}
