"""One spelling for the opt-out rules: contractions, elisions, text-speak and typos read as the words they stand for.

"plz dnt txt me", "please don't text me" and "pleaes dont text me" become "please do not text me"; "ne m'écrivez" and
"ne mecrivez" become "ne me ecrivez". The result is lower case without accents, with one blank between tokens; `,`
stands for any pause inside a sentence, `?` closes a question, `ADDR` and `URL` stand for a masked address or domain
and a link.
"""

import re
from functools import lru_cache

from zrg_dagster.core.text.optout_typos import head_word, words

_PAUSE = re.compile(r"(?<![a-z0-9])[-–—]+(?![a-z0-9])|--+|[/|•·.]")
_TOKEN = re.compile(r"ADDR|URL|[a-z0-9][a-z0-9'*]*|[,:;()?&]|\+(?!\d)|#(?!\d)")
# A swear word with some letters hidden, as an adjective: it ends like one, or stands before a noun.
_HIDDEN = re.compile(
    r"(?<![^\s(\"'])(?:[fsbdcgp][a-z]{0,3}[*#@$%]{1,12}[a-z*#@$%]{0,12}(?:(?<=ing)|(?<=in)|(?<=ed)|(?<=ty)|(?<=dy))'?"
    r"|[*#@$%]{2,12}(?:ing?|ed)|f[a-z]?[*#@$%]{1,12}[a-z]?|d[*#@$%]{1,3}m?n"
    r"|(?:(?<=this )|(?<=your )|(?<=these )|(?<=those ))[fsbdcgp][a-z]{0,3}[*#@$%]{1,12}[a-z*#@$%]{0,12})"
    r" (?!(?:off|out|up|yo\w*|ur?|this|that|it|all)\b)(?=[a-z])"
)
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_WORD_CHARS = 40
_MARKS = {":": ",", ";": ",", "(": ",", ")": ",", "&": "and", "+": "plus", "#": "number"}

# Text-speak and words that people glue together or leave the apostrophe out of.
_SPEECH = {
    "pls": "please", "plz": "please", "plse": "please", "plss": "please", "kindly": "please", "u": "you", "ya": "ya",
    "y'all": "you", "yall": "you", "ya'll": "you", "ur": "your", "r": "are", "rmv": "remove", "rmve": "remove",
    "msg": "message", "msgs": "messages", "msging": "messaging", "txt": "text", "txts": "texts", "txting": "texting",
    "thx": "thanks", "thnx": "thanks", "tks": "thanks", "ty": "thanks",
    "tx": "thanks", "thks": "thanks", "thanx": "thanks", "thankx": "thanks", "tnx": "thanks", "thnks": "thanks",
    "tysm": "thanks", "tyvm": "thanks", "kthx": "thanks", "kthxbye": "thanks", "thxbye": "thanks", "thanku": "thanks",
    "thankyou": "thanks", "frm": "from", "unsub": "unsubscribe",
    "wanna": "want to", "gonna": "going to", "gotta": "have to", "dnt": "do not", "dont": "do not", "donot": "do not",
    "doesnt": "does not", "didnt": "did not", "cant": "can not", "cannot": "can not", "wont": "will not",
    "wouldnt": "would not", "shouldnt": "should not", "couldnt": "could not", "isnt": "is not", "arent": "are not",
    "havent": "have not", "hasnt": "has not", "im": "i am", "ive": "i have", "youre": "you are", "youve": "you have",
    "let's": "let us", "it's": "it is", "that's": "that is", "thats": "that is", "here's": "here is",
    "there's": "there is", "what's": "what is", "where's": "where is", "how's": "how is", "who's": "who is",
    "asap": "now", "optout": "opt out", "optouts": "opt outs", "followup": "follow up", "followups": "follow ups",
    "e-mail": "email", "outta": "out of", "intrested": "interested", "intersted": "interested",
    "interrested": "interested", "whats": "what is", "wheres": "where is", "fone": "phone",
    "yor": "your", "yuor": "your", "tak": "take", "tke": "take", "fom": "from", "em": "them", "'em": "them",
    "nomore": "no more", "stopp": "stop", "anymore": "any more", "agn": "again",
    "agen": "again", "msgn": "messaging", "txtn": "texting",
    "txtng": "texting", "msgng": "messaging", "dlt": "delete", "dlete": "delete", "ths": "this", "thnk": "thank",
    "abt": "about", "bc": "because", "cuz": "because", "wrk": "work", "nbr": "number", "nmbr": "number", "ph": "phone",
    "lmk": "let me know", "tht": "that", "wht": "what", "cnt": "can not", "ppl": "people", "rly": "really",
    "needn't": "need not", "neednt": "need not", "mustnt": "must not", "g'day": "hello",
    "aint": "is not", "ain't": "is not",
    # Spanish
    "xfa": "porfavor", "xfavor": "porfavor", "porfa": "porfavor", "porfis": "porfavor", "pfv": "porfavor",
    "porfas": "porfavor", "q": "que", "ke": "que", "qiero": "quiero", "qro": "quiero", "kiero": "quiero",
    "keremos": "queremos", "quero": "quiero", "mjes": "mensajes", "msj": "mensaje", "msjs": "mensajes",
    "tlf": "telefono", "tfno": "telefono", "cel": "celular", "nomas": "no mas", "vaja": "baja",
    "nda": "nada", "nd": "nada", "msjes": "mensajes", "mens": "mensajes", "bn": "bien",
    "pq": "por que", "xq": "por que", "tmb": "tambien", "ak": "aqui", "numro": "numero", "correito": "correo",
    "correitos": "correos", "aki": "aqui", "todabia": "todavia", "nunk": "nunca", "kien": "quien", "porfi": "porfavor",
    "uds": "ustedes", "ud": "usted", "wsp": "whatsapp",
    "grax": "gracias", "grcs": "gracias", "grac": "gracias", "grasias": "gracias", "grs": "gracias",
    "wasap": "whatsapp", "guasap": "whatsapp", "d": "de",
    # French
    "stp": "svp", "jveux": "je veux", "jveu": "je veux", "jvx": "je veux", "jvoudrais": "je voudrais",
    "jai": "je ai", "jaimerais": "je aimerais", "vs": "vous", "ds": "dans", "tt": "tout", "mtn": "maintenant",
    "jamai": "jamais", "slt": "salut", "bjr": "bonjour", "bdd": "base", "tel": "telephone", "num": "numero",
    "desabo": "desabonnement", "desab": "desabonnement", "jsuis": "je suis", "chui": "je suis",
    "msge": "message", "mess": "messages", "qd": "quand", "ns": "nous",
    "pk": "pourquoi", "pkoi": "pourquoi", "bcp": "beaucoup", "vrmt": "vraiment", "tjs": "toujours", "tjr": "toujours",
    "qqun": "quelqu un", "pdv": "point de vue", "rdv": "rendez vous", "nn": "non", "g": "je ai", "pu": "plus",
    "koi": "quoi", "mrc": "merci", "mci": "merci",
    "dsl": "desole", "pr": "pour", "jsouhaite": "je souhaite", "jen": "je en", "veu": "veux", "plu": "plus",
}  # fmt: skip
_CONTRACTED = (
    ("n't", " not"), ("'m", " am"), ("'ve", " have"), ("'ll", " will"), ("'re", " are"), ("'d", " would"),
)  # fmt: skip
_NOT_STEMS = {"wo": "will", "ca": "can", "sha": "shall"}
_ELISION = re.compile(r"(m|n|d|l|j|t|s|c|qu|jusqu|lorsqu)'([a-z].*)")
_ELIDED = {"m": "me", "n": "ne", "d": "de", "l": "le", "j": "je", "t": "te", "s": "se", "c": "ce", "qu": "que"}
# French verbs whose elided pronoun loses its apostrophe in a hurry: "mappelez", "narretez", "darreter".
_GLUED = re.compile(
    r"(m|n|d|j|l)((?:envo|ecri[rstv]|appel|arret(?:e|ez|er)$|import|enlev|effac|exclu|inscri|abonn|harcel|oppos"
    r"|interess"
    r"|aimer|etre$|avoir$|ajout)[a-z]*)"
)
# How Spanish sounds, not how it is spelled: b and v, h, ll and y.
_SOUNDS = (
    (re.compile(r"^escriv(?!ent)"), "escrib"), (re.compile(r"^re[sc]i[bv](?=[aeio])"), "recib"),
    (re.compile(r"^vuelb"), "vuelv"), (re.compile(r"^bu?elv"), "vuelv"), (re.compile(r"^vorr"), "borr"),
    (re.compile(r"^ar+et+(?=(?:e|ez|er|es)$)"), "arret"), (re.compile(r"^yam(?=[aeo])"), "llam"),
    (re.compile(r"^enbi"), "envi"), (re.compile(r"^mole[zc]t"), "molest"),
    (re.compile(r"^(?:de|di)s?-?su[bs]*[cs]+ri[bv]"), "desuscrib"), (re.compile(r"^kit(?=[ae])"), "quit"),
    (re.compile(r"^abl(?=(?:e|en|es)$)"), "habl"), (re.compile(r"^desape?unt"), "desapunt"),
)  # fmt: skip
# Words that add force and no meaning; without them each phrase is written once.
_FILLERS = words(
    """ever really actually simply fucking fuckin bloody damn goddamn freaking literally immediately urgently
    forthwith respectfully politely promptly permanently completely entirely totally hereby
    ya inmediatamente definitivamente simplemente realmente amablemente urgentemente permanentemente totalmente
    immediatement definitivement vraiment simplement enfin donc surtout urgemment rapidement totalement aimablement
    desormais instamment"""
)

# What several words in a row stand for: a substring without which the pattern need not be tried, the pattern, its spelling.
_PHRASES = tuple(
    (need, re.compile(pattern), canonical)
    for need, pattern, canonical in (
        (" id", r"\b(e?mail|phone|contact) ids?\b", r"\1"),
        (
            " no",
            r"\b(phone|mobile|mob|cell|telephone|contact) no(?=$| (?:from|off|out|please|in|on)\b| [,?])",
            r""
            r"\1 number",
        ),
        ("e mail", r"\be (?=mails?\b|mailing\b|mailed\b)", "e"),
        ("un su", r"\bun (?=su[bs])", "un"),
        ("id ", r"\bid (?=like|rather|prefer|appreciate|love)", "i would "),
        ("il ", r"\bs(?:e?i? ?|)il (?:vous|te|vs) (?:plai|ple)\w*", "svp"),
        ("s , v", r"\bs , v , ?p\b", "svp"),
        ("s v p", r"\bs v p\b", "svp"),
        ("n t", r"\b(do|did|does|is|are|was|have|has|had|would|should|could|ca|wo)n t\b", r"\1 not"),
        (" ", r"\b([mndj]) (?=[aeiouh][a-z])", r"\1e "),
        ("qu ", r"\bqu (?=[aeiouh])", "que "),
        (" , ", r"\b(never|do not) , (?:ever )?(?=\w)", r"\1 "),
        (" m ", r"\b(no|que) m (?=[a-z])", r"\1 me "),
        (" w ", r"\b(stop|enough|done|quit|up) w (?:, )?(?=\w)", r"\1 with "),
        ("one", r"\b(can|could|would|will) (?:some|any)one\b", r"\1 somebody"),
        (
            "body",
            r"\b(can|could|would|will) (?:some|any)body(?: (?:there|here|else|please|(?:on|at|from) your \w+))*\b",
            r"\1 you",
        ),
        (
            "you ",
            r"\byou (?:guys|people|all|lot|folks) (?=need|have|must|should|can|could|would|better|got|stop|quit)",
            "you ",
        ),
        ("svp", r"\bplease svp\b|\bsvp (?=texting|calling|emailing|messaging|sending|spamming)", "please stop "),
        (
            "you are",
            r"\byou are (?=(?:mailing |email |contact |call )?(?:list|database|system|crm|emails|texts|campaign)\b)",
            "your ",
        ),
        (
            "form ",
            r"\bform (?=(?:(?:your|the|this|all|any|ur) )?(?:\w+ ){0,2}(?:lists?|database|mailing|crm|emails)\b)",
            "from ",
        ),
        (
            " of ",
            r"\b(me|us|name|number|email|address) of (?=(?:your|this) (?:mailing |email |contact |call )?list\b)",
            r"\1 off ",
        ),
        ("plus", r"\b(no (?:\w+ ){0,4}|ni un )plus\b", r"\1mas"),
        (" fa", r"\b(?:por|x) fa(?:vor)?\b", "porfavor"),
        ("electroni", r"\b(?:correos?|courriers?|mensajes?) electroni(?:co|que)s?\b", "emails"),
        ("message", r"\b(?:text|sms|email|mail|linkedin|whatsapp|voice|phone|marketing) (?=messages?\b)", ""),
        ("call", r"\b(?:text|sms|email|mail|linkedin|whatsapp|voice|phone|marketing) (?=calls?\b)", ""),
        (" 2 ", r"\b(want|wants|like|need|wish|have|going|try|trying|asked) 2 (?=[a-z])", r"\1 to "),
        ("right ", r"\bright (?:now|away)\b", "now"),
        ("at once", r"\bat once\b", "now"),
        ("the ", r"\bthe (?:hell|fuck|heck) (?=out|off|up)", ""),
        ("de inmediato", r"\bde inmediato", "ahora"),
        ("posible", r"\blo antes posible", "ahora"),
        ("cuanto antes", r"\bcuanto antes", "ahora"),
        ("una vez", r"\bde una vez(?: por todas)?", "ahora"),
        ("brevedad", r"\ba la mayor brevedad", "ahora"),
        ("de suite", r"\btout de suite|\bde suite", "maintenant"),
        ("plus vite", r"\bau plus vite", "maintenant"),
        ("des ", r"\bdes (?:que possible|maintenant|a present|aujourd'hui)", "maintenant"),
        ("please", r"\b(can|could|would|will|should|must|to|not|never|you) please(?= \w)", r"\1"),
        ("please ", r"\bplease (?:do )?just\b", "please"),
        ("cheers", r"(?<=\w) (?:, )?cheers(?: (?:mate|man|guys))?$", " thanks"),
        (" ta", r"(?<=\w) (?:, )?ta$", " thanks"),
    )
)


def spelled(sentence: str) -> str:
    """`sentence` (folded, with masked addresses) in the one spelling that the rules read."""
    if "*" in sentence or "#" in sentence or "@" in sentence or "$" in sentence or "%" in sentence:
        sentence = _HIDDEN.sub("", sentence)
    tokens: list[str] = _TOKEN.findall(_PAUSE.sub(" , ", sentence))
    spelling = [_spelled_word(token) for token in tokens]
    text = " ".join(word for word in spelling if word not in _FILLERS)
    for need, pattern, canonical in _PHRASES:
        if need in text:
            text = pattern.sub(canonical, text)
    return " ".join(text.split())


def _spelled_word(token: str) -> str:
    # A token longer than any word is data; keeping it out of the cache keeps the cache small.
    if not token[0].islower() or len(token) > _WORD_CHARS:
        return _MARKS.get(token, token)
    return _word(token)


@lru_cache(maxsize=20_000)
def _word(token: str) -> str:
    token = _STRETCHED.sub(r"\1", token).rstrip("'")
    if not token.startswith("f"):
        token = token.replace("*", "")
    if (known := _SPEECH.get(token)) is not None:
        return known
    if "'" in token:
        return _apostrophe(token)
    for sound, letters in _SOUNDS:
        token = sound.sub(letters, token)
    glued = _GLUED.fullmatch(token)
    if glued is not None:
        return f"{_ELIDED[glued[1]]} {glued[2]}"
    return head_word(token)


def _apostrophe(token: str) -> str:
    elided = _ELISION.fullmatch(token)
    if elided is not None:
        return f"{_ELIDED.get(elided[1], elided[1])} {_word(elided[2])}"
    for ending, spoken in _CONTRACTED:
        if token.endswith(ending):
            stem = token.removesuffix(ending)
            return f"{_NOT_STEMS.get(stem, stem)}{spoken}"
    return token
