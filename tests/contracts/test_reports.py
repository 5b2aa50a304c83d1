# SPDX-License-Identifier: Apache-2.0
"""The reports against hostile text in every field, and against the golden ones.

VENTURI_GOLDEN=write replaces the golden reports by what is made now; look at the difference before committing it.
"""

import html.parser
import os
import re

import pytest

from conftest import AGENTS, ROOT, Investigation, run_judge

FORMS = "md", "html", "txt", "ansi"
NAMES = "master", "summary", "profile", "experiment", *AGENTS
GOLDEN = ROOT / "tests/golden"

PAYLOADS = [
    "<script>alert(1)</script>", "</title><script>alert(1)</script>", "</style><img src=x onerror=alert(1)>", "\"><svg onload=alert(1)>",
    "' onmouseover='alert(1)", "<!-- ", "--><b>", "<![CDATA[", "</td></tr></table><iframe src=//evil>", "&lt;script&gt;", "&#60;b&#62;", "<a href=javascript:alert(1)>x</a>",
    "[x](javascript:alert(1))", "![x](http://evil/x.png)", "[x]: http://evil", "http://evil.example/x", "www.evil.example", "me@evil.example", "<http://evil.example>",
    "a|b||c", "\\|", "\\\\|", "`|`", "``` \n```", "a\n| b | c |\n| --- | --- |", "a\r\nb", "# heading", "\n# heading", "- item", "1. one", "> quote", "---", "===",
    "**bold** __bold__ *it* _it_ ~~no~~", "$x$", ":smile:", "<details>", "\\", "x\\", "`", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x1b]8;;http://evil\x1b\\x\x1b]8;;\x1b\\", "\x9b31m",
    "\x08\x08\x08", "\x7f", "\u202egpj.exe", "\u2066x\u2069", "\u200bzero\ufeffwidth", "\u2028line\u2029par", "\u061c", "\u0085next", "\U000e0041tag",
    "\ud7ff\ue000\uffff\U0010ffff", "e\u0301\u0301\u0301", "漢字", "%n%s%1$s", "a" * 1900, "a b " * 450, "", " ", "\t",
]


def fill(case, payload):
    """The payload into every text that is not a word of the contract; names keep what makes them names of the brief."""
    brief = case.brief
    brief["pipeline"] = brief["file"] = payload
    brief["database"]["url"] = payload
    rename = {}
    for number, stage in enumerate(brief["stages"]):
        rename[stage["name"]] = stage["name"] = payload[:900] + str(number)
    for stage, shown in zip(brief["profile"]["stages"], brief["stages"]):
        stage["name"] = shown["name"]
    bottleneck = brief["profile"]["bottleneck"]
    bottleneck["stage"], bottleneck["runner_up"] = brief["stages"][0]["name"], brief["stages"][1]["name"]
    knobs = {}
    for number, knob in enumerate(brief["knobs"]):
        old = knob["name"], tuple(knob["values"])
        knob["name"] = payload[:900] + f"k{number}"
        knob["values"] = [payload[:900] + value for value in knob["values"]]
        knob["current"] = payload[:900] + knob["current"]
        knob["stage"] = rename[knob["stage"]]
        knobs[old[0]] = knob["name"], dict(zip(old[1], knob["values"]))
    ids = {}
    for number, candidate in enumerate(brief["candidates"]):
        ids[candidate["id"]] = candidate["id"] = payload[:900] + f"c{number}"
        candidate["stage"] = rename[candidate["stage"]]
        candidate["knob"] = candidate["knob"] and knobs[candidate["knob"]][0]
    for experiment in case.experiments.values():
        experiment["purpose"] = payload
        for arm in experiment["arms"]:
            arm["settings"] = {knobs[knob][0]: knobs[knob][1][value] for knob, value in arm["settings"].items()}
    for document in case.findings.values():
        document["summary"] = payload
        document["looked_at"] = document["not_looked_at"] = [payload]
        document["claims"][0]["text"] = payload
        document["capacity"]["stage"] = rename[document["capacity"]["stage"]]
        table = document["tables"][0]
        table["title"], table["columns"], table["rows"] = payload, [payload, payload], [[payload, "x"], ["x", payload]]
        for item in document["stances"]:
            item["candidate"], item["why"] = ids[item["candidate"]], payload
            change = item["change"]
            if change:
                name, values = knobs[change["knob"]]
                change.update(knob=name, **{"from": values[change["from"]], "to": values[change["to"]]})
    return case


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    base = tmp_path_factory.mktemp("hostile")
    folders = [fill(Investigation(), payload).write(base / str(number)) for number, payload in enumerate(PAYLOADS)]
    run_judge(*folders)
    for folder in folders:
        assert (folder / "rejected.json").read_text() == "{}", folder
    return list(zip(PAYLOADS, folders))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = Investigation().write(tmp_path_factory.mktemp("plain"))
    run_judge(folder)
    return folder


def texts(folders, form):
    for payload, folder in folders:
        for name in NAMES:
            yield payload, name, (folder / f"{name}.{form}").read_bytes().decode("utf-8")


class Page(html.parser.HTMLParser):
    """The elements and attributes of a page, and the text between them."""

    VOID = {"meta", "br", "hr", "rect", "link", "img"}

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.text, self.style = [], [], [], ""
        self.feed(source)
        self.close()
        assert self.open == [], self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, tuple(sorted(dict(attrs)))))
        self.attributes = getattr(self, "attributes", []) + [(tag, key, value) for key, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.text.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data):
        raise AssertionError(f"a processing instruction: {data}")

    def unknown_decl(self, data):
        raise AssertionError(f"a declaration: {data}")


def test_html_keeps_its_structure_whatever_the_text(hostile, plain):
    expected = {name: Page((plain / f"{name}.html").read_text()).elements for name in NAMES}
    for payload, name, source in texts(hostile, "html"):
        assert Page(source).elements == expected[name], (payload, name)


def test_html_has_no_way_to_run_or_load_anything(hostile):
    for payload, name, source in texts(hostile, "html"):
        page = Page(source)
        tags = {tag for tag, _ in page.elements}
        assert not tags & {"script", "iframe", "object", "embed", "img", "link", "base", "form", "use", "foreignobject", "animate"}, (payload, name)
        for tag, key, value in page.attributes:
            assert not key.startswith("on") and key not in ("src", "srcset", "action", "formaction", "srcdoc", "xlink:href", "ping"), (tag, key)
            assert key != "href" or re.fullmatch(r"[A-Za-z0-9._/#-]+", value), (tag, value)
        assert "url(" not in page.style and "@import" not in page.style


def test_html_forbids_everything_but_its_style(plain):
    for name in NAMES:
        page = Page((plain / f"{name}.html").read_text())
        policies = [value for tag, key, value in page.attributes if tag == "meta" and key == "content" and "default-src" in value]
        assert len(policies) == 1 and policies[0].startswith("default-src 'none'; style-src ")
        assert "http:" not in policies[0] and "script" not in policies[0]


def seen(payload):
    """How a hostile text looks to a reader: one line, and what cannot be seen made visible."""
    return re.sub(r"\s+", " ", "".join(
        " " if char in "\n\r\t" else f"\\u{ord(char):04x}" if invisible(char) else char for char in payload)).strip()


def invisible(char):
    code = ord(char)
    return (code < 0x20 or 0x7f <= code < 0xa0 or 0x200b <= code <= 0x200f or 0x2028 <= code <= 0x202e or 0x2060 <= code <= 0x206f or
            code in (0xfeff, 0x61c) or 0xe0000 <= code <= 0xe007f)


def test_html_shows_the_text_itself(hostile):
    for payload, folder in hostile:
        text = re.sub(r"\s+", " ", " ".join(Page((folder / "profiling.html").read_text()).text))
        assert seen(payload) in text, payload


@pytest.mark.parametrize("form", FORMS)
def test_nothing_invisible_gets_through(hostile, form):
    for payload, name, source in texts(hostile, form):
        if form == "ansi":
            source = re.sub(r"\x1b\[[0-9;]*m", "", source)
        assert not [char for char in source if invisible(char) and char != "\n"], (payload, name)


def test_colours_are_ours(hostile):
    """Bold on and off in turns, and nothing else, wherever the text would like to have more."""
    for payload, name, source in texts(hostile, "ansi"):
        escapes = re.findall(r"\x1b[^m]*m?", source)
        assert escapes == ["\x1b[1m", "\x1b[0m"] * (len(escapes) // 2), (payload, name)


def unescaped(line, char):
    """How often `char` stands in a line of Markdown and means something."""
    return len(re.findall(rf"(?<!\\)(?:\\\\)*{re.escape(char)}", line))


def outline(source):
    """The structure of a Markdown document: what kind of line follows what."""
    kinds = []
    for line in source.split("\n"):
        if line.startswith("|"):
            kinds.append(f"row of {unescaped(line, '|')}")
        elif re.match(r"#{1,6} ", line):
            kinds.append("heading " + line.split(" ")[0])
        else:
            kinds.append("item" if line.startswith("- ") else "quote" if line.startswith("> ") else "blank" if not line else "text")
    return kinds


def test_markdown_keeps_its_structure_whatever_the_text(hostile, plain):
    expected = {name: outline((plain / f"{name}.md").read_text()) for name in NAMES}
    for payload, name, source in texts(hostile, "md"):
        if payload.strip():
            assert outline(source) == expected[name], (payload, name)


def test_markdown_tables_have_as_many_cells_as_columns(plain, hostile):
    for _, name, source in [*texts(hostile, "md"), *texts([("plain", plain)], "md")]:
        rows, previous = 0, None
        for line in source.split("\n"):
            cells = unescaped(line, "|") if line.startswith("|") else None
            assert cells is None or previous is None or cells == previous, (name, line)
            rows, previous = rows + bool(cells), cells
        assert rows > 0 or name == "summary"


def test_markdown_text_means_nothing(hostile):
    for payload, name, source in texts(hostile, "md"):
        assert "<" not in source, (payload, name)
        for line in source.split("\n"):
            without_code = re.sub(r"(?<!\\)`[^`|\\<]+`", "", line)
            without_links = re.sub(r"(?<!\\)\[[^\]\\]*\]\([A-Za-z0-9._/#-]+\)", "", without_code)
            for char in "`[]":
                assert unescaped(without_links, char) == 0, (payload, name, line)
            assert not re.search(r"(https?|ftp)://|www\.[a-z]|[a-z]@[a-z]", line), (payload, name, line)


@pytest.mark.parametrize("name", ["master.md", "master.html", "master.txt", "profiling.md", "profile.txt"])
def test_the_golden_reports(plain, name):
    made, golden = (plain / name).read_text(), GOLDEN / name
    if os.environ.get("VENTURI_GOLDEN") == "write":
        golden.write_text(made)
    assert made == golden.read_text()


def test_the_terminal_keeps_to_its_width(plain):
    for name in NAMES:
        for form, width in ("txt", 100), ("ansi", 60):
            for line in re.sub(r"\x1b\[[0-9;]*m", "", (plain / f"{name}.{form}").read_text()).split("\n"):
                assert len(line) <= width, (name, form, line)
