"""The imitated model answers every step of a draft as the product asks it, with the product's own prompts and schemas."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from provider_sandbox.openai import _text, strict_problems
from tests.unit.drafting_world import BOOKING_LINK, SLOTS, context
from zrg_dagster.core.ai.client import request_arguments
from zrg_dagster.core.ai.models import ModelChoice, Purpose
from zrg_dagster.core.ai.prompts import Own, load, placeholders, render
from zrg_dagster.core.drafting.overseer import MeetingGate, MeetingReading, contract_of
from zrg_dagster.core.drafting.pack import make_pack
from zrg_dagster.core.drafting.signature import SignatureContext
from zrg_dagster.core.drafting.strategy import ReplyStrategy, checked
from zrg_dagster.core.drafting.verify import ReplyVerification, judge
from zrg_dagster.core.replies.revise import ReplyRevision
from zrg_dagster.core.replies.route import ActionRoute, SchedulerLink

OWN = {
    "channel": "email",
    "tag": "Interested",
    "strategy": "Propose times.",
    "shapes": "- A1: short",
    "length_rule": "Short.",
}


def ask(key: str, schema: type[BaseModel], reply: str = "Sounds useful.", **texts: str) -> Any:
    known = context(reply=reply)
    values: dict[str, str | Own] = {**make_pack(known, tag="Interested").values, **texts}
    values |= {name: Own(text) for name, text in OWN.items()}
    named = placeholders(load(key))
    prompt = render(key, {name: values.get(name, "") for name in named})
    arguments: Mapping[str, Any] = request_arguments(
        prompt, schema, ModelChoice(Purpose.DRAFTING, "gpt-5.1", None), 2_000
    )
    assert list(strict_problems(arguments["text"]["format"]["schema"])) == []
    return schema.model_validate(json.loads(_text(arguments)))


def test_a_plan_offers_times_that_were_given() -> None:
    plan = checked(ask("reply_strategy", ReplyStrategy, "Interested. When can we talk?"), context())
    assert plan["times_to_offer"]
    assert set(plan["times_to_offer"]) <= {slot.label for slot in SLOTS}
    assert plan["outline"]


@pytest.mark.parametrize(
    "draft, changed", [("Hi Mara,\n\nGlad to talk.", False), ("Hi Mara, see [link] please.", True)]
)
def test_a_check_gives_the_draft_back_and_takes_placeholders_out(draft: str, changed: bool) -> None:
    said = ask("reply_verification", ReplyVerification, draft=draft)
    assert said.changed is changed
    assert judge(draft, said.final_draft, changed=said.changed) is None
    assert "[" not in said.final_draft
    assert bool(said.violations_detected) is changed


@pytest.mark.parametrize(
    "reply, scheduling, intent",
    [
        ("9:00 AM on Tuesday works for me.", True, "accept_offer"),
        ("Could we meet at 4:45 PM?", True, "propose_time"),
        ("When are you free next week?", True, "request_times"),
        ("What does it cost?", False, "other"),
    ],
)
def test_a_reading_of_what_the_message_wants(reply: str, scheduling: bool, intent: str) -> None:
    said = ask("meeting_extract", MeetingReading, reply)
    assert (said.is_scheduling_related, said.intent) == (scheduling, intent)
    assert said.needs_pricing_answer is ("cost" in reply)
    contract_of(said, context(reply=reply))


@pytest.mark.parametrize(
    "draft, decision", [(f"I can do {SLOTS[0].label}.", "approve"), ("See you at 3:15 PM.", "revise")]
)
def test_a_gate_stops_times_that_nobody_offered(draft: str, decision: str) -> None:
    said = ask("meeting_gate", MeetingGate, draft=draft)
    assert said.decision == decision
    assert "3:15" not in said.final_draft


@pytest.mark.parametrize(
    "reply, page, process",
    [
        ("Sounds useful. Tell me more.", "", 1),
        ("9:00 AM on Tuesday works for me.", "", 2),
        ("Could we meet at 4:45 PM?", "", 3),
        ("Please call me tomorrow.", "", 4),
        ("Grab a slot.", "https://cal.com/mara/30min", 5),
    ],
)
def test_a_route_for_each_way_to_a_conversation(reply: str, page: str, process: int) -> None:
    said = ask("action_route", ActionRoute, reply, links_in_message=page)
    assert said.process == process
    assert said.confidence >= 0.8


@pytest.mark.parametrize("reply, meant", [("Use the link below.", True), ("Sounds useful.", False)])
def test_what_a_link_in_a_signature_is_for(reply: str, meant: bool) -> None:
    assert ask("scheduler_link", SchedulerLink, reply, links_in_signature=BOOKING_LINK).asks_to_book_there is meant


def test_a_revision_writes_another_text() -> None:
    said = ask("reply_revision", ReplyRevision, "When can we talk?", draft="Hm.", findings="Too short.")
    assert said.body.startswith("Hi Mara,")
    assert said.unresolved == []


def test_a_signature_is_taken_apart() -> None:
    block = f"Mara Okafor\nCOO\n+1 415 555 0132\nmara@brightloom.example\n{BOOKING_LINK}"
    found = "https://calendly.com/noor-c/intro-30\nhttps://linkedin.com/in/mara\nhttps://brightloom.example"
    said = ask(
        "signature_context",
        SignatureContext,
        sender="Mara Okafor <mara@x.example>",
        signature=block,
        detected_urls=found,
    )
    assert (said.name, said.title, said.phone) == ("Mara Okafor", "COO", "+1 415 555 0132")
    assert said.scheduling_links == [BOOKING_LINK]
    assert (said.linkedin_url, said.other_links) == ("https://linkedin.com/in/mara", ["https://brightloom.example"])
    assert said.confidence == "high"
