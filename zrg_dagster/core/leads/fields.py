"""Contact fields of a lead: which of several claims wins.

The winner is the smallest (source rank, event time, value): first touch within the best source, never the last to
arrive (LM-04 fills blanks; a better source may replace, a later delivery may not). Pure.
"""

from collections.abc import Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from zrg_dagster.core.providers.records import LeadRecord

HUMAN, VENDOR_RECORD, MESSAGE_HEADER, ENRICHMENT = 0, 1, 2, 3
FIELDS = (
    "email",
    "phone",
    "first_name",
    "last_name",
    "company_name",
    "job_title",
    "linkedin_url",
    "timezone",
    "sender_account_id",
)
_values = attrgetter(*FIELDS)


class Claim(NamedTuple):
    """One source's value for one field. `at` is ISO UTC, so that claims compare as text everywhere alike. A tuple, because
    a batch makes and compares five thousand of them."""

    rank: int
    at: str
    value: str
    source: str

    def as_json(self) -> dict[str, Any]:
        return {"rank": self.rank, "at": self.at, "source": self.source}


def claims_of(lead: LeadRecord, *, at: datetime, source: str, rank: int = VENDOR_RECORD) -> dict[str, Claim]:
    """What a record claims, by field; blanks claim nothing."""
    stamp = at.isoformat()
    return {name: Claim(rank, stamp, value, source) for name, value in zip(FIELDS, _values(lead), strict=True) if value}


def merge(stored: Mapping[str, Any], provenance: Mapping[str, Any], claims: Mapping[str, Claim]) -> dict[str, Claim]:
    """The claims that win over what is stored. A stored value without provenance was set by hand and stays."""
    winners: dict[str, Claim] = {}
    for name, claim in claims.items():
        value, origin = stored.get(name), provenance.get(name)
        if not value or (origin and claim < (origin["rank"], origin["at"], value, origin["source"])):
            winners[name] = claim
    return winners


def stored_claims(lead: Mapping[str, Any]) -> dict[str, Claim]:
    """What a stored lead claims about the person, for a merge with another one. A value without provenance was set by
    hand: it comes before every vendor's, and has no `source`."""
    claims: dict[str, Claim] = {}
    for name in FIELDS:
        if value := lead[name]:
            origin = lead["provenance"].get(name) or {"rank": HUMAN, "at": "", "source": ""}
            claims[name] = Claim(origin["rank"], origin["at"], value, origin["source"])
    return claims


def best(claims: list[dict[str, Claim]]) -> dict[str, Claim]:
    """The winning claim of each field over several records."""
    result = dict(claims[0]) if claims else {}
    for each in claims[1:]:
        for name, claim in each.items():
            if name not in result or claim < result[name]:
                result[name] = claim
    return result
