# SPDX-License-Identifier: Apache-2.0
"""What is wrong is refused in the same words whether the process records or not, or ignored and counted."""
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

REFUSED = """
    import sys
    import venturi

    def refused(error, call, *words):
        try:
            eval(call)
        except error as caught:
            assert type(caught) is error, (call, caught)
            assert all(word in str(caught) for word in words), (call, str(caught))
        else:
            raise AssertionError(call)

    span = venturi.stage("span")
    class Index:
        def __init__(self, value):
            self.value = value
        def __index__(self):
            return self.value
    class Broken:
        def __index__(self):
            raise KeyError("broken")
    """


@pytest.mark.parametrize("call", ["venturi.lap(X)", "venturi.stage(X)", "venturi.begin(X)", "venturi.each(X, [])"])
def test_names(host, recording, call):
    host.run(REFUSED + f"""
    for value in ("1", "None", "b'x'", "object()"):
        refused(TypeError, {call!r}.replace("X", value), "must be a str", "<class ")
    for value in ("''", "64 * 'x'", "32 * 'é'", "'a\\\\n'", "'\\\\x7f'", "'\\\\x85'", "'a' * 10**6"):
        refused(ValueError, {call!r}.replace("X", value), "1 to 63 bytes of printable UTF-8")
    refused(ValueError, {call!r}.replace("X", "'a\\\\0b'"), "null")
    refused(UnicodeEncodeError, {call!r}.replace("X", "'\\\\udc80'"))
    """, recording=recording)


@pytest.mark.parametrize("number, call", [
    ("item", "venturi.lap_item(X)"), ("rows", "venturi.lap_count(X)"), ("bytes", "venturi.lap_count(0, X)"),
    ("item", "venturi.stage('s', item=X)"), ("rows", "venturi.stage('s', rows=X)"),
    ("bytes", "venturi.stage('s', bytes=X)"), ("item", "venturi.begin('s', X)"),
    ("rows", "venturi.end(span, rows=X)"), ("bytes", "venturi.end(span, 0, X)"),
    ("item", "venturi.each('s', [], item=X)"), ("rows", "setattr(span, 'rows', X)"),
    ("bytes", "setattr(span, 'bytes', X)")])
def test_numbers(host, recording, number, call):
    host.run(REFUSED + f"""
    for value in ("1.0", "None", "'1'", "[]"):
        refused(TypeError, {call!r}.replace("X", value), {number!r}, "must be an int", "<class ")
    for value in ("-1", "2**64", "-2**64", "10**5000", "Index(-1)"):
        refused(OverflowError, {call!r}.replace("X", value), {number!r}, "from 0 to 2**64 - 1")
    refused(KeyError, {call!r}.replace("X", "Broken()"), "broken")
    for value in ("0", "2**64 - 1", "True", "Index(7)"):
        eval({call!r}.replace("X", value))
    """, recording=recording)


def test_arguments(host, recording):
    host.run(REFUSED + """
    for call in ("venturi.stage()", "venturi.begin()", "venturi.end()", "venturi.each('x')", "venturi.begin('x', 1, 2)",
                 "venturi.end(span, 1, 2, 3)", "venturi.stage('x', 1, 2, 3, 4)", "venturi.lap_count(1, 2, 3)"):
        refused(TypeError, call, "positional arguments")
    for call in ("venturi.stage('x', row=1)", "venturi.begin('x', rows=1)", "venturi.end(span, item=1)",
                 "venturi.lap_count(item=1)", "venturi.stage('x', **{'ro' 'ws ': 1})"):
        refused(TypeError, call, "unexpected keyword argument")
    refused(TypeError, "venturi.stage('x', 1, item=1)", "multiple values for argument 'item'")
    refused(TypeError, "venturi.each('x', 5)", "not iterable")
    for function in ("end", "fail"):
        for value in ("None", "5", "venturi.each('x', [])", "object.__new__(object)"):
            refused(TypeError, f"venturi.{function}({value})", f"{function}() wants what venturi.begin() gave")
    refused(TypeError, "venturi.Span()", "venturi.stage(name)")
    refused(TypeError, "object.__new__(venturi.Span)")
    refused(TypeError, "type('Sub', (venturi.Span,), {})")
    refused(TypeError, "span(5)", "decorates a function")
    refused(TypeError, "span()")
    refused(AttributeError, "delattr(span, 'rows')")
    refused(AttributeError, "setattr(span, 'item', 1)")
    refused(AttributeError, "setattr(span, 'other', 1)")
    assert list(type(venturi.each("x", []))()) == []
    assert venturi.stage("x", **{"".join(["ro", "ws"]): 4}).rows == 4
    """, recording=recording)


def test_unbalanced(host, recording):
    run = host.run("""
        import venturi
        span = venturi.stage("never entered")
        span.__exit__(None, None, None)
        venturi.end(span)
        venturi.fail(span)
        span = venturi.begin("once", item=1)
        venturi.end(span)
        venturi.end(span)
        venturi.fail(span)
        span.__exit__(None, None, None)
        span.__exit__()
        venturi.lap_end()
        venturi.lap_count(1)
        with venturi.stage("ended inside") as span:
            venturi.end(span)
        """, recording=recording)
    assert run.shown("stage") == ([("once",), ("ended inside",)] if recording else [])
    assert run.losses == ({"misuse": 6} if recording else {})


def test_too_many_stages(host, recording):
    run = host.run("""
        import venturi
        for i in range(300):
            with venturi.stage(f"stage {i}"):
                pass
        venturi.lap("one more")
        venturi.lap_end()
        """, recording=recording)
    assert run.shown("stage") == ([(f"stage {i}",) for i in range(254)] if recording else [])
    assert run.losses == ({"no_stage": 47} if recording else {})


def test_a_span_that_two_tasks_share(host):
    """Harmless: as many spans, as long in sum, and never longer than both together."""
    run = host.run("""
        import venturi
        span = venturi.stage("shared")
        whole = venturi.begin("whole")
        span.__enter__()
        with venturi.stage("between"):
            span.__enter__()
        span.__exit__(None, None, None)
        span.__exit__(None, None, None)
        venturi.end(whole)
        """)
    assert sorted(run.shown("stage")) == [("between",), ("shared",), ("shared",), ("whole",)]
    assert run.losses == {}


def test_nothing_leaks(host, recording):
    host.run("""
        import gc, sys
        import venturi
        name = "".join(["lea", "k"])
        class Broken:
            def __iter__(self):
                raise ValueError
        def use():
            shared = venturi.stage(name, item=2**40, rows=2**40)
            with shared, shared:
                with shared:
                    shared.rows += 1
            shared.__enter__(), shared.__enter__()  # and never left
            venturi.end(venturi.begin(name, item=2**40), rows=2**40)
            for x in venturi.each(name, [1, 2], item=2**40):
                pass
            for x in venturi.each(name, [1, 2]):
                break
            venturi.lap("".join(["fre", "sh"]))
            cycle = []
            cycle.append(venturi.each(name, cycle))
            venturi.stage(name)(use)
            for wrong in (lambda: venturi.stage(name, 1.5), lambda: venturi.stage(5), lambda: venturi.lap(""),
                          lambda: venturi.each(name, 5), lambda: venturi.each(name, Broken()), lambda: venturi.end(5),
                          lambda: venturi.stage(name, x=1), lambda: venturi.lap_item(-1), lambda: venturi.Span()):
                try:
                    wrong()
                except (TypeError, ValueError, OverflowError):
                    continue
                raise AssertionError
            str(shared), shared.name, shared.item, shared.rows
        def counted():
            gc.collect()
            return sys.getallocatedblocks(), sys.getrefcount(name), sys.getrefcount(venturi.Span)
        for warm in range(200):
            use()
        before = counted()
        for again in range(2000):
            use()
        after = counted()
        assert after[0] - before[0] < 1000, (before, after)
        assert after[1:] == before[1:], (before, after)
        """, recording=recording)


CALLS = """
    import json, sys
    import venturi
    NAMES = ["a", "b", "", "x" * 64, 5, None]
    spans, turns, answers = [], [], []
    def at(things, place):
        return things[place % len(things)] if things else None
    def call(verb, place, number, count):
        if verb == "begin":
            spans.append(venturi.begin(NAMES[place], number))
        elif verb == "stage":
            spans.append(venturi.stage(NAMES[place], item=number, rows=count))
        elif verb == "enter":
            at(spans, place).__enter__()
        elif verb == "exit":
            at(spans, place).__exit__(*(ValueError, None, None) if number else (None, None, None))
        elif verb == "end":
            venturi.end(at(spans, place), number, count)
        elif verb == "fail":
            venturi.fail(at(spans, place))
        elif verb == "rows":
            at(spans, place).rows = number
        elif verb == "each":
            turns.append(venturi.each(NAMES[place], range(3), number, rows=count))
        elif verb == "next":
            return next(at(turns, place))
        elif verb == "drop":
            del turns[:]
        elif verb == "lap":
            venturi.lap(NAMES[place])
        elif verb == "lap_item":
            venturi.lap_item(number)
        elif verb == "lap_count":
            venturi.lap_count(number, count)
        elif verb == "lap_end":
            venturi.lap_end()
    for step in json.loads(sys.argv[1]):
        try:
            answers.append(call(*step))
        except Exception as error:
            answers.append(f"{type(error).__name__}: {error}")
    del turns[:]
    print(json.dumps(answers))
    """
VERBS = ["begin", "stage", "enter", "exit", "end", "fail", "rows", "each", "next", "drop", "lap", "lap_item",
         "lap_count", "lap_end"]
NUMBERS = st.sampled_from([0, 1, 5, 2**63, 2**64 - 1, 2**64, -1, 1.5, "x", None])


def expected_count(steps, answers):
    """How many spans the steps end, by a model of its own: a stack for each span, one place for the lap."""
    spans, turns, lap, ended = [], [], False, 0
    for (verb, place, _, _), answer in zip(steps, answers):
        refused = isinstance(answer, str)
        if refused and not (verb == "next" and answer.startswith("StopIteration")):
            continue
        if verb in ("begin", "stage"):
            spans.append(int(verb == "begin"))
        elif verb == "enter":
            spans[place % len(spans)] += 1
        elif verb in ("exit", "end", "fail"):
            was_open = spans[place % len(spans)] > 0
            ended += was_open
            spans[place % len(spans)] -= was_open
        elif verb == "each":
            turns.append(False)
        elif verb == "next":
            ended += turns[place % len(turns)]
            turns[place % len(turns)] = not refused
        elif verb == "drop":
            ended += sum(turns)
            turns = []
        elif verb in ("lap", "lap_end"):
            ended += lap
            lap = verb == "lap"
    return ended + sum(turns)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 5), NUMBERS, NUMBERS), max_size=60))
def test_any_sequence_of_calls(host, steps):
    """Recording or not, every call answers the same; and as many spans are recorded as were ended."""
    steps = json.loads(json.dumps(steps))
    one = host.run(CALLS, json.dumps(steps))
    other = host.run(CALLS, json.dumps(steps), recording=False)
    assert one.answer == other.answer
    assert len(one.spans) == expected_count(steps, one.answer)
