"""English phrases by which a person asks us to stop contacting them (OO-01..OO-04).

Patterns see one sentence in canonical spelling; every repeat is bounded.
"""

from zrg_dagster.core.text.optout_english_words import (
    AGAIN,
    ASKED,
    ASKED_ABOUT,
    CONTACT,
    CONTACT_ALONE,
    CONTACTED,
    CONTACTING,
    ELSEWHERE,
    END,
    EVERY,
    FROM_WHERE,
    ME,
    NEGATED,
    NEVER,
    NOUNS,
    OTHER_PEOPLE,
    QUESTION_ABOUT_TOOL,
    RECEIVE,
    SOMEBODY_ELSE,
    STOP,
    STOPPING,
    WHEN,
    WHICH,
)
from zrg_dagster.core.text.optout_rule import Rule, rule

# Behind "stop sending me": one thing of many, "the long version".
_ONE_THING = rf"| (?:the|an?) (?!same\b|sales|marketing|damn|fucking|{NOUNS}\b)\w+"
# "Stop calling me sir": how he is called, not that he is.
_BY_A_NAME = (
    r"| (?:sir|ma'am|madam|boss|mr|mrs|ms|miss|dr|doctor|professor|by my|your (?:\w+ )?(?:friend|boss|customer))\b(?="
    r" ?[,.]|$| \w+$)"
)

RULES: tuple[Rule, ...] = (
    rule(
        "en.stop_contacting_me",
        "stop quit ceas discontinue halt desist refrain abstain terminate knock avoid end_ give_up lay_off suspend",
        rf"\b{STOP} (?:\w+ ){{0,3}}?{CONTACTING} (?:\w+ ){{0,3}}?{ME}\b",
        r"\b(?:if you(?: guys| would| could| all)?|appreciate(?: you)?(?: it)?|mind|grateful(?: for)?"
        r"|wish you(?: would)?|love (?:for )?you(?: to)?|about you|ask(?:ed|ing)? (?:that )?you(?: to"
        rf"| about)?) (?:\w+ )?{STOPPING} (?:\w+ ){{0,3}}?(?:{CONTACTING}|{NOUNS})\b",
        before=r"\b(?:asked|told|want|need|get|got) (?:our|the|my|a|another|their|them|him|her)(?: \w+){0,3} to "
        rf"|{NEGATED}|{ASKED_ABOUT}|(?<!love )(?<!appreciate )\b(?:this|that|it|tool|product|software"
        rf"|filter) (?:(?:will|would|can|could|does|to) )?|\b(?:they|he|she|who|which|{OTHER_PEOPLE}) (?:\w+ ){{0,3}}"
        r"|\b(?:did|have|had) you (?:\w+ )?",
        after=rf"{WHEN}{_ONE_THING}{_BY_A_NAME}",
        unless=r"\b(?:afraid|worried|hope) (?:\w+ )?you\b|\bif you stop\w* .{0,40}\band (?:send|start|use|offer"
        rf"|give)\b|{QUESTION_ABOUT_TOOL}",
        another_channel=True,
    ),
    rule(
        "en.stop_messages",
        "stop quit ceas discontinue halt desist refrain abstain terminate knock avoid end_ give_up lay_off suspend "
        "cancel cut_",
        rf"\b{STOP} (?:\w+ )?{CONTACTING}(?: out)?(?:{END}| (?:{AGAIN}|anything|stuff|{ME})\b)",
        rf"\b{STOP} (?:(?:sending|with|emailing|texting)(?: me| us| out)? )?(?:\w+ )?(?:{WHICH} ){{0,5}}(?:\w+ "
        rf")?{NOUNS}\b{ELSEWHERE}",
        rf"{ASKED}{STOP} {CONTACTING} (?:me |us )?(?:of |all |any )*(?:these|this|those|that|things?|anything"
        rf"|stuff)(?: things?)?{END}",
        rf"{ASKED}{STOP} sending (?:me |us )?(?:it|them){END}",
        r"\b(?:cease|discontinue|desist|refrain|halt|terminate)(?: from)? (?:(?:all|any|further|future|your|these"
        rf"|this|from|and) ){{1,3}}(?:\w+ )?(?:{NOUNS}|{CONTACTING})\b",
        r"\bcease and desist\b",
        before=rf"{NEGATED}|{SOMEBODY_ELSE}(?:to )?|\b(?:to|will|does|could|can it"
        r"|would) (?<!need to )(?<!have to )(?<!you to )(?<!want to )(?<!notified to )(?<!instructed to )(?<!asked"
        r" to )(?<!ordered to )(?<!required to )(?<!requested to )|\b(?:the|an?|at|by|until|non|full|one"
        r"|year|month|week|weeks|front|back|dead|bus) |\b(?:help (?:us|me|\w+)|how (?:do|can) (?:you|they)"
        r"|did you|have you|way) (?:to )?",
        after=rf"{WHEN}|{EVERY}{_ONE_THING}| (?:him|her|them|{OTHER_PEOPLE})\b",
        unless=r"\bthe (?:first|second|third|other|current|old|new|next|same|\w+er|\w+ly) (?:campaign|sequence"
        r"|cadence)s?\b|"
        r"\bkeep (?:the|our) (?:\w+ )?(?:emails?|campaigns?|sequences?|ads|texts) (?:going|running|on)\b"
        rf"|\bend (?:of|the) (?:call|campaign)|\bend (?:call|campaign|sequence)|{QUESTION_ABOUT_TOOL}|\b(?:stop"
        r"|suspend|halt|end|cease|avoid|quit) (?:(?:all|the|these|this|any) )*(?:sending "
        r"|running )?(?:\w+ )?(?:outreach|campaigns?|sequences?|emails?) (?:for|to) (?!me\b|us\b|my\b"
        r"|our (?:team|company|staff|domain)|this)",
        another_channel=True,
        exclamation=True,
    ),
    rule(
        "en.make_it_stop",
        "sure ensure see_ trust promise confirm stor save saving retain keep hold process collect stop ceas end_ "
        "_us sell share "
        "discontinue off_ mute kill down_ to_end",
        r"\b(?:make sure|ensure|see to it|trust|promise|want|confirm)(?: that)? (?:i|we) (?:do not|will not|never"
        r"|no longer|am not|are not) (?:get|receive|see|hear|getting|receiving)(?: sent)? (?:(?:any|more|of"
        rf"|from) )*(?:these|this|those|them|you|it|{NOUNS})\b",
        r"\b(?:do not|never|stop|quit|not to) (?:stor|sav|retain|keep|hold|process|us|sell|collect)(?:e|ing"
        r"|ping)? (?:any of )?(?:my|our) (?:\w+ )?(?:data|info|information|details|email|number|address|name)\b",
        r"\b(?:make|get|have|want|need|like|demand)(?: \w+)? (?:this|these|those|your|it|the|them|all(?: of)?(?: this"
        rf"| these)?)(?: \w+){{0,2}}?(?: {NOUNS})?(?: from (?:you|(?:your|this) \w+))? (?:(?:to )?stop(?:ped)?"
        rf"|to (?:end|cease)){END}",
        r"\b(?:these|this|it all|all (?:of )?this) (?:must|needs? to|ha(?:s|ve) (?:got )?to) (?:\w+ )?(?:stop"
        r"|cease|end)(?=$| ?,)",
        r"\b(?:great|nice|good|best|lovely|better|appreciate(?: it)?|love(?: it)?|grateful"
        r"|like it) if (?:you (?:would |could |just |all )*"
        rf"(?:stopped|stop|quit)(?=$| ?,)|(?:these|your|this|all)(?: \w+){{0,2}}?(?: {NOUNS})? (?:would "
        r"|could )?(?:stop(?:ped)?|ceased?)(?=$| ?,| (?:please|now|coming|arriving)\b))",
        r"\b(?:wish|want|would like|like|ask|prefer) to (?:discontinue|cease|stop) (?:receiving|getting)\b",
        r"\b(?:call off|turn off|shut (?:off|down)|switch off|mute|kill) (?:your|the) (?:\w+ )?(?:bots?|dogs|ai"
        r"|robots?|automation|sequences?|campaign)\b(?! (?:for|in|at)\b)",
        r"\b(?:sure|ensure|see (?:to it )?that) (?:that )?(?:i|we) (?:am|are|is) (?:\w+ )?(?:not|no longer|never|off)"
        r" (?:\w+ "
        rf")?(?:on|in|of|part of) (?:(?:any|your|this|the|these|of|future|all) ){{1,4}}(?:\w+ )?{FROM_WHERE}\b",
        r"\b(?:sure|ensure|see (?:to it )?that) (?:that )?(?:my|our) (?:name|email|number|address|details"
        r"|data)(?: \w+)? (?:does not|do not|is not|are not"
        r"|no longer|never)(?: \w+){0,3}? (?:on|in) (?:any|your|this|the)\b",
        rf"\b(?:this|these|those|your|the|all)(?: \w+)? {NOUNS} (?:must|need to|needs to|has to|have to|should|better"
        r"|got to|to) (?:\w+ )?(?:stop|cease|end)\b",
        r"\b(?:this|it|you) (?:must|need to|needs to|has to|have to|got to|had better|should) (?:\w+ )?(?:stop"
        r"|cease)(?: (?:now|immediately))?(?=$| ?,)",
        r"\b(?:how (?:do|can|to)(?: i| we)?|(?:i|we) (?:want|wish|would like|need|asked|tried|have asked)|let me"
        r"|please let me|can (?:i|we)|help me) (?:\w+ )?(?:to )?(?:stop|quit) (?:receiving|getting|hearing"
        rf"|all (?:this|these)|these|this|those|your)(?: \w+){{0,3}}?(?: {NOUNS}| this| these| it| from you)\b",
        r"\b(?:stop|quit|cease|discontinue) (?:receiving|getting) (?:(?:any|all|these|those|this|your|the|more"
        rf"|further|such|of|so|many) ){{0,4}}(?:\w+ )?(?:{NOUNS}|this|these|those|it|them)\b",
        r"\b(?:number|email|address|line|phone|inbox)\b.{0,60}\b(?:do not|never|stop|not to) us(?:e|ing) (?:it"
        r"|this)\b",
        r"\b(?:do not|never|stop|not to) (?:sell|sell or share|share|selling) (?:my|our) (?:\w+ )?(?:information|info"
        r"|data|details|email|number)\b(?! (?:with|address))",
        r"\b(?:do not|never|stop|quit|no longer|not to) (?:\w+ or )?us(?:e|ing) (?:(?:my|our|this|it"
        r"|the) ?)(?:\w+ ){0,2}?(?:number|email|address|phone|info|information|data|details|contact|again|any more)\b",
        before=rf"{NEGATED}|\bhate (?:to|for) (?:\w+ )?|\b(?:they|he|she|{OTHER_PEOPLE}) (?:\w+ ){{0,3}}"
        r"|\bhow many \w+ |\b(?:why|when"
        r"|how come) (?:\w+ ){0,2}|\bdid (?:i|we) ",
        unless=rf"{QUESTION_ABOUT_TOOL}|\b(?:old|previous|former) (?:\w+ )?(?:numbers?|emails?|address|one)\b",
        another_channel=True,
    ),
    rule(
        "en.please_stop",
        "stop desist halt quit cut_it knock_it discontinue ceas",
        r"\b(?:request|ask|demand|insist|suggest|urge|prefer)(?:ing|ed)? (?:that )?you (?:please )?(?:stop|quit"
        r"|desist|cease)(?=$| ,| (?:now|please|this|it)\b)",
        r"\bhow many (?:more )?times (?:do|must|have|should) (?:i|we)\b.{0,40}\b(?:stop|remove\w*|unsubscribe"
        r"|leave me)\b",
        r"\bwhy (?:will|do|can) not you (?:just )?(?:stop|quit|leave (?:me|us))\b",
        r"^(?:please )?stop(?: please| now| ,)* wrong (?:number|person)\b",
        r"\bwhen (?:will|are|do) you (?:going to |ever )?(?:stop|quit)(?=$| \?)",
        r"^(?:ok |okay |no |please )?you (?:can|may|should|could|must) (?:stop|quit)(?: (?:now|it|this|please|already"
        r"|here))*$",
        r"\b(?:told|asked|begged|warned) (?:you|y'all|your \w+)(?: \w+){0,3}? to (?:stop|quit|cease)(?=$| ,)"
        r"|\b(?:my|final|second|third|last|this) (?:\w+ )?(?:requests?|warnings?|notices?) to (?:stop|cease)\b",
        r"^(?:(?!we\b|they\b|it\b|i\b|full\b|bus\b|last\b|first\b|next\b|one\b|pit\b|quick\b|do\b|not\b|never\b|non\b"
        r"|a\b|the\b|tech\b)\w+ ){0,3}?(?:please|now|seriously|enough|said|would you|could you|can you"
        r"|will you)(?: please)? (?:stop|desist|quit it|knock it off|cut it out|quit|cease|discontinue)(?: (?:it|this"
        r"|that|now|already|immediately|please|thanks|thank you|all of (?:this|it|these)|doing this|everything"
        r"|here))*(?: \?)?$",
        r"^(?:(?:ok|okay|no|hey|and|so|then|again|enough|alright|yo|dude|man|bro|i said|for the last time|just"
        r"|spam) )*(?:stop|desist|halt|quit it|knock it off|cut it out)(?: (?:please|it|this|that|now|already"
        r"|immediately|stop|thanks|thank you|lol|ffs|doing this|bro|man|dude|everything|all|sir|here))*$",
        r"^(?:(?!(?:we|they|it|i|not|never|non|does|do|did|will|until|where|when|if|full|bus|last|first|next|one|pit"
        r"|quick|hard|short|tech|who|how|what|must|should)\b)\w+ ){1,6}(?<!the )(?<!a )(?<!to )(?<!our )(?<!my "
        r")(?<!this )(?<!can )(?<!your )stop$",
        r"(?:^|, )(?:please |just |and |so |but |can you |could you )*(?:stop|desist|quit it|knock it off"
        r"|cut it out)(?: (?:it|this|that|now|already|please|immediately))*(?=$| ,)",
        r"\b(?:you (?:need|have) to|you must|you should|(?:ask(?:ed|ing)?|told|tell(?:ing)?|want|beg(?:ging)?|need"
        r"|like|prefer"
        r"|order(?:ing)?|urg(?:e|ing)|demand(?:ing)?|warn(?:ed|ing)?|advis(?:e|ing)) (?:you|y'all)(?: \w+)? to|i said"
        r"|to please) (?:please )?(?:stop|quit)(?: (?:it|this|that|now|already|please|immediately|doing this))*(?=$"
        r"| ,| \?| (?:i|we|or|and|because|before)\b)",
        before=rf"\b{OTHER_PEOPLE} (?:\w+ ){{0,4}}|\b(?:not|never|full|non)(?: ,)? |\bdo not|,? (?:to|the|a|we|they) ",
        exclamation=True,
        unless=r"\bdo not (?:ever )?stop|\b(?:we|they|it|i|full|bus|last|first|next|one|pit|quick"
        r"|short) (?:\w+ )?stop\b(?<!i said stop)|\bstop (?:the|a|me|by|in|over|at)\b",
    ),
    rule(
        "en.do_not_contact_me",
        "stop_hit stop_blow stop_sl mind_ again_ not_ never no_need no_longer no_reason no_point without_m "
        "without_o longer_h",
        r"\b(?:do not|never|stop) (?:hit(?:ting)? (?:me|us) up|hmu|hit(?:ting)? my (?:line|phone|inbox|dms)"
        r"|blow(?:ing)? up (?:my|our) \w+|slid(?:e|ing) in(?:to)? my dms)\b",
        rf"\bmind (?:\w+ )?(?:not|no longer) {CONTACTING}(?: {ME})?(?:{END}| {AGAIN})",
        r"\b(?:do not|never|you not|not to) (?:you )?send(?: me| us| out)? (?:any |more |any more |further "
        r"|additional )+(?:\w+ )?(?:info|information|details|material|literature|links|proposals|invit(?:es?|ations?)"
        r"|brochures?|catalog\w*|flyers?|leaflets?"
        r"|requests?)\b",
        rf"\b(?:{CONTACTING}|{CONTACT}) {ME} again (?:will|is|would|may|constitutes)\b",
        rf"\b{NEVER}(?: you)?(?: again)?(?: try to| attempt to| dare(?: to)?| want you to| allowed to| permitted to"
        rf"| authori[sz]ed to| welcome to| need to| bother to)? {CONTACT}(?: or {CONTACT})?(?: {ME})(?: (?:or"
        rf"|and) (?:{CONTACT} )?(?:{ME}|\w+))?(?:{END}| {AGAIN}\b|(?= (?:or|and|unless|about|to|for|like|on|by|via"
        r"|using|with|more)\b))",
        rf"\b(?:note|sure|remember|asked?|requested?|like|told|want|please|prefer|need) (?:you )?to (?:not|never|no"
        rf" longer)"
        rf" {CONTACT} {ME}(?:{END}| {AGAIN}\b)",
        rf"\b(?:courtesy|favou?r|kindness|decency|honou?r) (?:of|and|by) (?:not|never|no longer) (?:{CONTACTING}"
        rf"|{CONTACT})"
        rf"(?: {ME})?(?:{END}| {AGAIN}\b)",
        r"\b(?:do not|never) (?:bother|ask)(?: me| us)? (?:again|any more)\b",
        rf"\b(?:do not|never) {CONTACT} (?:it|him|her|them) (?:again|any more|ever)\b",
        r"\b(?:do not|never|not|not to) (?:put|add|include|enrol+|subscribe|sign) (?:me|us|my \w+|our \w+"
        r"|this (?:\w+ )?(?:email|number|address|inbox|domain)|ADDR)(?: up| back)? (?:to|on|in|for|into) (?:(?:any|your"
        rf"|these|this|more|future|another|other|the|further|of|mailing) ){{0,4}}{FROM_WHERE}\b",
        rf"{ASKED}(?:do not|never|no longer)(?: you)?(?: again)?(?: try to| attempt to| dare(?: to)?"
        rf"| bother to)? {CONTACT_ALONE}(?: or {CONTACT_ALONE})?(?:$| \?$| ?,| (?:{AGAIN}|more|please|thanks|thank|or"
        r"|and|unless|as|because|since|i|we)\b)",
        r"\b(?:do not|never|stop) (?:bother(?: to)?|keep(?: on)?|continue(?: to)?|waste your time|go on"
        rf"|start) (?:{CONTACTING}|{CONTACT})(?: {ME})?(?:{END}| {AGAIN}\b)",
        rf"{ASKED}(?:do not|never|no longer) {CONTACT_ALONE}(?: with {ME})? on (?:this|that|these|those|it|any of (?:this|it)"
        r"|(?:your|the) (?:\w+ )?(?:offer|proposal|pitch|note|emails?|messages?|inquiry|enquiry|outreach|request))"
        rf"(?:{END}| {AGAIN}\b)",
        r"\b(?:ask(?:s|ing|ed)?|request(?:s|ing|ed)?|prefer|insist|demand|rather|if|that|grateful if|love it if|wish"
        r"|hope) (?:that )?(?:you|your \w+|no ?one|nobody|your company)(?: \w+)?(?: \w+)? (?:do not|not|never"
        rf"|no longer|did not|would not|stay away|refrain)(?: be)? (?:to )?(?:{CONTACT} {ME}"
        rf"|{CONTACT_ALONE} {AGAIN})\b",
        rf"\bnot to (?:be (?:\w+ )?{CONTACTED}|{CONTACT} {ME}|{CONTACT_ALONE} {AGAIN})\b",
        rf"\b(?:make sure|ensure|see to it|see that|trust|confirm|expect|hope|promise)(?: that)?(?: {ME}| i| we"
        r"| no ?one| nobody| you| your \w+)? (?:is |am |are |will |do )?(?:not|never|no longer)(?: be"
        rf"| get)? (?:\w+ )?(?:{CONTACTED}\b|{CONTACT} {ME}|{RECEIVE} (?:{WHICH} )*(?:{NOUNS}|anything))",
        r"\b(?:i|we|my \w+|our \w+|ADDR|this \w+) (?:am|are|is|must|should|will|shall|may|can) (?:not|never"
        rf"|no longer) (?:to |want to )?(?:be |get )(?:\w+ )?{CONTACTED} (?:again|any|further|by you|ever|in future"
        r"|under)",
        r"\b(?:do not|never|no longer|you not|to not|not to|not) (?:you )?(?:send|forward|shoot|mail|email|text"
        rf"|message|write|share)(?: {ME})? (?:(?:any|more|any more|another|further|these|this|those|your|unsolicited"
        rf"|such|other|one more|all|of|out|along|over) ){{1,4}}(?:\w+ )?(?:{NOUNS}|things?|one|ones|of (?:these|those"
        r"|this)|again)(?! (?:to|of the) (?!me|us|my|our|this))",
        rf"\b(?:do not|never|you not|not to) (?:you )?send(?: {ME})? (?:another|any more|more)(?: one)?{END}",
        rf"\b(?:do not|never) (?:you )?send (?:(?:to )?{ME}|any|out)? ?(?:{NOUNS}|anything|things|any more"
        rf"|any of (?:this|these)|these|this)(?:{END}| (?:{AGAIN}|to (?:me|us|this)|else|more|like)\b)",
        rf"\b(?:no (?:need|reason|point)|not necessary|do not need)(?: for you)?(?: to| in)? (?:{CONTACT}"
        rf"|{CONTACTING})(?: {ME})? (?:again|any ?more|any further|any longer|further|in (?:the )?future"
        r"|from now on)\b",
        r"^(?:please )?do not (?:contact|call|text|disturb|solicit|email)$",
        before=r"\b(?:they|he|she|people|who|that (?!you)|leads|customers|clients|vendors|usually|guys|reps|team"
        rf"|prospects|which|why|if you|you (?!to )|{OTHER_PEOPLE}) (?:\w+ )?|\b(?:i|we) (?!please|said|told|repeat"
        rf"|insist|ask|demand)(?:\w+ )?|\bif you |\bwhy |\bto |{QUESTION_ABOUT_TOOL}.*|policy , ",
        after=rf"{WHEN}|{EVERY}| about (?!this|these|your|any|anything|it\b|that|further)| (?:names|liar|a "
        r"|on my (?:cell|mobile)|by (?:phone|text)(?! or| ,| either)|back (?:yet|until))",
        unless=r"\b(?:if you|you|they|i|we) (?:do not|never) (?:\w+ )?(?:hear|get|got|have)\b(?! my| our| permission"
        r"| the right)|\bhesitate\b|\b(?:forget|afraid)\b|\bpolicy\b",
        another_channel=True,
    ),
)
