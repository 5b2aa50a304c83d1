# SPDX-License-Identifier: Apache-2.0
"""The folder that `setup` makes, and the pipeline files in it: every knob at every value does the same work."""

import subprocess
import tomllib

import pytest
from processes import DEADLINE_S, ROOT

EXAMPLE = ROOT / "examples/klines"


@pytest.fixture(scope="module")
def folder(programs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    for _ in range(2):
        subprocess.run([EXAMPLE / "setup", folder, programs], check=True, timeout=DEADLINE_S)
    return folder


def test_setup_says_what_it_wants(tmp_path):
    for arguments in [], [tmp_path], [tmp_path / "x", tmp_path]:
        ended = subprocess.run([EXAMPLE / "setup", *arguments], capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert list(tmp_path.iterdir()) == []


def test_setup_makes_the_folder(folder, programs):
    assert {path.name for path in folder.iterdir()} == {"bin", "data", "pipeline.toml", "questdb.toml", "questdb-server"}
    assert (folder / "bin").resolve() == programs
    assert len(list((folder / "data").iterdir())) == 4


def filled(command, ports):
    for name, port in ports.items():
        command = [word.replace(f"{{{name}.port}}", port) for word in command]
    return command


def said(command, folder):
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def check_every_variant(folder, name, ports):
    pipeline = tomllib.loads((folder / name).read_text())
    run, check = (filled(pipeline["pipeline"][key], ports) for key in ("command", "check"))
    variants = [[]] + [[knob["arg"].replace("{}", str(value))] for knob in pipeline["knob"] for value in knob["values"]]
    results = set()
    for variant in variants:
        for command in pipeline["pipeline"]["before"]:
            said(filled(command, ports), folder)
        results |= {said([*run, *variant], folder), said(check, folder)}
    assert len(results) == 1
    assert results.pop().startswith("rows 174240 ")
    assert all(knob["current"] in knob["values"] for knob in pipeline["knob"])
    return variants


def test_every_variant_into_sqlite(folder, start_cdn):
    port = start_cdn(folder / "data").rsplit(":", 1)[1]
    assert len(check_every_variant(folder, "pipeline.toml", {"cdn": port})) == 20


def test_every_variant_into_questdb(folder, start_cdn, questdb):
    port = start_cdn(folder / "data").rsplit(":", 1)[1]
    assert len(check_every_variant(folder, "questdb.toml", {"cdn": port, "questdb": str(questdb.port)})) == 12
