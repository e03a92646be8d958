"""Not yet: what lets a due send wait although every gate is open. Vendors' rates, pauses, daily caps, quiet hours.

All processes share the budgets through `ops.vendor_budget`. A claim asks while it holds the lane's lock, so no two claims
spend the same token. A send that waits keeps its place in the ledger with the reason and the time it waits for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.sending.gates import WaitReason
from zrg_dagster.core.sending.quiet import QUIET_CHANNELS, plausible_zones, quiet_until


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_s` calls a second in the long run, `burst` at once."""

    per_s: float
    burst: float


# Below what the vendors allow (providers §4.4, §5.4, §6.4, §7.4, §8.4), so that a person at the vendor's own inbox and our
# other calls have room. A read-back spends like a send; of Instantly's lists it may make twenty a minute.
RATES: Mapping[str, Rate] = MappingProxyType(
    {
        "emailbison": Rate(20, 60),
        "smartlead": Rate(5, 10),
        "instantly": Rate(50, 100),
        "ghl": Rate(8, 50),
        "unipile": Rate(0.5, 5),
    }
)
READ_BACK_RATES: Mapping[str, Rate] = MappingProxyType({"instantly": Rate(0.25, 5)})
# Vendors whose accounts have a cap of automatic sends in a day (UTC), which the workspace sets: LinkedIn restricts profiles
# that send more (providers §8.4). The number of one without settings is the column's default.
CAPPED = frozenset({"unipile"})
DEFAULT_DAILY_CAP = 80
# Verdicts of a vendor that hold for the whole account, and for how long when it does not say.
PAUSES: Mapping[str, timedelta] = MappingProxyType(
    {"rate_limited": timedelta(seconds=10), "account_throttled": timedelta(hours=24)}
)


@dataclass(frozen=True, slots=True)
class Wait:
    """A due row that is not taken before `until`."""

    id: UUID
    reason: WaitReason
    until: datetime


@dataclass(slots=True)
class Bucket:
    """A budget as it stands. Every method is arithmetic."""

    tokens: float
    refilled_at: datetime
    paused_until: datetime | None = None
    used: int = 0
    used_on: Any = None

    def refill(self, rate: Rate, now: datetime) -> None:
        passed = max(0.0, (now - self.refilled_at).total_seconds())
        self.tokens = min(rate.burst, self.tokens + passed * rate.per_s)
        self.refilled_at = max(now, self.refilled_at)

    def take(self, rate: Rate, now: datetime, waiting: int) -> datetime | None:
        """None when a call may be made now, else when one may; `waiting` others stand before it in the queue."""
        if self.paused_until is not None and self.paused_until > now:
            return self.paused_until
        if self.tokens >= 1:
            self.tokens -= 1
            return None
        return now + timedelta(seconds=(1 - self.tokens + waiting) / rate.per_s)

    def use(self, cap: int, now: datetime) -> datetime | None:
        """None when the day has room for one more, else the next day."""
        today = now.astimezone(UTC).date()
        if self.used_on != today:
            self.used, self.used_on = 0, today
        if self.used >= cap:
            return datetime.combine(today + timedelta(days=1), datetime.min.time(), UTC)
        self.used += 1
        return None


_DUE = text("""
    SELECT s.id, s.state, s.workspace_id, s.vendor, s.channel, s.origin, s.sender_account, s.recipient,
           l.timezone AS lead_zone, l.phone, w.timezone AS workspace_zone, o.linkedin_daily_cap AS daily_cap
    FROM app.send s JOIN app.workspace w ON w.id = s.workspace_id LEFT JOIN app.lead l ON l.id = s.lead_id
    LEFT JOIN app.workspace_setting o ON o.workspace_id = s.workspace_id
    WHERE s.id = ANY(CAST(:ids AS uuid[])) ORDER BY s.due_at, s.id""")
_BUDGETS = text("""
    SELECT b.* FROM ops.vendor_budget b
    JOIN (SELECT DISTINCT * FROM unnest(CAST(:workspaces AS uuid[]), CAST(:vendors AS text[])) AS k (workspace_id, vendor)) k
      USING (workspace_id, vendor)""")
_SAVE = text("""
    INSERT INTO ops.vendor_budget AS b (workspace_id, vendor, account, tokens, refilled_at, used, used_on)
    SELECT * FROM unnest(CAST(:workspaces AS uuid[]), CAST(:vendors AS text[]), CAST(:accounts AS text[]),
        CAST(:tokens AS numeric[]), CAST(:refilled AS timestamptz[]), CAST(:used AS int[]), CAST(:days AS date[]))
    ON CONFLICT (workspace_id, vendor, account) DO UPDATE SET tokens = excluded.tokens,
        refilled_at = excluded.refilled_at, used = excluded.used, used_on = excluded.used_on""")
_DEFER = text("""
    UPDATE app.send s SET due_at = d.until, reason = CASE WHEN s.state = 'planned' THEN d.reason ELSE s.reason END
    FROM unnest(CAST(:ids AS uuid[]), CAST(:untils AS timestamptz[]), CAST(:reasons AS text[])) AS d (id, until, reason)
    WHERE s.id = d.id AND s.state IN ('planned', 'unknown')""")
_PAUSE = text("""
    INSERT INTO ops.vendor_budget AS b (workspace_id, vendor, account, refilled_at, used_on, paused_until, pause_reason)
    VALUES (:workspace_id, :vendor, '', :now, CAST(:now AS date), :until, :reason)
    ON CONFLICT (workspace_id, vendor, account) DO UPDATE SET pause_reason = excluded.pause_reason,
        paused_until = greatest(b.paused_until, excluded.paused_until)""")

Key = tuple[UUID, str, str]


async def hold_back(conn: AsyncConnection, ids: Sequence[UUID], now: datetime) -> list[Wait]:
    """Spend the budgets on due rows, oldest first; what must wait is moved to its time and returned.

    The caller holds the lane's claim lock.
    """
    rows = (await conn.execute(_DUE, {"ids": list(ids)})).all()
    keys = {"workspaces": [row.workspace_id for row in rows], "vendors": [row.vendor for row in rows]}
    budgets = {
        (row.workspace_id, row.vendor, row.account): Bucket(
            float(row.tokens), row.refilled_at, row.paused_until, row.used, row.used_on
        )
        for row in await conn.execute(_BUDGETS, keys)
    }
    waits, touched = decide_waits(rows, budgets, now)
    if touched:
        await conn.execute(_SAVE, _columns(touched, budgets))
    if waits:
        parameters = {
            "ids": [each.id for each in waits],
            "untils": [each.until for each in waits],
            "reasons": [each.reason for each in waits],
        }
        await conn.execute(_DEFER, parameters)
    return waits


def decide_waits(rows: Sequence[Row[Any]], budgets: dict[Key, Bucket], now: datetime) -> tuple[list[Wait], list[Key]]:
    """Which of the rows wait, and which budgets changed. Pure but for `budgets`, which are spent in the order of rows."""
    waits: list[Wait] = []
    touched: dict[Key, int] = {}
    for row in rows:
        # The day's cap last: a send that waits for its turn has not been sent, and would be counted at every look.
        wait = _quiet(row, now) or _paced(row, budgets, touched, now) or _capped(row, budgets, touched, now)
        if wait is not None:
            waits.append(wait)
    return waits, list(touched)


def _quiet(row: Row[Any], now: datetime) -> Wait | None:
    if row.state != "planned" or row.origin == "setter" or row.channel not in QUIET_CHANNELS:
        return None
    phone = row.phone or (row.recipient if row.channel == "sms" else None)
    until = quiet_until(plausible_zones(row.lead_zone, phone, row.workspace_zone), now)
    return Wait(row.id, WaitReason.QUIET_HOURS, until) if until else None


def _capped(row: Row[Any], budgets: dict[Key, Bucket], touched: dict[Key, int], now: datetime) -> Wait | None:
    if row.vendor not in CAPPED or row.state != "planned" or row.origin == "setter" or not row.sender_account:
        return None
    cap = DEFAULT_DAILY_CAP if row.daily_cap is None else row.daily_cap
    key = (row.workspace_id, row.vendor, row.sender_account)
    until = _bucket(budgets, touched, key, 0, now).use(cap, now)
    return Wait(row.id, WaitReason.DAILY_CAP, until) if until else None


def _paced(row: Row[Any], budgets: dict[Key, Bucket], touched: dict[Key, int], now: datetime) -> Wait | None:
    reads = row.state == "unknown" and row.vendor in READ_BACK_RATES
    rate = READ_BACK_RATES[row.vendor] if reads else RATES.get(row.vendor)
    if rate is None:
        return None
    key = (row.workspace_id, row.vendor, "read-back" if reads else "")
    bucket = _bucket(budgets, touched, key, rate.burst, now)
    bucket.refill(rate, now)
    until = bucket.take(rate, now, touched[key])
    if until is None:
        return None
    touched[key] += 1
    paused = bucket.paused_until is not None and bucket.paused_until > now
    return Wait(row.id, WaitReason.ACCOUNT_PAUSED if paused else WaitReason.RATE_BUDGET, until)


def _bucket(budgets: dict[Key, Bucket], touched: dict[Key, int], key: Key, full: float, now: datetime) -> Bucket:
    touched.setdefault(key, 0)
    return budgets.setdefault(key, Bucket(full, now, used_on=now.astimezone(UTC).date()))


def _columns(keys: Sequence[Key], budgets: Mapping[Key, Bucket]) -> dict[str, Any]:
    ordered = sorted(keys)
    return {
        "workspaces": [workspace for workspace, _, _ in ordered],
        "vendors": [vendor for _, vendor, _ in ordered],
        "accounts": [account for _, _, account in ordered],
        # A full bucket counts in whole numbers, a used one does not; the driver writes a list of one kind only.
        "tokens": [float(round(budgets[key].tokens, 6)) for key in ordered],
        "refilled": [budgets[key].refilled_at for key in ordered],
        "used": [budgets[key].used for key in ordered],
        "days": [budgets[key].used_on for key in ordered],
    }


async def pause_account(
    conn: AsyncConnection, row: Row[Any], reason: str | None, due_at: datetime | None, now: datetime
) -> None:
    """A vendor's verdict about the whole account: nothing of the workspace asks this vendor before `due_at`."""
    if reason is None or reason not in PAUSES:
        return
    until = due_at or now + PAUSES[reason]
    key = {"workspace_id": row.workspace_id, "vendor": row.vendor, "until": until, "reason": reason}
    await conn.execute(_PAUSE, {**key, "now": now})
