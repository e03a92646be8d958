"""facts/booking: the one source of windowed booking counts."""

import dagster as dg

from zrg_dagster.assets.building import (
    JOB_TAGS,
    OWNERS,
    POOL,
    build_fact,
    check_fact,
    fact_check_specs,
    table_metadata,
)
from zrg_dagster.assets.partitions import DAYS
from zrg_dagster.core.analytics.booking import BOOKING
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database


@dg.asset(
    key_prefix=["facts"],
    group_name="facts",
    kinds={"postgres", "sql"},
    owners=OWNERS,
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool=POOL,
    code_version="1",
    metadata=table_metadata(BOOKING.table, BOOKING.columns),
    description=(
        "Every booked appointment of a lead, on the UTC day it was **booked** (not the day of the meeting), over all "
        "workspaces. A reschedule, second meeting or cancellation never moves a booking to another day: only its "
        "status, start, cancellation time and lead change later. Count bookings from here and nowhere else.\n\n"
        "Materializing a day reads the appointments again and brings the day in line; it is safe at any time and "
        "sends nothing. Days that changed are built by `facts_dirty_sensor` within a minute."
    ),
)
def booking(context: dg.AssetExecutionContext, warehouse: Database, clock: Clock) -> dg.MaterializeResult:
    return build_fact(context, warehouse, clock, BOOKING)


@dg.multi_asset_check(
    name="booking_checks", specs=fact_check_specs(booking, "app.appointment (with a lead)"), pool=POOL
)
def booking_checks(context: dg.AssetCheckExecutionContext, warehouse: Database):
    yield from check_fact(context, warehouse, BOOKING)


refresh_booking_facts = dg.define_asset_job(
    "refresh_booking_facts",
    selection=dg.AssetSelection.assets(booking),
    description="Builds days of facts/booking and checks them. Started by facts_dirty_sensor for days that changed.",
    tags=JOB_TAGS,
)
