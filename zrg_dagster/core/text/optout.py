"""The deterministic floor: does this text ask us to stop? No model can overrule a yes (design §9, OO-01..OO-05).

The text must be the sender's own words (`email_body.clean_text`) and inbound: our footer says "unsubscribe", and our
own campaign text must never suppress its reader.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from zrg_dagster.core.text import optout_english, optout_romance
from zrg_dagster.core.text.chars import folded
from zrg_dagster.core.text.optout_rule import Rule

Channel = Literal["email", "sms", "linkedin", "whatsapp", "messenger", "instagram"]
Kind = Literal["opt_out", "start", "help"]

# A request to stop stands at the top of a reply, or at its end; what lies between in a longer text is a story.
_HEAD_CHARS, _TAIL_CHARS = 16_000, 4_000
_SENTENCE_CHARS = 600
_SENTENCE_STEP = 500

# Whole messages. Carrier words belong to phone channels: on e-mail "end" or "cancel" is an answer to a question.
_CARRIER_WORDS = frozenset(
    {"stop", "stopall", "stop all", "unsubscribe", "unsub", "cancel", "end", "quit", "revoke", "optout", "opt out",
     "remove", "remove me", "arret", "arreter", "baja", "alto", "parar", "desuscribir", "desabonner"}
)  # fmt: skip
_EMAIL_WORDS = frozenset({"stop", "unsubscribe", "unsub", "optout", "opt out", "remove", "remove me"})
_POLITE = re.compile(
    r"^(?:(?:please|pls|plz|hi|hello|ok|okay) )+|(?: (?:please|pls|plz|thanks|thank you|thx|now|immediately|asap))+$"
)
_START_WORDS = frozenset({"start", "unstop"})
_HELP_WORDS = frozenset({"help"})
_TEXTING_CHANNELS = frozenset({"sms", "whatsapp"})
_COMMAND_CHARS = 60

_URL = re.compile(r"(?:https?://|www\.)\S{1,500}")
_ADDRESS = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{3,200}")
_SENTENCE_END = re.compile(r"[.!?;…]+(?:\s|$)|\n{2,}|[!?…]+")
_EDGES = " \t\n\r.,!?:;\"'()[]*_-–>"
# A mail system's or a company's own footer, and the instruction that our SMS carried, quoted inside an answer.
_FOOTER = re.compile(
    r"\b(?:reply|text|type|send|respond|answer)(?: back)?(?: with)? ?[\"'(]? ?(?:stop|end|quit|unsubscribe|optout)\b"
    r"|\bto (?:unsubscribe|opt[ -]?out|be removed|stop receiving)\b.{0,60}(?:click|reply|visit|follow|use|send|text"
    r"|here|URL|link)"
    r"|\b(?:click|tap|visit|follow|use)\b.{0,60}(?:to (?:unsubscribe|opt[ -]?out)|\bunsubscribe\b)"
    r"|\bunsubscribe ?(?:here|\(? ?URL|\||at any)"
    r"|\bif you (?:no longer (?:wish|want)|(?:don't|do not) (?:wish|want)|would (?:prefer|rather) not|wish not"
    r"|received this|are not the intended|have received)\b"
    r"|\bthis (?:e-?mail|message)(?: \w+){0,4} (?:confidential|intended)|\byou (?:are )?receiv(?:e|ed|ing) this"
    r"|\bsi (?:vous|usted|no desea|vous ne)\b.{0,80}(?:cliquez|clic|repondez|responda)|\bcliquez\b|\bhaga clic\b"
)
_OTHER_CHANNEL = re.compile(
    r"(?<!not )(?<!n't )(?<!never )(?<!dont )(?<!\bto )(?<!stop )(?<!you )(?<!or )(?<!and )(?<!me )(?<!no )(?<!plus"
    r" )(?<!pas )"
    r"\b(?:e-?mail|text|sms|call|message|whatsapp|linkedin|write|dm|ring|phone|ping|teams) (?:me|us|is (?:fine"
    r"|better|best|ok|okay|easier|good)|"
    r"works|instead|would be|only|please$|please,|preferred)\b"
    r"|\b(?:instead|use (?:my|this|ADDR|the)|(?:reach|contact|write|try|find) (?:me|us|to|\w+) (?:at|on|via|by"
    r"|through)|"
    r"(?:by|via|only|prefer|over) (?:e-?mail|text|sms|phone|whatsapp|linkedin)(?! list))\b"
    r"|\b(?:escrib[ae]me|escribanme|mand[ae]me|envi[ae]me|llam[ae]me|mejor (?:por )?(?:correo|whatsapp|telefono"
    r"|mensaje|e-?mail)|por (?:correo|whatsapp|telefono) (?:mejor|si))\b"
    r"|\b(?:ecrivez|appelez|envoyez|contactez)[ -](?:moi|nous)\b|\b(?:plutot|par (?:mail|e-?mail|telephone"
    r"|sms) (?:plutot|seulement|uniquement))\b"
)
_REPLY_PREFIX = re.compile(r"^(?:(?:re|fw|fwd|aw|wg|sv|tr|rv|antw|ref) ?(?:\[\d+\])? ?: ?)+")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the floor found. `start` and `help` are carrier words of phone channels and no opt-out."""

    kind: Kind
    rule: str


def detect(text: str, *, channel: Channel, subject: str | None = None) -> Verdict | None:
    """The first rule that reads `text` (or a mail's subject) as a request to stop, or as START or HELP; else None."""
    body = folded(_window(text))
    verdict = _command(body, channel)
    if verdict is None and channel == "email":
        verdict = _first_line(body) or _in_subject(subject)
    return verdict or _phrase(_masked(body))


def is_opt_out(text: str, *, channel: Channel, subject: str | None = None) -> bool:
    found = detect(text, channel=channel, subject=subject)
    return found is not None and found.kind == "opt_out"


def _window(text: str) -> str:
    if len(text) <= _HEAD_CHARS + _TAIL_CHARS:
        return text
    return f"{text[:_HEAD_CHARS]}\n\n{text[-_TAIL_CHARS:]}"


def _word(text: str) -> str:
    """The bare command inside a short text: no punctuation, no politeness."""
    word = " ".join(text[: _COMMAND_CHARS * 2].replace("-", " ").split()).strip(_EDGES)
    return _POLITE.sub("", word).strip(_EDGES)


def _command(body: str, channel: Channel) -> Verdict | None:
    text = body.strip()
    if not text or len(text) > _COMMAND_CHARS:
        return None
    word = _word(text)
    if channel == "email":
        return Verdict("opt_out", f"word.{word.replace(' ', '_')}") if word in _EMAIL_WORDS else None
    if word in _CARRIER_WORDS:
        return Verdict("opt_out", f"word.{word.replace(' ', '_')}")
    if channel in _TEXTING_CHANNELS and word in _START_WORDS:
        return Verdict("start", f"word.{word}")
    if channel in _TEXTING_CHANNELS and word in _HELP_WORDS:
        return Verdict("help", f"word.{word}")
    return None


def _first_line(body: str) -> Verdict | None:
    """A command alone on the first line, with only a signature below it."""
    first, _, rest = body.strip().partition("\n")
    below = [line for line in rest.split("\n", 12)[:12] if line.strip()]
    if not below or len(first) > _COMMAND_CHARS or len(below) > 8:
        return None
    word = _word(first)
    if word not in _EMAIL_WORDS or any(len(line.split()) > 7 for line in below):
        return None
    return Verdict("opt_out", f"word.{word.replace(' ', '_')}")


def _in_subject(subject: str | None) -> Verdict | None:
    """A subject the lead wrote; after `Re:` it is ours, so there only a bare command counts."""
    if not subject:
        return None
    line = folded(subject[:200]).strip()
    own = _REPLY_PREFIX.sub("", line)
    if (word := _word(own)) in _EMAIL_WORDS:
        return Verdict("opt_out", f"subject.{word.replace(' ', '_')}")
    return _phrase(_masked(own), "subject.") if own == line else None


def _masked(text: str) -> str:
    if "http" in text or "www." in text:
        text = _URL.sub(" URL ", text)
    return _ADDRESS.sub(" ADDR ", text) if "@" in text else text


def _phrase(text: str, prefix: str = "") -> Verdict | None:
    rules = [rule for rule in _RULES if any(part in text for part in rule.needs)]
    if not rules:
        return None
    for sentence in _sentences(text):
        for rule in rules:
            if any(part in sentence for part in rule.needs) and _matches(rule, sentence, text):
                return Verdict("opt_out", prefix + rule.name)
    return None


def _matches(rule: Rule, sentence: str, text: str) -> bool:
    if rule.asks.search(sentence) is None or _FOOTER.search(sentence) is not None:
        return False
    if rule.unless is not None and rule.unless.search(sentence) is not None:
        return False
    return not (rule.another_channel and _OTHER_CHANNEL.search(text))


_RULES: tuple[Rule, ...] = optout_english.RULES + optout_romance.RULES


def _sentences(text: str) -> Iterator[str]:
    """Each sentence once with its lines joined (mail programs wrap), then each line alone (people write line by line)."""
    seen: set[str] = set()
    for part in (*_SENTENCE_END.split(text), *text.split("\n")):
        sentence = " ".join(part.split()).strip(_EDGES)
        if not sentence or sentence in seen:
            continue
        seen.add(sentence)
        if len(sentence) <= _SENTENCE_CHARS:
            yield sentence
        else:
            for start in range(0, len(sentence), _SENTENCE_STEP):
                yield sentence[start : start + _SENTENCE_CHARS]
