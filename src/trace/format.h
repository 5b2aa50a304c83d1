/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of a trace, version 2: the one truth for the recorder (src/span), the lab and the reader.
 * docs/trace-format.md explains them; format_v1.h keeps the version before.
 *
 * A trace is a folder:
 *
 *     *.ring                  slots; a slot holds what a process or a thread has not written out yet
 *     <pid>-<start>-<n>.spans the whole blocks of the n-th stream of the process (pid, start), page s at (s - 1) x 4096
 *     memory.samples          by the lab: an array of struct memory_sample
 *
 * A slot is shared memory: of a sealed memfd that the lab holds and saves as `lab.ring` when the run has ended, or,
 * when no lab is there, of a preallocated file `<pid>-<start>[-<n>].ring`:
 *
 *     +---------------------+ 0                 +----------------------+ 0
 *     | struct stream_slot  |  of a thread      | struct process_slot  |  of a process
 *     +---------------------+ 4096              +----------------------+ 20480, the rest is unused
 *     | block: 16 pages     |
 *     +---------------------+ 69632
 *
 * A page is a struct page_head and records (record.h) up to a zero byte or its end; it can be read without any other.
 * A full block of pages is sealed (page_check) and appended to the `.spans` file, and the block is used again. All
 * integers are little endian.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_STREAM_MAGIC "VENTURI2"
#define TRACE_PROCESS_MAGIC "VENTURP2"
#define TRACE_RINGS_MAGIC "VENTURR2"
#define TRACE_SPANS_SUFFIX ".spans"
#define TRACE_RING_SUFFIX ".ring"
#define TRACE_LAB_RING "lab" TRACE_RING_SUFFIX
#define TRACE_MEMORY_FILE "memory.samples"

enum {
    TRACE_VERSION = 2,
    TRACE_PAGE_BYTES = 4096,
    TRACE_BLOCK_PAGES = 16,
    TRACE_BLOCK_BYTES = TRACE_BLOCK_PAGES * TRACE_PAGE_BYTES,
    TRACE_SLOT_BYTES = TRACE_PAGE_BYTES + TRACE_BLOCK_BYTES,
    TRACE_STAGES_MAX = 254,
    TRACE_STAGE_FLUSH =
        255, /* the recorder's own time, while it wrote a block out; it has no name in the process slot */
    TRACE_STAGE_NAME_BYTES = 63,
    TRACE_BOOT_BYTES = 36,
};

/** Why spans were lost, each counted. */
struct span_losses {
    uint64_t write_failed; /* disk full, file gone or limited: the rest of that thread's spans */
    uint64_t no_stage;     /* stage 0 or unknown */
    uint64_t misuse;       /* ended twice or in a forked child, counted outside a lap */
    uint64_t no_stream;    /* the thread could not have a slot */
    uint64_t interrupted;  /* ended in a signal handler that had interrupted the recorder itself */
    uint64_t clock;        /* it would have ended before it began: another core's clock stands elsewhere */
};

/** Head of a thread's slot. */
struct stream_slot {
    char magic[8]; /* stored last: a slot without it never began */
    uint32_t version;
    uint32_t pid; /* pid and process_start name the process */
    uint64_t process_start;
    uint32_t number; /* of the stream in its process, from 0: names its .spans file */
    uint32_t tid;    /* of the thread that opened it; another may go on with it after that one ended */
    struct span_losses losses;
};
_Static_assert(sizeof(struct stream_slot) <= TRACE_PAGE_BYTES, "the head fits its page");

enum trace_clock { CLOCK_IS_NS = 1, CLOCK_IS_TSC = 2 };

/** Slot of a process: its stages, and the losses that belong to no stream. */
struct process_slot {
    char magic[8]; /* stored last */
    uint32_t version;
    uint32_t pid;
    uint64_t start;              /* CLOCK_MONOTONIC ns when it began to record */
    uint64_t ticks, ns;          /* the same moment in ticks and in CLOCK_MONOTONIC ns */
    char boot[TRACE_BOOT_BYTES]; /* boot_id: processes of one boot share the clock */
    uint32_t clock;              /* enum trace_clock: what a tick is */
    uint64_t stages;             /* names that stand (release store after each) */
    struct span_losses losses;
    char names[TRACE_STAGES_MAX][TRACE_STAGE_NAME_BYTES + 1]; /* NUL-padded */
};
enum { TRACE_PROCESS_BYTES = 5 * TRACE_PAGE_BYTES };
_Static_assert(sizeof(struct process_slot) <= TRACE_PROCESS_BYTES, "fits its pages");

/** First page of the lab's memfd; slot i begins at (i + 1) x TRACE_SLOT_BYTES. In `lab.ring` slots stand from 0 on. */
struct rings_head {
    char magic[8];
    uint32_t version;
    uint32_t slots; /* how many there are */
    uint64_t taken; /* atomic: slots given out; more than `slots` once there are none left */
};

/** First bytes of a page. */
struct page_head {
    uint64_t check;     /* page_check once sealed; 0 while in the ring */
    uint32_t sequence;  /* from 1, in its stream; stored last: 0 = no page */
    uint32_t stream;    /* trace_stream_id: a page of another stream does not pass */
    uint64_t base;      /* ticks: the deltas of the records count from here */
    uint64_t ticks, ns; /* the same moment, when the page was opened, in ticks and in CLOCK_MONOTONIC ns */
    uint64_t lap_start; /* ticks: where the first lap of the page began */
    uint64_t lap_item;  /* and its item */
    uint64_t records;   /* records of the stream on earlier pages */
};
_Static_assert(sizeof(struct page_head) == 64, "no padding");

/** Resident memory of the whole run at one moment. */
struct memory_sample {
    uint64_t at_ns;
    uint64_t resident_bytes;
};
_Static_assert(sizeof(struct memory_sample) == 16, "packed by order");

/** Folds `word` into `hash`: splitmix64's finaliser. */
static inline uint64_t trace_mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0xbf58476d1ce4e5b9;
    hash = (hash ^ hash >> 27) * 0x94d049bb133111eb;
    return hash ^ hash >> 31;
}

static inline uint32_t trace_stream_id(uint32_t pid, uint64_t process_start, uint32_t number)
{
    return (uint32_t)trace_mix(trace_mix(process_start, pid), number);
}

/** The check of a page: all of its bytes but the check itself. Four lanes, each a bijection of every word it takes, so
 * that a change of one word never passes and the multiplications overlap. */
static inline uint64_t page_check(const void *page)
{
    enum { LANES = 4 };
    uint64_t lanes[LANES] = {0x9e3779b97f4a7c15, 0xe220a8397b1dcdaf, 0x6e789e6aa1b965f5, 0x06c45d188009454f};
    const char *at = (const char *)page, *end = at + TRACE_PAGE_BYTES;
    uint64_t check, words[LANES];
    __builtin_memcpy(&check, at, sizeof check);
    lanes[0] ^= check ^ check >> 32; /* takes it out again */
    for (; at < end; at += sizeof words) {
        __builtin_memcpy(words, at, sizeof words);
        lanes[0] = (lanes[0] ^ words[0] ^ words[0] >> 32) * 0xd6e8feb86659fd93;
        lanes[1] = (lanes[1] ^ words[1] ^ words[1] >> 32) * 0xd6e8feb86659fd93;
        lanes[2] = (lanes[2] ^ words[2] ^ words[2] >> 32) * 0xd6e8feb86659fd93;
        lanes[3] = (lanes[3] ^ words[3] ^ words[3] >> 32) * 0xd6e8feb86659fd93;
    }
    uint64_t sum = trace_mix(trace_mix(trace_mix(lanes[0], lanes[1]), lanes[2]), lanes[3]);
    return sum ? sum : 1;
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
