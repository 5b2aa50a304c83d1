# SPDX-License-Identifier: Apache-2.0
"""`venturi trace`: traces of both versions, packed ones, large ones in little memory, and what is none."""

import csv
import io
import json
import os
import random
import resource
import shutil
import subprocess

import jsonschema
import pytest

from conftest import BIN, ROOT

TRACES = {name: ROOT / "tests/span" / name for name in ("trace-v1", "trace-v2", "trace-v2.tar")}
SPANS, FLUSHES = {"trace-v1": 1209, "trace-v2": 6009, "trace-v2.tar": 6009}, {"trace-v1": 0, "trace-v2": 1, "trace-v2.tar": 1}
OPERATIONS = ["info", "stats", "export", "pack"]


def validate(document):
    name = document["schema"].removeprefix("venturi.").removesuffix("/1")
    folder = ROOT / "docs/schema"
    store = {path.name: json.loads(path.read_text()) for path in folder.glob("*.schema.json")}
    schema = store[f"{name}.schema.json"]
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema, resolver=jsonschema.RefResolver("", schema, store)).validate(document)
    return document


def as_json(venturi, *arguments):
    shown = venturi("trace", *arguments, "--json")
    assert shown.returncode == 0, shown.stderr
    return validate(json.loads(shown.stdout))


@pytest.fixture
def made(tmp_path):
    """Makes a trace of so many spans."""

    def make(kind, threads, spans):
        folder = tmp_path / f"{kind}-{threads}-{spans}"
        folder.mkdir()
        subprocess.run([BIN / "venturi-bench-trace", "make", folder, kind, str(threads), str(spans)], check=True)
        return folder

    return make


@pytest.mark.parametrize("name", TRACES)
def test_stats(venturi, name):
    document = as_json(venturi, "stats", TRACES[name])
    assert document["profile"] is None
    [run] = document["runs"]
    assert [stage["name"] for stage in run["stages"]] == ["download", "parse", "ingest"]
    assert run["spans"] == SPANS[name] and run["flush"]["count"] == FLUSHES[name] and run["lost_spans"] == 0
    download, parse, ingest = run["stages"]
    assert parse["rows"] == ingest["rows"] == run["rows"]
    assert ingest["queue"]["unit"] == "rows" and download["queue"] is None
    assert download["failed"] == 1
    for stage in run["stages"]:
        assert 0 < stage["busy_s"] <= stage["sum_s"] * 1.000001
        assert stage["p50_s"] <= stage["p99_s"] <= stage["max_s"] == stage["slowest"][0]["duration_s"]
    shown = venturi("trace", "stats", TRACES[name])
    assert shown.returncode == 0 and "slowest of" in shown.stdout


@pytest.mark.parametrize("name", TRACES)
def test_info(venturi, name):
    document = as_json(venturi, "info", TRACES[name])
    assert document["spans"] == SPANS[name] and document["stages"] == 3
    assert document["version"] == (1 if name == "trace-v1" else 2)
    assert (document["processes"] is None) == (name == "trace-v1")
    assert venturi("trace", "info", TRACES[name]).returncode == 0


def test_a_packed_trace_is_the_same_trace(venturi, tmp_path):
    assert venturi("trace", "pack", TRACES["trace-v2"], "-o", tmp_path / "packed").returncode == 0
    assert as_json(venturi, "stats", tmp_path / "packed") == as_json(venturi, "stats", TRACES["trace-v2"])
    assert venturi("trace", "pack", TRACES["trace-v2"]).returncode == 2


def test_several_traces_are_runs_of_one_pipeline(venturi, made):
    document = as_json(venturi, "stats", *[made("laps", threads, 1000) for threads in (1, 2, 3)])
    assert len(document["runs"]) == document["profile"]["runs"] == 3
    validate(document["profile"])
    again = as_json(venturi, "stats", *[venturi.folder / f"laps-{threads}-1000" for threads in (1, 2, 3)])
    assert again == document
    shown = venturi("trace", "stats", venturi.folder / "laps-1-1000", venturi.folder / "laps-2-1000")
    assert shown.returncode == 0 and "2 runs" in shown.stdout


@pytest.mark.parametrize("name", TRACES)
def test_export(venturi, tmp_path, name):
    lines = list(csv.DictReader(io.StringIO(venturi("trace", "export", TRACES[name]).stdout)))
    assert len(lines) == SPANS[name] + FLUSHES[name]
    took_s = sum(int(line["end_ns"]) - int(line["start_ns"]) for line in lines if line["stage"] == "ingest") * 1e-9
    [run] = as_json(venturi, "stats", TRACES[name])["runs"]
    assert took_s == pytest.approx(run["stages"][2]["sum_s"], abs=2e-9 * SPANS[name])
    written = venturi("trace", "export", TRACES[name], "--format", "jsonl", "--out", tmp_path / "spans.jsonl")
    assert written.returncode == 0 and written.stdout == ""
    objects = [json.loads(line) for line in (tmp_path / "spans.jsonl").read_text().splitlines()]
    assert [one["stage"] for one in objects] == [line["stage"] for line in lines]
    events = json.loads(venturi("trace", "export", TRACES[name], "--format=chrome").stdout)["traceEvents"]
    assert len(events) == len(lines) and {event["ph"] for event in events} == {"X"}


def test_a_large_trace_takes_little_memory(venturi, made):
    """Spans for which reading them all would take four times what is allowed, and 64 threads at once."""
    for kind, threads, spans in ("laps", 1, 3_000_000), ("counted", 64, 2_000_000), ("spans", 3, 1_000_000):
        folder = made(kind, threads, spans)
        limit = 96 << 20
        shown = {operation: subprocess.run([BIN / "venturi", "trace", operation, folder, "--json"], stdout=subprocess.PIPE, check=True,
                                           preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))).stdout
                 for operation in ("stats", "info", "export")}
        [run] = validate(json.loads(shown["stats"]))["runs"]
        assert run["spans"] == json.loads(shown["info"])["spans"] == shown["export"].count(b"\n") - 1 == spans
        assert run["outside_s"] is None and all(stage["critical_s"] is None for stage in run["stages"])
        assert (run["overlap_s"] > 0) == (threads > 1 or kind == "spans")
        shutil.rmtree(folder)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_no_trace_is_one_line_and_exit_2(venturi, tmp_path, operation):
    (tmp_path / "text").write_text("no trace\n" * 1000)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/1-2.ring").write_bytes(b"VENTURP2" + b"\xff" * 30000)
    (tmp_path / "noise").write_bytes(random.Random(1).randbytes(100000))
    for name in "nosuch", "text", "folder", "noise", "/dev/null":
        ended = venturi("trace", operation, name, "-o", tmp_path / "out")
        if operation == "pack" and name == "folder":
            (tmp_path / "out").unlink()  # a copy, whatever is in it
            continue
        assert ended.returncode == 2, (name, ended)
        assert ended.stdout == "" or operation == "export"
        assert len(ended.stderr.splitlines()) == 1 and ended.stderr.startswith("venturi: ")
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [["bogus", "x"], ["info"], ["info", "trace-v1", "trace-v2"], ["export", "trace-v1", "--format", "xml"],
                                       ["stats"]])
def test_usage(venturi, arguments):
    ended = venturi("trace", *[TRACES.get(argument, argument) for argument in arguments])
    assert ended.returncode == 2 and ended.stdout == "" and ended.stderr.startswith("venturi")


def test_an_empty_folder_is_an_empty_trace(venturi, tmp_path):
    (tmp_path / "empty").mkdir()
    [run] = as_json(venturi, "stats", tmp_path / "empty")["runs"]
    assert run["spans"] == 0 and run["stages"] == []
    assert as_json(venturi, "info", tmp_path / "empty")["spans"] == 0
    assert venturi("trace", "stats", tmp_path / "empty").returncode == 0


def test_a_full_disk_is_our_fault_not_a_trace(venturi):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    with open("/dev/full", "w", encoding="ascii") as full:
        ended = subprocess.run([BIN / "venturi", "trace", "export", TRACES["trace-v2"]], stdout=full, stderr=subprocess.PIPE, check=False)
    assert ended.returncode == 1 and ended.stderr.count(b"\n") == 1
