# SPDX-License-Identifier: Apache-2.0
"""What a span costs in Python, beside two bare clock readings and beside OpenTelemetry's SDK.

    bench.py [ROUNDS]     from 11 rounds on, which is the default; exit 1 when a median is above its limit

Every case is timed in the same loop, `for _ in repeat(None, n)` with the statements that are shown, all names local,
garbage collection off; nothing is subtracted. A round times each case once, in an order of its own; a ratio is that of
two cases of the same round. Recorded bytes go to a file in the temporary folder (TMPDIR). The process that does not
record is another one, asked in the same rounds. OpenTelemetry has its SDK's provider and no processor: spans are made,
timed and dropped.
"""
import argparse
import gc
import os
import random
import statistics
import subprocess
import sys
import tempfile
from itertools import repeat
from time import perf_counter_ns

ROUNDS_MIN = 11
TURNS = 40_000
TURNS_SLOW = 1_000

BASE = "clock(); clock()"
LOOP = "for x in items: pass"
# {what it is: (statements, where, turns of the loop or values in it)}
CASES = {
    "two clock readings": (BASE, "here", TURNS),
    "begin, end": ('span = begin("parse"); end(span)', "here", TURNS),
    "lap": ('lap("parse")', "here", TURNS),
    "with, same span": ("with parse: pass", "here", TURNS),
    "with": ('with stage("parse"): pass', "here", TURNS),
    "with item and rows": ('with stage("parse", item=3) as span: span.rows = 5', "here", TURNS),
    "a loop": (LOOP, "here", TURNS),
    "each": ('for x in each("parse", items): pass', "here", TURNS),
    "off: begin, end": ('span = begin("parse"); end(span)', "not recording", TURNS),
    "off: lap": ('lap("parse")', "not recording", TURNS),
    "off: with": ('with stage("parse"): pass', "not recording", TURNS),
    "off: each": ('for x in each("parse", items): pass', "not recording", TURNS),
    "OpenTelemetry SDK": ('with start_as_current_span("parse"): pass', "rival", TURNS_SLOW),
}
# (case, other case, how they compare, limit)
GOALS = [
    ("begin, end", "two clock readings", "times", 0.6),
    ("lap", "two clock readings", "times", 0.4),
    ("each", "a loop", "ns more than", 25.0),
    ("with", "OpenTelemetry SDK", "times", 0.01),
]
COMPARE = {"times": lambda ours, other: ours / other, "ns more than": lambda ours, other: ours - other}


def opentelemetry():
    try:
        from opentelemetry.sdk.trace import TracerProvider
    except ImportError:
        return None
    return TracerProvider().get_tracer("bench").start_as_current_span


def names():
    import venturi

    return {"clock": perf_counter_ns, "begin": venturi.begin, "end": venturi.end, "lap": venturi.lap,
            "stage": venturi.stage, "each": venturi.each, "parse": venturi.stage("parse"), "items": list(range(1000)),
            "start_as_current_span": opentelemetry()}


def make_loop(statements, known, turns):
    """A function that returns how many nanoseconds one turn takes."""
    loops = "items" in statements
    body = "\n        ".join(statements.split("; "))
    source = f"def loop(n, repeat, {', '.join(known)}):\n    for _ in repeat(None, n):\n        {body}\n"
    scope = {}
    exec(source, scope)

    def timed():
        start = perf_counter_ns()
        scope["loop"](turns // len(known["items"]) if loops else turns, repeat, **known)
        return (perf_counter_ns() - start) / turns

    return timed


def make_loops(places):
    known = names()
    return {case: make_loop(statements, known, turns)
            for case, (statements, place, turns) in CASES.items()
            if place in places and (place != "rival" or known["start_as_current_span"])}


def answer():
    """The process that does not record: times the cases it is asked for."""
    loops = make_loops({"not recording"})
    gc.disable()
    for line in sys.stdin:
        print(loops[line.strip()](), flush=True)


class Other:
    """That process, seen from here."""

    def __init__(self):
        environment = {name: value for name, value in os.environ.items() if name != "VENTURI_TRACE"}
        self.process = subprocess.Popen([sys.executable, __file__, "--answer"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=environment)

    def loop(self, case):
        def timed():
            print(case, file=self.process.stdin, flush=True)
            return float(self.process.stdout.readline())

        return timed

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)


def play(loops, rounds):
    """{case: nanoseconds of each round}, after a round that does not count."""
    order = list(loops)
    mix = random.Random(1)
    times = {case: [] for case in loops}
    for number in range(-1, rounds):
        mix.shuffle(order)
        for case in order:
            took = loops[case]()
            if number >= 0:
                times[case].append(took)
        gc.collect()
    return times


def show(times):
    print(f"{'case':20} {'ns':>9}  {'least':>8} {'most':>8}  {'x base':>6}  statements")
    for case, (statements, _, _) in CASES.items():
        if case not in times:
            print(f"{case:20} {'not installed':>20}")
            continue
        took = times[case]
        ratio = statistics.median(map(COMPARE["times"], took, times["two clock readings"]))
        median = statistics.median(took)
        print(f"{case:20} {median:9.1f}  {min(took):8.1f} {max(took):8.1f}  {ratio:6.2f}  {statements}")


def judge(times):
    """Whether every goal that could be measured is met."""
    met = True
    for case, other, how, limit in GOALS:
        if other not in times:
            print(f"{case}: {other} is not installed")
            continue
        rounds = list(map(COMPARE[how], times[case], times[other]))
        found = statistics.median(rounds)
        verdict = "met" if found <= limit else "MISSED"
        met = met and found <= limit
        print(f"{case}: {found:.4g} [{min(rounds):.4g}..{max(rounds):.4g}] {how} {other}, limit {limit:g}: {verdict}")
    return met


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rounds", nargs="?", type=int, default=ROUNDS_MIN)
    parser.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.answer:
        return answer()
    if options.rounds < ROUNDS_MIN:
        parser.error(f"at least {ROUNDS_MIN} rounds")
    with tempfile.TemporaryDirectory() as folder, Other() as other:
        os.environ["VENTURI_TRACE"] = folder
        loops = make_loops({"here", "rival"})
        off = [case for case, (_, place, _) in CASES.items() if place == "not recording"]
        loops.update({case: other.loop(case) for case in off})
        gc.disable()
        times = play(loops, options.rounds)
    print(f"CPython {sys.version.split()[0]}, {options.rounds} rounds")
    show(times)
    return 0 if judge(times) else 1


if __name__ == "__main__":
    sys.exit(main())
