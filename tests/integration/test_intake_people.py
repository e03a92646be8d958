"""Who a delivery is about: repliers, two feeds of one text, and many lanes that meet the same person."""

from datetime import timedelta

import pytest

from tests.integration import intake_support as world
from tests.integration.intake_support import Rows, accept, drain
from tests.integration.seeds import NOW

MINUTE = timedelta(minutes=1)


@pytest.fixture
def rows(database):
    return Rows(database)


@pytest.fixture
def workspace(rows):
    return rows.workspace()


# ── who answers ─────────────────────────────────────────────────────────────────


async def test_a_colleague_becomes_the_replier_and_the_lead_takes_over_again(database, rows, workspace):
    """CC-01 to CC-04: set by a colleague's answer, `since` its first mail in a row, cleared when the lead writes."""
    jo = {"sender": "jo@brightloom.example", "from_name": "Jo Hale"}
    accept(database, [world.replied(workspace, 1, at=NOW - 9 * MINUTE)])
    await drain(database)
    assert rows.value("SELECT current_replier_email FROM app.lead") is None
    # The newer of two mails in a row arrives first.
    accept(database, [world.replied(workspace, 3, at=NOW - 7 * MINUTE, **jo)])
    await drain(database)
    accept(database, [world.replied(workspace, 2, at=NOW - 8 * MINUTE, **jo)])
    await drain(database)
    lead = rows.one(
        "SELECT current_replier_email AS e, current_replier_name AS n, current_replier_since AS s FROM app.lead"
    )
    assert tuple(lead.values()) == ("jo@brightloom.example", "Jo Hale", NOW - 8 * MINUTE)
    assert rows.value("SELECT lead_id FROM app.lead_identity WHERE kind = 'alternate_email'")
    accept(database, [world.replied(workspace, 4, at=NOW - 6 * MINUTE, automated_reply=True, **jo)])
    accept(database, [world.replied(workspace, 5, at=NOW - 6 * MINUTE)])
    await drain(database)
    lead = rows.one(
        "SELECT current_replier_email AS e, current_replier_name AS n, current_replier_since AS s FROM app.lead"
    )
    assert tuple(lead.values()) == (None, None, None)
    assert rows.value("SELECT count(*) FROM app.lead") == 1


async def test_an_absence_notice_of_a_colleague_redirects_nobody(database, rows, workspace):
    away = "I am out of the office until Monday."
    accept(database, [world.replied(workspace, 1, at=NOW - MINUTE)])
    accept(database, [world.replied(workspace, 2, away, sender="jo@brightloom.example", automated_reply=True)])
    await drain(database)
    assert rows.value("SELECT current_replier_email FROM app.lead") is None


# ── two feeds of one SMS ────────────────────────────────────────────────────────


TEXT = "Yes, mornings work. Can you do Thursday?"


@pytest.mark.parametrize("order", ["workflow first", "app first", "together"])
async def test_an_sms_from_both_feeds_is_one_message_and_one_job(database, rows, workspace, order):
    told = [
        world.sms(workspace, TEXT, received_at=NOW + timedelta(seconds=11)),
        world.app_sms(workspace, "yes, mornings work.  Can you do Thursday?", "GkA", at=NOW),
    ]
    for part in (
        [told] if order == "together" else [[each] for each in (told if order == "workflow first" else told[::-1])]
    ):
        accept(database, part)
        await drain(database)
    accept(database, [world.sms(workspace, TEXT, fields={"extra": 1})])  # the workflow's retry, with other bytes
    await drain(database)
    message = rows.one("SELECT message_key, provider_message_id, sent_at, sent_at_quality FROM app.message")
    assert tuple(message.values()) == (f"ghl:{world.LOCATION}:GkA", "GkA", NOW, "provider")
    assert rows.value("SELECT count(*) FROM app.job") == 1
    assert rows.value("SELECT count(*) FROM app.lead") == 1


async def test_the_same_word_twice_stays_two_messages(database, rows, workspace):
    for number, at in enumerate((NOW, NOW + MINUTE)):
        accept(database, [world.sms(workspace, "OK", time=f"9:4{number} AM", received_at=at + timedelta(seconds=5))])
        accept(database, [world.app_sms(workspace, "OK", f"Gk{number}", at=at)])
    await drain(database, batch_size=1)
    assert rows.column("SELECT provider_message_id FROM app.message ORDER BY sent_at") == ["Gk0", "Gk1"]
    assert rows.value("SELECT count(*) FROM app.job WHERE kind = 'reply'") == 2


@pytest.mark.parametrize("batch_size", [1, 10])
async def test_a_retry_across_a_time_bucket_is_the_same_sms(database, rows, workspace, batch_size):
    """Without a time of the vendor the key holds receipt in ten-minute buckets; the neighbour counts as known."""
    at = NOW.replace(minute=9, second=58)
    accept(database, [world.sms(workspace, "OK", time=None, received_at=at)])
    accept(database, [world.sms(workspace, "OK", time=None, received_at=at + timedelta(seconds=5), key="later")])
    await drain(database, batch_size=batch_size)
    assert rows.value("SELECT count(*) FROM app.message") == 1
    assert rows.value("SELECT count(*) FROM app.job WHERE kind = 'reply'") == 1
    assert rows.value("SELECT sent_at FROM app.message") == at


async def test_a_number_without_country_is_read_in_the_workspaces_zone(database, rows, workspace):
    rows.all("UPDATE app.workspace SET timezone = 'Europe/Berlin'")
    accept(database, [world.sms(workspace, "Hallo", fields={"phone": "030 901820"})])
    await drain(database)
    assert rows.value("SELECT phone FROM app.lead") == "+4930901820"


# ── many at once ────────────────────────────────────────────────────────────────


async def test_fifty_first_deliveries_of_one_person_on_four_lanes_make_one_lead(database, rows, workspace):
    """LM-08: whoever is slower finds the winner's lead, through the one key that both insert."""
    accept(database, [world.replied(workspace, n, at=NOW + timedelta(seconds=n)) for n in range(50)])
    report = await drain(database, workers=4, batch_size=3)
    assert report.outcomes["processed"] == 50
    assert rows.value("SELECT count(*) FROM app.lead") == 1
    assert rows.value("SELECT count(*) FROM app.lead_merge_candidate") == 0
    assert rows.value("SELECT count(*) FROM app.message") == 50
    assert rows.value("SELECT reply_count FROM app.email_campaign") == 50
    assert rows.value("SELECT count(*) FROM app.job") == 50
    assert rows.value("SELECT last_inbound_at FROM app.lead") == NOW + timedelta(seconds=49)


async def test_an_address_is_never_given_to_two_leads_at_once(database, rows, workspace):
    """One lane reads it as a colleague's address in a thread, the other as a stranger's own."""
    together = []
    for n in range(20):
        mate = f"mate{n}@brightloom.example"
        together.append(world.replied(workspace, n, lead=world.person(f"p{n}", n), sender=mate))
        together.append(world.replied(workspace, 100 + n, lead={}, kind="UNTRACKED_REPLY_RECEIVED", sender=mate))
    accept(database, together)
    await drain(database, workers=4, batch_size=1)
    doubled = rows.all(
        "SELECT value FROM app.lead_identity WHERE kind IN ('email', 'alternate_email') "
        "GROUP BY value HAVING count(DISTINCT lead_id) > 1"
    )
    assert doubled == []
    assert rows.value("SELECT count(*) FROM app.lead") == 20


async def test_workspaces_keep_to_themselves(database, rows, workspace):
    other = rows.workspace("other")
    accept(database, [world.replied(workspace, 1), world.replied(other, 1, received_at=NOW + MINUTE, cc=None)])
    await drain(database)
    assert rows.value("SELECT count(DISTINCT workspace_id) FROM app.lead") == 2
    assert rows.value("SELECT count(*) FROM app.message") == 2
