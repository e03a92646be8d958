"""The clock as a resource, so that a test or a rehearsal decides what time it is."""

from datetime import datetime, timedelta

import dagster as dg
from pydantic import Field

from zrg_dagster.core.base.clock import utc_now


class Clock(dg.ConfigurableResource):
    """The wall clock in UTC."""

    offset_s: float = Field(
        default=0.0, description="Seconds added to the wall clock. Other than 0 only in rehearsals."
    )

    def now(self) -> datetime:
        return utc_now() + timedelta(seconds=self.offset_s)
