/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of findings.json; each table is in the order of its enum.
 */
#include "finding/name.h"

const char *const VOTE_NAMES[] = {"neutral", "recommend", "oppose", NULL};
const char *const BASIS_NAMES[] = {"confirmed", "measured", "injected", "simulated", "bounded", "claimed", NULL};
const char *const UNIT_NAMES[] = {"share", "ratio", "s", "rows", "rows/s", "bytes", "bytes/s", "count", NULL};

const char *vote_name(enum vote vote)
{
    return VOTE_NAMES[vote];
}

const char *basis_name(enum basis basis)
{
    return BASIS_NAMES[basis];
}

const char *unit_name(enum unit unit)
{
    return UNIT_NAMES[unit];
}
