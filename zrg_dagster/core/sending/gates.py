"""Every reason a send can be blocked by, in the order in which they are asked. Nothing else blocks a send; what only lets
it wait (rates, caps, quiet hours) is in budget.py.

Each gate is one SQL condition over `s` (app.send), `l` (app.lead, may be absent), `d` (app.draft, may be absent) and
`w` (app.workspace). The claim evaluates all of them in the statement that takes the row, so nothing can change between
the check and the claim; lead rows are share-locked before it, so that an opt-out waits or is seen.
"""

from dataclasses import dataclass
from enum import StrEnum


class BlockReason(StrEnum):
    AUTO_SEND_DISABLED = "auto_send_disabled"
    KILL_SWITCH = "kill_switch"
    WORKSPACE_INACTIVE = "workspace_inactive"
    LEAD_BLACKLISTED = "lead_blacklisted"
    LEAD_MERGED = "lead_merged"
    SUPPRESSED = "suppressed"
    DRAFT_NOT_PENDING = "draft_not_pending"
    CAMPAIGN_NOT_AI = "campaign_not_ai_auto_send"
    NEWER_INBOUND = "newer_inbound_exists"
    OUTBOUND_AFTER_TRIGGER = "outbound_after_trigger"
    FOLLOW_UP_NOT_ACTIVE = "follow_up_not_active"
    LEAD_REPLIED = "lead_replied"
    RECIPIENT_CHANGED = "recipient_changed"
    # The one that is no condition of the claim's statement: hours.py asks it before, of automatic answers.
    NO_SEND_WINDOW = "no_send_window"
    SENDER_UNHEALTHY = "sender_unhealthy"


class WaitReason(StrEnum):
    """Why a due send with open gates was not taken yet (budget.py decides)."""

    QUIET_HOURS = "quiet_hours"
    ACCOUNT_PAUSED = "account_paused"
    RATE_BUDGET = "rate_budget"
    DAILY_CAP = "sender_daily_cap"


@dataclass(frozen=True, slots=True)
class Gate:
    reason: BlockReason
    closed_when: str


_TO_LEAD = "s.lead_id IS NOT NULL AND s.channel <> 'slack'"
_AUTOMATIC = f"s.origin <> 'setter' AND {_TO_LEAD}"

GATES: tuple[Gate, ...] = (
    # The environment switch (AM-01): no command lifts it.
    Gate(BlockReason.AUTO_SEND_DISABLED, f":auto_send_disabled AND {_AUTOMATIC}"),
    Gate(
        BlockReason.KILL_SWITCH,
        f"""{_AUTOMATIC} AND EXISTS (
            SELECT FROM app.kill_switch k WHERE k.lifted_at IS NULL AND (
                k.scope = 'global'
                OR (k.scope = 'workspace' AND k.workspace_id = s.workspace_id)
                OR (k.scope = 'campaign' AND k.email_campaign_id = s.email_campaign_id)
                OR (k.scope = 'channel' AND k.channel = s.channel
                    AND (k.workspace_id IS NULL OR k.workspace_id = s.workspace_id))))""",
    ),
    Gate(BlockReason.WORKSPACE_INACTIVE, "NOT w.is_active"),
    Gate(
        BlockReason.LEAD_BLACKLISTED,
        f"{_TO_LEAD} AND (l.id IS NULL OR l.status = 'blacklisted' OR l.sentiment_tag = 'Blacklist')",
    ),
    # Planned by somebody who still held the id of a lead that became part of another one.
    Gate(BlockReason.LEAD_MERGED, f"{_TO_LEAD} AND l.merged_into_lead_id IS NOT NULL"),
    # An opt-out on any channel suppresses all; a carrier word's row with channel sms only that one (design: START).
    Gate(
        BlockReason.SUPPRESSED,
        f"""{_TO_LEAD} AND EXISTS (
            SELECT FROM app.suppression x WHERE x.workspace_id = s.workspace_id AND x.channel IN ('all', s.channel)
              AND ((x.kind = 'lead' AND x.value = s.lead_id::text)
                OR (x.kind = 'email' AND x.value IN (lower(s.recipient), l.email))
                OR (x.kind = 'phone' AND x.value IN (s.recipient, l.phone))))""",
    ),
    Gate(
        BlockReason.DRAFT_NOT_PENDING,
        """s.kind IN ('draft', 'review_card') AND (d.id IS NULL OR d.status <> 'pending'
            OR d.version <> s.draft_version)""",
    ),
    Gate(
        BlockReason.CAMPAIGN_NOT_AI,
        """s.kind = 'draft' AND s.origin = 'ai' AND NOT EXISTS (
            SELECT FROM app.email_campaign c WHERE c.id = s.email_campaign_id AND c.response_mode = 'AI_AUTO_SEND')""",
    ),
    # The prospect has written again: an answer to the older message would talk past them (RC-02).
    Gate(
        BlockReason.NEWER_INBOUND,
        """s.kind = 'draft' AND EXISTS (
            SELECT FROM app.message m JOIN app.message t ON t.id = s.trigger_message_id
            WHERE m.lead_id = s.lead_id AND m.direction = 'inbound' AND NOT m.is_auto_reply AND m.sent_at > t.sent_at)""",
    ),
    # Somebody, or we, answered already (RC-03). A campaign step of the vendor is no answer.
    Gate(
        BlockReason.OUTBOUND_AFTER_TRIGGER,
        """s.kind = 'draft' AND EXISTS (
            SELECT FROM app.touch o JOIN app.message t ON t.id = s.trigger_message_id
            WHERE o.lead_id = s.lead_id AND o.kind IN ('draft', 'human') AND o.sent_at > t.sent_at
              AND o.send_id IS DISTINCT FROM s.id)""",
    ),
    Gate(
        BlockReason.FOLLOW_UP_NOT_ACTIVE,
        """s.kind = 'follow_up' AND NOT EXISTS (
            SELECT FROM app.follow_up_step_execution e JOIN app.follow_up_instance i ON i.id = e.instance_id
            WHERE e.send_id = s.id AND i.status = 'active')""",
    ),
    # FU-34: never talk over a live conversation.
    Gate(BlockReason.LEAD_REPLIED, "s.kind = 'follow_up' AND l.last_message_direction = 'inbound'"),
    Gate(
        BlockReason.RECIPIENT_CHANGED,
        f"""{_TO_LEAD} AND s.channel = 'email' AND NOT EXISTS (
            SELECT FROM app.lead_identity y WHERE y.workspace_id = s.workspace_id AND y.lead_id = s.lead_id
              AND y.kind IN ('email', 'alternate_email') AND y.value = lower(s.recipient))""",
    ),
    # The vendor's last word about the account that sends. A person may try all the same, and the vendor then says why not.
    Gate(
        BlockReason.SENDER_UNHEALTHY,
        f"""{_AUTOMATIC} AND s.sender_account IS NOT NULL AND (
            SELECT n.value FROM app.vendor_notice n
            WHERE n.workspace_id = s.workspace_id AND n.kind = 'sender_health' AND n.provider = s.vendor
              AND n.subject IN (s.sender_account, s.content ->> 'sender_email_id')
            ORDER BY n.noticed_at DESC, n.created_at DESC LIMIT 1) IN ('disconnected', 'removed')""",
    ),
)


def gate_sql() -> str:
    """`CASE` expression that yields the first closed gate's reason, or NULL when all are open."""
    cases = "\n".join(f"WHEN {gate.closed_when} THEN '{gate.reason}'" for gate in GATES)
    return f"CASE\n{cases}\nEND"
