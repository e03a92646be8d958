"""What a lead looks like after it took in another one: the rules of intake, applied to two stored leads. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from zrg_dagster.core.leads.fields import FIELDS, merge, stored_claims

# Every column of a lead that a merge decides; a test holds it against the catalogue.
COLUMNS = (
    *FIELDS,
    *("provenance", "email_campaign_id", "status", "sentiment_tag", "sentiment_source", "assigned_to_user_id"),
    *("auto_follow_up_enabled", "snoozed_until", "last_inbound_at", "last_outbound_at"),
    *("current_replier_email", "current_replier_name", "current_replier_since", "merged_into_lead_id"),
)
# A lead about which nothing is known: what remains of the one that became part of another.
EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(COLUMNS),
    "provenance": {},
    "status": "new",
    "sentiment_tag": "New",
    "sentiment_source": "none",
    "auto_follow_up_enabled": False,
}
_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two leads. `lead` is its row, `standing_at` the newest event that moved its tag or status,
    `campaign` the vendor and the vendor's id of its e-mail campaign."""

    lead: Mapping[str, Any]
    standing_at: datetime | None = None
    has_sequences: bool = False
    campaign: tuple[str, str] = ("", "")

    @property
    def is_stopped(self) -> bool:
        return self.lead["status"] == "blacklisted" or self.lead["sentiment_tag"] == "Blacklist"

    @property
    def is_untouched(self) -> bool:
        return self.lead["status"] == "new" and self.lead["sentiment_tag"] == "New"


def joined(kept: Side, gone: Side) -> dict[str, Any]:
    """The columns of the kept lead after the merge; the current replier is read from the mails afterwards."""
    row = {name: kept.lead[name] for name in COLUMNS}
    row |= _contact(kept, gone)
    row["email_campaign_id"], campaign = _campaign(kept, gone)
    row["provenance"] = {name: origin for name, origin in row["provenance"].items() if name != "campaign"} | campaign
    row["status"], row["sentiment_tag"], row["sentiment_source"] = _standing(kept, gone)
    row["assigned_to_user_id"] = kept.lead["assigned_to_user_id"] or gone.lead["assigned_to_user_id"]
    row["auto_follow_up_enabled"] = _follows_up(kept, gone)
    row["snoozed_until"] = _snooze(kept, gone)
    for name in ("last_inbound_at", "last_outbound_at"):
        row[name] = _latest(kept.lead[name], gone.lead[name])
    return row


def _latest(*times: datetime | None) -> datetime | None:
    return max((each for each in times if each is not None), default=None)


def _contact(kept: Side, gone: Side) -> dict[str, Any]:
    """As if one lead had heard all claims (core/leads/fields.py)."""
    winners = merge(kept.lead, kept.lead["provenance"], stored_claims(gone.lead))
    provenance = {name: origin for name, origin in kept.lead["provenance"].items() if name not in winners}
    provenance |= {name: claim.as_json() for name, claim in winners.items() if claim.source}
    return {**{name: claim.value for name, claim in winners.items()}, "provenance": provenance}


def _campaign(kept: Side, gone: Side) -> tuple[Any, dict[str, Any]]:
    """The first touch of both (LM-04); of two at one instant the smaller vendor id. The kept lead's without a time stays."""

    def touched(side: Side) -> tuple[Any, ...]:
        at = side.lead["provenance"].get("campaign", {}).get("at")
        return (datetime.fromisoformat(at) if at else _BEGINNING, *side.campaign)

    sides = [side for side in (kept, gone) if side.lead["email_campaign_id"] is not None]
    first = min(sides, key=touched, default=None)
    if first is None:
        return None, {}
    origin = first.lead["provenance"].get("campaign")
    return first.lead["email_campaign_id"], {"campaign": origin} if origin else {}


def _standing(kept: Side, gone: Side) -> tuple[str, str, str]:
    """Status, tag and the tag's source. Whoever is stopped stays stopped, a booking stands, else the newest event says."""
    for side in (kept, gone):
        if side.is_stopped:
            return "blacklisted", "Blacklist", side.lead["sentiment_source"]
    if kept.standing_at is None and gone.standing_at is None:
        newest = gone if kept.is_untouched else kept
    else:
        newest = gone if (gone.standing_at or _BEGINNING) > (kept.standing_at or _BEGINNING) else kept
    booked = any(side.lead["status"] == "meeting-booked" for side in (kept, gone))
    status = "meeting-booked" if booked else newest.lead["status"]
    return status, newest.lead["sentiment_tag"], newest.lead["sentiment_source"]


def _follows_up(kept: Side, gone: Side) -> bool:
    """On where it was on. A start switches it on, so a lead with sequences that is off was switched off by a person: that
    no is a no for both."""
    sides = (kept, gone)
    refused = any(side.has_sequences and not side.lead["auto_follow_up_enabled"] for side in sides)
    return not refused and any(side.lead["auto_follow_up_enabled"] for side in sides)


def _snooze(kept: Side, gone: Side) -> datetime | None:
    """A newer answer ends a snooze, so that of the lead which wrote last stands."""
    wrote = [side.lead["last_inbound_at"] or _BEGINNING for side in (kept, gone)]
    if wrote[0] == wrote[1]:
        return _latest(kept.lead["snoozed_until"], gone.lead["snoozed_until"])
    return (kept if wrote[0] > wrote[1] else gone).lead["snoozed_until"]
