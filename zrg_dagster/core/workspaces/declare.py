"""A workspace as one reviewed file: validated as a whole, applied in one transaction, secrets only by reference."""

import os
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator


class WorkspaceFileError(ValueError):
    """The file cannot be applied. One line per problem: field, what is wrong, what to write instead."""


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"unknown time zone {value!r}; use an IANA name such as America/New_York")
    return value


def _email(value: str) -> str:
    value = value.strip().lower()
    local, _, domain = value.partition("@")
    if not local or "." not in domain or " " in value or domain.count("@"):
        raise ValueError("not an e-mail address")
    return value


def _reference(value: str) -> str:
    if not value.startswith(("env:", "file:")):
        raise ValueError("a secret is never written here: use env:NAME or file:PATH")
    return value


Zone = Annotated[str, AfterValidator(_zone)]
Email = Annotated[str, AfterValidator(_email)]
SecretReference = Annotated[str, AfterValidator(_reference)]
Role = Literal["ADMIN", "INBOX_MANAGER", "SETTER", "CLIENT_PORTAL"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WorkspacePart(_Part):
    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    name: str = Field(min_length=1)
    timezone: Zone = "America/New_York"
    owner: Email | None = None


class SettingsPart(_Part):
    company_name: str = ""
    sender_name: str = ""
    signature: str = ""
    service_description: str = ""
    tone: str = "friendly"
    booking_link: str | None = Field(default=None, pattern=r"^https?://")
    digest_local_time: time = time(8, 0)
    slack_recipients: list[Email] = []


class MemberPart(_Part):
    email: Email
    name: str = ""
    role: Role
    slack_user: str | None = Field(default=None, pattern=r"^[UW][A-Z0-9]+$")


class EmailBisonPart(_Part):
    base_url: str = Field(pattern=r"^https?://")
    external_id: str
    api_key: SecretReference
    webhook_secret: SecretReference
    allowed_hosts: list[str] = []


class GhlPart(_Part):
    location_id: str
    token: SecretReference
    webhook_secret: SecretReference


class CalendlyPart(_Part):
    token: SecretReference
    signing_key: SecretReference


class SlackPart(_Part):
    bot_token: SecretReference


class IntegrationsPart(_Part):
    emailbison: EmailBisonPart | None = None
    ghl: GhlPart | None = None
    calendly: CalendlyPart | None = None
    slack: SlackPart | None = None


class CampaignPart(_Part):
    provider: Literal["emailbison"] = "emailbison"
    external_id: str
    name: str = ""
    response_mode: Literal["SETTER_MANAGED", "AI_AUTO_SEND"] = "SETTER_MANAGED"
    auto_send_threshold: Decimal = Field(default=Decimal("0.9"), ge=0, le=1)
    delay_min_s: int = Field(default=180, ge=0, le=86_400)
    delay_max_s: int = Field(default=420, ge=0, le=86_400)

    @model_validator(mode="after")
    def _ordered(self) -> "CampaignPart":
        if self.delay_min_s > self.delay_max_s:
            raise ValueError("delay_min_s is larger than delay_max_s")
        return self


class CalendarPart(_Part):
    provider: Literal["ghl", "calendly"]
    external_id: str
    name: str = ""


class StepPart(_Part):
    order: int = Field(ge=1)
    day_offset: int = Field(default=1, ge=1)
    minute_offset: int = Field(default=0, ge=0)
    channel: Literal["email", "sms", "linkedin"]
    subject: str | None = None
    message: str = Field(min_length=1)


class SequencePart(_Part):
    name: str = Field(min_length=1)
    description: str | None = None
    trigger_on: Literal["no_response", "meeting_selected", "manual", "setter_reply"]
    is_active: bool = True
    steps: list[StepPart] = Field(min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> "SequencePart":
        if len({step.order for step in self.steps}) != len(self.steps):
            raise ValueError("two steps have the same order")
        return self


class WorkspaceFile(_Part):
    """The whole file. A list that is absent leaves what the database has; one that is given replaces or adds by key."""

    workspace: WorkspacePart
    settings: SettingsPart = SettingsPart()
    members: list[MemberPart] = []
    integrations: IntegrationsPart = IntegrationsPart()
    campaigns: list[CampaignPart] = []
    calendars: list[CalendarPart] = []
    sequences: list[SequencePart] = []

    @model_validator(mode="after")
    def _recipients_are_members(self) -> "WorkspaceFile":
        reachable = {member.email for member in self.members if member.slack_user}
        unknown = [address for address in self.settings.slack_recipients if address not in reachable]
        if unknown:
            raise ValueError(f"settings.slack_recipients: not a member with a slack_user: {', '.join(unknown)}")
        return self


def parse(source: str) -> WorkspaceFile:
    """The file's text as a checked description; `WorkspaceFileError` names every field that is wrong."""
    try:
        document = yaml.safe_load(source)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise WorkspaceFileError(f"{where}not YAML: {getattr(error, 'problem', 'unreadable')}") from None
    if not isinstance(document, dict):
        raise WorkspaceFileError("line 1: expected a mapping with the key `workspace`")
    try:
        return WorkspaceFile.model_validate(document)
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in p['loc']) or 'file'}: {p['msg']}" for p in error.errors()]
        raise WorkspaceFileError("\n".join(line.replace("Value error, ", "") for line in lines)) from None


def resolve_secret(reference: str, base: Path) -> str:
    """The value behind `env:NAME` or `file:PATH` (relative to the workspace file)."""
    kind, _, where = reference.partition(":")
    if kind == "env":
        value = os.environ.get(where)
        if value is None:
            raise WorkspaceFileError(f"{reference}: the environment variable is not set")
    else:
        path = base / where
        if not path.is_file():
            raise WorkspaceFileError(f"{reference}: no such file")
        value = path.read_text(encoding="utf-8").removesuffix("\n")
    if not value or value != value.strip() or any(ord(character) < 33 for character in value):
        raise WorkspaceFileError(f"{reference}: the secret is empty or contains white space")
    return value
