"""Slack: who clicked what on which draft, and what they typed into the card."""

import json
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest

from tests.unit.test_parse_samples import RECEIVED, parse, wire_body
from zrg_dagster.core.providers.records import Parsed, ReviewAction, ShapeError
from zrg_dagster.core.providers.slack.parse import DRAFT_INPUT, REASON_INPUT
from zrg_dagster.core.providers.slack.parse import parse as parse_body


def document() -> dict[str, Any]:
    return json.loads(parse_qs(wire_body("slack/block_actions__approve_send.form.json").decode())["payload"][0])


def read(body: dict[str, Any]) -> Parsed:
    return parse_body(urlencode({"payload": json.dumps(body)}).encode(), received_at=RECEIVED, scope="T05HARBOUR")


def click(action_id: str, state: dict[str, Any] | None = None, **value: object) -> ReviewAction:
    body = document()
    body["actions"][0] |= {"action_id": action_id, "value": json.dumps({"draftId": "d1", "clientId": "ws", **value})}
    body["state"] = {"values": state or {}}
    action = read(body).review_action
    assert action is not None
    return action


def test_older_card() -> None:
    action = parse("slack/block_actions__approve_send.form.json").review_action
    assert action == ReviewAction(
        action="approve",
        action_id="approve_send",
        draft_id="draft_01HZYA7K3M",
        version=None,
        workspace_key="clnt_harbourline",
        user_id="U05TESTNOOR",
        user_name="noor",
        team_id="T05HARBOUR",
        channel_id="D05REVIEWDM",
        message_ts="1773162300.482019",
        action_ts="1773162411.120933",
        response_url="https://hooks.slack.com/actions/T05HARBOUR/810199201/Zt1exampleResponse",
    )


def test_double_click_says_the_same() -> None:
    one = parse("slack/block_actions__approve_send.form.json").review_action
    two = parse("slack/block_actions__approve_send_double_click.form.json").review_action
    assert one is not None
    assert two is not None
    assert one.key == two.key == "slack:block_actions:draft_01HZYA7K3M:approve_send"
    assert one.action_ts != two.action_ts


@pytest.mark.parametrize(
    ("action_id", "verb"),
    [
        ("approve", "approve"),
        ("edit", "edit"),
        ("regenerate", "regenerate"),
        ("reject", "reject"),
        ("regenerate_draft_fast", "regenerate"),
    ],
)
def test_buttons(action_id: str, verb: str) -> None:
    action = click(action_id, version=3)
    assert (action.action, action.version, action.workspace_key, action.draft_id) == (verb, 3, "ws", "d1")


def test_edited_text_comes_from_the_cards_input() -> None:
    state = {
        "edit_block": {DRAFT_INPUT: {"type": "plain_text_input", "value": "Hi Mara,\n\n10:00 it is.  "}},
        "why": {REASON_INPUT: {"type": "static_select", "selected_option": {"value": "wrong_tone"}}},
    }
    assert click("edit", state).edited_text == "Hi Mara,\n\n10:00 it is.  "
    assert click("edit", state).reason is None
    assert click("reject", state).reason == "wrong_tone"
    assert click("approve", state).edited_text is None
    assert click("edit", {"edit_block": {DRAFT_INPUT: {"value": None}}}).edited_text is None


@pytest.mark.parametrize(
    "value", ["not json", "[]", "{}", '{"draftId": "d1"}', '{"clientId": "ws", "draftId": {}}', None]
)
def test_unreadable_value_reaches_the_person_who_clicked(value: str | None) -> None:
    body = document()
    body["actions"][0]["value"] = value
    action = read(body).review_action
    assert action is not None
    assert (action.problem, action.draft_id, action.user_id) == ("unreadable_value", None, "U05TESTNOOR")


@pytest.mark.parametrize("version", ["3", 3, 3.0])
def test_version_as_text_or_number(version: object) -> None:
    assert click("approve", version=version).version == 3


@pytest.mark.parametrize("version", [None, "x", -1, True, 1.5, "9" * 50])
def test_broken_version_is_none(version: object) -> None:
    assert click("approve", version=version).version is None


def test_click_without_user_is_quarantined() -> None:
    body = document()
    del body["user"]["id"]
    with pytest.raises(ShapeError) as raised:
        read(body)
    assert raised.value.path == "$.user.id"
