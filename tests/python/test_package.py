# SPDX-License-Identifier: Apache-2.0
"""The wheel and what is in it."""
import ast
import inspect
import re
import subprocess
import sys
import zipfile

import pytest
from conftest import PACKAGE, PYTHONS, VERSIONS
from processes import DEADLINE_S, ROOT

SITE = PACKAGE / "site"
BINDINGS = ROOT / "bindings/python"


def wheel():
    (found,) = PACKAGE.glob("wheels/*.whl")
    return found


def names(path):
    with zipfile.ZipFile(path) as file:
        return sorted(file.namelist())


def test_wheel():
    """One for every CPython since 3.9, with what a type checker needs."""
    assert "-cp39-abi3-linux_" in wheel().name
    packed = names(wheel())
    assert [name for name in packed if name.startswith("venturi/")] == [
        "venturi/__init__.py", "venturi/_decorate.py", "venturi/_recorder.abi3.so", "venturi/_recorder.pyi",
        "venturi/py.typed"]
    assert any(name.endswith("/LICENSE") for name in packed)


def test_version():
    project = re.search(r"project\(venturi VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]
    assert wheel().name.startswith(f"venturi-{project}-")


def test_sdist_carries_the_recorder():
    (built,) = PACKAGE.glob("wheels/of-sdist/*.whl")
    assert names(built) == names(wheel())


def test_symbols():
    """It shows Python its entry and nothing else, so it never meets another recorder in the process."""
    library = SITE / "venturi/_recorder.abi3.so"
    shown = subprocess.run(["nm", "-D", library], capture_output=True, text=True, timeout=DEADLINE_S, check=True).stdout
    symbols = [line.split()[-2:] for line in shown.splitlines()]
    assert [name for kind, name in symbols if kind in "TBDRV"] == ["PyInit__recorder"]
    assert not [name for kind, name in symbols if kind == "U" and name.startswith("venturi")]


def stub_functions():
    tree = ast.parse((SITE / "venturi/_recorder.pyi").read_text())
    return {node.name: node.args for node in tree.body if isinstance(node, ast.FunctionDef)}, {
        node.name for node in tree.body if isinstance(node, ast.ClassDef)}


def parameters(arguments):
    names_of = [argument.arg for argument in arguments.posonlyargs + arguments.args]
    defaults = [ast.literal_eval(default) for default in arguments.defaults]
    required = [inspect.Parameter.empty] * (len(names_of) - len(defaults))
    return list(zip(names_of, required + defaults)), len(arguments.posonlyargs)


def test_stub(monkeypatch):
    """The stub, the docstrings and what the package shows tell the same."""
    if not sys.version_info[:2] >= (3, 9):
        pytest.skip("the tests' own Python is older than the wheel")
    monkeypatch.syspath_prepend(str(SITE))
    import venturi

    functions, classes = stub_functions()
    assert set(functions) | classes == set(venturi.__all__)
    for name, arguments in functions.items():
        function = getattr(venturi, name)
        signature = inspect.signature(function).parameters.values()
        expected, positional = parameters(arguments)
        assert [(parameter.name, parameter.default) for parameter in signature] == expected, name
        assert sum(parameter.kind == parameter.POSITIONAL_ONLY for parameter in signature) == positional, name
        assert function.__doc__ and function.__doc__.strip()
    assert venturi.__doc__ and venturi.Span.__doc__


def test_readme(host):
    """The program in the README runs and records what it says."""
    program = re.search(r"```python\n(.*?)```", (BINDINGS / "README.md").read_text(), re.S)[1]
    run = host.run(program)
    assert {stage for (stage,) in run.shown("stage")} == {"download", "parse", "insert", "check", "upload"}
    assert run.losses == {}


def test_every_python_is_found():
    """Says which are tested; one at least."""
    print("tested:", ", ".join(PYTHONS), "; not here:", ", ".join(sorted(set(VERSIONS) - set(PYTHONS))))
    assert PYTHONS
