# SPDX-License-Identifier: Apache-2.0
"""What every call records."""


def inside(inner, outer):
    return outer["start_ns"] <= inner["start_ns"] and inner["end_ns"] <= outer["end_ns"]


def apart(one, other):
    return one["end_ns"] <= other["start_ns"] or other["end_ns"] <= one["start_ns"]


def test_with(host):
    run = host.run("""
        import venturi
        with venturi.stage("download", item=3, rows=10) as span:
            span.rows += 5
            span.bytes = 2**40
            with venturi.stage("parse", 4):
                pass
        assert (span.name, span.item, span.rows, span.bytes) == ("download", 3, 15, 2**40), span
        assert venturi.recording() is True
        """)
    assert run.shown("stage", "item", "rows", "bytes", "failed") == [
        ("download", 3, 15, 2**40, False), ("parse", 4, 0, 0, False)]
    assert inside(run.spans[1], run.spans[0])
    assert run.losses == {}


def test_with_exception(host):
    run = host.run("""
        import venturi
        for error in (ValueError, KeyboardInterrupt, StopIteration, GeneratorExit):
            try:
                with venturi.stage(error.__name__, rows=7):
                    raise error
            except error:
                continue
            raise AssertionError("swallowed")
        """)
    assert run.shown("stage", "rows", "failed") == [
        ("ValueError", 0, True), ("KeyboardInterrupt", 0, True), ("StopIteration", 7, False),
        ("GeneratorExit", 7, False)]


def test_with_again_and_again(host):
    run = host.run("""
        import venturi
        span = venturi.stage("parse", rows=1)
        for i in range(3):
            with span:
                span.rows += i
        """)
    assert run.shown("stage", "rows") == [("parse", 1), ("parse", 2), ("parse", 3)]


def test_with_recursion_on_one_span(host):
    run = host.run("""
        import venturi
        span = venturi.stage("walk")
        def walk(node):
            with span:
                span.rows += node
                if node < 4:
                    walk(2 * node)
                    walk(2 * node + 1)
                span.bytes += node
        walk(1)
        """)
    assert run.shown("rows", "bytes") == [(node, node) for node in (1, 2, 4, 5, 3, 6, 7)]
    spans = {span["rows"]: span for span in run.spans}
    assert all(inside(spans[node], spans[node // 2]) for node in range(2, 8))
    assert run.losses == {}


def test_begin_and_end(host):
    run = host.run("""
        import threading
        import venturi
        one = venturi.begin("one", item=1)
        two = venturi.begin("two", 2)
        two.rows = 5
        venturi.end(one)
        venturi.end(two, 10, bytes=20)
        venturi.fail(venturi.begin("three", 3))
        four = venturi.begin("four", 4)
        other = threading.Thread(target=venturi.end, args=(four, 1, 2))
        other.start()
        other.join()
        venturi.begin("never ended")
        """)
    assert sorted(run.shown("item", "stage", "rows", "bytes", "failed")) == [
        (1, "one", 0, 0, False), (2, "two", 15, 20, False), (3, "three", 0, 0, True), (4, "four", 1, 2, False)]
    assert len({span["worker"] for span in run.spans if span["stage"] in ("one", "two", "four")}) == 2


def test_lap(host):
    run = host.run("""
        import venturi
        for month in (1, 2):
            venturi.lap_item(month)
            venturi.lap("download")
            venturi.lap_count(bytes=1000)
            venturi.lap("parse")
            venturi.lap_count(10)
            venturi.lap_count(rows=10, bytes=1)
        venturi.lap_end()
        venturi.lap_end()
        """)
    assert run.shown("stage", "item", "rows", "bytes") == [
        (stage, month, rows, count) for month in (1, 2)
        for stage, rows, count in (("download", 0, 1000), ("parse", 20, 1))]
    assert all(run.spans[i]["end_ns"] == run.spans[i + 1]["start_ns"] for i in range(3))
    assert run.losses == {}


def test_each(host):
    run = host.run("""
        import venturi
        def source():
            for value in "abc":
                with venturi.stage("source"):
                    pass
                yield value
        seen = ""
        for value in venturi.each("parse", source(), item=7, rows=2, bytes=3):
            with venturi.stage("body"):
                seen += value
        assert seen == "abc"
        assert list(venturi.each("list", [1, 2])) == [1, 2]
        empty = venturi.each("empty", [])
        assert iter(empty) is empty
        assert list(empty) == list(empty) == []
        """)
    turns = [span for span in run.spans if span["stage"] == "parse"]
    bodies = [span for span in run.spans if span["stage"] == "body"]
    sources = [span for span in run.spans if span["stage"] == "source"]
    assert [(span["item"], span["rows"], span["bytes"]) for span in turns] == [(7, 2, 3), (8, 2, 3), (9, 2, 3)]
    assert len(bodies) == len(sources) == 3
    assert all(inside(body, turn) for body, turn in zip(bodies, turns))
    assert all(apart(source, turn) for source in sources for turn in turns)
    assert run.shown("stage", "item")[-2:] == [("list", 0), ("list", 0)]
    assert run.losses == {}


def test_each_left_early(host):
    run = host.run("""
        import venturi
        for value in venturi.each("break", [1, 2, 3], rows=1):
            break
        with venturi.stage("after"):
            pass
        def leave():
            for value in venturi.each("return", [1, 2, 3], rows=1):
                return value
        leave()
        for error in (ValueError, GeneratorExit):
            try:
                for value in venturi.each(error.__name__, [1, 2, 3], rows=1):
                    if value == 2:
                        raise error
            except error:
                pass
        def raise_inside():
            for outer in venturi.each("outer", [1], rows=1):
                for inner in venturi.each("inner", [1], rows=1):
                    raise ValueError
        try:
            raise_inside()
        except ValueError:
            pass
        """)
    found = run.shown("stage", "rows", "failed")
    assert found == [("break", 1, False), ("after", 0, False), ("return", 1, False), ("ValueError", 1, False),
                     ("ValueError", 0, True), ("GeneratorExit", 1, False), ("GeneratorExit", 1, False),
                     ("outer", 0, True), ("inner", 0, True)]
    assert run.spans[0]["end_ns"] <= run.spans[1]["start_ns"]
    assert run.losses == {}


def test_each_of_a_source_that_fails(host):
    run = host.run("""
        import venturi
        def source():
            yield 1
            raise ValueError
        turns = venturi.each("parse", source())
        assert next(turns) == 1
        for error in (ValueError, StopIteration):
            try:
                next(turns)
            except error:
                continue
            raise AssertionError(error)
        """)
    assert run.shown("stage", "failed") == [("parse", False)]
    assert run.losses == {}


def test_decorated_function(host):
    run = host.run("""
        import inspect
        import venturi
        @venturi.stage("double", item=5, rows=1)
        def double(value: int, *, depth=0) -> int:
            "Doubles."
            return double(value, depth=depth - 1) if depth else 2 * value
        class Parser:
            @venturi.stage("method")
            def parse(self, text):
                return self, text
            @staticmethod
            @venturi.stage("static")
            def static(text):
                return text
        assert double(3, depth=2) == 6
        assert (double.__name__, double.__doc__) == ("double", "Doubles.")
        assert str(inspect.signature(double)) == "(value: int, *, depth=0) -> int"
        parser = Parser()
        assert parser.parse("x") == (parser, "x")
        assert parser.static("x") == Parser.static("x") == "x"
        used = venturi.stage("used", rows=1)
        with used:
            used.rows = 9
        used(double.__wrapped__)(1)
        try:
            venturi.stage("bad")(lambda: 1 / 0)()
        except ZeroDivisionError:
            pass
        """)
    assert run.shown("stage", "item", "rows", "failed") == [
        ("double", 5, 1, False)] * 3 + [("method", 0, 0, False)] + [("static", 0, 0, False)] * 2 + [
            ("used", 0, 9, False), ("used", 0, 1, False), ("bad", 0, 0, True)]
    assert inside(run.spans[2], run.spans[1]) and inside(run.spans[1], run.spans[0])


def test_decorated_generator(host):
    run = host.run("""
        import inspect
        import venturi
        closed = []
        @venturi.stage("generate", rows=1)
        def generate(count):
            try:
                for i in range(count):
                    try:
                        sent = yield i
                        if sent:
                            yield sent
                    except KeyError:
                        yield "caught"
            finally:
                closed.append(count)
            return "returned"
        assert inspect.isgeneratorfunction(generate)
        def consume():
            return (yield from generate(2))
        consumer = consume()
        values = []
        try:
            while True:
                values.append(next(consumer))
                with venturi.stage("consume"):
                    pass
        except StopIteration as stop:
            assert stop.value == "returned"
        assert values == [0, 1]
        steps = generate(3)
        assert (next(steps), steps.send("x"), next(steps), steps.throw(KeyError())) == (0, "x", 1, "caught")
        steps.close()
        assert closed == [2, 3]
        steps = generate(4)
        next(steps)
        try:
            steps.throw(ValueError("out"))
        except ValueError:
            pass
        """)
    assert run.shown("stage", "rows", "failed") == [
        ("generate", 1, False), ("consume", 0, False), ("generate", 1, False), ("consume", 0, False),
        ("generate", 0, False)] + [("generate", 1, False)] * 5 + [("generate", 0, True)]
    assert all(apart(run.spans[i], run.spans[i + 1]) for i in range(len(run.spans) - 1))
    assert run.losses == {}


def test_decorated_coroutines(host):
    run = host.run("""
        import asyncio
        import inspect
        import venturi
        @venturi.stage("fetch", rows=1)
        async def fetch(gate, value):
            await gate.wait()
            if value < 0:
                raise ValueError
            return value
        @venturi.stage("stream", rows=1)
        async def stream(count):
            for i in range(count):
                await asyncio.sleep(0)
                try:
                    yield i
                except KeyError:
                    yield "caught"
        assert inspect.iscoroutinefunction(fetch) and inspect.isasyncgenfunction(stream)
        async def main():
            gate = asyncio.Event()
            calls = [asyncio.ensure_future(fetch(gate, value)) for value in (1, 2, -3)]
            await asyncio.sleep(0)
            gate.set()
            results = await asyncio.gather(*calls, return_exceptions=True)
            assert results[:2] == [1, 2] and isinstance(results[2], ValueError)
            assert [i async for i in stream(2)] == [0, 1]
            steps = stream(1)
            assert await steps.asend(None) == 0
            assert await steps.athrow(KeyError()) == "caught"
            await steps.aclose()
        asyncio.run(main())
        """)
    fetched, streamed = run.spans[:3], run.spans[3:]
    assert sorted((span["stage"], span["rows"], span["failed"]) for span in fetched) == [
        ("fetch", 0, True), ("fetch", 1, False), ("fetch", 1, False)]
    assert max(span["start_ns"] for span in fetched) <= min(span["end_ns"] for span in fetched)
    assert [(span["stage"], span["rows"], span["failed"]) for span in streamed] == [
        ("stream", 1, False), ("stream", 1, False), ("stream", 0, False), ("stream", 1, False), ("stream", 1, False)]
    assert run.losses == {}


def test_same_name_is_the_same_stage(host):
    """However the str was made, and however many other strs there are."""
    run = host.run("""
        import enum
        import venturi
        class Name(str):
            __hash__ = str.__hash__
            def __eq__(self, other):
                raise AssertionError("compared")
        class Stage(str, enum.Enum):
            PARSE = "parse"
        for turn in range(20):
            for number in range(200):
                with venturi.stage(f"stage {number}", item=number + 1):
                    pass
        for name in ("parse", "".join(["par", "se"]), Name("parse"), Stage.PARSE):
            with venturi.stage(name):
                pass
        """)
    assert run.shown("stage", "item")[:-4] == [(f"stage {number}", number + 1) for number in range(200)] * 20
    assert run.shown("stage")[-4:] == [("parse",)] * 4
    assert run.losses == {}


def test_names_in_every_script(host):
    names = ["ä", "数据", "🚀", "a b", "x" * 63, "é" * 31]
    run = host.run(f"""
        import venturi
        for name in {names!a}:
            venturi.lap(name)
        venturi.lap_end()
        """)
    assert run.shown("stage") == [(name,) for name in names]


def test_cpu_time_is_harmless(host):
    run = host.run("""
        import venturi
        with venturi.stage("work"):
            sum(range(1000))
        """, VENTURI_CPU="1")
    assert run.shown("stage") == [("work",)]


def test_not_recording(host):
    run = host.run("""
        import os
        import venturi
        assert venturi.recording() is False
        os.environ["VENTURI_TRACE"] = os.getcwd()  # too late: it has been read
        with venturi.stage("download", rows=3) as span:
            span.rows += 1
        assert span.rows == 4
        assert [x for x in venturi.each("parse", [1, 2], item=1)] == [1, 2]
        venturi.lap("a")
        venturi.lap_count(1)
        venturi.lap_end()
        venturi.end(venturi.begin("b"), 1)
        assert venturi.recording() is False
        assert not [name for name in os.listdir() if name.endswith(".ring")]
        """, recording=False)
    assert run.spans == []


def test_environment_is_read_by_the_first_call(host):
    run = host.run("""
        import os, sys
        import venturi
        os.environ["VENTURI_TRACE"] = sys.argv[1]
        venturi.lap("late")
        venturi.lap_end()
        assert venturi.recording()
        """, str(host.folder), recording=False)
    assert run.spans == []
    assert list(host.folder.glob("*.ring"))
