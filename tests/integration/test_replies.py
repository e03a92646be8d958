"""One reply from its webhook to the decision about its answer: real Postgres, the model and the vendors on the wire."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from tests.integration import intake_support as world
from tests.integration.intake_support import LATER
from tests.integration.replies_support import DRAFT, DRAFTING, REVIEWERS, buttons, http_error, make_scene, words
from tests.integration.seeds import NOW
from zrg_dagster.core.db.engine import autocommit
from zrg_dagster.core.replies.answer import Answer

CLASSIFY, WRITE, JUDGE = "reply_classification", "reply_draft", "reply_evaluation"


@pytest.fixture
async def scene(database):
    async with make_scene(database) as made:
        yield made


# ── the way of a reply that answers itself ──────────────────────────────────────


async def test_a_safe_and_confident_answer_leaves_by_itself(scene):
    await scene.reply_comes()
    report = await scene.replies()
    assert dict(report.outcomes) == {"done": 1}
    assert scene.brain.asked == [CLASSIFY, *DRAFTING, JUDGE]
    lead = scene.lead
    assert (lead["sentiment_tag"], lead["sentiment_source"], lead["status"]) == ("Interested", "model", "qualified")
    assert scene.rows.value("SELECT sentiment_tag FROM app.message") == "Interested"
    draft = scene.draft
    assert (draft["action"], draft["reason"], draft["status"]) == ("send_immediate", None, "pending")
    assert (float(draft["confidence"]), float(draft["threshold"])) == (0.95, 0.9)
    (send,) = scene.planned()
    assert (send["origin"], send["state"], send["recipient"], send["due_at"]) == (
        "ai", "planned", "mara@brightloom.example", LATER,
    )  # fmt: skip
    assert send["content"] == {
        "reply_id": "4401", "lead_external_id": "90312", "sender_email_id": "512", "to_name": "Mara Okafor", "cc": [],
        "subject": "Re: changeover times", "text": DRAFT,
    }  # fmt: skip
    assert scene.planned("review_card") == []
    await scene.sends()
    (mail,) = scene.vendors.answers_sent
    assert DRAFT in mail["message"]
    draft = scene.draft
    assert (draft["status"], draft["disposition"]) == ("approved", "AUTO_SENT")
    stages = scene.rows.column("SELECT stage FROM app.reply_stage ORDER BY done_at, stage")
    assert sorted(stages) == ["booking", "classify", "decide", "draft", "evaluate", "signals"]
    calls = scene.rows.all("SELECT prompt_key, outcome FROM app.ai_call ORDER BY prompt_key")
    assert [tuple(call.values()) for call in calls] == [
        (prompt, "ok") for prompt in sorted([CLASSIFY, *DRAFTING, JUDGE])
    ]


async def test_a_reply_asks_the_database_little(scene):
    """A round trip costs a reply as much as many lines of code: what nobody needs is not asked."""
    asked = []
    for engine in (scene.engine, autocommit(scene.engine).engine):
        event.listen(engine.sync_engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    await scene.reply_comes()
    asked.clear()
    report = await scene.replies()
    assert dict(report.outcomes) == {"done": 1}
    assert 20 <= len(asked) <= 38, "\n".join(statement.strip()[:100] for statement in asked)
    unused = [statement for statement in asked if "round_robin_turn" in statement or "lead_enrichment" in statement]
    assert unused == [], "the workspace has neither"


async def test_the_answer_waits_its_delay_and_the_same_one_in_every_retry(scene):
    scene.rows.all("UPDATE app.email_campaign SET delay_min_s = 7200, delay_max_s = 7500")
    await scene.reply_comes()
    await scene.replies()
    (send,) = scene.planned()
    assert timedelta(seconds=7200) <= send["due_at"] - NOW <= timedelta(seconds=7500)
    assert scene.draft["action"] == "send_delayed"
    await scene.sends()
    assert scene.vendors.answers_sent == []
    scene.now = send["due_at"]
    await scene.sends()
    assert len(scene.vendors.answers_sent) == 1


async def test_a_colleague_who_answered_is_answered_with_the_lead_in_copy(scene):
    """CC-05: the replier receives, the lead and the others stay in copy, our own mailbox does not."""
    await scene.reply_comes(
        sender="jo@brightloom.example",
        from_name="Jo Hale",
        cc=[{"address": "sam@brightloom.example"}, {"address": world.OURS["email"]}],
    )
    await scene.replies()
    (send,) = scene.planned()
    assert send["recipient"] == "jo@brightloom.example"
    assert send["content"]["to_name"] == "Jo Hale"
    assert send["content"]["cc"] == ["mara@brightloom.example", "sam@brightloom.example"]


# ── what a person has to look at ────────────────────────────────────────────────


def low(scene):
    scene.brain.confidence = 0.89


def unsafe(scene):
    scene.brain.safe = False


def call_requested(scene):
    scene.brain.tag = "Call Requested"


def placeholder(scene):
    scene.brain.draft = "Hi {firstName}, see [calendly link]."


def no_evaluation(scene):
    scene.brain.failing[JUDGE] = http_error(500)


def setters(scene):
    scene.rows.all("UPDATE app.email_campaign SET response_mode = 'SETTER_MANAGED'")


def no_thread(scene):
    scene.rows.all("UPDATE app.lead SET sender_account_id = NULL")


REVIEWED = {
    "below the threshold": (low, "confidence_below_threshold", [CLASSIFY, *DRAFTING, JUDGE]),
    "not safe": (unsafe, "evaluator_not_safe", [CLASSIFY, *DRAFTING, JUDGE]),
    "asks for a call": (call_requested, "call_requested_sentiment", [CLASSIFY, *DRAFTING]),
    "guards": (placeholder, "guard_failed:placeholder_left", [CLASSIFY, *DRAFTING]),
    "evaluation failed": (no_evaluation, "evaluator_failed", [CLASSIFY, *DRAFTING, JUDGE]),
    "setters' campaign": (setters, "auto_send_disabled", [CLASSIFY, *DRAFTING]),
    "no way out": (no_thread, "thread_missing", [CLASSIFY, *DRAFTING, JUDGE]),
}


@pytest.mark.parametrize("change, reason, asked", REVIEWED.values(), ids=REVIEWED)
async def test_what_must_not_leave_by_itself_is_shown_to_each_reviewer(scene, change, reason, asked):
    await scene.reply_comes()
    change(scene)
    await scene.replies()
    assert list(dict.fromkeys(scene.brain.asked)) == asked, "the evaluator is asked only when its answer can matter"
    draft = scene.draft
    assert (draft["action"], draft["reason"], draft["status"]) == ("needs_review", reason, "pending")
    assert scene.planned() == []
    cards = scene.planned("review_card")
    assert [card["recipient"] for card in cards] == list(REVIEWERS)
    assert {card["natural_key"] for card in cards} == {
        f"review_card:{draft['id']}:1:{recipient}" for recipient in REVIEWERS
    }
    assert scene.job() == ("done", reason)
    assert scene.decisions("draft") == ["needs_review"]
    await scene.sends()
    posts = scene.vendors.said("/chat.postMessage")
    assert {post["channel"] for post in posts} == {f"D-{recipient}" for recipient in REVIEWERS}
    assert set(buttons(posts[0]["blocks"])) == {"approve", "edit", "regenerate", "reject"}
    assert reason in words(posts[0]["blocks"])
    assert "mara@brightloom.example" not in posts[0]["text"], "a lock screen shows no person"
    assert scene.vendors.answers_sent == []


EDITED = "UPDATE app.draft SET body = 'Mine.', version = version + 1"
REGENERATED = "UPDATE app.draft SET body = 'Again.', ai_body = 'Again.', version = version + 1"


@pytest.mark.parametrize("change", [EDITED, REGENERATED])
@pytest.mark.parametrize("is_retried", [False, True])
async def test_a_verdict_lets_no_other_text_leave(scene, monkeypatch, change, is_retried):
    """OV-08: the text is changed while the evaluator reads the old one, or between two tries."""
    calm, decided = scene.brain.answer, Answer._decide

    def changing(request):
        if not is_retried and request["json"]["text"]["format"]["name"] == JUDGE:
            scene.rows.all(change)
        return calm(request)

    async def crash(*_args):
        raise RuntimeError("the process died here")

    scene._script.answers[:] = [changing]
    await scene.reply_comes()
    if is_retried:
        monkeypatch.setattr(Answer, "_decide", crash)
        await scene.replies()
        monkeypatch.setattr(Answer, "_decide", decided)
        scene.rows.all(change)
        scene.tick(minutes=1)
    await scene.replies()
    draft = scene.draft
    assert (draft["action"], draft["reason"]) == ("needs_review", "draft_changed")
    assert scene.brain.asked.count(JUDGE) == 1
    assert scene.planned() == []
    assert len(scene.planned("review_card")) == len(REVIEWERS)


async def test_a_draft_that_nobody_is_asked_about_is_a_decision(scene):
    scene.rows.all("DELETE FROM app.slack_recipient")
    scene.brain.safe = False
    await scene.reply_comes()
    await scene.replies()
    assert scene.planned("review_card") == []
    assert scene.decisions("draft") == ["needs_review", "no_review_recipient"]


async def test_the_environment_switch_sends_everything_to_people(scene):
    await scene.reply_comes()
    await scene.replies(auto_send_disabled=True)
    assert scene.draft["reason"] == "globally_disabled_via_env"
    assert len(scene.planned("review_card")) == 2


async def test_what_a_switch_stopped_on_its_way_is_shown_to_a_person(scene):
    """RC-06: a skipped send must not leave a prospect without an answer and nobody knowing."""
    await scene.reply_comes()
    await scene.replies()
    scene.rows.all("INSERT INTO app.kill_switch (id, scope) VALUES (gen_random_uuid(), 'global')")
    await scene.sends()
    assert (scene.draft["action"], scene.draft["reason"]) == ("skip", "kill_switch")
    assert scene.vendors.answers_sent == []
    await scene.sends()
    await scene.replies()
    posts = scene.vendors.said("/chat.postMessage")
    assert len(posts) == 2
    assert "kill_switch" in words(posts[0]["blocks"])
    assert scene.vendors.said("/chat.update") == [], "the card is open: somebody has to decide"
    assert await scene.click("approve") == "review_approved"
    await scene.sends()
    assert len(scene.vendors.answers_sent) == 1, "a person decided; the switch stops what is automatic"


async def test_an_sms_is_answered_by_people(scene):
    await scene.receive(world.sms(scene.workspace, "Yes, tell me more"))
    await scene.replies()
    assert (scene.draft["channel"], scene.draft["action"]) == ("sms", "needs_review")
    await scene.click("approve")
    (send,) = scene.planned()
    assert (send["vendor"], send["recipient"]) == ("ghl", "+14155550132")
    assert send["content"] == {"contact_id": "h3TzW8kLq0VbNc5XyRsE", "text": DRAFT}


# ── what gets no draft ──────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "tag, status",
    [("Not Interested", "not-interested"), ("Objection", "new"), ("Neutral", "new"), ("Out of Office", "new")],
)
async def test_a_tag_that_wants_no_answer_ends_with_a_decision(scene, tag, status):
    scene.brain.tag = tag
    await scene.reply_comes()
    await scene.replies()
    assert scene.brain.asked == [CLASSIFY]
    assert (scene.lead["sentiment_tag"], scene.lead["status"]) == (tag, status)
    assert scene.job() == ("done", "no_draft_for_tag")
    away = ["no_return_date"] if tag == "Out of Office" else []
    assert scene.decisions("reply") == [*away, "no_draft_for_tag"]
    assert scene.rows.value("SELECT count(*) FROM app.draft") == 0


async def test_an_opt_out_is_decided_without_a_model(scene):
    await scene.reply_comes("Please remove me from your list and do not contact me again.")
    await scene.replies()
    assert scene.brain.asked == []
    assert scene.job() == ("skipped", "opt_out")
    assert scene.decisions("reply") == ["no_draft_opt_out"]
    assert (scene.lead["status"], scene.lead["sentiment_tag"]) == ("blacklisted", "Blacklist")


async def test_an_opt_out_that_only_the_model_reads_is_one_too(scene):
    scene.brain.tag = "Blacklist"
    await scene.reply_comes("My patience with this correspondence is exhausted.")
    await scene.replies()
    assert (scene.lead["status"], scene.lead["sentiment_source"]) == ("blacklisted", "model")
    assert scene.rows.column("SELECT DISTINCT reason FROM app.suppression") == ["model_opt_out"]
    assert "mara@brightloom.example" in scene.rows.column("SELECT value FROM app.suppression")


async def test_after_an_opt_out_no_model_is_asked_about_what_follows(scene):
    await scene.reply_comes("Please remove me from your list.")
    await scene.reply_comes("And what was the price again?", 4402, at=NOW + timedelta(minutes=1))
    await scene.replies()
    assert scene.brain.asked == []
    assert scene.lead["sentiment_tag"] == "Blacklist"


@pytest.mark.parametrize(
    "text, tag",
    [
        ("I am out of the office until Monday with no access to e-mail.", "Out of Office"),
        ("This is an automated response. Your message was received.", "Automated Reply"),
    ],
)
async def test_an_automatic_answer_needs_no_model(scene, text, tag):
    await scene.reply_comes(text, automated_reply=True)
    await scene.replies()
    assert scene.brain.asked == []
    assert (scene.lead["sentiment_tag"], scene.lead["sentiment_source"]) == (tag, "floor")
    assert scene.rows.value("SELECT count(*) FROM app.draft") == 0


async def test_a_newsletter_is_automatic_whatever_the_model_calls_it(scene):
    scene.brain.is_newsletter = True
    await scene.reply_comes("Our spring collection is here!")
    await scene.replies()
    assert scene.lead["sentiment_tag"] == "Automated Reply"


async def test_a_booking_needs_proof(scene):
    """SE-07."""
    scene.brain.tag = "Meeting Booked"
    await scene.reply_comes("I booked a slot.")
    await scene.replies()
    assert scene.lead["sentiment_tag"] == "Meeting Requested"
    await scene.receive(world.invitee(scene.workspace))
    await scene.reply_comes("Booked, as I said.", 4402, at=NOW + timedelta(minutes=1))
    await scene.replies()
    assert scene.lead["sentiment_tag"] == "Meeting Booked"


# ── several replies ─────────────────────────────────────────────────────────────


async def test_a_newer_reply_puts_the_older_draft_out_of_date(scene):
    scene.brain.safe = False
    await scene.reply_comes()
    await scene.replies()
    await scene.sends()
    first = scene.draft["id"]
    await scene.reply_comes("Also: what does it cost?", 4402, at=NOW + timedelta(minutes=1))
    await scene.replies()
    old = scene.rows.one("SELECT status, reason FROM app.draft WHERE id = %s", first)
    assert tuple(old.values()) == ("rejected", "superseded_by_newer_reply")
    await scene.replies()
    assert {update["ts"] for update in scene.vendors.said("/chat.update")} == set(
        scene.rows.column("SELECT slack_ts FROM app.review_card WHERE draft_id = %s", first)
    ), "the old cards lose their buttons"


async def test_an_absence_notice_does_not_put_a_draft_out_of_date(scene):
    scene.brain.safe = False
    await scene.reply_comes()
    await scene.replies()
    await scene.reply_comes("I am out of the office.", 4402, at=NOW + timedelta(minutes=1), automated_reply=True)
    await scene.replies()
    assert scene.draft["status"] == "pending"


async def test_an_older_reply_that_is_processed_late_gets_no_draft_and_moves_no_tag(scene):
    """The same end as in order: one draft, for the newest reply, and its tag on the lead."""
    scene.brain.safe = False
    await scene.reply_comes("Not now. Maybe next quarter.", 4402, at=NOW)
    scene.brain.tag = "Follow Up"
    await scene.replies()
    scene.brain.tag = "Interested"
    await scene.reply_comes("Sounds useful.", 4401, at=NOW - timedelta(minutes=5))
    await scene.replies()
    assert scene.lead["sentiment_tag"] == "Follow Up"
    tags = scene.rows.column("SELECT sentiment_tag FROM app.message ORDER BY sent_at")
    assert tags == ["Interested", "Follow Up"]
    assert scene.rows.value("SELECT count(*) FROM app.draft") == 1
    assert scene.decisions("reply") == ["newer_inbound_exists"]


@pytest.mark.parametrize("marked_first", [True, False])
async def test_the_vendors_mark_makes_a_neutral_reply_interested_before_or_after(scene, marked_first):
    """IN-03: LEAD_INTERESTED may come long after the model has read the reply."""
    scene.brain.tag = "Neutral"
    kinds = ["LEAD_INTERESTED", "LEAD_REPLIED"]
    for kind in kinds if marked_first else kinds[::-1]:
        await scene.reply_comes("Hm.", kind=kind)
        await scene.replies()
    assert (scene.lead["sentiment_tag"], scene.lead["sentiment_source"]) == ("Interested", "provider")
    assert scene.rows.value("SELECT count(*) FROM app.draft") == 1
    assert scene.brain.asked.count(CLASSIFY) == 1
    assert scene.brain.asked.count(WRITE) == 1


async def test_a_mark_does_not_lift_an_opt_out(scene):
    await scene.reply_comes("Please remove me from your list.", kind="LEAD_INTERESTED")
    await scene.replies()
    assert scene.lead["sentiment_tag"] == "Blacklist"
