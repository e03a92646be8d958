"""`zrg drafts` and `zrg send`, and two people who decide at once: the card's function, and one send."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from tests.integration.seeds import NOW
from tests.integration.test_sending_vendors import (
    LEAD,
    VENDORS,
    add_reply,
    add_reviewer,
    engine,  # noqa: F401 - a fixture
    row,
    sandbox,  # noqa: F401 - a fixture
    sent_texts,
    work,
)
from zrg_dagster.core.replies import review
from zrg_dagster.core.replies.content import Recipients
from zrg_dagster.core.replies.review import ReviewOutcome

REVIEWER = "rev@x.example"


def request(
    workspace: UUID, draft: UUID, action: str = "approve", *, slack: bool = False, **changes: Any
) -> review.ReviewRequest:
    values: dict[str, Any] = {
        "workspace_id": workspace,
        "action": action,
        "draft_id": draft,
        "version": None,
        "slack_user": "U1" if slack else None,
        "user_email": None if slack else REVIEWER,
        "edited_text": None,
        "reason": None,
        "correlation_id": "c",
    }
    return review.ReviewRequest(**(values | changes))


async def scene(engine, vendor="emailbison") -> tuple[UUID, UUID]:  # noqa: F811
    async with engine.begin() as conn:
        draft = await add_reply(conn, vendor)
        workspace = (await conn.execute(text("SELECT workspace_id FROM app.draft"))).scalar_one()
        await add_reviewer(conn, workspace)
    return workspace, draft


@pytest.mark.parametrize("vendor", VENDORS)
async def test_two_approvals_at_once_are_one_send(engine, database, sandbox, vendor):  # noqa: F811
    """One in Slack, one by command, on every channel: the second learns that it was late."""
    workspace, draft = await scene(engine, vendor)

    async def decide(*, slack: bool) -> ReviewOutcome:
        async with engine.begin() as conn:
            reviewed = await review.apply(conn, request(workspace, draft, slack=slack), NOW)
            await asyncio.sleep(0.05)  # inside the transaction: the other one waits for its end
            return reviewed.outcome

    outcomes = await asyncio.gather(*(decide(slack=each % 2 == 0) for each in range(4)))
    assert sorted(outcomes) == sorted([ReviewOutcome.APPROVED] + [ReviewOutcome.ALREADY_SENDING] * 3)
    await work(engine, database, sandbox)
    assert (await row(engine, draft)).state == "sent"
    assert len(await sent_texts(sandbox, vendor)) == 1
    assert await decide(slack=True) is ReviewOutcome.ALREADY_HANDLED
    await work(engine, database, sandbox)
    assert len(await sent_texts(sandbox, vendor)) == 1


async def test_an_approval_that_comes_while_the_mail_is_on_the_wire_changes_nothing(engine, database, sandbox):  # noqa: F811
    workspace, draft = await scene(engine)
    await sandbox.control("POST", "latency", {"provider": "emailbison", "seconds": 0.5})

    async def decide(**changes: Any) -> ReviewOutcome:
        async with engine.begin() as conn:
            return (await review.apply(conn, request(workspace, draft, **changes), NOW)).outcome

    assert await decide() is ReviewOutcome.APPROVED
    sending = asyncio.create_task(work(engine, database, sandbox))
    while (await row(engine, draft)).state == "planned":
        await asyncio.sleep(0.01)
    assert await decide(slack=True, action="edit", edited_text="Another text") is ReviewOutcome.ALREADY_SENDING
    await sending
    assert await sent_texts(sandbox, "emailbison") == ["Happy to help."]


async def test_a_chosen_recipient_is_whom_the_conversation_goes_on_with(engine):  # noqa: F811
    """CC-07, and back again when the lead is chosen."""
    workspace, draft = await scene(engine)
    replier = text("SELECT current_replier_email FROM app.lead")
    for to, stored in (("boss@mills.example", "boss@mills.example"), (LEAD, None)):
        async with engine.begin() as conn:
            chosen = Recipients(to=to, cc=("ops@mills.example",))
            assert (
                await review.apply(conn, request(workspace, draft, chosen=chosen), NOW)
            ).outcome is ReviewOutcome.APPROVED
            assert (await conn.execute(replier)).scalar_one() == stored
            await conn.execute(
                text("UPDATE app.send SET state = 'blocked', finished_at = now() WHERE recipient <> :to"), {"to": LEAD}
            )
    sent = await row(engine, draft)
    assert (sent.recipient, sent.content["cc"]) == (LEAD, ["ops@mills.example"])


async def test_what_cannot_be_sent_says_why_on_the_draft_and_redraws_the_card(engine):  # noqa: F811
    workspace, draft = await scene(engine, "instantly")
    async with engine.begin() as conn:
        reviewed = await review.apply(conn, request(workspace, draft, chosen=Recipients(to="boss@mills.example")), NOW)
        assert reviewed == review.Reviewed(
            ReviewOutcome.CANNOT_SEND, f"recipient_fixed_by_vendor Instantly answers {LEAD} only"
        )
        shown = (await conn.execute(text("SELECT status, reason, version FROM app.draft"))).one()
        redraw = (await conn.execute(text("SELECT payload ->> 'redraw' FROM app.job"))).scalar_one()
        why = (await conn.execute(text("SELECT detail ->> 'reason' FROM app.decision"))).scalar_one()
    assert tuple(shown) == ("pending", f"cannot send: {reviewed.detail}", 1)
    assert (redraw, why) == ("true", reviewed.detail)


@pytest.mark.parametrize(
    "role, outcome", [("CLIENT_PORTAL", "not_a_member"), ("SETTER", "not_assigned"), (None, "not_a_member")]
)
async def test_a_command_is_checked_like_a_click(engine, role, outcome):  # noqa: F811
    workspace, draft = await scene(engine)
    async with engine.begin() as conn:
        change = f"UPDATE app.member SET role = '{role}'" if role else "DELETE FROM app.member"
        await conn.execute(text(change))
        assert (await review.apply(conn, request(workspace, draft), NOW)).outcome == outcome
        stranger = request(workspace, draft, user_email="nobody@x.example")
        assert (await review.apply(conn, stranger, NOW)).outcome == "not_a_member"


async def test_drafts_from_the_list_to_the_send(engine, database, sandbox, zrg):  # noqa: F811
    _, draft = await scene(engine)
    code, listed = zrg("drafts", "list", "--workspace", "harbourline")
    assert (code, str(draft) in listed, "email" in listed) == (0, True, True)
    assert "Happy to help" not in listed, "a list shows no texts"
    code, shown = zrg("drafts", "show", str(draft))
    assert (code, "They" not in shown, "Happy to help." in shown, "email through emailbison" in shown) == (
        0,
        True,
        True,
        True,
    )
    assert zrg("drafts", "approve", str(draft), "--by", "nobody@x.example")[0] == 1
    code, said = zrg("drafts", "edit", str(draft), "--by", REVIEWER, "--file", "-", "--version", "7", given="Call me.")
    assert (code, "look at it again" in said) == (1, True)
    code, said = zrg("drafts", "edit", str(draft), "--by", REVIEWER, "--file", "-", "--version", "1", given="Call me.")
    assert (code, said) == (0, "planned: it leaves with the next run of the sends lane\n")
    await work_now(engine, database, sandbox)
    assert await sent_texts(sandbox, "emailbison") == ["Call me."]
    code, said = zrg("drafts", "reject", str(draft), "--by", REVIEWER)
    assert (code, "decided this draft before" in said) == (1, True)
    code, shown = zrg("drafts", "show", str(draft))
    assert f"decided by: {REVIEWER}" in shown
    assert zrg("drafts", "list")[1] == "no draft matches\n"


async def test_reject_and_regenerate(engine, zrg):  # noqa: F811
    _, draft = await scene(engine)
    assert zrg("drafts", "regenerate", str(draft), "--by", REVIEWER) == (0, "regenerating\n")
    assert zrg("drafts", "reject", str(draft), "--by", REVIEWER, "--reason", "wrong person") == (0, "rejected\n")
    async with engine.connect() as conn:
        status = (await conn.execute(text("SELECT status, reason FROM app.draft"))).one()
        kinds = (await conn.execute(text("SELECT DISTINCT kind FROM app.job ORDER BY kind"))).scalars().all()
    assert tuple(status) == ("rejected", "rejected: wrong person")
    assert kinds == ["card_update", "regenerate"]


async def test_a_message_of_ones_own_answers_the_newest_and_replaces_the_draft(engine, database, sandbox, zrg):  # noqa: F811
    _, draft = await scene(engine)
    async with engine.connect() as conn:
        lead = (await conn.execute(text("SELECT id FROM app.lead"))).scalar_one()
    code, said = zrg("send", str(lead), "--channel", "sms", "--by", REVIEWER, "--text", "Hello")
    assert (code, "has written nothing on sms" in said) == (1, True)
    code, said = zrg(
        "send", str(lead), "--channel", "email", "--by", REVIEWER, "--text", "Hello", "--to", "x@else.example"
    )
    assert (code, "recipient_unknown x@else.example" in said) == (1, True)
    assert zrg("send", str(lead), "--channel", "email", "--by", REVIEWER, "--text", "Hello")[0] == 0
    await work_now(engine, database, sandbox)
    assert await sent_texts(sandbox, "emailbison") == ["Hello"]
    sent = await row(engine, draft)
    assert (sent.state, sent.origin) == ("sent", "setter")


async def test_without_a_draft_a_message_of_ones_own_makes_one(engine, database, sandbox, zrg):  # noqa: F811
    await scene(engine, "unipile")
    async with engine.begin() as conn:
        lead = (await conn.execute(text("SELECT id FROM app.lead"))).scalar_one()
        await conn.execute(text("DELETE FROM app.draft"))
    assert zrg("send", str(lead), "--channel", "linkedin", "--by", "nobody@x.example", "--text", "Hello")[0] == 1
    async with engine.connect() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM app.draft"))).scalar_one() == 0, "nothing empty is left"
    assert zrg("send", str(lead), "--channel", "linkedin", "--by", REVIEWER, "--text", "Hello")[0] == 0
    await work_now(engine, database, sandbox)
    assert await sent_texts(sandbox, "unipile") == ["Hello"]
    async with engine.connect() as conn:
        assert (await conn.execute(text("SELECT disposition FROM app.draft"))).scalar_one() == "EDITED"


async def work_now(engine, database, sandbox) -> None:  # noqa: F811
    """The command plans at the machine's time."""
    from zrg_dagster.core.base.clock import utc_now

    await work(engine, database, sandbox, later=utc_now() - NOW)
