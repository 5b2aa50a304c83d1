/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/slots.h"

#include <string.h>

enum { MAGIC_BYTES = 8 };

struct reading {
    struct slots *slots;
    size_t limit;
    struct folder_file file;
};

static bool has_magic(const char *head, const char *magic)
{
    return memcmp(head, magic, MAGIC_BYTES - 1) == 0;
}

/* The last character of a magic is the version, as is the field behind it. */
static enum err check_version(const char *head, const char *magic, const char *file, struct diag *diag)
{
    uint32_t version;
    memcpy(&version, head + MAGIC_BYTES, sizeof version);
    if (head[MAGIC_BYTES - 1] == magic[MAGIC_BYTES - 1] && version == TRACE_VERSION)
        return ERR_OK;
    return diag_fail(diag, ERR_FORMAT, file, "use the venturi that recorded it, or a newer one",
                     "has version %u, this venturi reads %d", version, TRACE_VERSION);
}

static enum err check_room(const struct reading *reading, struct diag *diag)
{
    if (reading->slots->stream_count + reading->slots->process_count < reading->limit)
        return ERR_OK;
    return diag_fail(diag, ERR_FORMAT, reading->file.name, NULL, "more than %zu processes and threads", reading->limit);
}

static enum err add_stream(struct reading *reading, uint64_t offset, struct arena *arena, struct diag *diag)
{
    struct slots *slots = reading->slots;
    struct stream_found *room =
        arena_room(arena, slots->streams, &slots->stream_capacity, slots->stream_count, sizeof *room);
    if (!room)
        return arena_exhausted(arena, diag);
    slots->streams = room;
    struct stream_found *found = &room[slots->stream_count++];
    *found = (struct stream_found){.at = {.ring = reading->file.name, .offset = offset}};
    TRY(folder_file_read(&found->slot, sizeof found->slot, offset, &reading->file, diag));
    return check_version(found->slot.magic, TRACE_STREAM_MAGIC, reading->file.name, diag);
}

static enum err add_process(struct reading *reading, uint64_t offset, struct arena *arena, struct diag *diag)
{
    struct slots *slots = reading->slots;
    struct process_slot *slot = ARENA_NEW(arena, struct process_slot);
    struct process_found *room =
        arena_room(arena, slots->processes, &slots->process_capacity, slots->process_count, sizeof *room);
    if (!room || !slot)
        return arena_exhausted(arena, diag);
    slots->processes = room;
    room[slots->process_count++] =
        (struct process_found){.slot = slot, .at = {.ring = reading->file.name, .offset = offset}};
    TRY(folder_file_read(slot, sizeof *slot, offset, &reading->file, diag));
    return check_version(slot->magic, TRACE_PROCESS_MAGIC, reading->file.name, diag);
}

/* The magic is read first: once it stands, so does what it vouches for. */
static enum err read_slot(struct reading *reading, uint64_t offset, struct arena *arena, struct diag *diag)
{
    char magic[MAGIC_BYTES];
    TRY(folder_file_read(magic, sizeof magic, offset, &reading->file, diag));
    bool stream = has_magic(magic, TRACE_STREAM_MAGIC), process = has_magic(magic, TRACE_PROCESS_MAGIC);
    if (!stream && !process)
        return ERR_OK;
    if (reading->file.bytes - offset < (stream ? sizeof(struct stream_slot) : sizeof(struct process_slot))) {
        reading->slots->cut++;
        return ERR_OK;
    }
    TRY(check_room(reading, diag));
    return stream ? add_stream(reading, offset, arena, diag) : add_process(reading, offset, arena, diag);
}

/* From the end to the start, because the holes of a sparse file are stepped over in that direction. */
static enum err read_ring(struct reading *reading, struct arena *arena, struct diag *diag)
{
    uint64_t end = folder_file_data_end(&reading->file, reading->file.bytes);
    while (end > 0) {
        uint64_t offset = (end - 1) / TRACE_SLOT_BYTES * TRACE_SLOT_BYTES;
        TRY(read_slot(reading, offset, arena, diag));
        end = folder_file_data_end(&reading->file, offset);
    }
    return ERR_OK;
}

enum err slots_read(struct slots *out, size_t limit, const struct folder *folder, struct arena *arena,
                    struct diag *diag)
{
    const char **names;
    size_t count;
    *out = (struct slots){.stream_count = 0};
    TRY(folder_list(&names, &count, folder, TRACE_RING_SUFFIX, arena, diag));
    for (size_t i = 0; i < count; i++) {
        AUTO(folder_file_close) struct folder_file file;
        TRY(folder_file_open(&file, folder, names[i], diag));
        struct reading reading = {.slots = out, .limit = limit, .file = file};
        TRY(read_ring(&reading, arena, diag));
    }
    return ERR_OK;
}
