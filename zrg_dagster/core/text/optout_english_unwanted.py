"""English phrases by which a person says that he wants nothing from us any more: no mail, no call, not to be on a list.

Patterns see one sentence in canonical spelling; every repeat is bounded.
"""

from zrg_dagster.core.text.optout_english_words import (
    CONTACT,
    CONTACTED,
    CONTACTING,
    FROM_WHERE,
    NOUNS,
    OTHER_PEOPLE,
    RECEIVE,
    WHEN,
    WHICH,
)
from zrg_dagster.core.text.optout_rule import Rule, rule

_UNWANTED = (
    rf"(?:(?:be |get |being |getting |to be |have been )?(?:\w+ )?{CONTACTED}\b|(?:be(?:ing)? |stay(?:ing)? )?(?:on"
    rf"|part of|in|included in|subscribed to|added to) (?:your|this|the|any|these) (?:\w+ ){{0,2}}?{FROM_WHERE}\b"
    rf"|{RECEIVE}(?: {WHICH}){{1,4}} (?:\w+ ){{0,2}}?{NOUNS}\b|{RECEIVE} (?:{NOUNS}|(?:any of )?(?:these|those|this)"
    r"|any|anything|them|more)\b|(?:see|get|receive|open|read) another (?:one )?(?:of (?:these|those|your)|from you)"
    r"|hear(?:ing)? (?:(?:anything|any more|more|any further|back) )?(?:from(?! (?:me"
    r"|us)\b)|any ?more"
    r"|anything|about (?:this|it|your))|you (?:to )?(?:(?:be|keep|ever|continue to|to|guys|or your \w+"
    rf"|or anyone(?: \w+){{0,4}}) ){{0,2}}(?:{CONTACT}|{CONTACTING})\b|(?:{WHICH} ){{1,4}}(?:\w+ )?{NOUNS}\b"
    rf"|{NOUNS} from (?:you|your)|(?:any of )?(?:this|these|those) (?:things? )?in my (?:inbox|mailbox|email|feed|dms)"
    rf"|(?:anything"
    r"|something)(?: more| further| else)? from (?:you|your))"
)
_UNWANTED_BEFORE = rf"\b{OTHER_PEOPLE} (?:\w+ ){{0,2}}"

RULES: tuple[Rule, ...] = (
    rule(
        "en.unwanted",
        "unsolicited stop_ "
        "needing wanting requiring accept tak done annoy irritat bother finished subscrib no_f no_add no_other not_ "
        "never no_longer rather prefer tired "
        "no_more no_int no_desire no_wish want_no "
        "need_no zero appreciate nothing none nobody no_one further future additional any_more trust expect better "
        "hope left_ sick fed_up refuse decline object unwanted happ glad great nice love",
        r"\b(?:will not|do not|not|no longer|never) (?:be )?(?:need|want|wish|requir|accept"
        rf"|tak)ing (?:to )?{_UNWANTED}",
        r"\b(?:not|no longer|do not|does not) (?:accept|accepting|take|taking|respond to"
        r"|welcome) (?:any )?(?:unsolicited|solicitations?|cold|sales) ?(?:calls?|emails?|messages?|solicitations?"
        r"|pitches)?(?=$| ?,| (?:so|please|here|at|from|and)\b)",
        r"\b(?:do not|no longer|never) (?:want|wish|like|need) (?:you|your company) to (?:have|keep|hold|use|store"
        r"|sell|share) (?:my|our|this)\b|\b(?:do not|no longer) (?:want|wish|like) (?:my|our) (?:\w+ )?(?:data|email"
        r"|number|names?|info|information|details|address) (?:on|in|with|to be in) (?:your|any)\b|\b(?:do not"
        r"|no longer|not) (?:want|wish|care|like) to hear (?:any )?more(?=$| ?,)",
        r"\b(?:do not|no longer|never|not) (?:want|wish|like|care|need|agreed?|asked?|signed up|intend"
        r"|meant?) to (?:be |stay |remain |get )?subscribed?(?=$| ?[,?]| (?:to|any more|any longer|from) ?(?:(?:this"
        r"|your|these|it|any|the) ?)?(?:newsletters?|emails?|list|mailing|messages?|texts?|updates|$)?(?! (?:plan"
        r"|annual|monthly)))",
        r"\b(?:do not|did not|never|no longer|not|would not)(?: even| currently| personally| particularly| at all"
        r"| any longer| in the least)? (?:want|wish|care|desire|like|need|consent|agree|interested|looking|willing"
        r"|keen|happy|subscribe|appreciate|welcome|accept|require|enjoy|expect|intend|hope|request|sign up|signed up"
        rf"|authori[sz]e)(?: to| in| for| with| that)?(?: be| continue| keep)?(?: to)? {_UNWANTED}",
        r"\b(?:would |much )?(?:prefer|rather|like|love|appreciate|ask|request|choose|decided?|wish|opt|grateful for"
        r"|grateful)(?: it)?(?: if)?(?: i| we| you)?(?: could| would| were| was)?(?: to)? (?:not|never|no longer|stop"
        rf"|cease|avoid|be done)(?: to)?(?: continue)?(?: to)? {_UNWANTED}",
        r"\b(?:have|has|had|got|with|of|is|am|zero|absolutely) (?:no|zero)(?: \w+)? (?:interest|desire|wish|need"
        rf"|intention|use|appetite|time)(?: whatsoever)? ?(?:in|to|for|of) {_UNWANTED}",
        r"\b(?:no|zero) (?:interest|desire) (?:whatsoever )?(?:in|to) (?:receiv|hear|get|be)\w*\b(?! (?:a|the) )",
        r"\b(?:tired|sick|fed up|done|annoyed|irritated|bothered|finished)(?: and tired)?(?: of| with| by"
        rf"| about) (?:(?:all|being|getting|receiving|reading|seeing|deleting|hearing|of|from) ){{0,3}}(?:{CONTACTED}"
        rf"|(?:(?:your|these|this|those|the|you|all|constant) ){{1,2}}(?:\w+ ){{0,2}}?(?:{NOUNS}|{CONTACTING})"
        r"|from you)",
        r"\b(?:nobody|no one|none of us)(?: \w+){0,4}? (?:wants?|wish(?:es)?|would like|asked for|asked|is interested"
        r" in|needs?"
        rf"|cares? for|agreed|consented)(?: to)? {_UNWANTED}",
        rf"\bno need (?:for|of) (?:any )?(?:more|further|additional) (?:\w+ )?{NOUNS}",
        rf"\b(?:further|future|additional|any|more)(?: (?:more|further))? {NOUNS}(?: from you(?:r \w+)?)? (?:is|are"
        r"|will be|would be) (?:\w+ )?(?:not|un\w+|considered|treated|harassment|reported|regarded|deleted|blocked)",
        r"\b(?:i|we) (?:want|need|wish|will accept|would like|ask for) (?:no|zero|none of)(?: (?:more|further|part of"
        rf"|other|such))? ?(?:(?:of )?(?:your|these|this|those) )?(?:\w+ )?(?:{NOUNS}|contact|part)\b",
        r"\b(?:want|wish|have(?! nothing (?:more|further))|having)(?: to have)? (?:nothing|none) (?:more "
        r"|further )?(?:to do with (?:you|your"
        r"|this)|from you|of (?:this|these|your))",
        r"\b(?:trust|expect|hope|better|prefer|want|wish|like|pray|demand|request|rather|see to it|ensure"
        r"|sure)(?: that)?(?: (?:i|we|to))?(?: (?:will|would|do|had|shall|can))? (?:not|never|no longer)(?: to"
        r"| have to)? (?:hear|see|receive|get)\w* (?:back )?(?:from you|any|another|more|your|these|anything"
        r"|about this)",
        r"\b(?:ensure|sure|see to it|see that|want|wish|trust|expect|like|prefer)(?: that)?(?: (?:i|we|my \w+|to"
        r"|this \w+))*(?: will| should)? (?:get|gets|receive|receives|see) (?:no|zero) (?:more|further|additional"
        rf"|other) (?:\w+ )?{NOUNS}",
        r"\b(?:want|like|prefer|ask|need|wish)(?:ing)? to be left (?:alone|in peace)\b",
        rf"\b(?:i|we) (?:refuse|decline|object)(?: to)? (?:be (?:\w+ )?{CONTACTED}|{RECEIVE}|being {CONTACTED}|(?:any "
        rf"|all |your |these |such )+(?:\w+ )?{NOUNS})\b",
        rf"\b(?:your|these|this|those)(?: \w+)? {NOUNS} (?:is|are) (?:\w+ )?(?:not (?:wanted|welcome|desired"
        r"|appreciated)|unwanted|unwelcome|unsolicited and|annoying , (?:stop|please))",
        r"\b(?:happ(?:y|ier)|glad|prefer(?: it)?|rather|better|nice|great|love it|appreciate it) if (?:i"
        r"|we) (?:never|did not|no longer) (?:got|received|heard|saw|get|hear)\b",
        r"\bhow (?:do|can|would|to)(?: i| we)? (?:not|no longer|avoid) (?:get|receiv|hear)\w*\b",
        before=rf"{_UNWANTED_BEFORE}|\b(?:if you|you|they|people|who) (?:\w+ )?|\bwhy would (?:i|we|you) ",
        after=rf"{WHEN}| to (?:convince|know|tell|understand|decide|find|sell|see)\b",
        unless=rf"\bthe (?:first|second|third|other|current|old|new|next) (?:campaign|sequence|cadence)s?\b"
        rf"|\b{OTHER_PEOPLE} (?:\w+ )?(?:do not|never|no longer)|\bnot only\b|\bto miss\b|\bif you (?:no longer"
        r"|do not|would (?:prefer|rather|like))\b|\bnot (?:want|wish|like) you to (?:stop|miss|think)"
        r"|\binterested in (?:this|that|your|the|these) (?:(?!more\b)\w+ )?(?:offers?|promotions?|promos?|pitch"
        r"|campaigns?|advertising"
        r"|marketing|deal|material)\b(?! emails?| messages?| texts?| calls?)"
        r"|\bhear (?:about|from) (?:your )?(?:price|pricing|jane|him|her|my)\b|\bjust (?:want|need|like|trying|looking"
        r"|here)"
        r"(?:ed|ing)? to (?:understand|see|learn|compare|try|test|buy)\b|\b(?:feature|module|add on|tier"
        r"|package)\b",
        another_channel=True,
        exclamation=True,
    ),
    rule(
        "en.no_more",
        "many_ no_ zero not_any not_a enough another",
        r"^(?:(?!not\b|have\b|get\b|got\b|sent\b|send\b|we\b|is there\b|are\b)\w+ ){0,3}(?:enough|too many"
        rf"|way too many|so many) (?:of )?(?:your |these )?(?:\w+ )?{NOUNS}(?: (?:from you|already|now|please|thanks"
        r"|lol))*$",
        r"(?:^|, |\b(?:please|thanks|thank you|want|said|and|so|no|interested|sorry|ok|but|send|again|with|appreciate"
        r"|request|just|ensure|sure|that|there be|prefer|like|rather|expect|hope|make) )(?P<do>)(?:no|zero|not any"
        r"|not another|absolutely no)(?: (?:more|further|additional|other|new|future|single))*(?: of)?(?: (?:these"
        r"|your|this|unsolicited|sales|marketing|cold|such|those|that|of|single|one|linkedin|automated|promo|drip"
        rf"|weekly|daily|random))*(?: {NOUNS}\b| of (?:these|this|those|that|it)\b|(?<=more)(?: please| thanks"
        r"| thank you)*$)(?! (?:was|were|needed|necessary|required|over|under|above|larger|bigger|go|goes|than|left"
        r"|yet|so far|found|in the|sent since|since|from you (?:since|yet|today)|delivered|received|came"
        r"|from (?!you|your|now))\b)",
        rf"\bno (?:more|further|additional|other) (?:\w+ )?{NOUNS} (?:to|at) (?:me|us|my|our|this|ADDR)\b",
        r"\benough (?:already )?(?:with|of|is enough with) (?:all )?(?:the|these|your|this|those"
        rf"|that)(?: (?:\w+ )?(?:{NOUNS})"
        r"| already| now|$)",
        r"^(?:(?:please|sorry|we|have|a|policy) )*no (?:soliciting|solicitations?|solicitors|spam|spamming|marketing"
        rf"|sales|cold|unsolicited|junk)(?: {NOUNS})?(?: (?:please|thanks|thank you))*$",
        r"^enough(?: (?:already|now|please|is enough))*$",
        before=r"\b(?:we|they|there|i|you|have|had|got|get|is|are|were|was)(?: \w+)? ",
        after=WHEN,
        unless=r"\b(?:needed|necessary|required|than)\b|\bno spam here\b(?! please)|\b(?:we|they"
        r"|there) (?:\w+ )?(?:(?:get|got|had"
        r"|have)(?! (?:asked|told|said|requested))|are|were)\b|\bno more (?:and no less|or less)|\b(?:calls?"
        r"|emails?|messages?) (?:on|at|before|after|during|until) ",
        another_channel=True,
    ),
)
