"""English requests to stop in the passive, as nouns and as plain statements.

"Could these please be discontinued", "this is a request for erasure", "who do I contact to be removed", "consent revoked",
"your emails are unwelcome", "you keep writing although I asked you not to". Patterns see one sentence in canonical
spelling; every repeat is bounded.
"""

from zrg_dagster.core.text.optout_english_words import (
    CONTACT,
    CONTACTING,
    FROM_WHERE,
    MINE,
    NEGATED,
    NOUNS,
    OTHER_PEOPLE,
    OTHER_THING,
    QUESTION_ABOUT_TOOL,
)
from zrg_dagster.core.text.optout_rule import Rule, one_of, rule

_REMOVED = one_of(
    """removed deleted taken_off taken_out erased excluded purged dropped unsubscribed wiped struck_off opted_out blacklisted
    suppressed left_off left_out left_alone struck scrubbed discarded expunged unlisted destroyed delisted blocked"""
)
_REMOVE = (
    r"(?:remov|delet|eras|purg|exclud|scrub|strik|drop|wip|pull|tak|cross|unsubscrib|expung|destroy|get|leav|count"
    r"|cut)(?:e|ing)?"
)
_LIST = (
    r"(?:from|off|out of|of|on|in)(?: of)? (?:(?:your|this|the|any|all|these|that|whatever|every"
    rf"|future) ){{1,2}}(?:\w+ ){{0,2}}?{FROM_WHERE}\b"
)
_OTHERS = rf"\b(?:they|he|she|who|which|{OTHER_PEOPLE}|(?:our|the|your) \w+) (?:\w+ ){{0,2}}"
_OURS = (
    r"\bour (?:\w+ )?(?:campaigns?|sequences?|leads|prospects|customers|clients|users|members|list|database|crm|data"
    r"|contacts)\b"
)
# A question about the tool, unless it is about "the process to be removed".
_TOOL = rf"(?!.*process (?:to be|(?:for|of) (?:being|getting|coming)|to get) )(?:{QUESTION_ABOUT_TOOL})"
# Whom he asked, and how often; somebody else ("I asked Kim to take me off") is no concern of ours.
_YOU = (
    r"(?:you|y'all|your|them|guys|people|team|colleagues?|company|office|support|repeatedly|already|before|nicely"
    r"|politely"
    r"|explicitly|clearly|specifically|times?|twice|once|two|three|four|five|several|many|multiple|numerous|a|few|last"
    r"|week|month"
    r"|year|yesterday|today|\d+|that|for|please|all|now|again|by|email|phone|on|rep|reps|agent)"
)
_MAILINGS = rf"(?:these|they|this|your|the|such|all|any)(?: \w+){{0,2}}? ?(?:{NOUNS})?"

RULES: tuple[Rule, ...] = (
    rule(
        "en.be_taken_off",
        "removed deleted taken erased excluded purged dropped unsubscribed wiped struck opted blacklisted "
        "suppressed left_ "
        "come_off comes_off discarded expunged unlisted destroyed scrubbed delisted discontinued",
        rf"\b(?:be|being|get|getting) (?:\w+ )?{_REMOVED}(?: \w+){{0,2}}? {_LIST}",
        r"\b(?:to|i|we|me|us|possible to|name|number|address|details|email|data|information) (?:please )?(?:be"
        rf"|get) (?:\w+ )?{_REMOVED}(?=$| ?[?,]| (?:please|from|now|asap|today|or|off|by|within)\b)",
        r"\b(?:come|comes|coming|go|needs?|should be|belongs?) (?:off|out of) (?:your|this|the|that|any"
        rf"|all)(?: \w+){{0,2}}? {FROM_WHERE}\b",
        rf"\b(?:could|can|should|must|need to|have to|to|please|want|would like) {_MAILINGS} (?:please )?(?:to "
        r")?(?:be )?(?:discontinued|stopped|ended|turned off|switched off|cancell?ed|terminated|halted)\b",
        rf"\b(?:could|can|should|would|want|like) {_MAILINGS} (?:please )?be (?:discontinued|stopped|ended|turned off"
        r"|switched off|cancell?ed|halted)\b",
        rf"^(?:please )?(?:have|get) {MINE} {_REMOVED}",
        before=rf"{_OTHERS}(?<!my \w)|\b(?:not|never|how (?:does|do|many|often)|should (?:i|we)) (?:\w+ )?|\b(?:was"
        r"|were|been|being) ",
        unless=rf"{OTHER_THING}|{_TOOL}|{_OURS}|\b(?:by (?:mistake|accident)|accidentally|approved|fee|clause|meeting"
        r"|contacts be|leads be)\b|\bdo not want to be (?:removed|taken|deleted|left)|\bnot (?:asking|looking"
        r"|wanting|want|wish) to be",
    ),
    rule(
        "en.request_noun",
        "request demand erasure deletion removal unsubscri process notice referenc mention record listing "
        "my_contact our_contact my_info my_details "
        "my_email to_be_ my_number my_name",
        r"\b(?:this is|here is|submitting|submit|making|make|hereby|formal|consider|treat|take|lodge|file|official|my"
        r"|our|i|we)(?: \w+){0,5}? (?:requests?|requesting|demand|demanding|notice)(?: \w+){0,2}? (?:for|of|to|under"
        r"|that)(?: \w+){0,3}? (?:erasure|deletion|removal|suppression|unsubscri\w+|opt(?:ing)? out|be removed"
        r"|be deleted|be erased|cease|stop|object|no further|not be|not to be)\b",
        r"^(?:please )?(?:gdpr|ccpa|data|list|email) (?:removal|deletion|erasure|opt out"
        r"|unsubscribe)(?: request)?(?: please| thanks)*$",
        r"^(?:(?:please|re|formal|a|my|our|hello|hi|,|gdpr|ccpa|data|kindly|confirm|address) )*(?:request(?:ing)?"
        r"|requesting) (?:for |to (?:be )?)?(?:\w+ )?(?:removal|removed|unsubscribed?|deletion|erasure|opt out"
        r"|deleted)\b",
        r"\b(?:what|how|who|where)(?: \w+){0,6}? (?:to|for) (?:be|get|being|getting) (?:removed|taken off"
        r"|unsubscribed|deleted|left alone|off (?:your|this|the))",
        rf"\b{_REMOVE}(?: \w+){{0,3}}? (?:references?|mentions?|trace|record|records|entry|entries|mention"
        r"|listing) (?:to|of|for|about|on) (?:me|us|my|our|this)\b",
        r"\b(?:pull|drop|scrub|yank|ditch|trash|toss|bin|scratch|discard) (?:my|our|this) (?:\w+ )?(?:contact|info"
        r"|details|email|number|name|address|data)\b(?! (?:when|if|to|in)\b)",
        before=rf"{NEGATED}|\b(?:how do you|do you) (?:\w+ )?",
        unless=rf"{_TOOL}|{_OURS}|{OTHER_THING}|(?<!i )(?<!we )\b(?:customer|lead|client|prospect|user|subscriber"
        r"|contact)s?(?: \w+)? (?:to be|be"
        r"|request|gets?|is|are)\b|\bwe (?:get|receive|got|received|process)\b|\bhow (?:quickly|fast|long)\b"
        r"|\b(?:policy|process) for\b|\b(?:quote|demo|proposal|meeting|pricing)\b",
    ),
    rule(
        "en.take_me_off_it",
        "_off _out unsubscri",
        rf"\b(?:take|get|leave|count|drop|keep|cut|pull|knock|remove) {MINE} (?:off|out)(?: of| from)? (?:(?:this|that"
        r"|it|these|those|your|the|here|all)(?: (?:damn|stupid|whole|entire))?(?: (?:thing|things|thread|one|stuff"
        rf"|crap|nonsense|junk|shit|blast|loop|spam|chain|bs|mess|lists?|emails?|{FROM_WHERE}))?)(?=$| ?[?,]"
        r"| (?:please|now|asap|thanks|already)\b)",
        r"^(?:(?:i|we|please|just|want|let|me|us) )*(?:want|let me|need|like) (?:off|out)(?=$| ?,| (?:please|now|of"
        r"|this)\b)",
        r"\b(?:i|we|and) (?:would like|want|wish|need) (?:off|out)(?=$| ?,| (?:please|now|of (?:this|these|your)))",
        r"\b(?:about|for|on|of) (?:getting|coming|being taken) off (?:of )?(?:your|this"
        rf"|the)(?: \w+){{0,2}}? {FROM_WHERE}\b",
        rf"\bwhoever(?: \w+){{0,6}}? (?:take|remove|delete|unsubscribe|drop) {MINE}",
        before=rf"{NEGATED}|\b(?:they|he|she|{OTHER_PEOPLE}|we|i) (?:\w+ )?",
        unless=rf"{OTHER_THING}|{_TOOL}|\b(?:hold|mute|cc|copy|call|invite|old plan|plan|the hook|phone)\b",
    ),
    rule(
        "en.consent_gone",
        "subscribe signed_up sign_up opted consent permission participat part_of no_longer agree allow authori",
        r"\b(?:consent|permission|authori[sz]ation)(?: \w+){0,4}? (?:is |has been |was |hereby )?(?:revoked|withdrawn"
        r"|denied|rescinded|not (?:given|granted)|cancelled|refused|never given)\b",
        r"\b(?:i|we) (?:do not|never|did not|have not|no longer) (?:\w+ )?(?:consent|agreed?|consented|opted? in"
        r"|subscribed?|sign(?:ed)? up)(?: to| for)? (?:(?:be|being) (?:on|part|contacted|in|called|emailed|texted"
        r"|added)|(?:your|this|these|any|marketing|such|the|receiv\w+|further|sales|unsolicited|get|getting)(?: \w+)?"
        rf"|{NOUNS})",
        r"\b(?:not|never|no longer) (?:\w+ )?(?:want|wish|like|interested in|agree|care|asked?|willing)(?: to)? (?:be"
        r"|being|become|stay|remain|participat\w+|take part|get involved)(?: a)? ?(?:part )?(?:of|in)? (?:this|these"
        rf"|your|it|any of (?:this|your|these))(?: (?:\w+ )?{FROM_WHERE}| program| process)?(?=$| ?,| (?:please"
        r"|any more|any longer|at all)\b)",
        r"\b(?:do not|never|did not|no longer) (?:authori[sz]e|allow|permit|consent to|agree to) (?:the |any "
        r"|you to |you |to the )?(?:use|using|processing|process|storage|storing|store|sharing|share|hold|holding"
        r"|keep)\b",
        before=rf"\b(?:if|when) (?:\w+ )?|{_OTHERS}",
        unless=rf"{QUESTION_ABOUT_TOOL}|{_OURS}|\b(?:clause|contract|plan|price|terms|cookie|meeting|webinar|pilot"
        r"|beta|trial|demo|annual)\b|\?$",
    ),
    rule(
        "en.unwelcome",
        "unwelcome unwanted unsolicited not_wanted not_welcome not_appreciated keep_ kept_ asked_you told_you "
        "thought_i did_not_i "
        "i_asked i_told",
        rf"\b(?:your|these|this|those|all|such|the)(?: \w+){{0,2}}? (?:{NOUNS}|outreach|approaches"
        rf"|attention)(?: \w+)? (?:is|are)(?: \w+){{0,4}}? (?:unwelcome|unwanted|not (?:\w+ )?(?:wanted|welcome"
        r"|appreciated|desired))\b",
        rf"\byou (?:just )?(?:keep|kept|are still|continue|continued)(?: on| to)? (?:{CONTACTING}"
        rf"|{CONTACT})\b.{{0,40}}\b(?:even though|despite|although|after|when|while|but)\b.{{0,30}}\b(?:asked|told"
        r"|said|requested|unsubscrib\w+|opted|removed)\b",
        rf"\b(?:i|we) (?:\w+ )?(?:asked|told|requested|begged|warned)(?: {_YOU}){{0,5}}? (?:to )?(?:not|never|stop|quit"
        rf"|cease|leave|remove|unsubscribe|delete|take)(?: to)? (?:{CONTACT}|{CONTACTING}|{MINE}|me|us)\b",
        r"\b(?:thought|believe|believed|sure) (?:i|we) (?:\w+ ){0,2}(?:made (?:it )?clear|said|told you|asked you"
        r"|unsubscribed|opted out|was removed|were removed)\b",
        r"\bdid not (?:i|we) (?:ask|tell) you (?:\w+ ){0,3}?(?:to )?(?:stop|not|remove|leave|unsubscribe)",
        before=rf"\b(?:they|he|she|{OTHER_PEOPLE}) (?:\w+ ){{0,2}}",
        unless=rf"{QUESTION_ABOUT_TOOL}|\b(?:our|my) (?:\w+ )?(?:reps?|team|vendor|provider|agency|supplier|customers"
        r"|clients|leads|assistant|bank|isp)\b|\?$(?<!stop \?)(?<!me \?)",
    ),
    rule(
        "en.threat",
        "report block complain sue_ legal lawyer attorney ico ftc fcc police",
        r"\b(?:if (?:you|this|it|these|the \w+)|unless (?:you|this)|or i|or we|otherwise|else)\b.{0,60}\b(?:i"
        r"|we) (?:will|am going to|shall|am"
        r"|are going to|have to)(?: \w+){0,2}? (?:report|block|sue|complain|file|take|contact|call|notify|inform"
        r"|involve)(?:ing)?\b",
        r"\b(?:i|we) (?:am|are|will be|have|will) (?:(?!not\b|never\b)\w+ )?(?:report|block)(?:ing|ed)? (?:this|the"
        r"|your"
        r"|you)(?: \w+)?(?=$| ?,| (?:as|for|to|and|now|with)\b)",
        before=rf"{NEGATED}",
        unless=r"\b(?:calendar|time slot|meeting|bug|issue|numbers|results|by our|our (?:filter|firewall|it|server)"
        r"|reply|call you|call me|send me|give me|tell me|good|price|deal|discount|quote|hear)\b",
    ),
    rule(
        "en.enough",
        "enough call_it_quits end_of_it be_the_end no_more",
        r"^(?:(?:ok|okay|that is|this is|it is|well|alright|please(?: ,)?|seriously|honestly|and|so|really"
        r"|more than) )*enough(?: (?:is enough|now|already|please|of (?:this|that|it|these|your \w+)|with (?:this"
        rf"|that|it|the \w+|these)|(?:\w+ )?{NOUNS}))?(?:(?: ,)? (?:thanks|thank you|please|now|from you|stop))*$",
        r"\bcall it (?:quits|a day) (?:on|with) (?:these|this|the|your)\b|\blet (?:this|that) be the end\b",
        unless=r"\bwe have\b",
        exclamation=True,
    ),
)
