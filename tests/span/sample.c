/* SPDX-License-Identifier: Apache-2.0
 *
 * A small pipeline to record: four files through three stages, ingest in batches on a thread of its own. It made the
 * folder trace-v1 (VENTURI_CPU=1), and the tests of the documents record it anew.
 */
#include "venturi.h"

#include <pthread.h>

enum { FILES = 4, BATCHES = 300, ROWS = 10 };

static void *ingest(void *unused)
{
    venturi_stage stage = venturi_stage_named("ingest");
    for (uint64_t file = 1; file <= FILES; file++) {
        for (unsigned batch = 0; batch < BATCHES; batch++) {
            venturi_span span = venturi_begin(stage, file);
            venturi_end(&span, ROWS, (uint64_t)1000 * ROWS);
        }
    }
    return unused;
}

int main(void)
{
    pthread_t thread;
    venturi_stage download = venturi_stage_named("download"), parse = venturi_stage_named("parse");
    venturi_span refused = venturi_begin(download, 1);
    venturi_fail(&refused);
    for (uint64_t file = 1; file <= FILES; file++) {
        venturi_lap_item(file);
        venturi_lap(download);
        venturi_lap_count(0, 2000000);
        venturi_lap(parse);
        venturi_lap_count(BATCHES * ROWS, 6000000);
        venturi_lap_end();
    }
    if (pthread_create(&thread, NULL, ingest, NULL) != 0)
        return 1;
    return pthread_join(thread, NULL);
}
