# SPDX-License-Identifier: Apache-2.0
"""The command line itself: help, usage errors, and mistakes in pipeline.toml, which cost one line and run nothing."""

import re

import pytest

COMMANDS = ["init", "profile", "investigate", "resume", "report", "lab", "trace", "help"]


def test_version_and_overview(venturi):
    assert re.fullmatch(r"venturi \d+\.\d+\.\d+\n", venturi("--version").stdout)
    overview = venturi("--help").stdout
    for command in COMMANDS:
        assert re.search(rf"^  {command}\b", overview, re.M)
    assert venturi("help", "exit-codes").stdout.count("\n") == 8


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(venturi, command):
    shown = venturi(command, "--help")
    assert shown.returncode == 0 and f"venturi {command}" in shown.stdout
    page = venturi("help", "--man", command).stdout
    for option in re.findall(r"^\s+--([a-z-]+)", shown.stdout, re.M):
        if option not in ("help", "usage"):
            assert f"\\-\\-{option}" in page


@pytest.mark.parametrize("arguments", [["nosuch"], ["init", "--nosuch"], ["profile"], ["profile", "a", "b"], ["help", "nosuch"],
                                       ["profile", "x.toml", "--runs", "-1"], ["investigate", "x.toml", "--budget", "5 parsecs"],
                                       ["investigate", "x.toml", "--only", "nosuch"], ["resume", "nosuch"], ["report", "nosuch"],
                                       ["lab", "nosuch"], ["lab", "compare", "x.toml", "--delta", "little"], ["lab", "compare", "x.toml"], ["agent", "nosuch"]])
def test_usage_errors_exit_2(venturi, arguments):
    ended = venturi(*arguments)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("venturi")


def test_init_writes_once(venturi, tmp_path):
    assert venturi("init").returncode == 0
    written = (tmp_path / "pipeline.toml").read_text()
    assert "[pipeline]" in written
    again = venturi("init")
    assert again.returncode == 2 and "exists" in again.stderr
    assert (tmp_path / "pipeline.toml").read_text() == written


MISTAKES = {
    "unknown key": ('timeout = "20s"', 'timeuot = "20s"', "timeuot"),
    "wrong type": ('timeout = "20s"', "timeout = 20", "timeout"),
    "missing command": ('command = ["bin/klines", "--cdn", "http://127.0.0.1:{cdn.port}", "--months", "3", "--db", "klines.db"]\n', "",
                        "command"),
    "knob without values": ("values = [1, 3]", "values = []", "values"),
    "stage named twice": ('name = "parse"', 'name = "extract"', "extract"),
    "program not found": ('check   = ["bin/klines"', 'check   = ["bin/nosuch"', "nosuch"),
    "broken syntax": ("[goal]", "[goal", ""),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_nothing_runs(venturi, small, mistake):
    old, new, named = MISTAKES[mistake]
    text = (small / "pipeline.toml").read_text()
    assert old in text
    (small / "pipeline.toml").write_text(text.replace(old, new))
    for command in ["profile"], ["investigate"], ["lab", "control"]:
        ended = venturi(*command, "pipeline.toml")
        assert ended.returncode == 2
        assert len(ended.stderr.splitlines()) == 1
        assert re.match(r"venturi: .*pipeline\.toml(:\d+){0,2}: ", ended.stderr)
        assert named in ended.stderr
    assert not (small / "klines.db").exists()


def test_a_service_that_never_gets_ready_is_one_line(venturi, small):
    text = (small / "pipeline.toml").read_text()
    ready = 'ready   = "http://127.0.0.1:{port}/health"'
    (small / "pipeline.toml").write_text(text.replace(ready, 'ready = "http://127.0.0.1:{port}/nosuch"\nready_timeout = "1s"'))
    ended = venturi("profile", "pipeline.toml")
    assert ended.returncode == 6
    assert len(ended.stderr.splitlines()) == 1 and "cdn" in ended.stderr
    assert not (small / "klines.db").exists()
