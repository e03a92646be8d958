"""What a CRM is told: keys, signature, reasons for silence, the row."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from zrg_dagster.core.base.seal import Sealer, new_key
from zrg_dagster.core.drafting.generate import STRATEGIES
from zrg_dagster.core.notifications.crm import (
    INTEREST,
    CrmAccess,
    CrmChange,
    CrmEvent,
    CrmSettings,
    CrmSkip,
    body_of,
    dedupe_key,
    iso,
    open_access,
    row_of,
    seed_of,
    signed_headers,
    skip_reason,
)

SAMPLES = Path(__file__).parents[1] / "data/crm_outbound"
AT = datetime(2026, 3, 10, 17, 0, 2, tzinfo=UTC)
WORKSPACE, LEAD = UUID(int=1), UUID(int=2)
WHOLE = CrmSettings(True, "https://crm.customer.example/hook", "sealed", ("lead_created", "crm_row_updated"))


def sample(name: str) -> dict[str, Any]:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def test_interest_is_what_gets_an_answer() -> None:
    assert set(INTEREST) == set(STRATEGIES)


@pytest.mark.parametrize("name, seed", [
    ("lead_created", "msg_01HZYA"), ("crm_row_updated", "crm_row_updated::leadStatus:2026-03-10T17:00:02.000Z"),
])  # fmt: skip
def test_the_key_of_an_event_as_recorded(name: str, seed: str) -> None:
    recorded = sample(name)
    assert dedupe_key(recorded["workspaceId"], recorded["leadId"], name, seed) == recorded["dedupeKey"]


def test_the_seed_of_a_change() -> None:
    change = CrmChange(WORKSPACE, LEAD, CrmEvent.ROW_UPDATED, field="leadStatus")
    assert seed_of(change, AT) == "crm_row_updated::leadStatus:2026-03-10T17:00:02.000Z"
    created = CrmChange(WORKSPACE, LEAD, CrmEvent.LEAD_CREATED, message_id=LEAD)
    assert seed_of(created, AT) == seed_of(created, AT + timedelta(days=1)) == str(LEAD)


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({}, None),
        ({"is_enabled": False, "url": None, "sealed": None, "events": ()}, CrmSkip.DISABLED),
        ({"url": None, "sealed": None, "events": ()}, CrmSkip.MISSING_URL),
        ({"sealed": None, "events": ()}, CrmSkip.MISSING_SECRET),
        ({"events": ("crm_row_updated",)}, CrmSkip.EVENT_NOT_ENABLED),
    ],
)
def test_reasons_for_silence_in_their_order(changes: dict[str, Any], reason: CrmSkip | None) -> None:
    fields = {name: getattr(WHOLE, name) for name in ("is_enabled", "url", "sealed", "events")}
    assert skip_reason(CrmSettings(**(fields | changes)), "lead_created") == reason


def test_the_secret_opens_for_its_workspace_alone_and_the_address_is_checked_again() -> None:
    sealer = Sealer(new_key())
    sealed = sealer.seal("s3cret", scope=f"{WORKSPACE}:crm_webhook_secret")

    def opened(url: str = "https://crm.customer.example/hook", workspace: UUID = WORKSPACE, key: Any = sealer) -> Any:
        return open_access(CrmSettings(True, url, sealed, ()), workspace, key)

    assert isinstance(opened(), CrmAccess)
    assert opened(workspace=LEAD) == CrmSkip.UNREADABLE_SECRET
    assert opened(key=None) == CrmSkip.UNREADABLE_SECRET
    assert opened("https://169.254.169.254/") == CrmSkip.UNSAFE_URL
    assert "s3cret" not in repr(opened())


def test_a_signature_is_over_its_own_time_and_the_bytes() -> None:
    body = b'{"a":1}'
    headers = signed_headers(SecretStr("k"), body, event="lead_created", delivery_id="d1", now=AT)
    stamp = headers["x-zrg-timestamp"]
    assert stamp == "2026-03-10T17:00:02.000Z"
    expected = hmac.new(b"k", f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["x-zrg-signature"] == f"sha256={expected}"
    assert (headers["x-zrg-delivery-id"], headers["x-zrg-event"]) == ("d1", "lead_created")
    assert headers["x-zrg-signature-algorithm"] == "hmac-sha256"
    later = signed_headers(SecretStr("k"), body, event="lead_created", delivery_id="d1", now=AT + timedelta(seconds=1))
    assert later["x-zrg-signature"] != headers["x-zrg-signature"]


def lead(**values: Any) -> Any:
    nothing = dict.fromkeys(
        ("email", "phone", "first_name", "last_name", "company_name", "job_title", "linkedin_url", "snoozed_until",
         "campaign", "assignee", "assignee_email", "interested_at", "channel", "replied_at", "answered_by_human",
         "booked_at", "start_at")
    )  # fmt: skip
    return SimpleNamespace(**(nothing | {"id": LEAD, "status": "new", "sentiment_tag": "New", "steps": 0} | values))


@pytest.mark.parametrize("name", ["lead_created", "crm_row_updated"])
def test_a_delivery_has_the_recorded_shape(name: str) -> None:
    job = SimpleNamespace(
        id=UUID(int=9), job_key="crm:x", lead_id=LEAD, message_id=None,
        payload={"event": name, "occurred_at": iso(AT), "field": None, "source": "reply"},
    )  # fmt: skip
    made = json.loads(body_of(job, "harbourline", row_of(lead(), [])))  # pyright: ignore[reportArgumentType]
    recorded = sample(name)
    assert list(made) == list(recorded)
    assert list(made["row"]) == list(recorded["row"])


@pytest.mark.parametrize(
    "values, said",
    [
        ({"sentiment_tag": "Interested"}, {"responseType": "OTHER", "leadCategory": "Interested"}),
        ({"sentiment_tag": "Objection"}, {"responseType": "OBJECTION"}),
        ({"sentiment_tag": "Follow Up"}, {"responseType": "FOLLOW_UP_FUTURE"}),
        (
            {"sentiment_tag": "Interested", "booked_at": AT},
            {"responseType": "MEETING_REQUEST", "dateOfBooking": iso(AT)},
        ),
        ({"status": "meeting-booked"}, {"qualified": True}),
        ({"status": "blacklisted"}, {"qualified": False}),
        ({"status": "new"}, {"qualified": None}),
        ({"answered_by_human": None}, {"responseMode": "UNKNOWN", "responseStepComplete": False}),
        ({"answered_by_human": False}, {"responseMode": "AI", "responseStepComplete": True}),
        ({"answered_by_human": True}, {"responseMode": "HUMAN"}),
        ({"steps": 2}, {"stepResponded": None}),
        ({"steps": 2, "interested_at": AT}, {"stepResponded": 2, "date": iso(AT)}),
    ],
)
def test_the_row_in_the_customers_words(values: dict[str, Any], said: dict[str, Any]) -> None:
    row = row_of(lead(**values), ["a", "b"])
    assert {name: row[name] for name in said} == said
    assert [row[f"followUp{number}"] for number in range(1, 6)] == ["a", "b", None, None, None]
