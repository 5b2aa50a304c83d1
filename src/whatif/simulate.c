/* SPDX-License-Identifier: Apache-2.0
 *
 * A visit is one item in one stage. Visits end one at a time, and whatever can begin then was allowed to by that end;
 * going back along these causes from the last end is the critical path, without gaps.
 *
 * A bounded queue is a window: a group may begin an item while fewer than its workers plus the room of the queue behind
 * it are between the two beginnings. That is what a worker blocked before a full queue comes to, and it cannot lock up
 * when the queue waits for an item that is still being worked on.
 */
#include "whatif/simulate.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define NO_CAUSE ((size_t)-1)

struct visit {
    double begin_s, end_s;
    size_t cause; /* the visit whose end let this one begin */
};

struct task {
    size_t item, stage, group;
    double waiting_s, running_s; /* left to do */
};

/** Stages `first` to `end` - 1, and the queue in front of them. */
struct group {
    size_t first, end, crew;
    size_t *queue;          /* items in the order in which they may begin */
    bool *arrived;          /* of each item: it came, but an earlier one has not */
    size_t released, taken; /* of `queue`: filled, begun */
};

struct simulator {
    struct group *groups; /* [stages] */
    struct task *tasks;   /* [items]: an item is in one place */
    struct visit *visits; /* [item * stages + stage] */
    unsigned *idle;       /* workers of each crew */
    size_t *waiters;      /* of each stage: its tasks that wait */
    size_t stage_count, group_count, item_count, task_count;
    const struct plan *plan;
    const struct service *services;
    const struct conditions *conditions;
    double now_s;
};

enum err simulator_new(struct simulator **out, size_t stage_count, size_t items, struct arena *arena, struct diag *diag)
{
    struct simulator *simulator = *out = ARENA_NEW(arena, struct simulator);
    if (!simulator)
        return arena_exhausted(arena, diag);
    *simulator = (struct simulator){.groups = ARENA_ARRAY(arena, struct group, stage_count),
                                    .tasks = ARENA_ARRAY(arena, struct task, items),
                                    .visits = ARENA_ARRAY(arena, struct visit, items * stage_count),
                                    .idle = ARENA_ARRAY(arena, unsigned, stage_count),
                                    .waiters = ARENA_ARRAY(arena, size_t, stage_count),
                                    .stage_count = stage_count};
    if (!simulator->groups || !simulator->tasks || !simulator->visits || !simulator->idle || !simulator->waiters)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < stage_count; i++) {
        struct group *group = &simulator->groups[i];
        group->queue = ARENA_ARRAY(arena, size_t, items);
        group->arrived = ARENA_ARRAY(arena, bool, items);
        if (!group->queue || !group->arrived)
            return arena_exhausted(arena, diag);
    }
    return ERR_OK;
}

static void form_groups(struct simulator *simulator)
{
    const size_t *crew = simulator->plan->crew;
    simulator->group_count = 0;
    for (size_t first = 0, end; first < simulator->stage_count; first = end) {
        for (end = first + 1; end < simulator->stage_count && crew[end] == crew[first];)
            end++;
        struct group *group = &simulator->groups[simulator->group_count++];
        group->first = first;
        group->end = end;
        group->crew = crew[first];
        group->released = group->taken = 0;
        memset(group->arrived, 0, simulator->item_count * sizeof *group->arrived);
    }
}

static void arrive(const struct simulator *simulator, struct group *group, size_t item)
{
    if (!simulator->conditions->in_order) {
        group->queue[group->released++] = item;
        return;
    }
    group->arrived[item] = true;
    for (; group->released < simulator->item_count && group->arrived[group->released]; group->released++)
        group->queue[group->released] = group->released;
}

static void begin_visit(struct simulator *simulator, struct task *task, size_t cause)
{
    size_t at = task->item * simulator->stage_count + task->stage;
    const struct service *service = &simulator->services[at];
    /* What was measured among others is brought back to what it costs alone; its crowd here slows it down again. */
    double alone_s = service->waiting_s / (1 + simulator->conditions->sharing * (service->crowd - 1));
    bool runs = service->cpu_unknown && simulator->conditions->unknown_runs;
    double divisor = simulator->plan->divisor[task->stage];
    task->waiting_s = runs ? 0 : alone_s / divisor;
    task->running_s = (service->running_s + (runs ? service->waiting_s : 0)) / divisor;
    simulator->visits[at] = (struct visit){.begin_s = simulator->now_s, .cause = cause};
}

static bool may_begin(const struct simulator *simulator, size_t index)
{
    const struct group *group = &simulator->groups[index];
    if (simulator->idle[group->crew] == 0 || group->taken == group->released)
        return false;
    size_t window = (size_t)simulator->plan->workers[group->crew] + simulator->plan->queue_items;
    return index + 1 == simulator->group_count || group->taken - group[1].taken < window;
}

/** Begins whatever may; the last groups first, so that a shared worker drains before it feeds. */
static void dispatch(struct simulator *simulator, size_t cause)
{
    for (size_t index = simulator->group_count; index-- > 0;) {
        struct group *group = &simulator->groups[index];
        while (may_begin(simulator, index)) {
            struct task *task = &simulator->tasks[simulator->task_count++];
            *task = (struct task){.item = group->queue[group->taken++], .stage = group->first, .group = index};
            simulator->idle[group->crew]--;
            begin_visit(simulator, task, cause);
        }
    }
}

/** Seconds that one second of alone takes `task` now. */
static double slowdown(const struct simulator *simulator, const struct task *task, size_t runners)
{
    unsigned cores = simulator->conditions->cores;
    if (task->waiting_s > 0)
        return 1 + simulator->conditions->sharing * (double)(simulator->waiters[task->stage] - 1);
    return cores ? fmax(1, (double)runners / cores) : 1;
}

/** Counts who waits where; returns how many run. */
static size_t count_waiters(struct simulator *simulator)
{
    size_t runners = 0;
    memset(simulator->waiters, 0, simulator->stage_count * sizeof *simulator->waiters);
    for (size_t i = 0; i < simulator->task_count; i++) {
        if (simulator->tasks[i].waiting_s > 0)
            simulator->waiters[simulator->tasks[i].stage]++;
        else
            runners++;
    }
    return runners;
}

static double *phase_of(struct task *task)
{
    return task->waiting_s > 0 ? &task->waiting_s : &task->running_s;
}

/** Lets time pass until one task ends its phase; returns that task. */
static struct task *pass_time(struct simulator *simulator)
{
    size_t runners = count_waiters(simulator);
    struct task *next = &simulator->tasks[0];
    double step_s = INFINITY;
    for (size_t i = 0; i < simulator->task_count; i++) {
        struct task *task = &simulator->tasks[i];
        double left_s = *phase_of(task) * slowdown(simulator, task, runners);
        if (left_s < step_s) {
            step_s = left_s;
            next = task;
        }
    }
    simulator->now_s += step_s;
    double *ended = phase_of(next);
    for (size_t i = 0; i < simulator->task_count; i++) {
        struct task *task = &simulator->tasks[i];
        double *left_s = phase_of(task);
        *left_s = left_s == ended ? 0 : fmax(0, *left_s - step_s / slowdown(simulator, task, runners));
    }
    return next;
}

/** Ends the visit of `task`: on to the next stage of its group, or into the next queue. Returns the visit. */
static size_t end_visit(struct simulator *simulator, struct task *task)
{
    size_t visit = task->item * simulator->stage_count + task->stage;
    struct group *group = &simulator->groups[task->group];
    simulator->visits[visit].end_s = simulator->now_s;
    task->stage++;
    if (task->stage < group->end) {
        begin_visit(simulator, task, visit);
        return visit;
    }
    if (task->group + 1 < simulator->group_count)
        arrive(simulator, group + 1, task->item);
    simulator->idle[group->crew]++;
    *task = simulator->tasks[--simulator->task_count];
    return visit;
}

static void follow_causes(const struct simulator *simulator, size_t visit, double *critical_s)
{
    for (; visit != NO_CAUSE; visit = simulator->visits[visit].cause) {
        const struct visit *at = &simulator->visits[visit];
        critical_s[visit % simulator->stage_count] += at->end_s - at->begin_s;
    }
}

double simulate(struct simulator *simulator, const struct plan *plan, const struct service *services, size_t items,
                const struct conditions *conditions, double *critical_s)
{
    simulator->plan = plan;
    simulator->services = services;
    simulator->conditions = conditions;
    simulator->item_count = items;
    simulator->task_count = 0;
    simulator->now_s = 0;
    form_groups(simulator);
    memcpy(simulator->idle, plan->workers, simulator->stage_count * sizeof *simulator->idle);
    for (size_t item = 0; item < items; item++)
        arrive(simulator, &simulator->groups[0], item);
    dispatch(simulator, NO_CAUSE);
    size_t last = NO_CAUSE;
    while (simulator->task_count > 0) {
        struct task *task = pass_time(simulator);
        if (*phase_of(task) > 0)
            continue;
        last = end_visit(simulator, task);
        dispatch(simulator, last);
    }
    if (critical_s)
        follow_causes(simulator, last, critical_s);
    return simulator->now_s;
}
