"""That a stage of a reply is done: the row of `app.reply_stage` behind which a retry goes on. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

# The stages of the reply that `done_document` names, as one statement, or as a part of one that stores more.
INSERT_DONE = """
    INSERT INTO app.reply_stage (message_id, stage, workspace_id, outcome, detail, done_at)
    SELECT :message_id, s.stage, :workspace_id, s.outcome, s.detail, :now
    FROM jsonb_to_recordset(CAST(:done AS jsonb)) AS s (stage text, outcome text, detail jsonb)
    ON CONFLICT (message_id, stage) DO UPDATE SET outcome = excluded.outcome, detail = excluded.detail"""


@dataclass(frozen=True, slots=True)
class Done:
    """A stage of the reply that is done: what it came to, and what a retry reads instead of doing it again."""

    stage: str
    outcome: str
    detail: dict[str, Any] = field(default_factory=dict)


def done_document(done: Sequence[Done]) -> str:
    """`done` as `INSERT_DONE` takes them."""
    rows = [{"stage": each.stage, "outcome": each.outcome, "detail": each.detail} for each in done]
    return json.dumps(rows, default=str)
