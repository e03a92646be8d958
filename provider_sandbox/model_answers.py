"""The imitated model's opinions: a tag for a reply, a short answer, a judgement of a draft.

This is an imitation. It understands nothing: it matches words, and everything it writes is computed from the request
in front of it, so the same request always gets the same answer and another request another.
"""

import re
from dataclasses import dataclass

from provider_sandbox.model_reading import AVAILABILITY, CLOCK_TIME, Reading

# In the order in which a careful reader decides: what stops everything first, mere interest last.
_WORDS: dict[str, tuple[str, ...]] = {
    "Blacklist": (
        r"unsubscribe|opt(?:ing)?[ -]?out|remove (?:me|us|my)|take (?:me|us) off|^\W*stop\W*$|cease and desist",
        r"(?:stop|quit) (?:e-?mailing|contacting|messaging|texting|calling)|reported? (?:you )?(?:as )?spam",
        r"(?:do not|don'?t|never) (?:contact|e-?mail|text|message) ",
    ),
    "Out of Office": (
        r"out of (?:the )?office|\booo\b|on (?:\w+ )?(?:leave|vacation|holiday)|away (?:from my desk|until)",
        r"return(?:ing)? (?:to the office |on |at )|limited access to (?:my )?e-?mail|back in the office",
    ),
    "Automated Reply": (
        r"auto(?:matic|mated)?[ -]?(?:reply|response|message)|do not reply to this|not monitored",
        r"(?:we have|we've) received your (?:message|e-?mail|request)|ticket (?:number|#)",
    ),
    "Not Interested": (
        r"not interested|no,? thank(?:s| you)|not (?:a )?(?:good )?fit|not for (?:me|us)|not at this time",
        r"(?:we'?ll|i'?ll) pass|not looking|no need|please don'?t",
    ),
    "Objection": (
        r"already (?:have|us(?:e|ing)|work(?:ing)? with)|too expensive|no budget|not in (?:the|our) budget",
        r"happy with (?:our|my|the) current|under contract|locked in",
    ),
    "Meeting Booked": (r"(?:just|i'?ve|i have|we) (?:just )?(?:booked|scheduled)|grabbed a (?:slot|time)",),
    "Call Requested": (
        r"(?:call|ring|phone) (?:me|us)\b|give (?:me|us) a (?:call|ring)|reach me (?:at|on)",
        r"my (?:cell|mobile|(?:phone )?number) is|\b(?:phone|quick|short) call\b",
    ),
    "Meeting Requested": (
        r"\bmeet(?:ing)?\b|schedule|calendar|\bdemo\b|what times?|when (?:are|can|could)|availab|\binvite\b",
        r"(?:mon|tues|wednes|thurs|fri)day|tomorrow|next week|\b\d{1,2}(?::\d\d)? ?(?:am|pm)\b|book (?:a|some)",
        r"(?:some|a few|your) times|works? for me|find (?:a )?time|jump on a|\bchat\b",
    ),
    "Information Requested": (
        r"pric(?:e|es|ing)|\bcosts?\b|how much|\bfees?\b|\brates?\b|(?:more|some) (?:info|information|details)",
        r"tell me more|send (?:me |over |us )?(?:\w+ )?(?:info|details|deck|material|overview)|case stud",
        r"how (?:does|do|would)|what (?:is|does|do|exactly)|does (?:it|this)",
        r"do you (?:support|have|offer|integrate|work)",
    ),
    "Follow Up": (
        r"follow up|circle back|reach out (?:again|later|in)|next (?:quarter|month|year)|check back",
        r"in (?:a few|two|three|\d+) (?:weeks|months)|later this|busy right now|not (?:right )?now",
    ),
    "Interested": (
        r"interested|sounds? (?:good|great|useful|interesting|like)|\byes\b|\byep\b|love to|\bkeen\b|\bsure\b",
        r"let'?s (?:do|talk|go)|i'?m in\b|happy to|intrigued|curious",
    ),
}
_PATTERNS = {tag: re.compile("|".join(parts), re.IGNORECASE | re.MULTILINE) for tag, parts in _WORDS.items()}
_CERTAIN = ("Blacklist", "Out of Office", "Automated Reply", "Not Interested")
_NEAR = {
    "Meeting Booked": "Meeting Requested",
    "Meeting Requested": "Interested",
    "Call Requested": "Meeting Requested",
    "Information Requested": "Interested",
    "Objection": "Not Interested",
    "Follow Up": "Neutral",
    "Automated Reply": "Out of Office",
    "Out of Office": "Automated Reply",
    "Blacklist": "Not Interested",
    "Interested": "Positive",
    "Not Interested": "Negative",
}
_PLACEHOLDER = re.compile(r"[{}]|\[[A-Za-z][^\]\n]{1,40}\]|\$[A-Z]\b")
_MONEY = re.compile(r"[$€£]\s?\d[\d,.]*")
_DELICATE = re.compile(
    r"pric|cost|contract|legal|lawyer|security|gdpr|hipaa|complain|angry|refund|guarantee", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Opinion:
    """A tag of the product's vocabulary, a confidence from 0 to 1, and a sentence that says why."""

    tag: str
    confidence: float
    reason: str


def classify(text: str) -> Opinion:
    """The first tag, in the order a careful reader would apply, whose words occur; else Neutral."""
    hits = {tag: found for tag, pattern in _PATTERNS.items() if (found := pattern.findall(text))}
    if not hits:
        return Opinion("Neutral", 0.58 if text.strip() else 0.3, "The lead gives no clear intent.")
    tag = next(iter(hits))
    if tag in _CERTAIN:
        confidence = 0.97 - 0.02 * (len(hits) - 1)
    else:
        # Interest agrees with every positive tag; only other tags make the reading less sure.
        rivals = sum(other not in (tag, "Interested", "Meeting Requested", "Call Requested") for other in hits)
        confidence = 0.9 + 0.02 * min(4, len(hits[tag])) - 0.09 * rivals - (0.1 if len(text) < 12 else 0)
    word = hits[tag][0].strip()
    return Opinion(tag, round(max(0.35, min(0.98, confidence)), 2), f'The lead says "{word}", which reads as {tag}.')


def nearest(tag: str, allowed: list[str]) -> str | None:
    """The allowed spelling of a tag, or of the closest tag that is allowed; None when none fits."""
    spellings = {value.lower().replace("_", " ").replace("-", " "): value for value in allowed}
    seen: set[str] = set()
    current: str | None = tag
    while current and current not in seen:
        if current.lower() in spellings:
            return spellings[current.lower()]
        seen.add(current)
        current = _NEAR.get(current)
    return spellings.get("neutral") or spellings.get("other")


def pick_times(reading: Reading) -> list[str]:
    """Up to two offered times, those on the weekday the lead named first."""
    slots, said = reading.availability, reading.last_inbound.lower()
    days = [day for day in ("mon", "tue", "wed", "thu", "fri") if re.search(rf"\b{day}", said)]
    wanted = [slot for slot in slots if any(re.search(rf"\b{day}", slot.lower()) for day in days)]
    return (wanted + [slot for slot in slots if slot not in wanted])[:2]


def _fact_for(reading: Reading) -> str:
    """The sentence of the given facts that shares most words with what the lead asked."""
    asked = set(re.findall(r"[a-z]{4,}", reading.last_inbound.lower()))
    if re.search(r"pric|cost|how much|fee", reading.last_inbound, re.IGNORECASE):
        asked |= {"price", "pricing", "cost", "costs", "month", "starts", "from"}
    sentences = [part.strip(" -*") for part in re.split(r"(?<=[.!?])\s+|\n", reading.facts) if len(part.strip()) > 12]
    scored = [(len(asked & set(re.findall(r"[a-z]{4,}", sentence.lower()))), sentence) for sentence in sentences]
    best = max(scored, key=lambda pair: pair[0], default=(0, ""))
    return best[1] if best[0] else ""


def _ask_for_time(reading: Reading) -> str:
    times = pick_times(reading)
    if len(times) == 2:
        return f"I can do {times[0]} or {times[1]}, which one suits you?"
    if times:
        return f"I can do {times[0]}, does that work for you?"
    if reading.booking_link:
        return f"You can pick a time that suits you here: {reading.booking_link}"
    return "Which day and time would suit you?"


_OPENINGS: dict[str, tuple[str, ...]] = {
    "Meeting Requested": (
        "Thanks for getting back to me, glad to set something up.",
        "Good to hear from you, let us talk.",
    ),
    "Interested": ("Thanks for your reply, great to hear.", "Good to hear that this speaks to you."),
    "Meeting Booked": ("Thanks for booking, it is in my calendar.", "Great, I have noted it."),
    "Call Requested": ("Thanks, happy to talk by phone.", "Sure, a call is the quickest way."),
    "Information Requested": ("Thanks for asking.", "Good question."),
    "Follow Up": ("No problem, thanks for letting me know.", "Understood, there is no rush."),
    "Out of Office": ("Thanks for letting me know.", "No problem, enjoy your time away."),
    "Objection": ("That makes sense, thanks for being open about it.", "I understand, thanks for saying so."),
    "Neutral": ("Thanks for getting back to me.", "Thanks for your message."),
}
_DECLINED = ("Understood, thanks for letting me know.", "Thanks for being clear about it.")


def _opening(reading: Reading, tag: str) -> str:
    """The first way of opening that a previous, rejected draft did not use."""
    options = _OPENINGS.get(tag, _DECLINED)
    return next((text for text in options if text not in reading.previous_draft), options[-1])


def _closing(reading: Reading, tag: str) -> str:
    if tag in ("Follow Up", "Out of Office", "Automated Reply"):
        return "When would be a good moment to come back to you?"
    if tag == "Objection":
        return "What would have to be different for this to be useful to you?"
    if tag == "Meeting Booked":
        return "I look forward to our conversation."
    if tag == "Call Requested":
        return "Which day and time suit you, and is this the best number to reach you on?"
    if tag in ("Not Interested", "Blacklist"):
        return "I will not write to you about this again."
    return _ask_for_time(reading)


def _middle(reading: Reading, tag: str) -> list[str]:
    """What was asked, answered from the given facts; one sentence of them otherwise, when there is room."""
    fact = _fact_for(reading)
    if tag == "Information Requested":
        return [
            fact
            or "I want to give you an exact answer rather than a general one, so I will check and come back to you."
        ]
    sentences = [part.strip() for part in re.split(r"(?<=[.!?])\s+|\n", reading.facts) if len(part.strip()) > 12]
    return (
        [fact or sentences[0]] if (fact or sentences) and tag in ("Meeting Requested", "Interested", "Neutral") else []
    )


_OPEN_TO_TALK = ("Meeting Requested", "Call Requested", "Information Requested", "Interested", "Neutral")
_FILLERS = (
    "A short conversation is enough to see whether this fits what you are working on, and I am happy to keep it brief.",
    "If it is easier for you, just answer here and I will take it from there without any further back and forth.",
)


def write_draft(reading: Reading, limit: int | None = None) -> str:
    """A short answer to the lead's last words, by name, within the length asked for.

    It names only times from the offered ones, asks at most one question and signs only when a signature was given.
    """
    tag = classify(reading.last_inbound).tag
    greeting = f"Hi {reading.first_name}," if reading.first_name else "Hi,"
    least, most = reading.length
    most = min(filter(None, (limit, most)), default=None)
    opening, middle, closing = _opening(reading, tag), _middle(reading, tag), _closing(reading, tag)
    if reading.channel == "sms":
        return _fitting(most, (f"{greeting} {opening} {' '.join(middle)} {closing}", f"{greeting} {opening} {closing}",
                               f"{greeting} {closing}"))  # fmt: skip
    signature = [reading.signature] if reading.signature else []
    bodies = [
        [greeting, opening, *middle, *_FILLERS[:count], closing, *signature] for count in range(len(_FILLERS) + 1)
    ]
    texts = ["\n\n".join(parts) for parts in bodies]
    long_enough = next((text for text in texts if len(text) >= least), texts[-1])
    return _fitting(most, (long_enough, f"{greeting}\n\n{opening}\n\n{closing}", closing))


def _fitting(most: int | None, texts: tuple[str, ...]) -> str:
    fitting = next((text for text in texts if most is None or len(text) <= most), texts[-1])
    return " ".join(fitting.split(" ")) if most is None or len(fitting) <= most else fitting[:most].rsplit(" ", 1)[0]


def evaluate(reading: Reading) -> Opinion:
    """How safe the draft is to send; `tag` is "safe" or "review"."""
    draft, inbound = reading.draft, classify(reading.last_inbound)
    findings: list[tuple[float, str]] = [(0.95, "The draft answers the lead and stays within what was given.")]
    if not draft:
        findings.append((0.0, "There is no draft to judge."))
    if _PLACEHOLDER.search(draft):
        findings.append((0.1, "The draft still holds a placeholder."))
    if inbound.tag in ("Blacklist", "Out of Office", "Automated Reply"):
        findings.append((0.05, f"The lead's message reads as {inbound.tag}; nothing should be sent."))
    if inbound.tag == "Not Interested":
        findings.append((0.4, "The lead declined; a person should decide whether to answer."))
    given = f"{reading.first(AVAILABILITY)} {reading.last_inbound}".lower()
    stray = [time for time in CLOCK_TIME.findall(draft) if time.lower() not in given]
    if stray:
        findings.append((0.3, f"The draft names a time that was not offered: {stray[0]}"))
    money = [amount for amount in _MONEY.findall(draft) if amount not in reading.facts]
    if money:
        findings.append((0.2, f"The draft names an amount that the facts do not hold: {money[0]}"))
    if _DELICATE.search(reading.last_inbound):
        found = _DELICATE.search(reading.last_inbound)
        findings.append((0.7, f'The lead touches a delicate topic ("{found.group(0) if found else ""}").'))
    if inbound.tag == "Neutral":
        findings.append((0.75, "The lead's intent is not clear."))
    if reading.channel != "sms" and reading.first_name and draft and reading.first_name not in draft:
        findings.append((0.85, "The draft does not address the lead by name."))
    confidence, reason = min(findings)
    return Opinion("safe" if confidence >= 0.6 else "review", confidence, f"{reason} Draft: {len(draft)} characters.")
