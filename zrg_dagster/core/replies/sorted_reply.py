"""A reply whose tag is settled, with everything that its further stages work with."""

from dataclasses import dataclass

from zrg_dagster.core.ai.workspace import WorkspaceAi
from zrg_dagster.core.drafting.context import DraftContext
from zrg_dagster.core.replies.classify import SettledTag
from zrg_dagster.core.replies.stages import Reply
from zrg_dagster.core.replies.world import ReplyWorld


@dataclass(frozen=True, slots=True)
class SortedReply:
    """`context` was read once in this try: every stage sees the same conversation."""

    world: ReplyWorld
    ai: WorkspaceAi
    reply: Reply
    tag: SettledTag
    context: DraftContext
    correlation_id: str
