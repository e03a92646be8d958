"""What a workspace sends and reads with: sealed credentials and addresses from the database, opened by a pure function."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.seal import Sealer, SealError
from zrg_dagster.core.providers.credential import BaseUrlError, Credential, checked_base_url

CREDENTIAL_NAMES = {
    "emailbison": "emailbison_api_key",
    "smartlead": "smartlead_api_key",
    "instantly": "instantly_api_key",
    "unipile": "unipile_api_key",
    "ghl": "ghl_token",
    "calendly": "calendly_token",
    "slack": "slack_bot_token",
}


class ChannelProblem(StrEnum):
    """Why a vendor of a workspace cannot be called."""

    NOT_CONNECTED = "channel_not_connected"
    INACTIVE = "channel_inactive"
    NO_CREDENTIAL = "channel_no_credential"
    UNREADABLE_CREDENTIAL = "channel_credential_unreadable"
    NO_ADDRESS = "channel_no_address"
    BAD_ADDRESS = "channel_bad_address"


@dataclass(frozen=True, slots=True)
class VendorAccess:
    """One vendor as stored: still sealed."""

    provider: str
    is_connected: bool
    is_active: bool
    base_url: str | None
    external_id: str | None
    sealed: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ChannelAccess:
    """All vendors of a workspace as stored."""

    workspace_id: UUID
    vendors: Mapping[str, VendorAccess]


@dataclass(frozen=True, slots=True)
class ChannelDefaults:
    """What the process offers to a workspace that has nothing of its own. Slack's token serves also a workspace that is
    not connected; the key of Unipile, one for all accounts, only workspaces that have an account."""

    base_urls: Mapping[str, str]
    slack_token: str | None = field(default=None, repr=False)
    unipile_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class OpenChannels:
    """The vendors that can be called, and why each other one cannot."""

    workspace_id: UUID
    credentials: Mapping[str, Credential]
    problems: Mapping[str, ChannelProblem]

    def get(self, provider: str) -> Credential | ChannelProblem:
        return self.credentials.get(provider) or self.problems.get(provider, ChannelProblem.NOT_CONNECTED)


_ACCESS = text("""
    SELECT wanted.provider, i.workspace_id IS NOT NULL AS is_connected, coalesce(i.is_active, false) AS is_active,
           i.base_url, i.external_id, c.sealed
    FROM unnest(CAST(:providers AS text[]), CAST(:names AS text[])) AS wanted (provider, name)
    LEFT JOIN app.integration i ON i.workspace_id = :workspace_id AND i.provider = wanted.provider
    LEFT JOIN secret.credential c ON c.workspace_id = :workspace_id AND c.name = wanted.name""")


async def load_channel_access(conn: AsyncConnection, workspace_id: UUID) -> ChannelAccess:
    """The integrations and sealed credentials of a workspace."""
    parameters = {
        "workspace_id": workspace_id,
        "providers": list(CREDENTIAL_NAMES),
        "names": list(CREDENTIAL_NAMES.values()),
    }
    rows = (await conn.execute(_ACCESS, parameters)).all()
    vendors = {
        row.provider: VendorAccess(
            row.provider, row.is_connected, row.is_active, row.base_url, row.external_id, row.sealed
        )
        for row in rows
    }
    return ChannelAccess(workspace_id, vendors)


def credential_scope(workspace_id: UUID, name: str) -> str:
    """What a credential is sealed for, so that a row copied to another workspace does not open."""
    return f"{workspace_id}:{name}"


def open_channels(access: ChannelAccess, sealer: Sealer | None, defaults: ChannelDefaults) -> OpenChannels:
    """Every vendor's credential, or the reason why it has none. Never raises for one bad row.

    Slack falls back to the token of the process, also for a workspace without a Slack integration of its own.
    """
    credentials: dict[str, Credential] = {}
    problems: dict[str, ChannelProblem] = {}
    for provider, vendor in access.vendors.items():
        opened = _open(access.workspace_id, vendor, sealer, defaults)
        if isinstance(opened, Credential):
            credentials[provider] = opened
        else:
            problems[provider] = opened
    return OpenChannels(access.workspace_id, credentials, problems)


def _open(
    workspace_id: UUID, vendor: VendorAccess, sealer: Sealer | None, defaults: ChannelDefaults
) -> Credential | ChannelProblem:
    if vendor.is_connected and not vendor.is_active:
        return ChannelProblem.INACTIVE
    fallback = {"slack": defaults.slack_token, "unipile": defaults.unipile_key}.get(vendor.provider)
    if not vendor.is_connected and (fallback is None or vendor.provider != "slack"):
        return ChannelProblem.NOT_CONNECTED
    token = _token(workspace_id, vendor, sealer) if vendor.sealed else fallback
    if token is None:
        return ChannelProblem.NO_CREDENTIAL if not vendor.sealed else ChannelProblem.UNREADABLE_CREDENTIAL
    address = vendor.base_url or defaults.base_urls.get(vendor.provider)
    if not address:
        return ChannelProblem.NO_ADDRESS
    try:
        return Credential(checked_base_url(address), token, vendor.external_id)
    except BaseUrlError:
        return ChannelProblem.BAD_ADDRESS


def _token(workspace_id: UUID, vendor: VendorAccess, sealer: Sealer | None) -> str | None:
    if sealer is None or vendor.sealed is None:
        return None
    try:
        return sealer.open(vendor.sealed, scope=credential_scope(workspace_id, CREDENTIAL_NAMES[vendor.provider]))
    except SealError:
        return None
