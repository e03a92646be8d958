"""Writing a workspace file to the database: one transaction, idempotent, routes and sealed secrets included."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.base.seal import Sealer
from zrg_dagster.core.workspaces.channels import CREDENTIAL_NAMES, credential_scope
from zrg_dagster.core.workspaces.declare import IntegrationsPart, SequencePart, WorkspaceFile

# `(reference) -> secret`
Secrets = Callable[[str], str]

_WORKSPACE = text("""
    INSERT INTO app.workspace AS w (id, key, name, timezone) VALUES (:id, :key, :name, :timezone)
    ON CONFLICT (key) DO UPDATE SET name = excluded.name, timezone = excluded.timezone, updated_at = :now
    RETURNING id""")
_USER = text("""
    INSERT INTO app.user AS u (id, email, name, slack_user_id) VALUES (:id, :email, :name, :slack_user_id)
    ON CONFLICT (email) DO UPDATE SET name = coalesce(nullif(excluded.name, ''), u.name),
        slack_user_id = coalesce(excluded.slack_user_id, u.slack_user_id)
    RETURNING id""")
_OWNER = text("UPDATE app.workspace SET owner_user_id = :user_id WHERE id = :id")
_MEMBER = text(
    "INSERT INTO app.member (workspace_id, user_id, role) VALUES (:workspace_id, :user_id, :role) ON CONFLICT DO NOTHING"
)
_SETTING = text("""
    INSERT INTO app.workspace_setting (workspace_id, company_name, sender_name, signature, service_description, tone,
        booking_link, slack_recipients, digest_local_time, updated_at)
    VALUES (:workspace_id, :company_name, :sender_name, :signature, :service_description, :tone, :booking_link,
        CAST(:slack_recipients AS text[]), :digest_local_time, :now)
    ON CONFLICT (workspace_id) DO UPDATE SET company_name = excluded.company_name, sender_name = excluded.sender_name,
        signature = excluded.signature, service_description = excluded.service_description, tone = excluded.tone,
        booking_link = excluded.booking_link, slack_recipients = excluded.slack_recipients,
        digest_local_time = excluded.digest_local_time, updated_at = excluded.updated_at""")
_INTEGRATION = text("""
    INSERT INTO app.integration (workspace_id, provider, base_url, external_id, updated_at)
    VALUES (:workspace_id, :provider, :base_url, :external_id, :now)
    ON CONFLICT (workspace_id, provider) DO UPDATE SET base_url = excluded.base_url, external_id = excluded.external_id,
        is_active = true, updated_at = excluded.updated_at""")
_CREDENTIAL = text("""
    INSERT INTO secret.credential (workspace_id, name, sealed, updated_at) VALUES (:workspace_id, :name, :sealed, :now)
    ON CONFLICT (workspace_id, name) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at""")
_ROUTE = text("""
    INSERT INTO raw.route (provider, routing_key, workspace_id, workspace_key, allowed_hosts, sealed_secret, updated_at)
    VALUES (:provider, :routing_key, :workspace_id, :workspace_key, CAST(:allowed_hosts AS text[]), :sealed_secret, :now)
    ON CONFLICT (provider, routing_key) DO UPDATE SET allowed_hosts = excluded.allowed_hosts,
        sealed_secret = excluded.sealed_secret, is_active = true, updated_at = excluded.updated_at
        WHERE raw.route.workspace_id = excluded.workspace_id
    RETURNING workspace_id""")
_CAMPAIGN = text("""
    INSERT INTO app.email_campaign (id, workspace_id, provider, external_id, name, response_mode, auto_send_threshold,
        delay_min_s, delay_max_s)
    VALUES (:id, :workspace_id, :provider, :external_id, :name, :response_mode, :auto_send_threshold, :delay_min_s,
        :delay_max_s)
    ON CONFLICT (workspace_id, provider, external_id) DO UPDATE SET name = excluded.name,
        response_mode = excluded.response_mode, auto_send_threshold = excluded.auto_send_threshold,
        delay_min_s = excluded.delay_min_s, delay_max_s = excluded.delay_max_s""")
_CALENDAR = text("""
    INSERT INTO app.calendar (id, workspace_id, provider, external_id, name) VALUES (:id, :workspace_id, :provider,
        :external_id, :name)
    ON CONFLICT (workspace_id, provider, external_id) DO UPDATE SET name = excluded.name, is_active = true""")
_SEQUENCE = text("""
    INSERT INTO app.follow_up_sequence (id, workspace_id, name, description, trigger_on, is_active)
    VALUES (:id, :workspace_id, :name, :description, :trigger_on, :is_active)
    ON CONFLICT (workspace_id, name) DO UPDATE SET description = excluded.description,
        trigger_on = excluded.trigger_on, is_active = excluded.is_active, updated_at = :now
    RETURNING id""")
_STEP = text("""
    INSERT INTO app.follow_up_step (id, workspace_id, sequence_id, step_order, day_offset, minute_offset, channel, subject,
        message_template)
    VALUES (:id, :workspace_id, :sequence_id, :step_order, :day_offset, :minute_offset, :channel, :subject, :message)
    ON CONFLICT (sequence_id, step_order) DO UPDATE SET day_offset = excluded.day_offset,
        minute_offset = excluded.minute_offset, channel = excluded.channel, subject = excluded.subject,
        message_template = excluded.message_template""")


class RouteTaken(ValueError):
    """A vendor's routing id already belongs to another workspace; a delivery must find exactly one."""


class WorkspaceWriter:
    """Applies one checked file. `credentials` seals what we call vendors with, `verifiers` what the receiver checks with."""

    def __init__(
        self, conn: AsyncConnection, *, secrets: Secrets, credentials: Sealer, verifiers: Sealer, now: datetime
    ) -> None:
        self._conn = conn
        self._secrets = secrets
        self._credentials = credentials
        self._verifiers = verifiers
        self._now = now

    async def apply(self, file: WorkspaceFile) -> UUID:
        """Write everything the file says; returns the workspace's id. The caller holds the transaction."""
        part = file.workspace
        parameters = {"id": new_id(), "key": part.key, "name": part.name, "timezone": part.timezone, "now": self._now}
        workspace_id: UUID = (await self._conn.execute(_WORKSPACE, parameters)).scalar_one()
        await self._people(workspace_id, file)
        await self._integrations(workspace_id, part.key, file.integrations)
        for campaign in file.campaigns:
            await self._conn.execute(_CAMPAIGN, {"id": new_id(), "workspace_id": workspace_id, **campaign.model_dump()})
        for calendar in file.calendars:
            await self._conn.execute(_CALENDAR, {"id": new_id(), "workspace_id": workspace_id, **calendar.model_dump()})
        for sequence in file.sequences:
            await self._sequence(workspace_id, sequence)
        return workspace_id

    async def _people(self, workspace_id: UUID, file: WorkspaceFile) -> None:
        slack: dict[str, str] = {}
        for member in file.members:
            user_id = await self._user(member.email, member.name, member.slack_user)
            await self._conn.execute(_MEMBER, {"workspace_id": workspace_id, "user_id": user_id, "role": member.role})
            if member.slack_user:
                slack[member.email] = member.slack_user
        if file.workspace.owner:
            owner = await self._user(file.workspace.owner, "", None)
            await self._conn.execute(_OWNER, {"id": workspace_id, "user_id": owner})
        values = file.settings.model_dump()
        values["slack_recipients"] = [slack[address] for address in file.settings.slack_recipients]
        await self._conn.execute(_SETTING, {"workspace_id": workspace_id, "now": self._now, **values})

    async def _user(self, email: str, name: str, slack_user: str | None) -> UUID:
        parameters = {"id": new_id(), "email": email, "name": name, "slack_user_id": slack_user}
        return (await self._conn.execute(_USER, parameters)).scalar_one()

    async def _integrations(self, workspace_id: UUID, key: str, parts: IntegrationsPart) -> None:
        if (email := parts.emailbison) is not None:
            await self._connect(workspace_id, "emailbison", email.base_url, email.external_id, email.api_key)
            hosts = email.allowed_hosts or [urlsplit(email.base_url).netloc]
            for routing_key in (key, *(f"{host}|{email.external_id}" for host in hosts)):
                await self._route(workspace_id, key, "emailbison", routing_key, email.webhook_secret, hosts)
        if (ghl := parts.ghl) is not None:
            await self._connect(workspace_id, "ghl", None, ghl.location_id, ghl.token)
            await self._route(workspace_id, key, "ghl", ghl.location_id, ghl.webhook_secret, [])
        if (calendly := parts.calendly) is not None:
            await self._connect(workspace_id, "calendly", None, None, calendly.token)
            await self._route(workspace_id, key, "calendly", key, calendly.signing_key, [])
        if (slack := parts.slack) is not None:
            await self._connect(workspace_id, "slack", None, None, slack.bot_token)

    async def _connect(
        self, workspace_id: UUID, provider: str, base_url: str | None, external_id: str | None, secret: str
    ) -> None:
        shared = {"workspace_id": workspace_id, "now": self._now}
        integration = {**shared, "provider": provider, "base_url": base_url, "external_id": external_id}
        await self._conn.execute(_INTEGRATION, integration)
        name = CREDENTIAL_NAMES[provider]
        sealed = self._credentials.seal(self._secrets(secret), scope=credential_scope(workspace_id, name))
        await self._conn.execute(_CREDENTIAL, {**shared, "name": name, "sealed": sealed})

    async def _route(
        self, workspace_id: UUID, key: str, provider: str, routing_key: str, secret: str, hosts: list[str]
    ) -> None:
        sealed = self._verifiers.seal(self._secrets(secret), scope=f"{workspace_id}:verify:{provider}")
        parameters = {
            "provider": provider,
            "routing_key": routing_key,
            "workspace_id": workspace_id,
            "workspace_key": key,
            "allowed_hosts": hosts,
            "sealed_secret": sealed,
            "now": self._now,
        }
        if (await self._conn.execute(_ROUTE, parameters)).scalar_one_or_none() is None:
            raise RouteTaken(
                f"{provider} id {routing_key} is connected to another workspace; disconnect it there first"
            )

    async def _sequence(self, workspace_id: UUID, sequence: SequencePart) -> None:
        parameters = {"id": new_id(), "workspace_id": workspace_id, "now": self._now}
        named = {**parameters, **sequence.model_dump(exclude={"steps"})}
        sequence_id = (await self._conn.execute(_SEQUENCE, named)).scalar_one()
        for step in sequence.steps:
            values = step.model_dump(exclude={"order"})
            row = {"id": new_id(), "workspace_id": workspace_id, "sequence_id": sequence_id, "step_order": step.order}
            await self._conn.execute(_STEP, {**row, **values})
