"""Tags: what the model may say, what rules make of it, what it does to a status."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.drafting_world import model
from tests.unit.model_server import completed
from zrg_dagster.core.ai.result import ModelOutcome
from zrg_dagster.core.replies.classify import (
    DRAFT_ELIGIBLE,
    POSITIVE,
    STATUS_OF_TAG,
    ClassificationContext,
    ReplyClassification,
    ReplyTag,
    Tag,
    TagRule,
    classify,
    settle_tag,
    status_after,
)

STATUSES = ["new", "qualified", "meeting-requested", "meeting-booked", "not-interested", "blacklisted", "unqualified"]
CONTEXT = ClassificationContext("email", "Harbourline", "Sounds useful.")


def answer(tag: ReplyTag, *, newsletter: bool = False, confidence: float = 0.9) -> ReplyClassification:
    return ReplyClassification(tag=tag, is_newsletter=newsletter, confidence=confidence, reason=" because ")


def test_the_model_may_say_every_tag_but_new_and_snoozed() -> None:
    assert {tag.value for tag in Tag} - {tag.value for tag in ReplyTag} == {"New", "Snoozed"}
    assert len(Tag) == 14
    assert set(STATUS_OF_TAG) == set(Tag)


def test_the_sets() -> None:
    assert {tag.value for tag in POSITIVE} == {
        "Meeting Requested",
        "Call Requested",
        "Information Requested",
        "Interested",
    }
    assert {tag.value for tag in DRAFT_ELIGIBLE - POSITIVE} == {"Follow Up", "Meeting Booked"}


@pytest.mark.parametrize(
    "current, tag, after",
    [
        ("new", Tag.INTERESTED, "qualified"),
        ("new", Tag.MEETING_REQUESTED, "meeting-requested"),
        ("qualified", Tag.MEETING_BOOKED, "meeting-booked"),
        ("qualified", Tag.NOT_INTERESTED, "not-interested"),
        ("qualified", Tag.OBJECTION, "new"),
        ("qualified", Tag.OUT_OF_OFFICE, "qualified"),
        ("meeting-booked", Tag.AUTOMATED_REPLY, "meeting-booked"),
        ("not-interested", Tag.NEUTRAL, "not-interested"),
        ("meeting-booked", Tag.BLACKLIST, "blacklisted"),
        ("blacklisted", Tag.INTERESTED, "blacklisted"),
        ("needs_repair", Tag.NEUTRAL, "needs_repair"),
    ],
)
def test_status_after(current: str, tag: Tag, after: str) -> None:
    assert status_after(current, tag) == after


@given(st.sampled_from(STATUSES), st.lists(st.sampled_from(list(Tag)), max_size=6))
def test_blacklisted_stays_blacklisted(status: str, tags: list[Tag]) -> None:
    blacklisted = False
    for tag in tags:
        blacklisted = blacklisted or status == "blacklisted"
        status = status_after(status, tag)
        assert not blacklisted or status == "blacklisted"


@pytest.mark.parametrize(
    "given_answer, proof, tag, rule",
    [
        (answer(ReplyTag.MEETING_BOOKED), True, Tag.MEETING_BOOKED, TagRule.MODEL),
        (answer(ReplyTag.MEETING_BOOKED), False, Tag.MEETING_REQUESTED, TagRule.NO_BOOKING_PROOF),
        (answer(ReplyTag.INTERESTED, newsletter=True), False, Tag.AUTOMATED_REPLY, TagRule.NEWSLETTER),
        (answer(ReplyTag.BLACKLIST, newsletter=True), False, Tag.BLACKLIST, TagRule.MODEL),
        (answer(ReplyTag.OUT_OF_OFFICE, newsletter=True), False, Tag.OUT_OF_OFFICE, TagRule.MODEL),
        (answer(ReplyTag.OBJECTION), False, Tag.OBJECTION, TagRule.MODEL),  # B22
    ],
)
def test_rules_after_the_model(given_answer: ReplyClassification, proof: bool, tag: Tag, rule: TagRule) -> None:
    settled = settle_tag(given_answer, has_booking_proof=proof)
    assert (settled.tag, settled.rule, settled.reason) == (tag, rule, "because")


@pytest.mark.parametrize("raw, clamped", [(1.7, 1.0), (-1, 0.0), (float("nan"), 0.0), (0.42, 0.42)])
def test_confidence_is_clamped(raw: float, clamped: float) -> None:
    assert settle_tag(answer(ReplyTag.NEUTRAL, confidence=raw), has_booking_proof=False).confidence == clamped


async def test_the_model_is_asked_with_the_transcript_as_data() -> None:
    reply = {"tag": "Interested", "is_newsletter": False, "confidence": 0.93, "reason": "Positive."}
    async with model(completed(reply)) as (client, script):
        result = await classify(client, "[t] [email IN] Lead: Sounds useful.", CONTEXT)
    assert result.answer is not None
    assert result.answer.tag is ReplyTag.INTERESTED
    body = script.requests[0]["json"]
    schema = body["text"]["format"]
    assert schema["name"] == "reply_classification"
    assert "New" not in schema["schema"]["$defs"]["ReplyTag"]["enum"]
    assert '<data name="latest_reply">\nSounds useful.\n</data>' in body["input"][0]["content"]
    assert "email channel" in body["instructions"]


async def test_an_answer_outside_the_tags_is_a_failed_call() -> None:
    wrong = {"tag": "Snoozed", "is_newsletter": False, "confidence": 1, "reason": ""}
    async with model(completed(wrong)) as (client, _):
        result = await classify(client, "x", CONTEXT)
    assert result.answer is None
    assert result.call.outcome is ModelOutcome.INVALID
