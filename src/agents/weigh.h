/* SPDX-License-Identifier: Apache-2.0
 *
 * How an agent comes to its stances: bound first, then an experiment where the bound is worth one, then a vote.
 */
#pragma once

#include "agents/agent.h"
#include "agents/baseline.h"

/** What one value of a knob is predicted to be worth. */
struct value_prediction {
    const char *value;
    struct estimate estimate;
};

/** A candidate under way: asked for, then judged. */
struct weighing {
    const struct brief_candidate *candidate;
    struct value_prediction *predictions; /* written down before the experiment is asked for */
    size_t prediction_count;
    long long request; /* of the lab; 0 = not asked */
};

/** True when something can be set from outside and the bound allows a gain. */
bool worth_an_experiment(const struct brief_candidate *candidate);
/** Asks the lab: a sweep over the other values, or a comparison when there is one. */
CHECKED enum err weigh_ask(struct weighing *weighing, struct agent_task *task, struct diag *diag);
/** Adds the stance that follows from an experiment on the candidate's knob. */
void weigh_measured(struct findings *findings, const struct weighing *weighing, const struct brief_knob *knob,
                    const json_t *experiment);
/** Adds the stance on a candidate that was not measured: against it when its bound settles it. */
void weigh_unmeasured(struct findings *findings, const struct weighing *weighing);
/** Waits for the answer, if one was asked for, and adds the stance that follows. */
CHECKED enum err weigh_judge(struct findings *findings, const struct weighing *weighing, struct agent_task *task,
                             struct diag *diag);
/** Asks for all candidates that `agent` owns, then judges them in order. */
CHECKED enum err weigh_own(struct findings *findings, const char *agent, struct agent_task *task, struct diag *diag);
/** Adds the stances of a layer on everybody else's candidates: recommends what works on the bottleneck when this
 *  layer's stage (NULL = none) has room for more, else is neutral. */
void weigh_others(struct findings *findings, const char *agent, const char *layer_stage,
                  const struct baseline *baseline, const struct agent_task *task);
