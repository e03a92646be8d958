"""What a reply's tag sets in motion at its lead: a doubt, a snooze, follow-ups, a setter."""

from datetime import UTC, datetime

import pytest

from tests.integration import intake_support as world
from tests.integration.replies_support import REVIEWERS, make_scene

AWAY = "I am out of the office until Monday with no access to e-mail."
MONDAY_NINE_NEW_YORK = datetime(2026, 3, 16, 13, 0, tzinfo=UTC)
OTHER = world.person("ivo", 90599)


@pytest.fixture
async def scene(database):
    async with make_scene(database) as made:
        yield made


def settings(scene, **columns):
    """Set settings of the workspace."""
    scene.rows.all(
        "INSERT INTO app.workspace_setting (workspace_id) VALUES (%s) ON CONFLICT DO NOTHING", scene.workspace
    )
    for name, value in columns.items():
        scene.rows.all(f"UPDATE app.workspace_setting SET {name} = %s", value)


def setters(scene, *slacks):
    return [scene.add_user(slack, "SETTER") for slack in slacks]


def turns(scene, *users):
    """The order of turns, as a workspace's file declares it."""
    scene.rows.all("DELETE FROM app.round_robin_turn")
    for position, user in enumerate(users, start=1):
        scene.rows.all("INSERT INTO app.round_robin_turn VALUES (%s, %s, %s)", scene.workspace, position, user)


async def several_replies(scene, amount):
    """Interested replies of as many people; their leads in the order of the replies."""
    found = []
    for number in range(amount):
        person = {"id": 90500 + number, "email": f"lead{number}@brightloom.example", "first_name": "Lee"}
        await scene.reply_comes(number=4500 + number, lead=person, sender=person["email"])
        await scene.replies()
        found.append(scene.rows.one("SELECT * FROM app.lead WHERE email = %s", person["email"])["assigned_to_user_id"])
    return found


# ── a guess ─────────────────────────────────────────────────────────────────────


async def test_a_guessed_tag_is_answered_by_a_person_without_asking_for_an_evaluation(scene):
    scene.brain.tag_confidence = 0.41
    await scene.reply_comes()
    await scene.replies()
    assert (scene.draft["action"], scene.draft["reason"]) == ("needs_review", "tag_uncertain")
    assert "reply_evaluation" not in scene.brain.asked
    assert scene.planned() == []
    assert len(scene.planned("review_card")) == len(REVIEWERS)
    assert scene.decisions("reply") == ["tag_uncertain"]
    assert scene.lead["sentiment_tag"] == "Interested", "the guess is still the best there is"


async def test_a_guess_that_gets_no_draft_is_on_the_list_too(scene):
    scene.brain.tag, scene.brain.tag_confidence = "Not Interested", 0.2
    await scene.reply_comes()
    await scene.replies()
    assert "tag_uncertain" in scene.decisions("reply")


async def test_a_workspace_may_trust_its_guesses(scene):
    settings(scene, flag_uncertain_replies=False)
    scene.brain.tag_confidence = 0.41
    await scene.reply_comes()
    await scene.replies()
    assert scene.draft["action"] == "send_immediate"
    assert scene.decisions("reply") == []


# ── absence ─────────────────────────────────────────────────────────────────────


async def test_an_absent_lead_is_left_alone_until_the_day_of_return_and_woken_by_a_message(scene):
    await scene.reply_comes(AWAY)
    await scene.replies()
    assert scene.lead["snoozed_until"] == MONDAY_NINE_NEW_YORK
    assert "snoozed_until_return" in scene.decisions("reply")
    await scene.reply_comes("Back early. Tell me more.", number=4402, at=world.LATER, received_at=world.LATER)
    assert scene.lead["snoozed_until"] is None


async def test_nothing_is_snoozed_without_a_certain_day_or_with_the_switch_off(scene):
    await scene.reply_comes("I am out of the office with no access to e-mail.")
    await scene.replies()
    assert "no_return_date" in scene.decisions("reply")
    settings(scene, pause_for_ooo=False)
    await scene.reply_comes(AWAY, number=4402, at=world.LATER, received_at=world.LATER)
    await scene.replies()
    assert "pause_for_ooo_off" in scene.decisions("reply")
    assert scene.lead["snoozed_until"] is None


@pytest.mark.parametrize("tag", ["Follow Up", "Neutral", "Interested"])
async def test_who_asks_for_a_later_day_is_left_alone_until_its_morning(scene, tag):
    scene.brain.tag = tag
    await scene.reply_comes("Busy now. Reach out after April 20, thanks.")
    await scene.replies()
    assert scene.lead["snoozed_until"] == datetime(2026, 4, 20, 13, 0, tzinfo=UTC), "09:00 in New York"
    assert "snoozed_as_asked" in scene.decisions("reply")
    await scene.reply_comes("On second thought, now is fine.", number=4402, at=world.LATER, received_at=world.LATER)
    assert scene.lead["snoozed_until"] is None


async def test_a_wish_without_a_zone_or_after_an_opt_out_hides_nobody(scene):
    await scene.reply_comes("Remove me from your list. Nobody reads this until April 20.")
    scene.rows.all("UPDATE app.workspace SET timezone = 'Mars/Olympus'")
    await scene.reply_comes("Try us after April 20.", number=4402, lead=OTHER, sender=OTHER["email"])
    await scene.replies()
    assert scene.rows.column("SELECT DISTINCT snoozed_until FROM app.lead") == [None]
    assert scene.decisions("reply") == ["no_draft_opt_out", "no_time_zone"]


# ── follow-ups ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "tag, is_on, switched", [("Interested", True, True), ("Interested", False, False), ("Objection", True, False)]
)
async def test_a_positive_reply_switches_follow_ups_on_where_the_workspace_wants_it(scene, tag, is_on, switched):
    settings(scene, auto_follow_ups_on_reply=is_on)
    scene.brain.tag = tag
    await scene.reply_comes()
    await scene.replies()
    assert scene.lead["auto_follow_up_enabled"] is switched
    assert ("auto_follow_ups_switched_on" in scene.decisions("reply")) is switched


# ── assignment ──────────────────────────────────────────────────────────────────


async def test_interested_leads_are_given_in_turn_once_with_an_event(scene):
    ann, ben = setters(scene, "U11ANN", "U12BEN")
    settings(scene, round_robin_enabled=True)
    assert await several_replies(scene, 3) == [ann, ben, ann]
    events = scene.rows.all("SELECT user_id, source, channel, by_user_id FROM app.lead_assignment_event ORDER BY id")
    assert [tuple(event.values()) for event in events] == [
        (ann, "round_robin", "email", None), (ben, "round_robin", "email", None), (ann, "round_robin", "email", None),
    ]  # fmt: skip
    assert scene.decisions("assignment") == ["assigned_by_turn"] * 3
    again = {"number": 4600, "at": world.LATER, "received_at": world.LATER, "sender": "lead0@brightloom.example"}
    await scene.reply_comes("And the price?", lead={"id": 90500, "email": "lead0@brightloom.example"}, **again)
    await scene.replies()
    assert scene.rows.value("SELECT count(*) FROM app.lead_assignment_event") == 3, "a lead is given once"


async def test_weights_count_and_another_order_begins_anew(scene):
    ann, ben = setters(scene, "U11ANN", "U12BEN")
    settings(scene, round_robin_enabled=True)
    turns(scene, ben, ben, ann)
    assert await several_replies(scene, 4) == [ben, ben, ann, ben]
    turns(scene, ann, ben)
    scene.rows.all("UPDATE app.lead SET assigned_to_user_id = NULL")
    await scene.reply_comes(number=4700)
    await scene.replies()
    last = "SELECT user_id FROM app.lead_assignment_event ORDER BY id DESC LIMIT 1"
    assert scene.rows.value(last) == ann


async def test_an_order_that_nobody_of_is_left_gives_to_nobody_and_says_so_once_a_day(scene):
    (ann,) = setters(scene, "U11ANN")
    settings(scene, round_robin_enabled=True)
    turns(scene, scene.add_user("U99GONE", "INBOX_MANAGER"))
    assert await several_replies(scene, 2) == [None, None]
    assert scene.decisions("assignment") == ["no_setter_of_sequence_active"] * 2
    assert [alert["recipient"] for alert in scene.planned("alert")] == [REVIEWERS[0]], "the admin, once"
    assert scene.rows.value("SELECT count(*) FROM app.lead WHERE assigned_to_user_id = %s", ann) == 0


async def test_what_is_not_positive_or_switched_off_is_given_to_nobody(scene):
    setters(scene, "U11ANN")
    assert await several_replies(scene, 1) == [None]
    assert scene.decisions("assignment") == []
    settings(scene, round_robin_enabled=True)
    scene.brain.tag = "Objection"
    await scene.reply_comes(number=4701)
    await scene.replies()
    assert scene.rows.value("SELECT count(*) FROM app.lead_assignment_event") == 0


async def test_a_lead_of_somebody_stays_theirs(scene):
    ann, ben = setters(scene, "U11ANN", "U12BEN")
    settings(scene, round_robin_enabled=True)
    await scene.reply_comes()
    scene.rows.all("UPDATE app.lead SET assigned_to_user_id = %s", ben)
    await scene.replies()
    assert scene.lead["assigned_to_user_id"] == ben != ann
    assert scene.rows.value("SELECT count(*) FROM app.assignment_rotation") == 0
