/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of a trace, version 1. Nobody writes it any more; v1.h reads it.
 *
 * A trace was a folder. Each process made one file, `<pid>-<start>.process`: its stages, and the losses that belong to
 * no stream. Each thread of it wrote one stream, `<pid>-<start>-<n>.spans`:
 *
 *     +--------------------+ 0
 *     | v1_stream_head     |            fixed, 4096 bytes; preallocated and mapped by the writer
 *     +--------------------+ 4096
 *     | ring: 1023 records |            the block being filled, mapped too: survives kill -9 of the process
 *     +--------------------+ 69568
 *     | whole blocks ...   |            full rings, appended with write()
 *     +--------------------+
 *
 * The lab adds `memory.samples`, an array of struct memory_sample. All integers are little endian; times are
 * CLOCK_MONOTONIC.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define V1_STREAM_MAGIC "VENTURI1"
#define V1_PROCESS_MAGIC "VENTURIP"
#define V1_STREAM_SUFFIX ".spans"
#define V1_PROCESS_SUFFIX ".process"

enum {
    V1_VERSION = 1,
    V1_HEAD_BYTES = 4096,
    V1_RING_RECORDS = 1023,
    V1_STAGES_MAX = 255,
    V1_STAGE_NAME_BYTES = 63,
};

/** One ended span, 64 bytes: a cache line. */
struct v1_record {
    uint64_t start_ns, end_ns;
    uint64_t cpu_ns; /* thread CPU time inside the span, UINT64_MAX unless VENTURI_CPU=1 */
    uint64_t item;
    uint64_t rows, bytes;
    uint32_t stage;   /* 1-based place in the process file */
    uint32_t outcome; /* enum span_outcome */
    uint64_t check;   /* v1_record_check: a torn, stale or foreign record does not pass */
};
_Static_assert(sizeof(struct v1_record) == 64, "a record is a cache line");

enum {
    V1_BLOCK_BYTES = V1_RING_RECORDS * (int)sizeof(struct v1_record),
    V1_STREAM_BYTES = V1_HEAD_BYTES + V1_BLOCK_BYTES, /* where the blocks begin */
};

/** Why spans were lost, each counted. */
struct v1_losses {
    uint64_t write_failed; /* disk full, file gone or limited: the rest of that thread's spans */
    uint64_t no_stage;     /* stage 0 or unknown */
    uint64_t misuse;       /* ended twice or in a forked child, counted outside a lap */
    uint64_t no_stream;    /* the thread could not open its file */
    uint64_t interrupted;  /* ended in a signal handler that had interrupted the recorder itself */
};

/** `records` counts all that ended; the first `blocks` x 1023 of them stand in blocks, the rest in the ring. So one
 * store of `blocks` moves a ring that has been appended, and a kill at any point neither loses nor doubles a record. */
struct v1_stream_head {
    char magic[8]; /* stored last: a stream without it never began */
    uint32_t version;
    uint32_t pid, tid; /* of the thread that opened it; another may go on with it after that one ended */
    uint32_t reserved;
    uint64_t start_ns; /* when the stream was opened */
    uint64_t blocks;   /* whole blocks appended so far (release store after the write) */
    uint64_t records;  /* records ended so far (release store after each) */
    struct v1_losses losses;
};
_Static_assert(sizeof(struct v1_stream_head) <= V1_HEAD_BYTES, "the head fits its page");

/** The whole of a process file, preallocated and mapped by the writer. */
struct v1_process {
    char magic[8]; /* stored last */
    uint32_t version;
    uint32_t pid;
    uint64_t start_ns;
    uint64_t stages; /* names that stand (release store after each) */
    struct v1_losses losses;
    char names[V1_STAGES_MAX][V1_STAGE_NAME_BYTES + 1]; /* NUL-padded */
};
_Static_assert(sizeof(struct v1_process) == 72 + 255 * 64, "no padding");

/** The check of the `sequence`-th record (from 0) of the stream opened at `stream_start_ns`: multiply-sum over the
 * fields, each word folded first so that its high bits count too. The factors are splitmix64's first outputs, made odd.
 */
static inline uint64_t v1_record_check(const struct v1_record *record, uint64_t stream_start_ns, uint64_t sequence)
{
    const uint64_t words[] = {
        record->start_ns,
        record->end_ns,
        record->cpu_ns,
        record->item,
        record->rows,
        record->bytes,
        (uint64_t)record->outcome << 32 | record->stage,
        stream_start_ns ^ sequence << 40 ^ sequence >> 24,
    };
    static const uint64_t factors[] = {
        0xe220a8397b1dcdaf, 0x6e789e6aa1b965f5, 0x06c45d188009454f, 0xf88bb8a8724c81ed,
        0x1b39896a51a8749b, 0x53cb9f0c747ea2eb, 0x2c829abe1f4532e1, 0xc584133ac916ab3d,
    };
    uint64_t sum = 0x3ee5789041c98ac3;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        sum += (words[i] ^ words[i] >> 32) * factors[i];
    return sum ^ sum >> 29;
}
