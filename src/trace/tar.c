/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/tar.h"

#include <stdio.h>
#include <string.h>

/* Places of the fields: POSIX.1-2017, pax, "ustar Interchange Format". */
enum {
    NAME_AT = 0,
    MODE_AT = 100,
    OWNER_AT = 108,
    GROUP_AT = 116,
    SIZE_AT = 124,
    TIME_AT = 136,
    SUM_AT = 148,
    TYPE_AT = 156,
    MAGIC_AT = 257,
    SHORT_BYTES = 8, /* mode, owner, group, checksum */
    SIZE_BYTES = 12, /* size, time */
};
#define OCTAL_LIMIT ((uint64_t)1 << 33) /* 11 octal digits */

static bool get_octal(uint64_t *out, const unsigned char *field, size_t bytes)
{
    size_t at = 0;
    *out = 0;
    while (at < bytes && field[at] == ' ')
        at++;
    size_t first = at;
    for (; at < bytes && field[at] >= '0' && field[at] <= '7'; at++)
        *out = *out << 3 | (uint64_t)(field[at] - '0'); /* 12 digits are 36 bits */
    return at > first && (at == bytes || field[at] == ' ' || field[at] == '\0');
}

static bool get_size(uint64_t *out, const unsigned char *field)
{
    if (field[0] != 0x80)
        return get_octal(out, field, SIZE_BYTES);
    *out = 0;
    for (size_t i = 1; i < SIZE_BYTES; i++) {
        if (*out >> 56)
            return false;
        *out = *out << 8 | field[i];
    }
    return true;
}

/* The sum of all bytes, those of the sum itself taken for spaces. */
static unsigned sum_of(const unsigned char *block)
{
    unsigned sum = 0;
    for (size_t i = 0; i < TAR_BLOCK_BYTES; i++)
        sum += i >= SUM_AT && i < SUM_AT + SHORT_BYTES ? ' ' : block[i];
    return sum;
}

bool tar_get_head(struct tar_member *out, const unsigned char block[TAR_BLOCK_BYTES])
{
    uint64_t sum;
    char path[TAR_NAME_BYTES + 1] = {0};
    *out = (struct tar_member){.regular = block[TYPE_AT] == '0' || block[TYPE_AT] == '\0'};
    if (memcmp(block + MAGIC_AT, "ustar", 5) != 0 || !get_octal(&sum, block + SUM_AT, SHORT_BYTES) ||
        sum != sum_of(block) || !get_size(&out->bytes, block + SIZE_AT))
        return false;
    memcpy(path, block + NAME_AT, TAR_NAME_BYTES);
    const char *slash = strrchr(path, '/');
    (void)snprintf(out->name, sizeof out->name, "%s", slash ? slash + 1 : path);
    return true;
}

/* The lowest digits that leave room for a NUL. */
static void put_octal(unsigned char *field, size_t bytes, uint64_t value)
{
    field[bytes - 1] = '\0';
    for (size_t i = bytes - 1; i > 0; i--, value >>= 3)
        field[i - 1] = (unsigned char)('0' + (value & 7));
}

static void put_size(unsigned char *field, uint64_t bytes)
{
    if (bytes < OCTAL_LIMIT) {
        put_octal(field, SIZE_BYTES, bytes);
        return;
    }
    field[0] = 0x80;
    for (size_t i = SIZE_BYTES - 1; i > 0; i--, bytes >>= 8)
        field[i] = (unsigned char)bytes;
}

void tar_put_head(unsigned char block[TAR_BLOCK_BYTES], const struct tar_member *member)
{
    static const char magic[] = {'u', 's', 't', 'a', 'r', '\0', '0', '0'}; /* and its version, 00 */
    memset(block, 0, TAR_BLOCK_BYTES);
    for (size_t i = 0; i < TAR_NAME_BYTES && member->name[i]; i++)
        block[NAME_AT + i] = (unsigned char)member->name[i];
    put_octal(block + MODE_AT, SHORT_BYTES, 0600);
    put_octal(block + OWNER_AT, SHORT_BYTES, 0);
    put_octal(block + GROUP_AT, SHORT_BYTES, 0);
    put_size(block + SIZE_AT, member->bytes);
    put_octal(block + TIME_AT, SIZE_BYTES, 0);
    block[TYPE_AT] = '0';
    memcpy(block + MAGIC_AT, magic, sizeof magic);
    put_octal(block + SUM_AT, SHORT_BYTES - 1, sum_of(block));
    block[SUM_AT + SHORT_BYTES - 1] = ' ';
}
