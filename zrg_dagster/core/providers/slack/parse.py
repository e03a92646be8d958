"""Slack interactions to review actions (spec/providers.md §11.2, §11.3).

The signature proves the app, not the workspace: draft and workspace come from the button's value and are checked
against the draft later. Editing happens in the card, so the edited text arrives in the click's state.
"""

from datetime import datetime
from urllib.parse import parse_qsl

from zrg_dagster.core.providers.payload import (
    Json,
    child,
    ident,
    items,
    load,
    need_ident,
    need_object,
    raw_text,
    text,
    unknown_event,
)
from zrg_dagster.core.providers.records import Parsed, ReviewAction, ReviewVerb, ShapeError, ignored

# Action ids of our buttons; the older ids stay in cards that were posted before.
ACTIONS: dict[str, ReviewVerb] = {
    "approve": "approve",
    "edit": "edit",
    "regenerate": "regenerate",
    "reject": "reject",
    "approve_send": "approve",
    "edit_send": "edit",
    "regenerate_draft_fast": "regenerate",
}
# `action_id` (or `block_id`) of the card's two inputs.
DRAFT_INPUT = "draft_text"
REASON_INPUT = "reject_reason"

_URL_BUTTONS = {"view_dashboard", "edit_dashboard"}
_OTHER_TYPES = {
    "view_submission", "view_closed", "shortcut", "message_action", "block_suggestion", "event_callback", "url_verification",
    "interactive_message", "workflow_step_edit", "app_rate_limited",
}  # fmt: skip
_MAX_FIELDS = 64


def parse(body: bytes, *, received_at: datetime, workspace_timezone: str | None = None, scope: str) -> Parsed:
    """One delivery: a form with `payload`, or a JSON body of the Events API. Raises `ShapeError`."""
    document = _document(body)
    if document is None:
        return ignored("form", "not_an_interaction")
    kind = text(document, "type") or ""
    if kind in _OTHER_TYPES:
        return ignored(kind, "type_not_handled")
    if kind != "block_actions":
        raise unknown_event("$.type", document.get("type"))
    actions = [action for action in items(document, "actions") if isinstance(action, dict)]
    if not actions:
        return ignored(kind, "no_actions")
    return _click(document, actions[0])


def _document(body: bytes) -> Json | None:
    """The interaction; None for Slack's certificate check and for slash commands, which are no interaction."""
    if body.lstrip()[:1] in (b"{", b"["):
        return need_object(load(body), "$")
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise ShapeError("$", "form", "undecodable bytes") from None
    form: dict[str, str] = {}
    for name, value in pairs:
        form.setdefault(name, value)
    if "payload" in form:
        return need_object(load(form["payload"]), "$.payload")
    if form.get("ssl_check") == "1" or "command" in form:
        return None
    raise ShapeError("$.payload", "form field", "nothing")


def _click(document: Json, action: Json) -> Parsed:
    action_id = text(action, "action_id") or ""
    event_type = f"block_actions/{action_id}" if action_id in ACTIONS or action_id in _URL_BUTTONS else "block_actions"
    if action_id in _URL_BUTTONS or (text(action, "url") and "value" not in action):
        return ignored(event_type, "url_button")
    verb = ACTIONS.get(action_id)
    if verb is None:
        raise unknown_event("$.actions[0].action_id", action.get("action_id"))
    value = _value(action)
    user = child(document, "user")
    container = child(document, "container")
    inputs = _inputs(document)
    review = ReviewAction(
        action=verb,
        action_id=action_id,
        draft_id=ident(value, "draftId") if value else None,
        version=_version(value) if value else None,
        workspace_key=ident(value, "clientId") if value else None,
        user_id=need_ident(user, "id", "$.user.id"),
        user_name=text(user, "name") or text(user, "username"),
        team_id=ident(child(document, "team"), "id") or ident(user, "team_id"),
        channel_id=ident(child(document, "channel"), "id") or ident(container, "channel_id"),
        message_ts=text(child(document, "message"), "ts") or text(container, "message_ts"),
        action_ts=need_ident(action, "action_ts", "$.actions[0].action_ts"),
        edited_text=_edited(inputs) if verb == "edit" else None,
        reason=inputs.get(REASON_INPUT) if verb == "reject" else None,
        response_url=text(document, "response_url"),
        problem=None if value else "unreadable_value",
    )
    return Parsed(event_type, review_action=review)


def _value(action: Json) -> Json | None:
    """The button's JSON, or None when it is not ours: the person who clicked still gets an answer."""
    raw = raw_text(action, "value")
    if raw is None:
        return None
    try:
        value = need_object(load(raw), "$.actions[0].value")
    except ShapeError:
        return None
    return value if ident(value, "draftId") and ident(value, "clientId") else None


def _version(value: Json) -> int | None:
    number = text(value, "version")
    return int(number) if number and number.isascii() and number.isdigit() and len(number) <= 9 else None


def _inputs(document: Json) -> dict[str, str]:
    """Values of the card's inputs by action id, and by block id where that is free."""
    found: dict[str, str] = {}
    for block_id, block in list(child(child(document, "state"), "values").items())[:50]:
        if not isinstance(block, dict):
            continue
        for action_id, element in list(block.items())[:20]:
            if not isinstance(element, dict):
                continue
            value = raw_text(element, "value") or raw_text(child(element, "selected_option"), "value")
            if value is not None:
                found[str(action_id)] = value
                found.setdefault(str(block_id), value)
    return found


def _edited(inputs: dict[str, str]) -> str | None:
    """The draft as the person left it, blanks and line breaks kept."""
    edited = inputs.get(DRAFT_INPUT)
    return edited if edited and edited.strip() else None
