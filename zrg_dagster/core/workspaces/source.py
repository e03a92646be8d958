"""A workspace file as read: its values, and the line of every one of them, so that an error can name its place."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 12

Path = tuple[str | int, ...]


class WorkspaceFileError(ValueError):
    """The file cannot be applied. One line per problem: where, field, what is wrong, what to write instead."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Source:
    """The document and, for each path into it, the line of its key (from 1)."""

    name: str
    document: dict[str, Any]
    lines: dict[Path, int] = field(repr=False)

    def problem(self, path: Sequence[str | int], message: str) -> str:
        """`file:line: field: message`; a path that the file lacks is reported where it would stand."""
        at = tuple(path)
        while at and at not in self.lines:
            at = at[:-1]
        dotted = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
        return f"{self.name}:{self.lines.get(at, 1)}: {dotted or 'file'}: {message}"


class _Loader(yaml.SafeLoader):
    """YAML with the scalars of version 1.2.

    Version 1.1 reads 08:00 as the number 480 and `no` as false; a digest at the eighth minute would be the result.
    """

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - replaces the parent's, does not share it


for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^[-+]?(?:0|[1-9][0-9]{0,17})$", "-+0123456789"),
    ("float", r"^[-+]?[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]{1,2})?$", "-+0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def read_source(text: str, name: str = "workspace file") -> Source:
    """The file's text, decoded. `WorkspaceFileError` for what is not a YAML mapping, has a key twice, or an alias."""
    if len(text.encode()) > MAX_BYTES:
        raise WorkspaceFileError([f"{name}:1: file: larger than {MAX_BYTES} bytes"])
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise WorkspaceFileError([f"{name}:1: file: expected a mapping with the key `workspace`"])
        lines: dict[Path, int] = {}
        seen: set[int] = set()
        problems = [f"{name}:{line}: {message}" for line, message in _walk(node, (), lines, seen)]
        if problems:
            raise WorkspaceFileError(problems)
        return Source(name, loader.construct_document(node), lines)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        # The parser's own message may quote the line, and the line may hold what should not be there.
        what = getattr(error, "problem", None) or "unreadable"
        raise WorkspaceFileError([f"{name}:{mark.line + 1 if mark else 1}: file: not YAML: {what}"]) from None
    finally:
        loader.dispose()


def _walk(node: yaml.Node, path: Path, lines: dict[Path, int], seen: set[int]) -> Iterator[tuple[int, str]]:
    """Fill `lines`, yield (line, problem). An alias is refused: it can make a small file expand without bound."""
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if id(node) in seen or len(path) > MAX_DEPTH:
        yield line, "file: aliases (`*name`) and deep nesting are not read; write the value again"
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                yield key.start_mark.line + 1, "file: a key must be a plain word"
                continue
            below = (*path, str(key.value))
            if below in lines:
                yield key.start_mark.line + 1, f"{key.value}: the key stands here twice, first in line {lines[below]}"
                continue
            lines[below] = key.start_mark.line + 1
            yield from _walk(value, below, lines, seen)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk(item, (*path, index), lines, seen)
