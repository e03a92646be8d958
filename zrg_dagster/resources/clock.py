"""The clock as a resource, so that a test or a demo decides what time it is."""

from datetime import datetime

import dagster as dg

from zrg_dagster.core.base.clock import utc_now


class Clock(dg.ConfigurableResource):
    """The wall clock in UTC."""

    def now(self) -> datetime:
        return utc_now()
