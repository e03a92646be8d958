"""`zrg` inside the test's process: everything but the start of an interpreter, which costs more than most commands.

That the entry point works as a process of its own is proved where whole platforms run.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import pytest
from typer.testing import CliRunner

from tests.conftest import Database
from zrg_dagster import cli
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db import roles


class Said(NamedTuple):
    """How a command ended: its code, and what it printed with what it complained of behind it."""

    code: int
    text: str


class Zrg:
    """Commands on one database."""

    def __init__(self, database: Database, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for key in roles.BY_KEY:
            monkeypatch.setenv(f"ZRG_DB_{key.upper()}_URL", database.dsn(key))
        monkeypatch.setenv("ZRG_HOME", str(home))

    def __call__(self, *arguments: str, given: str | None = None) -> Said:
        """Run it to its end; `given` is what is typed. In a thread, for a command has an event loop of its own."""
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(self._run, arguments, given).result()

    def ends(self, *arguments: str, code: int = 0, given: str | None = None) -> str:
        """What it said, when it ended with `code`."""
        said = self(*arguments, given=given)
        assert said.code == code, said.text
        return said.text

    def _run(self, arguments: tuple[str, ...], given: str | None) -> Said:
        current_settings.cache_clear()
        code = 0
        with CliRunner().isolation(given) as (out, err, _), patch.object(sys, "argv", ["zrg", *arguments]):
            try:
                cli.main()
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else int(end.code is not None)
            sys.stdout.flush()
            sys.stderr.flush()
            return Said(code, (out.getvalue() + err.getvalue()).decode())
