"""How much of what is remembered each use of the model is told (domain rules 6.3). Pure.

A note goes in whole or not at all, because half a note may say the opposite; only one beyond what a single note may hold is
cut, and says so. Notes are stored without addresses and numbers, so every use reads them redacted.
"""

from collections.abc import Sequence
from enum import StrEnum

from zrg_dagster.core.leads.memory import Note

# Tokens as the limits mean them: four characters each.
TOKEN_CHARS = 4
CUT = " […]"


class Profile(StrEnum):
    """What the model is asked for."""

    DRAFT = "draft"
    REVISION = "auto_send_revision"
    EVALUATOR = "auto_send_evaluator"
    OVERSEER_GATE = "meeting_overseer_gate"


# Tokens of all notes, and of one.
BUDGETS = {
    Profile.DRAFT: (1_200, 400),
    Profile.REVISION: (800, 300),
    Profile.EVALUATOR: (600, 300),
    Profile.OVERSEER_GATE: (600, 300),
}


def told(notes: Sequence[Note], profile: Profile) -> tuple[tuple[Note, str], ...]:
    """The notes that fit, each with its line, in their order: a long one that does not fit makes room for shorter ones.

    The same words twice, which an erasure or a merge may leave, are told once.
    """
    total, single = (tokens * TOKEN_CHARS for tokens in BUDGETS[profile])
    kept: dict[str, Note] = {}
    used = 0
    for note in notes:
        line = _line(note, single)
        if line not in kept and used + len(line) + bool(kept) <= total:
            used += len(line) + bool(kept)
            kept[line] = note
    return tuple((note, line) for line, note in kept.items())


def text_of(notes: Sequence[Note], profile: Profile) -> str:
    """The notes as one block of data, a line each; an empty string without any."""
    return "\n".join(line for _, line in told(notes, profile))


def sizes(notes: Sequence[Note]) -> dict[str, list[dict[str, object]] | dict[str, dict[str, int]]]:
    """Which notes a draft was told, and how much of them each other use: ids and sizes, never words (LC-04)."""
    drafted = told(notes, Profile.DRAFT)
    by_use = {profile: told(notes, profile) for profile in Profile}
    return {
        "memory": [{"id": str(note.id), "scope": note.scope.value, "chars": len(line)} for note, line in drafted],
        "memory_sizes": {
            profile.value: {
                "entries": len(each),
                "tokens": -(-sum(len(line) for _, line in each) // TOKEN_CHARS),
            }
            for profile, each in by_use.items()
        },
    }


def _line(note: Note, most: int) -> str:
    """`[lead] Note: prefers mornings`: line breaks flattened, so that no note can pass for two."""
    words = f"[{note.scope.value}] {note.category}: {' '.join(note.content.split())}"
    return words if len(words) <= most else words[: most - len(CUT)] + CUT
