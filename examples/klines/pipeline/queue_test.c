/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ITEMS = 5000, WRITERS = 4, CAPACITY = 3 };

struct crew {
    struct queue queue;
    atomic_size_t next, refused;
    size_t items[ITEMS];
};

static void *put_items(void *context)
{
    struct crew *crew = context;
    size_t number;
    while ((number = atomic_fetch_add(&crew->next, 1)) < ITEMS) {
        crew->items[number] = number;
        if (!queue_put(&crew->queue, number, &crew->items[number]))
            atomic_fetch_add(&crew->refused, 1);
    }
    return NULL;
}

static size_t released;
static void count_release(void *item)
{
    (void)item;
    released++;
}

/* Takes until the end, or stops the queue at item `stop_at`; returns how many were taken. */
static size_t take_items(struct crew *crew, size_t stop_at)
{
    pthread_t threads[WRITERS];
    const size_t *item;
    size_t taken = 0;
    assert_true(queue_init(&crew->queue, CAPACITY, ITEMS));
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_items, crew), 0);
    while ((item = queue_take(&crew->queue)) != NULL) {
        assert_int_equal(*item, taken);
        if (taken++ == stop_at)
            queue_stop(&crew->queue);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    released = 0;
    queue_fini(&crew->queue, count_release);
    return taken;
}

static void items_come_out_in_order(void **state)
{
    static struct crew crew;
    (void)state;
    assert_int_equal(take_items(&crew, ITEMS), ITEMS);
    assert_int_equal(released, 0);
    assert_int_equal(crew.refused, 0);
}

/* Nobody hangs, and each item is taken, refused to its writer, or released. */
static void a_stopped_queue_loses_nothing(void **state)
{
    static struct crew crew;
    (void)state;
    size_t taken = take_items(&crew, 100);
    assert_int_equal(taken, 101);
    assert_int_equal(taken + crew.refused + released, ITEMS);
    assert_true(released <= CAPACITY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_order),
        cmocka_unit_test(a_stopped_queue_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
