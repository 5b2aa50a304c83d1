/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 (FIPS 180-4): equal outputs of runs, equal files. Not a hot path.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_BLOCK_BYTES = 64, SHA256_TEXT_BYTES = 2 * SHA256_BYTES + 1 };

struct sha256 {
    uint32_t state[8];
    uint64_t bytes;
    unsigned char block[SHA256_BLOCK_BYTES]; /* the last bytes % 64 that were added */
};

void sha256_init(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t bytes);
/** The digest of all that was added, in hexadecimal; the hash is used up. Returns `out`. */
const char *sha256_text(char out[SHA256_TEXT_BYTES], struct sha256 *hash);
