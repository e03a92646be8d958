"""What the imitated Slack workspace holds: users, channels, messages, response URLs; and the click on a message."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provider_sandbox.state import BoundedDict, Sandbox
from provider_sandbox.vendor import SeedError

NAME = "slack"
TEAM = {"id": "T05HARBOUR", "domain": "sandbox"}
BOT_USER = "U05BOTUSER"
BOT_ID = "B05DASHBRD"
APP_ID = "A05DASHBRD"
MAX_RESPONSE_USES = 5
RESPONSE_LIFE_S = 1_800


def make_user(user_id: str, name: str, email: str) -> dict[str, Any]:
    return {
        "id": user_id,
        "team_id": TEAM["id"],
        "name": name,
        "deleted": False,
        "real_name": name.title(),
        "tz": "America/Los_Angeles",
        "tz_offset": -25200,
        "is_bot": False,
        "profile": {"email": email, "display_name": name, "real_name": name.title()},
    }


def make_channel(channel_id: str, name: str) -> dict[str, Any]:
    flags = {"is_channel": True, "is_private": False, "is_archived": False, "is_member": True}
    return {"id": channel_id, "name": name, **flags}


@dataclass(slots=True)
class Store:
    """`messages` by (channel, ts); `directs` maps a user to the DM channel with the bot."""

    team: dict[str, str] = field(default_factory=lambda: dict(TEAM))
    users: BoundedDict = field(
        default_factory=lambda: BoundedDict(
            {"U05REVIEWER": make_user("U05REVIEWER", "reviewer", "reviewer@sandbox.example")}
        )
    )
    channels: BoundedDict = field(
        default_factory=lambda: BoundedDict({"C05ALERTS": make_channel("C05ALERTS", "alerts")})
    )
    directs: BoundedDict = field(default_factory=BoundedDict)
    messages: BoundedDict = field(default_factory=BoundedDict)
    response_urls: BoundedDict = field(default_factory=BoundedDict)
    last_micros: int = 0

    def timestamp(self, sandbox: Sandbox) -> str:
        """A `ts`: seconds and microseconds as text, unique and rising."""
        self.last_micros = max(self.last_micros + 1, int(sandbox.clock.now().timestamp() * 1_000_000))
        return f"{self.last_micros // 1_000_000}.{self.last_micros % 1_000_000:06d}"

    def user_by_email(self, email: str) -> dict[str, Any] | None:
        wanted = email.strip().lower()
        return next((user for user in self.users.values() if user["profile"]["email"].lower() == wanted), None)

    def direct_with(self, user_id: str) -> str:
        if user_id not in self.directs:
            channel = "D" + user_id[1:]
            self.directs[user_id] = channel
            self.channels[channel] = {
                "id": channel,
                "is_im": True,
                "user": user_id,
                "is_archived": False,
                "is_member": True,
            }
        return self.directs[user_id]

    def resolve_channel(self, wanted: str) -> str | None:
        """A channel id from an id, a `#name` or a user id (a DM)."""
        if wanted in self.channels:
            return wanted
        if wanted in self.users:
            return self.direct_with(wanted)
        name = wanted.removeprefix("#")
        return next((key for key, channel in self.channels.items() if channel.get("name") == name), None)

    def add_message(
        self, sandbox: Sandbox, channel: str, body: Mapping[str, Any], *, own: bool = True
    ) -> dict[str, Any]:
        ts = self.timestamp(sandbox)
        message: dict[str, Any] = {"type": "message", "ts": ts, "text": str(body.get("text") or ""), "channel": channel}
        if own:
            message |= {"subtype": "bot_message", "bot_id": BOT_ID, "user": BOT_USER, "app_id": APP_ID}
        else:
            message |= {"user": body.get("user") or "U05REVIEWER"}
        message |= {name: body[name] for name in ("blocks", "metadata", "thread_ts") if body.get(name)}
        self.messages[channel, ts] = message
        return message

    def find_by_ts(self, ts: str, channel: str | None = None) -> dict[str, Any] | None:
        for (message_channel, message_ts), message in self.messages.items():
            if message_ts == ts and channel in (None, message_channel):
                return message
        return None


class ClickError(ValueError):
    """A click that no person could make on the stored message."""


def _input_state(element: Mapping[str, Any], given: Any) -> dict[str, Any]:
    kind = element.get("type")
    if kind == "static_select":
        options = {str(option.get("value")): option for option in element.get("options") or []}
        chosen = options.get(str(given)) if given is not None else element.get("initial_option")
        return {"type": kind, "selected_option": chosen}
    return {"type": kind, "value": given if given is not None else element.get("initial_value")}


def _state_values(blocks: list[Mapping[str, Any]], values: Mapping[str, Any]) -> dict[str, Any]:
    """What Slack sends of the message's inputs: their current value, the prefilled one unless `values` overrides.

    `values` is keyed by action id or block id.
    """
    out: dict[str, Any] = {}
    for number, block in enumerate(blocks):
        block_id = str(block.get("block_id") or f"b{number}")
        elements = (
            [block.get("element")]
            if block.get("type") == "input"
            else block.get("elements") or [block.get("accessory")]
        )
        for element in elements:
            if not isinstance(element, dict) or element.get("type") not in ("plain_text_input", "static_select"):
                continue
            action_id = str(element.get("action_id") or f"{block_id}.input")
            given = values.get(action_id, values.get(block_id))
            out.setdefault(block_id, {})[action_id] = _input_state(element, given)
    return out


def _clicked(blocks: list[Mapping[str, Any]], action_id: str, values: Mapping[str, Any], now_ts: str) -> dict[str, Any]:
    for number, block in enumerate(blocks):
        for element in [*(block.get("elements") or []), block.get("accessory"), block.get("element")]:
            if not isinstance(element, dict) or element.get("action_id") != action_id:
                continue
            action = {
                "action_id": action_id,
                "block_id": str(block.get("block_id") or f"b{number}"),
                "type": element["type"],
                "action_ts": now_ts,
            }
            action |= {name: element[name] for name in ("text", "value", "style", "confirm") if name in element}
            if element["type"] == "static_select":
                state = _input_state(element, values.get(action_id))
                if state["selected_option"] is None:
                    raise ClickError(f"action {action_id}: values.{action_id} must name one of its options")
                action["selected_option"] = state["selected_option"]
            return action
    raise ClickError(f"the message has no element with action_id {action_id}")


def block_actions(
    sandbox: Sandbox,
    message: Mapping[str, Any],
    *,
    action_id: str,
    user_id: str,
    values: Mapping[str, Any],
    response_base: str,
) -> str:
    """The `payload` JSON that Slack posts when a person clicks. Registers a response URL good for five uses."""
    store = sandbox.store(Store)
    blocks, channel = message.get("blocks") or [], message["channel"]
    now_ts, token = store.timestamp(sandbox), sandbox.ids.alnum(24)
    action = _clicked(blocks, action_id, values, now_ts)
    path = f"/actions/{store.team['id']}/{sandbox.ids.number()}/{token}"
    used_until = sandbox.clock.now().timestamp() + RESPONSE_LIFE_S
    store.response_urls[path] = {"channel": channel, "ts": message["ts"], "uses": 0, "until": used_until}
    user = store.users.get(user_id) or make_user(user_id, user_id.lower(), f"{user_id.lower()}@sandbox.example")
    payload = {
        "type": "block_actions",
        "user": {"id": user_id, "username": user["name"], "name": user["name"], "team_id": store.team["id"]},
        "api_app_id": APP_ID,
        "token": "legacy-verification-token",
        "container": {
            "type": "message",
            "message_ts": message["ts"],
            "channel_id": channel,
            "is_ephemeral": False,
        },
        "trigger_id": f"{sandbox.ids.number()}.{sandbox.ids.number()}.{token[:8]}",
        "team": store.team,
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel, "name": store.channels.get(channel, {}).get("name", "directmessage")},
        "message": {name: value for name, value in message.items() if name != "channel"} | {"team": store.team["id"]},
        "state": {"values": _state_values(blocks, values)},
        "response_url": f"{response_base}{path}",
        "actions": [action],
    }
    return json.dumps(payload, separators=(",", ":"))


def snapshot(sandbox: Sandbox) -> Mapping[str, Any]:
    store = sandbox.store(Store)
    kinds = ("users", "channels", "messages")
    return {"team": store.team} | {kind: list(getattr(store, kind).values()) for kind in kinds}


def seed(sandbox: Sandbox, data: Mapping[str, Any]) -> int:
    """`{team: {id, domain}, users: [{id, name, email}], channels: [{id, name}], messages: [{channel, text, user}]}`.

    A seeded message belongs to a person, so the bot may not update it.
    """
    store, taken = sandbox.store(Store), 0
    unknown = set(data) - {"team", "users", "channels", "messages"}
    if unknown:
        raise SeedError(f"slack: unknown kind {sorted(unknown)[0]}")
    try:
        store.team |= data.get("team") or {}
        for item in data.get("users", []):
            user = make_user(item["id"], item.get("name") or item["id"].lower(), item["email"])
            store.users[item["id"]] = user | {key: item[key] for key in ("tz", "deleted") if key in item}
            taken += 1
        for item in data.get("channels", []):
            store.channels[item["id"]] = make_channel(item["id"], item["name"]) | item
            taken += 1
        for item in data.get("messages", []):
            store.add_message(sandbox, item["channel"], item, own=False)
            taken += 1
    except (KeyError, TypeError, AttributeError) as error:
        raise SeedError(f"slack: a record lacks {error}") from error
    return taken
