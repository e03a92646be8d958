"""An erased person's LinkedIn relations and enrichment go too, and no late delivery brings either back."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.conftest import Database
from tests.integration.erase_world import KEY, PHONE, TRACES, Place, conversation, traces
from tests.integration.intake_support import Rows
from tests.integration.seeds import NOW
from tests.integration.test_intake_enrichment import answer
from tests.integration.test_intake_linkedin import message, relation
from zrg_dagster.core.base.seal import Sealer
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.leads.export import export_person
from zrg_dagster.core.leads.person import find_person

SLUG = "mara-okafor"


@pytest.fixture
async def place(database: Database) -> AsyncIterator[Place]:
    rows = Rows(database)
    engine = make_engine(database.dsn("worker"), pool_size=5)
    yield Place(database, engine, rows, rows.workspace(), Sealer(KEY))
    await engine.dispose()


async def test_relations_and_enrichment_are_exported_erased_and_kept_out(place: Place) -> None:
    await conversation(place)
    lead, workspace = place.lead, place.workspace
    profile = place.rows.value("SELECT value FROM app.lead_identity WHERE kind = 'linkedin_url' AND lead_id = %s", lead)
    slug = profile.rpartition("/")[2]
    await place.take_in(relation(workspace, slug=slug), answer(workspace, lead, phone=PHONE))
    assert place.rows.value("SELECT lead_id FROM app.lead_identity WHERE kind = 'linkedin_member'") == lead
    async with place.engine.connect() as conn:
        document = await export_person(conn, await find_person(conn, workspace, str(lead)), now=NOW)
    assert document["tables"]["app.linkedin_relation"][0]["profile_url"] == profile
    assert document["tables"]["app.lead_enrichment"][0]["status"] == "success"
    assert any(slug in json.dumps(each["body"]) for each in document["deliveries"])

    await place.erase()
    assert traces(place.database, *TRACES, slug, "acoaamara") == {}
    assert place.rows.value("SELECT count(*) FROM app.linkedin_relation") == 0
    assert place.rows.value("SELECT count(*) FROM app.lead_enrichment") == 0

    later = NOW + timedelta(hours=2)
    await place.take_in(
        relation(workspace, slug=slug, at=later),
        message(workspace, "It is me again", at=later),
        answer(workspace, lead, phone="+14155559999", at=later),
        answer(workspace, lead, status="not_found", at=later + timedelta(minutes=20)),
    )
    events = place.rows.all(
        "SELECT e.state, e.reason, octet_length(b.body) AS size FROM raw.webhook_event e "
        "JOIN raw.webhook_body b ON b.event_id = e.id WHERE e.provider IN ('unipile', 'clay') AND e.received_at >= %s",
        later,
    )
    assert events == [{"state": "ignored", "reason": "person_erased", "size": 0}] * 4
    assert traces(place.database, *TRACES, slug, "acoaamara", "+14155559999") == {}
