/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/rings.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };

static enum err prepare(int fd, struct diag *diag)
{
    const struct rings_head head = {.magic = TRACE_RINGS_MAGIC, .version = TRACE_VERSION, .slots = RINGS_SLOTS};
    off_t bytes = (off_t)(RINGS_SLOTS + 1) * TRACE_SLOT_BYTES;
    bool ready = ftruncate(fd, bytes) == 0 && pwrite(fd, &head, sizeof head, 0) == (ssize_t)sizeof head &&
                 fcntl(fd, F_ADD_SEALS, SEALS) == 0;
    return ready ? ERR_OK : diag_errno(diag, ERR_IO, errno, "memfd", "cannot prepare the recorders' shared memory");
}

enum err rings_open(struct rings *out, struct diag *diag)
{
    out->fd = memfd_create("venturi-rings", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (out->fd < 0)
        return diag_errno(diag, ERR_IO, errno, "memfd", "cannot make the recorders' shared memory");
    enum err error = prepare(out->fd, diag);
    if (error != ERR_OK)
        rings_close(out);
    return error;
}

const char *rings_path(char out[RINGS_PATH_BYTES], const struct rings *rings)
{
    (void)snprintf(out, RINGS_PATH_BYTES, "/proc/%d/fd/%d", (int)getpid(), rings->fd);
    return out;
}

/* Recorders write to the head: it is theirs, so what it says is bounded. */
static uint64_t slots_taken(const struct rings *rings)
{
    struct rings_head head = {.taken = 0};
    bool whole = pread(rings->fd, &head, sizeof head, 0) == (ssize_t)sizeof head;
    return !whole ? 0 : head.taken < RINGS_SLOTS ? head.taken : RINGS_SLOTS;
}

/* From here on nobody writes to the pages: what happens to them shows. */
static void seal(char *slot)
{
    for (size_t i = 1; i <= TRACE_BLOCK_PAGES; i++) {
        struct page_head head;
        char *page = slot + i * TRACE_PAGE_BYTES;
        memcpy(&head, page, sizeof head);
        if (head.sequence == 0)
            continue;
        head.check = page_check(page);
        memcpy(page, &head, sizeof head);
    }
}

/* A slot that never began stays a hole. */
static enum err copy_slot(int to, const struct rings *rings, uint64_t slot, char *bytes, struct diag *diag)
{
    static const char unborn[sizeof((struct stream_slot *)0)->magic];
    off_t from = (off_t)(slot + 1) * TRACE_SLOT_BYTES;
    if (pread(rings->fd, bytes, TRACE_SLOT_BYTES, from) != TRACE_SLOT_BYTES)
        return diag_errno(diag, ERR_IO, errno, "memfd", "cannot read the recorders' shared memory");
    if (memcmp(bytes, unborn, sizeof unborn) == 0)
        return ERR_OK;
    off_t at = (off_t)slot * TRACE_SLOT_BYTES;
    bool process = memcmp(bytes, TRACE_PROCESS_MAGIC, sizeof unborn) == 0;
    size_t count = process ? TRACE_PROCESS_BYTES : TRACE_SLOT_BYTES;
    if (!process)
        seal(bytes);
    if (lseek(to, at, SEEK_SET) != at)
        return diag_errno(diag, ERR_IO, errno, TRACE_LAB_RING, "cannot write");
    return fd_write_all(to, bytes, count, TRACE_LAB_RING, diag);
}

static enum err copy_slots(int to, const struct rings *rings, struct diag *diag)
{
    static _Alignas(8) char bytes[TRACE_SLOT_BYTES];
    uint64_t taken = slots_taken(rings);
    for (uint64_t slot = 0; slot < taken; slot++)
        TRY(copy_slot(to, rings, slot, bytes, diag));
    return ERR_OK;
}

enum err rings_save(const struct rings *rings, const char *folder, struct diag *diag)
{
    AUTO(fd_close) int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return diag_errno(diag, ERR_IO, errno, folder, "cannot open the trace");
    AUTO(fd_close) int to = openat(directory, TRACE_LAB_RING, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0)
        return diag_errno(diag, ERR_IO, errno, folder, "cannot save " TRACE_LAB_RING);
    return copy_slots(to, rings, diag);
}

void rings_close(struct rings *rings)
{
    fd_close(&rings->fd);
}
