"""Whether somebody asks to be called, by their words alone. English; pure, one pass over each clause.

Every phrase needs what makes it a request: a number, a time, or nothing behind it. "Call me crazy" goes on with a name
(B67), "hop on a call" is about a meeting and is scheduling (follow-ups B19), and a refusal in the same clause turns it
into its opposite (B18).
"""

import re

from zrg_dagster.core.text.chars import folded

MAX_CHARS = 20_000

# Seven digits and more, as people write them; what is really a number is for whoever dials it.
_PHONE = r"\+?\(?\d[\d ().\-/]{5,18}\d"
_DAY = (
    r"tomorrow|today|tonight|mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:rs|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
    r"|next|this|any ?time|later|now|asap|as soon|sometime|first thing|early|late|back|again|directly|instead|straight"
)
# What may stand behind a request. Anything else, and the words go on to say something different; a mail address is not
# called.
_BEHIND = (
    rf"(?! (?:at|on) \S+@)(?=\s*(?:$|[.!?,;:)(\n-])|\s+(?:{_DAY}|at|on|in|after|before|between|from|by|around|about|when"
    rf"|whenever|if|once|to|for|regarding|re|and|or|then|so|please|pls|thanks|thank|my|our|whatever|with|{_PHONE})(?!\w))"
)
_VERB = r"(?:call|phone|ring|telephone|dial|buzz)"
_OURS = r"(?:my|our|the) (?:cell|cellphone|mobile|phone|office|desk|direct line|line|number|landline|assistant|secretary|pa)\b"

_REQUESTS = (
    ("call_me", rf"\b{_VERB} (?:me|us)(?: up)?\b{_BEHIND}"),
    ("call_me", rf"\bgive (?:me|us|{_OURS}) an? (?:quick |short |phone )?(?:call|ring|buzz|bell)\b"),
    ("please_call", rf"\b(?:please|pls|kindly|plz) {_VERB}\b{_BEHIND}"),
    ("please_call", rf"\b(?:can|could|would|will) (?:you|someone|somebody|anyone) (?:please |pls |just )?{_VERB}\b{_BEHIND}"),
    ("call_number", rf"\b{_VERB}(?: (?:me|us))?(?: on| at)?(?: {_OURS})?[ :,-]*{_PHONE}"),
    ("call_number", rf"\b{_VERB} {_OURS}"),
    (
        "own_number",
        r"\b(?:my|here'?s my|here is my|this is my) (?:best |direct |personal |work )?"
        rf"(?:cell|cellphone|mobile|phone|number|direct line|direct|line)(?: phone)?(?: number)?\b[^\d+(]{{0,24}}{_PHONE}",
    ),
    ("own_number", rf"\breach me (?:directly )?(?:at|on|under|by phone|by cell)\b[^\d+(]{{0,24}}{_PHONE}"),
    ("call_back", r"\b(?:request|arrange|organi[sz]e|schedule|like|want|appreciate|need|expect) an? (?:phone )?call ?-?back\b"),
    ("call_back", r"\bcall ?-?back (?:please|requested|would be)\b"),
)  # fmt: skip
_PATTERNS = tuple((name, re.compile(pattern)) for name, pattern in _REQUESTS)
# In the words of the same clause before the request: a refusal, or a story about calls that happened.
_NOT_WANTED = re.compile(
    r"\b(?:don'?t|do not|dont|never|no|not|won'?t|stop|cease|quit|without|instead of|rather than|avoid|unless|cannot|can'?t"
    r"|did|didn'?t|what|tried|trying|used|kept|keeps?|always|who|why|nobody|people|vendors|they|he|she|told)\b(?!,)"
)
# "Why don't you call me" asks for one; so does "if you can't … , call me", whose comma ends the clause.
_ASKS_ALL_THE_SAME = re.compile(r"\bwhy (?:don'?t|not)\b|\bno (?:problem|worries|rush|hurry)\b|\bnot (?:only|just)\b")
_CLAUSE = re.compile(r"[.!?;\n]+(?:\s|$)|\n|,\s|\s-+\s|\bbut\b|\bhowever\b")


def wants_call(text: str) -> str | None:
    """The rule that says that the writer asks to be called (`call_me`, `please_call`, `call_number`, `own_number`,
    `call_back`); None when nothing does."""
    said = folded(text[:MAX_CHARS])
    starts = [0, *(match.end() for match in _CLAUSE.finditer(said))]
    for name, pattern in _PATTERNS:
        for match in pattern.finditer(said):
            clause = max(start for start in starts if start <= match.start())
            before = _ASKS_ALL_THE_SAME.sub(" ", said[clause : match.start()])
            if not _NOT_WANTED.search(before):
                return name
    return None
