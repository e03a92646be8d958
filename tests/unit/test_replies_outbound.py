"""Which answers have a way out, to whom they go, and what is refused out loud."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from zrg_dagster.core.replies.content import CannotSend, Outbound, Recipients, outbound_of

LEAD, NOOR = "mara@brightloom.example", "noor@try-harbourline.example"
DRAFT: dict[str, Any] = {
    "channel": "email",
    "provider": "emailbison",
    "current_replier_email": None,
    "current_replier_name": None,
    "from_email": LEAD,
    "lead_email": LEAD,
    "lead_phone": "+14155550132",
    "to_email": NOOR,
    "provider_message_id": "4401877",
    "thread_handle": "88412:1c7e55aa",
    "sender_account_id": "512",
    "emailbison_lead": "90213",
    "ghl_contact": None,
    "ghl_location": "loc",
    "linkedin_member": None,
    "linkedin_profile": None,
    "linkedin_account": "acc",
    "first_name": "Mara",
    "last_name": "Okafor",
    "cc": [],
    "subject": "Re: changeover times",
    "inbound_subject": "changeover times",
    "inbound": "What does it cost?",
    "trigger_sent_at": datetime(2026, 3, 10, 15, 20, 31, tzinfo=UTC),
    "addresses": [LEAD, "m.okafor@brightloom.example", "boss@brightloom.example"],
}


def way(chosen: Recipients | None = None, **changes: Any) -> Outbound:
    draft: Any = SimpleNamespace(**{**DRAFT, **changes})
    return outbound_of(draft, "Thursday works.", chosen or Recipients())


def test_an_answer_goes_to_whom_the_mail_came_from() -> None:
    found = way()
    assert (found.vendor, found.recipient, found.content["reply_id"]) == ("emailbison", LEAD, "4401877")


def test_each_vendors_mail_is_answered_in_its_own_thread() -> None:
    smartlead = way(provider="smartlead")
    assert (smartlead.vendor, smartlead.sender_account) == ("smartlead", NOOR)
    assert (smartlead.content["campaign_id"], smartlead.content["stats_id"]) == ("88412", "1c7e55aa")
    assert smartlead.content["answered_at"] == "2026-03-10T15:20:31.000Z"
    instantly = way(provider="instantly", thread_handle="01958f11", subject=None)
    assert (instantly.vendor, instantly.content["mailbox"], instantly.content["reply_to_id"]) == (
        "instantly",
        NOOR,
        "01958f11",
    )
    assert instantly.content["subject"] == "Re: changeover times"


def test_linkedin_is_answered_in_its_conversation_with_the_person_named() -> None:
    found = way(
        channel="linkedin", provider="unipile", thread_handle="c1", linkedin_profile="https://linkedin.com/in/m%C3%A4ra"
    )
    assert (found.vendor, found.recipient, found.sender_account) == ("unipile", "mära", "acc")
    assert (found.content["chat_id"], found.content["public_name"]) == ("c1", "mära")


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"provider": "resend"}, "channel_not_supported"),
        ({"provider": "smartlead", "thread_handle": None}, "thread_missing"),
        ({"provider": "instantly", "thread_handle": None}, "thread_missing"),
        ({"provider_message_id": None}, "thread_missing"),
        ({"from_email": None, "lead_email": None}, "recipient_missing"),
        ({"channel": "sms"}, "contact_missing"),
        ({"channel": "linkedin"}, "profile_missing"),
        ({"channel": "whatsapp"}, "channel_not_supported"),
    ],
)
def test_what_has_no_way_says_what_is_missing(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(CannotSend, match=code):
        way(**changes)


@pytest.mark.parametrize("provider", ["emailbison", "smartlead"])
def test_another_address_of_the_lead_can_be_chosen_and_the_lead_stays_in_copy(provider: str) -> None:
    """CC-06: the copy never holds the new recipient, and holds the lead."""
    found = way(Recipients(to="Boss@brightloom.example"), provider=provider, cc=["boss@brightloom.example", NOOR])
    assert found.recipient == "boss@brightloom.example"
    assert found.content["cc"] == [LEAD]
    assert found.content["to_name"] == "", "a name is never put on another person's address"


@pytest.mark.parametrize("changes", [{}, {"current_replier_email": "boss@brightloom.example"}])
def test_instantly_refuses_another_recipient_out_loud(changes: dict[str, Any]) -> None:
    chosen = Recipients() if changes else Recipients(to="boss@brightloom.example")
    with pytest.raises(CannotSend, match="recipient_fixed_by_vendor") as refused:
        way(chosen, provider="instantly", **changes)
    assert refused.value.detail == f"Instantly answers {LEAD} only"


@pytest.mark.parametrize(
    "chosen, code, detail",
    [
        (Recipients(to="nobody@else.example"), "recipient_unknown", "nobody@else.example"),
        (Recipients(to="not an address"), "address_invalid", "not an address"),
        (Recipients(cc=("fine@x.example", "broken@")), "address_invalid", "broken@"),
        (Recipients(cc=tuple(f"a{n}@x.example" for n in range(21))), "too_many_copies", "21 addresses, at most 20"),
    ],
)
def test_a_wrong_address_is_refused_by_name(chosen: Recipients, code: str, detail: str) -> None:
    with pytest.raises(CannotSend, match=code) as refused:
        way(chosen)
    assert refused.value.detail == detail


def test_chosen_copies_replace_the_threads() -> None:
    found = way(Recipients(cc=("Ops@brightloom.example", "ops@brightloom.example")), cc=["old@brightloom.example"])
    assert found.content["cc"] == ["ops@brightloom.example"]


def test_only_mail_has_recipients_to_choose() -> None:
    with pytest.raises(CannotSend, match="recipient_fixed_by_channel"):
        way(Recipients(to=LEAD), channel="sms", ghl_contact="c")
