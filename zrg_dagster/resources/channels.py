"""The vendors' APIs as a Dagster resource. Nothing loads and nothing connects before an op asks."""

from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

if TYPE_CHECKING:
    from zrg_dagster.core.providers.clients import VendorClients
    from zrg_dagster.core.workspaces.channels import ChannelAccess, OpenChannels


class Channels(dg.ConfigurableResource):
    """E-mail, SMS, LinkedIn, calendars and Slack. Credentials are per workspace and sealed in the database."""

    max_connections: int = Field(default=64, description="Open connections to all vendors together, per run.")

    def clients(self) -> "VendorClients":
        """The clients of the current event loop: `async with channels.clients() as vendors:`."""
        from zrg_dagster.core.providers.clients import VendorClients

        return VendorClients(max_connections=self.max_connections)

    def unlock(self, access: "ChannelAccess") -> "OpenChannels":
        """The credentials behind what `load_channel_access` read, opened with the keys of this process."""
        from zrg_dagster.core.base.seal import Sealer
        from zrg_dagster.core.base.settings import current_settings
        from zrg_dagster.core.workspaces.channels import ChannelDefaults, open_channels

        settings = current_settings()
        keys, slack_token, unipile_key = settings.secret_keys, settings.slack_bot_token, settings.unipile_api_key
        defaults = ChannelDefaults(
            base_urls={
                "smartlead": settings.smartlead_base_url,
                "instantly": settings.instantly_base_url,
                "unipile": settings.unipile_dsn or "",
                "ghl": settings.ghl_base_url,
                "calendly": settings.calendly_base_url,
                "slack": settings.slack_base_url,
            },
            slack_token=slack_token.get_secret_value() if slack_token else None,
            unipile_key=unipile_key.get_secret_value() if unipile_key else None,
        )
        return open_channels(access, Sealer(keys.get_secret_value()) if keys else None, defaults)
