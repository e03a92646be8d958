"""Opening a workspace's account at a vendor, remembered for a few seconds."""

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from uuid import UUID

from zrg_dagster.resources.channels import Channels

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from zrg_dagster.core.providers.credential import Credential
    from zrg_dagster.core.workspaces.channels import OpenChannels


REMEMBER_S = 30.0


def vendor_access(channels: Channels) -> "Callable[[AsyncConnection, UUID, str], Awaitable[Credential | None]]":
    """A function (connection, workspace, vendor) → credential or None.

    A drain may run for half an hour: what an operator rotates, disconnects or connects meanwhile must reach it. So a
    workspace is read again after `REMEMBER_S`, and at once when its account could not be used.
    """
    from zrg_dagster.core.base.log import get_logger
    from zrg_dagster.core.workspaces.channels import ChannelProblem, load_channel_access

    log = get_logger(__name__)
    opened: dict[UUID, tuple[float, OpenChannels]] = {}

    async def access(conn: "AsyncConnection", workspace_id: UUID, vendor: str) -> "Credential | None":
        read_at, known = opened.get(workspace_id, (float("-inf"), None))
        if known is None or time.monotonic() - read_at > REMEMBER_S:
            known = channels.unlock(await load_channel_access(conn, workspace_id))
            opened[workspace_id] = (time.monotonic(), known)
        found = known.get(vendor)
        if isinstance(found, ChannelProblem):
            opened.pop(workspace_id, None)
            log.warning("vendor_not_usable", workspace_id=str(workspace_id), vendor=vendor, reason=found)
            return None
        return found

    return access
