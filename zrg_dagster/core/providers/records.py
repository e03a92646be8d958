"""What one delivery says, in the product's words: the records that every vendor's `parse` returns.

Field meaning: spec/providers.md §1.9 in snake_case. All values are storable in Postgres text (no NUL, no lone
surrogate), all times are aware UTC. Records carry claims of the vendor, not decisions: whether a workspace books this
event type, or whether a lead is known, is decided by whoever holds the database.
"""

from dataclasses import field
from datetime import date, datetime
from typing import Literal

from zrg_dagster.core.base.record import record

Outcome = Literal["accept", "ignore"]
Channel = Literal["email", "sms", "linkedin", "whatsapp", "messenger", "instagram"]
Direction = Literal["inbound", "outbound"]
# `webhook`: a person on the other side wrote it. `inboxxia_campaign`: a campaign step the vendor sent without us.
# `human`: somebody of ours typed it in the vendor's inbox. `api`: our own send, reported back. `workflow`: an
# automation inside the vendor. `bounce`: a mail system.
MessageSource = Literal["webhook", "inboxxia_campaign", "human", "api", "workflow", "bounce"]
TimeQuality = Literal["provider", "receipt"]
AppointmentProvider = Literal["GHL", "CALENDLY"]
AppointmentStatus = Literal["CONFIRMED", "CANCELED", "RESCHEDULED", "SHOWED", "NO_SHOW"]
IdentityKind = Literal[
    "ghl_contact", "emailbison_lead", "linkedin_member", "linkedin_url", "email", "alternate_email", "phone"
]
SignalKind = Literal[
    "opt_out",
    "bounce",
    "sender_health",
    "provider_category",
    "send_confirmed",
    "delivery_status",
    "connection_accepted",
    "notification_mail",
    "dnd",
]
EnrichmentKind = Literal["phone", "linkedin"]
EnrichmentStatus = Literal["success", "not_found", "failed"]
ReviewVerb = Literal["approve", "edit", "regenerate", "reject"]
ShapeCode = Literal["shape_mismatch", "invalid_json", "unknown_event_type"]

# Matching consults the kinds in this order and the first hit decides (LM-02, LM-03).
IDENTITY_PRIORITY: tuple[IdentityKind, ...] = (
    "ghl_contact",
    "emailbison_lead",
    "linkedin_member",
    "linkedin_url",
    "email",
    "alternate_email",
    "phone",
)


class ShapeError(Exception):
    """A delivery that does not fit. The event is quarantined with these three facts, never dropped.

    `path` is a JSON path, `expected` and `got` name types or vocabulary. No value of the payload is kept, so the error
    may be logged and shown; the one exception is the name of an unknown event type.
    """

    def __init__(self, path: str, expected: str, got: str, *, code: ShapeCode = "shape_mismatch") -> None:
        super().__init__(f"{code} at {path}: expected {expected}, got {got}")
        self.path = path
        self.expected = expected
        self.got = got
        self.code: ShapeCode = code


@record
class Person:
    """A mail address with the name it was written with."""

    email: str
    name: str | None = None


@record
class CampaignRef:
    provider: str
    external_id: str
    name: str | None = None


@record
class LeadRecord:
    """The person a delivery is about. `identities` is in matching priority and holds normalised values.

    `current_replier` is somebody else than the lead who wrote this message (CC-01); none on an inbound e-mail means the
    lead wrote it. `phone` is E.164; `phone_raw` is what the vendor sent when no region made it E.164. `reference` is a
    lead id of ours that came back through a link (`utm_content`): a claim to check inside the workspace.
    """

    identities: tuple[tuple[IdentityKind, str], ...] = ()
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    full_name: str | None = None
    phone: str | None = None
    phone_raw: str | None = None
    job_title: str | None = None
    company_name: str | None = None
    company_website: str | None = None
    company_state: str | None = None
    linkedin_url: str | None = None
    linkedin_company_url: str | None = None
    timezone: str | None = None
    campaign: CampaignRef | None = None
    sms_campaign: str | None = None
    sender_account_id: str | None = None
    current_replier: Person | None = None
    alternate_emails: tuple[str, ...] = ()
    reference: str | None = None

    def identity(self, kind: IdentityKind) -> str | None:
        """The first value of that kind."""
        return next((value for name, value in self.identities if name == kind), None)


@record
class MessageFlags:
    """What the deterministic floor and the vendor say about an inbound text. Outbound messages have none set.

    `opt_out_rule` names the rule of `core/text/optout.py`. `keyword` is a carrier word that is no opt-out (`start`,
    `help`). `returns_on` is the day an out-of-office notice announces. Opt-out and bounce win over
    `provider_interested` (IN-03).
    """

    auto_reply: bool = False
    out_of_office: bool = False
    returns_on: date | None = None
    bounce: bool = False
    bounce_rule: str | None = None
    opt_out: bool = False
    opt_out_rule: str | None = None
    keyword: Literal["start", "help"] | None = None
    provider_interested: bool = False
    attachment_only: bool = False


@record
class MessageRecord:
    """One text on one channel. `key` is the identity of what the delivery says, unique per workspace.

    `near_keys` are keys that a retry of the same message may have (it crossed a time bucket). `body` is what the writer
    wrote, `raw_text` and `raw_html` what came. `thread_handle` is what an answer needs; `parent_message_id` the vendor's
    id of the message this one answers. `edited_at` is when we heard of a changed wording of a message sent before: the
    newest wording stays.
    """

    key: str
    channel: Channel
    direction: Direction
    source: MessageSource
    body: str
    sent_at: datetime
    sent_at_quality: TimeQuality
    provider_message_id: str | None = None
    near_keys: tuple[str, ...] = ()
    thread_handle: str | None = None
    parent_message_id: str | None = None
    internet_message_id: str | None = None
    campaign_step_id: str | None = None
    sender_user_id: str | None = None
    subject: str | None = None
    raw_text: str | None = None
    raw_html: str | None = None
    from_email: str | None = None
    from_name: str | None = None
    to_email: str | None = None
    cc: tuple[Person, ...] = ()
    bcc: tuple[Person, ...] = ()
    attachments: tuple[str, ...] = ()
    edited_at: datetime | None = None
    flags: MessageFlags = field(default_factory=MessageFlags)


@record
class AppointmentRecord:
    """One booking as of `version_at`, which orders versions: deliveries arrive in any order.

    `external_id` is the invitee URI or the appointment id, `secondary_id` the scheduled event's URI. With
    `keyed_by_event` the vendor sent no invitee URI and `external_id` is the event's. `fetch_event` asks for the event
    to be read from the vendor because the delivery has no times. `superseded_by` and `supersedes` link a reschedule.
    """

    key: str
    provider: AppointmentProvider
    external_id: str
    status: AppointmentStatus
    version_at: datetime
    secondary_id: str | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    timezone: str | None = None
    join_url: str | None = None
    location: str | None = None
    title: str | None = None
    attendee_email: str | None = None
    attendee_name: str | None = None
    event_type_id: str | None = None
    canceled_by: Literal["host", "invitee"] | None = None
    reason: str | None = None
    superseded_by: str | None = None
    supersedes: str | None = None
    keyed_by_event: bool = False
    fetch_event: bool = False


@record
class SignalRecord:
    """A fact that is neither a message nor an appointment; it is about the delivery's lead unless it names an account.

    `value` is a word of a small vocabulary per kind: opt_out `opted_out`, bounce `hard`|`soft`,
    sender_health `added`|`removed`|`disconnected`|`reconnected`|`degraded`, send_confirmed `sent`,
    delivery_status `failed`|`delivered`, connection_accepted `connected`, dnd `blocked`|`permanent`|`clear`,
    notification_mail `bounced`|`complained`|`suppressed`|`failed`|`domain_failed`. Only provider_category holds free text: the
    vendor's label. `detail` is a rule id or a vendor code, never free text.
    """

    kind: SignalKind
    key: str
    value: str
    at: datetime
    channel: Channel | None = None
    detail: str | None = None
    provider_message_id: str | None = None
    parent_message_id: str | None = None
    account_id: str | None = None
    account_email: str | None = None


@record
class EnrichmentRecord:
    """How a search about one lead ended. `lead_id` is the id that we sent with the question: a claim until checked.

    The found value stands in the record of the lead beside it. `reason` is a code and says why nothing was found.
    """

    key: str
    kind: EnrichmentKind
    status: EnrichmentStatus
    lead_id: str
    at: datetime
    reason: str | None = None


@record
class ReviewAction:
    """A click on a review card. `draft_id` and `workspace_key` come from the button and are claims until checked.

    `draft_id` is none and `problem` says why when the button's value is unreadable: the person who clicked is told so
    through `response_url`. Times are Slack ids and stay text.
    """

    action: ReviewVerb
    action_id: str
    draft_id: str | None
    version: int | None
    workspace_key: str | None
    user_id: str
    user_name: str | None
    team_id: str | None
    channel_id: str | None
    message_ts: str | None
    action_ts: str
    edited_text: str | None = None
    reason: str | None = None
    response_url: str | None = None
    problem: Literal["unreadable_value"] | None = None

    @property
    def key(self) -> str:
        """What the click says: a double click has the same key and is one decision."""
        return f"slack:block_actions:{self.draft_id or self.action_ts}:{self.action_id}"


@record
class Parsed:
    """The whole reading of one delivery. `reason` says why an ignored one carries nothing."""

    event_type: str
    outcome: Outcome = "accept"
    reason: str | None = None
    lead: LeadRecord | None = None
    message: MessageRecord | None = None
    appointment: AppointmentRecord | None = None
    signals: tuple[SignalRecord, ...] = ()
    review_action: ReviewAction | None = None
    enrichment: EnrichmentRecord | None = None


def ignored(event_type: str, reason: str) -> Parsed:
    """An authenticated delivery with nothing for us to do."""
    return Parsed(event_type=event_type, outcome="ignore", reason=reason)
