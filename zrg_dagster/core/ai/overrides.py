"""A workspace's own words for our prompts: every save and reset is a revision that stays (PG-01 to PG-07).

The newest revision of a key counts. It is written against one text of ours (`base_hash`); once ours changes, the words of
the workspace rest until somebody has looked at them, and the command says "needs rebase". What the model must answer, the
JSON schema, is code and stands in no prompt.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.ai import prompts
from zrg_dagster.core.ai.prompts import FOLDER, INPUT_LINE, Prompt, PromptError
from zrg_dagster.core.text.chars import trimmed

MAX_CHARS = 20_000


class OverrideError(ValueError):
    """The words cannot be used. One line."""


@dataclass(frozen=True, slots=True)
class Override:
    """The newest revision of one key. `content` is None after a reset."""

    key: str
    revision: int
    base_hash: str
    content: str | None
    content_hash: str
    changed_by: str
    changed_at: datetime

    @property
    def state(self) -> str:
        """`default`, `override`, or `needs rebase`: ours has changed since, or the words do not fit it, so ours is used."""
        if self.content is None:
            return "default"
        is_current = base_of(self.key) == self.base_hash and _fits(self.key, self.content)
        return "override" if is_current else "needs rebase"

    @property
    def version(self) -> str:
        """What `app.ai_call.prompt_version` says of an answer that these words made."""
        return f"ws.r{self.revision}.{self.content_hash}"


def prompt_keys() -> tuple[str, ...]:
    """Every prompt that we have, by name."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.md")))


def check(key: str, content: str) -> Prompt:
    """`content` as a prompt of that key, or `OverrideError`: instructions, the line `--- input ---`, the input part.

    It must use every placeholder of ours and no other, and none in the instructions that stands in our input alone: what
    others wrote is data.
    """
    if key not in prompt_keys():
        raise OverrideError(f"no prompt has the key {key!r}; `zrg prompts list` shows them")
    ours = prompts.load(key)
    own = _form(key, _stored(content))
    wanted, given = prompts.placeholders(ours), prompts.placeholders(own)
    problems = [f"lacks {{{{{name}}}}}" for name in sorted(wanted - given)]
    problems += [f"knows no {{{{{name}}}}}" for name in sorted(given - wanted)]
    problems += [
        f"{{{{{name}}}}} is what others wrote and belongs below the line `{INPUT_LINE}`"
        for name in sorted(prompts.in_instructions(own) - prompts.in_instructions(ours) - (given - wanted))
    ]
    if problems:
        raise OverrideError(f"prompt {key}: {'; '.join(problems)}")
    return own


def declared(key: str, base_hash: str, content: str) -> str:
    """Words that were written against the text of ours with that hash, as they are stored; `OverrideError` when they cannot be.

    Against ours of today they are checked in full. Words that rest need the form alone: the text that they fit is not known
    here, and nobody is answered with them.
    """
    if base_of(key) in (base_hash, None):
        check(key, content)
    else:
        _form(key, _stored(content))
    return _stored(content)


def base_of(key: str) -> str | None:
    """The hash of ours that words for `key` are written against today; None when there is no such prompt."""
    return prompts.load(key).content_hash if key in prompt_keys() else None


@lru_cache(maxsize=512)
def _fits(key: str, content: str) -> bool:
    """Whether ours of today takes these words. Those of a file may have been stored before ours became what it is."""
    try:
        check(key, content)
    except OverrideError:
        return False
    return True


def _stored(content: str) -> str:
    return trimmed(content) + "\n"


def _form(key: str, content: str) -> Prompt:
    if len(content) > MAX_CHARS:
        raise OverrideError(f"prompt {key}: {len(content)} characters; at most {MAX_CHARS} are allowed")
    try:
        return prompts.parse_body(key, content)
    except PromptError as error:
        raise OverrideError(str(error)) from None


def _hash(content: str) -> str:
    return sha256(content.encode()).hexdigest()[:16]


_COLUMNS = "prompt_key, revision, base_hash, content, content_hash, changed_by, changed_at"
NEWEST = f"""
    SELECT DISTINCT ON (prompt_key) {_COLUMNS} FROM app.prompt_revision
    WHERE workspace_id = :workspace_id ORDER BY prompt_key, revision DESC"""
_NEWEST = text(NEWEST)
_HISTORY = text(f"""
    SELECT {_COLUMNS} FROM app.prompt_revision
    WHERE workspace_id = :workspace_id AND prompt_key = :key ORDER BY revision DESC LIMIT :limit""")
# Two admins who save at once wait for each other; the second writes the next revision.
_TAKE_TURN = text("SELECT id FROM app.workspace WHERE id = :workspace_id FOR NO KEY UPDATE")
_INSERT = text(f"""
    INSERT INTO app.prompt_revision (workspace_id, {_COLUMNS})
    VALUES (:workspace_id, :key, :revision, :base_hash, :content, :content_hash, :changed_by, :now)""")


def override_of(row: Row[Any]) -> Override:
    """The revision in a row of `NEWEST`."""
    said = (row.base_hash, row.content, row.content_hash, row.changed_by, row.changed_at)
    return Override(row.prompt_key, row.revision, *said)


async def newest(conn: AsyncConnection, workspace_id: UUID) -> dict[str, Override]:
    """The newest revision of each key that the workspace ever changed."""
    rows = await conn.execute(_NEWEST, {"workspace_id": workspace_id})
    return {row.prompt_key: override_of(row) for row in rows}


async def history(conn: AsyncConnection, workspace_id: UUID, key: str, limit: int = 100) -> Sequence[Override]:
    """The revisions of one key, newest first."""
    rows = await conn.execute(_HISTORY, {"workspace_id": workspace_id, "key": key, "limit": limit})
    return [override_of(row) for row in rows]


def active(overrides: Iterable[Override]) -> dict[str, Prompt]:
    """The prompts that answers are made with instead of ours, by key, of a workspace's newest revisions."""
    found = {}
    for override in overrides:
        if override.state == "override" and override.content is not None:
            key = override.key
            parsed = prompts.parse_body(key, override.content)
            found[key] = Prompt(key, override.version, override.content_hash, parsed.instructions, parsed.input)
    return found


async def save(
    conn: AsyncConnection,
    workspace_id: UUID,
    key: str,
    content: str | None,
    *,
    changed_by: str,
    now: datetime,
    base_hash: str | None = None,
) -> Override | None:
    """Write the next revision: words that can be used, or None to go back to ours. None when nothing changes.

    `base_hash` is the text of ours that the words were written against, today's without one. The caller writes the audit
    row in the same transaction.
    """
    if content is not None:
        content = declared(key, base_hash or base_of(key) or "", content)
    elif key not in prompt_keys():
        raise OverrideError(f"no prompt has the key {key!r}; `zrg prompts list` shows them")
    await conn.execute(_TAKE_TURN, {"workspace_id": workspace_id})
    before = (await newest(conn, workspace_id)).get(key)
    base = base_hash or prompts.load(key).content_hash
    if (before.content if before else None) == content and (content is None or (before and before.base_hash == base)):
        return None
    revision = (before.revision if before else 0) + 1
    made = Override(key, revision, base, content, _hash(content or ""), changed_by, now)
    await conn.execute(
        _INSERT,
        {
            "workspace_id": workspace_id,
            "key": key,
            "revision": revision,
            "base_hash": base,
            "content": content,
            "content_hash": made.content_hash,
            "changed_by": changed_by,
            "now": now,
        },
    )
    return made
