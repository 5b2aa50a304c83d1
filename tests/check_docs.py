#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the documents name exists: files, `make` targets, commands and options of venturi.

Run as `check_docs.py [ROOT]`. Judged are the code spans, code blocks and links of README.md, ARCHITECTURE.md, CONTRIBUTING.md and
docs/*.md (those that are there). Prints one line for each dead name, exit 1 if there is any. Before it judges the tree it
proves on a small tree of its own that it still goes red.
"""
import re
import sys
import tempfile
from pathlib import Path

TOP = ("src", "include", "docs", "tests", "examples", "bench", "cmake", "scripts", "bindings", ".ci")
ANYWHERE = {"--help", "--version"}

SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")
PATH = re.compile(r"^(?:\./)?([\w.][\w./*-]*/[\w./*-]*?)(?::\d+)?$")
MAKE = re.compile(r"(?:^|&& |; )make((?: +[a-z][\w-]*)+)")
VENTURI = re.compile(r"(?:^|[\s/;|])venturi((?: +[^\s;|&#]+)*)")
OPTION = re.compile(r"--[a-z][a-z0-9-]*")

COMMAND_ROW = re.compile(r"const struct command \w+ = \{(.*?)\n\};", re.S)
OPTION_TABLE = re.compile(r"struct cli_option (\w+)\[\] = \{(.*?)\};", re.S)
OPTION_ROW = re.compile(r'\{"([a-z][a-z0-9-]*)",')
OPTION_MACRO = re.compile(r"#define (\w+)((?:.*\\\n)*.*)")


def read_commands(root):
    """{command: its options}, from the tables that the program itself uses."""
    commands = {}
    macros = {}
    sources = sorted((root / "src/cli").glob("*.[ch]"))
    for path in sources:
        macros.update({name: body for name, body in OPTION_MACRO.findall(path.read_text()) if OPTION_ROW.search(body)})
    for path in sources:
        text = path.read_text()
        tables = {}
        for name, body in OPTION_TABLE.findall(text):
            for macro, rows in macros.items():
                body = re.sub(rf"\b{macro}\b", lambda _, rows=rows: rows, body)
            tables[name] = {"--" + option for option in OPTION_ROW.findall(body)}
        for body in COMMAND_ROW.findall(text):
            name = re.search(r'\.name = "([\w-]+)"', body)
            options = re.search(r"\.options = (\w+)", body)
            if name:
                commands[name[1]] = tables.get(options[1], set()) if options else set()
    return commands


def read_facts(root):
    makefile = root / "Makefile"
    others = [path.read_text() for top in ("examples", "bench") for path in sorted((root / top).rglob("*.[ch]"))]
    return {
        "targets": set(re.findall(r"^([a-z][\w-]*)\s*:", makefile.read_text(), re.M)) if makefile.is_file() else set(),
        "commands": read_commands(root),
        "other_options": {"--" + name for name in re.findall(r'"([a-z][a-z0-9-]*)"', "".join(others))},
    }


def split_document(text):
    """(prose, lines of code): code is what stands in fences and in indented blocks."""
    prose, code, fenced, after_blank = [], [], False, True
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced or (line.startswith("    ") and (after_blank or (code and not prose[-1].strip()))):
            code.append(line.strip())
            continue
        else:
            prose.append(line)
        after_blank = not line.strip()
    return "\n".join(prose), code


def dead_path(root, text):
    match = PATH.match(text)
    if not match or match[1].split("/")[0] not in TOP or "..." in text:
        return None
    name = match[1].rstrip("/")
    return None if any(root.glob(name)) else f"there is no '{name}'"


def dead_targets(facts, text):
    words = [word for group in MAKE.findall(text) for word in group.split()]
    return [f"the Makefile has no target '{word}'" for word in words if word not in facts["targets"]]


def dead_commands(facts, text):
    wrong = []
    for group in VENTURI.findall(text):
        words = group.split()
        command = words[0] if words else ""
        if re.fullmatch(r"[a-z][a-z-]*", command) and command not in facts["commands"]:
            wrong.append(f"venturi has no command '{command}'")
        known = facts["commands"].get(command, set()) | ANYWHERE
        wrong += [f"venturi {command} has no option '{option}'" for option in OPTION.findall(group) if option not in known]
    return wrong


def dead_option(facts, text):
    """An option named alone may be any command's, or that of a program in examples/ or bench/."""
    match = re.match(r"(--[a-z][a-z0-9-]*)(?:[ =].*)?$", text)
    known = set().union(ANYWHERE, facts["other_options"], *facts["commands"].values())
    return [f"no program has the option '{match[1]}'"] if match and match[1] not in known else []


def check_document(root, facts, path):
    prose, code = split_document(path.read_text(encoding="utf-8"))
    wrong = []
    for span in SPAN.findall(prose):
        wrong += [reason for reason in [dead_path(root, span)] if reason]
        wrong += dead_targets(facts, span) + dead_commands(facts, span) + dead_option(facts, span)
    for line in code:
        command = re.sub(r"\s#.*", "", line)
        wrong += dead_targets(facts, command)
        if re.match(r"(\$ )?(\S*/)?venturi\b", command):
            wrong += dead_commands(facts, command)
    for link in LINK.findall(prose):
        if "://" not in link and not (path.parent / link).exists():
            wrong.append(f"the link '{link}' leads nowhere")
    return [f"{path.relative_to(root)}: {reason}" for reason in dict.fromkeys(wrong)]


def check(root):
    facts = read_facts(root)
    documents = [root / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")]
    documents += sorted((root / "docs").glob("*.md"))
    return [line for path in documents if path.is_file() for line in check_document(root, facts, path)]


TREE = {
    "Makefile": "test: setup\n\ttrue\nsetup:\n\ttrue\n.PHONY: test\n",
    "src/cli/run.c": '#define SHOWN_OPTIONS                \\\n    {"json", NULL, 1},     \\\n    {"plain", NULL, 1}\n'
    'static const struct cli_option run_options[] = {\n    {"out", "FOLDER", 2},\n    SHOWN_OPTIONS,\n    {0},\n};\n'
    'const struct command command_run = {\n    .name = "run",\n    .options = run_options,\n};\n'
    'const struct command command_bare = {\n    .name = "bare",\n};\n',
    "examples/klines/main.c": 'static struct argp_option options[] = {{"months", 1}};\n',
    "docs/page.md": "[up](../README.md) [part](../README.md#there) [far](https://example.org/x) `docs/page.md`\n",
}
GOOD = """
Run `make test`, `venturi run --out X --json`, `venturi bare`, `venturi --help`, `venturi COMMAND`, `--months=3`, `--plain`.
See `src/cli/run.c:12`, `src/*/run.c`, `docs/`, `build/anything/at/all`, `other/thing`, [page](docs/page.md).

    make setup test   # make nonsense
    venturi run FILE --json | venturi bare

```
make setup && make test
bin/venturi run --plain   # --nonsense
other --nonsense
```
"""
# A line each that must cost a line.
BAD = [
    ("`src/cli/absent.c`", "there is no 'src/cli/absent.c'"),
    ("`docs/absent/`", "there is no 'docs/absent'"),
    ("`src/*/absent.c`", "there is no 'src/*/absent.c'"),
    ("`bindings/python/`", "there is no 'bindings/python'"),
    ("[x](absent.md)", "the link 'absent.md' leads nowhere"),
    ("`make absent`", "no target 'absent'"),
    ("`make test absent`", "no target 'absent'"),
    ("\n    make absent", "no target 'absent'"),
    ("```\nmake setup && make absent\n```", "no target 'absent'"),
    ("`venturi absent`", "no command 'absent'"),
    ("`venturi run --absent`", "venturi run has no option '--absent'"),
    ("`venturi bare --json`", "venturi bare has no option '--json'"),
    ("```\n$ build/venturi run --absent=3\n```", "venturi run has no option '--absent'"),
    ("\n    venturi absent FILE", "no command 'absent'"),
    ("`--absent`", "no program has the option '--absent'"),
]


def judge(readme):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in dict(TREE, **{"README.md": readme}).items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return check(Path(folder))


def self_test():
    found = judge(GOOD)
    assert found == [], found
    for line, expected in BAD:
        found = judge(GOOD + "\n" + line + "\n")
        assert len(found) == 1 and found[0].endswith(expected), (line, expected, found)


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    self_test()
    wrong = check(root)
    print("\n".join(wrong) if wrong else f"{len(BAD)} planted dead names found; the documents name what exists")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
