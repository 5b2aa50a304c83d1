# SPDX-License-Identifier: Apache-2.0
"""How many experiments a minute, and how many false alarms: `venturi lab` beside hyperfine.

    bench.py BIN [EXPERIMENTS] [--folder FOLDER]     200 unless said

Both tools get the same two commands: sha256sum of a file that takes about 60 ms, against itself (A/A) and, every tenth time,
against a file with 5 % less in it (A/B). Each tool decides for itself how often it runs them: ours until the verdict, hyperfine
at its defaults (one warm-up, no shell). An alarm is a difference where there is none: for ours any verdict but "same" and "cannot
tell"; for hyperfine a Welch test of its exported times with p < 0.05, which is what its scripts/welch_ttest.py does. Beside it
stands how often the interval that its summary prints (ratio and standard deviation) leaves out 1.

The tools take turns in random order, so that both meet the same machine. Each result is a line of results.jsonl in FOLDER, on
disk before the next one begins; started again, the bench goes on where it was. Another machine or another build asks for another
FOLDER. docs/lab-speed.md says how to read what it prints.
"""
import argparse
import fcntl
import hashlib
import json
import math
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

from scipy import stats

EXPERIMENTS = 200
PLANTED_EVERY = 10
PLANTED = 0.05
RUN_S = 0.06
ALPHA = 0.05
DEADLINE_S = 600
ANSWERED = 0, 5, 6  # exit statuses of `venturi lab` that come with an experiment
PIPELINE = """
[pipeline]
name = "sha256sum"
command = ["sha256sum"]
[[stage]]
name = "sum"
[[knob]]
name = "file"
stage = "sum"
lever = "implementation"
arg = "{{}}"
values = ["{a}", "{b}"]
current = "{a}"
"""


class Results:
    """A line a result; a last one that was cut is dropped. Two benches at once would be each other's noise."""

    def __init__(self, folder, facts):
        self.path = folder / "results.jsonl"
        self.file = self.path.open("ab")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"another bench is at work in {folder}")
        whole = self.path.read_bytes().rpartition(b"\n")[0]
        lines = [json.loads(line) for line in whole.splitlines()]
        self.facts = lines[0] if lines else {**facts, "bytes": bytes_to_take(RUN_S, folder)}
        if any(self.facts[name] != facts[name] for name in ("machine", "programs")):
            sys.exit(f"{self.path} was made on another machine or by another build: remove it, or choose another --folder")
        self.items = {(line["kind"], line["number"], line["tool"]): line for line in lines[1:]}
        self.file.truncate(len(whole) + 1 if whole else 0)
        if not lines:
            self.write(self.facts)

    def write(self, line):
        self.file.write(json.dumps(line).encode() + b"\n")
        self.file.flush()
        os.fsync(self.file.fileno())

    def add(self, line):
        self.items[line["kind"], line["number"], line["tool"]] = line
        self.write(line)

    def of(self, kind, tool, experiments):
        return [line for (its_kind, number, its_tool), line in sorted(self.items.items())
                if (its_kind, its_tool) == (kind, tool) and number < experiments]


def output_of(*command, ends=(0,)):
    ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    if ended.returncode not in ends:
        sys.exit(f"{' '.join(map(str, command))} ended with {ended.returncode}: {ended.stderr}")
    return ended.stdout


def cpu_model():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def facts_of(venturi):
    return {"machine": f"{cpu_model()}, {os.cpu_count()} cores, Linux {os.uname().release}",
            "programs": f"{output_of(venturi, '--version').strip()} ({hashlib.sha256(venturi.read_bytes()).hexdigest()[:8]}), "
                        f"{output_of('hyperfine', '--version').strip()}"}


def bytes_to_take(seconds, folder):
    """So many that sha256sum takes about that long for them."""
    path, size = folder / "a", 1 << 25
    path.write_bytes(bytes(size))
    times = []
    for _ in range(7):
        started = time.perf_counter()
        output_of("sha256sum", path)
        times.append(time.perf_counter() - started)
    return int(size * seconds / statistics.median(times))


def make_files(folder, size):
    """Two files, the second smaller."""
    a, b = folder / "a", folder / "b"
    a.write_bytes(bytes(size))
    b.write_bytes(bytes(int(size * (1 - PLANTED))))
    return a, b


def stolen_s():
    """CPU time that the host took, and all of it."""
    ticks = [int(word) for word in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return ticks[7], sum(ticks)


def ask_venturi(venturi, files, kind, number):
    toml = files[0].parent / "pipeline.toml"
    toml.write_text(PIPELINE.format(a=files[0], b=files[1]))
    request = ["control"] if kind == "aa" else ["compare", "--b", f"file={files[1]}"]
    text = output_of(venturi, "lab", request[0], toml, *request[1:], "--json", "--seed", str(number + 1), ends=ANSWERED)
    experiment = json.loads(text)
    comparison = experiment["comparisons"][0]
    return {"verdict": comparison["verdict"], "alarm": comparison["verdict"] not in ("same", "cannot_tell"),
            "found": comparison["verdict"] == "faster", "visible_ratio": comparison["visible_ratio"],
            "runs": sum(len(arm["runs"]) for arm in experiment["arms"]) * experiment["repeats"]}


def ask_hyperfine(files, kind):
    with tempfile.NamedTemporaryFile(suffix=".json") as exported:
        commands = [f"sha256sum {path}" for path in (files[0], files[kind == "ab"])]
        output_of("hyperfine", "-N", "--warmup", "1", "--style", "none", "--export-json", exported.name, *commands)
        a, b = json.load(exported)["results"]
    p = stats.ttest_ind(a["times"], b["times"], equal_var=False).pvalue
    ratio = max(a["mean"], b["mean"]) / min(a["mean"], b["mean"])
    spread = ratio * math.hypot(a["stddev"] / a["mean"], b["stddev"] / b["mean"])
    differs = bool(p < ALPHA)
    return {"p": p, "alarm": differs, "found": differs and b["mean"] < a["mean"], "summary_alarm": ratio - spread > 1,
            "runs": len(a["times"]) + len(b["times"]), "times": [a["times"], b["times"]]}


def play(results, venturi, files, experiments):
    for number in range(experiments):
        kinds = ["aa", "ab"] if number % PLANTED_EVERY == 0 else ["aa"]
        turns = [(kind, tool) for kind in kinds for tool in ("venturi", "hyperfine")]
        random.Random(number).shuffle(turns)
        for kind, tool in turns:
            if (kind, number, tool) in results.items:
                continue
            before, load, started = stolen_s(), os.getloadavg()[0], time.perf_counter()
            result = ask_venturi(venturi, files, kind, number) if tool == "venturi" else ask_hyperfine(files, kind)
            took_s = time.perf_counter() - started
            stolen, passed = (after - then for after, then in zip(stolen_s(), before))
            results.add({"kind": kind, "number": number, "tool": tool, "took_s": took_s, "load": load, "steal": stolen / max(passed, 1),
                         **result})
        if sys.stderr.isatty():
            print(f"\r{number + 1} of {experiments}", end="", file=sys.stderr, flush=True)


def share(count, of):
    """Percent with its exact interval (Clopper and Pearson)."""
    low = stats.beta.ppf(0.025, count, of - count + 1) if count else 0
    high = stats.beta.ppf(0.975, count + 1, of - count) if count < of else 1
    return f"{count} of {of} = {100 * count / of:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def lag_one(times):
    mean = statistics.fmean(times)
    total = sum((time - mean) ** 2 for time in times)
    return sum((x - mean) * (y - mean) for x, y in zip(times, times[1:])) / total if total else 0


def show_noise(peers, everybody):
    """The machine, by what hyperfine measured of one and the same command."""
    series = [times for line in peers for times in line["times"]]
    medians = [statistics.median(times) for times in series]
    steps = [abs(math.log(b / a)) for a, b in zip(medians, medians[1:])]
    print(f"machine: a run {1000 * statistics.median(medians):.1f} ms; within a series CV "
          f"{100 * statistics.median(statistics.stdev(times) / statistics.fmean(times) for times in series):.1f} %, "
          f"lag-1 correlation {statistics.median(map(lag_one, series)):.2f} (medians)")
    print(f"         from one series to the next the median moves {100 * statistics.median(steps):.2f} % (at most {100 * max(steps):.1f} %); "
          f"slowest series {max(medians) / min(medians):.3f} times the fastest")
    print(f"         load before an experiment {statistics.median(line['load'] for line in everybody):.2f} (median), "
          f"stolen by the host {100 * statistics.fmean(line['steal'] for line in everybody):.1f} %")


def show(results, experiments):
    print(results.facts["machine"], results.facts["programs"], sep="\n")
    of = {(kind, tool): results.of(kind, tool, experiments) for kind in ("aa", "ab") for tool in ("venturi", "hyperfine")}
    show_noise(of["aa", "hyperfine"], [line for lines in of.values() for line in lines])
    print(f"{'':10} {'experiments/min':>15} {'s, median':>10} {'s, most':>8} {'commands run':>12}  false alarms, 5 % allowed")
    for tool in "venturi", "hyperfine":
        lines = of["aa", tool]
        took_s = [line["took_s"] for line in lines]
        print(f"{tool:10} {60 / statistics.fmean(took_s):15.1f} {statistics.median(took_s):10.1f} {max(took_s):8.1f} "
              f"{statistics.median(line['runs'] for line in lines):12.0f}  {share(sum(line['alarm'] for line in lines), len(lines))}")
    peers = of["aa", "hyperfine"]
    print(f"{'':60} {share(sum(line['summary_alarm'] for line in peers), len(peers))} by hyperfine's summary")
    for tool in "venturi", "hyperfine":
        lines = of["ab", tool]
        print(f"{tool:10} {60 / statistics.fmean(line['took_s'] for line in lines):15.1f} experiments/min on a planted gain of "
              f"{100 * PLANTED:.0f} %: found {share(sum(line['found'] for line in lines), len(lines))}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("experiments", nargs="?", type=int, default=EXPERIMENTS)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("build/bench/lab"))
    options = parser.parse_args()
    if options.experiments < 1:
        parser.error("at least one experiment")
    venturi, folder = (options.bin / "venturi").resolve(), options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    # An agent's environment would send our requests to its lab.
    os.environ.pop("VENTURI_LAB", None)
    results = Results(folder, facts_of(venturi))
    play(results, venturi, make_files(folder, results.facts["bytes"]), options.experiments)
    show(results, options.experiments)


if __name__ == "__main__":
    main()
