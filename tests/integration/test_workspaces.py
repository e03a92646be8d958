"""Workspace files against a real database: what an apply writes, and that an unchanged one writes nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.integration.seeds import NOW
from zrg_dagster.core.base.seal import Sealer, new_key
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.workspaces.apply import apply_file
from zrg_dagster.core.workspaces.changes import lines
from zrg_dagster.core.workspaces.declare import parse
from zrg_dagster.core.workspaces.references import resolve_all
from zrg_dagster.core.workspaces.sealing import Keys

ROOT = Path(__file__).parents[2]
DEMO = (ROOT / "demo" / "workspace.yaml").read_text().replace("${SANDBOX}", "http://127.0.0.1:9")
ENV = {
    "DEMO_EMAILBISON_KEY": "eb-key-1",
    "DEMO_EMAILBISON_HOOK": "eb-hook-1",
    "DEMO_GHL_TOKEN": "ghl-token-1",
    "DEMO_GHL_HOOK": "ghl-hook-1",
    "DEMO_CALENDLY_TOKEN": "cal-token-1",
    "DEMO_CALENDLY_KEY": "cal-key-1",
    "DEMO_SLACK_TOKEN": "xoxb-demo-1",
}


@pytest.fixture
async def engine(database) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database.dsn("worker"))
    yield engine
    await engine.dispose()


@pytest.fixture
def keys() -> Keys:
    return Keys(Sealer(new_key()), Sealer(new_key()))


async def apply(engine, keys, source, env=ENV, now=NOW):
    file = parse(source, "w.yaml")
    async with engine.begin() as conn:
        return await apply_file(conn, file, resolve_all(file, base=ROOT, environment=env), keys, actor="t", now=now)


async def test_an_unchanged_file_writes_nothing(engine, keys):
    first = await apply(engine, keys, DEMO)
    assert first.is_new
    print("\n".join(lines(first.changes)))
    second = await apply(engine, keys, DEMO)
    assert second.changes == ()
