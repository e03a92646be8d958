"""Sources that fell silent: a vendor and workspace of which nothing comes at a time of the week when much always came.

Nights and weekends are no alarm, because the silence is compared with the same stretch of the weeks before. A source
that delivers little, or has delivered for less than three weeks, is never silent: nothing says how it should be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

WEEK = timedelta(days=7)
WEEKS = 4  # looked at
WEEKS_NEEDED = 3  # that the source has existed for
ENOUGH = 5  # deliveries in each of these weeks: of a source with as many on average, one silence in 150 is chance
# A vendor may be late, and clocks change twice a year: what came in the last hour of the stretch is not missed yet.
GRACE = timedelta(hours=1)
# A source that has been silent for a week has ended: a campaign is over, a customer has left. The alarm was seen by then.
ENDED_AFTER = WEEK


@dataclass(frozen=True, slots=True)
class Source:
    """A vendor and workspace, when it delivered `first` (of the last five weeks) and `last`, and how many deliveries it
    made in the stretch of its silence, without the grace, one, two, … weeks before."""

    provider: str
    workspace: str
    first: datetime
    last: datetime
    weeks: tuple[int, ...]

    def comparable(self) -> tuple[int, ...]:
        """The counts of the weeks in which the source existed."""
        return tuple(n for back, n in enumerate(self.weeks, start=1) if self.last - back * WEEK >= self.first)


def is_silent(source: Source, now: datetime) -> bool:
    """Whether the silence of a source is longer than it ever was at this time of the week. Pure."""
    if not GRACE <= now - source.last < ENDED_AFTER:
        return False
    weeks = source.comparable()
    return len(weeks) >= WEEKS_NEEDED and min(weeks) >= ENOUGH


# Only sources that are silent just now are compared. Slack is none: it delivers what people click. Archived workspaces
# are silent on purpose.
_SOURCES = """
    WITH source AS (
        SELECT c.provider, c.fair_key, min(c.minute) AS first, max(c.minute) AS last FROM ops.intake_count c
        WHERE c.minute >= %(since)s AND c.minute < %(now)s AND c.provider <> 'slack'
        GROUP BY 1, 2 HAVING max(c.minute) BETWEEN %(ended)s AND %(until)s
    )
    SELECT s.provider, w.key AS workspace, s.first, s.last, b.back, coalesce(sum(c.stored + c.duplicate), 0)::int AS number
    FROM source s JOIN app.workspace w ON w.id = s.fair_key AND w.is_active
    CROSS JOIN generate_series(1, %(weeks)s) AS b (back)
    LEFT JOIN ops.intake_count c ON c.provider = s.provider AND c.fair_key = s.fair_key
        AND c.minute > s.last - b.back * %(week)s::interval AND c.minute < %(until)s - b.back * %(week)s::interval
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 5"""


def silent_sources(conn: "psycopg.Connection[dict[str, Any]]", now: datetime) -> list[Source]:
    """The sources that should have delivered and did not, the longest silence first."""
    parameters = {
        "now": now,
        "until": now - GRACE,
        "ended": now - ENDED_AFTER,
        "since": now - (WEEKS + 1) * WEEK,
        "week": WEEK,
        "weeks": WEEKS,
    }
    found = _sources(conn.execute(_SOURCES, parameters).fetchall())
    return sorted((each for each in found if is_silent(each, now)), key=lambda each: each.last)


def _sources(rows: Sequence[Mapping[str, Any]]) -> list[Source]:
    """One source of each run of rows, which are ordered by it and by week."""
    return [
        Source(
            provider=row["provider"],
            workspace=row["workspace"],
            first=row["first"],
            last=row["last"],
            weeks=tuple(each["number"] for each in rows[at : at + WEEKS]),
        )
        for at, row in enumerate(rows)
        if row["back"] == 1
    ]
