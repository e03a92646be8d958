"""The capability matrix, every cell of it, and how a user's role is derived."""

import pytest

from zrg_dagster.core.base.settings import load_settings
from zrg_dagster.core.workspaces.access import (
    ASSIGNED_ONLY,
    MATRIX,
    Action,
    Role,
    allowed,
    roles_with,
    strongest,
    super_admins,
)

# Written out by hand from seed 003 §2, seed 002 §8 and the domain reference 8.1: the matrix must agree cell by cell.
COLUMNS = ("SUPER_ADMIN", "OWNER", "ADMIN", "INBOX_MANAGER", "SETTER", "CLIENT_PORTAL")
EXPECTED = {
    "view_workspace": "x x x x x x",
    "view_assigned_leads": "x x x x x .",
    "view_all_leads": "x x x x . x",
    "edit_leads": "x x x x x .",
    "assign_leads": "x x x x . .",
    "send_messages": "x x x x x .",
    "decide_drafts": "x x x x x .",
    "start_follow_ups": "x x x x x .",
    "bulk_regenerate": "x x x . . .",
    "export_person": "x x x . . .",
    "erase_person": "x x x . . .",
    "promote_address": "x x x . . .",
    "change_settings": "x x x . . .",
    "manage_integrations": "x x x . . .",
    "manage_personas": "x x x . . .",
    "manage_sequences": "x x x . . .",
    "manage_campaigns": "x x x . . .",
    "manage_members": "x x x . . .",
    "edit_prompts": "x x x . . .",
    "edit_memory": "x x x . . .",
    "view_ai_observability": "x x x . . .",
    "roll_out_revisions": "x . . . . .",
    "view_pipeline_runs": "x . . . . .",
    "edit_system_prompts": "x . . . . .",
    "review_memory": "x . . . . .",
}
CELLS = [
    (role, action, mark == "x")
    for action, marks in EXPECTED.items()
    for role, mark in zip(COLUMNS, marks.split(), strict=True)
]


def test_the_table_names_every_role_and_every_action() -> None:
    assert set(COLUMNS) == set(Role) == set(MATRIX)
    assert set(EXPECTED) == set(Action)
    assert len(CELLS) == len(Role) * len(Action)


@pytest.mark.parametrize(("role", "action", "expected"), CELLS)
def test_every_cell(role: str, action: str, expected: bool) -> None:
    assert allowed(role, Action(action)) is expected
    assert (role in roles_with(Action(action))) is expected


@pytest.mark.parametrize("role", [None, "", "owner", "MEMBER", "ROOT"])
@pytest.mark.parametrize("action", list(Action))
def test_no_role_and_an_unknown_one_may_do_nothing(role: str | None, action: Action) -> None:
    assert not allowed(role, action)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("action", list(Action))
def test_only_a_setter_is_held_to_assigned_leads(role: Role, action: Action) -> None:
    narrowed = role is Role.SETTER and action in ASSIGNED_ONLY
    assert allowed(role, action, assigned=False) is (allowed(role, action) and not narrowed)


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (set(), None),
        ({"CLIENT_PORTAL"}, "CLIENT_PORTAL"),
        ({"CLIENT_PORTAL", "SETTER"}, "SETTER"),
        ({"SETTER", "INBOX_MANAGER"}, "INBOX_MANAGER"),
        ({"INBOX_MANAGER", "ADMIN", "CLIENT_PORTAL"}, "ADMIN"),
        ({"ADMIN", "OWNER"}, "OWNER"),
        ({"OWNER", "SUPER_ADMIN", "SETTER"}, "SUPER_ADMIN"),
    ],
)
def test_of_several_roles_the_highest_decides(roles: set[str], expected: str | None) -> None:
    assert strongest({Role(role) for role in roles}) == expected


def test_a_client_portal_never_writes() -> None:
    writing = {action for action in Action if not action.value.startswith("view_")}
    assert not any(allowed(Role.CLIENT_PORTAL, action) for action in writing)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("", set()),
        (" , ", set()),
        ("Ada@Example.com", {"ada@example.com"}),
        (" ada@example.com ,BO@example.com\n", {"ada@example.com", "bo@example.com"}),
    ],
)
def test_super_admins_come_from_the_setting_alone(setting: str, expected: set[str]) -> None:
    assert super_admins(load_settings(ZRG_SUPER_ADMINS=setting)) == expected
