"""Ten shapes that a mail can have, so that answers do not all look alike (DR-26, DR-27). Pure."""

from hashlib import sha256
from uuid import UUID

# In the order in which a person who asks for another draft goes through them.
ARCHETYPES = {
    "A1": "One short paragraph, then two or three short lines that begin with a dash, then one question.",
    "A2": "Begin with the question that matters most, then say in one paragraph why you ask.",
    "A3": "A one-line opener, then two or three sentences of what this looks like in practice, from the facts given.",
    "A4": "The scheduling sentence comes first, everything else after it.",
    "A5": "Show first that you understood their situation, then bridge to what we do about it.",
    "A6": "One dense paragraph, no lists.",
    "A7": "A numbered list of two or three points between an opening and a closing sentence.",
    "A8": "Casual and short, with one line that begins with P.S. at the end.",
    "A9": "Say how it is today for them and how it would be after, from the facts given.",
    "A10": "Lead with one proof that stands in the facts given; without such a proof write one short paragraph instead.",
}
IDS = tuple(ARCHETYPES)


def of_strategy(chosen: str | None) -> str:
    """The shape that the strategy chose, A1 for anything that is none."""
    return chosen if chosen in ARCHETYPES else IDS[0]


def of_regeneration(trigger_id: UUID, count: int) -> str:
    """A stable one for the trigger, then the next with each press: ten presses give ten shapes."""
    base = int.from_bytes(sha256(trigger_id.bytes).digest()[:8], "big")
    return IDS[(base + count + 1) % len(IDS)]
