# SPDX-License-Identifier: Apache-2.0
"""An investigation as plain dictionaries, and the program that judges it."""

import copy
import json
import os
import pathlib
import subprocess

import jsonschema
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
JUDGE = os.environ.get("VENTURI_JUDGE", str(ROOT / "build/dev/tests/contracts/judge"))
AGENTS = "profiling", "database", "client", "batch"


def interval(low, mid, high):
    return {"low": low, "mid": mid, "high": high}


def schema(name):
    document = json.loads((ROOT / f"docs/schema/{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def stage(name, critical_s, share, spans):
    return {
        "name": name, "spans": spans, "rows": 223200, "bytes": 9000000, "workers": 1, "busy_s": critical_s, "critical_s": critical_s,
        "share": interval(round(share - 0.01, 3), share, round(share + 0.01, 3)), "capacity_rows_s": interval(1.0e6, 1.1e6, 1.2e6), "running_s": 0.12,
        "waiting_s": round(critical_s - 0.12, 3), "p50_s": round(critical_s / spans, 6), "p99_s": round(critical_s / spans, 6),
        "max_s": round(critical_s / spans, 6),
        "slowest_item": 2, "peak_bytes": 21000000, "limited_by": "waiting"}


def make_profile():
    return {
        "schema": "venturi.profile/1", "runs": 12, "wall_s": interval(4.68, 4.75, 4.83), "rows_s": interval(46200, 47000, 47700),
        "outside_share": 0.01, "lost_spans": 0,
        "bottleneck": {"verdict": "named", "stage": "download", "runner_up": "extract", "lead": interval(0.82, 0.84, 0.86),
                       "limited_by": "waiting"},
        "stages": [stage("download", 4.28, 0.90, 5), stage("extract", 0.24, 0.05, 5), stage("ingest", 0.19, 0.04, 45)]}


def make_brief():
    return {
        "schema": "venturi.brief/1", "pipeline": "klines", "file": "pipeline.toml", "unit": "rows/s", "seed": 1, "goal_rows_s": 100000,
        "budget_s": 270,
        "baseline": {"runs": ["r1", "r2", "r3"], "rows_s": interval(46000, 47000, 48000), "wall_s": interval(4.6, 4.7, 4.8),
                     "gap_percent": 53.0},
        "profile": make_profile(),
        "stages": [{"name": "download", "kind": "network"}, {"name": "extract", "kind": ""}, {"name": "ingest", "kind": "database"}],
        "knobs": [
            {"name": "concurrency", "stage": "download", "lever": "concurrency", "values": ["1", "4", "10"], "current": "1"},
            {"name": "batch", "stage": "ingest", "lever": "batch", "values": ["1000", "5000"], "current": "1000"},
            {"name": "journal", "stage": "ingest", "lever": "setting", "values": ["delete", "wal"], "current": "delete"},
            {"name": "unzip", "stage": "extract", "lever": "implementation", "values": ["a", "b"], "current": "a"}],
        "candidates": [
            {"id": "download.concurrency", "stage": "download", "lever": "concurrency", "knob": "concurrency", "owner": "profiling",
             "effort_days": 2, "bound": interval(1, 9.9, 10.6)},
            {"id": "ingest.batch", "stage": "ingest", "lever": "batch", "knob": "batch", "owner": "batch", "effort_days": 0.5,
             "bound": interval(1, 1.04, 1.06)},
            {"id": "ingest.journal", "stage": "ingest", "lever": "setting", "knob": "journal", "owner": "database", "effort_days": 0.5,
             "bound": interval(1, 1.03, 1.042)},
            {"id": "extract.implementation", "stage": "extract", "lever": "implementation", "knob": "unzip", "owner": "profiling",
             "effort_days": 0, "bound": interval(1, 1.3, 1.6)},
            {"id": "download.streaming", "stage": "download", "lever": "streaming", "knob": None, "owner": "profiling", "effort_days": 1,
             "bound": {"low": 1, "mid": None, "high": None}}],
        "database": {"kind": "sqlite", "url": "data/klines.db", "writes": False},
        "lab": {"folder": "lab", "socket": "lab/socket"}}


def comparison(verdict, effect, confirmed=False, pairs=8, needed=0):
    return {"a": 0, "b": 1, "verdict": verdict, "pairs": pairs, "alpha": 0.008, "confirmed": confirmed, "order_effect": False,
            "effect": effect, "visible_ratio": 1.02, "pairs_needed": needed}


def experiment(number, settings, comparisons, op="compare", purpose="test", reason="decided"):
    return {"schema": "venturi.experiment/1", "id": f"e{number}", "op": op, "purpose": purpose, "seed": 42,
            "arms": [{"settings": {}, "runs": ["r1", "r4"], "failed": 0}, {"settings": settings, "runs": ["r2", "r3"], "failed": 0}],
            "comparisons": comparisons, "winner": None, "reason": reason}


def make_experiments():
    listed = [
        experiment(1, {}, [comparison("same", interval(0.99, 1.0, 1.01))], "control", "A/A control"),
        experiment(2, {"concurrency": "4"}, [comparison("faster", interval(2.8, 2.9, 3.0))]),
        experiment(3, {"concurrency": "10"}, [comparison("faster", interval(4.0, 4.6, 5.5)),
                                              comparison("faster", interval(4.1, 4.7, 5.6), True)]),
        experiment(4, {"batch": "5000"}, [comparison("same", interval(0.99, 1.0, 1.01))], purpose="tie-breaker: ingest.batch"),
        experiment(5, {"unzip": "b"}, [comparison("invalid", None, pairs=3)], reason="unequal_output")]
    return {item["id"]: item for item in listed}


def stance(candidate, side, why, **more):
    return {"candidate": candidate, "stance": side, "why": why, "change": None, "effect": None, "prediction": None, "experiments": [], **more}


def findings(agent, summary, stances):
    return {"schema": "venturi.findings/1", "agent": agent, "status": "answered", "why": None, "summary": summary,
            "looked_at": ["the spans of 3 baseline runs"], "not_looked_at": ["the network itself: no counters"],
            "claims": [{"text": "what it saw", "basis": "measured", "value": {**interval(0.89, 0.9, 0.91), "unit": "share"},
                        "experiments": ["r1", "e1"]}],
            "stances": stances, "capacity": {"stage": "ingest", "rows_s": interval(1.0e6, 1.1e6, 1.2e6)},
            "tables": [{"title": "Settings", "columns": ["setting", "value"], "rows": [["journal_mode", "delete"], ["cache", "2 MB"]]}]}


def make_findings():
    to_10 = {"knob": "concurrency", "from": "1", "to": "10"}
    to_5000 = {"knob": "batch", "from": "1000", "to": "5000"}
    return {
        "profiling": findings("profiling", "download takes 90 % of the run and waits, it does not compute", [
            stance("download.concurrency", "recommend", "it waits", change=to_10, effect={**interval(4.1, 4.7, 5.6), "basis": "confirmed"},
                   prediction={**interval(4.0, 4.6, 5.5), "basis": "simulated"}, experiments=["e3"]),
            stance("download.streaming", "neutral", "cannot be set", prediction={**interval(1.05, 1.2, 1.4), "basis": "simulated"})]),
        "database": findings("database", "the database takes 1.1 M rows/s; no setting can give 5 %", [
            stance("ingest.journal", "oppose", "bounded"), stance("download.concurrency", "recommend", "room for more"),
            stance("ingest.batch", "oppose", "bounded")]),
        "client": findings("client", "bulk inserts, one connection", [stance("ingest.batch", "recommend", "larger is better", change=to_5000)]),
        "batch": findings("batch", "1000 rows a batch are within 5 % of the best", [
            stance("download.concurrency", "recommend", "batches wait for it"), stance("ingest.batch", "neutral", "flat")])}


class Investigation:
    """Its documents, to be changed at will before `judged`."""

    def __init__(self):
        self.brief, self.experiments, self.findings = make_brief(), make_experiments(), make_findings()

    def copy(self):
        return copy.deepcopy(self)

    def write(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "brief.json").write_text(json.dumps(self.brief))
        (folder / "experiments.json").write_text(json.dumps(self.experiments))
        for agent in AGENTS:
            if agent in self.findings:
                document = self.findings[agent]
                (folder / f"{agent}.json").write_bytes(
                    document if isinstance(document, bytes) else json.dumps(document).encode("utf-8", "surrogatepass"))
        return folder


def run_judge(*folders, reports=True):
    ended = subprocess.run([JUDGE, *([] if reports else ["--json"]), *map(str, folders)], capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode == 0, ended.stderr


def load(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


@pytest.fixture
def investigation():
    return Investigation()


@pytest.fixture
def judged(tmp_path):
    """judged(investigation) -> its folder, with everything the judge wrote."""
    count = iter(range(1000000))

    def judge(case):
        folder = case.write(tmp_path / f"case{next(count)}")
        run_judge(folder)
        return folder

    return judge
