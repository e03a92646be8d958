"""Opening a workspace's account at a vendor, remembered for the length of one run."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from uuid import UUID

from zrg_dagster.resources.channels import Channels

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from zrg_dagster.core.providers.credential import Credential
    from zrg_dagster.core.workspaces.channels import OpenChannels


def vendor_access(channels: Channels) -> "Callable[[AsyncConnection, UUID, str], Awaitable[Credential | None]]":
    """A function (connection, workspace, vendor) → credential or None; each workspace is read once a run."""
    from zrg_dagster.core.base.log import get_logger
    from zrg_dagster.core.workspaces.channels import ChannelProblem, load_channel_access

    log = get_logger(__name__)
    opened: dict[UUID, OpenChannels] = {}

    async def access(conn: "AsyncConnection", workspace_id: UUID, vendor: str) -> "Credential | None":
        if workspace_id not in opened:
            opened[workspace_id] = channels.unlock(await load_channel_access(conn, workspace_id))
        found = opened[workspace_id].get(vendor)
        if isinstance(found, ChannelProblem):
            log.warning("vendor_not_usable", workspace_id=str(workspace_id), vendor=vendor, reason=found)
            return None
        return found

    return access
