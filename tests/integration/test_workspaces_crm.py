"""A customer's CRM and Clay's tables in the workspace's file: applied, exported, compared, and refused with the reason."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import yaml
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.integration.workspaces_world import FILE, SECRETS, apply, rows
from zrg_dagster.core.base.seal import Sealer, new_key
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.workspaces.export import describe, dump
from zrg_dagster.core.workspaces.sealing import Keys
from zrg_dagster.core.workspaces.secrets import show_secrets
from zrg_dagster.core.workspaces.source import WorkspaceFileError

URL = "https://crm.customer.example/hook"
ENVIRONMENT = {**SECRETS, "CRM_SECRET": "planted-crm-secret-77ii"}


def source(url: str = URL, events: str = "[crm_row_updated, lead_created, lead_created]", secret: bool = True) -> str:
    crm = f"  crm: {{url: '{url}'{', secret: env:CRM_SECRET' if secret else ''}}}\n"
    text = FILE.replace("personas:", f"{crm}personas:", 1)
    return text.replace("  digest_local_time", f"  crm_webhook_events: {events}\n  digest_local_time", 1)


@pytest.fixture
async def engine(database: Any) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database.dsn("worker"), pool_size=2)
    yield engine
    await engine.dispose()


@pytest.fixture
def keys() -> Keys:
    return Keys(Sealer(new_key()), Sealer(new_key()))


async def test_what_is_applied_is_exported_and_applies_to_nothing(engine: AsyncEngine, keys: Keys) -> None:
    await apply(engine, keys, source(), environment=ENVIRONMENT)
    assert (await apply(engine, keys, source(), environment=ENVIRONMENT)).changes == ()
    async with engine.connect() as conn:
        written = dump(await describe(conn, "harbourline", keys))
        masked = {each.name: each.masked for each in await show_secrets(conn, "harbourline", keys)}
    document = yaml.safe_load(written)
    assert document["integrations"]["crm"] == {"url": URL}
    assert document["settings"]["crm_webhook_events"] == ["crm_row_updated", "lead_created"]
    assert masked["crm_webhook_secret"] == "••••••••77ii (23 characters)"
    assert "planted-crm" not in written
    assert (await apply(engine, keys, written, environment=ENVIRONMENT)).changes == ()
    plan = await apply(engine, keys, source(events="[lead_created]"), environment=ENVIRONMENT)
    assert [(each.section, each.verb) for each in plan.changes] == [("setting", "update")]


async def test_disconnecting_forgets_the_secret(engine: AsyncEngine, keys: Keys) -> None:
    await apply(engine, keys, source(), environment=ENVIRONMENT)
    gone = FILE.replace("personas:", "  crm: null\npersonas:", 1)
    await apply(engine, keys, gone, environment=ENVIRONMENT)
    assert await rows(engine, "SELECT 1 FROM secret.credential WHERE name = 'crm_webhook_secret'") == []
    assert await rows(engine, "SELECT 1 FROM app.integration WHERE provider = 'crm' AND is_active") == []


@pytest.mark.parametrize(
    "text, problem",
    [
        (source("http://crm.customer.example/"), "integrations.crm.url: only https:// is called"),
        (source("https://169.254.169.254/latest"), "a host is a name, never a number"),
        (source("https://crm.internal/"), "is a name of a private network"),
        (source(events="[]"), "settings.crm_webhook_events is empty"),
        (source(events="[lead_deleted]"), "crm_webhook_events"),
        (source(secret=False), "no crm_webhook_secret is stored yet; add secret: env:NAME or file:PATH"),
    ],
)
async def test_what_cannot_work_is_refused_where_it_stands(
    engine: AsyncEngine, keys: Keys, text: str, problem: str
) -> None:
    with pytest.raises(WorkspaceFileError) as refused:
        await apply(engine, keys, text, environment=ENVIRONMENT)
    assert problem in str(refused.value)
    assert await rows(engine, "SELECT 1 FROM app.workspace") == []


CLAY = "  clay: {{webhook_secret: env:CLAY_HOOK, phone_table: '{table}', table_token: env:CLAY_TOKEN}}\npersonas:"
CLAY_ENVIRONMENT = {**SECRETS, "CLAY_HOOK": "planted-clay-hook-77jj", "CLAY_TOKEN": "planted-clay-token-77kk"}


async def test_tables_of_clay_are_applied_exported_and_forgotten(engine: AsyncEngine, keys: Keys) -> None:
    table = "https://api.clay.com/v3/sources/webhook/pull-in-data-from-a-webhook-1"
    text = FILE.replace("personas:", CLAY.format(table=table), 1)
    await apply(engine, keys, text, environment=CLAY_ENVIRONMENT)
    async with engine.connect() as conn:
        written = dump(await describe(conn, "harbourline", keys))
    assert yaml.safe_load(written)["integrations"]["clay"] == {"phone_table": table}
    assert (await apply(engine, keys, written, environment=CLAY_ENVIRONMENT)).changes == ()
    names = await rows(engine, "SELECT name FROM secret.credential WHERE name LIKE 'clay%'")
    assert [row.name for row in names] == ["clay_table_token"]
    without = text.replace(f", phone_table: '{table}', table_token: env:CLAY_TOKEN", "")
    await apply(engine, keys, without, environment=CLAY_ENVIRONMENT)
    [stored] = await rows(engine, "SELECT phone_table_url FROM app.integration WHERE provider = 'clay'")
    assert stored.phone_table_url is None


@pytest.mark.parametrize("table", ["https://evil.example/x", "https://clay.com.evil.example/", "http://api.clay.com/x"])
async def test_a_table_elsewhere_is_refused(engine: AsyncEngine, keys: Keys, table: str) -> None:
    with pytest.raises(WorkspaceFileError, match=r"phone_table"):
        await apply(engine, keys, FILE.replace("personas:", CLAY.format(table=table), 1), environment=CLAY_ENVIRONMENT)
