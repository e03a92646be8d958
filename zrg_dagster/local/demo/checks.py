"""What must be true after the story: expected against seen, in a table that a stranger can read."""

from dataclasses import dataclass, field
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    expected: Any
    seen: Any

    @property
    def held(self) -> bool:
        return self.expected == self.seen


@dataclass(slots=True)
class Checks:
    """Collects checks while the story runs."""

    done: list[Check] = field(default_factory=list)

    def equal(self, name: str, expected: Any, seen: Any) -> None:
        self.done.append(Check(name, expected, seen))

    def holds(self, name: str, seen: bool) -> None:
        self.equal(name, "yes", "yes" if seen else "no")

    @property
    def failed(self) -> list[Check]:
        return [check for check in self.done if not check.held]

    def print(self, console: Console) -> None:
        table = Table(title="The story, checked", title_justify="left")
        for column in ("", "check", "expected", "seen"):
            table.add_column(column)
        for check in self.done:
            mark = "[green]ok[/]" if check.held else "[red]failed[/]"
            table.add_row(mark, check.name, str(check.expected), str(check.seen))
        console.print(table)

    def verdict(self) -> str:
        held, total = len(self.done) - len(self.failed), len(self.done)
        if not self.failed:
            return f"demo: ok {held}/{total} checks"
        return f"demo: failed {len(self.failed)} of {total} checks: {', '.join(check.name for check in self.failed)}"


class Ledger:
    """Short questions to the database, each on a connection of its own."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def one(self, query: str, *parameters: Any) -> Any:
        with psycopg.connect(self._dsn) as connection:
            row = connection.execute(query.encode(), parameters).fetchone()
        return row[0] if row else None

    def all(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._dsn) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def counts(self, query: str, *parameters: Any) -> dict[str, int]:
        return dict(self.all(query, *parameters))
