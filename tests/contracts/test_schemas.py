# SPDX-License-Identifier: Apache-2.0
"""Every document against its JSON Schema: what we write is valid, and nothing is read that the schema refuses."""

import copy
import json
import random

import pytest

from conftest import AGENTS, ROOT, Investigation, interval, load, run_judge, schema


def test_the_inputs_are_examples_of_their_schemas(investigation):
    schema("brief").validate(investigation.brief)
    schema("profile").validate(investigation.brief["profile"])
    for document in investigation.findings.values():
        schema("findings").validate(document)
    for document in investigation.experiments.values():
        schema("experiment").validate(document)


def without_rows(case):
    case.brief["profile"]["rows_s"] = case.brief["baseline"]["rows_s"] = case.brief["baseline"]["gap_percent"] = None


def without_goal(case):
    case.brief["goal_rows_s"] = case.brief["budget_s"] = case.brief["baseline"]["gap_percent"] = None


def with_goal_met(case):
    case.brief["goal_rows_s"] = 1000


def without_experiments(case):
    case.experiments = {}


def without_agents(case):
    case.findings = {}


def without_candidates(case):
    case.brief["candidates"], case.brief["knobs"], case.brief["database"] = [], [], None
    case.experiments = {}


def without_bottleneck(case):
    case.brief["profile"]["bottleneck"] = {"verdict": "none", "stage": None, "runner_up": None, "lead": None, "limited_by": None}
    for stage in case.brief["profile"]["stages"]:
        stage.update(running_s=None, waiting_s=None, peak_bytes=None, limited_by="unknown", capacity_rows_s=None)


def with_undecided(case):
    case.experiments["e2"]["comparisons"][0].update(verdict="cannot_tell", pairs_needed=60, effect=interval(0.9, 1.1, 1.2))
    case.experiments["e3"]["comparisons"] = [{**case.experiments["e2"]["comparisons"][0], "verdict": "preliminary", "alpha": 0}]


def as_it_is(case):
    del case


SCENES = [as_it_is, without_rows, without_goal, with_goal_met, without_experiments, without_agents, without_candidates,
          without_bottleneck, with_undecided]


@pytest.mark.parametrize("scene", SCENES)
def test_what_is_written_is_valid(scene, investigation, judged):
    scene(investigation)
    folder = judged(investigation)
    schema("master").validate(load(folder, "master"))
    schema("brief").validate(load(folder, "brief.out"))
    for agent in AGENTS:
        schema("findings").validate(load(folder, f"{agent}.out"))
    for item in load(folder, "tie_breakers"):
        assert set(item) == {"candidate", "kind", "why", "request"}
        assert item["request"]["op"] == "compare"


def test_documents_survive_reading_and_writing(investigation, judged):
    folder = judged(investigation)
    assert load(folder, "brief.out") == investigation.brief
    for agent in AGENTS:
        assert load(folder, f"{agent}.out") == investigation.findings[agent]
    assert load(folder, "rejected") == {}


def test_master_has_every_field_that_was_promised(investigation, judged):
    """The example of the design, field by field: scripts rely on these."""
    master = load(judged(investigation), "master")
    assert master["schema"] == "venturi.master/1"
    assert {"unit", "target", "measured", "gap_percent", "met"} <= set(master["problem"])
    assert {"verdict", "stage", "runner_up", "share", "limited_by"} <= set(master["bottleneck"])
    assert {"name", "busy_s", "share", "rows", "bytes", "capacity_rows_s", "running_s", "waiting_s", "peak_bytes"} <= set(master["stages"][0])
    assert {"id", "stage", "lever", "change", "votes", "consensus", "effect", "prediction", "priority", "verdict", "effort_days", "expected",
            "experiments", "why", "next_bottleneck", "quick_win"} <= set(master["candidates"][0])
    assert {"from", "to"} <= set(master["candidates"][0]["expected"])
    assert {"candidates", "probability"} <= set(master["slo_plan"])
    assert {"tie_breakers", "roadmap", "agents", "noise", "work", "seed", "journal", "generated"} <= set(master)


VALUES = [None, True, 0, -1, 7, 0.5, 1e15, 1e16, 1e-7, 2e6, "", "x", "e1", "measured", "recommend", "x" * 2000, "x" * 2001, [], ["x"],
          ["e1"] * 51, [[]], {}, {"x": 1}, interval(1, 2, 3), interval(3, 2, 1), {**interval(1, 2, 3), "unit": "share"}]


def places(document):
    """Every container with a key or index into it."""
    pairs = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    for key, value in pairs:
        yield document, key
        yield from places(value)


def mutated(document, random_source):
    document = copy.deepcopy(document)
    for _ in range(random_source.choice((1, 1, 1, 2, 3))):
        container, key = random_source.choice(list(places(document)))
        action = random_source.randrange(4)
        if action == 0:
            del container[key]
        elif action == 1 and isinstance(container, dict):
            container["x" * random_source.randrange(3)] = random_source.choice(VALUES)
        elif action == 2 and isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
        else:
            container[key] = copy.deepcopy(random_source.choice(VALUES))
    return document


def test_nothing_is_read_that_the_schema_refuses(tmp_path):
    """Mutated findings, four a folder. Only the schema's blind spots may be refused beyond it: the brief's names, order, bytes."""
    random_source, validator, folders, documents = random.Random(20260131), schema("findings"), [], []
    for number in range(400):
        case = Investigation()
        case.findings = {agent: mutated(case.findings[agent], random_source) for agent in AGENTS}
        documents.append(case.findings)
        folders.append(case.write(tmp_path / f"case{number}"))
    run_judge(*folders, reports=False)
    counts = {"read": 0, "refused by both": 0, "refused beyond the schema": 0}
    beyond = ("is no candidate", "is not the knob", "is no value of", "is no stage", "not in order", "a second stance", "table has", "but",
              "is not one of the accepted words, the first of which is 'profiling'", "is not one of the accepted words, the first of which is 'database'",
              "is not one of the accepted words, the first of which is 'client'", "is not one of the accepted words, the first of which is 'batch'")
    for folder, case in zip(folders, documents):
        rejected = load(folder, "rejected")
        for agent, document in case.items():
            valid = validator.is_valid(document)
            if agent not in rejected:
                assert valid, (document, list(validator.iter_errors(document)))
                counts["read"] += 1
            elif not valid:
                counts["refused by both"] += 1
            else:
                assert any(reason in rejected[agent] for reason in beyond), (rejected[agent], document)
                counts["refused beyond the schema"] += 1
    assert all(count > 20 for count in counts.values()), counts


@pytest.mark.parametrize("name", ["brief", "findings", "master", "experiment", "journal", "profile"])
def test_each_schema_names_its_document(name):
    document = json.loads((ROOT / f"docs/schema/{name}.schema.json").read_text())
    assert document["title"] == f"venturi.{name}/1" and document["$id"] == f"{name}.schema.json"


def test_a_journal_is_made_of_records():
    validator = schema("journal")
    run = {"record": "run", "id": "r4", "round": 2, "place": 0, "settings": {}, "started": "2026-01-31T12:00:00Z", "duration_s": 4.61,
           "outcome": "ok", "exit": 0, "output": {"stdout_bytes": 120, "stderr_bytes": 0, "head": "...", "tail": "..."}, "check": "00ff",
           "rows": 218880, "cpu_s": 0.42, "peak_bytes": 23000000, "trace": "traces/r4", "experiments": ["e1", "e7"]}
    validator.validate(run)
    validator.validate({"record": "verdict", **Investigation().experiments["e1"]})
    validator.validate({"record": "lab", "schema": "venturi.journal/1", "seed": 1})
    for wrong in ({"record": "run", "id": "r4"}, {**run, "outcome": "fine"}, {"record": "note"}, {}, {**run, "id": "../r4"}):
        assert not validator.is_valid(wrong)
