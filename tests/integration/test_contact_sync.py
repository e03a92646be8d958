"""Who shows interest is a contact at the SMS vendor, under one id, with what is known."""

import json
from datetime import UTC, datetime

import pytest

from tests.integration import intake_support as mail
from tests.integration.scenario_world import telling
from zrg_dagster.core.leads.contacts import KIND

NOON = datetime(2026, 3, 10, 16, 0, tzinfo=UTC)
PHONE = {"custom_variables": [{"name": "phone", "value": "+1 (415) 555-0132"}]}


@pytest.fixture
async def story(database, monkeypatch):
    async with telling(database, monkeypatch, NOON) as made:
        yield made


async def contacts(story):
    return (await story.sandbox.state("ghl"))["contacts"]


def linked(story):
    return story.rows.column("SELECT value FROM app.lead_identity WHERE kind = 'ghl_contact' ORDER BY value")


async def test_an_interested_lead_becomes_a_contact_once(story):
    await story.mail_comes("Tell me more.", lead=mail.person(**PHONE))
    [contact] = await contacts(story)
    assert (contact["email"], contact["phone"], contact["firstName"], contact["companyName"]) == (
        "mara@brightloom.example", "+14155550132", "Mara", "Brightloom Textiles",
    )  # fmt: skip
    assert linked(story) == [contact["id"]]
    assert story.job(KIND) == ("done", "contact_linked")
    await story.mail_comes("And the price?", 4402, lead=mail.person(title="COO", **PHONE))
    assert story.job(KIND) == ("done", "contact_updated")
    assert len(await contacts(story)) == 1


@pytest.mark.parametrize("tag", ["Objection", "Follow Up", "Not Interested"])
async def test_no_other_tag_makes_a_contact(story, tag):
    story.brain.tag = tag
    await story.mail_comes("Hm.")
    assert await contacts(story) == []
    assert story.rows.value("SELECT count(*) FROM app.job WHERE kind = %s", KIND) == 0


async def test_a_contact_that_the_vendor_lost_is_made_again(story):
    await story.mail_comes("Tell me more.")
    story.rows.all("UPDATE app.lead_identity SET value = 'gone' WHERE kind = 'ghl_contact'")
    await story.mail_comes("And the price?", 4402)
    assert linked(story) == [contact["id"] for contact in await contacts(story)]


async def test_a_contact_of_another_lead_makes_a_pair_for_people(story):
    await story.mail_comes("Tell me more.")
    [mine] = linked(story)
    story.rows.all("UPDATE app.lead SET email = 'm.okafor@brightloom.example'")
    other = mail.person("ivo", 90599)
    await story.sandbox.control("POST", "state/ghl", {"contacts": [{"id": mine, "email": other["email"]}]})
    await story.mail_comes("Me too.", 4403, lead=other, sender=other["email"])
    assert story.job(KIND) == ("done", "contact_of_another_lead")
    assert story.rows.column("SELECT kind FROM app.lead_merge_candidate") == ["ghl_contact"]
    assert linked(story) == [mine]


async def test_a_number_that_was_looked_up_reaches_the_contact(story):
    await story.mail_comes("Tell me more.")
    lead = str(story.lead["id"])
    answer = {"leadId": lead, "enrichmentType": "phone", "status": "success", "phone": "+14155550177"}
    await story.receive(mail.Delivery("clay", json.dumps(answer).encode(), story.workspace, story.now))
    await story.work()
    [contact] = await contacts(story)
    assert contact["phone"] == "+14155550177"


async def test_a_vendor_that_is_away_is_asked_again(story):
    fault = {"provider": "ghl", "mode": "status", "status": 503, "times": 1}
    await story.sandbox.control("POST", "faults", fault)
    await story.mail_comes("Tell me more.")
    assert story.job(KIND)[0] == "pending"
    assert linked(story) == []
    await story.at(datetime(2026, 3, 10, 17, 0, tzinfo=UTC))
    await story.work()
    assert story.job(KIND) == ("done", "contact_linked")


async def test_without_an_account_nothing_is_queued_and_who_opted_out_is_left_alone(story):
    story.rows.all("UPDATE app.integration SET is_active = false WHERE provider = 'ghl'")
    await story.mail_comes("Tell me more.")
    assert story.rows.value("SELECT count(*) FROM app.job WHERE kind = %s", KIND) == 0
    story.rows.all("UPDATE app.integration SET is_active = true")
    await story.at(NOON.replace(hour=17))
    reply = mail.reply(4402, "And the price?", at=story.now)
    await story.delivered(mail.email_event("LEAD_REPLIED", reply=reply))
    await mail.drain(story.database, now=story.now)
    story.more, kept = (lambda _engine: {}), story.more
    await story.replies()  # the contact's job fails once: its kind is not worked here
    story.more = kept
    story.rows.all("UPDATE app.lead SET status = 'blacklisted'")
    story.tick(hours=1)
    await story.replies()
    assert story.job(KIND) == ("skipped", "contact_lead_gone")
