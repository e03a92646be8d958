"""Secrets: what becomes one, what is shown of one, how references are read, and that nothing repeats a value."""

import traceback

import httpx
import pytest
from pydantic import SecretStr

from tests.unit.vendor_wire import CREDENTIAL, Wire
from zrg_dagster.core.base.seal import Sealer, SealError, new_key
from zrg_dagster.core.providers.slack.client import SlackClient
from zrg_dagster.core.workspaces.changes import RowChange, audit_entries, lines
from zrg_dagster.core.workspaces.declare import parse
from zrg_dagster.core.workspaces.references import SecretRefused, clean_secret, resolve, resolve_all
from zrg_dagster.core.workspaces.sealing import UNREADABLE
from zrg_dagster.core.workspaces.secrets import mask, slack_problem
from zrg_dagster.core.workspaces.source import WorkspaceFileError

PLANTED = "planted-value-9d2f"


@pytest.mark.parametrize("written", [PLANTED, f"  {PLANTED}\n", f"{PLANTED}\r\n", f"\t{PLANTED}"])
def test_surrounding_white_space_is_removed(written):
    assert clean_secret(written, what="x").get_secret_value() == PLANTED


@pytest.mark.parametrize(
    "written",
    [
        *("", " \n", "abc", "x" * 5000),
        *(f"{PLANTED} {PLANTED}", f"{PLANTED}\n[dotenv] injected 3", f"{PLANTED}\x00"),
        *(f"{PLANTED}é", f"{PLANTED}\u200b", f"\ufeff{PLANTED}"),
    ],
)
def test_what_no_vendor_issues_is_refused_and_not_repeated(written):
    with pytest.raises(SecretRefused) as refused:
        clean_secret(written, what="ghl_token")
    assert "ghl_token" in str(refused.value)
    assert PLANTED not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("abcdefgh", "•••••••• (8 characters)"),
        ("abcdefghijkl", "••••••••ijkl (12 characters)"),
        (UNREADABLE.get_secret_value(), "cannot be opened with these keys"),
    ],
)
def test_what_is_shown_is_the_end_at_most(value, shown):
    assert mask(SecretStr(value)) == shown


def test_references_are_read_from_environment_and_files(tmp_path):
    (tmp_path / "token").write_text(f"{PLANTED}\n")
    assert resolve("file:token", base=tmp_path).get_secret_value() == PLANTED
    assert resolve("env:TOKEN", base=tmp_path, environment={"TOKEN": PLANTED}).get_secret_value() == PLANTED
    for missing in ("env:OTHER", "file:other", f"file:{tmp_path}", "plain:x"):
        with pytest.raises(SecretRefused):
            resolve(missing, base=tmp_path, environment={})


def test_all_references_that_fail_are_named_with_their_lines(tmp_path):
    file = parse(
        "workspace: {key: a, name: A}\nintegrations:\n  ghl:\n    location_id: L1\n    token: env:NONE\n"
        "    webhook_secret: env:SPACED\n",
        "w.yaml",
    )
    with pytest.raises(WorkspaceFileError) as refused:
        resolve_all(file, base=tmp_path, environment={"SPACED": f"a {PLANTED}"})
    assert [problem.split(": ")[0] for problem in refused.value.problems] == ["w.yaml:5", "w.yaml:6"]
    assert PLANTED not in str(refused.value)


def test_changes_never_show_a_secret():
    rows = [{"name": "ghl_token", "value": SecretStr(value)} for value in (PLANTED, PLANTED + "2")]
    for before, after in ((None, rows[0]), (rows[0], rows[1]), (rows[1], None)):
        change = RowChange("credential", ("ghl_token",), before, after)
        assert PLANTED not in f"{lines([change])}{audit_entries([change])}{change!r}"
    change = RowChange("credential", ("ghl_token",), rows[0], rows[1])
    assert lines([change]) == ["~ credential ghl_token value: (secret) -> (secret)"]


def test_rotation_keeps_value_and_scope_and_changes_the_newest_nothing():
    old, new = new_key(), new_key()
    sealed = Sealer(old).seal(PLANTED, scope="w:ghl_token")
    both = Sealer(f"{new},{old}")
    fresh = both.rotated(sealed)
    assert fresh is not None
    assert Sealer(new).open(fresh, scope="w:ghl_token") == PLANTED
    assert both.rotated(fresh) is None
    with pytest.raises(SealError, match="another scope"):
        both.open(fresh, scope="other:ghl_token")
    with pytest.raises(SealError, match="cannot be opened") as refused:
        Sealer(new_key()).rotated(sealed)
    assert PLANTED not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (200, {"ok": True, "team": "T", "team_id": "T05HARBOUR", "user_id": "U1"}, None),
        (200, {"ok": False, "error": "invalid_auth"}, "Slack refuses the token: invalid_auth"),
        (200, {"ok": False, "error": "account_inactive"}, "Slack refuses the token: account_inactive"),
        (200, {"ok": True}, "could not be asked"),
        (500, {}, "could not be asked"),
    ],
)
async def test_a_slack_token_is_asked_about(status, body, says):
    wire = Wire(*[httpx.Response(status, json=body)] * 3)
    problem = await slack_problem(SlackClient(wire.client, CREDENTIAL, sleep=wire.sleep))
    assert problem is None if says is None else says in (problem or "")
    assert wire.requests[0].url.path.endswith("/auth.test")
    assert CREDENTIAL.token not in (problem or "")
