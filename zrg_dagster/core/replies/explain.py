"""What happened to a lead or a draft, in time order: what was decided, by which rule, with which inputs. No texts, no
addresses: what people wrote stays where it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.replies.why import why

MAX_LINES = 1_000
_MAX_VALUE = 120


class ExplainError(ValueError):
    """There is nothing under this id. One line."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened. `refs` are the ids it is about."""

    at: datetime
    what: str
    code: str | None
    inputs: Mapping[str, Any]
    refs: frozenset[UUID]

    @property
    def why(self) -> str:
        return why(self.code)


@dataclass(frozen=True, slots=True)
class Story:
    """`verdict` says in one line how things stand."""

    verdict: str
    lines: tuple[Line, ...]


_LINES = text("""
    SELECT * FROM (
        SELECT m.sent_at AS at, m.direction || ' ' || m.channel || ' message' AS what,
               CASE WHEN m.opt_out_rule IS NOT NULL THEN 'opt_out:' || m.opt_out_rule WHEN m.is_bounce THEN 'bounce'
                    WHEN m.is_out_of_office THEN 'out_of_office' WHEN m.is_auto_reply THEN 'auto_reply' END AS code,
               jsonb_strip_nulls(jsonb_build_object('through', m.provider, 'source', m.source, 'sent_by', m.sent_by,
                   'event', m.event_id)) AS inputs, ARRAY[m.id, m.send_id] AS refs, 1 AS turn, m.message_key AS nth
        FROM app.message m WHERE m.lead_id = :lead
        UNION ALL
        SELECT e.changed_at, 'tag ' || e.previous_tag || ' → ' || e.tag, NULL,
               jsonb_strip_nulls(jsonb_build_object('source', e.source, 'confidence', e.confidence)),
               ARRAY[e.message_id], 3, lpad(e.id::text, 20, '0')
        FROM app.sentiment_event e WHERE e.lead_id = :lead
        UNION ALL
        SELECT g.done_at, 'stage ' || g.stage || ': ' || g.outcome, g.detail ->> 'reason', g.detail - 'reason',
               ARRAY[g.message_id], 2, g.stage
        FROM app.reply_stage g JOIN app.message m ON m.id = g.message_id WHERE m.lead_id = :lead
        UNION ALL
        SELECT c.called_at, 'model asked: ' || c.prompt_key || ' → ' || c.outcome, NULL,
               jsonb_strip_nulls(jsonb_build_object('version', c.prompt_version, 'model', c.model, 'ms', c.latency_ms,
                   'effort', c.effort, 'input_tokens', c.input_tokens, 'output_tokens', c.output_tokens,
                   'usd', c.cost_usd, 'source', c.source)), ARRAY[c.message_id], 2, c.id::text
        FROM app.ai_call c JOIN app.message m ON m.id = c.message_id WHERE m.lead_id = :lead
        UNION ALL
        SELECT r.created_at, 'draft was told a note of the ' || (n.note ->> 'scope'), NULL,
               jsonb_build_object('note', n.note -> 'id', 'chars', n.note -> 'chars'), ARRAY[r.draft_id, r.trigger_message_id], 2,
               lpad(n.nth::text, 3, '0')
        FROM app.draft_pipeline_run r
        CROSS JOIN LATERAL jsonb_array_elements(coalesce(r.snapshot -> 'memory', '[]')) WITH ORDINALITY AS n (note, nth)
        WHERE r.lead_id = :lead
        UNION ALL
        SELECT d.created_at, d.channel || ' draft written', NULL, jsonb_build_object('draft', d.id),
               ARRAY[d.id, d.trigger_message_id], 4, d.id::text
        FROM app.draft d WHERE d.lead_id = :lead
        UNION ALL
        SELECT x.decided_at, 'decided about ' || x.subject || ': ' || x.code, coalesce(x.detail ->> 'reason', x.code),
               x.detail - 'reason', ARRAY[x.subject_id], CASE x.subject WHEN 'send' THEN 7 ELSE 5 END, lpad(x.id::text, 20, '0')
        FROM app.decision x WHERE x.lead_id = :lead
        UNION ALL
        SELECT s.planned_at, s.kind || ' planned through ' || s.vendor, NULL,
               jsonb_strip_nulls(jsonb_build_object('send', s.id, 'origin', s.origin, 'due', s.due_at)),
               ARRAY[s.id, s.draft_id, s.trigger_message_id], 6, s.id::text
        FROM app.send s WHERE s.lead_id = :lead
        UNION ALL
        SELECT coalesce(s.finished_at, s.due_at), s.kind || ' send is ' || s.state, s.reason,
               jsonb_strip_nulls(jsonb_build_object('send', s.id, 'vendor', s.vendor, 'attempts', s.attempts,
                   'looked_for_until', s.settle_until, 'found_by', s.vendor_detail ->> 'found_by')),
               ARRAY[s.id, s.draft_id, s.trigger_message_id], 8, s.id::text
        FROM app.send s WHERE s.lead_id = :lead AND (s.state <> 'planned' OR s.reason IS NOT NULL)
        UNION ALL
        SELECT coalesce(j.finished_at, j.run_at), 'job ' || j.kind || ' is ' || j.state, j.reason,
               jsonb_build_object('job', j.id, 'attempts', j.attempts), ARRAY[j.message_id, j.id], 9, j.id::text
        FROM app.job j WHERE j.lead_id = :lead AND j.state IN ('parked', 'dead', 'discarded')
        UNION ALL
        SELECT u.suppressed_at, 'nothing more is sent on ' || u.channel, u.reason,
               jsonb_build_object('by', u.kind, 'source', u.source), ARRAY[]::uuid[], 10, u.value
        FROM app.suppression u WHERE u.workspace_id = :workspace AND u.kind = 'lead' AND u.value = CAST(:lead AS text)
    ) l ORDER BY at, turn, nth LIMIT :limit""")
_LEAD = text("SELECT workspace_id, status, sentiment_tag, merged_into_lead_id FROM app.lead WHERE id = :id")
_DRAFT = text("SELECT lead_id, trigger_message_id FROM app.draft WHERE id = :id")
_OPEN = text("""
    SELECT d.id, d.status, d.action, d.reason, s.state, s.reason AS send_reason, s.due_at, s.origin
    FROM app.draft d LEFT JOIN app.send s ON s.draft_id = d.id AND s.kind = 'draft'
    WHERE d.lead_id = :lead AND (CAST(:draft AS uuid) IS NULL OR d.id = :draft)
    ORDER BY d.created_at DESC, d.id DESC LIMIT 1""")


async def explain_lead(conn: AsyncConnection, lead_id: UUID) -> Story:
    """Everything about a lead, oldest first, at most a thousand lines."""
    return Story(await _verdict(conn, lead_id, None), await _lines(conn, lead_id))


async def explain_draft(conn: AsyncConnection, draft_id: UUID) -> Story:
    """What led to a draft and what became of it: the lead's lines about the draft, its trigger and its send."""
    draft = (await conn.execute(_DRAFT, {"id": draft_id})).one_or_none()
    if draft is None:
        raise ExplainError(f"no draft has the id {draft_id}; `zrg drafts list --status all` shows them")
    lines = await _lines(conn, draft.lead_id)
    about = {draft_id, draft.trigger_message_id}
    about |= {ref for line in lines if draft_id in line.refs for ref in line.refs}
    return Story(
        await _verdict(conn, draft.lead_id, draft_id),
        tuple(line for line in lines if line.refs & about or not line.refs),
    )


async def _lines(conn: AsyncConnection, lead_id: UUID) -> tuple[Line, ...]:
    lead = (await conn.execute(_LEAD, {"id": lead_id})).one_or_none()
    if lead is None:
        raise ExplainError(f"no lead has the id {lead_id}")
    parameters = {"lead": lead_id, "workspace": lead.workspace_id, "limit": MAX_LINES}
    rows = await conn.execute(_LINES, parameters)
    return tuple(
        Line(row.at, row.what, row.code, _shown(row.inputs), frozenset(ref for ref in row.refs if ref is not None))
        for row in rows
    )


def _shown(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs without what could name somebody: a text with an address in it, or a long one."""
    shown: dict[str, Any] = {}
    for name, value in inputs.items():
        if value is None or value in ("", {}, []):
            continue
        words = str(value)
        shown[name] = "…" if "@" in words or len(words) > _MAX_VALUE else value
    return shown


async def _verdict(conn: AsyncConnection, lead_id: UUID, draft_id: UUID | None) -> str:
    """How things stand, from the lead and its newest draft."""
    lead = (await conn.execute(_LEAD, {"id": lead_id})).one_or_none()
    if lead is None:
        raise ExplainError(f"no lead has the id {lead_id}")
    if lead.merged_into_lead_id is not None:
        return f"this lead became part of {lead.merged_into_lead_id}: ask about that one"
    draft = (await conn.execute(_OPEN, {"lead": lead_id, "draft": draft_id})).one_or_none()
    if draft is None:
        return f"no answer was drafted; the lead is {lead.status}, tagged {lead.sentiment_tag}"
    return stands(draft.status, draft.action, draft.reason, draft.state, draft.send_reason, draft.due_at)


def stands(
    status: str,
    action: str | None,
    reason: str | None,
    state: str | None,
    send_reason: str | None,
    due_at: datetime | None,
) -> str:
    """The sentence about a draft and its send. Pure."""
    because = (
        f" ({send_reason}: {why(send_reason)})" if why(send_reason) else f" ({send_reason})" if send_reason else ""
    )
    if state == "sent":
        return "the answer was sent"
    if state == "planned":
        return f"the answer leaves at {due_at:%Y-%m-%d %H:%M:%SZ}{because}"
    if state == "sending":
        return "the answer is being sent"
    if state == "unknown":
        return f"the vendor did not confirm the answer; it is being looked for{because}"
    if state == "needs_human":
        return f"nobody knows whether the answer was sent{because}: look at the vendor, then launch `settle_sends`"
    if state in ("blocked", "refused") and status == "pending":
        return f"the answer was {state}{because}; a person can still approve it"
    if status == "rejected":
        return f"the draft was rejected ({reason})" if reason else "the draft was rejected"
    if state in ("blocked", "refused"):
        return f"the answer was {state}{because}"
    if status == "pending":
        because = f": {why(reason)}" if why(reason) else ""
        return f"the draft waits for a person ({reason or action or 'not decided yet'}{because})"
    return f"the draft is {status}"


def markdown(story: Story) -> str:
    """The story as a table."""
    rows = ["| when | what | code | why | with |", "|---|---|---|---|---|"]
    for line in story.lines:
        inputs = ", ".join(f"{name}={value}" for name, value in line.inputs.items())
        cells = (f"{line.at:%Y-%m-%d %H:%M:%SZ}", line.what, line.code or "", line.why, inputs)
        rows.append(f"| {' | '.join(cell.replace('|', '¦').replace(chr(10), ' ') for cell in cells)} |")
    return "\n".join([f"**{story.verdict}**", "", *rows])


def plain(story: Story) -> Sequence[str]:
    """The story as lines for a terminal."""
    lines = [story.verdict]
    for line in story.lines:
        inputs = " ".join(f"{name}={value}" for name, value in line.inputs.items())
        said = f"{line.code}: {line.why}" if line.code and line.why else line.code or ""
        lines.append("  ".join(part for part in (f"{line.at:%Y-%m-%d %H:%M:%SZ}", line.what, said, inputs) if part))
    return lines
