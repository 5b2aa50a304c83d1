# SPDX-License-Identifier: Apache-2.0
"""Do real programs slow down while they are recorded? By the lab's own protocol (docs/measuring.md).

    bench.py BIN [--recording on|cpu] [--seed N] [HOST...]     exit 1 unless every verdict is "same"

Each host is a pipeline (*.toml here) with the knob `recording`. `venturi lab compare` runs it with "off" (VENTURI_TRACE taken
away) and with "on" in random pairs, both doing the same work, until the interval of time off / time on says something; what
matters is 1 %. "Same" means that the whole interval lies within 1 %. An interval that lies wholly below 1 is called slower, however
little it is, and that is no pass. What every run recorded is read from its trace: a run "on" without spans, or with
losses, or a run "off" with spans makes the comparison worth nothing.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
HOSTS = ["sqlite", "csv", "python"]
DELTA = 0.01
DECIDED, CANNOT_TELL, FAILED = 0, 5, 6  # exit statuses of `venturi lab` that come with an experiment
BUDGET = "10m"


class Stopped(Exception):
    """There is no experiment to judge."""


def prepare(folder, host, programs):
    """A folder in which the host's pipeline runs."""
    folder.mkdir()
    for name, target in {"bin": programs, "hosts": HERE, "env": sys.prefix}.items():
        (folder / name).symlink_to(pathlib.Path(target).resolve())
    shutil.copy(HERE / f"{host}.toml", folder / "pipeline.toml")
    return folder


def compare(folder, recording, seed):
    """The experiment, as the lab tells it; its journal and traces are in folder/lab."""
    command = ["bin/venturi", "lab", "compare", "pipeline.toml", "--b", f"recording={recording}", "--delta", str(DELTA), "--seed",
               str(seed), "--budget", BUDGET, "--purpose", "does recording slow it down", "--out", "lab", "--json"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VENTURI_")}
    ended = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode not in (DECIDED, CANNOT_TELL, FAILED) or not ended.stdout:
        raise Stopped(f"venturi lab ended with status {ended.returncode}")
    return json.loads(ended.stdout)


def read_runs(folder):
    """The journal's runs, without the one that warms up."""
    records = map(json.loads, (folder / "lab/journal.jsonl").read_text().splitlines())
    return [record for record in records if record["record"] == "run" and not record["warm_up"]]


def trace_info(folder, run):
    told = subprocess.run(["bin/venturi", "trace", "info", "--json", f"lab/{run['trace']}"], cwd=folder, stdout=subprocess.PIPE,
                          text=True, check=True)
    return json.loads(told.stdout)


def what_was_recorded(folder):
    """({"off", "on": spans of each run}, losses of all, median seconds of a run "off")."""
    spans, losses, seconds = {"off": [], "on": []}, 0, []
    for run in read_runs(folder):
        info = trace_info(folder, run)
        spans["on" if run["settings"] else "off"].append(info["spans"])
        losses += info["lost_spans"]
        if not run["settings"]:
            seconds.append(run["duration_s"])
    return spans, losses, statistics.median(seconds) if seconds else float("nan")


def complaints(comparison, spans, losses):
    """Why this is no pass, in words."""
    found = []
    verdict, effect = comparison["verdict"], comparison["effect"]
    if verdict == "slower" and effect["low"] >= 1 / (1 + DELTA):
        found.append("SLOWER, but by less than 1 %")
    elif verdict != "same":
        found.append(verdict.upper().replace("_", " "))
    if not spans["on"] or min(spans["on"]) == 0:
        found.append("NOTHING RECORDED")
    if any(spans["off"]):
        found.append("RECORDED WHILE OFF")
    if losses:
        found.append(f"{losses} SPANS LOST")
    return found


def percent_slower(effect):
    """"+0.12 % [-0.31, +0.55]": how much longer a recorded run takes, of time off / time on."""
    if not effect:
        return "no interval"
    middle, least, most = (100 * (1 / effect[key] - 1) for key in ("mid", "high", "low"))
    return f"{middle:+.2f} % [{least:+.2f}, {most:+.2f}]"


def ratio(effect):
    return f"{effect['mid']:.4f} [{effect['low']:.4f}, {effect['high']:.4f}]" if effect else "-"


def count_text(counts):
    least, most = min(counts, default=0), max(counts, default=0)
    return str(least) if least == most else f"{least}..{most}"


ROW = "{:8} {:26} {:26} {:>5}  {:>7}  {:>10}  {}"


def show(host, comparison, spans, seconds, found):
    print(ROW.format(host, ratio(comparison["effect"]), percent_slower(comparison["effect"]), comparison["pairs"], f"{seconds:.3f} s",
                     count_text(spans["on"]), "; ".join(found) or "SAME"), flush=True)
    if comparison["order_effect"]:
        print(f"{'':8} the second run of a pair differs from the first")


def bench(folder, host, options):
    """Whether this host is as fast recorded as not."""
    prepare(folder, host, options.bin)
    experiment = compare(folder, options.recording, options.seed)
    comparison = experiment["comparisons"][0]
    spans, losses, seconds = what_was_recorded(folder)
    found = complaints(comparison, spans, losses)
    show(host, comparison, spans, seconds, found)
    return not found


def read_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("hosts", nargs="*", metavar="HOST", help=f"of {', '.join(HOSTS)}; default all")
    parser.add_argument("--recording", choices=["on", "cpu"], default="on", help="cpu: with VENTURI_CPU=1, as in the lab")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    unknown = set(options.hosts) - set(HOSTS)
    if unknown:
        parser.error(f"no host '{min(unknown)}'")
    return options


def main(arguments=None):
    options = read_options(arguments)
    same = True
    print(f"recording {options.recording} against off; what matters is {DELTA:.0%}; seed {options.seed}")
    print(ROW.format("host", "time off / time on", "slower by", "pairs", "a run", "spans/run", "verdict"), flush=True)
    for host in options.hosts or HOSTS:
        with tempfile.TemporaryDirectory(prefix=f"bench-hosts-{host}-") as folder:
            try:
                same &= bench(pathlib.Path(folder) / "host", host, options)
            except Stopped as stopped:
                print(f"{host:8} {stopped}", flush=True)
                same = False
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
