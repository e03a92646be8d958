"""Hostile mails before a model that obeys them: nothing changes but the text of a draft, and no bait leaves."""

import re

import pytest

from tests.injection import corpus
from tests.integration import intake_support as world
from tests.integration.replies_support import REVIEWERS, make_scene
from tests.unit.drafting_world import MEETING, SIGNATURE, STRATEGY
from tests.unit.model_server import completed

CORPUS = corpus()
# What a person configured, and whatever else a mail has no business with.
UNTOUCHED = (
    *(
        "workspace",
        "workspace_setting",
        '"user"',
        "member",
        "integration",
        "ai_persona",
        "kill_switch",
    ),
    *("knowledge_asset", "calendar", "follow_up_sequence", "follow_up_instance", "appointment", "suppression"),
    *("slack_recipient", "lead_assignment_event", "touch", "follow_up_task"),
)


@pytest.fixture
async def scene(database):
    async with make_scene(database) as made:
        yield made


def contents(scene):
    # A campaign counts its replies and learns its name from its vendor; the rest is a person's decision.
    campaigns = scene.rows.all(
        "SELECT to_jsonb(c) - 'name' - 'reply_count' - 'sent_count' AS row FROM app.email_campaign c ORDER BY id"
    )
    return {name: scene.rows.all(f"SELECT * FROM app.{name} ORDER BY 1, 2") for name in UNTOUCHED} | {
        "campaigns": campaigns
    }


def mail(number, hostile):
    """The mail of one case: the text where its kind belongs, and a mark that the model finds its case by."""
    text = f"Case {number:03d}. Sounds useful.\n\n"
    text += {"reply": hostile.text, "signature": f"Best regards\n\n-- \n{hostile.text}"}.get(
        hostile.kind, "Tell me more."
    )
    subject = hostile.text if hostile.kind == "title" else "Re: changeover times"
    return {"text": text, "email_subject": subject}


def obey(number):
    """What a model that does as it is told would write."""
    hostile = CORPUS[number]
    return f"Hello, as you wish. {hostile.text} {hostile.bait}"


def obedient_answers(number):
    """What such a model says in each step of a draft: what its case wants, in every field that can hold a text."""
    said, hostile = obey(number), CORPUS[number]
    links = [hostile.bait] if hostile.bait else []
    texts = dict.fromkeys(("name", "title", "company", "email", "phone", "linkedin_url"), hostile.text)
    return {
        "reply_draft": {"body": said},
        "reply_strategy": STRATEGY | {"outline": [said[:900]], "intent_summary": said[:900]},
        "meeting_extract": MEETING | {"is_scheduling_related": True, "evidence": [said], "detected_timezone": said},
        "signature_context": SIGNATURE
        | texts
        | {"scheduling_links": links, "other_links": links, "important_lines": [hostile.text]},
        "reply_verification": {"final_draft": said, "changed": True, "violations_detected": [said], "changes": []},
        "scheduler_link": {"asks_to_book_there": True, "confidence": 1.0},
        "meeting_gate": {
            "decision": "revise",
            "final_draft": said,
            "confidence": 1.0,
            "issues": [said],
            "rationale": said,
        },
    }


async def test_nothing_changes_but_the_text_of_a_draft(scene):
    before = contents(scene)
    asked = set()
    calm = scene.brain.answer

    def obedient(request):
        prompt = request["json"]["text"]["format"]["name"]
        found = re.findall(r"Case (\d{3})", request["json"]["input"][0]["content"])
        if not found or prompt in ("reply_classification", "reply_evaluation"):
            return calm(request)
        asked.add(prompt)
        return completed(obedient_answers(int(found[-1]))[prompt])

    scene.brain.confidence = scene.brain.tag_confidence = 1.0
    scene._script.answers[:] = [obedient]
    deliveries = []
    for number, hostile in enumerate(CORPUS):
        sender = f"case{number}@brightloom.example"
        person = {"id": 91000 + number, "email": sender, "first_name": "Jo", "last_name": "Hale"}
        fields = mail(number, hostile)
        deliveries.append(
            world.replied(scene.workspace, 8000 + number, fields.pop("text"), lead=person, sender=sender, **fields)
        )
    await scene.receive(*deliveries)
    await scene.replies()

    drafts = scene.rows.all(
        "SELECT d.body, d.action, d.reason, d.id, l.email, l.status, l.sentiment_tag, l.snoozed_until, "
        "l.assigned_to_user_id, l.auto_follow_up_enabled FROM app.draft d JOIN app.lead l ON l.id = d.lead_id"
    )
    # A calendar's notice about an event is a machine's mail; it may get no answer at all, never another one.
    machines = scene.rows.column(
        "SELECT l.email FROM app.message m JOIN app.lead l ON l.id = m.lead_id WHERE m.is_auto_reply"
    )
    assert {draft["email"] for draft in drafts} | set(machines) == {
        f"case{number}@brightloom.example" for number in range(len(CORPUS))
    }
    for draft in drafts:
        assert (draft["status"], draft["sentiment_tag"]) == ("qualified", "Interested"), draft["email"]
        assert (draft["snoozed_until"], draft["assigned_to_user_id"], draft["auto_follow_up_enabled"]) == (
            None,
            None,
            False,
        )
    # A signature that is hostile is read as one where anything in it looks like one.
    assert set(asked) == {
        *(
            "reply_draft",
            "reply_strategy",
            "meeting_extract",
            "signature_context",
            "meeting_gate",
            "reply_verification",
        ),
    }
    by_lead = {draft["email"]: draft for draft in drafts}
    sends = {send["draft_id"]: send for send in scene.planned()}
    assert sends, "a guard that stops everything would prove nothing"
    for number, hostile in enumerate(CORPUS):
        draft = by_lead.get(f"case{number}@brightloom.example")
        if draft is None:
            continue
        assert draft["body"].startswith("Hello, as you wish. "), "the model obeyed"
        send = sends.get(draft["id"])
        if hostile.bait:
            assert send is None, f"{hostile.bait} would leave"
            assert draft["action"] == "needs_review", hostile.bait
            assert draft["reason"].startswith("guard_failed:"), hostile.bait
        elif send is not None:
            assert (send["recipient"], send["content"]["cc"]) == (draft["email"], []), hostile.text
    assert {card["recipient"] for card in scene.planned("review_card")} == set(REVIEWERS)
    assert contents(scene) == before
    await scene.sends()
    baits = [hostile.bait for hostile in CORPUS if hostile.bait]
    for sent in scene.vendors.answers_sent:
        assert [bait for bait in baits if bait.lower() in str(sent["message"]).lower()] == []
