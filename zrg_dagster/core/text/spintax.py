"""`[[a|b|c]]` groups: one wording per lead and step, the same on every retry (FU-84, FU-85)."""

import re
from dataclasses import dataclass

# One pass over the template: an escape, an opening or closing pair, or a bar. A pattern for whole groups would look
# for the closing pair again from every opening one.
_MARK = re.compile(r"\\.|\[\[|\]\]|\|", re.S)
_ESCAPE = re.compile(r"\\([|\[\]\\])")
_FNV_OFFSET, _FNV_PRIME = 0x811C9DC5, 0x01000193


class InvalidSpintax(ValueError):
    """A group is nested, unclosed, or has an empty option."""


@dataclass(frozen=True, slots=True)
class _Group:
    start: int
    end: int
    options: tuple[str, ...]


def expand(template: str, seed: str) -> str:
    """`template` with one option of each group; `seed` is `{lead_id}:{step_id}`. Raises `InvalidSpintax`."""
    parts, position = [], 0
    for number, group in enumerate(_groups(template)):
        parts.append(template[position : group.start])
        parts.append(group.options[fnv1a_32(f"{seed}:{number}") % len(group.options)])
        position = group.end
    parts.append(template[position:])
    return "".join(parts)


def every_option(template: str) -> str:
    """All options of all groups side by side, for checks at save time (FU-86). Raises `InvalidSpintax`."""
    parts, position = [], 0
    for group in _groups(template):
        parts += [template[position : group.start], " ".join(group.options)]
        position = group.end
    parts.append(template[position:])
    return "".join(parts)


def fnv1a_32(text: str) -> int:
    """FNV-1a over UTF-16 code units (not bytes), as the wording of already sent messages was chosen."""
    value = _FNV_OFFSET
    units = text.encode("utf-16-le", "surrogatepass")
    for index in range(0, len(units), 2):
        value = ((value ^ int.from_bytes(units[index : index + 2], "little")) * _FNV_PRIME) & 0xFFFFFFFF
    return value


def _groups(template: str) -> list[_Group]:
    if "[[" not in template and "]]" not in template:
        return []
    groups: list[_Group] = []
    options: list[str] | None = None
    start = option_start = 0
    for mark in _MARK.finditer(template):
        if options is None:
            # Outside a group a bar is text, and so is an escape: it keeps its backslash.
            if mark[0] == "]]":
                raise InvalidSpintax("a group is closed that was not opened")
            if mark[0] == "[[":
                options, start, option_start = [], mark.start(), mark.end()
        elif mark[0] == "[[":
            raise InvalidSpintax("groups do not nest")
        elif mark[0] in ("|", "]]"):
            options.append(_option(template[option_start : mark.start()]))
            option_start = mark.end()
            if mark[0] == "]]":
                groups.append(_Group(start, mark.end(), tuple(options)))
                options = None
    if options is not None:
        raise InvalidSpintax("a group is not closed")
    return groups


def _option(raw: str) -> str:
    option = _ESCAPE.sub(r"\1", raw)
    if not option.strip():
        raise InvalidSpintax("a group has an empty option")
    return option
