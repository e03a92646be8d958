"""A workspace as one reviewed file: what may stand in it, and what is wrong with what does.

What a file does not name stays as it is: a section, a setting, an integration. A list that is given is complete: what
it lacks is removed (members, prompts, knowledge, questions, steps) or switched off (calendars, sequences). Personas and
campaigns are only added or changed: `zrg persona delete` removes one, a campaign belongs to its vendor. `null`
disconnects an integration. Secrets stand here by reference only.
"""

import difflib
from datetime import datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from zrg_dagster.core.workspaces import declared_hours
from zrg_dagster.core.workspaces.declared_hours import FILE_PART, HolidaysPart, ScheduleMode, SchedulePart
from zrg_dagster.core.workspaces.declared_integrations import IntegrationPart, IntegrationsPart
from zrg_dagster.core.workspaces.declared_models import ModelSettings, replaced
from zrg_dagster.core.workspaces.declared_prompts import PromptPart
from zrg_dagster.core.workspaces.declared_values import (
    CrmEvents,
    Email,
    Role,
    Template,
    VendorId,
    Zone,
)
from zrg_dagster.core.workspaces.personas import PersonaInput
from zrg_dagster.core.workspaces.source import Source, WorkspaceFileError, read_source


class _Part(BaseModel):
    model_config = FILE_PART


class WorkspacePart(_Part):
    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    name: str = Field(min_length=1)
    timezone: Zone = "America/New_York"
    owner: Email | None = None
    is_active: bool = True


class SettingsPart(ModelSettings, _Part):
    """Columns of `app.workspace_setting`; who reads each is in settings_registry.py."""

    company_name: str = ""
    sender_name: str = ""
    signature: str = ""
    service_description: str = ""
    tone: str = "friendly"
    greeting: str = ""
    sms_greeting: str = ""
    goals: str = ""
    ideal_customer_profile: str = ""
    booking_link: str | None = Field(default=None, pattern=r"^https?://")
    follow_ups_paused_until: datetime | None = None
    digest_local_time: time = time(8, 0)
    slack_recipients: list[Email] = []
    crm_webhook_events: CrmEvents = []
    flag_uncertain_replies: bool = True
    pause_for_ooo: bool = True
    auto_follow_ups_on_reply: bool = False
    round_robin_enabled: bool = False
    round_robin_email_only: bool = False
    round_robin_sequence: Annotated[list[Email], Field(max_length=200)] = []
    review_escalation_minutes: Annotated[int, Field(ge=0, le=10_000)] = 60
    draft_verification_enabled: bool = True
    meeting_overseer_enabled: bool = True
    ai_route_booking_process_enabled: bool = True
    auto_send_revision_enabled: bool = False
    auto_send_revision_max_iterations: Annotated[int, Field(ge=1, le=3)] = 3
    lead_context_bundle_enabled: bool = False
    linkedin_daily_cap: Annotated[int, Field(ge=1, le=500)] = 80
    auto_send_schedule_mode: ScheduleMode = "ALWAYS"
    work_start_time: time = time(9, 0)
    work_end_time: time = time(17, 0)
    auto_send_custom_schedule: SchedulePart | None = None
    auto_send_holidays: HolidaysPart | None = None

    @model_validator(mode="after")
    def _instant(self) -> "SettingsPart":
        if self.follow_ups_paused_until is not None and self.follow_ups_paused_until.tzinfo is None:
            raise ValueError("follow_ups_paused_until names no offset; write 2026-03-10T17:00:00Z")
        return self

    @model_validator(mode="after")
    def _work_has_length(self) -> "SettingsPart":
        if self.work_start_time == self.work_end_time:
            raise ValueError("work_start_time and work_end_time are the same time")
        return self


class MemberPart(_Part):
    email: Email
    name: str = ""
    role: Role
    slack_user: str | None = Field(default=None, pattern=r"^[UW][A-Z0-9]+$")


class CampaignPart(_Part):
    provider: Literal["emailbison", "smartlead", "instantly"] = "emailbison"
    external_id: VendorId
    name: str = ""
    response_mode: Literal["SETTER_MANAGED", "AI_AUTO_SEND"] = "SETTER_MANAGED"
    auto_send_threshold: Decimal = Field(default=Decimal("0.9"), ge=0, le=1, decimal_places=3)
    delay_min_s: int = Field(default=180, ge=0, le=86_400)
    delay_max_s: int = Field(default=420, ge=0, le=86_400)
    auto_send_schedule_mode: ScheduleMode | None = None
    auto_send_custom_schedule: SchedulePart | None = None
    auto_send_holidays: HolidaysPart | None = None
    persona: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _ordered(self) -> "CampaignPart":
        if self.delay_min_s > self.delay_max_s:
            raise ValueError("delay_min_s is larger than delay_max_s")
        return self


class GhlCampaignPart(_Part):
    external_id: VendorId
    name: str = ""


class CalendarPart(_Part):
    provider: Literal["ghl", "calendly"]
    external_id: VendorId
    name: str = ""


class KnowledgePart(_Part):
    title: str = Field(min_length=1, max_length=200)
    text: str = Field(min_length=1, max_length=50_000)


class QuestionPart(_Part):
    question: str = Field(min_length=1, max_length=2000)
    required: bool = False


class StepPart(_Part):
    order: int = Field(ge=1, le=1000)
    day_offset: int = Field(default=1, ge=-3650, le=3650)
    minute_offset: int = Field(default=0, ge=0, le=525_600)
    channel: Literal["email", "sms", "linkedin"]
    subject: Template | None = None
    message: Template = Field(min_length=1)


class SequencePart(_Part):
    name: str = Field(min_length=1)
    description: str | None = None
    trigger_on: Literal["no_response", "meeting_selected", "manual", "setter_reply"]
    is_active: bool = True
    persona: str | None = Field(default=None, min_length=1)
    steps: list[StepPart] = Field(min_length=1)


class WorkspaceFile(_Part):
    """The whole file, each part valid for itself. `problem` names a place in it by path."""

    workspace: WorkspacePart
    settings: SettingsPart = SettingsPart()
    members: list[MemberPart] = []
    integrations: IntegrationsPart = IntegrationsPart()
    personas: list[PersonaInput] = []
    prompts: list[PromptPart] = []
    knowledge: list[KnowledgePart] = []
    qualification_questions: list[QuestionPart] = []
    campaigns: list[CampaignPart] = []
    sms_campaigns: list[Annotated[str, Field(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$")]] = []
    ghl_campaigns: list[GhlCampaignPart] = []
    calendars: list[CalendarPart] = []
    sequences: list[SequencePart] = []
    _source: Source = PrivateAttr(default_factory=lambda: Source("workspace file", {}, {}))

    def read_from(self, source: Source) -> "WorkspaceFile":
        """Remember where the values stand, for the problems that are found later."""
        self._source = source
        return self

    def problem(self, path: tuple[str | int, ...], message: str) -> str:
        return self._source.problem(path, message)

    def notes(self) -> list[str]:
        """What the file says and what is stored instead, a line for each."""
        told = replaced(self._source.document)
        resting = [(index, prompt.note) for index, prompt in enumerate(self.prompts)]
        return [
            *(self.problem(("settings", column), note) for column, note in told.items()),
            *(self.problem(("prompts", index), note) for index, note in resting if note),
        ]

    def twice(self) -> list[str]:
        """Problems of entries that name the same thing; one of the two would silently win."""
        keys: dict[str, list[object]] = {
            "members": [(each.email, each.role) for each in self.members],
            "personas": [each.name.casefold() for each in self.personas],
            "prompts": [each.key for each in self.prompts],
            "knowledge": [each.title for each in self.knowledge],
            "campaigns": [(each.provider, each.external_id) for each in self.campaigns],
            "sms_campaigns": [label.lower() for label in self.sms_campaigns],
            "ghl_campaigns": [each.external_id for each in self.ghl_campaigns],
            "calendars": [(each.provider, each.external_id) for each in self.calendars],
            "sequences": [each.name for each in self.sequences],
        }
        problems = [
            self.problem((section, index), f"the same as entry {given.index(key) + 1}; remove one")
            for section, given in keys.items()
            for index, key in enumerate(given)
            if given.index(key) != index
        ]
        for number, sequence in enumerate(self.sequences):
            orders = [step.order for step in sequence.steps]
            problems += [
                self.problem(("sequences", number, "steps", index, "order"), "two steps have the same order")
                for index, order in enumerate(orders)
                if orders.index(order) != index
            ]
        defaults = [index for index, persona in enumerate(self.personas) if persona.is_default]
        problems += [self.problem(("personas", index), "a second default persona") for index in defaults[1:]]
        return problems


def parse(text: str, name: str = "workspace file") -> WorkspaceFile:
    """The file's text as a checked description; `WorkspaceFileError` names every place that is wrong."""
    source = read_source(text, name)
    try:
        file = WorkspaceFile.model_validate(source.document).read_from(source)
    except ValidationError as error:
        problems = [source.problem(_spoken(each["loc"]), _reason(each)) for each in error.errors(include_input=False)]
        raise WorkspaceFileError(list(dict.fromkeys(problems))) from None
    if problems := file.twice():
        raise WorkspaceFileError(problems)
    return file


def _spoken(location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    return tuple(part for part in location if isinstance(part, int) or not part.startswith("function-"))


_PARTS = (PersonaInput, PromptPart, IntegrationsPart, *declared_hours.PARTS)
_KEYS = sorted(
    {
        "workspace",
        *(
            name
            for part in (*_PARTS, *IntegrationPart.__subclasses__(), *_Part.__subclasses__())
            for name in part.model_fields
        ),
    }
)


def _reason(error: Any) -> str:
    """What is wrong and what to write, without the value: a secret may stand where it should not."""
    kind = error["type"]
    if kind == "missing":
        return "is required; add it"
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(error["loc"][-1]), _KEYS, n=1)
        return f"unknown key; did you mean `{near[0]}`?" if near else "unknown key; remove it"
    message = str(error["msg"]).removeprefix("Value error, ")
    if kind == "string_type":
        message += "; put it in quotes"
    return message
