/* SPDX-License-Identifier: Apache-2.0
 *
 * A measured run, ready to be played again: what each item cost in each stage.
 */
#pragma once

#include "whatif/piece.h"

/** What one item cost in one stage: the own time of all its spans there. */
struct service {
    double waiting_s, running_s;
    double crowd;     /* spans of the stage open meanwhile, itself included: >= 1 */
    bool cpu_unknown; /* no CPU time was measured: all of it stands as waiting */
};

struct sample {
    struct service *services; /* [item * stages + stage], items by first start */
    size_t items;
    double wall_s;    /* first start to last end */
    double outside_s; /* part of wall_s in which no span was open */
};

/** ERR_MEMORY only. A run without pieces gives a sample without items. */
CHECKED enum err sample_take(struct sample *out, const struct pieces *pieces, size_t stage_count, struct arena *arena,
                             struct diag *diag);
