/* SPDX-License-Identifier: Apache-2.0 */
#include "synthesis/votes.h"

#include <string.h>

enum { CONSENSUS_VOTES = 3, INVESTIGATE_VOTES = 2 };

const struct stance *votes_stance(const struct findings *findings, const char *candidate)
{
    for (size_t i = 0; i < findings->stance_count; i++)
        if (strcmp(findings->stances[i].candidate, candidate) == 0)
            return &findings->stances[i];
    return NULL;
}

const char *votes_word(const struct findings *findings, const char *candidate)
{
    const struct stance *stance = votes_stance(findings, candidate);
    if (!findings->answered)
        return "no_answer";
    return vote_name(stance ? stance->vote : VOTE_NEUTRAL);
}

struct tally votes_count(const struct synthesis_input *input, const char *candidate)
{
    struct tally tally = {0};
    for (size_t i = 0; i < input->finding_count; i++) {
        const struct stance *stance = votes_stance(input->findings[i], candidate);
        enum vote vote = stance ? stance->vote : VOTE_NEUTRAL;
        if (!input->findings[i]->answered)
            tally.silent++;
        else if (vote == VOTE_RECOMMEND)
            tally.recommend++;
        else if (vote == VOTE_OPPOSE)
            tally.oppose++;
        else
            tally.neutral++;
    }
    return tally;
}

bool votes_disputed(struct tally tally)
{
    return tally.recommend > 0 && tally.oppose > 0;
}

enum consensus votes_consensus(struct tally tally)
{
    if (tally.recommend >= CONSENSUS_VOTES)
        return CONSENSUS_REACHED;
    if (votes_disputed(tally))
        return CONSENSUS_CONTRADICTION;
    return tally.recommend == INVESTIGATE_VOTES ? CONSENSUS_INVESTIGATE : CONSENSUS_NONE;
}

const char *consensus_name(enum consensus consensus)
{
    static const char *const NAMES[] = {"none", "consensus", "contradiction", "investigate"};
    return NAMES[consensus];
}

const char *votes_recommended_value(const struct synthesis_input *input, const char *candidate)
{
    for (size_t i = 0; i < input->finding_count; i++) {
        const struct stance *stance = votes_stance(input->findings[i], candidate);
        if (stance && stance->vote == VOTE_RECOMMEND && stance->change)
            return stance->change->to;
    }
    return NULL;
}
