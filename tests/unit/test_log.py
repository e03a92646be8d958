"""What never reaches a log: secrets, and who a message is from or to."""

import io
import json
import logging

import pytest
import structlog

from zrg_dagster.core.base.log import configure_logging, get_logger, redact_text


@pytest.fixture
def lines():
    """Everything logged, as decoded JSON lines."""
    stream = io.StringIO()
    configure_logging(json=True, level="INFO", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


@pytest.mark.parametrize(
    "said, kept",
    [
        ("from Mara <mara.okafor+x@brightloom.co.uk>", "from Mara <[email]>"),
        ("MARA@BRIGHTLOOM.EXAMPLE wrote", "[email] wrote"),
        ("call +1 (415) 555-0132, or +49 30 901820", "call [phone], or [phone]"),
        ("+14155550132", "[phone]"),
        ("postgresql://zrg_worker:hunter2@127.0.0.1:5432/zrg", "postgresql://zrg_worker:[secret]@127.0.0.1:5432/zrg"),
        ("redis://:hunter2@cache/0", "redis://:[secret]@cache/0"),
        ("Authorization: Bearer eyJhbGciOi.J9.x-_~", "Authorization: Bearer [secret]"),
        ("bearer abc=", "bearer [secret]"),
        ("token xoxb-12-34-abc and sk-proj-Ab_1", "token xoxb-[secret] and sk-[secret]"),
    ],
)
def test_text_loses_persons_and_secrets(said, kept):
    assert redact_text(said) == kept


@pytest.mark.parametrize(
    "said",
    [
        "2026-03-10T17:00:00.123456+00:00",
        "event 01a1fb81-578f-76e0-b6a3-3bb0a2828eac after 3 attempts",
        "http://127.0.0.1:8080/api/webhooks/email",
        "shape_mismatch at $.data.reply.id: expected id, got nothing",
        "took +1.25 s",
        "",
    ],
)
def test_what_operators_need_stays(said):
    assert redact_text(said) == said


@pytest.mark.parametrize(
    "key",
    ["authorization", "Authorization", "bot_token", "client_secret", "password", "api_key", "apiKey", "api-key",
     "x-slack-signature", "credential", "set_cookie", "worker_dsn"],
)  # fmt: skip
def test_fields_that_name_a_secret_are_never_written(lines, key):
    get_logger("t").info("called", **{key: "hunter2"})
    assert lines()[0][key] == "[secret]"


@pytest.mark.parametrize(
    "key", ["email", "from_email", "phone", "name", "first_name", "body", "text", "subject", "html"]
)
def test_fields_that_name_a_person_are_never_written(lines, key):
    get_logger("t").info("stored", **{key: "Mara Okafor"})
    assert lines()[0][key] == "[person]"


def test_free_text_and_errors_are_redacted_too(lines):
    error = ValueError("no mailbox mara@brightloom.example")
    get_logger("t").warning("send_failed", detail="to mara@brightloom.example", error=error, rows=3, ok=True, none=None)
    (line,) = lines()
    assert (line["detail"], line["error"]) == ("to [email]", "ValueError: no mailbox [email]")
    assert (line["rows"], line["ok"], line["none"]) == (3, True, None)


def test_a_traceback_is_redacted(lines):
    try:
        raise RuntimeError("writing to mara@brightloom.example with Bearer abc.def")
    except RuntimeError:
        get_logger("t").exception("job_failed")
    written = json.dumps(lines())
    assert "Traceback" in written
    assert "writing to [email] with Bearer [secret]" in written
    assert "brightloom" not in written
    assert "abc.def" not in written


def test_a_line_says_what_where_and_for_which_webhook(lines):
    structlog.contextvars.bind_contextvars(correlation_id="c1")
    get_logger("zrg.room").info("batch_stored", rows=12)
    (line,) = lines()
    assert (line["event"], line["source"], line["level"], line["correlation_id"], line["rows"]) == (
        "batch_stored", "zrg.room", "info", "c1", 12,
    )  # fmt: skip
    assert line["timestamp"].endswith("Z")


def test_below_the_level_nothing_is_written(lines):
    get_logger("t").debug("too_much")
    assert lines() == []
    with pytest.raises(KeyError):
        configure_logging(json=True, level="LOUD")
    assert logging.getLevelNamesMapping()["INFO"]


def test_readable_lines_are_redacted_as_well():
    stream = io.StringIO()
    configure_logging(json=False, stream=stream)
    get_logger("t").info("stored", email="mara@brightloom.example", detail="+14155550132", bot_token="xoxb-1")
    written = stream.getvalue()
    structlog.reset_defaults()
    assert "stored" in written
    assert not [said for said in ("mara", "4155550132", "xoxb-1") if said in written]
