"""The deterministic floor: does this text ask us to stop? No model can overrule a yes (design §9, OO-01..OO-05).

The text must be the sender's own words (`email_body.clean_text`) and inbound: our footer says "unsubscribe", and our
own campaign text must never suppress its reader.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from zrg_dagster.core.text import (
    optout_english,
    optout_english_combined,
    optout_english_contact,
    optout_english_ends,
    optout_english_frames,
    optout_english_nominal,
    optout_english_records,
    optout_english_refusal,
    optout_english_unwanted,
    optout_french,
    optout_french_combined,
    optout_french_contact,
    optout_french_frames,
    optout_spanish,
    optout_spanish_combined,
    optout_spanish_contact,
    optout_spanish_frames,
)
from zrg_dagster.core.text.chars import folded
from zrg_dagster.core.text.optout_context import (
    FEATURE,
    FOOTER,
    GOES_ON,
    NEARLY,
    OTHER_CHANNEL,
    OWN,
    SHOWN,
    TAKES_BACK,
    TOLD,
)
from zrg_dagster.core.text.optout_rule import Rule
from zrg_dagster.core.text.optout_spelling import spelled

Channel = Literal["email", "sms", "linkedin", "whatsapp", "messenger", "instagram"]
Kind = Literal["opt_out", "start", "help"]

# A request to stop stands at the top of a reply, or at its end; what lies between in a longer text is a story.
_HEAD_CHARS, _TAIL_CHARS = 16_000, 4_000
_SENTENCE_CHARS = 600
_SENTENCE_STEP = 500
_ANSWER_CHARS = 60
_WHOLE_CHARS = 2_000

# Whole messages. Carrier words belong to phone channels: on e-mail "end" or "cancel" is an answer to a question.
_CARRIER_WORDS = frozenset(
    {"stop", "stopall", "stop all", "unsubscribe", "unsub", "cancel", "end", "quit", "revoke", "optout", "opt out",
     "remove", "remove me", "arret", "arreter", "baja", "alto", "parar", "desuscribir", "desabonner"}
)  # fmt: skip
_EMAIL_WORDS = frozenset({"stop", "unsubscribe", "unsub", "optout", "opt out", "remove", "remove me"})
_POLITE = re.compile(
    r"^(?:(?:please|pls|plz|hi|hello|ok|okay) )+|(?: (?:please|pls|plz|thanks|thank you|thx|now|immediately|asap"
    r"|merci|svp|stp|gracias|por favor))+$"
)
_SPACED_OUT = re.compile(r"[a-z](?:[ .]{1,2}[a-z]){2,12}")
_START_WORDS = frozenset({"start", "unstop"})
_HELP_WORDS = frozenset({"help"})
_TEXTING_CHANNELS = frozenset({"sms", "whatsapp"})
_COMMAND_CHARS = 60

_URL = re.compile(r"(?:https?://|www\.)\S{1,500}")
_ADDRESS = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{2,199}[^\s@<>.,;:!?)\]]")
_DOMAIN = re.compile(
    r"\b[a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9-]{1,63}){0,3}"
    r"\.(?:com|net|org|io|co|fr|es|de|eu|uk|ai|app|dev|us|ca|mx|ar|cl|pe|biz|info|example|agency|tech)\b"
)
_ARTICLE = re.compile(r"\bart\. ?(?=\d)")
_SENTENCE_END = re.compile(r"[.!?;…]+(?=\s|$)|\n{2,}|[!?…]+")
_EDGES = " \t\n\r.,!?:;\"'()[]*_-–>"
# A mailing's footer that survived the cleaning: its lines hold an unsubscribe link beside another, or say why the reader
# gets it. Only for mails: nobody types such a line by hand.
_FOOTER_LINE = re.compile(
    r"^[^\n|•·]{0,80}[|•·][^\n]{0,80}\b(?:unsubscribe(?! me| us)|opt out|desabonn\w*|desinscri\w*|baja)\b[^\n]{0,80}$"
    r"|^[^\n|•·]{0,80}\b(?:unsubscribe(?! me| us)|opt out|desabonn\w*|desinscri\w*|baja)\b[^\n|•·]{0,40}["
    r"|•·][^\n]{0,80}$"
    r"|^(?:you (?:are )?receiv(?:ed?|ing) th|vous (?:recevez|avez recu) c|(?:usted )?(?:recibe|recibes|ha recibido"
    r"|has recibido) est)"
    r"[^\n]{0,80}\b(?:because (?!i\b|we\b)|since you|as (?:a|an|you)\b|car vous|parce que vous|porque (?!no)"
    r"|en tant que)[^\n]{0,600}$",
    re.MULTILINE,
)
_REPLY_PREFIX = re.compile(r"^(?:(?:re|fw|fwd|aw|wg|sv|tr|rv|antw|ref) ?(?:\[\d+\])? ?: ?)+")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the floor found. `start` and `help` are carrier words of phone channels and no opt-out."""

    kind: Kind
    rule: str


def detect(text: str, *, channel: Channel, subject: str | None = None) -> Verdict | None:
    """The first rule that reads `text` (or a mail's subject) as a request to stop, or as START or HELP; else None."""
    body = _FOOTER_LINE.sub("", folded(_window(text)))
    verdict = _command(body, channel)
    if verdict is None and channel == "email":
        verdict = _first_line(body) or _in_subject(subject)
    return verdict or _phrase(body)


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
    word = _POLITE.sub("", word).strip(_EDGES)
    if _SPACED_OUT.fullmatch(word):
        return "".join(char for char in word if char.isalpha())
    return spelled(word) if word not in _CARRIER_WORDS else word


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
    return _phrase(own, "subject.") if own == line else None


def _masked(text: str) -> str:
    if "http" in text or "www." in text:
        text = _URL.sub(" URL ", text)
    if "@" in text:
        text = _ADDRESS.sub(" ADDR ", text)
    return _DOMAIN.sub(" ADDR ", _ARTICLE.sub("article ", text)) if "." in text else text


def _phrase(text: str, prefix: str = "") -> Verdict | None:
    sentences = list(canonical_sentences(text))
    whole = " . ".join(sentences)
    wholes = [whole[:_WHOLE_CHARS]]
    for rule in _worth_asking(sentences):
        if not any(_asks(rule, part) for part in (wholes if rule.whole else sentences)):
            continue
        if (rule.another_channel and OTHER_CHANNEL.search(whole)) or (rule.exclamation and GOES_ON.search(whole)):
            continue
        return Verdict("opt_out", prefix + rule.name)
    return None


def _asks(rule: Rule, sentence: str) -> bool:
    return rule.finds(sentence) and not any(
        context.search(sentence) for context in (FOOTER, TOLD, OWN, NEARLY, TAKES_BACK, SHOWN, FEATURE)
    )


RULES: tuple[Rule, ...] = (
    *optout_english.RULES,
    *optout_english_contact.RULES,
    *optout_english_unwanted.RULES,
    *optout_english_refusal.RULES,
    *optout_english_frames.RULES,
    *optout_english_records.RULES,
    *optout_english_nominal.RULES,
    *optout_english_combined.RULES,
    *optout_english_ends.RULES,
    *optout_spanish.RULES,
    *optout_spanish_contact.RULES,
    *optout_spanish_frames.RULES,
    *optout_spanish_combined.RULES,
    *optout_french.RULES,
    *optout_french_contact.RULES,
    *optout_french_frames.RULES,
    *optout_french_combined.RULES,
)

# What a rule needs by its first three letters, with the rule's place. One walk over a text finds what rules it is worth
# asking, mostly none: 4 µs for a short reply, where asking every rule about every sentence took 180.
_NEEDED: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
for _place, _rule in enumerate(RULES):
    for _need in _rule.needs:
        _NEEDED[_need[:3]].append((_need, _place))


def _worth_asking(sentences: Sequence[str]) -> list[Rule]:
    """The rules of which a sentence holds something that they need, in their order."""
    text = "\n".join(sentences)
    starts = _NEEDED.keys() & {text[at : at + 3] for at in range(len(text) - 2)}
    return [
        RULES[place] for place in sorted({place for each in starts for need, place in _NEEDED[each] if need in text})
    ]


def canonical_sentences(text: str) -> Iterator[str]:
    """Each sentence once with its lines joined (mail programs wrap), then each line alone (people write line by line).

    In canonical spelling; a question ends in ` ?`, and the short sentence behind one may speak of what it asked about
    ("where did you get this number? Delete it").
    """
    text = _masked(text)
    seen: set[str] = set()
    question = ""
    for part in (*_split(text), *(piece for line in text.split("\n") for piece in _split(line))):
        if part in seen:
            continue
        seen.add(part)
        for start in range(0, max(1, len(part) - _SENTENCE_CHARS + _SENTENCE_STEP), _SENTENCE_STEP):
            if sentence := spelled(part[start : start + _SENTENCE_CHARS]):
                yield sentence
                if question and len(part) <= _ANSWER_CHARS:
                    yield f"{question} {sentence}"
        question = spelled(part) if part.endswith("?") and len(part) <= _SENTENCE_CHARS else ""


def _split(text: str) -> Iterator[str]:
    start = 0
    for end in _SENTENCE_END.finditer(text):
        if part := " ".join(text[start : end.start()].split()):
            yield f"{part} ?" if "?" in end[0] else part
        start = end.end()
    if part := " ".join(text[start:].split()):
        yield part
