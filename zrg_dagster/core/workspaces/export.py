"""A workspace as the file that describes it. Applying the export changes nothing; secrets are not in it."""

from collections.abc import Iterable
from datetime import datetime, time
from decimal import Decimal
from typing import Any

import yaml
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.ai.overrides import prompt_keys
from zrg_dagster.core.workspaces.apply import load_current
from zrg_dagster.core.workspaces.personas import SETTINGS as MIRRORED
from zrg_dagster.core.workspaces.sealing import Keys
from zrg_dagster.core.workspaces.tables import Row, State
from zrg_dagster.core.workspaces.wanted import USER, WORKSPACE, Current

_LIST = text("""
    SELECT w.key, w.name, w.timezone, w.is_active, u.email AS owner,
           (SELECT count(DISTINCT m.user_id) FROM app.member m WHERE m.workspace_id = w.id) AS members,
           (SELECT string_agg(i.provider, ' ' ORDER BY i.provider) FROM app.integration i
            WHERE i.workspace_id = w.id AND i.is_active) AS integrations
    FROM app.workspace w LEFT JOIN app.user u ON u.id = w.owner_user_id ORDER BY w.key""")


class NoSuchWorkspace(LookupError):
    """No workspace has this key."""


async def list_workspaces(conn: AsyncConnection) -> list[dict[str, Any]]:
    """One dictionary a workspace, by key."""
    return [dict(row) for row in (await conn.execute(_LIST)).mappings()]


async def describe(conn: AsyncConnection, key: str, keys: Keys) -> dict[str, Any]:
    """The document of the workspace's file. `NoSuchWorkspace` when there is none."""
    current = await load_current(conn, key, keys)
    if current.workspace_id is None:
        raise NoSuchWorkspace(f"no workspace has the key {key!r}; `zrg workspace list` shows them")
    return document_of(key, current)


def document_of(key: str, current: Current) -> dict[str, Any]:
    """The file's content for what is stored: sections in the file's order, empty lists included, so that an apply of it
    somewhere else ends equal."""
    state = current.state
    workspace = state[WORKSPACE][()]
    default = any(row["is_default"] for row in state["persona"].values())
    hidden = set(MIRRORED.values()) if default else set()
    settings = {name: value for name, value in state["setting"].get((), {}).items() if name not in hidden}
    settings["slack_recipients"] = [row["email"] for row in _in_order(state, "recipient", "email")]
    settings["round_robin_sequence"] = [row["email"] for row in _in_order(state, "turn", "position")]
    return {
        "workspace": {"key": key, **workspace},
        "settings": settings,
        "members": [_member(row, state) for row in _in_order(state, "member", "email", "role")],
        "integrations": _integrations(state),
        "personas": [_without(row, "handle") for row in _in_order(state, "persona", "handle")],
        "prompts": [
            {"key": row["key"], "base_hash": row["base_hash"], "text": row["content"]}
            for row in _in_order(state, "prompt", "key")
            if row["key"] in prompt_keys()
        ],
        "knowledge": [
            {"title": row["title"], "text": row["body"]} for row in _in_order(state, "knowledge", "position", "title")
        ],
        "qualification_questions": [
            {"question": row["question"], "required": row["is_required"]}
            for row in _in_order(state, "question", "position")
        ],
        "campaigns": _in_order(state, "campaign", "provider", "external_id"),
        "sms_campaigns": [row["label"] for row in _in_order(state, "sms_campaign", "label")],
        "ghl_campaigns": _in_order(state, "ghl_campaign", "external_id"),
        "calendars": [
            _without(row, "is_active") for row in _in_order(state, "calendar", "external_id") if row["is_active"]
        ],
        "sequences": [_sequence(row, state) for row in _in_order(state, "sequence", "name")],
    }


def dump(document: dict[str, Any]) -> str:
    """The document as YAML that `parse` reads, plain values only."""
    head = "# Secrets are stored sealed and not exported. What is left out here stays as it is when this file is applied.\n"
    return head + yaml.dump(_plain(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks: a prompt is reviewed line by line."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def _in_order(state: State, section: str, *columns: str) -> list[Row]:
    return sorted(state[section].values(), key=lambda row: tuple(row[column] for column in columns))


def _without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def _member(row: Row, state: State) -> Row:
    user = state[USER][(row["email"],)]
    return {"email": row["email"], "name": user["name"], "role": row["role"], "slack_user": user["slack_user_id"]}


def _integrations(state: State) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for row in _in_order(state, "integration", "provider"):
        provider = row["provider"]
        if not row["is_active"]:
            continue
        part: dict[str, Any] = {}
        if provider == "emailbison":
            part = {"base_url": row["base_url"], "external_id": row["external_id"]}
            hosts: Iterable[str] = ()
            hosts = next(
                (route["allowed_hosts"] for route in state["route"].values() if route["provider"] == provider), ()
            )
            part["allowed_hosts"] = list(hosts)
        elif provider == "ghl":
            part = {"location_id": row["external_id"]}
        elif provider == "unipile":
            part = {"account_id": row["external_id"]}
        elif provider == "resend":
            part = {"from_email": row["from_email"]}
        elif provider == "clay":
            tables = {"phone_table": row["phone_table_url"], "linkedin_table": row["linkedin_table_url"]}
            part = {name: url for name, url in tables.items() if url}
        elif provider == "crm":
            part = {"url": row["base_url"]}
        written[provider] = part
    return written


def _sequence(row: Row, state: State) -> Row:
    steps = [each for each in _in_order(state, "step", "step_order") if each["sequence"] == row["name"]]
    written = [
        {"order": step["step_order"], **_without(step, "sequence", "step_order", "message_template")}
        | {"message": step["message_template"]}
        for step in steps
    ]
    return {**row, "steps": written}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, Decimal | time):
        return f"{value.normalize():f}" if isinstance(value, Decimal) else value.isoformat()
    return value.isoformat() if isinstance(value, datetime) else value
