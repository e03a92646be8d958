"""Who may do what: one table of role and action, and the role that a user has in a workspace.

Every surface asks `allowed`; the database's policies for the web tier (0002_access.sql) draw the same lines for rows.
"""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.settings import Settings


class Role(StrEnum):
    """A user's role in a workspace. OWNER is derived from the workspace's owner, SUPER_ADMIN from ZRG_SUPER_ADMINS;
    the others are stored as memberships."""

    SUPER_ADMIN = "SUPER_ADMIN"
    OWNER = "OWNER"
    ADMIN = "ADMIN"
    INBOX_MANAGER = "INBOX_MANAGER"
    SETTER = "SETTER"
    CLIENT_PORTAL = "CLIENT_PORTAL"


# Of several roles in one workspace the highest decides (seed 003 §2, E5; domain reference 8.1).
PRECEDENCE = {
    Role.SUPER_ADMIN: 5,
    Role.OWNER: 4,
    Role.ADMIN: 4,
    Role.INBOX_MANAGER: 3,
    Role.SETTER: 1,
    Role.CLIENT_PORTAL: 0,
}


class Action(StrEnum):
    """Something that a person does. What a SETTER may do with a lead holds for leads assigned to that setter alone."""

    VIEW_WORKSPACE = "view_workspace"
    VIEW_ASSIGNED_LEADS = "view_assigned_leads"
    VIEW_ALL_LEADS = "view_all_leads"
    EDIT_LEADS = "edit_leads"
    ASSIGN_LEADS = "assign_leads"
    SEND_MESSAGES = "send_messages"
    DECIDE_DRAFTS = "decide_drafts"
    START_FOLLOW_UPS = "start_follow_ups"
    BULK_REGENERATE = "bulk_regenerate"
    EXPORT_PERSON = "export_person"
    ERASE_PERSON = "erase_person"
    PROMOTE_ADDRESS = "promote_address"
    CHANGE_SETTINGS = "change_settings"
    MANAGE_INTEGRATIONS = "manage_integrations"
    MANAGE_PERSONAS = "manage_personas"
    MANAGE_SEQUENCES = "manage_sequences"
    MANAGE_CAMPAIGNS = "manage_campaigns"
    MANAGE_MEMBERS = "manage_members"
    EDIT_PROMPTS = "edit_prompts"
    EDIT_MEMORY = "edit_memory"
    VIEW_AI_OBSERVABILITY = "view_ai_observability"
    ROLL_OUT_REVISIONS = "roll_out_revisions"
    VIEW_PIPELINE_RUNS = "view_pipeline_runs"
    EDIT_SYSTEM_PROMPTS = "edit_system_prompts"
    REVIEW_MEMORY = "review_memory"


_PORTAL = frozenset({Action.VIEW_WORKSPACE, Action.VIEW_ALL_LEADS})
_SETTER = frozenset(
    {
        Action.VIEW_WORKSPACE,
        Action.VIEW_ASSIGNED_LEADS,
        Action.EDIT_LEADS,
        Action.SEND_MESSAGES,
        Action.DECIDE_DRAFTS,
        Action.START_FOLLOW_UPS,
    }
)
_INBOX_MANAGER = _SETTER | {Action.VIEW_ALL_LEADS, Action.ASSIGN_LEADS}
_ADMIN = _INBOX_MANAGER | {
    Action.BULK_REGENERATE,
    Action.EXPORT_PERSON,
    Action.ERASE_PERSON,
    Action.PROMOTE_ADDRESS,
    Action.CHANGE_SETTINGS,
    Action.MANAGE_INTEGRATIONS,
    Action.MANAGE_PERSONAS,
    Action.MANAGE_SEQUENCES,
    Action.MANAGE_CAMPAIGNS,
    Action.MANAGE_MEMBERS,
    Action.EDIT_PROMPTS,
    Action.EDIT_MEMORY,
    Action.VIEW_AI_OBSERVABILITY,
}
# Seed 002 §8: what changes how the platform itself behaves belongs to the people who run it, not to a workspace.
_SUPER_ADMIN = _ADMIN | {
    Action.ROLL_OUT_REVISIONS,
    Action.VIEW_PIPELINE_RUNS,
    Action.EDIT_SYSTEM_PROMPTS,
    Action.REVIEW_MEMORY,
}

MATRIX: dict[Role, frozenset[Action]] = {
    Role.SUPER_ADMIN: _SUPER_ADMIN,
    Role.OWNER: _ADMIN,
    Role.ADMIN: _ADMIN,
    Role.INBOX_MANAGER: _INBOX_MANAGER,
    Role.SETTER: _SETTER,
    Role.CLIENT_PORTAL: _PORTAL,
}
# Actions on a lead that a setter may do with an assigned lead only.
ASSIGNED_ONLY = frozenset(
    {Action.VIEW_ASSIGNED_LEADS, Action.EDIT_LEADS, Action.SEND_MESSAGES, Action.DECIDE_DRAFTS, Action.START_FOLLOW_UPS}
)


def allowed(role: str | None, action: Action, *, assigned: bool = True) -> bool:
    """Whether `role` may do `action`; no role and an unknown one may do nothing (TE-04).

    `assigned` says whether the lead that it is about is assigned to the user; it matters to a SETTER alone (DA-02).
    """
    if role is None or role not in MATRIX:
        return False
    if role == Role.SETTER and action in ASSIGNED_ONLY and not assigned:
        return False
    return action in MATRIX[Role(role)]


def roles_with(action: Action) -> tuple[str, ...]:
    """The roles that may do `action`, strongest first; for statements that select members."""
    having = [role for role, actions in MATRIX.items() if action in actions]
    having.sort(key=lambda role: (-PRECEDENCE[role], role.value))
    return tuple(having)


def strongest(roles: set[Role]) -> Role | None:
    """The role that decides; OWNER before ADMIN, which may do the same."""
    return min(roles, key=lambda role: (-PRECEDENCE[role], role != Role.OWNER, role.value), default=None)


def super_admins(settings: Settings) -> frozenset[str]:
    """The addresses in ZRG_SUPER_ADMINS, without regard to case and white space. There is no built-in one (TE-03)."""
    return frozenset(part.strip().lower() for part in (settings.super_admins or "").split(",") if part.strip())


_ROLES = text("""
    SELECT u.email, w.owner_user_id = u.id AS is_owner,
           coalesce(array_agg(m.role) FILTER (WHERE m.role IS NOT NULL), '{}') AS roles
    FROM app.user u
    JOIN app.workspace w ON w.id = :workspace_id
    LEFT JOIN app.member m ON m.workspace_id = w.id AND m.user_id = u.id
    WHERE u.id = :user_id
    GROUP BY u.email, w.owner_user_id, u.id""")


async def member_role(
    conn: AsyncConnection, workspace_id: UUID, user_id: UUID, *, admins: frozenset[str] = frozenset()
) -> Role | None:
    """The role that decides for this user in this workspace: owned ∪ member ∪ super admin (TE-01); None for a stranger.

    `admins` is `super_admins(settings)`.
    """
    row = (await conn.execute(_ROLES, {"workspace_id": workspace_id, "user_id": user_id})).one_or_none()
    if row is None:
        return None
    roles = {Role(role) for role in row.roles}
    if row.is_owner:
        roles.add(Role.OWNER)
    if row.email in admins:
        roles.add(Role.SUPER_ADMIN)
    return strongest(roles)


_STANDING = text("""
    SELECT u.id, EXISTS (SELECT FROM app.lead l WHERE l.workspace_id = :workspace_id AND l.id = :lead_id
                         AND l.assigned_to_user_id = u.id) AS is_assigned
    FROM app.user u WHERE u.email = :email""")


async def standing_of(
    conn: AsyncConnection, workspace_id: UUID, email: str, lead_id: UUID, *, admins: frozenset[str] = frozenset()
) -> tuple[Role | None, bool]:
    """The role of the user of that address, as `member_role` says, and whether the lead is assigned to them."""
    parameters = {"workspace_id": workspace_id, "lead_id": lead_id, "email": email.strip().lower()}
    user = (await conn.execute(_STANDING, parameters)).one_or_none()
    if user is None:
        return None, False
    return await member_role(conn, workspace_id, user.id, admins=admins), user.is_assigned


_USER = text("SELECT id FROM app.user WHERE email = :email")


async def role_of(
    conn: AsyncConnection, workspace_id: UUID, email: str, *, admins: frozenset[str] = frozenset()
) -> Role | None:
    """The role of the user of that address, as `member_role` says; None for nobody's address."""
    user = (await conn.execute(_USER, {"email": email.strip().lower()})).scalar_one_or_none()
    return await member_role(conn, workspace_id, user, admins=admins) if user is not None else None


_WORKSPACE = text("SELECT id FROM app.workspace WHERE key = :key")


async def workspace_id_of(conn: AsyncConnection, key: str) -> UUID | None:
    """The id behind a workspace's key."""
    return (await conn.execute(_WORKSPACE, {"key": key})).scalar_one_or_none()
