# SPDX-License-Identifier: Apache-2.0
"""The hosts of bench/hosts run, do the same work recorded or not, and record; the bench calls a miss a miss. Nothing is
judged by time here."""
import importlib.util
import json
import os
import subprocess

import pytest
from conftest import BIN, PACKAGE
from processes import DEADLINE_S, ROOT

FOLDER = ROOT / "bench/hosts"
spec = importlib.util.spec_from_file_location("hosts_bench", FOLDER / "bench.py")
bench = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bench)

# {host: (command, small size, spans by stage)}: of 500 rows in transactions of 100 rows, 10 ranges or 1 statement.
SMALL = {
    "sqlite": ([BIN / "bench-host-sqlite"], "500", {"transaction": 156, "insert": 4, "select": 8, "index": 5, "update": 2,
                                                    "delete": 2, "whole": 11}),
    "csv": ([BIN / "bench-host-csv"], "1", None),
    "python": ([PACKAGE / "venv/bin/python", FOLDER / "python_host.py"], "5", {"chunk": 5, "parse": 5, "encode": 5, "compress": 5}),
}


def run_host(host, recording, folder):
    """(result, spans by stage)"""
    command, size, _ = SMALL[host]
    trace, result = folder / f"trace-{recording}", folder / f"result-{recording}"
    trace.mkdir()
    subprocess.run([FOLDER / "launch", *command, size, result], check=True, timeout=DEADLINE_S,
                   env={**os.environ, "RECORDING": recording, "VENTURI_TRACE": str(trace), "VENTURI_CPU": "1"})
    told = subprocess.run([BIN / "venturi", "trace", "export", trace, "--format", "jsonl"], check=True, capture_output=True, text=True,
                          timeout=DEADLINE_S)
    spans = {}
    for span in map(json.loads, told.stdout.splitlines()):
        spans[span["stage"]] = spans.get(span["stage"], 0) + 1
    return result.read_text(), spans


@pytest.mark.parametrize("host", SMALL)
def test_a_host_records_and_does_the_same_work(host, tmp_path):
    off, nothing = run_host(host, "off", tmp_path)
    on, spans = run_host(host, "on", tmp_path)
    assert on == off != ""
    assert nothing == {}
    expected = SMALL[host][2]
    if expected:
        assert {stage: count for stage, count in spans.items() if stage in expected} == expected
    else:  # a block is four laps, and the last reading finds the end
        assert spans["read"] == spans["parse"] + 1 and spans["parse"] == spans["check"] == spans["write"] > 100


def test_the_lab_compares_a_host(tmp_path, monkeypatch, capsys):
    prepare = bench.prepare

    def prepare_small(folder, host, programs):
        prepare(folder, host, programs)
        file = folder / "pipeline.toml"
        text = file.read_text()
        assert '"80"' in text
        file.write_text(text.replace('"80"', '"1"'))

    monkeypatch.setattr(bench, "prepare", prepare_small)
    monkeypatch.setattr(bench, "DELTA", 1)  # decided after 8 pairs, whatever they are
    monkeypatch.setattr(bench.tempfile, "tempdir", str(tmp_path))
    status = bench.main([str(BIN), "csv"])
    shown = capsys.readouterr().out.splitlines()[-1]
    assert status in (0, 1)
    assert shown.startswith("csv") and "[" in shown
    assert "RECORDED" not in shown and "LOST" not in shown and "INVALID" not in shown


def comparison(verdict, low, mid, high):
    return {"verdict": verdict, "effect": {"low": low, "mid": mid, "high": high}, "pairs": 8, "order_effect": False}


SAME = comparison("same", 0.996, 0.999, 1.002)
RECORDED = {"on": [4000, 4000], "off": [0, 0]}


def test_same_is_a_pass():
    assert bench.complaints(SAME, RECORDED, 0) == []


@pytest.mark.parametrize("verdict, spans, losses, said", [
    (comparison("slower", 0.97, 0.98, 0.985), RECORDED, 0, "SLOWER"),
    (comparison("slower", 0.995, 0.996, 0.998), RECORDED, 0, "SLOWER, but by less than 1 %"),
    (comparison("faster", 1.02, 1.03, 1.04), RECORDED, 0, "FASTER"),
    (comparison("cannot_tell", 0.97, 1.0, 1.03), RECORDED, 0, "CANNOT TELL"),
    ({"verdict": "invalid", "effect": None}, RECORDED, 0, "INVALID"),
    (SAME, {"on": [4000, 0], "off": [0, 0]}, 0, "NOTHING RECORDED"),
    (SAME, {"on": [], "off": []}, 0, "NOTHING RECORDED"),
    (SAME, {"on": [4000], "off": [0, 7]}, 0, "RECORDED WHILE OFF"),
    (SAME, RECORDED, 3, "3 SPANS LOST"),
])
def test_anything_else_is_not(verdict, spans, losses, said):
    assert bench.complaints(verdict, spans, losses) == [said]


def test_a_lab_that_tells_nothing_is_no_pass(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench.tempfile, "tempdir", str(tmp_path))
    broken = tmp_path / "bin"
    broken.mkdir()
    (broken / "venturi").write_text("#!/bin/sh\nexit 1\n")
    (broken / "venturi").chmod(0o755)
    assert bench.main([str(broken), "csv"]) == 1
    assert "ended with status 1" in capsys.readouterr().out
