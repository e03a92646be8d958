"""Feed A: the workflow webhook that reports an inbound SMS (spec/providers.md §4.2)."""

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from zrg_dagster.core.providers.payload import (
    Json,
    attachment_urls,
    child,
    ident,
    need_ident,
    need_object,
    raw_text,
    text,
)  # fmt: skip
from zrg_dagster.core.providers.records import (
    IdentityKind,
    LeadRecord,
    MessageFlags,
    MessageRecord,
    Parsed,
    ignored,
)  # fmt: skip
from zrg_dagster.core.text.address import normalise_email, split_name
from zrg_dagster.core.text.linkedin import find_profile
from zrg_dagster.core.text.optout import detect
from zrg_dagster.core.text.phone import region_of_timezone, to_e164
from zrg_dagster.core.text.times import best_stamp, parse_local

EVENT_TYPE = "workflow.sms_inbound"
# IN-01: `date_created` is the contact's age; a candidate counts only next to receipt.
_NEAR_RECEIPT = timedelta(minutes=20)
# Without Date and Time the key holds no message time, and the second "OK" a lead ever sends would be lost.
BUCKET_S = 600

_LABEL_KEYS = {"client", "clientname", "subclient", "smscampaign", "campaign", "campaignname"}
_LABEL_FIELDS = ("name", "label", "value", "text")
_NOT_LETTERS = re.compile(r"[^a-z]+")
_BLANKS = re.compile(r"\s+")
_SEARCH_DEPTH = 3
_SEARCH_VALUES = 200


def read(document: Json, received_at: datetime, zone: str | None, scope: str) -> Parsed:
    need_ident(need_object(document.get("location"), "$.location"), "id", "$.location.id")
    contact_id = need_ident(document, "contact_id", "$.contact_id")
    custom = child(document, "customData")
    body = _body(document, custom)
    attachments = attachment_urls(child(document, "message")) or attachment_urls(document)
    if not body and not attachments:
        return ignored(EVENT_TYPE, "empty_message")
    key, near_keys = _keys(document, custom, contact_id, body, received_at, scope)
    local = parse_local(custom.get("Date Time"), zone, near=received_at)
    stamp = best_stamp((local, document.get("date_created")), received_at, within=_NEAR_RECEIPT)
    return Parsed(
        EVENT_TYPE,
        lead=_lead(document, custom, contact_id, zone),
        message=MessageRecord(
            key=key,
            near_keys=near_keys,
            channel="sms",
            direction="inbound",
            source="webhook",
            body=body,
            raw_text=raw_text(child(document, "message"), "body") or raw_text(custom, "Message"),
            sent_at=stamp.at,
            sent_at_quality=stamp.quality,
            thread_handle=contact_id,
            attachments=attachments,
            flags=sms_flags(body, attachment_only=not body),
        ),
    )


def sms_flags(body: str, *, attachment_only: bool = False) -> MessageFlags:
    """The floor over an inbound SMS."""
    verdict = detect(body, channel="sms") if body else None
    if verdict is None:
        return MessageFlags(attachment_only=attachment_only)
    if verdict.kind == "opt_out":
        return MessageFlags(opt_out=True, opt_out_rule=verdict.rule)
    return MessageFlags(keyword=verdict.kind)


def _body(document: Json, custom: Json) -> str:
    """`message.body`, else what the workflow's author put into customData, trimmed; line breaks are kept."""
    own = document.get("message")
    found = raw_text(own, "body") if isinstance(own, dict) else raw_text(document, "message")
    return (found or "").strip() or (raw_text(custom, "Message") or "").strip()


def _keys(
    document: Json, custom: Json, contact_id: str, body: str, received_at: datetime, scope: str
) -> tuple[str, tuple[str, ...]]:
    """The message key and, for a message without time, the keys of the neighbouring buckets."""
    date, time = text(custom, "Date"), text(custom, "Time")
    parts = [
        scope,
        contact_id,
        ident(child(document, "workflow"), "id") or "",
        text(document, "date_created") or "",
        date or "",
        time or "",
        _BLANKS.sub(" ", body.strip().lower()),
    ]
    if date or time:
        return _digest(parts), ()
    bucket = int(received_at.timestamp()) // BUCKET_S
    here, before, after = (_digest([*parts, str(number)]) for number in (bucket, bucket - 1, bucket + 1))
    return here, (before, after)


def _digest(parts: list[str]) -> str:
    return "ghl_sms:" + hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]


def _lead(document: Json, custom: Json, contact_id: str, zone: str | None) -> LeadRecord:
    email = normalise_email(document.get("email")) or normalise_email(custom.get("Email"))
    phone_raw = text(document, "phone") or text(custom, "Phone Number")
    phone = to_e164(phone_raw, _region(document, zone))
    full_name = text(document, "full_name")
    first, last = split_name(full_name)
    profile = next(
        (url for value in _strings(custom, document.get("triggerData")) if (url := find_profile(value))), None
    )
    pairs: tuple[tuple[IdentityKind, str | None], ...] = (
        ("ghl_contact", contact_id), ("linkedin_url", profile), ("email", email), ("phone", phone),
    )  # fmt: skip
    return LeadRecord(
        identities=tuple((kind, value) for kind, value in pairs if value),
        email=email,
        first_name=text(document, "first_name") or text(custom, "First Name") or first,
        last_name=text(document, "last_name") or text(custom, "Last Name") or last,
        full_name=full_name,
        phone=phone,
        phone_raw=phone_raw,
        linkedin_url=profile,
        sms_campaign=_label(custom) or _label(child(document, "triggerData")),
    )


def _region(document: Json, zone: str | None) -> str | None:
    """The contact's country, else the workspace's."""
    country = text(document, "country")
    return country if country and len(country) == 2 else region_of_timezone(zone)


def _label(values: Json) -> str | None:
    """The campaign label: `Client` or `client` first, then any key that reads like one; objects give their name."""
    candidates = [values.get("Client"), values.get("client")]
    candidates += [
        value
        for key, value in values.items()
        if isinstance(key, str) and _NOT_LETTERS.sub("", key.lower()) in _LABEL_KEYS
    ]
    for candidate in candidates:
        holder: Json = candidate if isinstance(candidate, dict) else {"name": candidate}
        label = next((found for field in _LABEL_FIELDS if (found := text(holder, field))), None)
        if label:
            return label[:200]
    return None


def _strings(*roots: object) -> Iterator[str]:
    """Strings in nested data, at most three levels deep and a bounded number of them."""
    level, seen = list(roots), 0
    for _ in range(_SEARCH_DEPTH):
        below: list[object] = []
        for node in level:
            values = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
            for value in values:
                seen += 1
                if seen > _SEARCH_VALUES:
                    return
                if isinstance(value, str):
                    yield value
                elif isinstance(value, dict | list):
                    below.append(value)
        level = below
