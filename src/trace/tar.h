/* SPDX-License-Identifier: Apache-2.0
 *
 * Heads of tar members (POSIX ustar; sizes of 8 GiB and more as GNU tar writes them), to bytes and back.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { TAR_BLOCK_BYTES = 512, TAR_NAME_BYTES = 100 };

struct tar_member {
    char name[TAR_NAME_BYTES + 1]; /* the last part of its path */
    uint64_t bytes;
    bool regular; /* a file; else something to pass over */
};

/** False when the block is no head: its checksum is wrong, or it is all zeros, as behind the last member. */
bool tar_get_head(struct tar_member *out, const unsigned char block[TAR_BLOCK_BYTES]);
/** Head of a private regular file. Same member, same bytes: no time, no owner. */
void tar_put_head(unsigned char block[TAR_BLOCK_BYTES], const struct tar_member *member);

/** `bytes` with the padding behind them; up to the largest multiple. */
static inline uint64_t tar_padded(uint64_t bytes)
{
    const uint64_t mask = TAR_BLOCK_BYTES - 1;
    return bytes > UINT64_MAX - mask ? UINT64_MAX & ~mask : (bytes + mask) & ~mask;
}
