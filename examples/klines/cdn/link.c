/* SPDX-License-Identifier: Apache-2.0 */
#include "cdn/link.h"

#define NS_PER_S 1e9

void link_init(struct link *link, const struct link_options *options, struct stop *stop)
{
    *link = (struct link){.options = *options, .stop = stop};
    pthread_mutex_init(&link->mutex, NULL);
}

void link_fini(struct link *link)
{
    pthread_mutex_destroy(&link->mutex);
}

static uint64_t next_answer(struct link *link)
{
    pthread_mutex_lock(&link->mutex);
    uint64_t number = link->answers++;
    pthread_mutex_unlock(&link->mutex);
    return number;
}

/* The shared link sends one piece after the other. */
static uint64_t shared_link_done_ns(struct link *link, size_t count)
{
    if (link->options.link_rate <= 0)
        return 0;
    uint64_t now_ns = stop_clock_ns();
    pthread_mutex_lock(&link->mutex);
    uint64_t from_ns = link->free_ns > now_ns ? link->free_ns : now_ns;
    uint64_t done_ns = link->free_ns = from_ns + (uint64_t)((double)count / link->options.link_rate * NS_PER_S);
    pthread_mutex_unlock(&link->mutex);
    return done_ns;
}

bool link_begin(struct transfer *transfer, struct link *link, bool new_connection, uint64_t bytes)
{
    const struct link_options *o = &link->options;
    struct rng rng;
    rng_init(&rng, o->seed + next_answer(link));
    double jitter = rng_uniform(&rng), slow = rng_uniform(&rng) < o->slow_ratio ? o->slow_factor : 1;
    bool reset = rng_uniform(&rng) < o->reset_ratio;
    *transfer = (struct transfer){.link = link, .rate = o->connection_rate / slow, .reset_at = UINT64_MAX};
    if (reset && bytes > 0)
        transfer->reset_at = rng_below(&rng, bytes);
    double wait_ns = ((double)o->first_byte_ns + jitter * (double)o->jitter_ns) * slow;
    if (new_connection)
        wait_ns += (double)o->connect_ns;
    return stop_sleep_until(link->stop, stop_clock_ns() + (uint64_t)wait_ns);
}

bool link_pass(struct transfer *transfer, uint64_t at, size_t count)
{
    if (at + count > transfer->reset_at)
        return false;
    if (transfer->start_ns == 0)
        transfer->start_ns = stop_clock_ns();
    uint64_t done_ns = shared_link_done_ns(transfer->link, count);
    if (transfer->rate > 0) {
        uint64_t own_ns = transfer->start_ns + (uint64_t)((double)(at + count) / transfer->rate * NS_PER_S);
        done_ns = own_ns > done_ns ? own_ns : done_ns;
    }
    return stop_sleep_until(transfer->link->stop, done_ns);
}
