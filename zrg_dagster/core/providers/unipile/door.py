"""Unipile's door: `POST /api/webhooks/linkedin`, LinkedIn events of every connected account.

The vendor signs nothing; whoever registers the hook gives it a header `x-unipile-secret` (spec/providers.md §8.1). One
address serves all accounts of the vendor's customer, so an account that no workspace has is nobody's mistake: such a
delivery is answered 200 and not stored. One that names no account comes from a hook with renamed keys and is refused,
which the vendor's console shows.
"""

from collections.abc import Iterator, Mapping, Sequence
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
    RouteKey,
    as_object,
    as_text,
    delivery_key,
    form_fields,
    label,
    receipt_bucket,
    secret_matches,
)

PROVIDER = "unipile"
ACCOUNT_STATUS = "AccountStatus"
IGNORED = Reply(b'{"success": true, "ignored": true}', "application/json")
_BLANKS = b" \t\r\n\xef\xbb\xbf"


def said_in(delivery: Delivery) -> Mapping[str, object]:
    """The event's fields. Hooks made by API send JSON without a content type or with a form's (§8.1), so the first
    character decides; `Refused(400)` when the body is neither JSON nor a form."""
    if delivery.content_type == FORM_TYPE and delivery.body.lstrip(_BLANKS)[:1] not in (b"{", b"["):
        return form_fields(delivery.body)
    return delivery.fields


def accounts_in(fields: Mapping[str, object]) -> list[str]:
    """Every account that the event names: of the event itself, and of a change of state."""
    named = (fields.get("account_id"), as_object(fields.get(ACCOUNT_STATUS)).get("account_id"))
    return list(dict.fromkeys(account for account in map(as_text, named) if account))


def route_keys(delivery: Delivery) -> Iterator[RouteKey]:
    for account in accounts_in(said_in(delivery)):
        yield RouteKey(PROVIDER, account)


def verify(delivery: Delivery, secrets: Sequence[str], _now: datetime) -> None:
    if not secret_matches(delivery.headers.get("x-unipile-secret", ""), secrets):
        raise Refused(401, "bad_secret")


def identify(delivery: Delivery, route: Route | None) -> Identity:
    """The vendor sends no delivery id; a retry repeats the bytes, so the body names the delivery.

    A change of an account's state carries no time: the second loss of a login is the bytes of the first. There the
    time of receipt, in ten-minute buckets, belongs to the identity.
    """
    assert route is not None
    fields = said_in(delivery)
    is_status = ACCOUNT_STATUS in fields
    event_type = ACCOUNT_STATUS if is_status else label(fields.get("event") or fields.get("type"))
    said = (delivery.body, receipt_bucket(delivery.received_at)) if is_status else (delivery.body,)
    return Identity(
        provider=PROVIDER,
        scope=route.workspace_key,
        event_type=event_type,
        delivery_key=delivery_key(PROVIDER, route.workspace_key, event_type, *said),
        claims=tuple(RouteKey(PROVIDER, account) for account in accounts_in(fields)),
    )


DOOR = Door(
    provider=PROVIDER,
    content_types=JSON_TYPES | {FORM_TYPE, "text/plain"},
    verify=verify,
    identify=identify,
    route_keys=route_keys,
    unknown_route=IGNORED,
)
