/* SPDX-License-Identifier: Apache-2.0
 *
 * The slots in the `*.ring` files of a trace: what processes and threads say of themselves. A slot that never began is
 * passed over; one of which a part is missing, too, and counted.
 */
#pragma once

#include "trace/folder.h"
#include "trace/format.h"

#include <stddef.h>
#include <stdint.h>

struct slot_place {
    const char *ring; /* file */
    uint64_t offset;  /* of the slot */
};

struct stream_found {
    struct stream_slot slot;
    struct slot_place at;
};

struct process_found {
    struct process_slot *slot;
    struct slot_place at;
};

struct slots {
    struct stream_found *streams;
    size_t stream_count, stream_capacity;
    struct process_found *processes;
    size_t process_count, process_capacity;
    uint64_t cut; /* slots of which a part is missing */
};

/** Collects the slots of all ring files, at most `limit` of them. */
CHECKED enum err slots_read(struct slots *out, size_t limit, const struct folder *folder, struct arena *arena,
                            struct diag *diag);
