"""What all stages of a run are told, in one pack: named sections with weights, sizes and a deterministic cut.

The pack is made once for a run. Strategy, generation, verification, overseer, evaluator and reviser take their sections
from it, so no stage judges a draft by other facts than it was written from (seed 002 §9).
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

from zrg_dagster.core.drafting import memory
from zrg_dagster.core.drafting.context import DraftContext, DraftLead
from zrg_dagster.core.drafting.memory import Profile
from zrg_dagster.core.leads.memory import Note

# Tokens as the limits mean them: four characters each.
TOKEN_CHARS = 4
MAX_CHARS = 60_000
CUT = " […]"

# Weight and limit in characters of each section. When the whole is too long the lightest section gives way first.
LIMITS = {
    "latest_reply": (100, 12_000),
    "greeting": (95, 400),
    "sender_name": (95, 200),
    "company_name": (95, 200),
    "transcript": (90, 18_000),
    "available_times": (85, 2_000),
    "service_description": (80, 4_800),
    "booking_link": (80, 500),
    "meeting_reading": (75, 2_000),
    "booking_hints": (74, 1_000),
    "action_signals": (73, 400),
    "lead": (70, 600),
    "tone": (65, 600),
    "signature_context": (60, 2_400),
    "subject": (55, 500),
    "goals": (50, 3_600),
    "memory": (45, 4_800),
    "knowledge": (40, 32_000),
    "ideal_customer_profile": (30, 2_400),
}
# Sections without a place of their own in a prompt: what the message asks for and how it is answered stands behind what
# it wants of the calendar. So a reply that asks for nothing is told to the model in the same words as before (SI-06).
_JOINED = {"meeting_reading": ("action_signals", "booking_hints")}
# Of a conversation the end counts; of everything else the beginning.
_KEEP_END = frozenset({"transcript"})


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the pack. `full_chars` is its length before any cut."""

    name: str
    weight: int
    text: str
    full_chars: int

    @property
    def tokens(self) -> int:
        return tokens_of(self.text)

    @property
    def is_cut(self) -> bool:
        return len(self.text) < self.full_chars

    def within(self, chars: int) -> "Section":
        return self if len(self.text) <= chars else replace(self, text=_cut(self.name, self.text, chars))


@dataclass(frozen=True)
class ContextPack:
    """The sections by name, the facts of the run that are no text, and the notes of which each use is told its share."""

    sections: tuple[Section, ...]
    facts: dict[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    @cached_property
    def values(self) -> dict[str, str]:
        texts = {section.name: section.text for section in self.sections}
        for name, others in _JOINED.items():
            parts = (texts.get(name, ""), *(texts.pop(other, "") for other in others))
            texts[name] = "\n".join(part for part in parts if part)
        return texts

    def values_for(self, profile: Profile) -> dict[str, str]:
        """`values` with as much of the memory as this use of the model may be told (domain rules 6.3)."""
        return {**self.values, "memory": memory.text_of(self.notes, profile)}

    @property
    def chars(self) -> int:
        return sum(len(section.text) for section in self.sections)

    def plus(self, **texts: str) -> "ContextPack":
        """The pack with these sections set, which fit or give way like all others."""
        kept = [section for section in self.sections if section.name not in texts]
        return ContextPack(
            fit([*kept, *(_section(name, text) for name, text in texts.items())]), self.facts, self.notes
        )

    def snapshot(self) -> dict[str, Any]:
        """What the run was made of, in sizes and hashes: no text of anybody (LC-04)."""
        whole = sha256()
        for section in self.sections:
            whole.update(f"{section.name}\x00{section.text}\x00".encode("utf-8", "surrogatepass"))
        return {
            **self.facts,
            "chars": self.chars,
            "tokens": sum(section.tokens for section in self.sections),
            "sha256": whole.hexdigest(),
            "sections": [
                {
                    "name": section.name,
                    "weight": section.weight,
                    "chars": len(section.text),
                    "tokens": section.tokens,
                    "cut_from": section.full_chars if section.is_cut else None,
                }
                for section in self.sections
            ],
        }


def tokens_of(text: str) -> int:
    return -(-len(text) // TOKEN_CHARS)


def fit(sections: list[Section], most: int = MAX_CHARS) -> tuple[Section, ...]:
    """The sections, heaviest first, within `most` characters: the lightest are cut first, ties by name.

    The same sections in any order give the same result.
    """
    ordered = sorted(sections, key=lambda section: (-section.weight, section.name))
    room, kept = most, []
    for section in ordered:
        kept.append(section.within(room))
        room -= len(kept[-1].text)
    return tuple(kept)


def make_pack(context: DraftContext, *, tag: str) -> ContextPack:
    """The pack of answering this context's message. Signature and meeting reading come later, by `plus`."""
    persona = context.persona
    texts = {
        "latest_reply": context.trigger.body,
        "greeting": greeting(context),
        "sender_name": persona.sender_name,
        "company_name": persona.company_name,
        "transcript": context.transcript_text,
        "available_times": context.offered_times_text(),
        "service_description": persona.service_description,
        "booking_link": persona.booking_link or "",
        "meeting_reading": "",
        "lead": describe_lead(context.lead),
        "tone": persona.tone,
        "signature_context": "",
        "subject": context.trigger.subject or "",
        "goals": persona.goals,
        "memory": memory.text_of(context.notes, Profile.DRAFT),
        "knowledge": context.knowledge_text,
        "ideal_customer_profile": persona.ideal_customer_profile,
    }
    facts = {
        "channel": context.channel,
        "tag": tag,
        "zone": context.zone,
        "offered_times": len(context.offered),
        "known_times": len(context.available),
        "availability_refreshed_at": context.availability_refreshed_at
        and context.availability_refreshed_at.isoformat(),
        "knowledge_assets": len(context.knowledge),
        "transcript_lines": len(context.lines),
        **memory.sizes(context.notes),
    }
    return ContextPack(fit([_section(name, text) for name, text in texts.items()]), facts, context.notes)


def greeting(context: DraftContext) -> str:
    """The channel's greeting with the first name of whoever answers, the lead's, or "there" (CC-08, PE-01)."""
    persona, lead = context.persona, context.lead
    wanted = persona.sms_greeting if context.channel == "sms" else persona.greeting
    # A colleague who answers under no name is not greeted with the lead's.
    full = lead.current_replier_name if lead.current_replier_email else lead.first_name
    first = (full or "").split()
    return wanted.replace("{firstName}", first[0] if first else "there")


def describe_lead(lead: DraftLead) -> str:
    """Name, role and company of the person who answers, for the data block."""
    parts = (("Name", lead.answering_name), ("Role", lead.job_title), ("Company", lead.company_name))
    return "\n".join(f"{label}: {value}" for label, value in parts if value)


def _section(name: str, text: str) -> Section:
    weight, limit = LIMITS[name]
    return Section(name, weight, text, len(text)).within(limit)


def _cut(name: str, text: str, chars: int) -> str:
    if chars <= len(CUT):
        return ""
    room = chars - len(CUT)
    return f"{CUT.strip()} {text[-room:]}"[:chars] if name in _KEEP_END else text[:room] + CUT
