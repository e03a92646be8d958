"""Mail that a machine wrote in a person's name: out-of-office notices and other automatic answers.

A notice is told by its shape (vendor flag, subject, the opening of the body). "I am returning your call" is a person
(B20).
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from zrg_dagster.core.text.chars import folded
from zrg_dagster.core.text.return_date import find_return_date

_READ_CHARS = 4_000

_SUBJECT = re.compile(
    r"^ ?(?:(?:re|fw|aw|sv) ?: ?)?(?:\[?auto(?:matic|mated|matische?|matico|matica)?[ -]?(?:reply|response|answer"
    r"|antwort|reponse)\b|auto:|automatische (?:antwort|abwesenheit)|"
    r"reponse automatique|respuesta automatica|abwesenheits|abwesend|out of (?:the )?office|ooo\b"
    r"|absence(?: du bureau)?\b|absent du bureau|fuera de (?:la )?oficina|"
    r"message d'absence|away from (?:the office|my desk)|vacation reply|on (?:annual |maternity |paternity "
    r"|parental )?leave)"
)
_OUT_OF_OFFICE = re.compile(
    r"\bout of (?:the )?office\b|\booo\b|\b(?:i am|i'm|i will be|i'll be|currently|am) (?:currently )?(?:away"
    r"|out of (?:the )?office|on (?:annual |maternity |paternity |parental |sick |medical )?"
    r"(?:leave|vacation|holidays?|pto)|on a business trip|travell?ing(?: with limited)?|out (?:until|till|from"
    r"|through|on))\b|\blimited access to (?:my )?e-?mails?\b"
    r"|\bback in the office (?:on|from|the)\b|\bje (?:suis|serai) (?:actuellement )?(?:absent|en conges?"
    r"|en vacances|hors du bureau|en deplacement)|\bde retour (?:le|au bureau|a partir)"
    r"|\b(?:estoy|estare|me encuentro) (?:actualmente )?(?:fuera de (?:la )?oficina|de vacaciones|ausente|de viaje"
    r"|de baja)"
    r"|\b(?:ich bin|bin ich) (?:derzeit |zurzeit |momentan |bis )?.{0,40}(?:nicht im (?:buro|haus)|abwesend"
    r"|im urlaub|nicht erreichbar|wieder erreichbar|ausser haus|auf dienstreise)"
)
_MACHINE = re.compile(
    r"\bthis is an? auto(?:matic|mated|-?generated)?[ -]?(?:reply|response|message|e-?mail)\b"
    r"|\bautomatically generated\b|\bthis (?:mailbox|inbox|e-?mail address) is (?:not|no longer|un) ?(?:monitored"
    r"|in use|active|attended)"
    r"|\bunmonitored (?:mailbox|inbox)\b|\bno longer (?:works?|employed|with) (?:at|for|by|the"
    r"|with)\b.{0,80}\bplease (?:contact|direct|e-?mail|reach)\b|\bwe (?:have )?received your (?:message|e-?mail"
    r"|enquiry|inquiry|request)\b.{0,120}"
    r"\b(?:will (?:respond|reply|get back|be in touch)|ticket|within)|\bticket (?:number|id|#)"
    r"|\bceci est (?:un message|une reponse) automatique|\beste es un (?:mensaje|correo) automatico"
    r"|\bdies ist eine automatische"
)
# Out-of-office words about a call or a third person, written by a person.
_PERSON = re.compile(
    r"\breturning (?:your|my|his|her|the) (?:call|email|message)\b|\b(?:he|she|they|my boss|our \w+) (?:is|are"
    r"|will be) (?:out of|away|on)\b"
)
# A notice answers nothing. "On vacation until Monday, but yes, let's talk" is an answer.
_ANSWER = re.compile(
    r"\?|\b(?:interested|sounds (?:good|great)|let's|lets|happy to|love to|would like to|we can|can you|could you"
    r"|talk|chat|meet|yes|sure|thanks for reaching)\b"
    r"|\b(?:interesse|d'accord|avec plaisir|oui|volontiers|interesa|claro|hablamos|gerne|ja)\b"
)
_OPENING_CHARS = 600


@dataclass(frozen=True, slots=True)
class AutoReply:
    """An automatic answer. `returns_on` is the day an out-of-office notice announces, when that is certain."""

    kind: Literal["out_of_office", "automated"]
    rule: str
    returns_on: date | None = None


def detect_auto_reply(text: str, *, subject: str | None, vendor_flag: bool, now: datetime) -> AutoReply | None:
    """Whether an inbound mail is an automatic answer; `text` is cleaned, `now` (aware) anchors dates without a year."""
    body = " ".join(folded(text[:_READ_CHARS]).split())
    opening = body[:_OPENING_CHARS]
    away = _OUT_OF_OFFICE.search(opening) is not None and _PERSON.search(opening) is None
    by_subject = subject is not None and _SUBJECT.match(folded(subject[:200]).strip()) is not None
    rule = "vendor_flag" if vendor_flag else "subject" if by_subject else None
    if rule is None:
        if _ANSWER.search(opening) is not None:
            return None
        rule = "out_of_office_text" if away else "machine_text" if _MACHINE.search(opening) else None
    if rule is None:
        return None
    returns_on = find_return_date(body, now)
    if away or returns_on is not None or (by_subject and not _is_plain_auto_subject(subject or "")):
        return AutoReply("out_of_office", rule, returns_on)
    return AutoReply("automated", rule)


def _is_plain_auto_subject(subject: str) -> bool:
    """`Automatic reply:` alone does not say why; an absence in the subject does."""
    key = folded(subject)
    return not re.search(r"office|ooo|absen|abwesen|oficina|away|vacation|leave", key[:60])
