/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/histogram.h"

#include <math.h>

uint64_t histogram_count(const struct histogram *histogram)
{
    uint64_t count = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        count += histogram->counts[i];
    return count;
}

/* The smallest duration of a bucket. */
static double least(size_t bucket)
{
    uint64_t bits = (uint64_t)(bucket + ((size_t)1023 << HISTOGRAM_STEP_BITS)) << (52 - HISTOGRAM_STEP_BITS);
    double value;
    memcpy(&value, &bits, sizeof value);
    return ceil(value) - 1;
}

/* The `rank`-th smallest duration, from 0. */
static double at_rank(const struct histogram *histogram, uint64_t rank)
{
    size_t bucket = 0;
    while (bucket + 1 < HISTOGRAM_BUCKETS && histogram->counts[bucket] <= rank)
        rank -= histogram->counts[bucket++];
    double low = least(bucket), width = least(bucket + 1) - low;
    double place = ((double)rank + 0.5) / (double)histogram->counts[bucket];
    return width > 1 ? low + (width - 1) * place : low;
}

double histogram_quantile(const struct histogram *histogram, uint64_t count, double q)
{
    double place = q * (double)(count - 1), below = floor(place);
    double low = at_rank(histogram, (uint64_t)below);
    double high = place > below ? at_rank(histogram, (uint64_t)below + 1) : low;
    return low + (high - low) * (place - below);
}
