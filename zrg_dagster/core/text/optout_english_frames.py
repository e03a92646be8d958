"""English requests to stop as frames around one event: that we contact the writer, or that he gets what we send.

The frame says that the event must not be (again): a verb that ends it ("kill", "turn off", "spare me"), a modal ("may not",
"must make no"), a wish ("best if you didn't"), a last time, an order passed on ("tell your bot to"), or a request made for
somebody else ("my boss asked me to reply: he doesn't want ..."). Patterns see one sentence in canonical spelling, those
of a rule of the whole text all of them; every repeat is bounded.
"""

from zrg_dagster.core.text.optout_english_words import (
    ASKED,
    CONTACT,
    CONTACTING,
    FROM_WHERE,
    ME,
    MINE,
    NEGATED,
    NOT_OURS,
    NOUNS,
    OUR_MAILINGS,
    QUESTION_ABOUT_TOOL,
    RECEIVE,
    REMOVED,
    THEY,
    WE_OR_THEY,
    WHEN,
)
from zrg_dagster.core.text.optout_rule import Rule, rule

# The event, as a verb with the writer for its object, and as the things that arrive.
_TO_ME = rf"(?:(?:to|with|at|on|for) )?{ME}\b"
_CONTACTING_ME = rf"(?:{CONTACTING}|{CONTACT})(?: \w+)? {_TO_ME}"
# Words between "never" and the verb; behind one of these the request is the opposite.
_BETWEEN = r"(?: (?!(?:bothering|stop|cease|quit|hesitate|forget|fail|miss|give|mind|be|hear|get|want|need|wait)\b)\w+)"
_OURS = r"(?:(?:all|any|of|your|these|this|those|the|such|more|further|future|other|another|unsolicited|damn) ){1,4}"
_THINGS = rf"{_OURS}(?:\w+ ){{0,2}}?(?:{NOUNS}|approaches|spam|follow ups|subscription|alerts|updates)\b"
_THESE = (
    r"(?:any(?: more)?|all|one|another|more|some|none)?(?: of)? ?(?:these|this|those|that|them|it)(?=$| ?[,?]"
    r"| (?:again|any more|please|at all|thanks|thank|here|in my|from you|any longer)\b)"
)
_ANY_OF_THESE = (
    r"(?:(?:any(?: more)?|all|one|none|more)? ?of )?(?:these|those|them|this(?<=of this))(?=$| ?[,?]| (?:again"
    r"|any more|please|at all|here|from you)\b)"
)

RULES: tuple[Rule, ...] = (
    rule(
        "en.end_it",
        "close_my close_our "
        "kill turn switch disabl shut spare cut_ drop_ pull finish stop quit done ceas end_ knock mute discontinu "
        "_else out_of_my off_my from_my jog_on cancel a_rest get_stuffed get_knotted get_bent of_our off_our from_our",
        rf"{ASKED}(?:kill|shut (?:off|down)|turn off|switch off|disable|mute|cut(?: out| off)?|pull the plug on"
        rf"|finish with|be done with|drop|silence|knock off|knock it off with|cancel) {_THINGS}",
        rf"{ASKED}(?:turn|switch|shut) {_OURS}(?:\w+ )?(?:{NOUNS}|ones)? ?off\b",
        rf"\bspare (?:me|us) (?:(?:any|all|of|your|the|these|more|further) ){{0,3}}(?:\w+ )?{NOUNS}\b",
        rf"{ASKED}(?:stop|quit|cease|end|discontinue) (?:{CONTACTING} )?(?:(?:to )?(?:me|us) )?{_THESE}",
        rf"\b(?:your|these|the|those|all)(?: \w+){{0,2}}? {NOUNS} (?:can|should|may|could|must) (?:please )?(?:stop"
        r"|end|cease)\b",
        r"\bclose (?:my|our) file\b",
        r"^(?:(?:please|just|ok|no|and|can we|let us) )*(?:drop|end) (?:this|it)(?: (?:now|here|please|thanks))*$",
        r"\b(?:can|could|will|would|must|make|should|when (?:will|does|do)|let) (?:all )?(?:of )?(?:this|these|it"
        r"|that|those|the|your)(?: \w+){0,2}? (?:to )?(?:stop|end|cease)(?: (?:now|please|already))*(?=$| ?[?,])",
        r"^(?:(?:please|just|now) )*stop(?: please| thanks| thank you| now| it| and){1,4}$",
        r"\b(?:stop|quit) wasting (?:my|our|your|everyone's) time\b",
        r"\b(?:get|keep|stay) (?:(?:the \w+|your \w+) )?(?:out|off|away)(?: of| from)? (?:my"
        r"|our) (?:\w+ )?(?:inbox(?:es)?|dms|email|phone|messages|mailbox|back|line)\b",
        r"\bgo (?:and )?(?:bother|spam|annoy|pester|bug|harass|sell to|try|find|email|text|call) (?:some(?:one|body)"
        r"|any(?:one|body)|other people) ?(?:else)?\b|^(?:please )?(?:bother|spam|annoy|pester|bug"
        r"|harass) (?:some(?:one|body) else|another)|\bfind (?:some(?:one|body) else|another \w+) to (?:bother|spam"
        r"|annoy|pester|bug|harass|sell to)\b",
        r"\bjog on\b|\bgive (?:it|this|me|us) a (?:rest|break) (?:with|from) (?:the|these|your|all)\b"
        r"|\bgive it a rest(?=$| ?,)|^get (?:stuffed|knotted|bent)\b",
        r"\b(?:stop|keep|prevent|block) (?:these|this|them|your \w+|all (?:of )?(?:these"
        r"|this))(?: \w+)? from (?:coming|arriving|reaching|hitting|landing|getting|being sent)(?: \w+)? ?(?:to|at"
        r"|in)? (?:me|us|my|our|this)\b",
        before=rf"{NEGATED}|{WE_OR_THEY}|\bhow (?:do|can) (?:i|we) |\b(?:i|we) (?:\w+ )?",
        after=rf"{WHEN}| (?:for|to|of|in|on|with|from) (?!both\b|either\b|me\b|us\b|my\b|our\b|this\b|your?\b|now\b"
        rf"|these|all|any|good"
        r"|it\b|ADDR|here|that)",
        unless=rf"{QUESTION_ABOUT_TOOL}|{OUR_MAILINGS}|\bif (?:we|i) (?:want|decide|stop)\b|\bcan (?:we"
        r"|i) (?:\w+ )?(?:turn|switch|shut|disable)\b|\b(?:offer|sale|deal|discount|webinar|event|trial|clock"
        r"|renewal|shipment|payment|billing"
        r"|demo)\b",
        another_channel=True,
        exclamation=True,
    ),
    rule(
        "en.must_not",
        "not never no_ need without circumst",
        r"\b(?:may|must|shall|should|will|need|are|do|can)(?: (?:not|no longer"
        rf"|never)){_BETWEEN}{{0,5}}?(?: be(?= \w+ing))? {_CONTACTING_ME}(?=$| ?[,?]| (?:again|any more|any longer"
        r"|further|in future"
        r"|in the future|about|by|for|via|at all|with|like|please)\b)",
        rf"\b(?:do not|never)(?: \w+)? {CONTACT} (?:\w+ ){{1,3}}(?:or|and) (?:me|us) (?:again|any more)\b",
        rf"\b(?:do not|never){_BETWEEN}{{0,4}}? {CONTACT} {_TO_ME}(?: \w+)?(?: (?:again|any more|any longer"
        r"|in (?:the )?future))(?=$| ?,| )",
        r"\b(?:may|must|can|should|shall|do|are|will) (?:not|never|no longer)(?: \w+){0,3}? (?:use|using|process"
        r"|processing|keep|store|contact) (?:this|my|our|the) (?:\w+ )?(?:email|number|address|inbox|mailbox|phone"
        r"|line|data|details)(?: \w+){0,2}? (?:for|again|any more|in future|any longer)\b",
        rf"\b(?:do not|never|not to)(?: \w+){{0,2}}? (?:send|email|mail|text|message|forward"
        rf"|address)(?: \w+){{0,3}}? (?:{NOUNS}"
        r"|anything|things|stuff|pitches|these|this)(?: \w+){0,3}? (?:here|again|any more|any longer|to (?:this|my"
        r"|our) \w+)\b",
        rf"\b(?:do not|never|not){_BETWEEN}? (?:send|sending|shoot|mail|forward|give|drop)(?: {ME})? {_THESE}",
        rf"\bmake no (?:further|more|other|additional) (?:contact|attempts?|calls?|approaches|{NOUNS})\b",
        r"\b(?:(?:i|we) )?(?:want|wish|expect|ask for|request|require|need|have|with|accept|be) no (?:further|more"
        rf"|other|additional|future) (?:\w+ )?(?:{NOUNS}|approaches|contact|communication|attempts)\b",
        r"\bneed not (?:write|call|contact|email|text|reply|follow up|bother|reach out|get in touch)(?: (?:me|us"
        r"|to me|to us))? ?(?:again|any more|further|any further)\b",
        r"\b(?:no need to|do not|need not|not necessary to|no reason to) (?:keep|leave|have"
        rf"|hold) {MINE} on (?:your|this|the|any)(?: \w+){{0,2}}? {FROM_WHERE}\b",
        rf"\bno need (?:to|for you to) (?:keep|continue|go on|carry on)(?: on)? (?:to )?(?:{CONTACTING}|{CONTACT})\b",
        r"\b(?:do not|never) (?:ever )?(?:let|make) (?:me|us) (?:\w+ )?(?:see|hear|get|receive|find"
        rf"|have)(?: \w+){{0,3}}? (?:{NOUNS}|from you|of (?:these|you|those))\b",
        rf"\b(?:do not|never) (?:\w+ )?(?:{RECEIVE}|want|hear)(?: to \w+)? (?:one|any|another|a single one"
        r"|more) (?:more )?of (?:these|those|your|this)\b|\bnot (?:one|a single|another)(?: more"
        rf"| single)? (?:{NOUNS})(?=$| ?,| (?:from you|please|again))",
        rf"\b(?:mind|try|please|kindly|rather|prefer|appreciate|grateful)(?: you(?:r \w+)?)? not {_CONTACTING_ME}",
        before=rf"{WE_OR_THEY}|\b(?:i|we) (?:\w+ )?|\bif (?:you|we|i) (?:\w+ )?|\bwhy (?:\w+ )?",
        after=rf"{WHEN}| about (?!this|these|your|any|it\b)",
        unless=rf"{OUR_MAILINGS}|\bhesitate|\bhow (?:do|can|would) you\b|\b(?:pdf|invoice|contract|quote|deck"
        r"|proposal|link)\b"
        r"|\b(?:required|needed|necessary|scheduled)\b.{0,30}\b(?:call|meeting)\b|\bwhy (?:do|did|have|are|would)\b"
        r"|\bforget|\b(?:trial|contract) ends?\b|\byou are not (?:bothering|disturbing|annoying)",
        another_channel=True,
    ),
    rule(
        "en.not_wanted",
        "want_out unsubscribed "
        "not_ never no_longer nobody no_one none sick tired fed_up annoy enough bored done gone off_ left_ best glad "
        "better great nice rather happy appreciate removed deleted erased excluded dropped expect want_off get_off",
        rf"\b(?:do not|never|no longer|not|nobody(?: \w+){{0,4}}|no one(?: \w+){{0,4}}|none of (?:us|my \w+"
        r"|our \w+)) (?:\w+ )?(?:wants?|wish|need|needs|ask for|asked for|like|care for|order|ordered|request(?:ed)?"
        rf"|sign(?:ed)? up for|subscribe(?:d)? to|agreed? to|interested in)(?: to \w+)? {_ANY_OF_THESE}(?!.* "
        r"(?:feature|option|plan))",
        r"\b(?:i|we)? ?(?:do not|no longer) (?:want|need) (?:ur|your|these|any of (?:your"
        rf"|these))(?: \w+)? (?:{NOUNS})\b",
        r"\b(?:sick|tired|fed up|annoyed|bored|done|had enough|over it)(?: and tired)?(?: of| with| by)(?: getting"
        rf"| receiving| seeing| deleting| reading| all)* {_ANY_OF_THESE}",
        r"\b(?:want|need|like|see|have)(?: to see| to have)? (?:my|our) (?:\w+ ){0,2}?(?:data|details|name|email"
        r"|number|address|info|information|contact|record|profile)(?: \w+)? (?:gone|off|out|wiped|erased|deleted"
        r"|removed|cleared)\b",
        r"\b(?:glad|happy|like|love|prefer|rather|want|wish|appreciate|grateful|pleased|expect|hope|ask|need|kindly"
        rf"|please)(?: \w+){{0,3}}? (?:be|being|get|am) (?:\w+ )?(?:left (?:off|out|alone)|{REMOVED})(?=$| ?[,?]"
        r"| (?:of|from|off|within|in|by|now|today|asap|immediately|as (?:soon|well|per|from|requested|i|we)|please"
        r"|future|your|any|these|this|all"
        r"|further)\b)",
        r"\b(?:like|want|wish|get|need)(?: to get| to be| to come| me| us)? (?:off|out)(?: of)? (?:it|this|of this"
        rf"|these|(?:your|the|this)(?: \w+){{0,2}}? {FROM_WHERE})(?=$| ?[,?]| (?:please|now|thanks|asap)\b)",
        r"\b(?:best|better|great|good|nice|kind|lovely|ideal|rather|glad|happy|prefer(?: it)?|appreciate(?: it)?"
        r"|easier|grateful) (?:if|when|that)? ?you(?:r \w+)?(?: guys| all| people)? (?:could |would |do |did |just "
        r"|please )*(?:not|never|no longer|stopped|stop|quit|left|leave|remove|removed|skip"
        rf"|skipped)(?: \w+){{0,2}}? (?:{_CONTACTING_ME}|{CONTACT} again|{CONTACTING}|(?:me|us) (?:out|off|alone)|me"
        r"|us)\b",
        r"\b(?:rather|prefer|like|ask)(?: \w+)? (?:you )?(?:left|leave) (?:me|us) (?:out|off|alone)\b",
        r"\b(?:i am|we are|i have been|been)(?: \w+)? (?:being )?(?:spammed|harassed|bombarded|hounded"
        r"|pestered) (?:by|with) (?:you|your)\b",
        before=rf"{THEY}|\b(?:not|never) (?:\w+ )?|\bif (?:you|we) (?:\w+ )?|\bwhy (?:would|do) (?:i|we) ",
        after=rf"{WHEN}|{NOT_OURS}| to (?:be |get )?(?:approved|fixed|resolved)",
        unless=rf"{QUESTION_ABOUT_TOOL}|{OUR_MAILINGS}|\bwait(?:ing)? ?list\b|\bnot only\b|\bto miss\b"
        r"|\b(?:current|previous|old"
        r"|other) (?:vendor|provider|supplier|tool)|\b(?:leads|gadgets|plan|contract|invite|meeting"
        r"|calendar)\b",
        another_channel=True,
        exclamation=True,
    ),
    rule(
        "en.last_time",
        "last final next",
        r"\b(?:let|make|have|consider|keep|ensure|see that|sure)(?: \w+){0,3}? (?:is |be |as )?(?:the|your"
        r"|our)? ?(?:very |absolute )?"
        rf"(?:last|final) (?:time|{NOUNS}|one|thing|you|we|i)\b",
        rf"\b(?:last|final) (?:\w+ )?(?:time|{NOUNS}|one|thing)(?: that)? (?:you|your \w+) (?:\w+ )?(?:{CONTACT}|send"
        r"|will)\b(?<!will)",
        rf"\blast (?:time |one |thing |(?:\w+ )?{NOUNS} )?(?:that )?(?:i|we) (?:\w+ )?(?:hear|heard|want|get|receive"
        r"|see|wish|expect|accept)(?: to \w+)?(?: (?:from|of)(?: \w+)? (?:you|your)|$)",
        r"\b(?:hope|trust|pray|assume)(?: that)? (?:this|that|it) (?:is|was|will be) the (?:very )?last (?:\w+ )?(?:i"
        r"|we) (?:ever )?(?:hear"
        r"|see|get|receive)\b",
        r"\bnext (?:one|time|email|message|call|text|contact)(?: \w+){0,3}? (?:goes|go|is going|will go|gets"
        r"|i) (?:\w+ ){0,2}?(?:to )?(?:the )?(?:ico|ftc|fcc|police|lawyers?|attorney|spam|junk|legal|authorities"
        r"|blocked|reported|report)\b",
        before=rf"{THEY}|\bwhen was ",
        unless=r"\b(?:offer|price|day|chance|version|draft|call for|question|signing)\b|\b(?:is|was|be) not (?:the"
        r"|your|my|our) (?:last|final)|\bmy last\b",
    ),
    rule(
        "en.pass_it_on",
        "tell_ instruct ask_ inform advis_ let_ have_your get_your",
        r"\b(?:tell|instruct|ask|inform|advise|get|have|remind) (?:your|the|that|ur"
        r"|whoever)(?: \w+){1,4}? (?:(?:to )?(?:stop|quit|cease|lay off|leave|remove|delete|unsubscribe|take)|not to"
        r"|to not|never to|no longer to"
        rf"|off)\b(?: \w+){{0,3}}? (?:{CONTACT}|{CONTACTING}|me|us|my|our|{NOUNS})\b",
        r"\b(?:let|inform|tell) your (?:\w+ ){1,3}?(?:know )?(?:that )?(?:i|we) (?:do not|am not|are not|never"
        r"|no longer) (?:want|wish|like)(?: to)? (?:be|hear|get|receive|any)",
        before=rf"{NEGATED}|{WE_OR_THEY}",
        unless=r"\bour (?:leads|customers|clients|users|prospects)\b",
        another_channel=True,
    ),
)
