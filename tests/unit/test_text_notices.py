"""Mail no person wrote: bounces, automatic replies and the day somebody returns."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.text.autoreply import detect_auto_reply
from zrg_dagster.core.text.bounce import bounced_recipient, detect_bounce

NOW = datetime(2026, 3, 10, 16, 41, tzinfo=UTC)  # a Tuesday

DSN = (
    "I'm sorry to have to inform you that your message could not be delivered.\n\n"
    "<joren@pelican.example>: host mx.pelican.example said: 550 5.1.1 user unknown\n\n"
    "Final-Recipient: rfc822; joren@pelican.example\nAction: failed\nStatus: 5.1.1\n"
)


@pytest.mark.parametrize(
    ("text", "recipient"),
    [
        (DSN, "joren@pelican.example"),
        ("<joren@pelican.example>: host mx.pelican.example said: 550", "joren@pelican.example"),
        ("Your message wasn't delivered to joren@pelican.example because", "joren@pelican.example"),
        ("It couldn't be delivered to <Joren@Pelican.example>.", "joren@pelican.example"),
        ("Delivery to joren@pelican.example has failed", "joren@pelican.example"),
        ("550 5.1.1 <joren@pelican.example>: no such user", "joren@pelican.example"),
        ("Failed recipient: joren@pelican.example", "joren@pelican.example"),
        (
            "Delivery has failed to these recipients or groups:\n\nJoren (joren@pelican.example)",
            "joren@pelican.example",
        ),
        ("We couldn't reach joren@pelican.example.", "joren@pelican.example"),
        ("failed: joren@pelican.example", "joren@pelican.example"),
        ("The message bounced for user <joren@pelican.example>", "joren@pelican.example"),
        ("Delivery has failed to these recipients or groups.", None),
        ("Final-Recipient: rfc822; noor@ours.example", None),
        ("delivery to mailer-daemon@googlemail.com failed", None),
    ],
)
def test_recipient_of_a_bounce(text: str, recipient: str | None) -> None:
    assert bounced_recipient(text, own_addresses=["noor@ours.example"]) == recipient


@pytest.mark.parametrize(
    "text",
    [
        "We were blocked by our CFO this quarter, try again in May",  # B11
        "Your note went to spam but I found it. Interested!",  # B12
        "Budget is $1,550 per month",  # B13
        "Please do not reply to this address, use jane@acme.com",  # B14
        "My email is no longer active, use new@x.co",  # B15
        "The address does not exist on our map, access denied at the gate",
        "Mailbox is full",
    ],
)
def test_a_person_is_no_mail_system(text: str) -> None:
    assert detect_bounce(from_email="jane@acme.com", subject="Re: hello", text=text, reply_type="Tracked Reply") is None


@pytest.mark.parametrize(
    ("sender", "subject", "text", "extra", "rule", "severity"),
    [
        ("jane@acme.com", "x", "", {"reply_type": "Bounced"}, "vendor_type", "hard"),
        ("jane@acme.com", "x", "", {"folder": "Bounced"}, "vendor_type", "hard"),
        ("MAILER-DAEMON@x.example", "x", "anything", {}, "system_sender", "hard"),
        ("postmaster@x.example", "Delivery delayed", "Action: delayed\nwill keep trying", {}, "system_sender", "soft"),
        ("noreply@google.com", "x", "Address not found", {}, "system_sender", "hard"),
        ("info@x.example", "x", DSN, {}, "delivery_report", "hard"),
        (
            "info@x.example",
            "Undeliverable: hello",
            "The recipient's mailbox is full",
            {},
            "failure_subject",
            "hard",
        ),  # B16
    ],
)
def test_bounces_are_told_by_structure(
    sender: str, subject: str, text: str, extra: dict[str, str], rule: str, severity: str
) -> None:
    bounce = detect_bounce(from_email=sender, subject=subject, text=text, **extra)
    assert bounce is not None
    assert (bounce.rule, bounce.severity) == (rule, severity)


def test_google_alerts_are_no_bounces() -> None:
    assert (
        detect_bounce(from_email="no-reply@accounts.google.com", subject="Security alert", text="New sign-in") is None
    )


@pytest.mark.parametrize(
    ("text", "returns_on"),
    [
        ("I am away until Monday 16 March. For urgent matters contact ops@b.example.", date(2026, 3, 16)),
        ("I'm out of office and will be back on May 4.", date(2026, 5, 4)),
        ("Out of office, returning on 03/16", date(2026, 3, 16)),
        ("OOO until 16/03/2026", date(2026, 3, 16)),
        ("Out of office, back on 2026-03-20.", date(2026, 3, 20)),
        ("out of office through March 20", date(2026, 3, 21)),
        ("I am on leave until 5 January", date(2027, 1, 5)),
        ("I am on vacation, back next Monday", date(2026, 3, 16)),
        ("OOO back tomorrow", date(2026, 3, 11)),
        ("I'll be out of the office from March 9 to March 16, back on March 17", date(2026, 3, 17)),
        ("Je suis absent jusqu'au 16 mars inclus.", date(2026, 3, 17)),
        ("Je suis en congés, de retour le lundi 23 mars 2026", date(2026, 3, 23)),
        ("Estoy fuera de la oficina hasta el 16 de marzo", date(2026, 3, 16)),
        ("Ich bin bis zum 16. März abwesend", date(2026, 3, 16)),
        ("Ich bin im Urlaub und ab dem 16.03.2026 wieder erreichbar", date(2026, 3, 16)),
        ("Je suis absent, de retour le 04/05", date(2026, 5, 4)),
        ("I am out of office until Feb 30", None),  # B24
        ("I was out of office until March 6", None),  # B27: stale, not a year early
        ("out of office, back 04/05", None),  # two readings
        ("I am out of the office with limited access to email", None),
    ],
)
def test_out_of_office_and_the_day_back(text: str, returns_on: date | None) -> None:
    found = detect_auto_reply(text, subject="Re: hello", vendor_flag=False, now=NOW)
    assert found is not None
    assert (found.kind, found.returns_on) == ("out_of_office", returns_on)


@pytest.mark.parametrize(
    "text",
    [
        "I am returning your call, ring me at 5",  # B20
        "My boss is out of office until Friday, talk to me",
        "I'm on vacation until Monday, but yes, let's talk next week",
        "Sounds good, let's talk when you are back",
        "The office is out of coffee",
    ],
)
def test_a_person_is_no_automatic_reply(text: str) -> None:
    assert detect_auto_reply(text, subject="Re: hello", vendor_flag=False, now=NOW) is None


@pytest.mark.parametrize(
    ("text", "subject", "flag", "kind"),
    [
        ("Thank you for your message", "Automatic reply: hello", False, "automated"),
        ("x", "Out of Office: hello", False, "out_of_office"),
        ("x", "Réponse automatique : hello", False, "automated"),
        ("x", "Respuesta automática: hola", False, "automated"),
        ("x", "Abwesenheitsnotiz: Hallo", False, "out_of_office"),
        ("hi", "Re: hello", True, "automated"),
        ("This mailbox is not monitored", "Re: hello", False, "automated"),
    ],
)
def test_machines_are_told_by_flag_and_subject(text: str, subject: str, flag: bool, kind: str) -> None:
    found = detect_auto_reply(text, subject=subject, vendor_flag=flag, now=NOW)
    assert found is not None
    assert found.kind == kind


@given(st.text(max_size=300), st.text(max_size=60))
def test_any_text_gets_an_answer(text: str, subject: str) -> None:
    found = detect_auto_reply(text, subject=subject, vendor_flag=True, now=NOW)
    assert found is not None
    assert found.returns_on is None or found.returns_on > NOW.date()
    detect_bounce(from_email=subject, subject=subject, text=text)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit",
    [
        "<a@b.co>",
        "final-recipient: ",
        "failed ",
        "delivery to a@b.co ",
        "until ",
        "back on the ",
        "ich bin ",
        "until 1.",
        "march ",
        "@",
    ],
)
def test_five_mebibytes_take_bounded_work(unit: str) -> None:
    text = unit * (5 * 2**20 // len(unit))
    detect_bounce(from_email="postmaster@x.example", subject="x", text=text)
    detect_auto_reply(text, subject=text[:5000], vendor_flag=True, now=NOW)
