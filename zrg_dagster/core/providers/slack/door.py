"""Slack's door: `POST /api/webhooks/slack/interactions`, signed with the app's signing secret.

Base string `v0:timestamp:body`, at most 300 s old (spec/providers.md §11.1). The legacy `token` field is never read.
The workspace is inside the clicked value and is checked against the draft later, so the event is stored without one.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from zrg_dagster.core.providers.door import (
    FORM_TYPE,
    JSON_TYPES,
    Delivery,
    Door,
    Identity,
    Refused,
    Reply,
    Route,
    as_object,
    as_text,
    delivery_key,
    form_fields,
    hmac_matches,
    label,
    parse_json,
    within_window,
)

PROVIDER = "slack"
WINDOW_S = 300


def interaction(delivery: Delivery) -> Mapping[str, object]:
    """The interaction inside the form's `payload`, or the JSON body of the Events API, or the bare form fields."""
    if delivery.content_type != FORM_TYPE:
        return delivery.fields
    form = form_fields(delivery.body)
    return as_object(parse_json(form["payload"])) if "payload" in form else {**form, "type": _bare_form_type(form)}


def _bare_form_type(form: Mapping[str, str]) -> str:
    return "slash_command" if "command" in form else "unknown"


def reply_before_auth(delivery: Delivery) -> Reply | None:
    """Slack's certificate check carries no signature and asks for an empty 200; nothing is stored for it."""
    if delivery.content_type == FORM_TYPE and b"ssl_check=1" in delivery.body[:256]:
        return Reply() if form_fields(delivery.body).get("ssl_check") == "1" else None
    return None


def verify(delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
    stamp = delivery.headers.get("x-slack-request-timestamp", "")
    version, _, signature = delivery.headers.get("x-slack-signature", "").partition("=")
    if version != "v0" or not signature:
        raise Refused(401, "no_signature")
    if not within_window(stamp, now, WINDOW_S):
        raise Refused(401, "bad_timestamp")
    if not hmac_matches([signature], b"v0:" + stamp.encode() + b":" + delivery.body, secrets):
        raise Refused(401, "bad_signature")


def reply_after_auth(delivery: Delivery) -> Reply | None:
    """`url_verification` comes as a JSON body and wants its challenge back."""
    if delivery.content_type == FORM_TYPE or delivery.fields.get("type") != "url_verification":
        return None
    challenge = label(delivery.fields.get("challenge"), "")
    return Reply(json.dumps({"challenge": challenge}).encode("ascii"), "application/json")


def identify(delivery: Delivery, _route: Route | None) -> Identity:
    """A click is named by its `action_ts`, its action and the card's `ts`; an Events API call by `event_id`.

    A double click has two `action_ts` and is two deliveries; the draft's claim makes the second harmless (§11.2).
    """
    said = interaction(delivery)
    event_type = label(said.get("type"))
    scope = label(as_object(said.get("team")).get("id"), "") or label(said.get("team_id"), "")
    scope = scope or label(as_object(said.get("enterprise")).get("id"), "none")
    return Identity(
        provider=PROVIDER,
        scope=scope,
        event_type=event_type,
        delivery_key=delivery_key(PROVIDER, scope, event_type, *_named_by(said, delivery)),
    )


def _named_by(said: Mapping[str, object], delivery: Delivery) -> tuple[str | bytes, ...]:
    actions = said.get("actions")
    first = as_object(actions[0]) if isinstance(actions, list) and actions else {}
    stamp = as_text(first.get("action_ts"))
    if stamp:
        card = as_object(said.get("container")).get("message_ts") or as_object(said.get("message")).get("ts")
        return ("action", stamp, as_text(first.get("action_id")), as_text(card))
    if event_id := as_text(said.get("event_id")):
        return ("event", event_id)
    return ("body", delivery.body)


DOOR = Door(
    provider=PROVIDER,
    content_types=JSON_TYPES | {FORM_TYPE},
    verify=verify,
    identify=identify,
    verified_by="app",
    reply_before_auth=reply_before_auth,
    reply_after_auth=reply_after_auth,
    accepted=Reply(),
)
