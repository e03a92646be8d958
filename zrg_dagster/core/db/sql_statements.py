"""SQL text taken apart into statements, as far as a linter needs it: strings, comments and bodies are not mistaken."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?\*/)
      | (?P<dollar>\$(?P<tag>\w*)\$(?P<body>.*?)\$(?P=tag)\$)
      | (?P<string>'(?:[^']|'')*')
      | (?P<quoted>"[^"]*")
      | (?P<word>[A-Za-z_]\w*)
      | (?P<end>;)
      | (?P<other>.)""",
    re.S | re.X,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement without its comments. Bodies in dollar quotes are cut out of `text`; the last one is `body`."""

    text: str
    line: int  # of its first word, from 1
    comments: tuple[str, ...]  # in front of it and inside it
    body: str = ""


def split(sql: str) -> Iterator[Statement]:
    """The statements of a text. A comment belongs to the statement that follows it, or that it stands in."""
    parts: list[str] = []
    comments: list[str] = []
    body, start, previous, depth = "", -1, "", 0  # start: where the statement began, -1 before its first word
    for token in _TOKEN.finditer(sql):
        kind, value = token.lastgroup, token[0]
        if token["comment"] is not None:
            comments.append(value.removeprefix("--"))
            parts.append(" ")
            continue
        if token["end"] and depth == 0:
            if start >= 0:
                yield Statement("".join(parts).strip(), sql.count("\n", 0, start) + 1, tuple(comments), body)
            parts, comments, body, start, previous = [], [], "", -1, ""
            continue
        if start < 0 and not value.isspace():
            start = token.start()
        if token["dollar"] is not None:
            body, value = token["body"], "$$ $$"
        elif kind == "word":
            depth = _depth(depth, previous, value.upper())
            previous = value.upper()
        parts.append(value)
    if start >= 0:
        yield Statement("".join(parts).strip(), sql.count("\n", 0, start) + 1, tuple(comments), body)


def _depth(depth: int, previous: str, word: str) -> int:
    """How deep inside BEGIN ATOMIC … END a word leaves us; semicolons in there end nothing."""
    if previous == "BEGIN" and word == "ATOMIC":
        return 1
    if depth and word == "CASE":
        return depth + 1
    if depth and word == "END":
        return depth - 1
    return depth


def split_actions(text: str) -> Iterator[str]:
    """The parts of a list at commas outside of parentheses, brackets and quotes."""
    depth, part = 0, []
    for token in re.finditer(r"'(?:[^']|'')*'|\"[^\"]*\"|.", text, re.S):
        value = token[0]
        depth += (value in "([") - (value in ")]")
        if value == "," and depth == 0:
            yield "".join(part).strip()
            part = []
        else:
            part.append(value)
    if part:
        yield "".join(part).strip()
