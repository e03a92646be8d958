"""GoHighLevel deliveries to records (spec/providers.md §4.2, §4.3).

Two feeds arrive on one route. Feed A is a workflow's webhook action: contact plus message text, no message id, no usable
time. Feed B is the marketplace app: typed events with ids. The same SMS may come from both, seconds apart in either
order; each has its own key, and whoever stores them heals the pair by contact, text and time.
"""

from datetime import datetime

from zrg_dagster.core.providers.ghl import marketplace, workflow
from zrg_dagster.core.providers.payload import load, need_object
from zrg_dagster.core.providers.records import Parsed


def parse(body: bytes, *, received_at: datetime, workspace_timezone: str | None = None, scope: str) -> Parsed:
    """One delivery. `scope` is the workspace key, part of feed A's key. Raises `ShapeError`."""
    document = need_object(load(body), "$")
    if isinstance(document.get("type"), str) and "locationId" in document:
        return marketplace.read(document, received_at, workspace_timezone)
    return workflow.read(document, received_at, workspace_timezone, scope)
