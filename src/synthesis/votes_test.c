/* SPDX-License-Identifier: Apache-2.0 */
#include "synthesis/votes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void consensus_follows_the_votes(void **state)
{
    (void)state;
    static const struct {
        struct tally tally; /* recommend, oppose, neutral, silent */
        enum consensus consensus;
        bool disputed;
    } CASES[] = {
        {{4, 0, 0, 0}, CONSENSUS_REACHED, false},      {{3, 0, 1, 0}, CONSENSUS_REACHED, false},
        {{3, 1, 0, 0}, CONSENSUS_REACHED, true},       {{2, 0, 2, 0}, CONSENSUS_INVESTIGATE, false},
        {{2, 0, 1, 1}, CONSENSUS_INVESTIGATE, false},  {{2, 1, 1, 0}, CONSENSUS_CONTRADICTION, true},
        {{1, 1, 2, 0}, CONSENSUS_CONTRADICTION, true}, {{1, 3, 0, 0}, CONSENSUS_CONTRADICTION, true},
        {{1, 0, 3, 0}, CONSENSUS_NONE, false},         {{0, 4, 0, 0}, CONSENSUS_NONE, false},
        {{0, 0, 0, 4}, CONSENSUS_NONE, false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        assert_string_equal(consensus_name(votes_consensus(CASES[i].tally)), consensus_name(CASES[i].consensus));
        assert_int_equal(votes_disputed(CASES[i].tally), CASES[i].disputed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(consensus_follows_the_votes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
