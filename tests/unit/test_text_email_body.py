"""Cleaning a mail: what stays, what is cut, and that hostile input costs bounded work."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.text.email_body import MAX_TEXT_CHARS, clean_reply, clean_text
from zrg_dagster.core.text.html import MAX_HTML_CHARS, html_to_text, strip_tags

FIVE_MEBIBYTES = 5 * 2**20

CUT = [
    ("Yes\n\nOn Mon, Mar 9, 2026 at 8:12 AM Noor <noor@x.example>\nwrote:\n\n> Hi", "Yes"),
    ("Yes\n\nOn Mon, Mar 9, 2026 at 8:12 AM\nNoor Castellan\n<noor@x.example> wrote:\n\nold text", "Yes"),
    # An address whose name begins like a tag is no HTML, in which the line breaks would be lost and with them the quote.
    ("Yes\n\nOn Mon, Mar 9, 2026 at 8:12 AM Paul <paul@x.example> wrote:\n\n> Unsubscribe", "Yes"),
    ("Sí\n\nEl 4 mar 2026, a las 18:22, Bruno <bruno@x.example> escribió:\n\n¿Te lo envío?\nAnular suscripción", "Sí"),
    ("Yes\n\n-----Original Message-----\nFrom: Noor", "Yes"),
    ("Passing on\n\nBegin forwarded message:\n\nFrom: Noor", "Passing on"),
    ("See below\n\n---------- Forwarded message ---------\nFrom: Noor", "See below"),
    (
        "Good\n\n________________________________\nFrom: Noor <n@x.io>\nSent: Monday\nTo: Mara\nSubject: x\n\nold",
        "Good",
    ),
    ("Oui\n\nLe lun. 9 mars 2026 à 08:12, Noor <noor@x.example> a écrit :\n> x", "Oui"),
    ("Sí\n\nEl lun, 9 mar 2026 a las 8:12, Noor (<noor@x.example>) escribió:\n\n> x", "Sí"),
    ("Gern\n\nAm 09.03.2026 um 08:12 schrieb Noor <noor@x.example>:\n> x", "Gern"),
    ("Gern\n\nVon: Noor\nGesendet: Montag\nAn: Mara\nBetreff: x\n\nalt", "Gern"),
    ("Va bene\n\nIl giorno lun 9 mar 2026 alle ore 08:12 Noor Castellan ha scritto:\n\nvecchio", "Va bene"),
    ("Ok\n--\nMara\nCOO", "Ok"),
    ("Ok\n\nSent from my iPhone", "Ok"),
    ("Ok\n\nGet Outlook for iOS", "Ok"),
    ("Thanks!\n\nMara Okafor\nCOO, Brightloom\nT: +1 415 555 0132\nwww.brightloom.com", "Thanks!"),
    ("> old line\nnew line", "new line"),
    ("On Mon, Mar 9 2026 Noor wrote:\n> question\n\nanswer below", "answer below"),
    ("  \n\n ", ""),
    ("a\r\n\r\n\r\n\r\nb  c", "a\n\nb c"),
]

KEPT = [
    "From: next month we can start",
    "Use these:\n\nsales@acme.com\nwww.acme.com",
    "Sure!\n\nCall me at 415-555-0132\nor mail jane@acme.com",
    "On Monday you wrote: call me\nso call",
    "Hi,\n\nDate: Tuesday\nTo: be confirmed",
    "- one\n- two",
    "jane@acme.com\n+1 415 555 0132",
]


@pytest.mark.parametrize(("text", "expected"), CUT)
def test_thread_signature_and_footer_are_cut(text: str, expected: str) -> None:
    assert clean_text(text) == expected


@pytest.mark.parametrize("text", KEPT)
def test_the_writers_own_lines_stay(text: str) -> None:
    assert clean_text(text) == text


def test_text_part_wins_and_html_in_it_is_rendered() -> None:
    assert clean_reply("plain", "<p>html</p>") == "plain"
    assert (
        clean_reply("<div>Call me at 415-555-0132</div><br><div>Mara</div>", None) == "Call me at 415-555-0132\n\nMara"
    )
    assert clean_reply("  ", "<p>html</p>") == "html"
    assert clean_reply(None, None) == ""


def test_html_keeps_link_targets_and_drops_what_nobody_wrote() -> None:
    html = (
        '<style>p{color:red}</style><script>alert(1)</script><p>Book <a href="https://cal.example/me">here</a> or '
        '<a href="https://x.example/">x.example</a></p><div style="display:none">preheader</div><blockquote>old</blockquote>'
        '<a href="javascript:alert(1)">now</a>'
    )
    assert html_to_text(html) == "Book here (https://cal.example/me) or x.example\nnow"


def test_html_threads_are_cut() -> None:
    gmail = (
        '<div>Yes</div><div class="gmail_quote"><div class="gmail_attr">On x Noor wrote:<br></div>'
        "<blockquote>unsubscribe</blockquote></div>"
    )
    outlook = (
        '<p>Yes</p><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> Noor<br></div>'
        "<div>unsubscribe</div>"
    )
    assert clean_reply(None, gmail) == "Yes"
    assert clean_reply(None, outlook) == "Yes"


def test_campaign_html_is_stripped_cheaply() -> None:
    assert strip_tags("<p>Hi Mara,</p><p>A &amp; B</p><style>x{}</style>Noor") == "Hi Mara,\nA & B\nNoor"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a\t\tb\u00a0 c</p>\r\n<p> d </p>\r<br><br><br>e", "a b c\n\nd\n\ne"),
        ("a&nbsp;&nbsp;b  c", "a b c"),
        ("<STYLE>x{}</STYLE>a", "a"),
        ("<\u017ftyle>x{}</style>a", "a"),  # a long s is an s to patterns that ignore case
        ("<span>a</span><!-- b -->c", "ac"),
        ('<?xml version="1.0"?><p>a</p>', "a"),
        ("1 <? 2", "1 <? 2"),
    ],
)
def test_what_is_skipped_for_speed_changes_nothing(html: str, text: str) -> None:
    assert strip_tags(html) == text


def test_layout_attributes_cannot_inflate_the_text() -> None:
    assert html_to_text('<div style="padding-left:9999999em;margin-top:99999em">x</div>') == "x"


# Words that the rules look for, so that generated text reaches them.
_PIECES = st.sampled_from(
    ["On Mon 9, Noor wrote:", "wrote:", "> old", "--", "From: a", "Sent: b", "To: c", "", " ", "a@b.co", "+1 415 555 0132",
     "hello", ":", "-----Original Message-----", "Sent from my iPhone", "ha scritto:", "Il 9", "\x00", "\ud800", "Von: a",
     "www.acme.com", "___________", "Use these:"]
)  # fmt: skip
_TAGS = ["<div>", "</div>", "<a href='https://x.io'>", "<p", ">", "<table><tr><td>", "&amp;", "x", "<!--", "<style>"]
_HTML = st.one_of(st.text(max_size=300), st.lists(st.sampled_from(_TAGS), max_size=40).map("".join))
_MAILS = st.one_of(
    st.text(max_size=300), st.lists(_PIECES, max_size=25).map("\n".join), st.lists(_PIECES, max_size=12).map(" ".join)
)


@given(_MAILS)
def test_cleaning_twice_changes_nothing_and_the_result_is_storable(text: str) -> None:
    once = clean_text(text)
    assert clean_text(once) == once
    assert "\x00" not in once
    once.encode()


@given(_HTML)
def test_any_html_gives_storable_text(html: str) -> None:
    for render in (html_to_text, strip_tags):
        text = render(html)
        assert "\x00" not in text
        text.encode()


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit",
    [
        "On 1\n",
        "on 1 ",
        ">",
        "From: a\n",
        "a@b.co\nc@d.co\n\n",
        "\n",
        " ",
        "Il ha scritto\n",
        "<a",
        "on 1:\n",
        "-",
        "+1 ",
        "wrote:\n",
        "<x@",
        ":\n",
    ],
)
def test_five_mebibytes_of_text_take_bounded_work(unit: str) -> None:
    assert len(clean_reply(unit * (FIVE_MEBIBYTES // len(unit)), None)) <= MAX_TEXT_CHARS


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit",
    [
        "<div>",
        "<",
        "<a href=x>",
        "<blockquote>",
        "<table><tr><td>",
        "<!--",
        "<style>",
        "&amp;lt;",
        "<div>a</div>",
        "<br>",
        "<ul><li>",
        "<p>x ",
        '<img src="data:',
    ],
)
def test_five_mebibytes_of_html_take_bounded_work(unit: str) -> None:
    html = unit * (FIVE_MEBIBYTES // len(unit))
    assert len(clean_reply(None, html)) <= MAX_HTML_CHARS
    assert len(strip_tags(html)) <= MAX_HTML_CHARS
