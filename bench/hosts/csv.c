/* SPDX-License-Identifier: Apache-2.0
 *
 * bench-host-csv PASSES RESULT: a C program with short stages. It reads CSV in blocks of 16 KiB, parses the numbers,
 * checks the block with a CRC-32 and writes the numbers as binary: four laps a block, of 1 to 100 us. Source and target
 * lie in memory (memfd), so that no disk comes between. RESULT gets the CRC, the sum of all numbers and how many rows
 * there were.
 */
#include "venturi.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BLOCK_BYTES = 16 * 1024, SOURCE_ROWS = 40000, COLUMNS = 12, ROW_BYTES_MAX = 256, PASSES_MAX = 100000 };
enum { NUMBERS_MAX = (BLOCK_BYTES + ROW_BYTES_MAX) / 2 }; /* a digit and a comma each */

struct work {
    int source, target;
    char text[ROW_BYTES_MAX + BLOCK_BYTES]; /* a row that the block before cut, and a block */
    size_t kept, length;
    int64_t numbers[NUMBERS_MAX];
    size_t count;
    uint32_t table[256], crc;
    uint64_t sum, rows;
    venturi_stage read, parse, check, write;
};

static void need(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

static void write_whole(int fd, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length > 0) {
        ssize_t written = write(fd, at, length);
        need(written > 0, "write");
        at += written;
        length -= (size_t)written;
    }
}

/* Rows like those of a market: a time, prices and volumes with eight decimals, a count. */
static int make_source(void)
{
    uint64_t state = 1;
    char row[ROW_BYTES_MAX];
    int fd = memfd_create("source", MFD_CLOEXEC);
    need(fd >= 0, "memfd_create");
    for (int i = 0; i < SOURCE_ROWS; i++) {
        int used = snprintf(row, sizeof row, "%" PRIu64, UINT64_C(1704067200000) + (uint64_t)i * 60000);
        for (int column = 1; column < COLUMNS; column++) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            used += snprintf(row + used, sizeof row - (size_t)used, ",%u.%08u", (unsigned)(state >> 48),
                             (unsigned)(state >> 16) % 100000000U);
        }
        row[used] = '\n';
        write_whole(fd, row, (size_t)used + 1);
    }
    return fd;
}

/* CRC-32 of ISO 3309, reflected: a table of the remainders of each byte. */
static void make_table(uint32_t table[256])
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t rest = byte;
        for (int bit = 0; bit < 8; bit++)
            rest = rest >> 1 ^ (rest & 1 ? 0xedb88320U : 0);
        table[byte] = rest;
    }
}

static bool read_block(struct work *work)
{
    ssize_t got = read(work->source, work->text + work->kept, BLOCK_BYTES);
    need(got >= 0, "read");
    work->length = work->kept + (size_t)got;
    venturi_lap_count(0, (uint64_t)got);
    return got > 0;
}

/* All numbers of the whole rows, without their decimal points; what is left of the last row is kept for the next block.
 */
static void parse_block(struct work *work)
{
    const char *at = work->text, *last = memrchr(work->text, '\n', work->length);
    const char *end = last ? last + 1 : work->text;
    uint64_t rows = 0;
    int64_t number = 0;
    for (work->count = 0; at < end; at++) {
        if (*at >= '0' && *at <= '9') {
            number = number * 10 + (*at - '0');
        } else if (*at != '.') {
            work->numbers[work->count++] = number;
            number = 0;
            rows += *at == '\n';
        }
    }
    work->rows += rows;
    venturi_lap_count(rows, (uint64_t)(end - work->text));
}

static void check_block(struct work *work)
{
    uint32_t crc = work->crc;
    for (size_t i = work->kept; i < work->length; i++)
        crc = crc >> 8 ^ work->table[(crc ^ (unsigned char)work->text[i]) & 0xff];
    work->crc = crc;
    venturi_lap_count(0, work->length - work->kept);
}

static void write_block(struct work *work)
{
    for (size_t i = 0; i < work->count; i++)
        work->sum += (uint64_t)work->numbers[i];
    write_whole(work->target, work->numbers, work->count * sizeof *work->numbers);
    venturi_lap_count(work->count / COLUMNS, work->count * sizeof *work->numbers);
}

static void keep_rest(struct work *work)
{
    const char *last = memrchr(work->text, '\n', work->length);
    size_t used = last ? (size_t)(last + 1 - work->text) : 0;
    work->kept = work->length - used;
    need(work->kept < ROW_BYTES_MAX, "a row is too long");
    memmove(work->text, work->text + used, work->kept);
}

static void pass(struct work *work)
{
    need(lseek(work->source, 0, SEEK_SET) == 0 && lseek(work->target, 0, SEEK_SET) == 0, "lseek");
    for (;;) {
        venturi_lap(work->read);
        if (!read_block(work))
            break;
        venturi_lap(work->parse);
        parse_block(work);
        venturi_lap(work->check);
        check_block(work);
        venturi_lap(work->write);
        write_block(work);
        keep_rest(work);
    }
    venturi_lap_end();
}

int main(int argc, char **argv)
{
    static struct work work;
    unsigned long passes = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
    if (passes < 1 || passes > PASSES_MAX) {
        (void)fprintf(stderr, "usage: bench-host-csv PASSES RESULT, PASSES from 1 to %d\n", PASSES_MAX);
        return 2;
    }
    work.read = venturi_stage_named("read");
    work.parse = venturi_stage_named("parse");
    work.check = venturi_stage_named("check");
    work.write = venturi_stage_named("write");
    work.source = make_source();
    work.target = memfd_create("target", MFD_CLOEXEC);
    need(work.target >= 0, "memfd_create");
    make_table(work.table);
    for (unsigned long i = 0; i < passes; i++) {
        venturi_lap_item(i + 1);
        pass(&work);
    }
    FILE *result = fopen(argv[2], "w");
    need(result, argv[2]);
    int written = fprintf(result, "%08" PRIx32 " %" PRIu64 " %" PRIu64 "\n", work.crc, work.sum, work.rows);
    need(fclose(result) == 0 && written > 0, argv[2]);
    return 0;
}
