/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of a trace: the one truth for the recorder (src/span) and the reader. docs/trace-format.md explains them.
 *
 * A trace is a folder. Each process makes one file, `<pid>-<start>.process`: its stages, and the losses that belong to
 * no stream. Each thread of it writes one stream, `<pid>-<start>-<n>.spans`:
 *
 *     +--------------------+ 0
 *     | struct stream_head |            fixed, 4096 bytes; preallocated and mapped by the writer
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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_STREAM_MAGIC "VENTURI1"
#define TRACE_PROCESS_MAGIC "VENTURIP"
#define TRACE_STREAM_SUFFIX ".spans"
#define TRACE_PROCESS_SUFFIX ".process"
#define TRACE_MEMORY_FILE "memory.samples"

enum {
    TRACE_VERSION = 1,
    TRACE_HEAD_BYTES = 4096,
    TRACE_RING_RECORDS = 1023,
    TRACE_STAGES_MAX = 255,
    TRACE_STAGE_NAME_BYTES = 63,
};
#define TRACE_CPU_UNKNOWN UINT64_MAX

enum span_outcome { SPAN_OK = 0, SPAN_FAILED = 1 };

/** One ended span, 64 bytes: a cache line. */
struct span_record {
    uint64_t start_ns, end_ns;
    uint64_t cpu_ns; /* thread CPU time inside the span, TRACE_CPU_UNKNOWN unless VENTURI_CPU=1 */
    uint64_t item;
    uint64_t rows, bytes;
    uint32_t stage;   /* 1-based place in the process file */
    uint32_t outcome; /* enum span_outcome */
    uint64_t check;   /* span_record_check: a torn, stale or foreign record does not pass */
};
_Static_assert(sizeof(struct span_record) == 64, "a record is a cache line");

enum {
    TRACE_BLOCK_BYTES = TRACE_RING_RECORDS * (int)sizeof(struct span_record),
    TRACE_STREAM_BYTES = TRACE_HEAD_BYTES + TRACE_BLOCK_BYTES, /* where the blocks begin */
};

/** Why spans were lost, each counted. */
struct span_losses {
    uint64_t write_failed; /* disk full, file gone or limited: the rest of that thread's spans */
    uint64_t no_stage;     /* stage 0 or unknown */
    uint64_t misuse;       /* ended twice or in a forked child, counted outside a lap */
    uint64_t no_stream;    /* the thread could not open its file */
    uint64_t interrupted;  /* ended in a signal handler that had interrupted the recorder itself */
};

/** `records` counts all that ended; the first `blocks` x 1023 of them stand in blocks, the rest in the ring. So one
 * store of `blocks` moves a ring that has been appended, and a kill at any point neither loses nor doubles a record. */
struct stream_head {
    char magic[8]; /* stored last: a stream without it never began */
    uint32_t version;
    uint32_t pid, tid; /* of the thread that opened it; another may go on with it after that one ended */
    uint32_t reserved;
    uint64_t start_ns; /* when the stream was opened */
    uint64_t blocks;   /* whole blocks appended so far (release store after the write) */
    uint64_t records;  /* records ended so far (release store after each) */
    struct span_losses losses;
};
_Static_assert(sizeof(struct stream_head) <= TRACE_HEAD_BYTES, "the head fits its page");

/** The whole of a process file, preallocated and mapped by the writer. */
struct process_file {
    char magic[8]; /* stored last */
    uint32_t version;
    uint32_t pid;
    uint64_t start_ns;
    uint64_t stages; /* names that stand (release store after each) */
    struct span_losses losses;
    char names[TRACE_STAGES_MAX][TRACE_STAGE_NAME_BYTES + 1]; /* NUL-padded */
};
_Static_assert(sizeof(struct process_file) == 72 + 255 * 64, "no padding");

/** Resident memory of the whole run at one moment. */
struct memory_sample {
    uint64_t at_ns;
    uint64_t resident_bytes;
};
_Static_assert(sizeof(struct memory_sample) == 16, "packed by order");

/** The check of the `sequence`-th record (from 0) of the stream opened at `stream_start_ns`: multiply-sum over the
 * fields, each word folded first so that its high bits count too. The factors are splitmix64's first outputs, made odd.
 */
static inline uint64_t span_record_check(const struct span_record *record, uint64_t stream_start_ns, uint64_t sequence)
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

/** Length in bytes of the printable UTF-8 character at `text`, 0 if there is none: controls, surrogates, overlong and
 *  cut sequences are refused. Reads no further than the first byte that does not fit, so a NUL ends it. */
static inline size_t stage_name_character(const unsigned char *text)
{
    static const uint32_t least[] = {0, 0x20, 0xa0, 0x800, 0x10000}; /* by length; 0x80 to 0x9f are controls */
    size_t length = *text < 0x80 ? 1 : *text < 0xc2 ? 0 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : *text < 0xf5 ? 4 : 0;
    if (length == 0)
        return 0;
    uint32_t code = length == 1 ? *text : *text & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3f);
    }
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < least[length] || code == 0x7f || code > 0x10ffff || surrogate ? 0 : length;
}

/** Length of a stage name: 1 to 63 bytes of printable UTF-8, NUL-terminated; 0 when it is none. */
static inline size_t stage_name_bytes(const char *name)
{
    size_t bytes = 0;
    while (name[bytes] != '\0') {
        size_t step = stage_name_character((const unsigned char *)name + bytes);
        if (step == 0 || bytes + step > TRACE_STAGE_NAME_BYTES)
            return 0;
        bytes += step;
    }
    return bytes;
}
