"""AI personas: who a workspace speaks as, one of them the default. Which one speaks to a lead: `voice.py`.

Every write locks the workspace's row first, so that two of them never interleave, and ends in `_settle`: a workspace
with personas has exactly one default, and the settings row mirrors its texts in the same transaction (PE-04 to PE-08).
Nothing here writes on a read (PE-03).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id

# What a persona says.
FIELDS = (
    "persona_name",
    "tone",
    "greeting",
    "sms_greeting",
    "signature",
    "goals",
    "service_description",
    "ideal_customer_profile",
)
# The settings' columns beside it: the mirror's target, and the fallback where a persona is blank.
SETTINGS = {name: "sender_name" if name == "persona_name" else name for name in FIELDS}
DEFAULT_TONE = "friendly-professional"

Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, max_length=10_000)]


class PersonaError(ValueError):
    """A persona cannot be written like this. One line: what is wrong and what to do."""


class PersonaInput(BaseModel):
    """A persona as somebody writes it. `name` is its key in the workspace, without regard to case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    is_default: bool = False
    persona_name: Line = ""
    tone: Line = DEFAULT_TONE
    greeting: Line = ""
    sms_greeting: Line = ""
    signature: Prose = ""
    goals: Prose = ""
    service_description: Prose = ""
    ideal_customer_profile: Prose = ""

    def texts(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in FIELDS}


class PersonaPatch(BaseModel):
    """The fields of a persona that change; None leaves a field as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)] | None = None
    is_default: bool | None = None
    persona_name: Line | None = None
    tone: Line | None = None
    greeting: Line | None = None
    sms_greeting: Line | None = None
    signature: Prose | None = None
    goals: Prose | None = None
    service_description: Prose | None = None
    ideal_customer_profile: Prose | None = None


_LOCK = text("SELECT id FROM app.workspace WHERE id = :workspace_id FOR NO KEY UPDATE")
_LIST = text("""
    SELECT * FROM app.ai_persona WHERE workspace_id = :workspace_id
    ORDER BY is_default DESC, name, id""")
_GET = text("SELECT * FROM app.ai_persona WHERE workspace_id = :workspace_id AND id = :id")
_FIND = text("SELECT * FROM app.ai_persona WHERE workspace_id = :workspace_id AND lower(name) = lower(:name)")
_INSERT = text(f"""
    INSERT INTO app.ai_persona (id, workspace_id, name, created_at, updated_at, {", ".join(FIELDS)})
    VALUES (:id, :workspace_id, :name, :now, :now, {", ".join(f":{name}" for name in FIELDS)})
    ON CONFLICT (workspace_id, lower(name)) DO NOTHING RETURNING id""")
_UPDATE = text(f"""
    UPDATE app.ai_persona SET name = :name, {", ".join(f"{name} = :{name}" for name in FIELDS)}, updated_at = :now
    WHERE id = :id AND (name, {", ".join(FIELDS)}) IS DISTINCT FROM (:name, {", ".join(f":{name}" for name in FIELDS)})""")
_DELETE = text("DELETE FROM app.ai_persona WHERE workspace_id = :workspace_id AND id = :id")
_CLEAR = text("""
    UPDATE app.ai_persona SET is_default = false, updated_at = :now
    WHERE workspace_id = :workspace_id AND is_default AND id <> :id""")
_SET = text("""
    UPDATE app.ai_persona SET is_default = true, updated_at = :now
    WHERE workspace_id = :workspace_id AND id = :id AND NOT is_default""")
# PE-05, PE-07: the first persona is the default, and the oldest follows a default that was deleted.
_PROMOTE = text("""
    UPDATE app.ai_persona SET is_default = true, updated_at = :now
    WHERE id = (SELECT id FROM app.ai_persona WHERE workspace_id = :workspace_id ORDER BY created_at, id LIMIT 1)
      AND NOT EXISTS (SELECT FROM app.ai_persona d WHERE d.workspace_id = :workspace_id AND d.is_default)""")
_MIRROR = text(f"""
    INSERT INTO app.workspace_setting AS s (workspace_id, {", ".join(SETTINGS.values())}, updated_at)
    SELECT workspace_id, {", ".join(SETTINGS)}, :now FROM app.ai_persona WHERE workspace_id = :workspace_id AND is_default
    ON CONFLICT (workspace_id) DO UPDATE
    SET {", ".join(f"{name} = excluded.{name}" for name in SETTINGS.values())}, updated_at = excluded.updated_at
    WHERE ({", ".join(f"s.{name}" for name in SETTINGS.values())})
        IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in SETTINGS.values())})""")
_SETTINGS = text(f"""
    SELECT {", ".join(f"{column} AS {name}" for name, column in SETTINGS.items())}
    FROM app.workspace_setting WHERE workspace_id = :workspace_id""")


async def list_personas(conn: AsyncConnection, workspace_id: UUID) -> Sequence[Row[Any]]:
    """All personas, the default first, then by name (PE-12)."""
    return (await conn.execute(_LIST, {"workspace_id": workspace_id})).all()


async def find_persona(conn: AsyncConnection, workspace_id: UUID, name: str) -> Row[Any]:
    """The persona of that name; `PersonaError` when there is none."""
    row = (await conn.execute(_FIND, {"workspace_id": workspace_id, "name": name})).one_or_none()
    if row is None:
        raise PersonaError(f"no persona is named {name!r} in this workspace")
    return row


async def create_persona(conn: AsyncConnection, workspace_id: UUID, part: PersonaInput, now: datetime) -> UUID:
    """Add a persona. The first one of a workspace becomes the default, whatever it says (PE-05)."""
    await _lock(conn, workspace_id)
    persona_id = await _insert(conn, workspace_id, part, now)
    if part.is_default:
        await _move_default(conn, workspace_id, persona_id, now)
    await _settle(conn, workspace_id, now)
    return persona_id


async def update_persona(
    conn: AsyncConnection, workspace_id: UUID, persona_id: UUID, patch: PersonaPatch, now: datetime
) -> bool:
    """Change what `patch` names; True when anything changed. The default cannot be switched off, only moved (PE-06)."""
    await _lock(conn, workspace_id)
    current = await _get(conn, workspace_id, persona_id)
    if patch.is_default is False and current.is_default:
        raise PersonaError("this is the default persona; make another one the default instead")
    values = {name: getattr(current, name) for name in ("name", *FIELDS)}
    values |= patch.model_dump(exclude_none=True, exclude={"is_default"})
    if values["name"].lower() != current.name.lower():
        await _refuse_taken(conn, workspace_id, values["name"])
    changed = (await conn.execute(_UPDATE, {"id": persona_id, "now": now, **values})).rowcount > 0
    if patch.is_default:
        changed |= await _move_default(conn, workspace_id, persona_id, now)
    await _settle(conn, workspace_id, now)
    return changed


async def set_default(conn: AsyncConnection, workspace_id: UUID, persona_id: UUID, now: datetime) -> None:
    """Make this persona the default and mirror it. Of two at the same time, the one that commits last stands."""
    await _lock(conn, workspace_id)
    await _get(conn, workspace_id, persona_id)
    await _move_default(conn, workspace_id, persona_id, now)
    await _settle(conn, workspace_id, now)


async def delete_persona(conn: AsyncConnection, workspace_id: UUID, persona_id: UUID, now: datetime) -> None:
    """Remove a persona; sequences and campaigns bound to it become generic (PE-13).

    After the default, the oldest one left is the default (PE-07); after the last one the settings keep its texts.
    """
    await _lock(conn, workspace_id)
    await _get(conn, workspace_id, persona_id)
    await conn.execute(_DELETE, {"workspace_id": workspace_id, "id": persona_id})
    await _settle(conn, workspace_id, now)


async def duplicate_persona(conn: AsyncConnection, workspace_id: UUID, persona_id: UUID, now: datetime) -> UUID:
    """A copy under the first free name of `X (Copy)`, `X (Copy) 2`, …; never the default (PE-10)."""
    await _lock(conn, workspace_id)
    current = await _get(conn, workspace_id, persona_id)
    taken = {row.name.lower() for row in await list_personas(conn, workspace_id)}
    names = (f"{current.name} (Copy){f' {number}' if number > 1 else ''}" for number in count(1))
    free = next(name for name in names if name.lower() not in taken)
    texts = {name: getattr(current, name) for name in FIELDS}
    return await _insert(conn, workspace_id, PersonaInput(name=free, **texts), now)


async def create_from_settings(
    conn: AsyncConnection, workspace_id: UUID, now: datetime, *, name: str = "Default"
) -> UUID | None:
    """Turn what the settings say into the first persona; None when the workspace has personas already (PE-09)."""
    await _lock(conn, workspace_id)
    if await list_personas(conn, workspace_id):
        return None
    row = (await conn.execute(_SETTINGS, {"workspace_id": workspace_id})).one_or_none()
    persona_id = await _insert(conn, workspace_id, PersonaInput(name=name, **(row._asdict() if row else {})), now)
    await _settle(conn, workspace_id, now)
    return persona_id


async def apply_personas(
    conn: AsyncConnection, workspace_id: UUID, personas: Sequence[BaseModel | Mapping[str, Any]], now: datetime
) -> list[str]:
    """Bring the workspace to what a file says; returns the names that were created or changed, the new default included.

    Personas are found by name; one that the file does not name stays. Without `is_default` in the list the default
    stays where it is, and without any default the first of the list becomes it. Nothing is written when nothing differs.
    """
    given = [part.model_dump() if isinstance(part, BaseModel) else part for part in personas]
    parts = [PersonaInput.model_validate(part) for part in given]
    if len({part.name.lower() for part in parts}) != len(parts):
        raise PersonaError("two personas have the same name")
    wanted = [part.name for part in parts if part.is_default]
    if len(wanted) > 1:
        raise PersonaError(f"only one persona can be the default, not {', '.join(wanted)}")
    await _lock(conn, workspace_id)
    known = {row.name.lower(): row for row in await list_personas(conn, workspace_id)}
    changed: list[str] = []
    for part in parts:
        row = known.get(part.name.lower())
        if row is None:
            await _insert(conn, workspace_id, part, now)
            changed.append(part.name)
            continue
        parameters = {"id": row.id, "name": part.name, "now": now, **part.texts()}
        if (await conn.execute(_UPDATE, parameters)).rowcount:
            changed.append(part.name)
    if not wanted and parts and not any(row.is_default for row in known.values()):
        wanted = [parts[0].name]
    for name in wanted:
        persona_id = (await find_persona(conn, workspace_id, name)).id
        if await _move_default(conn, workspace_id, persona_id, now) and name not in changed:
            changed.append(name)
    await _settle(conn, workspace_id, now)
    return changed


async def mirrored_fields(conn: AsyncConnection, workspace_id: UUID) -> tuple[str, ...]:
    """The settings that the default persona owns now, and that nobody may write beside it (PE-14); none without one."""
    rows = await list_personas(conn, workspace_id)
    return tuple(SETTINGS.values()) if any(row.is_default for row in rows) else ()


async def _lock(conn: AsyncConnection, workspace_id: UUID) -> None:
    """One writer of personas per workspace. Rows that refer to the workspace may still be inserted meanwhile."""
    if (await conn.execute(_LOCK, {"workspace_id": workspace_id})).one_or_none() is None:
        raise PersonaError("no such workspace")


async def _get(conn: AsyncConnection, workspace_id: UUID, persona_id: UUID) -> Row[Any]:
    row = (await conn.execute(_GET, {"workspace_id": workspace_id, "id": persona_id})).one_or_none()
    if row is None:
        raise PersonaError("no such persona in this workspace")
    return row


async def _insert(conn: AsyncConnection, workspace_id: UUID, part: PersonaInput, now: datetime) -> UUID:
    values = {"id": new_id(), "workspace_id": workspace_id, "name": part.name, "now": now, **part.texts()}
    persona_id = (await conn.execute(_INSERT, values)).scalar_one_or_none()
    if persona_id is None:
        raise _taken(part.name)
    return persona_id


async def _refuse_taken(conn: AsyncConnection, workspace_id: UUID, name: str) -> None:
    if (await conn.execute(_FIND, {"workspace_id": workspace_id, "name": name})).one_or_none() is not None:
        raise _taken(name)


def _taken(name: str) -> PersonaError:
    return PersonaError(f"a persona named {name!r} exists in this workspace; choose another name")


async def _move_default(conn: AsyncConnection, workspace_id: UUID, persona_id: UUID, now: datetime) -> bool:
    """Clear, then set: the other order would meet the unique index. True when the default moved."""
    parameters = {"workspace_id": workspace_id, "id": persona_id, "now": now}
    await conn.execute(_CLEAR, parameters)
    return (await conn.execute(_SET, parameters)).rowcount > 0


async def _settle(conn: AsyncConnection, workspace_id: UUID, now: datetime) -> None:
    """What holds after every write: a default where there are personas, and the settings equal to it."""
    parameters = {"workspace_id": workspace_id, "now": now}
    await conn.execute(_PROMOTE, parameters)
    await conn.execute(_MIRROR, parameters)
