"""Taking addresses and phone numbers out of a text that is kept (MM-02). Pure."""

import re

EMAIL_MASK, PHONE_MASK = "[email]", "[phone]"

_EMAIL = re.compile(r"[\w.%+'-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,62})\.)+[a-z]{2,24}", re.I)
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)[^\s<>\"']+", re.I)
# Digits in groups, or behind a plus. A bare run of digits is an order number unless its word says that it is called (B92).
_GROUPED = re.compile(r"(?<![\w/.:=&?#-])(?:\+|\(|\d)[\d ().-]{7,22}\d(?![\w/])")
_NAMED = re.compile(
    r"\b(?:call|phone|tel|telephone|mobile|cell|text|sms|whatsapp)\b[\s:.#]{1,4}(\d{10,15})(?!\w)", re.I
)
_DATE = re.compile(r"(?:19|20)\d\d[-. ]\d\d?[-. ]\d\d?\b|\d\d?[-. ]\d\d?[-. ](?:19|20)\d\d\b")
_DIGIT = re.compile(r"\d")


def scrub(text: str) -> tuple[str, int]:
    """`text` without mail addresses and what is shaped like a phone number, and how many were taken out. Links stay."""
    count = 0
    pieces, at = [], 0
    for link in _URL.finditer(text):
        words, found = _scrub_words(text[at : link.start()])
        pieces += [words, link[0]]
        count, at = count + found, link.end()
    words, found = _scrub_words(text[at:])
    return "".join([*pieces, words]), count + found


def _scrub_words(text: str) -> tuple[str, int]:
    text, emails = _EMAIL.subn(EMAIL_MASK, text)
    text, named = _NAMED.subn(lambda match: match[0].removesuffix(match[1]) + PHONE_MASK, text)
    grouped = 0

    def mask(match: re.Match[str]) -> str:
        nonlocal grouped
        if not _is_phone(match[0]):
            return match[0]
        grouped += 1
        return PHONE_MASK

    return _GROUPED.sub(mask, text), emails + named + grouped


def _is_phone(text: str) -> bool:
    digits = len(_DIGIT.findall(text))
    if digits > 15 or _DATE.match(text):
        return False
    return digits >= 8 if text.startswith("+") else digits >= 10 and not text.isdigit()
