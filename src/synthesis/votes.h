/* SPDX-License-Identifier: Apache-2.0
 *
 * How the agents stand on a candidate. Votes say what to look at; they never decide (design: votes never outrank a
 * measurement).
 */
#pragma once

#include "finding/finding.h"
#include "synthesis/synthesis.h"

struct tally {
    size_t recommend, oppose, neutral, silent; /* silent: gave no answer at all */
};

enum consensus { CONSENSUS_NONE, CONSENSUS_REACHED, CONSENSUS_CONTRADICTION, CONSENSUS_INVESTIGATE };

/** The agent's stance, NULL when it took none. */
const struct stance *votes_stance(const struct findings *findings, const char *candidate);
/** "recommend", "oppose", "neutral" (also when it took no stance) or "no_answer". */
const char *votes_word(const struct findings *findings, const char *candidate);
struct tally votes_count(const struct synthesis_input *input, const char *candidate);
/** Three or more recommend: consensus. One recommends what another opposes: contradiction. Two recommend and nobody
 *  opposes: investigate. */
enum consensus votes_consensus(struct tally tally);
/** One recommends what another opposes, be it inside a consensus of three. */
bool votes_disputed(struct tally tally);
const char *consensus_name(enum consensus consensus); /* "none", "consensus", "contradiction", "investigate" */
/** The value of its knob that recommenders name first, in the order of agents; NULL when none does. */
const char *votes_recommended_value(const struct synthesis_input *input, const char *candidate);
