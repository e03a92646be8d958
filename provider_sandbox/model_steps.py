"""What the imitated model says in the steps around a draft: a plan, a check, a reading of what a message wants of the
calendar, a mended text, the parts of a signature. Computed from the request alone, as everything here.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from provider_sandbox.model_answers import classify, evaluate, pick_times, write_draft
from provider_sandbox.model_reading import AVAILABILITY, CLOCK_TIME, Reading

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PHONE = re.compile(r"\+?\(?\d[\d ().-]{7,18}\d")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+\w")
_TITLE = re.compile(
    r"\b(?:CEO|COO|CFO|CTO|founder|owner|director|manager|head of|president|partner|VP)\b", re.IGNORECASE
)
_SCHEDULERS = re.compile(r"calendly|cal\.com|hubspot|savvycal|chili|bookings|/meet|schedul|book", re.IGNORECASE)
_ACCEPTS = re.compile(r"\b(?:works|perfect|confirmed?|sounds good|let'?s do|that time|see you)\b", re.IGNORECASE)
_PRICE = re.compile(r"pric|cost|how much|\bfees?\b|\brates?\b", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\[[A-Za-z][^\]\n]{1,40}\]|\{[^{}\n]{1,40}\}")


def answer_step(name: str, reading: Reading) -> Mapping[str, Any]:
    """The fields that this imitation has an opinion on for the schema `name`; empty for any other."""
    step = _STEPS.get(name)
    return step(reading) if step else {}


def _strategy(reading: Reading) -> dict[str, Any]:
    said = classify(reading.last_inbound)
    offer = said.tag in ("Meeting Requested", "Interested")
    outline = ["Thank them", "Answer what they asked" if "?" in reading.last_inbound else "Say what comes next"]
    return {
        "personalization_points": [],
        "intent_summary": said.reason,
        "should_offer_times": offer and bool(reading.availability),
        "times_to_offer": pick_times(reading) if offer else [],
        "outline": [*outline, "Ask one question"],
        "must_avoid": ["Facts that are not given"],
        "recommended_archetype_id": {"Information Requested": "A1", "Meeting Requested": "A4"}.get(said.tag, "A6"),
    }


def _verification(reading: Reading) -> dict[str, Any]:
    draft, found = reading.draft, _PLACEHOLDER.findall(reading.draft)
    mended = _PLACEHOLDER.sub("", draft)
    return {
        "final_draft": mended,
        "changed": mended != draft,
        "violations_detected": [f"placeholder {piece}" for piece in found],
        "changes": [f"removed {piece}" for piece in found],
    }


def _extract(reading: Reading) -> dict[str, Any]:
    said, inbound = classify(reading.last_inbound), reading.last_inbound
    about_time = said.tag in ("Meeting Requested", "Call Requested", "Meeting Booked") or bool(
        CLOCK_TIME.search(inbound)
    )
    slots = reading.availability
    taken = [number for number, slot in enumerate(slots, 1) if _same_time(slot, inbound)]
    accepts = bool(taken) and _ACCEPTS.search(inbound) is not None
    named = CLOCK_TIME.search(inbound) is not None
    day = next((day for day in _DAYS if re.search(rf"\b{day}", inbound.lower())), None)
    part = next((part for part in ("morning", "afternoon", "evening") if part in inbound.lower()), None)
    intent = "accept_offer" if accepts else "propose_time" if named and about_time else "request_times"
    return {
        "is_scheduling_related": about_time,
        "intent": intent if about_time else "other",
        "intent_to_book": about_time,
        "intent_confidence": said.confidence,
        "acceptance_specificity": "specific" if accepts else "day_only" if day and about_time else "none",
        "accepted_slot_index": taken[0] if accepts else None,
        "preferred_day_of_week": day if about_time else None,
        "preferred_time_of_day": part if about_time else None,
        "relative_preference": "next week" if about_time and "next week" in inbound.lower() else None,
        "relative_preference_detail": None,
        "qualification_status": "unknown",
        "qualification_confidence": 0.4,
        "qualification_evidence": [],
        "time_from_body_only": named,
        "detected_timezone": None,
        "time_extraction_confidence": 0.9 if named else 0.3,
        "needs_clarification": False,
        "clarification_reason": None,
        "needs_pricing_answer": _PRICE.search(inbound) is not None,
        "needs_community_details": False,
        "confidence": said.confidence,
        "evidence": [inbound.splitlines()[0][:120]] if inbound else [],
    }


def _same_time(slot: str, said: str) -> bool:
    found = CLOCK_TIME.search(slot)
    plain = re.sub(r"[\s.]", "", said.lower())
    return bool(found) and re.sub(r":00|\s", "", found[0].lower()) in plain.replace(":00", "")


def _gate(reading: Reading) -> dict[str, Any]:
    draft = reading.draft
    given = f"{reading.first(AVAILABILITY)} {reading.last_inbound}".lower()
    stray = [time for time in CLOCK_TIME.findall(draft) if time.lower() not in given]
    if not stray:
        return {"decision": "approve", "final_draft": draft, "confidence": 0.93, "issues": [], "rationale": "It fits."}
    kept = [line for line in draft.split("\n") if not any(time in line for time in stray)]
    issues = [f"{time} was not offered" for time in stray]
    mended = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return {"decision": "revise", "final_draft": mended, "confidence": 0.7, "issues": issues, "rationale": issues[0]}


def _revision(reading: Reading) -> dict[str, Any]:
    body = write_draft(reading)
    opinion = evaluate(reading)
    return {"body": body, "changes": [opinion.reason], "unresolved": [], "confidence": max(opinion.confidence, 0.6)}


def _signature(reading: Reading) -> dict[str, Any]:
    block = reading.first(["signature"])
    lines = [line.strip() for line in block.splitlines() if line.strip()]
    urls = [line.strip() for line in reading.first(["detected_urls"]).splitlines() if line.strip()]
    who = reading.first(["sender"])
    name = who.partition("<")[0].strip()
    known = bool(name) and any(name.lower() in line.lower() for line in lines)
    title = next((line for line in lines if _TITLE.search(line) and len(line) <= 80), None)
    phone, mail = _PHONE.search(block), _EMAIL.search(block)
    linkedin = next((url for url in urls if "linkedin.com" in url), None)
    booking = [url for url in urls if _SCHEDULERS.search(url)][:5]
    return {
        "name": name if known else None,
        "title": title,
        "company": None,
        "email": mail[0] if mail else None,
        "phone": phone[0] if phone else None,
        "linkedin_url": linkedin,
        "scheduling_links": booking,
        "other_links": [url for url in urls if url not in booking and url != linkedin][:10],
        "important_lines": [],
        "confidence": "high" if known else "low",
    }


_CALL = re.compile(
    r"\b(?:call|ring|phone) (?:me|us)\b|give (?:me|us) a (?:call|ring)|\bplease (?:call|phone|ring)\b", re.IGNORECASE
)


def _route(reading: Reading) -> dict[str, Any]:
    """Which of the five ways the last words suggest: a number, a page of their own, a time of theirs or of ours."""
    inbound = reading.last_inbound
    own_page = reading.first(["links_in_message"])
    named = CLOCK_TIME.search(inbound) is not None or any(re.search(rf"\b{day}", inbound.lower()) for day in _DAYS)
    if _CALL.search(inbound) and not re.search(r"\b(?:don'?t|do not|never)\b", inbound, re.IGNORECASE):
        return {"process": 4, "confidence": 0.92}
    if own_page:
        return {"process": 5, "confidence": 0.9}
    if _ACCEPTS.search(inbound):
        return {"process": 2, "confidence": 0.85}
    return {"process": 3, "confidence": 0.85} if named else {"process": 1, "confidence": 0.8}


def _scheduler_link(reading: Reading) -> dict[str, Any]:
    points = re.search(r"\b(?:below|signature|my (?:calendar|link))\b", reading.last_inbound, re.IGNORECASE)
    return {"asks_to_book_there": points is not None, "confidence": 0.85 if points else 0.7}


_STEPS: dict[str, Callable[[Reading], dict[str, Any]]] = {
    "reply_strategy": _strategy,
    "reply_verification": _verification,
    "meeting_extract": _extract,
    "meeting_gate": _gate,
    "reply_revision": _revision,
    "signature_context": _signature,
    "action_route": _route,
    "scheduler_link": _scheduler_link,
}
