"""English phrases by which a person asks to be unsubscribed, removed or put on a list of people not to contact.

Patterns see one sentence in canonical spelling; every repeat is bounded. Requests to stop contacting stand in
`optout_english_contact`, the vocabulary in `optout_english_words`.
"""

from zrg_dagster.core.text.optout_english_words import (
    ABOUT_CONTACT,
    AFTER_REMOVE,
    DNC,
    FROM_WHERE,
    ME,
    MINE,
    NEGATED,
    NOT_OURS,
    OTHER_PEOPLE,
    OTHER_THING,
    QUESTION_ABOUT_TOOL,
    WE_DO,
)
from zrg_dagster.core.text.optout_rule import Rule, one_of, rule

_UNSUB = r"(?:un ?subscri(?:be|bed|bing|ption)|unscribed?)"
_OPT = r"opt(?:ing|ed|s)? outs?"
_ASKING = (
    r"(?:please|want(?:ed)? to|like to|love to|wish(?:ed)? to|need to|have to|must|tr(?:y|ying|ied) to|how (?:do|can"
    r"|could|to|would) ?(?:i|we|one)?|where (?:do|can) (?:i|we)|(?:can|could|would|will) you|way to|possible to|can i"
    r"|could i|may i|let me|ask(?:ed|ing)?(?: you)?(?: to)?|request(?:ed|ing)?(?: to)?|i already|i have(?: already)?"
    r"|i would like|(?:decided|choosing|chosen) to|can not(?: seem to)?|to be|get|be|i|am|choose to|prefer to|mind|just"
    r"|us|me)"
)
_INSTRUCTION = (
    r"\b(?:if you|in case you|should you|you (?:may|can|could|want|wish|would like)|you would (?:like|rather)|click"
    r"|tap|press|reply with|respond with|manage (?:your )?(?:preferences|subscription)|at any ?time)\b"
)
_MISTAKE = (
    r"\b(?:accidentally|mistakenly|inadvertently|unintentionally|did not mean to"
    r"|never meant to) (?:\w+ ){0,4}(?:un ?sub|opt|remov|click|hit|press)|(?:unsubscribed|opted out|unsubscribe"
    r"|opt out|removed|removal)\b.{0,60}\b(?:by mistake|by accident|accidentally|was an? (?:mistake|accident|error)"
    r"|in error|was a typo)|\b(?:put|add|sign|opt|subscribe) (?:me|us) (?:back|again)|\bre ?subscri|\b(?:was|is) an?"
    r" (?:mistake|accident|error) to (?:un ?sub|opt)|\bdisregard (?:my"
    r"|the|that) (?:unsub|opt|removal)"
)
_NOT_SO = (
    r"\b(?:do not|did not|never|will not|would not|have not|almost|nearly|(?<!can )not) (?:(?:yet|want|mean|wish|need"
    r"|intend|plan|almost|nearly|going|trying|asking|asked|have|to|looking|ask|you) ){0,5}"
)
# "If I wanted to unsubscribe later, would it be easy?"
_HYPOTHETICAL = (
    r"\bif (?:i|we) (?:ever |later |would )?(?:want(?:ed)?|decided?|chose|choose|need(?:ed)?|were|had) to\b"
    r"|\b(?:if|suppose|assuming|say) (?:i|we) (?:ever )?(?:unsubscribed?|opt(?:ed)? out)\b"
)
_REMOVE = one_of(
    """remov(?:e|ing) delet(?:e|ing) scrub(?:bing)? purg(?:e|ing) eras(?:e|ing) exclud(?:e|ing) strik(?:e|ing)
    drop(?:ping)? unlist(?:ing)? delist(?:ing)?
    black_?list(?:ing)? block_?list(?:ing)? clear(?:ing)? expung(?:e|ing) suppress(?:ing)? redact(?:ing)?
    unenroll(?:ing)? unenrol deregister unregister
    unsubscrib(?:e|ing) omit(?:ting)?
    get_rid_of getting_rid_of discard(?:ing)? dispose_of
    trash deactivat(?:e|ing) eliminat(?:e|ing) wip(?:e|ing) destroy(?:ing)? unfollow block(?:ing)?"""
)
_TAKE = one_of(
    """tak(?:e|ing) get(?:ting)? pull(?:ing)? yank let(?:ting)? scratch(?:ing)? cross(?:ing)? kick(?:ing)? knock
    keep(?:ing)? leav(?:e|ing)
    drop(?:ping)? cut(?:ting)? strik(?:e|ing) wip(?:e|ing) count clear bump rub move remov(?:e|ing) delet(?:e|ing)"""
)
_REMOVED = one_of(
    """removed deleted taken_off taken_out erased excluded purged opted_out dropped unsubscribed scrubbed wiped
    struck blacklisted blocked expunged unlisted pulled scratched suppressed
    off_(?:your|the|this) out_of_your_(?:database|systems?|lists?|crm|records)"""
)
RULES: tuple[Rule, ...] = (
    rule(
        "en.unsubscribe",
        "nsub un_su unscribe",
        rf"\b{_ASKING} (?:\w+ )?{_UNSUB}\b",
        rf"\b{_UNSUB} (?:me|moi|us|my|our|this|ADDR|all|everything|now|please|today|immediately)\b",
        rf"(?:^|, |\b(?:thanks|thank you|and|or|so|list|interested|no) ){_UNSUB}(?=$| ?[,?]| (?:thanks|thank|porfavor"
        r"|svp|from|i|we)\b)",
        before=rf"{_NOT_SO}|\b{OTHER_PEOPLE} (?:\w+ ){{0,3}}|\b(?:my|our|the) \w+ (?:has |had )?(?:\w+ed )?",
        # Everybody else's mails: "I've unsubscribed from most newsletters".
        after=r"(?: \w+)? from (?:\w+ )?(?:most|many|several|lots|dozens|hundreds|tons|plenty|countless|half|others?"
        r"|every\w+ else)\b"
        r"(?!.*\b(?:your?|these|this(?! (?:year|month|week|morning))|still|keeps?)\b)"
        rf"|(?: me| us)? from (?!(?:(?!so\b|and\b|but\b|because\b|,)\S+ ){{0,5}}?{ABOUT_CONTACT})"
        r"| (?:\w+ (?:of (?:my|our|the) )?)?(?:people|leads|contacts|recipients|subscribers|customers|users|reps"
        r"|sdrs)\b| (?:links?|rates?|buttons?"
        r"|pages?|options?"
        r"|features?|flows?|process|headers?|footers?|requests?|handling|webhooks?|events?|lists?|reasons?"
        r"|status)\b(?! (?:please|now))|(?: \w+){0,3}? (?:from|of) (?:\w+ ){0,2}(?:portal|training|course|webinar"
        r"|workshop|report|summary|recap|alerts?|event|trial|pilot|beta|class|session)\b",
        unless=rf"{_INSTRUCTION}|{_MISTAKE}|{QUESTION_ABOUT_TOOL}|{_HYPOTHETICAL}|{_NOT_SO}{_UNSUB}|\b(?:my|our"
        r"|the) (?:old"
        r"|previous)\b|\bunsubscribed\b.*\b(?:(?:but not|except)(?: from)? yours\b|(?:but|though|yet|while)"
        r" (?:(?:i|we) (?:\w+ )?(?:love|like|enjoy|read|kept|keep) (?:yours\b|your (?:\w+ )?(?:newsletter|emails?|content)\b)"
        r"|(?:yours|your (?:\w+ )?(?:newsletter"
        r"|emails?|content)) (?:stays?|remains?|survived|(?:is|are) (?:\w+ )?(?:worth|good|great|useful|fine|excellent"
        r"|interesting|different|better|one of|a keeper)\b)))"
        rf"|\bcompetitors?\b|^(?:does|is|are) |\b{OTHER_PEOPLE} (?:\w+ ){{0,3}}{_UNSUB}",
    ),
    rule(
        "en.unsubscribe_broken",
        "nsub un_su unscribe opt_out removal",
        rf"\b(?:process|honou?r|respect|action|complete|confirm|register) (?:my|our|this) (?:\w+ )?(?:{_UNSUB}|{_OPT}"
        r"|removal)\b",
        r"\b(?:no|where(?: is)? (?:the|your)|(?:can not|do not|could not|did not) (?:find|see) (?:the|your|an?|any)"
        rf"|missing|without(?: an?)?|there is no) (?:\w+ )?(?:{_UNSUB}|{_OPT}) (?:links?|buttons?|option|way)",
        rf"\b(?:your|the) (?:{_UNSUB}|{_OPT})(?: (?:link|button|option|page|form)s?)? (?:does not|did not|is not"
        r"|is broken|will not|fails?|never|leads nowhere|is dead)",
        rf"\b(?:my|our|previous|earlier|multiple|several|repeated|many|\d+)(?: \w+)? (?:{_UNSUB}|{_OPT}"
        r"|removal) requests?\b",
        unless=r"\bour (?!\w+ unsub|unsub|\w+ opt|opt|\w+ removal|removal)|\bin the (?:deck|draft|copy|template|pdf"
        r"|proposal)",
    ),
    rule(
        "en.opt_out",
        "opt",
        rf"\bopt(?:ing)? {MINE} out\b",
        rf"\b{_ASKING} (?:\w+ )?{_OPT}\b",
        rf"\b(?:i|we|(?:my|our|this) \w+) opts? out (?:of|from) (?:\S+ ){{0,4}}?{ABOUT_CONTACT}",
        rf"(?:^|, |\b(?:and|thanks|interested|no|so) ){_OPT}(?=$| ?[,?]| (?:please|svp|porfavor|merci|gracias|thanks"
        r"|thank|now|of|from)\b)",
        before=rf"{_NOT_SO}|\b(?<!how )(?<!where )(?:do|must|should|will|would) we (?:have to )?",
        after=rf" (?:of|from) (?!(?:(?!,)\S+ ){{0,5}}?{ABOUT_CONTACT})| (?:later|any ?time|after|before"
        r"|once (?!already)(?:i|we|the|they|you)|during"
        r"|whenever|when|clause|option|period|window|rate|form|link|language|provision|process|feature"
        r"|mechanism|rules?|requirements?|handling|list|requests?|support|in)\b",
        unless=rf"{_INSTRUCTION}|{_MISTAKE}|{QUESTION_ABOUT_TOOL}|{_HYPOTHETICAL}|\bopt in , |{_NOT_SO}opt (?:me "
        r"|us )?out"
        rf"|\b{OTHER_PEOPLE} (?:\w+ ){{0,3}}{_OPT}",
    ),
    rule(
        "en.remove_me",
        "_down sign_ get_rid getting_rid discard dispose trash deactivat remov delet scrub purg eras exclud strik "
        "drop unlist delist blacklist expung unenrol register omit eliminat wip "
        "destroy block suppress clear took got_me left_me",
        r"\b(?:deactivate|disable|terminate) (?:my|this|our) (?:\w+ )?subscriptions?(?=$| ?,| (?:please|now"
        r"|to (?:your|these|this)))",
        rf"\btake (?:down|out|off) {MINE}(?=$| ?,| (?:please|from|now)\b)",
        rf"\btake {MINE} down(?=$| ?,| (?:please|from|now))",
        r"\bsign (?:me|us) (?:off|out)(?=$| ?,| (?:please|of (?:this|these|your)|from (?:this|these|your)))",
        rf"\b{_REMOVE} {MINE}{AFTER_REMOVE}",
        rf"\b{_REMOVE} (?:any|all|everything|whatever|every|what)(?: \w+){{0,5}}? (?:(?:about|on|regarding|concerning"
        r"|relating to|of|for|belonging to|associated with|linked to|related to) (?:me|us|mine|ours|my|our|this|ADDR)"
        r"|you (?:\w+ )?(?:have|hold|store|keep|got)\b.{0,25}(?:me|us|my|our|this))\b",
        r"(?:^|, |\bplease |\band |\bnot interested )(?:please )?(?:remove"
        r"|delete)(?: (?:please|now|thanks|thank you|today|asap|this|it|everything))*$",
        rf"\b(?:remove|delete|block) {MINE} (?:immediately|entirely|too)\b",
        before=rf"{NEGATED}|{WE_DO}|\bno (?:need|reason) (?:for you )?to |\bhelp (?:me|us) |\bkeeps |\bwhy (?:did|have"
        rf"|was"
        r"|were|do) (?:\w+ ){0,2}",
        after=rf"(?: \w+){{0,2}}? {OTHER_THING}|{NOT_OURS}| and (?:use|replace|put|update|add|enter|switch)\b| as"
        rf" (?!soon|well|per|i|we|requested)"
        r"| with (?!immediate|your|all)"
        r"| on (?:the )?\w+day|(?: ?, \w+){0,3}.{0,20}(?:will join|instead of me)",
        unless=r"\b(?:can|could|may|do|how to) (?:(?:i|we) )?(?:\w+ )?(?:remove|delete|exclude|block|drop"
        r"|suppress) (?:our|my|the|this|these|a) (?:\w+ )?(?:contacts?|leads?|team|users?|accounts?|records?"
        r"|staff|employees?)\b(?! (?:from|off) your)|\b(?:delete|erase|purge|block) (?:the|this|that"
        r"|these) (?:\w+ )?emails?\b(?! (?:address|from|off|and stop))|\b(?:remove|delete) the (?:emails?"
        r"|contacts?|accounts?|address(?:es)?|numbers?|domain|company|line)\b(?! (?:from|off|above|below))"
        rf"|{QUESTION_ABOUT_TOOL}|{_MISTAKE}|\b(?:my|our) (?:old|previous|former|outdated|billing|shipping|delivery"
        rf"|second"
        r"|duplicate|extra|wrong) (?:\w+ )?(?:emails?|address|number|contact|phone|name|account)\b(?! (?:from|off|out"
        r" of) (?:your|any|all))"
        r"|\b(?:duplicates?|typos?|errors?|mistakes?|rows?|lines?|items?|images?|photos?|files?|attachments?"
        r"|columns?)\b.{0,40}"
        r"\b(?:remove|delete|drop|erase|suppress) (?:them|it|those)\b|\b(?:test|demo|sample|dummy|duplicate|trial|old"
        r"|dead) (?:data"
        r"|contacts?|records?|accounts?|leads?|entries)\b|\bkeep (?:me|us) on\b|\b(?:if|suppose|assuming|once|when"
        r"|say) (?:i|we) (?:cancel|leave"
        r"|stop|quit|end|do not renew)\b|\bblock (?:my|our) (?:calendar|time)|\bif you (?:have )?received"
        r"|\bin error\b|\b(?:remov|delet|drop|strik|exclud)(?:e|ing) the (?!(?:phone|email|above|following|mobile"
        r"|office|cell"
        r"|contact|whole|entire)\b)\w+ (?:line|details|info|information|data|entry|file|names?|records?"
        r"|account)\b(?! (?:from"
        r"|off|out|above|below))",
    ),
    rule(
        "en.remove_from_list",
        "remov delet unlist _off _out _of_ off_ out_ from_",
        rf"\b{_REMOVE}(?: (?:please|now|immediately|it|me|us))? (?:from|off)(?: of)? (?:your|the|this|all|any"
        rf"|my)?(?: \w+){{0,2}}? ?{FROM_WHERE}\b",
        rf"\b(?:{_TAKE}|{_REMOVE}) (?:it|them|both|all) (?:off|from|out of) (?:of )?(?:your|the|this|any"
        rf"|all|that|these|every|whatever)(?: \w+){{0,2}}? ?{FROM_WHERE}\b",
        rf"\b{_TAKE} {MINE} (?:off|out of|from) (?:all )?(?:marketing|sales|promo\w*|mailing|email"
        r"|outreach)(?: (?:emails?|lists?|mailings?|comms|messages"
        r"|communications?))?(?=$| ?[,?]| (?:please|thanks|and)\b)",
        rf"\b{_TAKE} {MINE} (?:the \w+ )?(?:(?:off|out)(?: (?:of|from))?|of|from) (?:of )?(?:your|the|this|that|all"
        rf"|any|these|those|every|whatever|future|further)(?: \w+){{0,3}}? ?{FROM_WHERE}\b",
        rf"\b(?:tak(?:e|ing)|cross|scratch|kick|drop|get|leave|count|pull|knock|strike|keep) {MINE} (?:off"
        r"|out)(?: of (?:it|this|that|here))?(?=$| ?[,?]| (?:please|now|asap|thanks|thank|immediately|and|or|i|we)\b)",
        rf"\b(?:take|leave|get) {MINE} off (?:this|that|your)(?=$| ?[,?])",
        before=rf"{NEGATED}|{WE_DO}|\b{OTHER_PEOPLE} (?:\w+ )?|\bwhy (?:did|have|was|were|do) (?:\w+ ){{0,2}}",
        unless=rf"{OTHER_THING}|{QUESTION_ABOUT_TOOL}|{_MISTAKE}|\b(?:the|that|this|a) (?:\w+ )?(?:name|person|guy|row"
        r"|bullet|line|logo|section|slide|attendee|field|column|duplicates?) (?:from|off)\b"
        r"|\bpull (?:the|these|those) (?:numbers|data|figures|stats|information|details)\b|\bif you (?:have )?received",
    ),
    rule(
        "en.be_removed",
        "want_out removed deleted taken erased excluded purged opted dropped unsubscribed removal scrubbed wiped "
        "struck blacklisted blocked unlisted pulled scratched suppressed deletion erasure off_ out_of",
        r"\b(?:want(?:ed)?|like|love|appreciated?|grateful|wish(?:ed)?|prefer|ask(?:ed|ing)?|request(?:ed|ing)?|need"
        r"|please|demand(?:ed|ing)?|insist|(?:could|can|may) (?:i|we)|how (?:do|can) (?:i|we)|i would|possible"
        r"|(?:is there an?|any) (?:\w+ )?way|(?:names?|address|numbers?|emails?|details|data|i|we|ADDR|company"
        rf"|domain) (?:should|must|needs?|be|to)) (?:\w+ ){{0,4}}?(?:be|get|being|getting)(?: \w+)? {_REMOVED}\b",
        rf"\b(?:have|get|getting|having|want|need|see|like|love) {MINE} (?:\w+ )?{_REMOVED}\b",
        r"\b(?:make sure|ensure|confirm|see that|see to it|verify|check)(?: that| once| when| if"
        rf"| to me that)? (?:{MINE}|i|we) (?:is|are|am|be|gets?|has been|have been|will be|was) (?:\w+ )?{_REMOVED}\b",
        r"\b(?:confirm|process|action|arrange|need|want|demand(?:ing)?|request(?:ing)?|asking for"
        r"|ask for)(?: \w+){0,3}? (?:removal|deletion|erasure)(?=$| ?[,?]| (?:of (?:me|us|my|our|all|any|this|ADDR)"
        r"|from|please|thanks|now|request))",
        r"\b(?:get|take|drop|leave|cut|count) (?:me|us|my \w+) out of (?:here|this|it)\b",
        r"\b(?:how (?:do|can|would) (?:i|we|you|one)|(?:want|wish|need|like|do|way|possible|trying|tried|how) to"
        r"|let me) (?:get|be|come) (?:off|out|taken off)(?: of)? (?:your|the|this|these|that)(?: \w+){0,2}? ?"
        rf"{FROM_WHERE}\b",
        r"(?:^|, |please |want )(?:off|out)(?: of)? (?:your|this|the) (?:\w+ )?(?:list|database|sequence|mailing)\b",
        r"\bif you(?: (?:could|would|can|have|all|guys))? (?:removed|deleted|took|dropped|excluded|unsubscribed"
        rf"|erased|got|left|pulled|scrubbed|purged) {MINE}(?=$| ?[,?]| (?:from|off|out|please)\b)",
        r"\b(?:i|we) want out\b(?=$| ?,| (?:of (?:your|this (?:list|sequence|mailing|email)|these)|now|please))",
        r"^(?:removal|deletion)(?: please| request|$)",
        rf"\bconsider (?:me|us|this (?:\w+ )?(?:number|email|address)) {_REMOVED}",
        after=NOT_OURS,
        unless=rf"{OTHER_THING}|\b(?:off|out of) (?:this|that|the|a) (?:calls?|phone|plane|train|bus|meeting)\b(?!"
        rf" list)|\b(?:hate|sad|sorry|afraid) to be\b|{_NOT_SO}(?:be|get) (?:removed|deleted|taken)"
        rf"|\b{OTHER_PEOPLE} (?:\w+ ){{0,4}}(?:be|get|to be|been) (?!{ME})|{QUESTION_ABOUT_TOOL}|{_MISTAKE}",
    ),
    rule(
        "en.do_not_contact_list",
        "do_not donot dnc dnd tps suppress block black opt exclusion exclud request consider treat no_c no_e "
        "unsubscribe removal never ignore ccpa gdpr",
        r"\b(?:add|put|place|move|enter|get|include|list|register|set|mark|flag|tag|label|treat|record|note|log"
        rf"|adding|putting|marking) {MINE} (?:(?:down|status)? ?(?:to|on|onto|in|into|as|for|under|with) )?(?:your "
        rf"|the |a |an |all |any )?(?:\w+ )?{DNC}\b",
        r"^(?:(?!how\b|our\b|the\b|a\b|any\b|your\b|lead\b)\w+ ){0,3}(?:deletion|erasure|removal|opt out|unsubscribe"
        r"|objection) request(?: under (?:the )?(?:gdpr|ccpa))?$|^(?:gdpr|ccpa) (?:delete|erase|erasure|opt out)\b",
        r"\b(?:put|add|place) (?:a |the )?(?:dnc|do not contact|block|stop|suppression) (?:\w+ )?(?:on|for"
        rf"|against) {MINE}",
        r"\b(?:i am|we are|number is|we have been|i have been|line is|am registered) (?:\w+ )?(?:on|in|with"
        r"|listed on) (?:the |a |your |our )?(?:(?!so\b|and\b|but\b|please\b)\w+ ){0,2}?(?:do not (?:call|contact|mail)"
        r"|dnc"
        r"|tps|ctps)\b",
        r"\b(?:consider|treat|take|regard|accept|count) this(?: \w+)?(?: as)?(?: my| an?| our"
        r"| the)?(?: \w+){0,3}? (?:opt out|unsubscribe|removal|erasure|deletion|objection|cease|do not contact)\b",
        before=rf"{NEGATED}|\b(?:can|did|do) (?:we|they) |\b(?:would|will|could|did|does|might|can) (?:this|that"
        r"|it) (?:\w+ )?",
        unless=_MISTAKE,
    ),
    rule(
        "en.lose_my_number",
        "erase_ remove_ lose_ forget_ delete_ destroy_ shred_ burn_ bin_",
        r"\b(?:lose|forget|destroy|shred|burn|bin|delete) (?:my|this|our|the) (?:\w+ )?(?:number|email|contact|info"
        r"|information|address|details|phone|data|digits)\b(?! (?:in|on|of|for|is|was))",
        r"\b(?:number|email|address|details|contact|info)\b.{0,30}\b(?<!not )(?<!never )(?<!to )(?:lose|forget|delete"
        r"|erase|destroy|remove) (?:it|them)\b",
        r"\b(?:delete|erase|remove) (?:\w+ ){1,3}and (?:my|our) (?:\w+ )?(?:number|email|details|contact|data"
        r"|information|info|name)\b(?! (?:from|on|in|to|and)\b)",
        r"\bforget (?:that )?you (?:\w+ )?(?:have|had|know|knew) (?:of )?(?:my|this|me|us)\b",
        r"\b(?:email|number|address|contact|name)\b.{0,60}\bforget (?:that )?you (?:ever )?(?:have|had|know|knew|got)"
        r" it\b",
        r"^(?:please |just )?forget (?:about )?(?:me|us|i exist)(?: exist)?$",
        before=rf"{NEGATED}|\b(?:i|we|they) (?:\w+ ){{0,4}}|\byou (?:\w+ )?",
        unless=r"\b(?:old|previous|other|typo|outdated) (?:\w+ )?(?:number|email|address|one)\b.{0,40}\b(?:new|use|is"
        r"|correct)\b",
    ),
)
