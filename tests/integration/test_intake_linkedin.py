"""LinkedIn on a real database: one person under two names in any order, changed wordings, and what accounts tell."""

import itertools
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.conftest import Database
from tests.integration.intake_support import Delivery, Rows, accept, drain, person, replied, stamp
from tests.integration.seeds import NOW

ACCOUNT, US, MARA = "Kd82nVtQRcW0pZ5mXyLs4A", "ACoAAUs", "ACoAAMara"
PROFILE = "https://linkedin.com/in/mara-okafor"


def event(workspace: UUID, *, received_at: datetime = NOW, **body: Any) -> Delivery:
    full = {"account_id": ACCOUNT, "account_type": "LINKEDIN", **body}
    return Delivery("unipile", json.dumps(full).encode(), workspace, received_at, key=str(received_at))


def message(
    workspace: UUID, text: str, *, number: int = 1, sender: str = MARA, kind: str = "message_received", **options: Any
) -> Delivery:
    at = options.pop("at", NOW)
    attendees = [
        {"attendee_provider_id": each, "attendee_name": "Mara Okafor"} for each in (US, options.pop("other", MARA))
    ]
    return event(
        workspace,
        received_at=options.pop("received_at", at + timedelta(seconds=2)),
        event=kind,
        account_info={"user_id": US},
        chat_id="chat-1",
        message_id=f"m{number}",
        message=text,
        timestamp=stamp(at),
        sender=next(each for each in attendees if each["attendee_provider_id"] == sender),
        attendees=attendees,
    )


def relation(workspace: UUID, *, member: str = MARA, slug: str = "mara-okafor", at: datetime = NOW) -> Delivery:
    return event(
        workspace,
        received_at=at,
        event="new_relation",
        user_provider_id=member,
        user_public_identifier=slug,
        user_full_name="Mara Okafor",
    )


def campaign_reply(workspace: UUID) -> Delivery:
    """A mail of a lead of whom the campaign knows the profile."""
    profile = {"name": "linkedin", "value": "https://www.linkedin.com/in/mara-okafor/"}
    return replied(workspace, 1, lead=person(custom_variables=[profile]))


def status(workspace: UUID, word: str, at: datetime = NOW) -> Delivery:
    body = {"AccountStatus": {"account_id": ACCOUNT, "account_type": "LINKEDIN", "message": word}}
    return Delivery("unipile", json.dumps(body).encode(), workspace, at, key=str(at))


def world(rows: Rows) -> dict[str, Any]:
    """What is known of people, whoever came first; leads that wait to be merged count as one."""
    leads = rows.all("SELECT id, linkedin_url, provenance -> 'linkedin_url' AS origin FROM app.lead ORDER BY id")
    joined = rows.value("SELECT count(*) FROM app.lead_merge_candidate")
    return {
        "people": len(leads) - joined,
        "names": rows.column("SELECT kind || ' ' || value FROM app.lead_identity ORDER BY 1"),
        "profiles": {(each["linkedin_url"], json.dumps(each["origin"])) for each in leads},
        "relations": rows.all("SELECT member_id, profile_url, connected_at FROM app.linkedin_relation"),
        "messages": rows.column("SELECT message_key FROM app.message ORDER BY 1"),
    }


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("apart", [True, False])
async def test_relation_mail_and_message_are_one_person_in_any_order(
    database: Database, order: tuple[int, ...], apart: bool
) -> None:
    rows = Rows(database)
    workspace = rows.workspace()
    deliveries = [
        campaign_reply(workspace),
        relation(workspace, at=NOW + timedelta(minutes=1)),
        message(workspace, "Hello Noor", at=NOW + timedelta(minutes=2)),
    ]
    for number in order:
        accept(database, [deliveries[number]])
        if apart:
            await drain(database)
    await drain(database)
    found = world(rows)
    assert found["people"] == 1
    assert f"linkedin_member {MARA}" in found["names"]
    assert f"linkedin_url {PROFILE}" in found["names"]
    assert len(found["messages"]) == 2
    assert PROFILE in {profile for profile, _ in found["profiles"]}


async def test_first_word_on_linkedin_makes_a_lead_and_a_reply_job(database: Database) -> None:
    rows = Rows(database)
    workspace = rows.workspace()
    accept(database, [message(workspace, "What would onboarding look like?")])
    await drain(database)
    lead = rows.one("SELECT * FROM app.lead")
    assert (lead["first_name"], lead["email"], lead["linkedin_url"]) == ("Mara", None, None)
    assert lead["last_inbound_at"] == NOW
    stored = rows.one("SELECT channel, direction, provider, thread_handle FROM app.message")
    assert tuple(stored.values()) == ("linkedin", "inbound", "unipile", "chat-1")
    assert rows.column("SELECT kind FROM app.job") == ["reply"]


async def test_what_we_wrote_ourselves_is_a_human_touch_and_asks_for_no_reply(database: Database) -> None:
    rows = Rows(database)
    workspace = rows.workspace()
    accept(database, [message(workspace, "Thursday it is!", sender=US)])
    await drain(database)
    assert rows.one("SELECT direction, source FROM app.message") == {"direction": "outbound", "source": "human"}
    assert rows.one("SELECT channel, kind, is_human FROM app.touch") == {
        "channel": "linkedin",
        "kind": "human",
        "is_human": True,
    }
    assert rows.value("SELECT count(*) FROM app.job") == 0


async def test_stop_on_linkedin_stops_every_channel(database: Database) -> None:
    rows = Rows(database)
    workspace = rows.workspace()
    accept(database, [campaign_reply(workspace), relation(workspace), message(workspace, "Please stop contacting me")])
    await drain(database)
    assert rows.column("SELECT status FROM app.lead") == ["blacklisted"]
    assert "mara@brightloom.example" in rows.column("SELECT value FROM app.suppression WHERE channel = 'all'")


async def test_a_stranger_who_connects_makes_no_lead(database: Database) -> None:
    rows = Rows(database)
    workspace = rows.workspace()
    accept(database, [relation(workspace, member="ACoAAStranger", slug="random-recruiter-1")])
    await drain(database)
    assert rows.events() == {"unipile/new_relation": [("processed", "lead_not_identified")]}
    assert rows.value("SELECT count(*) FROM app.lead") == 0


async def test_a_relation_stays_inside_its_workspace(database: Database) -> None:
    rows = Rows(database)
    ours, theirs = rows.workspace(), rows.workspace("other")
    accept(database, [relation(theirs), campaign_reply(ours), message(ours, "Hello")])
    await drain(database)
    assert rows.value("SELECT count(*) FROM app.lead WHERE workspace_id = %s", ours) == 2


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("apart", [True, False])
async def test_the_newest_wording_stays_in_any_order(database: Database, order: tuple[int, ...], apart: bool) -> None:
    rows = Rows(database)
    workspace = rows.workspace()
    wordings = [
        message(workspace, "What would onboarding look like?"),
        message(workspace, "Z first change", kind="message_edited", received_at=NOW + timedelta(minutes=1)),
        message(
            workspace, "What would onboarding cost?", kind="message_edited", received_at=NOW + timedelta(minutes=2)
        ),
    ]
    for number in order:
        accept(database, [wordings[number]])
        if apart:
            await drain(database)
    await drain(database)
    stored = rows.one("SELECT body, raw_text, sent_at, edited_at FROM app.message")
    assert stored["body"] == stored["raw_text"] == "What would onboarding cost?"
    assert (stored["sent_at"], stored["edited_at"]) == (NOW, NOW + timedelta(minutes=2))
    assert rows.value("SELECT count(*) FROM app.job") == 1


async def test_a_request_to_stop_that_was_written_afterwards_counts(database: Database) -> None:
    rows = Rows(database)
    workspace = rows.workspace()
    edited = message(
        workspace, "Please stop contacting me", kind="message_edited", received_at=NOW + timedelta(minutes=9)
    )
    accept(database, [message(workspace, "Sounds good"), edited])
    await drain(database)
    assert rows.value("SELECT status FROM app.lead") == "blacklisted"
    assert rows.value("SELECT opt_out_rule FROM app.message") is not None


async def test_the_state_of_an_account_is_kept_for_the_operator(database: Database) -> None:
    rows = Rows(database)
    workspace = rows.workspace()
    states = [status(workspace, "CREDENTIALS"), status(workspace, "RECONNECTED", NOW + timedelta(minutes=30))]
    accept(database, [*states, status(workspace, "CREDENTIALS", NOW + timedelta(seconds=5))])
    await drain(database)
    found = rows.all(
        "SELECT provider, kind, value, subject, detail, is_trouble FROM app.vendor_notice ORDER BY noticed_at"
    )
    assert [tuple(row.values()) for row in found] == [
        ("unipile", "sender_health", "disconnected", ACCOUNT, "credentials", True),
        ("unipile", "sender_health", "reconnected", ACCOUNT, "reconnected", False),
    ]
    assert {end for ends in rows.events().values() for end in ends} == {("processed", None)}


async def test_an_accepted_invitation_wakes_what_waits_for_it(database: Database) -> None:
    rows = Rows(database)
    workspace = rows.workspace()
    accept(database, [message(workspace, "What would onboarding look like?")])
    await drain(database)
    lead = rows.value("SELECT id FROM app.lead")
    for key, reason in (("a", "invitation_pending"), ("b", "quiet_hours")):
        rows.all(
            "INSERT INTO app.send (id, workspace_id, natural_key, kind, origin, channel, vendor, lead_id, recipient, "
            "content, reason, due_at, correlation_id) VALUES (gen_random_uuid(), %s, %s, 'draft', 'ai', 'linkedin', "
            "'unipile', %s, %s, '{}', %s, %s, 'c')",
            workspace, key, lead, MARA, reason, NOW + timedelta(hours=5),
        )  # fmt: skip
    accept(database, [relation(workspace, at=NOW + timedelta(minutes=1))])
    await drain(database, now=NOW + timedelta(minutes=2))
    assert rows.all("SELECT natural_key, due_at FROM app.send ORDER BY 1") == [
        {"natural_key": "a", "due_at": NOW + timedelta(minutes=2)},
        {"natural_key": "b", "due_at": NOW + timedelta(hours=5)},
    ]
