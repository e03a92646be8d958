"""One invented conversation for the drafting, classification and evaluation tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tests.unit.model_server import Scripted, serve
from zrg_dagster.core.ai.client import ModelClient
from zrg_dagster.core.drafting.context import DraftContext, DraftLead, Persona, Trigger
from zrg_dagster.core.drafting.slots import make_slot, pick
from zrg_dagster.core.drafting.transcript import TranscriptLine

NEW_YORK = ZoneInfo("America/New_York")
# Tue 17 Feb 2026 9:00 AM and 2:00 PM, Wed 18 Feb 10:30 AM, New York.
SLOTS = tuple(
    make_slot(at, NEW_YORK)
    for at in (
        datetime(2026, 2, 17, 14, 0, tzinfo=UTC),
        datetime(2026, 2, 17, 19, 0, tzinfo=UTC),
        datetime(2026, 2, 18, 15, 30, tzinfo=UTC),
    )
)
# Calm answers of the model to the steps around a draft; a test changes single fields.
STRATEGY = {
    "personalization_points": [],
    "intent_summary": "They want to know more.",
    "should_offer_times": False,
    "times_to_offer": [],
    "outline": ["Answer", "Ask"],
    "must_avoid": [],
    "recommended_archetype_id": "A6",
}
MEETING = {
    "is_scheduling_related": False,
    "intent": "other",
    "intent_to_book": False,
    "intent_confidence": 0.9,
    "acceptance_specificity": "none",
    "accepted_slot_index": None,
    "preferred_day_of_week": None,
    "preferred_time_of_day": None,
    "relative_preference": None,
    "relative_preference_detail": None,
    "qualification_status": "unknown",
    "qualification_confidence": 0.5,
    "qualification_evidence": [],
    "time_from_body_only": False,
    "detected_timezone": None,
    "time_extraction_confidence": 0.5,
    "needs_clarification": False,
    "clarification_reason": None,
    "needs_pricing_answer": False,
    "needs_community_details": False,
    "confidence": 0.9,
    "evidence": [],
}
SIGNATURE = {
    "name": None,
    "title": None,
    "company": None,
    "email": None,
    "phone": None,
    "linkedin_url": None,
    "scheduling_links": [],
    "other_links": [],
    "important_lines": [],
    "confidence": "low",
}
BOOKING_LINK = "https://calendly.com/noor-c/intro-30"


def context(**changes: Any) -> DraftContext:
    """The context; keyword arguments replace parts: `channel`, `reply`, `subject`, `slots`, `signature`, `booking_link`,
    `tag`, `is_auto_reply`, `phone`, `replier_email`, `replier_name`, `knowledge`, `notes`, `raw_text`,
    `raw_html`."""
    channel = changes.get("channel", "email")
    reply = changes.get("reply", "Sounds useful. When can we talk?")
    slots = changes.get("slots", SLOTS)
    sent_at = datetime(2026, 2, 16, 15, 0, tzinfo=UTC)
    trigger_id = UUID(int=2)
    return DraftContext(
        workspace_id=UUID(int=1),
        persona=Persona(
            company_name="Harbourline",
            sender_name="Noor Castellan",
            signature=changes.get("signature", "Noor Castellan\nharbourline.example"),
            service_description="Loom maintenance from $500 per month. See https://harbourline.example/looms",
            tone="friendly",
            booking_link=changes.get("booking_link", BOOKING_LINK),
            greeting="Dear {firstName},",
            sms_greeting="Hey {firstName}!",
            goals="A first call about the weaving shed",
            ideal_customer_profile="Mills with more than forty looms",
        ),
        lead=DraftLead(
            id=UUID(int=3),
            first_name="Mara",
            last_name="Okafor",
            email="mara.okafor@brightloom.example",
            phone=changes.get("phone"),
            company_name="Brightloom Textiles",
            job_title="COO",
            timezone="America/New_York",
            sentiment_tag=changes.get("tag", "Meeting Requested"),
            status="new",
            current_replier_email=changes.get("replier_email"),
            current_replier_name=changes.get("replier_name"),
        ),
        trigger=Trigger(
            id=trigger_id,
            channel=channel,
            subject=changes.get("subject", "loom downtime"),
            body=reply,
            sent_at=sent_at,
            is_auto_reply=changes.get("is_auto_reply", False),
            is_bounce=False,
            opt_out_rule=None,
            raw_text=changes.get("raw_text"),
            raw_html=changes.get("raw_html"),
        ),
        lines=(TranscriptLine(trigger_id, sent_at, channel, True, "loom downtime", reply),),
        available=slots,
        offered=pick(slots),
        availability_refreshed_at=sent_at,
        knowledge=changes.get("knowledge", ()),
        zone="America/New_York" if slots else None,
        notes=changes.get("notes", ()),
    )


@asynccontextmanager
async def model(*answers: Any) -> AsyncIterator[tuple[ModelClient, Scripted]]:
    """A real model client against a scripted server."""

    async def no_sleep(_: float) -> None:
        return None

    async with serve(*answers) as script:
        client = ModelClient(
            api_key="sk-test", base_url=script.url, model="gpt-5.4-mini", gate=asyncio.Semaphore(4), sleep=no_sleep
        )
        try:
            yield client, script
        finally:
            await client.aclose()
