# SPDX-License-Identifier: Apache-2.0
"""What the analysis of a trace costs, beside adding up the bytes of its spans, and beside DuckDB.

    bench.py BIN [ROUNDS] [--spans N]     from 11 rounds on, which is the default; exit 1 when a median is above its limit

The traces are made (make.h): six stages, 10,000,000 spans of 1 to 100 us. The base is adding up the 8-byte words of the
same spans as plain records of 32 bytes, mapped; our files are a tenth of that, and adding them up is shown too. The analysis
is all of `venturi trace stats`: count, sum, p50 and p99, busy, overlap, workers, queues, slowest, a check of every page.
DuckDB reads the spans from Parquet, with all the cores it finds. Everything lies in the page cache. A round plays each case
once, in an order of its own; a ratio is that of two cases of the same round.
"""
import argparse
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS_MIN = 11
SPANS = 10_000_000

# {name of the trace: (kind, threads)}
TRACES = {
    "laps of 1 thread": ("laps", 1),
    "laps of 4 threads": ("laps", 4),
    "laps with rows": ("counted", 1),
    "spans that overlap": ("spans", 1),
}
BASE = "sum of 32-byte records"
OWN = "sum of our file"
LIMIT = 1.5  # of the base, for the laps of one thread

SUMS = """SELECT stage, count(*), sum(end_ns - start_ns), approx_quantile(end_ns - start_ns, 0.5),
 approx_quantile(end_ns - start_ns, 0.99) FROM '{file}' GROUP BY stage"""
BUSY = """SELECT stage, sum(greatest(0, end_ns - greatest(start_ns, coalesce(before, 0)))) FROM (SELECT stage, start_ns, end_ns,
 max(end_ns) OVER (PARTITION BY stage ORDER BY start_ns, end_ns ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
 FROM '{file}') GROUP BY stage"""


class Answering:
    """The C program that does what it is told and says how long it took."""

    def __init__(self, program):
        self.process = subprocess.Popen([program, "answer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def case(self, *order):
        def timed():
            print(*order, file=self.process.stdin, flush=True)
            return float(self.process.stdout.readline()) * 1e-6

        return timed

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(60)


def duckdb_cases(venturi, trace, folder):
    try:
        import duckdb
    except ImportError:
        return {}
    text, file = folder / "spans.csv", folder / "spans.parquet"
    subprocess.run([venturi, "trace", "export", trace, "--format", "csv", "--out", text], check=True)
    connection = duckdb.connect()
    connection.execute(f"COPY (SELECT stage, thread, start_ns, end_ns FROM read_csv('{text}')) TO '{file}' (COMPRESSION zstd)")
    text.unlink()

    def case(query):
        def timed():
            started = time.perf_counter_ns()
            connection.execute(query.format(file=file)).fetchall()
            return (time.perf_counter_ns() - started) * 1e-6

        return timed

    return {"DuckDB: count, sum, p50, p99": case(SUMS), "DuckDB: busy": case(BUSY)}


def play(cases, rounds):
    """{case: milliseconds of each round}, after a round that does not count."""
    order, mix = list(cases), random.Random(1)
    times = {case: [] for case in cases}
    for number in range(-1, rounds):
        mix.shuffle(order)
        for case in order:
            took = cases[case]()
            if number >= 0:
                times[case].append(took)
    return times


def ratios(times, case, other):
    return [ours / base for ours, base in zip(times[case], times[other])]


def show(times, spans):
    print(f"{'case':34} {'ms':>8}  {'least':>8} {'most':>8}  {'ns/span':>7} {'x base':>6} {'x own':>6}")
    for case, took in times.items():
        median = statistics.median(took)
        base, own = (statistics.median(ratios(times, case, other)) for other in (BASE, OWN))
        print(f"{case:34} {median:8.1f}  {min(took):8.1f} {max(took):8.1f}  {median * 1e6 / spans:7.2f} {base:6.2f} {own:6.1f}")


def judge(times, case):
    rounds = ratios(times, case, BASE)
    found = statistics.median(rounds)
    verdict = "met" if found <= LIMIT else "MISSED"
    print(f"{case}: {found:.3g} [{min(rounds):.3g}..{max(rounds):.3g}] times {BASE}, limit {LIMIT:g}: {verdict}")
    return found <= LIMIT


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("bin", type=pathlib.Path)
    parser.add_argument("rounds", nargs="?", type=int, default=ROUNDS_MIN)
    parser.add_argument("--spans", type=int, default=SPANS)
    options = parser.parse_args()
    if options.rounds < ROUNDS_MIN:
        parser.error(f"at least {ROUNDS_MIN} rounds")
    program, venturi = options.bin / "venturi-bench-trace", options.bin / "venturi"
    with tempfile.TemporaryDirectory() as name, Answering(program) as answering:
        folder = pathlib.Path(name)
        records = folder / "records"
        cases = {}
        for trace, (kind, threads) in TRACES.items():
            made = folder / trace.replace(" ", "-")
            made.mkdir()
            subprocess.run([program, "make", made, kind, str(threads), str(options.spans)] + [records] * (not cases), check=True)
            if not cases:
                cases = {BASE: answering.case("sum", records), OWN: answering.case("sum", *made.glob("*.spans"))}
            cases[f"analysis: {trace}"] = answering.case("analyse", made)
        cases.update(duckdb_cases(venturi, folder / "laps-of-4-threads", folder))
        times = play(cases, options.rounds)
    print(f"{options.spans} spans, {options.rounds} rounds")
    show(times, options.spans)
    if not any(case.startswith("DuckDB") for case in times):
        print("DuckDB: not installed")
    return 0 if judge(times, "analysis: laps of 1 thread") else 1


if __name__ == "__main__":
    sys.exit(main())
