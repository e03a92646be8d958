"""Who is looked up, what the table is told, and how its answers are classed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.unit.vendor_wire import Wire
from zrg_dagster.core.leads.enrichment import AGAIN_AFTER, NOT_SENT, EnrichmentCode, Subject, decide, question
from zrg_dagster.core.providers.clay.client import ClayClient
from zrg_dagster.core.providers.outcome import Accepted, Blocked

NOW = datetime(2026, 3, 10, 17, tzinfo=UTC)
LEAD = UUID(int=7)
TABLE = "https://api.clay.com/v3/sources/webhook/pull-in-data-from-a-webhook-1"
EXCHANGES = json.loads((Path(__file__).parents[1] / "data/api/clay.json").read_text())


def subject(**values: Any) -> Subject:
    nothing: dict[str, Any] = {"lead_id": LEAD, "kind": "phone", "is_gone": False, "email": "mara@brightloom.example"}
    nothing |= {"value": None, "table_url": TABLE, "status": None, "reason": None, "requested_at": None}
    return Subject(**(nothing | values))


@pytest.mark.parametrize(
    "values, call_intent, code",
    [
        ({}, False, EnrichmentCode.ASK),
        ({}, True, EnrichmentCode.ASK),
        ({"is_gone": True}, True, EnrichmentCode.LEAD_GONE),
        ({"table_url": None}, True, EnrichmentCode.NO_TABLE),
        ({"value": "+14155550132"}, True, EnrichmentCode.HAS_VALUE),
        ({"email": None}, True, EnrichmentCode.NO_EMAIL),
        ({"status": "pending", "requested_at": NOW}, False, EnrichmentCode.IN_PROGRESS),
        ({"status": "pending", "requested_at": NOW - timedelta(days=9)}, True, EnrichmentCode.IN_PROGRESS),
        ({"status": "not_found", "requested_at": NOW - timedelta(days=9)}, False, EnrichmentCode.ATTEMPTED),
        ({"status": "failed", "reason": "no_answer", "requested_at": NOW}, False, EnrichmentCode.ATTEMPTED),
        ({"status": "failed", "reason": NOT_SENT, "requested_at": NOW}, False, EnrichmentCode.ASK),
        # EN-05: exactly 24 hours is allowed.
        ({"status": "not_found", "requested_at": NOW - AGAIN_AFTER}, True, EnrichmentCode.ASK),
        (
            {"status": "not_found", "requested_at": NOW - AGAIN_AFTER + timedelta(seconds=1)},
            True,
            EnrichmentCode.ATTEMPTED,
        ),
        (
            {"status": "not_found", "requested_at": NOW - timedelta(days=9), "kind": "linkedin"},
            True,
            EnrichmentCode.ATTEMPTED,
        ),
    ],
)
def test_who_is_asked_about(values: dict[str, Any], call_intent: bool, code: EnrichmentCode) -> None:
    assert decide(subject(**values), call_intent=call_intent, now=NOW) is code


def person(**values: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("email", "first_name", "last_name", "company_name", "linkedin_url"))
    return {**nothing, "id": LEAD, **values}


def test_a_row_holds_text_only_and_an_empty_cell_for_what_is_unknown() -> None:
    row = question(person(email="mara@brightloom.example", first_name="Mara", last_name="Okafor"), "phone")
    assert row == {
        "leadId": str(LEAD), "emailAddress": "mara@brightloom.example", "firstName": "Mara", "lastName": "Okafor",
        "fullName": "Mara Okafor", "companyName": "", "companyDomain": "brightloom.example", "state": "",
        "linkedInProfile": "",
    }  # fmt: skip
    assert "linkedInProfile" not in question(person(email="a@b.example"), "linkedin")
    assert question(person(email="mara@GMAIL.com"), "phone")["companyDomain"] == ""
    assert question(person(last_name="Okafor"), "phone")["fullName"] == "Okafor"


@pytest.mark.parametrize("name", [each["name"] for each in EXCHANGES])
async def test_answers_have_their_documented_class(name: str) -> None:
    recorded = next(each for each in EXCHANGES if each["name"] == name)
    answer = recorded["response"]
    wire = Wire(httpx.Response(answer["status"], json=answer["body"]))
    outcome = await ClayClient(wire.client).submit(TABLE, {"leadId": "1"}, None)
    # A full table heals when somebody makes another one: no retry helps, and nobody is refused for good.
    expected = "blocked" if name == "limit_50000_reached" else recorded["client_class"]
    assert outcome.call_class.value == expected
    assert isinstance(outcome, Blocked) is (name == "limit_50000_reached")
    assert len(wire.requests) == 1


async def test_a_table_that_asks_for_a_token_gets_it() -> None:
    wire = Wire(httpx.Response(200, json={"success": True}))
    assert isinstance(await ClayClient(wire.client).submit(TABLE, {"leadId": "1"}, "t0ken"), Accepted)
    assert (str(wire.requests[0].url), wire.body()) == (TABLE, {"leadId": "1"})
    assert wire.requests[0].headers["x-clay-webhook-auth"] == "t0ken"
    await ClayClient(wire.client).submit(TABLE, {"leadId": "1"}, None)
    assert "x-clay-webhook-auth" not in wire.requests[1].headers
