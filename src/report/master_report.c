/* SPDX-License-Identifier: Apache-2.0
 *
 * The master report: verdict first, then what to do, what to leave alone, and what all of it rests on.
 */
#include "report/report.h"

#include "base/json.h"
#include "report/figure.h"
#include "report/stages.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static const char *string(const json_t *object, const char *key)
{
    return json_string_or(object, key, "");
}

static double middle(const json_t *object, const char *key)
{
    return json_number_or(json_object_get(object, key), "mid", NAN);
}

static bool has_verdict(const json_t *candidate, const char *verdict)
{
    return strcmp(string(candidate, "verdict"), verdict) == 0;
}

static const char *change_text(const json_t *candidate, struct arena *arena)
{
    const json_t *change = json_object_get(candidate, "change");
    if (!json_is_object(change))
        return "no knob";
    return arena_printf(arena, "%s: %s to %s", string(change, "knob"), string(change, "from"), string(change, "to"));
}

static const char *effect_text(const json_t *candidate, struct arena *arena)
{
    const json_t *effect = json_object_get(candidate, "effect");
    const char *basis = string(effect, "basis");
    const char *figure = figure_effect(arena, effect, strcmp(basis, "bounded") == 0);
    return figure && *basis ? arena_printf(arena, "%s, %s", figure, basis) : figure;
}

/* "a" or "a and b": the fixes of a plan. */
static const char *names_text(const json_t *names, struct arena *arena)
{
    const char *text = "";
    size_t i;
    const json_t *name;
    json_array_foreach(names, i, name)
    {
        text = arena_printf(arena, "%s%s%s", text, i ? " and " : "",
                            json_string_value(name) ? json_string_value(name) : "?");
        if (!text)
            return NULL;
    }
    return text;
}

static void add_verdict(struct document *document, const json_t *master, struct arena *arena)
{
    const json_t *bottleneck = json_object_get(master, "bottleneck"), *problem = json_object_get(master, "problem");
    const char *unit = string(problem, "unit"), *verdict = string(bottleneck, "verdict");
    double target = json_number_or(problem, "target", NAN);
    const char *measured = figure_rate(arena, middle(problem, "measured"), unit);
    if (strcmp(verdict, "named") == 0)
        document_callout(document, "%s limits %s: %s of the run, limited by %s.", string(bottleneck, "stage"),
                         string(master, "pipeline"), figure_share(arena, json_object_get(bottleneck, "share")),
                         string(bottleneck, "limited_by"));
    else if (strcmp(verdict, "two_candidates") == 0)
        document_callout(document, "%s or %s limits %s: their shares cannot be told apart.",
                         string(bottleneck, "stage"), string(bottleneck, "runner_up"), string(master, "pipeline"));
    else
        document_callout(document, "No stage of %s can be named as its bottleneck (%s).", string(master, "pipeline"),
                         verdict);
    if (!isfinite(target))
        document_paragraph(document, "It moves %s; no goal is set.", measured);
    else if (json_is_true(json_object_get(problem, "met")))
        document_paragraph(document, "It moves %s; the goal of %s is met.", measured, figure_rate(arena, target, unit));
    else
        document_paragraph(document, "It moves %s; the goal is %s, so %.0f %% is missing.", measured,
                           figure_rate(arena, target, unit), json_number_or(problem, "gap_percent", NAN));
}

static void add_recommendations(struct document *document, const json_t *master, struct arena *arena)
{
    static const char *const columns[] = {"priority",        "fix", "change",      "effect", "expected", "effort",
                                          "then limited by", "why", "experiments", NULL};
    const char *unit = string(json_object_get(master, "problem"), "unit");
    size_t i, count = 0;
    const json_t *candidate;
    document_heading(document, 2, "What to do");
    json_array_foreach(json_object_get(master, "candidates"), i, candidate)
    {
        if (!has_verdict(candidate, "recommend"))
            continue;
        if (count++ == 0)
            document_table(document, columns);
        const char *cells[] = {
            string(candidate, "priority"),
            string(candidate, "id"),
            change_text(candidate, arena),
            effect_text(candidate, arena),
            figure_rate(arena, json_number_or(json_object_get(candidate, "expected"), "to", NAN), unit),
            arena_printf(arena, "%.3g days", json_number_or(candidate, "effort_days", 0)),
            json_string_or(candidate, "next_bottleneck", "not known"),
            string(candidate, "why"),
            json_array_size(json_object_get(candidate, "experiments"))
                ? json_string_value(json_array_get(json_object_get(candidate, "experiments"), 0))
                : "none"};
        document_row(document, cells);
    }
    if (count == 0)
        document_paragraph(document, "Nothing that was measured is worth recommending.");
}

static void add_rest(struct document *document, const json_t *master, const char *verdict, const char *title,
                     struct arena *arena)
{
    static const char *const columns[] = {"candidate", "effect", "why", NULL};
    size_t i, count = 0;
    const json_t *candidate;
    json_array_foreach(json_object_get(master, "candidates"), i, candidate)
    {
        if (!has_verdict(candidate, verdict))
            continue;
        if (count++ == 0) {
            document_heading(document, 2, "%s", title);
            document_table(document, columns);
        }
        const char *cells[] = {string(candidate, "id"), effect_text(candidate, arena), string(candidate, "why")};
        document_row(document, cells);
    }
}

static void add_votes(struct document *document, const json_t *master)
{
    static const char *const columns[] = {"candidate", "profiling", "database", "client", "batch", "consensus", NULL};
    size_t i;
    const json_t *candidate;
    document_heading(document, 2, "What the agents say");
    document_table(document, columns);
    json_array_foreach(json_object_get(master, "candidates"), i, candidate)
    {
        const json_t *votes = json_object_get(candidate, "votes");
        const char *cells[] = {string(candidate, "id"),
                               json_string_or(votes, "profiling", "no answer"),
                               json_string_or(votes, "database", "no answer"),
                               json_string_or(votes, "client", "no answer"),
                               json_string_or(votes, "batch", "no answer"),
                               string(candidate, "consensus")};
        document_row(document, cells);
    }
}

static void add_agents(struct document *document, const json_t *master)
{
    size_t i;
    const json_t *agent, *breaker;
    json_array_foreach(json_object_get(master, "agents"), i, agent)
    {
        if (strcmp(string(agent, "status"), "answered") == 0)
            document_item(document, "%s: %s", string(agent, "name"), string(agent, "summary"));
        else
            document_item(document, "%s: no answer: %s", string(agent, "name"), string(agent, "why"));
    }
    json_array_foreach(json_object_get(master, "tie_breakers"), i, breaker)
        document_item(document, "tie-breaker on %s (%s): %s", string(breaker, "candidate"), string(breaker, "kind"),
                      json_string_or(breaker, "outcome", string(breaker, "why")));
}

static void add_phase(struct document *document, const json_t *phase, const char *unit, struct arena *arena)
{
    const json_t *expected = json_object_get(phase, "expected");
    const char *names = names_text(json_object_get(phase, "candidates"), arena), *note = string(phase, "note");
    const char *action = strcmp(string(phase, "action"), "do") == 0 ? "do" : "find out about";
    const char *priority = string(phase, "priority");
    document_item(document, "phase %.0f: %s %s%s%s%s; %.3g days; expected %s%s%s", json_number_or(phase, "phase", 0),
                  action, names ? names : "", *priority ? " (" : "", priority, *priority ? ")" : "",
                  json_number_or(phase, "effort_days", NAN),
                  json_is_object(expected) ? figure_rate(arena, json_number_or(expected, "to", NAN), unit)
                                           : "to be measured then",
                  *note ? "; " : "", note);
}

static void add_plan(struct document *document, const json_t *master, struct arena *arena)
{
    const json_t *plan = json_object_get(master, "slo_plan"), *phase;
    const char *unit = string(json_object_get(master, "problem"), "unit");
    const char *names = names_text(json_object_get(plan, "candidates"), arena);
    size_t i;
    document_heading(document, 2, "The way to the goal");
    if (names && *names)
        document_paragraph(document, "%s, with a probability of %.2g: %s.", names,
                           json_number_or(plan, "probability", NAN), string(plan, "why"));
    else
        document_paragraph(document, "%s", json_string_or(plan, "why", "No measured fix is known to reach the goal."));
    json_array_foreach(json_object_get(master, "roadmap"), i, phase) add_phase(document, phase, unit, arena);
}

static void add_experiments(struct document *document, const json_t *master, struct arena *arena)
{
    static const char *const columns[] = {"experiment", "asked", "variant",  "verdict",
                                          "effect",     "pairs", "ended by", NULL};
    const json_t *experiments = json_object_get(master, "experiments"), *experiment;
    size_t i;
    if (json_array_size(experiments) == 0)
        return;
    document_heading(document, 2, "The experiments");
    document_table(document, columns);
    json_array_foreach(experiments, i, experiment)
    {
        const char *cells[] = {
            string(experiment, "id"),
            string(experiment, "purpose"),
            figure_settings(json_object_get(experiment, "change"), arena),
            string(experiment, "verdict"),
            figure_effect(arena, json_object_get(experiment, "effect"), 0),
            arena_printf(arena, "%.0f%s", json_number_or(experiment, "pairs", 0),
                         json_is_true(json_object_get(experiment, "confirmed")) ? ", confirmed on fresh runs" : ""),
            string(experiment, "reason")};
        document_row(document, cells);
    }
}

static void add_method(struct document *document, const json_t *master, struct arena *arena)
{
    const json_t *noise = json_object_get(master, "noise"), *work = json_object_get(master, "work");
    document_heading(document, 2, "What this rests on");
    document_item(document, "A/A control, the baseline against itself: %s, %s; the smallest visible effect is %.3gx",
                  figure_effect(arena, json_object_get(noise, "effect"), 0),
                  json_string_or(noise, "verdict", "not measured"), json_number_or(noise, "visible_ratio", NAN));
    double repeats = json_number_or(master, "repeats", 1);
    if (repeats > 1)
        document_item(document, "The command is short: %s", figure_repeats(arena, repeats));
    const json_t *condition;
    size_t i;
    json_array_foreach(json_object_get(master, "conditions"), i, condition)
    {
        document_item(document, "Measured on a machine that was not at its best: %s", json_string_value(condition));
    }
    document_item(
        document,
        "Gains hold for the work of one run: %.0f rows, %.0f items; another amount fills and drains differently",
        json_number_or(work, "rows", NAN), json_number_or(work, "items", NAN));
    document_item(
        document,
        "Random pairs, signed-rank intervals that hold at every look, equal rows and checksum in every run; seed %.0f",
        json_number_or(master, "seed", 0));
    document_item(document, "Every experiment named here stands with its runs in lab/journal.jsonl");
    document_item(document, "Gains of several fixes are neither added nor multiplied: after each one, measure again");
}

enum err report_summary(struct document **out, const json_t *master, struct arena *arena, struct diag *diag)
{
    struct document *document = *out = document_new(arena);
    if (!document)
        return arena_exhausted(arena, diag);
    add_verdict(document, master, arena);
    report_stage_bars(document, json_object_get(master, "stages"), arena);
    size_t i;
    const json_t *candidate;
    json_array_foreach(json_object_get(master, "candidates"), i, candidate)
    {
        const char *verdict = string(candidate, "verdict");
        const char *said = strcmp(verdict, "recommend") == 0     ? string(candidate, "priority")
                           : strcmp(verdict, "leave_alone") == 0 ? "leave alone"
                                                                 : "cannot tell";
        document_item(document, "%s: %s (%s)", said, string(candidate, "id"), effect_text(candidate, arena));
    }
    return ERR_OK;
}

enum err report_master(struct document **out, const json_t *master, struct arena *arena, struct diag *diag)
{
    struct document *document = *out = document_new(arena);
    if (!document)
        return arena_exhausted(arena, diag);
    document_heading(document, 1, "%s: what limits it, and what a fix is worth", string(master, "pipeline"));
    add_verdict(document, master, arena);
    document_heading(document, 2, "Where the time goes");
    report_stage_bars(document, json_object_get(master, "stages"), arena);
    report_stage_table(document, json_object_get(master, "stages"), arena);
    add_recommendations(document, master, arena);
    add_rest(document, master, "leave_alone", "What to leave alone", arena);
    add_rest(document, master, "cannot_tell", "What cannot be told yet", arena);
    add_plan(document, master, arena);
    add_votes(document, master);
    add_agents(document, master);
    add_experiments(document, master, arena);
    add_method(document, master, arena);
    document_paragraph(document, "Measured until %s.", json_string_or(master, "generated", "an unknown time"));
    return ERR_OK;
}
