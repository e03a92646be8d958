"""Delivery failures, told by structure first, and the address that a notice is about (IN-04, IN-05, BO-01..BO-04).

Ordinary words ("blocked", "spam", "rejected") prove nothing: they count only from a mail system or with its vocabulary.
Only inbound e-mail is ever asked (BO-02).
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from zrg_dagster.core.text.address import normalise_email

_READ_CHARS = 20_000

_ADDR = r"<?([^\s@<>()\[\],;:\"']{1,64}@[^\s@<>()\[\],;:\"']{3,190})>?"
# RFC 3464 and the Postfix report come first: they are made to be read by machines.
_RECIPIENTS = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"^[ \t]{{0,4}}(?:final|original)-recipient[ \t]{{0,4}}:[ \t]{{0,4}}(?:rfc822"
        rf"|utf-8)?[ \t]{{0,4}};?[ \t]{{0,4}}{_ADDR}",
        r"<([^\s@<>]{1,64}@[^\s@<>]{3,190})>:? {1,3}(?:host|\(?expanded|unknown user|user unknown|does not exist|said)",
        rf"(?:was(?:n't| not)|could(?:n't| not) be) delivered to:? {{0,3}}(?:the following (?:address"
        rf"|recipient)s?:?)?\s{{0,4}}{_ADDR}",
        rf"delivery to (?:the following recipients? )?{_ADDR}.{{0,80}}fail",
        rf"\b5\d\d[ -]5\.\d{{1,3}}\.\d{{1,3}}[ :]{{1,3}}{_ADDR}",
        rf"\b(?:failed |original )?recipients?(?: address)?:\s{{0,4}}{_ADDR}",
        rf"delivery has failed to these recipients(?: or groups)?:?\s{{0,6}}(?:[^\n@]{{0,80}}[ (<])?{_ADDR}",
        rf"(?:could(?:n't| not) reach|unable to deliver (?:to|your message to)"
        rf"|problem delivering your message to) {_ADDR}",
        rf"\bfailed:\s{{0,4}}{_ADDR}",
        r"(?:undeliver\w{0,8}|bounced?|failed|rejected|failure)[^<>@]{0,200}<([^\s@<>]{1,64}@[^\s@<>]{3,190})>",
    )
)
_RECIPIENTS_MULTILINE = re.compile(_RECIPIENTS[0].pattern, re.I | re.M)

_SYSTEM_PARTS = ("mailer-daemon", "postmaster", "mail-delivery", "maildelivery")
_DELAYED = re.compile(
    r"^[ \t]{0,4}action[ \t]{0,4}:[ \t]{0,4}delayed|\bdelivery (?:is |has been )?(?:delayed|incomplete)|\(delay\)"
    r"|will (?:keep|continue) (?:trying|to try|retrying)"
    r"|\bstatus: 4\.\d|\bwarning: (?:message|could not send)",
    re.I | re.M,
)
_FAILED_REPORT = re.compile(r"^[ \t]{0,4}action[ \t]{0,4}:[ \t]{0,4}failed", re.I | re.M)
_FAILURE = re.compile(
    r"\b5\d\d[ -]5\.\d{1,3}\.\d{1,3}\b|\b55[0-4][ -](?:requested|user|mailbox|no such|unknown|recipient|message"
    r"|relay|address|sorry|permanent)"
    r"|\b(?:undeliver(?:able|ed)|(?:was(?:n't| not)|could(?:n't| not) be|cannot be) delivered"
    r"|delivery (?:has )?failed|delivery (?:status )?notification"
    r"|address (?:not found|couldn't be found|rejected)|user unknown|unknown user|no such user"
    r"|recipient(?: address)? rejected|mailbox (?:is )?(?:full|unavailable|disabled|not found)"
    r"|account (?:that you tried to reach )?(?:does not exist|is disabled)|e-?mail account does not exist"
    r"|over quota|returned to sender|permanent (?:error|failure)|failure notice"
    r"|message blocked|message rejected|access denied|couldn't reach)",
    re.I,
)
_FAILURE_SUBJECT = re.compile(
    r"^\s{0,4}(?:undeliver(?:able|ed)|undelivered mail|delivery status notification|delivery (?:has )?failed"
    r"|mail delivery (?:failed|failure|subsystem)|failure notice|"
    r"returned mail|delivery failure|non remis|unzustellbar|no se puede entregar|delivery notification)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Bounce:
    """A notice of a mail system. `soft` is a delay: the address still works and nobody is suppressed for it."""

    severity: Literal["hard", "soft"]
    rule: str
    recipient: str | None


def detect_bounce(
    *,
    from_email: str | None,
    subject: str | None,
    text: str,
    reply_type: str | None = None,
    folder: str | None = None,
    own_addresses: Collection[str] = (),
) -> Bounce | None:
    """Whether an inbound mail is a delivery notice, and about whom. `text` is the raw text, reports stand below quotes.

    `own_addresses` are our mailboxes as far as known: the notice quotes them, and they are never the bad address.
    """
    text = text[:_READ_CHARS]
    rule = _rule(from_email, subject or "", text, (reply_type or "").lower(), (folder or "").lower())
    if rule is None:
        return None
    delayed = _DELAYED.search(text) or _DELAYED.search(subject or "")
    severity = "soft" if delayed and not _FAILED_REPORT.search(text) else "hard"
    return Bounce(severity, rule, bounced_recipient(text, own_addresses))


def is_bounce_sender(email: str | None) -> bool:
    """Whether an address is a mail system's (the predecessor's list)."""
    if not email:
        return False
    address = email.lower()
    return (
        any(part in address for part in _SYSTEM_PARTS)
        or address.startswith(("bounce", "microsoftexchange"))
        or _is_google_noreply(address)
    )


def bounced_recipient(text: str, own_addresses: Collection[str] = ()) -> str | None:
    """The address a notice says it could not reach; never a mail system's and never one of ours."""
    text = text[:_READ_CHARS]
    own = {address.lower() for address in own_addresses}
    for pattern in (_RECIPIENTS_MULTILINE, *_RECIPIENTS[1:]):
        for match in pattern.finditer(text):
            address = normalise_email(match[1].rstrip(".,"))
            if address and address not in own and not is_bounce_sender(address):
                return address
    return None


def _rule(from_email: str | None, subject: str, text: str, reply_type: str, folder: str) -> str | None:
    if reply_type == "bounced" or folder == "bounced":
        return "vendor_type"
    if _FAILED_REPORT.search(text) and _RECIPIENTS_MULTILINE.search(text):
        return "delivery_report"
    by_system, by_subject = is_bounce_sender(from_email), _FAILURE_SUBJECT.search(subject) is not None
    if not by_system and not by_subject:
        return None
    failure = _FAILURE.search(text) or _FAILURE.search(subject)
    if by_system:
        # noreply@google also sends calendar mail and alerts.
        return "system_sender" if failure or not _is_google_noreply((from_email or "").lower()) else None
    return "failure_subject" if failure else None


def _is_google_noreply(address: str) -> bool:
    return "noreply" in address.replace("-", "") and "google" in address
