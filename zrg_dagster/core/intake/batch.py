"""A batch of read deliveries on its way into the database, and how each of them ends."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from zrg_dagster.core.base.record import record
from zrg_dagster.core.db.jobs import NewJob
from zrg_dagster.core.followups.pause import Touch
from zrg_dagster.core.intake.enrichments import NewEnrichment
from zrg_dagster.core.intake.identity import Resolution
from zrg_dagster.core.intake.leads import LeadChange
from zrg_dagster.core.intake.notices import NewNotice
from zrg_dagster.core.intake.read import ClaimedEvent
from zrg_dagster.core.leads.suppression import Stop
from zrg_dagster.core.providers.records import Parsed


@record
class Ending:
    """How one event ends, with the columns that make it readable without its body."""

    event: ClaimedEvent
    state: str
    reason: str | None = None
    error: str | None = None
    parsed: Parsed | None = None
    workspace_id: UUID | None = None
    lead_id: UUID | None = None
    message_id: UUID | None = None


@dataclass(slots=True)
class Batch:
    """The accepted events of one batch while their effects are gathered."""

    now: datetime
    items: list[tuple[ClaimedEvent, Parsed]] = field(default_factory=list)
    found: Resolution = field(default_factory=Resolution)
    changes: dict[UUID, LeadChange] = field(default_factory=dict)
    stops: list[Stop] = field(default_factory=list)
    jobs: list[NewJob] = field(default_factory=list)
    touches: list[Touch] = field(default_factory=list)
    notices: list[NewNotice] = field(default_factory=list)
    enrichments: list[NewEnrichment] = field(default_factory=list)
    counts: Counter[tuple[UUID, str]] = field(default_factory=Counter)  # campaign, direction
    reasons: dict[int, str] = field(default_factory=dict)
    message_ids: dict[int, UUID] = field(default_factory=dict)
    campaign_of: dict[int, UUID] = field(default_factory=dict)
    booking_days: set[tuple[date, UUID]] = field(default_factory=set)  # with workspace

    def change(self, lead_id: UUID) -> LeadChange:
        change = self.changes.get(lead_id)
        if change is None:
            change = self.changes[lead_id] = LeadChange(lead_id)
        return change
