# SPDX-License-Identifier: Apache-2.0
"""A span as a decorator. Each call has a span of its own, so recursion, threads and tasks stay apart."""
import functools
import inspect

from venturi._recorder import stage


def decorate(function, *like):
    """`function`, and every call of it is a span as stage(*like) makes it."""
    if not callable(function):
        raise TypeError(f"a stage decorates a function, not {type(function)!r}")
    fresh = functools.partial(stage, *like)
    if inspect.isasyncgenfunction(function):
        decorated = _async_generator(function, fresh)
    elif inspect.isgeneratorfunction(function):
        decorated = _generator(function, fresh)
    elif inspect.iscoroutinefunction(function):
        decorated = _coroutine(function, fresh)
    else:
        decorated = _function(function, fresh)
    return functools.wraps(function)(decorated)


def _function(function, fresh):
    def decorated(*args, **kwargs):
        with fresh():
            return function(*args, **kwargs)

    return decorated


def _coroutine(function, fresh):
    async def decorated(*args, **kwargs):
        with fresh():
            return await function(*args, **kwargs)

    return decorated


def _generator(function, fresh):
    """Every step is a span: what the consumer does between two of them is not the generator's work."""

    def decorated(*args, **kwargs):
        generator = function(*args, **kwargs)
        step, argument = generator.send, None
        while True:
            with fresh() as span:
                try:
                    value = step(argument)
                except StopIteration as stop:
                    span.rows = span.bytes = 0  # it made no value
                    return stop.value
            try:
                step, argument = generator.send, (yield value)
            except GeneratorExit:
                generator.close()
                raise
            except BaseException as error:
                step, argument = generator.throw, error

    return decorated


def _async_generator(function, fresh):
    async def decorated(*args, **kwargs):
        generator = function(*args, **kwargs)
        step, argument = generator.asend, None
        while True:
            with fresh() as span:
                try:
                    value = await step(argument)
                except StopAsyncIteration:
                    span.rows = span.bytes = 0
                    return
            try:
                step, argument = generator.asend, (yield value)
            except GeneratorExit:
                await generator.aclose()
                raise
            except BaseException as error:
                step, argument = generator.athrow, error

    return decorated
