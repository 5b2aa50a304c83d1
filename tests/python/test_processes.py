# SPDX-License-Identifier: Apache-2.0
"""Tasks, threads and processes keep their spans apart; what ended is there after kill -9."""
import collections
import signal


def test_tasks(host):
    run = host.run("""
        import asyncio
        import venturi
        async def work(number):
            with venturi.stage("outer", item=number) as span:
                span.rows += number
                for turn in range(3):
                    with venturi.stage("inner", item=number):
                        await asyncio.sleep(0)
                span.rows += number
        async def cancelled():
            with venturi.stage("cancelled"):
                await asyncio.sleep(3600)
        async def main():
            victim = asyncio.ensure_future(cancelled())
            await asyncio.gather(*(work(number) for number in range(1, 51)))
            victim.cancel()
            await asyncio.wait([victim])
        asyncio.run(main())
        """)
    outer = {span["item"]: span for span in run.spans if span["stage"] == "outer"}
    inner = [span for span in run.spans if span["stage"] == "inner"]
    assert {item: span["rows"] for item, span in outer.items()} == {number: 2 * number for number in range(1, 51)}
    assert collections.Counter(span["item"] for span in inner) == {number: 3 for number in range(1, 51)}
    assert all(outer[span["item"]]["start_ns"] <= span["start_ns"] <= span["end_ns"] <= outer[span["item"]]["end_ns"]
               for span in inner)
    assert [span["failed"] for span in run.spans if span["stage"] == "cancelled"] == [True]
    assert run.losses == {}


def test_laps_of_tasks_are_harmless(host):
    """Tasks share a thread and so its lap: the times of their stages mix, and nothing else happens."""
    run = host.run("""
        import asyncio
        import venturi
        async def work(name):
            for turn in range(10):
                venturi.lap(name)
                await asyncio.sleep(0)
            venturi.lap_end()
        async def main():
            await asyncio.gather(work("a"), work("b"))
        asyncio.run(main())
        """)
    assert collections.Counter(run.shown("stage")) == {("a",): 10, ("b",): 10}
    assert run.losses == {}


def test_threads(host):
    run = host.run("""
        import threading
        from concurrent.futures import ThreadPoolExecutor
        import venturi
        together = threading.Barrier(8)
        def work(number):
            together.wait()
            venturi.lap_item(number)
            for turn in range(200):
                venturi.lap("lap")
                venturi.lap_count(number)
                with venturi.stage("span", item=number):
                    pass
            venturi.lap_end()
            for turn in venturi.each("each", range(50), rows=number):
                pass
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(1, 9)))
        """)
    workers = {}
    for span in run.spans:
        number = span["rows"] if span["stage"] == "each" else span["item"]
        workers.setdefault(span["worker"], set()).add(number)
    assert sorted(workers.values(), key=min) == [{number} for number in range(1, 9)]
    assert collections.Counter(run.shown("stage")) == {("lap",): 1600, ("span",): 1600, ("each",): 400}
    assert all(span["rows"] == span["item"] for span in run.spans if span["stage"] == "lap")
    assert run.losses == {}


def test_fork(host):
    run = host.run("""
        import os
        import venturi
        venturi.lap("parent's lap")
        with venturi.stage("across") as across:
            child = os.fork()
            venturi.lap("child's lap" if child == 0 else "parent's next lap")
            with venturi.stage("child" if child == 0 else "parent"):
                pass
        venturi.lap_end()
        if child == 0:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        """)
    assert sorted(run.shown("stage")) == [
        ("across",), ("child",), ("child's lap",), ("parent",), ("parent's lap",), ("parent's next lap",)]
    assert run.losses == {"misuse": 1}


def test_multiprocessing(host):
    run = host.run("""
        import multiprocessing
        import venturi
        def work(number):
            with venturi.stage("work", item=number):
                venturi.lap("step")
                venturi.lap_end()
        if __name__ == "__main__":
            with venturi.stage("all"):
                for method in ("spawn", "fork", "forkserver"):
                    with multiprocessing.get_context(method).Pool(2) as pool:
                        pool.map(work, range(1, 11))
        """)
    assert collections.Counter(run.shown("stage", "item")) == {
        ("all", 0): 1, ("step", 0): 30, **{("work", number): 3 for number in range(1, 11)}}
    assert run.losses == {}


def test_kill(host):
    """Whole blocks went to the file, the rest lies in the ring."""
    count = 100_000
    run = host.run(f"""
        import os, signal
        import venturi
        for i in range({count}):
            with venturi.stage("work"):
                pass
            venturi.lap("lap")
        venturi.lap_end()
        venturi.begin("open")
        os.kill(os.getpid(), signal.SIGKILL)
        """, status=-signal.SIGKILL)
    assert collections.Counter(run.shown("stage")) == {("work",): count, ("lap",): count}
    assert run.losses == {}
    assert list(run.folder.glob("*.spans"))


def test_signal_handlers(host):
    run = host.run("""
        import signal, time
        import venturi
        ticks = 0
        def tick(*_):
            global ticks
            ticks += 1
            with venturi.stage("tick"):
                venturi.lap("lap of a tick")
        signal.signal(signal.SIGALRM, tick)
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        end = time.monotonic() + 30
        spans = 0
        while ticks < 50:
            assert time.monotonic() < end
            with venturi.stage("work"):
                spans += 1
        signal.setitimer(signal.ITIMER_REAL, 0)
        print([ticks, spans])
        """)
    ticks, spans = run.answer
    counts = collections.Counter(run.shown("stage"))
    assert (counts[("tick",)], counts[("work",)]) == (ticks, spans)
    assert run.losses == {}


def test_folder_that_is_gone(host):
    """The host works on; there is nowhere to record."""
    host.run("""
        import venturi
        for turn in range(1000):
            with venturi.stage("work"):
                venturi.lap("lap")
        """, VENTURI_TRACE="/nonexistent")


def test_at_exit(host):
    run = host.run("""
        import atexit, sys
        import venturi
        class Late:
            def __del__(self, stage=venturi.stage):
                with stage("late"):
                    pass
        atexit.register(lambda: venturi.lap("at exit"))
        sys.late = Late()
        turns = venturi.each("left open", [1])
        next(turns)
        """)
    assert ("late",) in run.shown("stage")
    assert run.losses == {}
