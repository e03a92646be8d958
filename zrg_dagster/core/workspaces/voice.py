"""Which persona speaks to a lead, and with which texts: campaign → default → settings (PE-01). Pure, and SQL for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from zrg_dagster.core.workspaces.personas import FIELDS, SETTINGS

DEFAULT_GREETING = "Hi {firstName},"
DEFAULT_NAME = "Your Sales Rep"


class VoiceSource(StrEnum):
    """Where the chosen voice comes from (PE-01)."""

    CAMPAIGN = "campaign"
    DEFAULT = "default"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class Voice:
    """What is said and in whose name. Every text is trimmed; a blank one is an empty string."""

    source: VoiceSource
    persona_id: UUID | None
    persona_name: str
    tone: str
    greeting: str
    sms_greeting: str
    signature: str
    goals: str
    service_description: str
    ideal_customer_profile: str


def persona_id_sql(workspace: str, *bound: str) -> str:
    """SQL for the persona that speaks: the first of the `bound` ids that is set, else the default, else NULL.

    `workspace` and `bound` are column expressions of our own statements (PE-01, FU-3, FU-6).
    """
    default = f"(SELECT dp.id FROM app.ai_persona dp WHERE dp.workspace_id = {workspace} AND dp.is_default)"
    return f"coalesce({', '.join((*bound, default))})"


def persona_columns_sql(alias: str) -> str:
    """SQL select list of a persona's id and texts under the names that `voice_of` reads."""
    return ", ".join((f"{alias}.id AS persona_id", *(f"{alias}.{name} AS of_persona_{name}" for name in FIELDS)))


def setting_columns_sql(alias: str) -> str:
    """SQL select list of the settings' texts under the names that `voice_of` reads."""
    return ", ".join(f"{alias}.{column} AS of_settings_{name}" for name, column in SETTINGS.items())


def voice_of(row: Mapping[str, Any], *, campaign_persona_id: UUID | None) -> Voice:
    """The voice of a row with the columns of `persona_columns_sql` and `setting_columns_sql`. Pure.

    A field that the chosen persona leaves blank comes from the settings; no other persona is asked (FU-4, FU-5).
    """
    persona_id = row["persona_id"]
    source = VoiceSource.SETTINGS
    if persona_id is not None:
        source = VoiceSource.CAMPAIGN if persona_id == campaign_persona_id else VoiceSource.DEFAULT
    texts = {name: first_filled(row[f"of_persona_{name}"], row[f"of_settings_{name}"]) for name in FIELDS}
    texts["service_description"] = merged(row["of_persona_service_description"], row["of_settings_service_description"])
    texts["greeting"] = texts["greeting"] or DEFAULT_GREETING
    texts["sms_greeting"] = texts["sms_greeting"] or texts["greeting"]
    return Voice(source=source, persona_id=persona_id, **texts)


def first_filled(*values: str | None) -> str:
    """The first value that is more than white space, trimmed; an empty string when there is none."""
    return next((value.strip() for value in values if value and value.strip()), "")


def merged(persona: str | None, settings: str | None) -> str:
    """Two descriptions as one: the longer if it holds the other, ignoring case and white space, else both (PE-15)."""
    ours, theirs = first_filled(persona), first_filled(settings)
    short, long = sorted((_plain(ours), _plain(theirs)), key=len)
    if short in long:
        return ours if _plain(ours) == long else theirs
    return f"{ours}\n\n{theirs}"


def _plain(value: str) -> str:
    return re.sub(r"\s+", "", value).casefold()
