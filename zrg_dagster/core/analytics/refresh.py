"""Which builds to start, decided from the flags alone."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from zrg_dagster.core.analytics.facts import ATTRIBUTION, FIRST_DAY
from zrg_dagster.core.analytics.flags import Flag, digest

FACTS = ("booking", "step_execution")
# Days without a flag between two flagged ones are built along rather than in a run of their own: a day costs
# milliseconds, a run costs seconds. A wider gap is left for the next look.
MAX_GAP_DAYS = 31
MAX_MARTS_PER_LOOK = 10
# The same flags ask again after this long, in case their run failed. A run key works once, even for a failed run.
ASK_AGAIN_AFTER_S = 900


@dataclass(frozen=True, slots=True)
class FactRequest:
    fact: str
    first: date
    last: date
    run_key: str


@dataclass(frozen=True, slots=True)
class MartRequest:
    workspace_key: str
    run_key: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start; `reasons` says why flags wait, one sentence each."""

    facts: tuple[FactRequest, ...]
    marts: tuple[MartRequest, ...]
    reasons: tuple[str, ...]


def plan(
    seen: Sequence[Flag],
    now: datetime,
    *,
    busy_facts: Collection[str],
    busy_workspaces: Collection[str],
    partitions: Mapping[UUID, str],
) -> Plan:
    """Decide from the flags seen. `partitions` maps workspaces to partition keys that exist; a busy fact or workspace
    has a run queued or running, which will take up its flags or leave them for the next look."""
    slot = int(now.timestamp()) // ASK_AGAIN_AFTER_S
    reasons: list[str] = []
    facts = []
    for fact in FACTS:
        flagged = [flag for flag in seen if flag.fact == fact]
        due = [flag for flag in flagged if FIRST_DAY <= flag.utc_day <= now.date()]
        if len(due) < len(flagged):
            reasons.append(f"{len(flagged) - len(due)} {fact} flags lie outside the daily partitions")
        if due and fact in busy_facts:
            reasons.append(f"facts/{fact} is being built")
        elif due:
            first, last = _oldest_range({flag.utc_day for flag in due})
            taken = [flag for flag in due if first <= flag.utc_day <= last]
            facts.append(FactRequest(fact, first, last, f"{fact}:{digest(taken)}:{slot}"))
    by_workspace: dict[UUID, list[Flag]] = {}
    for flag in seen:
        if flag.fact == ATTRIBUTION:
            by_workspace.setdefault(flag.workspace_id, []).append(flag)
    marts = []
    for workspace_id, flagged in by_workspace.items():
        key = partitions.get(workspace_id)
        if key is None:
            reasons.append("a workspace has no partition yet")
        elif key in busy_workspaces:
            reasons.append(f"marts/{ATTRIBUTION} of {key} is being built")
        elif len(marts) < MAX_MARTS_PER_LOOK:
            marts.append(MartRequest(key, f"{ATTRIBUTION}:{digest(flagged)}:{slot}"))
    return Plan(tuple(facts), tuple(marts), tuple(dict.fromkeys(reasons)))


def _oldest_range(days: Iterable[date]) -> tuple[date, date]:
    """The first days that stand together, no gap wider than `MAX_GAP_DAYS`."""
    ordered = sorted(days)
    last = first = ordered[0]
    for day in ordered[1:]:
        if day - last > timedelta(days=MAX_GAP_DAYS):
            break
        last = day
    return first, last
