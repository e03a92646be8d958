"""How assets are cut: facts by UTC day with the workspace as a column, marts by workspace."""

import dagster as dg

from zrg_dagster.core.analytics.facts import FIRST_DAY

# end_offset=1 makes today a partition, so that a booking of this minute can be built this minute.
DAYS = dg.DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), timezone="UTC", end_offset=1)
# Keys are workspace keys; sensors/workspaces.py adds them and nothing ever deletes one.
WORKSPACES = dg.DynamicPartitionsDefinition(name="workspace")
