"""English phrases by which a person asks us to stop (OO-01..OO-04). Read by `optout.py` on folded text.

A rule is a request shape (`asks`) and what makes the same words something else (`unless`): another object ("opt out of
the annual plan"), a negation ("don't stop"), a third party ("how do leads unsubscribe"). Patterns see one sentence;
every repeat is bounded. `ADDR` and `URL` stand for a masked address and link.
"""

import re

from zrg_dagster.core.text.optout_rule import Rule

_ABOUT_CONTACT = (
    r"(?:this|these|those|your|ur|you|all|any|future|further|everything|it|here|e-?mails?|mails?|mailings?|lists?|"
    r"newsletters?|communications?|correspondence|messages?|sequences?|campaigns?|outreach|marketing|updates|"
    r"notifications?|texts?|sms|promotions?|promotional|contact|contacts|database|receiving|being|getting|ADDR)\b"
)
_OTHER_PEOPLE = (
    r"(?:leads?|recipients?|customers?|clients?|users?|prospects?|people|subscribers?|contacts|they|he|she|members|"
    r"someone|anyone|everyone|somebody|audience|candidates?|employees|patients|donors)"
)
_UNSUB = r"(?:un-? ?su(?:bs|b|s)c?r?i?b(?:e|ed|ing)|unsub|unscribe)"
_OPT = r"opt(?:ing|ed)?[ -]?out"
_ASKING = (
    r"(?:please|pls|plz|kindly|just|want(?:ed)? to|wanna|like to|love to|wish(?:ed)? to|need to|have to|must|"
    r"tr(?:y|ying|ied) to|how (?:do|can|could|to|would) ?(?:i|we|one)?|where (?:do|can) (?:i|we)|(?:can|could|would"
    r"|will) you|"
    r"can i|could i|may i|let me|ask(?:ed|ing)?(?: you)?(?: to)?|request(?:ed|ing)?(?: to)?|i already"
    r"|i have(?: already)?|"
    r"i've(?: already)?|i'd like|(?:can't|cannot|can not)(?: seem to)?|to be|get|be|i|am|i'm|hereby|choose to"
    r"|prefer to)"
)
_NOT = r"(?:do(?:n't|nt| not)|did(?:n't|nt| not)|never|won't|will not|would(?:n't| not)|have(?:n't| not)|not)"
_SMALL_WORDS = r"(?:(?:ever|yet|actually|really|want|mean|wish|need|intend|plan|going|trying|asking|have|to) ){0,4}"
_INSTRUCTION = (
    r"\b(?:if you|in case you|should you|you (?:may|can|could|want|wish|would like|need|have)|you'd (?:like|rather)|"
    r"click|tap|press|reply with|reply (?:\"|')|respond with|manage (?:your )?(?:preferences|subscription)"
    r"|at any ?time)\b"
)

# What is mine, or the address written to.
_MINE = (
    r"(?:me|us|myself|(?:all )?(?:of )?(?:my|our) (?:\w+ ){0,2}?(?:names?|e-?mails?|address(?:es)?|numbers?|phone|cell|"
    r"mobile|contacts?|info|information|details|data|company|domain|profile|records?|account|inbox)|"
    r"(?:this|that|these|the) (?:\w+ )?(?:e-?mails?|address(?:es)?|numbers?|account|contact|inbox|mailbox|domain)|"
    r"ADDR|him|her|them|everyone|all of us)"
)
_LISTS = (
    r"(?:lists?|mailings?|mailing lists?|database|db|distribution|e-?mails?|crm|records|system|systems|sequences?|"
    r"cadences?|drip|funnel|campaigns?|rotation|outreach|contacts|contact list|subscription|subscriptions|marketing|"
    r"files|texts?|calls?|spam|blast|blasts|radar)"
)
_OTHER_THING = (
    r"(?:from|off|out of|of) (?:the |this |that |your |our |my |tomorrow's |today's )?(?:\w+ )?"
    r"(?:cc|bcc|loop|invite|invitation|meeting|calendar|event|channel|project|role|agenda|webinar|slack|waitlist|"
    r"proposal|contract|quote|order|invoice|demo|trial|plan|document|doc|deck|slides?|page|website|site|schedule|"
    r"booking|slot|case study|testimonial|article|post|call tomorrow|call today|guest list|attendees|hook|market"
    r"|guard)s?\b"
)
_AFTER_REMOVE = (
    r"(?=$| ?[,:;)\-]| (?:from|off|out|please|pls|plz|thanks|thank|thx|immediately|now|asap|at once|right|today|and|or|"
    r"permanently|completely|entirely|as soon|if|because|since|i|we|too|altogether|forever|ok|okay|or else)\b)"
)

_TALKING = (
    r"(?:e-?mail(?:ing)?|mailing|messaging|texting|txting|contacting|calling|phoning|ringing|spamming|harr?ass?ing|"
    r"bothering|pestering|reaching(?: out)?|sending|writing|pinging|dming|bugging|annoying|soliciting|hounding"
    r"|stalking|"
    r"targeting|marketing|following[ -]up|prospecting|chasing|pitching|trying to (?:sell|contact|reach|call)"
    r"|disturbing|"
    r"wasting|inmailing|communicating|corresponding|blasting|flooding|bombarding|hassling|nagging|selling|blowing up)"
)
_CHANNEL_TALK = r"\b(?:e-?mail|mail|text|txt|call|phon|ring|sms|dm|write|messag)"
_NOUNS = (
    r"(?:e-?mails?|messages?|texts?|calls?|spam|mails?|sms|communications?|correspondence|contact|outreach|"
    r"follow[ -]?ups?|newsletters?|sequences?|campaigns?|drips?|pitch(?:es)?|solicitations?|dms?|inmails?|junk"
    r"|nonsense|"
    r"harassment|notifications?|mailings?)"
)
_YOU = (
    r"(?:^|[,:;(] ?|\b(?:please|pls|plz|kindly|just|now|ok|okay|you to|you (?:need to|must|should|have to|gotta|better|"
    r"guys)|(?:can|could|would|will|must) (?:you|u|y'all|ya'll|you guys|you people)(?: please| pls| kindly| just)?"
    r"|immediately|"
    r"seriously|enough|hey|hi|hello|again|time to|thanks|thank you|thx|dude|bro|man|sir|to the team) )(?:please )?"
)
_NEGATED_STOP = (
    r"\b(?:do(?:n't|nt| not)|never|didn't|did not|can't|cannot|won't|will not|wouldn't|not|non"
    r"|couldn't)(?:[ -]ever)?[ -]stop"
)
_THREAT = r"\b(?:if|unless|until|why|when) (?:you|u|y'all)?\b.{0,12}stop"
_WHEN = (
    r" (?:before|after|until|till|during|while|past|on (?:weekends?|the weekend|holidays?|mondays?|tuesdays?"
    r"|wednesdays?|"
    r"thursdays?|fridays?|saturdays?|sundays?)|at (?:night|work\b(?! e-?mail| address)|\d|noon|midnight)"
    r"|so (?:early|late|often|"
    r"much|many)|this (?:late|early|week|month|afternoon|morning)|in the (?:morning|evening|afternoon|middle)|late|"
    r"for (?:now|a (?:bit|while|few)|the (?:next|moment|time)|\d)|today|tonight|tomorrow|right now|yet|too (?:early"
    r"|late)|"
    r"as often|twice|every (?:day|hour|week))\b"
)

_TO_CONTACT = (
    r"(?:contact|re-?contact|e-?mail|mail|text|txt|message|msg|call|phone|ring|write(?: to)?|dm|ping"
    r"|reach(?: out)?(?: to)?|"
    r"bother|disturb|solicit|harass|spam|pester|bug|approach|target|follow[ -]?up(?: with)?|get in touch(?: with)?|"
    r"communicate(?: with)?|correspond(?: with)?|market to|pitch|send(?: anything| stuff| messages"
    r"| e-?mails?)?(?: to)?)"
)
_TO_ME = (
    r"(?:me|us|here|(?:on |at |to )?this (?:\w+ )?(?:number|e-?mail|address|inbox|account|mailbox|phone|line)|"
    r"(?:on |at )?my (?:\w+ )?(?:number|e-?mail|address|phone|cell|inbox|team|company|office|staff|colleagues"
    r"|employees))"
)
_AGAIN = (
    r"(?:again|anymore|any more|any further|further|any longer|ever|in (?:the )?future|going forward|moving forward"
    r"|from now on|"
    r"for any reason|under any circumstances?|unsolicited|with (?:this|these|your|any)|about (?:this|these|your"
    r"|any)|regarding)"
)
_SOMEBODY_DOES_NOT = (
    r"(?<!\bi )(?<!\bwe )(?<!they )(?<!\bhe )(?<!she )(?<!you )(?<!people )(?<!who )(?<!that )(?<!leads"
    r" )(?<!customers )"
    r"(?<!clients )(?<!vendors )(?<!why )(?<!usually )(?<!guys )(?<!reps )(?<!team )(?<!prospects )(?<!which )"
)
_STOP_VERB = r"(?:stop|quit|cease|discontinue|halt|desist from|refrain from|terminate|knock off)"
_FORMAL_STOP = r"(?:cease|discontinue|desist from|refrain from|halt|terminate)"
_STOPPING = "stop quit cease discontinue halt desist refrain terminate knock_off"
_MORE = (
    r"(?:any|any more|more|your|these|those|further|future|such|additional|unsolicited|this|the|sales|marketing|all"
    r"|other)"
)
_UNWANTED = (
    rf"(?:(?:be |get |being |getting )?(?:contacted|e-?mailed|called|texted|messaged|bothered|spammed|solicited"
    rf"|disturbed|"
    rf"approached|marketed to)|(?:be |stay )?(?:on|part of|in) (?:your|this|the|any) (?:\w+ )?{_LISTS}|"
    rf"(?:receiv(?:e|ing)|get(?:ting)?|see(?:ing)?|hav(?:e|ing))(?: {_MORE}){{1,3}} (?:\w+ )?{_NOUNS}|"
    rf"(?:receiv(?:e|ing)|get(?:ting)?) (?:{_NOUNS}|anything|stuff|mail)\b|hear(?:ing)? (?:from|any ?more|anything)|"
    rf"you (?:to )?(?:contact|e-?mail|call|text|messag|writ|bother|spam)\w{{0,3}}|(?:{_MORE} ){{1,3}}(?:\w+ )?{_NOUNS})"
)


def _rule(name: str, needs: str, asks: str, unless: str | None = None, *, another_channel: bool = False) -> Rule:
    """`needs` are substrings separated by blanks; an underscore stands for a blank."""
    parts = tuple(part.replace("_", " ") for part in needs.split())
    return Rule(f"en.{name}", parts, re.compile(asks), re.compile(unless) if unless else None, another_channel)


RULES: tuple[Rule, ...] = (
    _rule(
        "unsubscribe",
        "unsu un-su un_su unscribe",
        rf"\b{_ASKING} (?:\w+ )?{_UNSUB}\b|\b{_UNSUB} (?:me|us|my|our|this|ADDR|immediately|now|asap|please|pls"
        rf"|today)\b"
        rf"|(?:^|[,:;\-] ?|\bthanks |\bthank you |\band |\bor ){_UNSUB}(?=$| ?[,:;)\-]| (?:thanks|thank|thx|from)\b)",
        rf"\b{_NOT} {_SMALL_WORDS}{_UNSUB}|\b{_OTHER_PEOPLE} (?:\w+ ){{0,3}}{_UNSUB}|{_INSTRUCTION}"
        rf"|{_UNSUB}(?: me| us)? from (?!(?:\S+ ){{0,5}}?{_ABOUT_CONTACT})"
        rf"|\b(?:our|an?|the|their|handle|per) (?:\w+ )?{_UNSUB} ?(?:links?|rates?|buttons?|pages?|option|features?"
        rf"|flows?|"
        r"process|headers?|footers?|requests?|handling|webhooks?|events?)\b",
    ),
    _rule(
        "unsubscribe_broken",
        "unsu un-su un_su unscribe",
        rf"\b(?:no|where(?: is|'s) (?:the|your)|(?:can't|cannot|can not|don't|do not) (?:find|see) (?:the|your|an?"
        rf"|any)|missing|without"
        rf"(?: an?)?) (?:\w+ )?{_UNSUB} (?:links?|buttons?|option)|\b(?:your|the) {_UNSUB} (?:link|button"
        rf"|option)s? (?:does(?:n't| not)|"
        r"did(?:n't| not)|is(?:n't| not)|is broken|won't|fails?)",
        r"\bour\b",
    ),
    _rule(
        "opt_out",
        "opt",
        rf"\bopt (?:me|us|him|her|(?:my|this|our) (?:\w+ )?\w+|ADDR) out\b|\b{_ASKING} (?:\w+ )?{_OPT}\b"
        rf"|(?:^|[,:;\-] ?|\band ){_OPT}(?=$| ?[,:;)\-]| (?:please|pls|thanks|thank|now|asap|of|from)\b)",
        rf"\b{_NOT} {_SMALL_WORDS}(?:{_OPT}|opt (?:me|us) out)|\b{_OTHER_PEOPLE} (?:\w+ ){{0,3}}{_OPT}|{_INSTRUCTION}"
        rf"|{_OPT} (?:of|from) (?!(?:\S+ ){{0,5}}?{_ABOUT_CONTACT})"
        rf"|{_OPT} (?:later|any ?time|after|before|once|during|whenever|when|clause|option|period|window|rate|form"
        rf"|link|"
        r"language|provision|process|feature|mechanism|rules?|requirements?|handling)\b",
    ),
    _rule(
        "remove_me",
        "remove delete scrub purge erase exclude strike drop unlist blacklist",
        rf"\b(?:remove|delete|scrub|purge|erase|exclude|strike|drop|unlist|blacklist) {_MINE}{_AFTER_REMOVE}",
        rf"{_OTHER_THING}|\b{_NOT} (?:\w+ )?(?:remove|delete|exclude|drop|erase|strike)\b"
        r"|\b(?:delete|erase|purge) (?:the|this|that|these) (?:\w+ )?e-?mails?\b(?! (?:address|from|off))"
        r"|\bremove the (?:e-?mails?|contact|account)\b(?! (?:from|off|address))|\bhow (?:can|do) (?:i"
        r"|we) remove (?:the|them)",
    ),
    _rule(
        "remove_from_list",
        "remove delete unlist _off _out",
        rf"\b(?:remove|delete|unlist)(?: \w+)? (?:from|off) (?:your|the|this|all|any|ur"
        rf"|ya'?ll'?s)?(?: \w+){{0,2}}? ?{_LISTS}\b"
        rf"|\b(?:get|pull|scratch|cross|kick|wipe|knock|keep|leave|take|drop|remove) {_MINE} (?:off"
        rf"|out)(?: of)? (?:of )?(?:your|the|this|"
        rf"that|all|any|ur|these|those|every)(?: \w+){{0,3}}? ?{_LISTS}\b"
        rf"|\btake {_MINE} (?:off|out)(?=$| ?[,:;)\-]| (?:please|pls|now|asap|thanks|thank|immediately|and|or)\b)"
        rf"|\b(?:take|leave) {_MINE} off (?:this|that|your|ur)(?=$| ?[,:;)])",
        rf"{_OTHER_THING}|\b{_NOT} (?:\w+ )?(?:remove|delete|take|get|pull|drop)\b|\b(?:we|they) (?:\w+ )?remove",
    ),
    _rule(
        "be_removed",
        "removed deleted taken_o erased excluded purged opted dropped unsubscribed removal",
        r"\b(?:want(?:ed)?|like|love|wish|prefer|ask(?:ed|ing)?|request(?:ed|ing)?|need|please|demand|insist"
        r"|could i|can i|"
        r"may i|can we|could we|how (?:do|can) (?:i|we)|i'd|(?:names?|address|number|e-?mail|i|we) (?:should|must"
        r"|needs?)) "
        r"(?:\w+ ){0,3}?(?:be|get) (?:\w+ )?(?:removed|deleted|taken off|taken out|erased|excluded|purged|opted out"
        r"|dropped from|"
        r"unsubscribed)\b"
        rf"|\bhave {_MINE} (?:removed|deleted|taken off|erased|opted out)\b"
        r"|\b(?:request(?:ing)?|demand(?:ing)?|ask(?:ing)? for|need|want)(?: \w+){0,2}? removal\b"
        r"|^removal(?: please| request|$)",
        rf"{_OTHER_THING}|\b{_NOT} (?:\w+ ){{0,2}}(?:be|get) (?:removed|deleted|taken)"
        rf"|\b{_OTHER_PEOPLE} (?:\w+ ){{0,3}}(?:be|get) ",
    ),
    _rule(
        "do_not_contact_list",
        "do_not do-not donot dnc dnd suppress block black opt-out opt_out optout unsubscribe exclusion no-c no_c",
        rf"\b(?:add|put|place|move|enter|get) {_MINE} (?:to|on|onto|in|into) (?:your |the |a |an "
        rf"|ur )?(?:\w+ )?(?:do[ -]?not[ -]?(?:contact|"
        r"call|e-?mail|mail|text|disturb)|dnc|dnd|suppression|block|black|opt[ -]?out|unsubscribe|exclusion"
        r"|no[ -](?:contact|call))",
    ),
    _rule(
        "lose_my_number",
        "lose_my forget_my delete_my destroy_my shred_my",
        r"\b(?:lose|forget|delete|destroy|shred) my (?:\w+ )?(?:number|e-?mail|contact|info|address|details)\b",
    ),
    _rule(
        "stop_contacting_me",
        _STOPPING,
        rf"\b{_STOP_VERB} (?:\w+ ){{0,3}}?{_TALKING} (?:\w+ ){{0,2}}?(?:me|us|my|our|here|this (?:number|e-?mail"
        rf"|address|inbox|account))\b",
        rf"^(?!.*{_THREAT}).*{_NEGATED_STOP}|\b{_TALKING}(?: \w+)? (?:me|us){_WHEN}|\b(?:they|vendors|companies"
        rf"|reps) (?:\w+ )?stop",
        another_channel=True,
    ),
    _rule(
        "stop_messages",
        _STOPPING,
        rf"{_YOU}{_STOP_VERB} (?:\w+ ){{0,3}}?{_TALKING}\b|{_YOU}{_STOP_VERB} (?:(?:all|any|the|these|your|further"
        rf"|more|future|with|sending|of|"
        rf"this|ur|unsolicited|automated|sales|marketing) ){{0,4}}{_NOUNS}\b|\b{_FORMAL_STOP} (?:(?:all|any|further"
        rf"|future|your|these|this) ){{0,3}}"
        rf"(?:{_NOUNS}|{_TALKING})\b|\bcease (?:and|&) desist\b",
        rf"^(?!.*{_THREAT}).*{_NEGATED_STOP}|\b(?:we|i|they|he|she|our \w+) (?:\w+ ){{0,3}}{_STOP_VERB}\b"
        rf"|\bhelp (?:us|me|\w+) stop"
        rf"|{_TALKING}{_WHEN}|\bend (?:of|the) (?:call|campaign)|\bend (?:call|campaign|sequence)",
        another_channel=True,
    ),
    _rule(
        "please_stop",
        "stop",
        r"^(?:\w+ ){0,3}?(?:please|pls|plz|just|kindly)(?: just)? stop(?: (?:it|this|that|now|already|immediately"
        r"|asap|please|pls|thanks|"
        r"thank you|all of (?:this|it)))*$|^(?:ok |okay |no |hey )?stop(?:,? (?:please|pls|plz|it|this|that|now"
        r"|already|immediately|asap|stop|thanks|"
        r"thank you))*$|[,:;] ?(?:please |just |pls |kindly )?stop(?: (?:it|this|now|already|please|immediately))*$",
        _NEGATED_STOP + r"|\b(?:we|they|it|i|full|bus|last|first|next|one|pit|quick|short) (?:\w+ )?stop\b",
    ),
    _rule(
        "do_not_contact_me",
        "n't dont not_ never",
        rf"{_SOMEBODY_DOES_NOT}\b(?:do(?:n't|nt| not)|never)(?: you)?(?: ever)?(?: again)?(?: try to| attempt to"
        rf"| dare(?: to)?)? {_TO_CONTACT}"
        rf"(?: {_TO_ME})?(?: (?:or \w+ )(?:{_TO_ME})?)?(?:$| ?[,:;)\-]| (?:{_AGAIN}|please|pls|thanks|thank|or|and"
        rf"|unless|as|because|since|i|we)\b)"
        rf"|\b(?:ask(?:ing|ed)?|request(?:ing|ed)?|prefer|insist|demand|rather|if|that) (?:that )?(?:you"
        rf"|your \w+)(?: \w+)? "
        rf"(?:do(?:n't| not)|not|never|no longer|did(?:n't| not)|would not|wouldn't) (?:ever )?{_TO_CONTACT} {_TO_ME}\b"
        rf"|\bnot to (?:be contacted|{_TO_CONTACT} {_TO_ME})|\b(?:do(?:n't|nt| not)|never) (?:ever )?send (?:me "
        rf"|us )?(?:(?:any|more|anymore|"
        rf"any more|another|further|these|this|your|unsolicited|such|other) ){{1,3}}(?:\w+ )?(?:{_NOUNS}|stuff|crap"
        rf"|garbage|things?|shit|offers)\b"
        rf"|\b(?:do(?:n't|nt| not)|never) (?:ever )?send (?:me|us) (?:{_NOUNS}|anything|stuff)\b"
        rf"|\bdo not (?:contact|call|text|disturb)$",
        rf"{_TO_CONTACT}(?: {_TO_ME})?{_WHEN}|\bif you (?:do(?:n't| not)|never) (?:\w+ )?(?:hear|get|contact|call"
        rf"|e-?mail|text|reach|follow)"
        r"|\bhesitate\b|\b(?:forget|afraid)\b",
        another_channel=True,
    ),
    _rule(
        "unwanted",
        "n't dont not_ never no_longer rather prefer tired no_more want_no need_no want_zero",
        rf"\b(?:do(?:n't|nt| not)|never|no longer|not)(?: ever| really| even| currently)? (?:want|wish|care|desire"
        rf"|like|need|consent|agree|"
        rf"interested|looking|willing)(?: to| in| for)?(?: continue| keep| ever)?(?: to)? {_UNWANTED}"
        rf"|\b(?:would |'d )?(?:prefer|rather|like) not (?:to )?(?:continue )?(?:to )?{_UNWANTED}"
        rf"|\btired of (?:your|these|getting|receiving) "
        rf"(?:\w+ ){{0,2}}{_NOUNS}|\b(?:i|we) (?:want|need) (?:no|zero) (?:more |further )?{_NOUNS}",
        rf"\b{_OTHER_PEOPLE} (?:\w+ )?(?:do(?:n't|nt| not)|never|no longer)|\bnot only\b|{_UNWANTED}{_WHEN}"
        rf"|\bto miss\b",
    ),
    _rule(
        "no_more",
        "no_more no_further no_additional zero not_any enough",
        rf"(?:^|[,:;] ?|\bplease |\bpls |\bthanks |\bthank you |\bwant |\bsaid |\band )(?:no|zero|not any) (?:more"
        rf"|further|additional)(?: of)?(?: (?:these|your|"
        rf"this|unsolicited|sales|marketing|cold|such))?(?: {_NOUNS}\b|$)|\benough (?:with|of) (?:the|these"
        rf"|your) (?:\w+ )?{_NOUNS}",
        r"\b(?:needed|necessary|required|than)\b|\b(?:we|they|there) (?:\w+ )?(?:get|got|had|have|are|were)\b",
    ),
    _rule(
        "leave_me_alone",
        "alone off hike away lost hell dead yourself inbox beat_it get_out",
        r"\bleave (?:me|us|my \w+) (?:the \w+ )?alone\b|\bget (?:the \w+ )?out of my (?:inbox|e-?mail)\b"
        r"|\b(?:f\W?u?\W?c?\W?k|piss|bugger|sod|eff|screw|"
        r"naff|f|f\*{1,5}) off\b|\btake a hike\b|\b(?:go (?:to hell|f\W?u?\W?c?k yourself|screw yourself)|drop dead)\b"
        r"|^(?:please |just |ok |pls )*(?:go away|get lost|buzz off|back off|beat it|get out)(?: please| now)?$",
    ),
    _rule(
        "reports_spam",
        "report mark flag block",
        r"\b(?:i|we|i'm|i'll|i'd|we'll|i've|will|am|going to|have|be|being)(?: \w+){0,2}? (?:report|mark"
        r"|flag)(?:ing|ed)? (?:you|this|it|your \w+|these|"
        r"them|ADDR)(?: \w+){0,3}? (?:as|for|to) (?:spam|junk|abuse|phishing|harassment|the \w+)|\b(?:you are"
        r"|you're|you've been|you will be) (?:being |now )?"
        r"(?:reported|blocked)\b|\b(?:i|we|i'm|i'll|i've|i have)(?: \w+){0,2}? block(?:ing|ed) (?:you"
        r"|this (?:number|sender|address)|your \w+)",
        r"\b(?:filter|gmail|outlook|accident|mistake|unblock)",
    ),
    _rule(
        "withdraws_consent",
        "withdraw revok rescind right object",
        r"\b(?:withdraw|revoke|rescind)(?:ing|ed)? (?:my|our|any|all|previous) (?:\w+ )?(?:consent|permission)"
        r"|\b(?:my|our|i|we)\b.{0,60}\bright (?:to "
        r"(?:be forgotten|erasure|object)|of erasure)|\b(?:object|objecting) to (?:the |any |this "
        r"|further )?(?:processing|direct marketing|marketing|use of my)",
        r"\b(?:handle|support|your (?:product|tool|platform|software)|compliant|compliance)\b",
    ),
    _rule(
        "cancel_subscription",
        "cancel",
        rf"\bcancel (?:my|this|the|all|these) (?:\w+ )?(?:subscriptions?|newsletters?|e-?mails?"
        rf"|mailings?)\b(?! (?:to|with|for|of|at) (?!(?:\S+ ){{0,3}}?{_ABOUT_CONTACT}))",
        rf"\b{_NOT} (?:\w+ )?cancel|\bour (?:\w+ )?subscription",
    ),
)  # fmt: skip
