"""Answers of enrichment on a real database: fill only, in any order, never a company, never a stranger."""

import itertools
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.conftest import Database
from tests.integration.intake_support import Delivery, Rows, accept, drain, replied, sms
from tests.integration.seeds import NOW
from zrg_dagster.core.base.ids import new_id

PROFILE = "https://linkedin.com/in/mara-okafor"


def answer(workspace: UUID, lead: Any, kind: str = "phone", *, at: datetime = NOW, **cells: Any) -> Delivery:
    body = {"leadId": str(lead), "enrichmentType": kind, **cells}
    return Delivery("clay", json.dumps(body).encode(), workspace, at, key=str(at))


async def lead_by_mail(database: Database, rows: Rows, workspace: UUID) -> UUID:
    accept(database, [replied(workspace, 1)])
    await drain(database)
    return rows.value("SELECT id FROM app.lead WHERE workspace_id = %s", workspace)


async def test_a_found_number_fills_the_blank_and_names_the_lead(database: Database) -> None:
    rows = Rows(database)
    workspace = rows.workspace()
    lead = await lead_by_mail(database, rows, workspace)
    accept(database, [answer(workspace, lead, phone="(415) 555-0132")])
    await drain(database)
    found = rows.one("SELECT phone, provenance -> 'phone' ->> 'source' AS source FROM app.lead")
    assert tuple(found.values()) == ("+14155550132", "clay:phone.success")
    assert rows.one("SELECT kind, status, reason, answered_at FROM app.lead_enrichment") == {
        "kind": "phone",
        "status": "success",
        "reason": None,
        "answered_at": NOW,
    }
    assert rows.value("SELECT lead_id FROM app.lead_identity WHERE kind = 'phone'") == lead
    assert rows.value("SELECT lead_id FROM raw.webhook_event WHERE provider = 'clay'") == lead


@pytest.mark.parametrize("enriched_first", [True, False])
async def test_a_found_number_never_replaces_the_vendor_s_own(database: Database, enriched_first: bool) -> None:
    """The CRM says +14155550132. Whether it said so before or after, the search's number is not the lead's."""
    rows = Rows(database)
    workspace = rows.workspace()
    lead = await lead_by_mail(database, rows, workspace)
    crm = sms(workspace, "It's me", fields={"email": "mara@brightloom.example"})
    deliveries = [answer(workspace, lead, phone="+14155559999"), crm]
    for delivery in deliveries if enriched_first else reversed(deliveries):
        accept(database, [delivery])
        await drain(database)
    assert rows.value("SELECT phone FROM app.lead") == "+14155550132"
    assert rows.value("SELECT status FROM app.lead_enrichment") == "success"
    assert rows.value("SELECT count(*) FROM app.lead") == 1


async def test_a_number_set_by_hand_stays(database: Database) -> None:
    rows = Rows(database)
    workspace = rows.workspace()
    lead = await lead_by_mail(database, rows, workspace)
    rows.all("UPDATE app.lead SET phone = '+14155550100'")
    accept(database, [answer(workspace, lead, phone="+14155559999")])
    await drain(database)
    assert rows.value("SELECT phone FROM app.lead") == "+14155550100"


async def test_a_company_page_is_no_person(database: Database) -> None:
    rows = Rows(database)
    workspace = rows.workspace()
    lead = await lead_by_mail(database, rows, workspace)
    page = "https://www.linkedin.com/company/brightloom"
    accept(database, [answer(workspace, lead, "linkedin", status="success", linkedinUrl=page)])
    await drain(database)
    assert rows.value("SELECT linkedin_url FROM app.lead") is None
    assert tuple(rows.one("SELECT status, reason FROM app.lead_enrichment").values()) == ("not_found", "company_page")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("apart", [True, False])
async def test_answers_end_the_same_in_any_order(database: Database, order: tuple[int, ...], apart: bool) -> None:
    rows = Rows(database)
    workspace = rows.workspace()
    lead = await lead_by_mail(database, rows, workspace)
    told = [
        answer(workspace, lead, "linkedin", error="credits", at=NOW),
        answer(workspace, lead, "linkedin", linkedinUrl=PROFILE, at=NOW + timedelta(minutes=1)),
        answer(workspace, lead, "linkedin", status="not_found", at=NOW + timedelta(minutes=2)),
    ]
    for number in order:
        accept(database, [told[number]])
        if apart:
            await drain(database)
    await drain(database)
    found = rows.one("SELECT status, answered_at FROM app.lead_enrichment")
    assert tuple(found.values()) == ("success", NOW + timedelta(minutes=1))
    assert rows.value("SELECT linkedin_url FROM app.lead") == PROFILE


async def test_without_a_find_the_last_answer_counts_and_none_ends_a_newer_request(database: Database) -> None:
    rows = Rows(database)
    workspace = rows.workspace()
    lead = await lead_by_mail(database, rows, workspace)
    for minute, cells in ((2, {"status": "not_found"}), (1, {"error": "credits"})):
        accept(database, [answer(workspace, lead, at=NOW + timedelta(minutes=minute), **cells)])
        await drain(database)
    assert rows.value("SELECT status FROM app.lead_enrichment") == "not_found"
    asked = NOW + timedelta(minutes=30)
    rows.all("UPDATE app.lead_enrichment SET status = 'pending', requested_at = %s", asked)
    accept(database, [answer(workspace, lead, at=NOW + timedelta(minutes=10), error="late")])
    await drain(database)
    assert rows.value("SELECT status FROM app.lead_enrichment") == "pending"
    accept(database, [answer(workspace, lead, at=asked + timedelta(seconds=9), error="credits")])
    await drain(database)
    assert tuple(rows.one("SELECT status, reason FROM app.lead_enrichment").values()) == ("failed", "vendor_error")


async def test_an_answer_is_about_the_lead_it_names_even_if_the_value_is_somebody_else_s(database: Database) -> None:
    rows = Rows(database)
    workspace = rows.workspace()
    accept(database, [sms(workspace, "Hello")])
    await drain(database)
    other = rows.value("SELECT id FROM app.lead")
    accept(database, [replied(workspace, 1)])
    await drain(database)
    lead = rows.value("SELECT id FROM app.lead WHERE id <> %s", other)
    accept(database, [answer(workspace, lead, phone="+14155550132")])
    await drain(database)
    assert rows.value("SELECT lead_id FROM app.lead_enrichment") == lead
    assert rows.value("SELECT lead_id FROM app.lead_identity WHERE kind = 'phone'") == other, "an identity never moves"
    assert rows.one("SELECT lead_id, other_lead_id, kind FROM app.lead_merge_candidate") == {
        "lead_id": min(lead, other),
        "other_lead_id": max(lead, other),
        "kind": "phone",
    }


async def test_what_names_no_lead_of_the_workspace_is_put_aside(database: Database) -> None:
    rows = Rows(database)
    ours, theirs = rows.workspace(), rows.workspace("other")
    lead = await lead_by_mail(database, rows, ours)
    for who in (lead, new_id(), "lead_01HZY7Q0M3"):
        accept(database, [answer(theirs, who, phone="+14155550132")])
    await drain(database)
    assert rows.events()["clay/phone.success"] == [("quarantined", "unknown_lead")] * 3
    assert rows.value("SELECT phone FROM app.lead") is None
    assert rows.value("SELECT count(*) FROM app.lead_enrichment") == 0


async def test_a_new_number_of_somebody_who_said_stop_is_stopped_too(database: Database) -> None:
    rows = Rows(database)
    workspace = rows.workspace()
    accept(database, [replied(workspace, 1, "Please stop contacting me")])
    await drain(database)
    accept(database, [answer(workspace, rows.value("SELECT id FROM app.lead"), phone="+14155550132")])
    await drain(database)
    assert "+14155550132" in rows.column("SELECT value FROM app.suppression WHERE kind = 'phone' AND channel = 'all'")
