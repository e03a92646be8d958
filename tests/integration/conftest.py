"""Integration tests talk to a real Postgres: `database` and `cluster` come from tests/conftest.py."""

from pathlib import Path

import pytest

from tests.conftest import Database
from tests.integration.command_support import Zrg


@pytest.fixture
def zrg(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Zrg:
    """Commands on the test's database."""
    return Zrg(database, tmp_path / "home", monkeypatch)
