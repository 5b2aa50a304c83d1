/* SPDX-License-Identifier: Apache-2.0
 *
 * A small pipeline to record: four files through three stages, ingest in batches on a thread of its own. It made the
 * traces that are kept for old_test, and the tests of the documents record it anew: `sample [BATCHES]`.
 */
#include "venturi.h"

#include <pthread.h>
#include <stdlib.h>

enum { FILES = 4, ROWS = 10 };

static unsigned batches = 300; /* of a file */

static void *ingest(void *unused)
{
    venturi_stage stage = venturi_stage_named("ingest");
    for (uint64_t file = 1; file <= FILES; file++) {
        for (unsigned batch = 0; batch < batches; batch++) {
            venturi_span span = venturi_begin(stage, file);
            venturi_end(&span, ROWS, (uint64_t)1000 * ROWS);
        }
    }
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    if (argc > 1)
        batches = (unsigned)strtoul(argv[1], NULL, 10);
    venturi_stage download = venturi_stage_named("download"), parse = venturi_stage_named("parse");
    venturi_span refused = venturi_begin(download, 1);
    venturi_fail(&refused);
    for (uint64_t file = 1; file <= FILES; file++) {
        venturi_lap_item(file);
        venturi_lap(download);
        venturi_lap_count(0, 2000000);
        venturi_lap(parse);
        venturi_lap_count((uint64_t)batches * ROWS, 6000000);
        venturi_lap_end();
    }
    if (pthread_create(&thread, NULL, ingest, NULL) != 0)
        return 1;
    return pthread_join(thread, NULL);
}
