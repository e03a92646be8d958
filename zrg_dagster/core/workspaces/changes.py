"""What an apply changes: found by comparing two states, shown to people, kept in the audit log. Never with a secret."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Any, Literal

from pydantic import SecretStr

from zrg_dagster.core.base.log import redact_text
from zrg_dagster.core.workspaces.tables import SECTIONS, Key, Row, State

SHOWN_CHARS = 80
KEPT_CHARS = 500

Verb = Literal["insert", "update", "delete"]
# Said by the object's name already.
_KEY_COLUMNS = {section.name: {column.name for column in section.key} for section in SECTIONS}
_KEY_COLUMNS |= {"workspace": set(), "user": {"email"}}
_WORDS = {(section.name, column.name) for section in SECTIONS for column in section.columns if column.is_words}
_SIGNS: dict[Verb, str] = {"insert": "+", "update": "~", "delete": "-"}


@dataclass(frozen=True, slots=True)
class Words:
    """A text that is told by its size and the beginning of its hash."""

    chars: int
    digest: str

    def __str__(self) -> str:
        return f"{self.chars} characters ({self.digest})"


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row that becomes another, comes or goes. Rows may hold secrets (masked in repr), hence no values here."""

    section: str
    key: Key
    before: Row | None = field(repr=False)
    after: Row | None = field(repr=False)

    @property
    def verb(self) -> Verb:
        if self.before is None:
            return "insert"
        return "update" if self.after is not None else "delete"

    @property
    def object(self) -> str:
        """What an operator calls it: `campaign emailbison 318`."""
        return " ".join([self.section, *(str(part) for part in self.key)])

    def fields(self) -> Iterator[tuple[str, Any, Any]]:
        """(column, before, after) of what differs; for a new row what is not empty."""
        before, after = self.before or {}, self.after or {}
        for name in after:
            if self.before is None and after[name] in (None, "", []):
                continue
            if before.get(name) != after[name]:
                yield name, self._told(name, before.get(name)), self._told(name, after[name])

    def _told(self, name: str, value: Any) -> Any:
        if (self.section, name) not in _WORDS or not isinstance(value, str):
            return value
        return Words(len(value), sha256(value.encode()).hexdigest()[:8])


def compare(current: State, wanted: State, order: Sequence[str]) -> list[RowChange]:
    """The differences, sections in `order`, rows by key."""
    changes = []
    for section in order:
        before, after = current.get(section, {}), wanted.get(section, {})
        for key in sorted({*before, *after}, key=repr):
            if before.get(key) != after.get(key):
                changes.append(RowChange(section, key, before.get(key), after.get(key)))
    return changes


def lines(changes: Sequence[RowChange], *, redact: bool = False) -> list[str]:
    """The changes for a terminal. `redact` removes names and addresses of people, for pages that many see."""
    if not redact:
        return [line for change in changes for line in _lines(change, _show)]
    return [
        redact_text(line) for change in changes for line in _lines(change, _hide if change.section == "user" else _show)
    ]


def _lines(change: RowChange, show: Callable[[Any, int], str]) -> Iterator[str]:
    sign = _SIGNS[change.verb]
    if change.verb == "delete":
        yield f"{sign} {change.object}"
        return
    parts = [each for each in change.fields() if each[0] not in _KEY_COLUMNS[change.section]]
    if change.verb == "insert":
        said = ", ".join(f"{name}={show(after, SHOWN_CHARS)}" for name, _, after in parts)
        yield f"{sign} {change.object}" + (f": {said}" if said else "")
        return
    for name, before, after in parts:
        yield f"{sign} {change.object} {name}: {show(before, SHOWN_CHARS)} -> {show(after, SHOWN_CHARS)}"


def audit_entries(changes: Sequence[RowChange]) -> list[dict[str, Any]]:
    """The changes as the audit log keeps them: object, verb, and before and after of each field, cut to a length."""
    return [
        {
            "object": change.object,
            "verb": change.verb,
            "fields": {
                name: [_show(before, KEPT_CHARS), _show(after, KEPT_CHARS)] for name, before, after in change.fields()
            },
        }
        for change in changes
    ]


def _hide(_value: Any, _most: int) -> str:
    return "(person)"


def _show(value: Any, most: int) -> str:
    if isinstance(value, SecretStr):
        return "(secret)"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, list):
        text = "[" + ", ".join(str(each) for each in value) + "]"
    else:
        text = str(value) if not isinstance(value, str) else '"' + " ".join(value.split()) + '"'
    return text if len(text) <= most else text[: most - 1] + "…"
