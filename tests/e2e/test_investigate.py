# SPDX-License-Identifier: Apache-2.0
"""One whole investigation of a small pipeline: what it leaves, that it replays, and that it minds its own business."""

import json
import signal
import subprocess
import time

import jsonschema

from conftest import AGENT_FOLDERS, BIN, ROOT

SCHEMAS = ROOT / "docs/schema"


def check_schema(name, document):
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)


def test_it_leaves_everything_and_replays(venturi, small, master_of, findings_of):
    ended = venturi("investigate", "pipeline.toml", "--budget", "60s", "--out", "out")
    assert ended.returncode == 0, ended.stderr
    out = small / "out"
    for folder in AGENT_FOLDERS.values():
        for name in "REPORT.md", "findings.json", "investigate.sh":
            assert (out / folder / name).stat().st_size > 0
        assert (out / folder / "evidence").is_dir()
    assert not list(out.rglob("*.tmp"))

    master = master_of(out)
    check_schema("master", master)
    check_schema("brief", json.loads((out / "brief.json").read_text()))
    for agent in AGENT_FOLDERS:
        findings = findings_of(out, agent)
        check_schema("findings", findings)
        assert findings["status"] == "answered", findings
    assert {agent["status"] for agent in master["agents"]} == {"answered"}
    assert master["bottleneck"]["stage"] == "download"

    for _ in range(2):
        replayed = venturi("report", "out", "--json")
        assert replayed.returncode == 0, replayed.stderr
        assert replayed.stdout == (out / "master.json").read_text()
    markdown = venturi("report", "out", "--format", "markdown")
    assert markdown.stdout == (out / "MASTER_INTEGRATION_REPORT.md").read_text()

    again = venturi("investigate", "pipeline.toml", "--out", "out")
    assert again.returncode == 2 and "already" in again.stderr
    assert venturi("report", "out", "--json").stdout == replayed.stdout


def test_profile_prints_one_table(venturi, small):
    ended = venturi("profile", "pipeline.toml")
    assert ended.returncode == 0, ended.stderr
    for stage in "download", "extract", "parse", "ingest":
        assert stage in ended.stdout
    profile = json.loads(venturi("profile", "pipeline.toml", "--json").stdout)
    check_schema("profile", profile)
    assert [stage["name"] for stage in profile["stages"]] == ["download", "extract", "parse", "ingest"]


def test_lab_answers_people(venturi, small):
    ended = venturi("lab", "compare", "pipeline.toml", "--b", "concurrency=3", "--json")
    experiment = json.loads(ended.stdout)
    check_schema("experiment", experiment)
    assert experiment["comparisons"][0]["verdict"] == "faster"
    assert experiment["comparisons"][0]["effect"]["low"] > 1
    wrong = venturi("lab", "compare", "pipeline.toml", "--b", "nosuch=3")
    assert wrong.returncode == 2 and "concurrency" in wrong.stderr


def test_a_failing_pipeline_is_said(venturi, small):
    text = (small / "pipeline.toml").read_text()
    (small / "pipeline.toml").write_text(text.replace('"--months", "3"', '"--months", "9"'))
    ended = venturi("investigate", "pipeline.toml", "--out", "out")
    assert ended.returncode == 6
    assert len(ended.stderr.splitlines()[-1]) > 0
    assert not (small / "out/master.json").exists()


FAULTY = {
    "profiling": ['sh', '-c', 'kill -9 $$'],
    "database": ['sh', '-c', 'trap "" TERM; sleep 1000 & wait; sleep 1000'],
    "client": ['sh', '-c', 'yes babble | head -c 20000000; echo "I think: {\\"agent\\":" > "$VENTURI_OUT/findings.json"'],
}


def test_a_killed_a_hung_and_a_babbling_agent_cost_one_finding_each(venturi, small, master_of, findings_of):
    with open(small / "pipeline.toml", "a", encoding="utf-8") as file:
        for agent, command in FAULTY.items():
            file.write(f"\n[agents.{agent}]\ncommand = {json.dumps(command)}\n")
    ended = venturi("investigate", "pipeline.toml", "--budget", "40s", "--patience", "3s", "--out", "out")
    assert ended.returncode == 0, ended.stderr
    out = small / "out"
    master = master_of(out)
    check_schema("master", master)
    status = {agent["name"]: agent["status"] for agent in master["agents"]}
    assert status == {"profiling": "no_answer", "database": "no_answer", "client": "no_answer", "batch": "answered"}
    assert "signal 9" in findings_of(out, "profiling")["why"]
    assert "hung" in findings_of(out, "database")["why"]
    assert "JSON" in findings_of(out, "client")["why"]
    assert (out / "client-library/evidence/findings.rejected").exists()
    assert master["bottleneck"]["stage"] == "download"
    assert subprocess.run(["pgrep", "-f", "sleep 1000"], capture_output=True, check=False).stdout == b""


def test_only_one_agent_and_its_script_repeats_it(venturi, small, findings_of):
    ended = venturi("investigate", "pipeline.toml", "--only", "batch", "--budget", "20s", "--out", "out")
    assert ended.returncode == 0, ended.stderr
    assert findings_of(small / "out", "batch")["status"] == "answered"
    assert not (small / "out/profiling").exists()
    again = subprocess.run([small / "out/batch-size/investigate.sh", small / "again"], capture_output=True, text=True, timeout=120,
                           check=False)
    assert again.returncode == 0, again.stderr
    assert findings_of(small / "again", "batch")["status"] == "answered"


EXTERNAL = """#!/usr/bin/env python3
import json, os, subprocess
brief = json.load(open(os.environ["VENTURI_BRIEF"]))
answer = subprocess.run([VENTURI, "lab", "compare", "--b", "concurrency=3", "--json"], capture_output=True, text=True)
experiment = json.loads(answer.stdout)
stances = [{"candidate": candidate["id"], "stance": "neutral", "why": "asked by a stranger", "change": None, "effect": None,
            "prediction": None, "experiments": [experiment["id"]]} for candidate in brief["candidates"]]
json.dump({"schema": "venturi.findings/1", "agent": "profiling", "status": "answered", "why": None, "summary": "a stranger's word",
           "looked_at": [], "not_looked_at": [], "claims": [], "stances": stances, "capacity": None, "tables": []},
          open(os.environ["VENTURI_OUT"] + "/findings.json", "w"))
"""


def test_an_external_agent_asks_the_running_lab(venturi, small, findings_of):
    (small / "stranger").write_text(EXTERNAL.replace("VENTURI,", json.dumps(str(BIN / "venturi")) + ","))
    (small / "stranger").chmod(0o755)
    with open(small / "pipeline.toml", "a", encoding="utf-8") as file:
        file.write('\n[agents.profiling]\ncommand = ["./stranger"]\n')
    # It waits for its experiment far longer than a silent agent may: asking through a child counts as asking.
    ended = venturi("investigate", "pipeline.toml", "--only", "profiling", "--budget", "40s", "--patience", "1s", "--out", "out", "--json")
    assert ended.returncode == 0, ended.stderr
    findings = findings_of(small / "out", "profiling")
    assert findings["status"] == "answered", findings["why"]
    experiment = findings["stances"][0]["experiments"][0]
    assert f'"{experiment}"' in (small / "out/lab/journal.jsonl").read_text()
    assert ended.stdout == (small / "out/master.json").read_text()


def test_an_interrupted_investigation_says_so_and_can_be_resumed(venturi, small, master_of):
    process = venturi.start("investigate", "pipeline.toml", "--budget", "30s", "--out", "out")
    deadline = time.monotonic() + 30
    while '"record":"run"' not in journal_of(small) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert not (small / "out/master.json").exists()
    ended = venturi("resume", "out")
    assert ended.returncode == 0, ended.stderr
    assert master_of(small / "out")["bottleneck"]["stage"] == "download"


STARTS = 50


def test_of_fifty_starts_in_one_folder_one_wins_and_the_others_leave_it_alone(venturi, small):
    starts = [venturi.begin("investigate", "pipeline.toml", "--budget", "8s", "--out", "out", "--seed", seed, *(["--force"] if seed % 5 == 0 else []))
              for seed in range(1, STARTS + 1)]
    ends = [(process, *process.communicate(timeout=240)) for process in starts]
    won = [seed for seed, (process, _, _) in enumerate(ends, 1) if process.returncode == 0]
    assert len(won) == 1, [process.returncode for process, _, _ in ends]
    for seed, (process, _, errors) in enumerate(ends, 1):
        if seed not in won:
            assert process.returncode == 2, errors
            assert "another venturi is at work" in errors or "holds an investigation already" in errors, errors
    assert json.loads((small / "out/investigation.json").read_text())["seed"] == won[0]
    seeds = {record["seed"] for record in map(json.loads, journal_of(small).splitlines()) if record["record"] == "lab"}
    assert seeds == {won[0]}
    assert venturi("report", "out", "--json").stdout == (small / "out/master.json").read_text()


def test_a_running_investigation_is_left_alone(venturi, small):
    process = venturi.start("investigate", "pipeline.toml", "--budget", "30s", "--out", "out")
    deadline = time.monotonic() + 30
    while '"record":"run"' not in journal_of(small) and time.monotonic() < deadline:
        time.sleep(0.01)
    for command in [["investigate", "pipeline.toml", "--out", "out"], ["investigate", "pipeline.toml", "--out", "out", "--force"],
                    ["resume", "out"], ["lab", "run", "pipeline.toml", "--out", "out/lab"]]:
        second = venturi(*command)
        assert second.returncode == 2 and "another venturi is at work" in second.stderr, second.stderr
    assert process.poll() is None and '"record":"run"' in journal_of(small)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130


def journal_of(folder):
    path = folder / "out/lab/journal.jsonl"
    return path.read_text() if path.exists() else ""
