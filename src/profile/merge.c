/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/merge.h"

#include <string.h>

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* `a` or `b`. As a choice of values: nobody can guess which, and compilers would make a branch of the usual one. */
static const struct moment *choose(bool first, const struct moment *a, const struct moment *b)
{
    return (const struct moment *)((uintptr_t)b ^ (((uintptr_t)a ^ (uintptr_t)b) & -(uintptr_t)first));
}

/* From both ends at once, which are two chains of dependent loads instead of one, and without a branch on the data.
 * As many steps as the shorter run has moments need no test for its end. */
static void merge_two(struct moment *out, struct run a, struct run b)
{
    struct moment *last = out + a.count + b.count;
    while (a.count > 0 && b.count > 0) {
        size_t steps = smaller(a.count, b.count);
        const struct moment *a_end = a.moments + a.count, *b_end = b.moments + b.count;
        for (size_t i = 0; i < steps; i++) {
            bool take_a = a.moments->at <= b.moments->at, leave_a = a_end[-1].at <= b_end[-1].at;
            *out++ = *choose(take_a, a.moments, b.moments);
            a.moments += take_a;
            b.moments += !take_a;
            *--last = *choose(leave_a, b_end - 1, a_end - 1);
            a_end -= !leave_a;
            b_end -= leave_a;
        }
        a.count = (size_t)(a_end - a.moments);
        b.count = (size_t)(b_end - b.moments);
    }
    struct run rest = a.count > 0 ? a : b;
    if (rest.count > 0)
        memcpy(out, rest.moments, rest.count * sizeof *out);
}

struct run merge_runs(struct run *runs, size_t count, struct moment *const spare[2])
{
    for (int side = 0; count > 1; side ^= 1) {
        struct moment *out = spare[side];
        size_t merged = 0;
        for (size_t i = 0; i < count; i += 2) {
            struct run other = i + 1 < count ? runs[i + 1] : (struct run){.count = 0};
            size_t moments = runs[i].count + other.count;
            merge_two(out, runs[i], other);
            runs[merged++] = (struct run){.moments = out, .count = moments};
            out += moments;
        }
        count = merged;
    }
    return runs[0];
}
