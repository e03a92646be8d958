"""English requests to stop put together from parts: who asks, what is asked for, and what is to end.

Most rules of the neighbouring modules are a verb with its object. Here stand the forms into which any of these verbs and
objects go: nobody of the house who wants it, a state ("I want every record of me gone"), a wish behind a long opening
("would you see to it that ..."), a stop that was said already, a place on a list that is not the writer's. Patterns see
one sentence in canonical spelling, those of a rule of the whole text all of them; every repeat is bounded.
"""

from zrg_dagster.core.text.optout_english_words import (
    CONTACT,
    CONTACT_ALONE,
    CONTACTED,
    CONTACTING,
    FROM_WHERE,
    ME,
    MINE,
    MINE_NOUNS,
    NOUNS,
    OTHER_THING,
    QUESTION_ABOUT_TOOL,
    THEY,
    WHEN,
)
from zrg_dagster.core.text.optout_rule import Rule, one_of, rule

_HOUSE = r"(?:us|you(?=r)|(?:my|our|this|the) (?:\w+ )?\w+)"
NOBODY = (
    r"(?:neither (?:(?:of (?:us|these \w+|my \w+|our \w+))|(?:\w+ ){1,3}?(?:nor|and|or) (?:\w+ )?\w+)"
    rf"|none of (?:us|(?:my|our|these|the) (?:\w+ )?\w+)|(?:no ?one|nobody)(?: else)?(?: (?:here|(?:at|in|on|from|of"
    rf"|with)"
    rf" {_HOUSE}))?)"
)
# He, those for whom he speaks, or what of his is written to.
_OURS = (
    rf"(?:{ME}|{MINE}|i|we|(?:my|our|this|the) (?:\w+ )?(?:\w+ )?(?:team|group|people|office|department|company|staff"
    r"|colleagues|employees|firm|business|clinic|school|practice|reception|household|address|inbox|mailbox))"
)
_SEE_TO_IT = (
    r"(?:make (?:\w+ )?(?:sure|certain)|ensure|see (?:to it|to|that)|guarantee|arrange|be sure|take care|want|wish|like"
    r"|need|prefer|expect|trust|ask|request|require|hope|confirm|promise|please|appreciate|grateful|obliged|rather"
    r"|better|best|insist|demand)"
)
_GETS = (
    r"(?:hears?|gets?|got|receives?|sees?|heard|received|(?:is|are|be|gets?|being|was|were) (?:\w+ )?(?:sent|emailed))"
)
_FROM_YOU = (
    rf"(?:from (?:you|your (?:\w+ )?\w+)|again|any more|any of (?:these|this|those|your)|any more of|more of|(?:any"
    rf"|more"
    rf"|your|these|this|those|another|such|further) (?:\w+ ){{0,2}}?(?:{NOUNS}|of (?:these|this|those)))"
)
_GONE = one_of(
    """gone off out removed deleted erased wiped purged scrubbed cleared taken_off taken_out struck struck_off dropped
    excluded destroyed expunged cancelled unsubscribed omitted crossed_off pulled suppressed opted_out blocked delisted"""
)
_PLEASED = (
    r"(?:appreciate(?: it)?|grateful|obliged|glad|happy|pleased|thankful|great|good|nice|kind|lovely|best|better"
    r"|helpful"
    r"|wonderful|fine|love it|like it|prefer(?: it)?|thank you|wish|rather)"
)

RULES: tuple[Rule, ...] = (
    rule(
        "en.nobody_wants",
        "neither none_of nobody no_one noone",
        rf"\b{NOBODY} (?:\w+ ){{0,2}}?(?:wants?|wish(?:es)?|needs?|likes?|cares?|agreed|asked|consent(?:s|ed)?"
        rf"|signed up"
        rf"|subscribed|is interested in|are interested in|would like)(?: \w+){{0,4}}? (?:{_FROM_YOU}|{CONTACTED}"
        r"|(?:part of|on|in|included in|involved in) (?:this|these|your|it|any)\b)",
        rf"\b{_SEE_TO_IT}(?: \w+){{0,4}}? {NOBODY} (?:\w+ ){{0,2}}?(?:{_GETS}|has to \w+) (?:\w+ ){{0,2}}?{_FROM_YOU}",
        rf"\b{NOBODY} (?:should|must|shall|may|can|is to|are to|ought to) (?:ever )?(?:be (?:\w+ )?{CONTACTED}|get|hear"
        rf"|receive|{CONTACT} {ME})\b",
        rf"\b{NOBODY} (?:(?:from|at|in|on) (?:your|you) ?(?:\w+ ){{0,2}})?(?:should |must |may |is to |are to "
        rf"|to )?(?:ever "
        rf")?(?:{CONTACT}|{CONTACTING}|(?:is|are) {CONTACTING}|{CONTACTED}|rang|wrote to)s?(?:es)? {ME}(?: again"
        rf"| any more| any longer)",
        unless=rf"{QUESTION_ABOUT_TOOL}|\b(?:leads|customers|prospects|clients|invites?|calendar|quote|invoice|why)\b"
        rf"|^(?:did|does|do|has|have|is|are) ",
        another_channel=True,
    ),
    rule(
        "en.gone",
        "gone unsubscrib omit suppress pulled crossed block opted remov delet eras wip purg scrub clear off_ out_ "
        "struck dropped exclud destroy expunged disappear vanish",
        r"\b(?:want|need|like|prefer|expect|demand|love|insist on|wish|ask for|see|have|get|having|getting|seeing)"
        r"(?: to (?:see|have|get))? (?:(?:all|any|every|each|both|of|the) ){0,3}(?:(?:my|our|this) (?:\w+ ){0,3}?"
        rf"{MINE_NOUNS}|\w+ (?:\w+ )?(?:of|about|on|for|to|mentioning) (?:me|us|mine|ours|ADDR|(?:my"
        rf"|our) \w+)) (?:\w+ ){{0,2}}?"
        rf"{_GONE}(?=$| ?[,?]| (?:from|off|of|please|now|today|by|asap|within|thanks|and)\b)",
        r"\b(?:delete|erase|remove|wipe|destroy|scrub|purge|clear)(?: out)? (?:whatever|what|everything|anything|all)"
        r"(?: \w+){0,2}? you (?:\w+ )?(?:have|hold|store|stored|keep|kept|collected|got)(?: (?:got|on file|there|stored"
        r"|on us|on me|about (?:me|us)))?(?=$| ?[,?]| (?:please|now)\b)",
        rf"\b(?:remove|delete|take|drop|exclude|pull|strike|erase) (?:the )?(?:my"
        rf"|our) (?:\w+ )?\w+'s (?:\w+ )?(?:{MINE_NOUNS})\b",
        r"\b(?:take|remove|drop|strike|pull|get) (?:my|our) (?:\w+ ){1,2}?(?:off|from|out of) (?:it|your"
        rf"|this)(?: \w+){{0,2}}?(?: {FROM_WHERE})?(?=$| ?[,?]| please)",
        rf"\b(?:can|could|may|might|would|will|should) {MINE} (?:please )?(?:\w+ )?be (?:\w+ )?{_GONE} (?:from |off "
        rf"|out of |of )(?:your|this|the|these|any|all)"
        rf"(?: \w+){{0,2}}? {FROM_WHERE}\b",
        rf"\b(?:ensure|sure|see to it|see that|confirm|certain)(?: that)? {MINE} (?:is|are|gets?"
        rf"|has been) (?:\w+ )?{_GONE} (?:from |of )?(?:your|this|the|these"
        rf"|any|all)(?: \w+){{0,2}}? {FROM_WHERE}\b",
        r"\bunsubscribe (?:everyone|everybody|anyone|all|the following|both|each)(?: \w+){0,2}? (?:at|in|from|of|on"
        r"|with) (?:our|my|this|ADDR)\b",
        rf"\b(?:omit|suppress) {MINE} (?:from|in|on)\b",
        r"\b(?:delete|erase|remove|wipe|scrub|purge) (?:all )?(?:my|our) (?:\w+ )?(?:stuff|things|bits|listing"
        r"|particulars|traces?"
        r"|history|line|listings|extension|fax)(?= (?:from|off|out of) (?:your|the|this)|$| ?,)",
        r"\b(?:asked|ask|want|wanted|wish|like|need|requested|told you|begged|demanded)(?: \w+)? to be (?:off"
        r"|out of) (?:it"
        rf"|this|that|your|the|these)(?: \w+){{0,2}}?(?: {FROM_WHERE})?(?=$| ?[,?]| (?:in|on|last|already|twice|weeks"
        rf"|months)\b)",
        r"\b(?:someone|anyone|somebody|anybody|person|whoever|you|people)(?: \w+){0,3}? (?:who|that|to) (?:can |could "
        r"|would "
        rf"|will |is able to )?(?:please )?(?:take|remove|get|pull|drop|delete|unsubscribe|exclude) {MINE}(?: off| out"
        rf"| from)?"
        r"(?: of)?(?=$| ?[,?]| (?:your|the|this|from|these|please)\b)",
        rf"\b(?:my|our) (?:\w+ ){{0,2}}?{MINE_NOUNS} (?:to |should |must |needs? to |has to "
        rf"|have to )?(?:\w+ )?(?:disappear"
        r"|vanish|be gone)(?:s|ed)?(?=$| ?[,?]| (?:from|please|off)\b)",
        before=r"\b(?:not|never|they|he|she|we have|i have|have you|can i|can we|do we|how do i|how do we|who|leads"
        r"|customers|clients|prospects) (?:\w+ )?",
        after=rf"(?: \w+){{0,4}}? {OTHER_THING}",
        unless=rf"{QUESTION_ABOUT_TOOL}|{OTHER_THING}|\b(?:leads|customers|prospects|clients|old|duplicate|test|demo"
        rf"|trial)\b",
        also="my_ our_ _me _us me_ us_ you this_ ADDR",
    ),
    rule(
        "en.ask_not_to",
        "not_ never no_longer avoid stop refrain ceas quit desist without abstain further any_more either nothing "
        "no_more no_circum no_account no_way no_time no_point no_event",
        rf"\b{_SEE_TO_IT}(?: (?!not\b)\w+){{0,5}}? (?:{_OURS}) (?:\w+ ){{0,2}}?(?:do not|does not|not|never|no longer"
        rf"|stops?)"
        rf" (?:\w+ )?{_GETS} (?:\w+ ){{0,2}}?{_FROM_YOU}",
        rf"\b{_SEE_TO_IT}(?: (?!not\b)\w+){{0,5}}? (?:{_OURS}) (?:\w+ )?(?:hears?|gets?|receives?|sees?) (?:nothing"
        rf"|no more"
        rf"|no further|none)\b",
        rf"\b{_PLEASED}(?: \w+){{0,3}}? (?:you|your \w+(?: \w+)?|nobody|no one)(?: \w+){{0,2}}? (?:not|never|no longer"
        rf"|stop"
        rf"|stopped|avoid|avoided|refrain(?:ed)? from|ceased?|quit|left off|held off|gave up) (?:\w+ )?(?:{CONTACT}"
        rf"|{CONTACTING}|including|adding|enrolling|putting) (?:\w+ )?(?:{ME}|{MINE})\b",
        rf"\b(?:stop|stopped|stopping|avoid|avoiding|quit|cease|refrain from|no longer|desist from"
        rf"|without) (?:including|adding"
        rf"|enrolling|putting|sequencing|loading|featuring|listing|keeping|entering|subscribing) {MINE}(?: (?:in|on|to"
        rf"|into"
        rf"|as|for) (?:(?:your|any|these|this|all|such|future|further|more|the|every"
        rf"|mass) ){{1,3}}(?:\w+ )?{FROM_WHERE}"
        r"|(?=$| ?,))",
        r"\b(?:do not|never|please not|not to|no longer) (?:keep |ever )?(?:includ|add|enrol+|sequenc|subscrib|target"
        r"|load|sign)"
        r"(?:e|ing)? (?:me|us|my \w+|our \w+|ADDR|this \w+)(?: up)? (?:again|any more|next time|any further"
        r"|in (?:the )?future"
        r"|going forward|from now on)\b",
        r"\b(?:do not|never|no longer|not)(?: \w+)? (?:want|wish|like|need|care|expect"
        r"|hope)(?: ever)? to (?:ever )?(?:see|hear"
        r"|read|find|get|receive)(?: \w+){0,6}? (?:in my (?:\w+ )?(?:inbox|mailbox|dms|messages|email)"
        r"|from you(?:r \w+)?"
        r"|of you(?:r \w+)?)\b",
        r"\b(?:do not|never|no longer|not)(?: \w+)? (?:want|wish|like|need|consent|agree) to be (?:\w+ )?(?:kept|held"
        r"|stored"
        r"|listed|included|enrolled|retained|left|placed|put|added|entered|in|on|part) (?:on |in |of |to |as part of "
        r"|by )?"
        rf"(?:your|this|these|any|that|the)(?: \w+){{0,2}}? {FROM_WHERE}\b",
        r"\b(?:like|wish|prefer|want|rather|ask|choose|need)(?: to)? (?:never|not)(?: to)? (?:ever )?(?:hear|get"
        r"|receive|be)"
        r"(?: (?:back|again|any more|anything|contacted))*(?: (?:from|by) you(?:r \w+)?| again| any more)\b",
        rf"\b(?:do not|never) (?:try|chase|follow up|ring|call|phone|text|email|message|contact|bother"
        rf"|write)(?: {ME})?(?: \w+"
        r"){0,3}? either(?=$| ?,)",
        rf"\b(?:ask|request|prefer|rather|insist|suggest|appreciate(?: it)?|grateful|like(?: it)?|better"
        rf"|best)(?: (?:that|if))? (?:you|your \w+|nobody|no one)"
        rf" (?:\w+ )?(?:not|never|no longer)(?: (?:to|ever|try to|bother to))? (?:{CONTACT} {ME}"
        rf"|(?:{CONTACT_ALONE})(?=$| ?[,?]| (?:again|any|on this|further|please|with|in)"
        r"\b))",
        rf"\b(?:under no circumstances?|at no (?:time|point)|on no account|in no way|in no event|never again"
        rf"|no longer)(?: (?!i\b|we\b)\w+)"
        rf"{{0,3}}? (?:you|your \w+|anyone|anybody)(?: \w+){{0,3}}? (?:{CONTACT}) {ME}\b",
        rf"(?:^|, |\bplease )(?:from now on |going forward )?no longer {CONTACT} {ME}(?=$| ?,| please)",
        rf"\b(?:never again|no longer) (?:do|will|should|shall) (?:i|we) (?:want|wish|accept|like|be"
        rf"|care)\b.{{0,30}}\b(?:{NOUNS}|from you"
        rf"|{CONTACTED})",
        before=rf"{THEY}|\b(?:if|why|when) (?:i|we|you) (?:\w+ )?|\b(?:i|we) (?:did|do) (?:\w+ )?",
        after=WHEN,
        unless=rf"{QUESTION_ABOUT_TOOL}|{OTHER_THING}|\b(?:leads|customers|prospects|clients|invoice|invoices)\b"
        rf"|\bhesitate\b"
        r"|\bto miss\b|\bwhy\b",
        another_channel=True,
        also="you again any_more either further next_time in_future includ adding no_longer_ cease_ refrain",
    ),
    rule(
        "en.lose_it",
        "lose_ forget_ shred ditch burn_ trash forgotten be_left come_off get_off taken_off removed might_ rid_of",
        rf"\b(?:lose|forget|shred|ditch|burn|trash|get rid of|getting rid of) (?:about )?(?:my|our"
        rf"|this) (?:\w+ ){{0,2}}?{MINE_NOUNS}\b",
        r"\b(?:request|demand|wish|ask|asking|like|want|right|need|prefer|asked|requested) to be (?:\w+ )?(?:forgotten"
        r"|left (?:alone|off|out|in peace)"
        r"|let alone|spared)\b",
        rf"\b(?:might|may|could|can) (?:i|we|my \w+|our \w+)(?: \w+)? (?:please )?(?:be (?:\w+ )?{_GONE}|come off"
        rf"|get off|get out)(?=$| ?[?,]| (?:of|from"
        r"|your|this|the|please)\b)",
        rf"\b(?:if|whether) (?:i|we|my \w+|our \w+) (?:could |can |may |might |was |were |would )(?:\w+ )?(?:be |get "
        rf"|come )?(?:\w+ )?{_GONE}(?: of)?"
        rf" (?:from |off |of )?(?:your|this|the|these)(?: \w+){{0,2}}? {FROM_WHERE}\b",
        before=rf"{THEY}|\b(?:not|never|we will|i will|hate to|sorry to|do not want to|i|we) (?:\w+ )?",
        after=rf"(?: \w+){{0,4}}? {OTHER_THING}",
        unless=rf"{QUESTION_ABOUT_TOOL}|{OTHER_THING}|\b(?:leads|customers|prospects|clients|old|duplicate|test|demo"
        rf"|trial|password)\b",
    ),
    rule(
        "en.not_again",
        "not_ never spare removal deletion erasure no_more no_further subscription it_off",
        r"\b(?:do not|never) (?:text|message|email|write|reply|dm|call)(?: me| us)? back(?=$| ?,| (?:please|again|thanks)\b)",
        rf"\b(?:do not|never)(?: (?:you|ever|even|please|bother|dare|try to|bother to))? {CONTACT_ALONE} (?:again"
        rf"|any more|any further|any longer)\b",
        rf"\b(?:do not|never) (?:have|let|get|allow|make) (?:\w+ ){{1,4}}?(?:{CONTACT} {ME}|(?:{CONTACT_ALONE})(?=$| ?,"
        rf"| (?:again|any more)))",
        rf"\b(?:do not|never)(?: (?!hesitate|forget|mind|let\b|want|need|know|think|see\b|have\b|worry"
        rf"|get\b)\w+){{1,6}}? (?:or|and|nor) (?:\w+ )?{CONTACT}(?: {ME})?"
        r" (?:again|any more|any further)\b",
        rf"\bspare (?:\w+ ){{1,3}}?(?:the|these|your|any|all|further|more)(?: \w+){{0,2}}? {NOUNS}\b",
        r"(?:^|, |\b(?:to|for|on|of|with|arrange|process|handle|confirm|request|requesting|want|need|demand|require"
        r"|expect|complete|action|do) )(?:my|our)"
        r" (?:\w+ )?(?:removal|deletion|erasure|unsubscription)(?=$| ?,| (?:from|please|now|today|asap|immediately"
        r"|within|by)\b)",
        r"(?:^|, |\b(?:please|thanks|want|and|so|interested|sorry|but|need|like|expect|is) )no (?:more|further"
        r"|additional)(?: (?!than\b|questions?\b|need\b|changes?\b|edits?\b"
        r"|info\b|information\b|word\b)\w+){0,3}? from (?:you|your (?:team|company|people|side|end|firm|reps?"
        r"|colleagues|sales|agency|organi[sz]ation))\b",
        r"\b(?:cancel|end|terminate|close) (?:whatever|any|the|this) (?:\w+ )?(?:subscription|mailing|list)(?: (?:this"
        r"|it|that) is| i am on| you have me on| i have)\b",
        r"\b(?:turn|switch|shut) (?:it|this|them|these) off for (?:me|us|my|our|this|ADDR)\b",
        before=r"\b(?:they|he|she|i|we|who|leads?|customers|clients|prospects|usually|if|why|policy ,) (?:\w+ )?"
        r"|\bif you |\bwhy ",
        after=WHEN,
        unless=rf"{QUESTION_ABOUT_TOOL}|\b(?:leads|customers|clients|prospects)\b|\bhesitate\b|\bhow (?:do|does|is"
        rf"|are)\b",
        another_channel=True,
        also="_back have_a let_ again any_more further longer you spare my_ our_ off_for cancel subscription from_you",
    ),
)
