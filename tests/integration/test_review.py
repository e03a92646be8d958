"""What a reviewer's click does, and what it can never do: checked against the database, whatever the button claims."""

from datetime import timedelta

import httpx
import pytest

from tests.integration.replies_support import DRAFT, REVIEWERS, buttons, http_error, make_scene, words
from tests.integration.seeds import NOW
from zrg_dagster.core.base.ids import new_id

ADMIN, SETTER = REVIEWERS


@pytest.fixture
async def scene(database):
    """A draft that waits for a person, its cards posted."""
    async with make_scene(database) as made:
        made.brain.safe = False
        await made.reply_comes()
        await made.replies()
        await made.sends()
        await made.replies()
        assert len(made.vendors.said("/chat.postMessage")) == 2
        made.vendors.requests.clear()
        made.tick(minutes=1)
        yield made


async def settle(scene):
    """Everything that a click set in motion."""
    await scene.sends()
    await scene.replies()


def updates(scene):
    return {(update["channel"], update["ts"]): update["blocks"] for update in scene.vendors.said("/chat.update")}


# ── the four decisions ───────────────────────────────────────────────────────


async def test_approve_sends_the_draft_as_the_person_who_clicked(scene):
    assert await scene.click("approve", user=SETTER) == "review_approved"
    (send,) = scene.planned()
    assert (send["origin"], send["member_user_id"]) == ("setter", scene.people[SETTER])
    await settle(scene)
    (mail,) = scene.vendors.answers_sent
    assert DRAFT in mail["message"]
    draft = scene.draft
    assert (draft["status"], draft["disposition"], draft["decided_by_user_id"]) == (
        "approved", "APPROVED", scene.people[SETTER],
    )  # fmt: skip
    touch = scene.rows.one("SELECT kind, is_human, member_user_id FROM app.touch")
    assert tuple(touch.values()) == ("draft", True, scene.people[SETTER])
    assert scene.decisions("review") == ["review_approved"]
    cards = updates(scene)
    assert len(cards) == 2, "every copy shows what happened (SK-05)"
    assert all("Sent" in words(blocks) and not buttons(blocks) for blocks in cards.values())


async def test_edit_sends_what_the_person_wrote(scene):
    assert await scene.click("edit", edited_text="  Call me on Monday.\n") == "review_edited"
    await settle(scene)
    (mail,) = scene.vendors.answers_sent
    assert "Call me on Monday." in mail["message"]
    assert DRAFT not in mail["message"]
    draft = scene.draft
    assert (draft["body"], draft["ai_body"], draft["version"]) == ("Call me on Monday.", DRAFT, 2)
    assert (draft["status"], draft["disposition"]) == ("approved", "EDITED")


async def test_an_edit_without_text_sends_nothing(scene):
    for empty in (None, "  \n "):
        assert await scene.click("edit", edited_text=empty) == "review_empty_text"
    assert scene.planned() == []
    assert (scene.draft["status"], scene.draft["version"]) == ("pending", 1)


async def test_reject_closes_the_draft_with_its_reason(scene):
    assert await scene.click("reject", reason="wrong person") == "review_rejected"
    draft = scene.draft
    assert (draft["status"], draft["reason"]) == ("rejected", "rejected: wrong person")
    assert draft["decided_by_user_id"] == scene.people[ADMIN]
    await settle(scene)
    assert scene.vendors.answers_sent == []
    assert all("Rejected" in words(blocks) for blocks in updates(scene).values())
    assert await scene.click("approve") == "review_already_handled"
    assert scene.planned() == []


async def test_regenerate_writes_another_draft_on_new_cards(scene):
    scene.brain.draft = "A second attempt, shorter."
    assert await scene.click("regenerate") == "review_regenerating"
    draft = scene.draft
    assert (draft["body"], draft["ai_body"], draft["version"]) == (scene.brain.draft, scene.brain.draft, 2)
    assert DRAFT in str(scene.brain.prompts[-2]["input"]), "the model sees what it shall not write again"
    await settle(scene)
    posts = scene.vendors.said("/chat.postMessage")
    assert len(posts) == 2
    assert all("A second attempt" in words(post["blocks"]) and buttons(post["blocks"]) for post in posts)
    old = updates(scene)
    assert len(old) == 2, "only the first cards change"
    assert all("Replaced by a newer draft" in words(blocks) for blocks in old.values())
    # The buttons of the old cards were clicked before they were gone.
    assert await scene.click("approve", version=1) == "review_stale_version"
    assert scene.planned() == []
    assert await scene.click("approve", version=2) == "review_approved"
    await settle(scene)
    assert len(scene.vendors.answers_sent) == 1


async def test_regenerate_twice_writes_once(scene):
    assert await scene.click("regenerate") == "review_regenerating"
    asked = scene.brain.asked.count("reply_draft")
    assert await scene.click("regenerate") == "review_stale_version"
    assert scene.brain.asked.count("reply_draft") == asked


async def test_regenerate_goes_by_the_reply_and_not_by_what_the_lead_said_since(scene):
    scene.rows.all("UPDATE app.lead SET sentiment_tag = 'Not Interested'")
    assert await scene.click("regenerate") == "review_regenerating"
    assert scene.job("regenerate") == ("done", "regenerated")


@pytest.mark.parametrize(
    "said, shown",
    [
        ({"confidence": 0.97}, (0.97, "regenerated")),
        ({"confidence": 0.4}, (0.4, "confidence_below_threshold")),
        ({"confidence": 0.97, "safe_to_send": False}, (0.97, "evaluator_not_safe")),
    ],
)
async def test_another_draft_is_judged_anew_and_stays_with_people(scene, said, shown):
    """SK-10: the numbers of the old text are never shown for the new one."""
    scene.rows.all("UPDATE app.draft SET confidence = 0.111, threshold = 0.9")
    scene.brain.evaluations = [{"safe_to_send": True, "requires_human_review": False, "reason": "A fact.", **said}]
    assert await scene.click("regenerate") == "review_regenerating"
    draft = scene.draft
    assert (float(draft["confidence"]), draft["reason"], draft["action"]) == (*shown, "needs_review")
    await settle(scene)
    assert f"{shown[0]:.2f} of 0.90" in words(scene.vendors.said("/chat.postMessage")[-1]["blocks"])
    assert scene.planned() == []


@pytest.mark.parametrize("failing", [True, False])
async def test_nothing_is_said_of_another_draft_that_nobody_judged(scene, failing):
    scene.rows.all("UPDATE app.draft SET confidence = 0.111, threshold = 0.9")
    if failing:
        scene.brain.failing["reply_evaluation"] = http_error(500)
    else:
        scene.brain.draft = "See [calendly link]."
    assert await scene.click("regenerate") == "review_regenerating"
    reason = "evaluator_failed" if failing else "guard_failed:placeholder_left"
    assert (scene.draft["confidence"], scene.draft["reason"]) == (None, reason)


# ── nothing happens twice ────────────────────────────────────────────────────


async def test_a_double_click_is_one_send(scene):
    assert await scene.click("approve") == "review_approved"
    await scene.click("approve")
    await settle(scene)
    assert len(scene.vendors.answers_sent) == 1
    assert len(scene.planned()) == 1
    assert await scene.click("approve") == "review_already_handled"
    await settle(scene)
    assert len(scene.vendors.answers_sent) == 1


async def test_two_people_at_once_are_one_send(scene):
    await scene.click("approve", user=ADMIN)
    await scene.click("edit", user=SETTER, edited_text="Mine.")
    await settle(scene)
    assert len(scene.vendors.answers_sent) == 1
    assert len(scene.planned()) == 1


async def test_an_edit_while_the_send_is_under_way_changes_nothing(scene):
    """The draft must keep the text and version that left, or a retry of the send would find itself out of date."""
    await scene.click("approve")
    scene.rows.all("UPDATE app.send SET state = 'sending', claimed_by = 1, claimed_at = now() WHERE kind = 'draft'")
    assert await scene.click("edit", edited_text="Too late.") == "review_already_sending"
    assert (scene.draft["body"], scene.draft["version"]) == (DRAFT, 1)


async def test_a_reply_that_cannot_be_sent_says_so_and_keeps_its_text(scene):
    scene.rows.all("UPDATE app.lead SET sender_account_id = NULL")
    assert await scene.click("edit", edited_text="Hello") == "review_cannot_send"
    assert (scene.draft["body"], scene.draft["version"], scene.draft["status"]) == (DRAFT, 1, "pending")
    assert scene.planned() == []


async def test_a_person_takes_over_what_the_model_has_planned(database):
    async with make_scene(database) as scene:
        scene.rows.all("UPDATE app.email_campaign SET delay_min_s = 7200, delay_max_s = 7200")
        await scene.reply_comes()
        await scene.replies()
        (send,) = scene.planned()
        assert (send["origin"], send["due_at"]) == ("ai", NOW + timedelta(hours=2))
        assert await scene.click("edit", edited_text="By hand, now.") == "review_edited"
        (send,) = scene.planned()
        assert (send["origin"], send["due_at"], send["member_user_id"]) == ("setter", scene.now, scene.people[ADMIN])
        await scene.sends()
        (mail,) = scene.vendors.answers_sent
        assert "By hand, now." in mail["message"]


async def test_a_kill_switch_does_not_stop_what_a_person_decided(scene):
    scene.rows.all("INSERT INTO app.kill_switch (id, scope) VALUES (gen_random_uuid(), 'global')")
    await scene.click("approve")
    await scene.sends()
    assert len(scene.vendors.answers_sent) == 1


async def test_an_opt_out_after_the_card_was_posted_stops_the_click(scene):
    await scene.reply_comes("Please remove me from your list.", 4402, at=NOW + timedelta(minutes=1))
    assert await scene.click("approve") == "review_already_handled"
    await settle(scene)
    assert scene.vendors.answers_sent == []


async def test_a_send_that_a_gate_stopped_is_told_on_the_cards(scene):
    await scene.click("approve")
    scene.rows.all("UPDATE app.lead SET status = 'blacklisted'")
    await settle(scene)
    assert scene.vendors.answers_sent == []
    assert scene.draft["reason"] == "lead_blacklisted"
    assert all("Not sent" in words(blocks) for blocks in updates(scene).values())


# ── who may decide ───────────────────────────────────────────────────────────


async def nothing_happened(scene):
    await settle(scene)
    assert scene.planned() == []
    assert scene.vendors.answers_sent == []
    draft = scene.draft
    assert (draft["status"], draft["version"], draft["body"]) == ("pending", 1, DRAFT)


@pytest.mark.parametrize("action", ["approve", "edit", "reject", "regenerate"])
async def test_a_slack_user_who_is_no_recipient_decides_nothing(scene, action):
    scene.add_user("U09STRANGER", "ADMIN")
    assert await scene.click(action, user="U09STRANGER", edited_text="x") == "review_not_a_recipient"
    assert await scene.click(action, user="U00UNKNOWN", edited_text="x") == "review_not_a_recipient"
    await nothing_happened(scene)


@pytest.mark.parametrize("role", ["CLIENT_PORTAL", None], ids=["client portal", "no member any more"])
async def test_a_recipient_without_a_role_that_answers_decides_nothing(scene, role):
    user = scene.add_user("U05CLIENT", role, recipient=True)
    assert await scene.click("approve", user="U05CLIENT") == "review_not_a_member"
    await nothing_happened(scene)
    scene.rows.all("UPDATE app.workspace SET owner_user_id = %s WHERE id = %s", user, scene.workspace)
    assert await scene.click("approve", user="U05CLIENT") == "review_approved", "the owner needs no membership"


async def test_a_setter_decides_on_assigned_leads_only(scene):
    setter = scene.add_user("U06SETTER", "SETTER", recipient=True)
    assert await scene.click("approve", user="U06SETTER") == "review_not_assigned"
    await nothing_happened(scene)
    assert "U06SETTER" not in {card["recipient"] for card in scene.rows.all("SELECT recipient FROM app.send")}
    scene.rows.all("UPDATE app.lead SET assigned_to_user_id = %s", setter)
    assert await scene.click("approve", user="U06SETTER") == "review_approved"


async def test_a_draft_of_another_workspace_cannot_be_decided(scene):
    """The button's workspace is a claim: a member there, recipient there, still gets nothing here."""
    other = scene.rows.workspace("other")
    scene.add_user("U07OTHER", "ADMIN", other, recipient=True)
    assert await scene.click("approve", user="U07OTHER", workspace=other) == "review_unknown_draft"
    assert await scene.click("approve", user="U07OTHER") == "review_not_a_recipient"
    await nothing_happened(scene)
    assert scene.rows.value("SELECT count(*) FROM app.decision WHERE workspace_id = %s", other) == 0


async def test_a_draft_that_does_not_exist_is_answered_calmly(scene):
    assert await scene.click("approve", draft_id=str(new_id())) == "review_unknown_draft"
    await nothing_happened(scene)


async def test_every_refusal_is_a_decision_with_its_member(scene):
    await scene.click("approve", user="U00UNKNOWN")
    await scene.click("approve", version=7)
    rows = scene.rows.all("SELECT code, detail FROM app.decision WHERE subject = 'review' ORDER BY id")
    assert [(row["code"], row["detail"]["member"]) for row in rows] == [
        ("review_not_a_recipient", None),
        ("review_stale_version", str(scene.people[ADMIN])),
    ]


# ── cards ────────────────────────────────────────────────────────────────────


async def test_a_card_that_was_deleted_in_slack_does_not_hold_up_the_others(scene):
    gone = scene.rows.value("SELECT min(slack_ts) FROM app.review_card")

    def update(body):
        ok = body["ts"] != gone
        return httpx.Response(
            200, json={"ok": ok, "ts": body["ts"], "channel": body["channel"], "error": "message_not_found"}
        )

    scene.vendors.answers["/chat.update"] = update
    await scene.click("reject")
    assert scene.job("card_update") == ("done", "card_updated")
    assert len(updates(scene)) == 2


async def test_a_slack_that_is_away_is_tried_again(scene, monkeypatch):
    monkeypatch.setattr("zrg_dagster.core.providers.http.READ_PAUSES_S", (0.0, 0.0))
    scene.vendors.answers["/chat.update"] = lambda _body: httpx.Response(503)
    await scene.click("reject")
    assert scene.job("card_update") == ("pending", "handler_error")
    del scene.vendors.answers["/chat.update"]
    scene.vendors.requests.clear()
    scene.tick(minutes=1)
    await scene.replies()
    assert scene.job("card_update") == ("done", "card_updated")
    assert len(updates(scene)) == 2


async def test_two_occasions_at_one_instant_redraw_twice(scene):
    """A card drawn from the state before the second decision would stay wrong for ever."""
    await scene.click("approve", user="U00UNKNOWN")
    await scene.click("reject")
    await scene.replies()
    assert all("Rejected" in words(blocks) for blocks in updates(scene).values())


async def test_a_long_draft_is_shown_whole_and_edited_elsewhere(database):
    async with make_scene(database) as scene:
        scene.brain.safe = False
        await scene.reply_comes()
        # A mail is at most 1,200 characters, but a signature is as long as its workspace wants.
        scene.rows.all(
            """INSERT INTO app.workspace_setting (workspace_id, signature) VALUES (%s, repeat('z ', 1700))
               ON CONFLICT (workspace_id) DO UPDATE SET signature = excluded.signature""",
            scene.workspace,
        )
        await scene.replies()
        await scene.sends()
        post = scene.vendors.said("/chat.postMessage")[0]
        assert set(buttons(post["blocks"])) == {"approve", "regenerate", "reject"}
        assert words(post["blocks"]).count("z") >= 1_700
