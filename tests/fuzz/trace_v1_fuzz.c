/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes the reader of traces of version 1. The input is a list of patches to a small valid trace, so that a few bytes reach every
 * field; a patch may have the checks of the records set right again, so that records with absurd fields get as far as
 * they can.
 *
 *     patch: kind (1 byte), offset (3 bytes, little endian), count (1 byte), that many bytes
 */
#include "base/arena.h"
#include "base/file.h"
#include "span/trace_invariants.h"
#include "trace/format_v1.h"
#include "trace/reader.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum patch_kind {
    PATCH_PROCESS,
    PATCH_STREAM,
    PATCH_STREAM_CHECKED,
    PATCH_MEMORY,
    CUT_PROCESS,
    CUT_STREAM,
    PATCH_KINDS
};
enum { PATCH_HEAD_BYTES = 5, MEMORY_BYTES = 256 };

struct file {
    const char *name;
    unsigned char *bytes;
    size_t size, count; /* room, used */
};

static struct v1_process process;
static struct {
    struct v1_stream_head head;
    char pad[V1_HEAD_BYTES - sizeof(struct v1_stream_head)];
    struct v1_record ring[V1_RING_RECORDS];
    struct v1_record block[V1_RING_RECORDS];
} stream;
static unsigned char memory[MEMORY_BYTES];
static char folder[64];

static void remove_folder(void)
{
    if (dir_remove(folder, NULL) != ERR_OK)
        abort();
}

static void make_folder(void)
{
    (void)snprintf(folder, sizeof folder, "/dev/shm/venturi-fuzz-XXXXXX");
    if (!mkdtemp(folder) || atexit(remove_folder))
        abort();
}

static void check_records(void)
{
    for (uint64_t i = 0; i < V1_RING_RECORDS; i++) {
        uint64_t in_ring = stream.head.blocks * V1_RING_RECORDS + i;
        stream.block[i].check = v1_record_check(&stream.block[i], stream.head.start_ns, i);
        stream.ring[i].check = v1_record_check(&stream.ring[i], stream.head.start_ns, in_ring);
    }
}

/* One block, five records in the ring, three stages, no memory samples. */
static void make_valid(void)
{
    process = (struct v1_process){.version = V1_VERSION, .stages = 3, .names = {"a", "b", "c"}};
    memcpy(process.magic, V1_PROCESS_MAGIC, sizeof process.magic);
    memset(memory, 0, sizeof memory);
    memset(&stream, 0, sizeof stream);
    memcpy(stream.head.magic, V1_STREAM_MAGIC, sizeof stream.head.magic);
    stream.head.version = V1_VERSION;
    stream.head.blocks = 1;
    stream.head.records = V1_RING_RECORDS + 5;
    for (uint32_t i = 0; i < V1_RING_RECORDS; i++) {
        stream.block[i] = (struct v1_record){.start_ns = i, .end_ns = i + 1, .stage = 1 + i % 3};
        stream.ring[i] = (struct v1_record){.start_ns = 2000 + i, .end_ns = 2001 + i, .stage = 1 + i % 3};
    }
    check_records();
}

static void patch(struct file *file, size_t offset, const uint8_t *data, size_t count)
{
    if (offset >= file->size)
        return;
    count = count < file->size - offset ? count : file->size - offset;
    memcpy(file->bytes + offset, data, count);
    file->count = file->count > offset + count ? file->count : offset + count;
}

static void write_file(const struct file *file)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, file->name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, file->bytes, file->count) != (ssize_t)file->count || close(fd))
        abort();
}

static void apply(struct file *files, const uint8_t *data, size_t bytes)
{
    while (bytes >= PATCH_HEAD_BYTES) {
        enum patch_kind kind = data[0] % PATCH_KINDS;
        size_t offset = (size_t)data[1] | (size_t)data[2] << 8 | (size_t)data[3] << 16, count = data[4];
        data += PATCH_HEAD_BYTES;
        bytes -= PATCH_HEAD_BYTES;
        count = count < bytes ? count : bytes;
        struct file *file = &files[kind == PATCH_MEMORY ? 2 : kind == PATCH_PROCESS || kind == CUT_PROCESS ? 0 : 1];
        if (kind == CUT_PROCESS || kind == CUT_STREAM)
            file->count = offset < file->count ? offset : file->count;
        else
            patch(file, offset, data, count);
        if (kind == PATCH_STREAM_CHECKED)
            check_records();
        data += count;
        bytes -= count;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    AUTO(arena_fini) struct arena arena;
    struct file files[] = {
        {"1-1.process", (unsigned char *)&process, sizeof process, sizeof process},
        {"1-1-0.spans", (unsigned char *)&stream, sizeof stream, sizeof stream},
        {TRACE_MEMORY_FILE, memory, sizeof memory, 0},
    };
    struct trace *trace;
    struct diag diag;
    if (folder[0] == '\0')
        make_folder();
    make_valid();
    apply(files, data, bytes);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        write_file(&files[i]);
    arena_init(&arena, 8 * 1024 * 1024);
    if (trace_read(&trace, folder, &arena, &diag) == ERR_OK && !trace_is_sound(trace))
        abort();
    return 0;
}
