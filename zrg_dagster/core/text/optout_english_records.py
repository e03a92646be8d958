"""English requests to stop that are about what we keep: records to amend or erase, an unsubscribe that failed, another's wish.

Patterns see one sentence in canonical spelling, those of a rule of the whole text all of them; every repeat is bounded.
"""

from zrg_dagster.core.text.optout_english_words import (
    CONTACT,
    CONTACTING,
    FROM_WHERE,
    MINE,
    NEGATED,
    NOUNS,
    OUR_MAILINGS,
    QUESTION_ABOUT_TOOL,
    REMOVED,
    THEY,
    WE_OR_THEY,
)
from zrg_dagster.core.text.optout_rule import Rule, rule

_FILES = rf"(?:{FROM_WHERE}|files?|books|archives?)\b"

RULES: tuple[Rule, ...] = (
    rule(
        "en.records",
        "amend updat_ update confirm process action honor honour respect heed observ removed solicit sales marketing "
        "requested demanded asked_for note mark retire withdraw dnc circulat rotation "
        "objection "
        "object opt_out record respect cease nothing disappear vanish gone keep no_more no_further",
        r"\b(?:update|amend|correct|change|adjust|mark|check)(?: \w+){0,2}? (?:records?|crm|file|files|database"
        r"|system|list|lists)\b.{0,60}\b(?:not (?:wish|want|to|be)|no longer|do not|never|so (?:that )?(?:we"
        r"|i) are not|opted? out|dnc|unsubscribed)\b",
        rf"\b(?:confirm|verify|let me know|acknowledge)(?: \w+){{0,4}}? (?:{REMOVED}|opted out) {MINE}",
        rf"\b(?:confirm|verify|acknowledge)(?: \w+){{0,3}}? (?:you have {REMOVED}(?=$| ?[,?]| from\b| {MINE}\b)|(?:i"
        rf" am|we are"
        rf"|i have been|we have been) {REMOVED})",
        r"\b(?:confirm|process|action|honou?r|respect|complete|register|execute|arrange|carry out|put through|log"
        r"|record|apply|note)(?: \w+){0,3}? (?:(?:un ?subscri\w+|opt outs?|objection|erasure|suppression|deletion"
        r"|removal)(?=$| ?[,?]| (?:request|for|of|from|now|please|within|today)\b))",
        rf"\b(?:withdraw|retire|pull|release|take) {MINE}(?: \w+)? (?:from|out of|off) (?:your|the|circulation"
        r"|rotation|this|any)\b(?! (?:meeting|invite|call|thread|loop|waitlist|old"
        r"|(?:\w+ )?(?:nomination|award|ballot|draw|raffle)))",
        rf"\btake {MINE} out of (?:circulation|rotation)\b",
        r"^(?:please |add (?:me |us |this |this number )?to |dnc )*dnc(?: (?:please|list|thanks))*$",
        r"\b(?:this is|take this as|here is|i hereby|formal|register|record|lodge|note|log|file"
        r"|submit)(?: \w+){0,4}? objection (?:to|under)\b",
        r"\b(?:cease|stop|halt|end|discontinue|suspend)(?: \w+)? (?:processing|use|using|storing|storage"
        r"|handling)(?: of)? (?:my|our|any|this)\b",
        r"\b(?:respect|honou?r|observe|heed)(?: \w+)? (?:my|our|the)(?: \w+)? (?:do not|wish(?:es)?|privacy|request"
        r"|dnc|no (?:contact|call|email|solicit\w*)|opt)",
        r"\b(?:confirm|let me know|reply|advise|notify me)(?: \w+)? (?:once|when|after|as soon as"
        rf"|that) (?:\w+ ){{0,2}}{REMOVED}",
        r"\b(?:requested|demanded|asked for) (?:\w+ )?(?:removal|deletion|erasure|an opt out|to be (?:removed"
        r"|taken off|unsubscribed|deleted))",
        r"\b(?:mailbox|inbox|address|number|email|line|account|phone)(?: \w+){0,2}? (?:is|are) (?:not"
        r"|only)(?: \w+){0,3}? (?:for|used for|intended for|monitored for) (?:\w+ )?(?:solicit\w*|sales|marketing"
        r"|pitches|advertis\w*|spam|vendors?|promotion\w*|cold)",
        r"\b(?:sure|ensure|see that|confirm|want|like)\b.{0,20}\b(?:nothing|no (?:\w+ )?\w+) (?:more|further|else)?"
        r" ?(?:is|are|gets?|be|to"
        r" be) (?:sent|mailed|emailed|delivered|addressed) (?:here|to (?:me|us|my|our|this)|our way|my way)\b",
        rf"\b(?:name|address|number|email|details|data|record)s? (?:to |could |would |should |must |can )?(?:please"
        rf" )?(?:disappear"
        rf"|vanish|be gone)s? (?:from|off) (?:your|the|this|all)(?: \w+){{0,2}}? {_FILES}",
        rf"\bkeep (?:your|these|this|those|the|all)(?: \w+){{0,2}}? (?:{NOUNS}|pitches) (?:away |out |off )(?:from |of"
        rf" )?(?:me|us|my|our)\b",
        r"\bno (?:lawful|legal|legitimate) (?:basis|ground|grounds|reason|right) (?:for|to) (?:process|contact|email"
        r"|us|hold|keep|hav|stor|call|text)\w*\b",
        before=rf"{NEGATED}|{THEY}",
        unless=rf"{QUESTION_ABOUT_TOOL}|{OUR_MAILINGS}|\bhow (?:do|does|can|would|quickly|fast)\b|\b(?:we"
        r"|our) (?:need|must|have) |\b(?:plan|contract|trial|invoice|seat)\b",
    ),
    rule(
        "en.unsubscribe_failed",
        "nsub opt_out bottom footer",
        r"\b(?:tried|trying|clicked|clicking|used|hit|pressed|followed|click"
        r"|attempted)(?: \w+){0,4}? (?:un ?subscrib\w*|opt(?:ing)? out)\b.{0,80}\b(?:but|and|yet|not|nothing|broken"
        r"|error|fails?|failed|dead|still|no)\b",
        r"\b(?:un ?subscri\w+|opt out)(?: (?:link|button|page|option|form|thing|url|process))?\b.{0,40}\b(?:broken"
        r"|error|fail\w*|nothing happen\w*|do(?:es)? not (?:work|do|load|open)|not (?:working|loading|there)|is dead"
        r"|missing|404s?|goes nowhere|hidden|did nothing|do it (?:for me|manually|on your end|yourself))\b",
        r"\b(?:link|button) (?:at|in) (?:the|your) (?:\w+ )?(?:bottom|footer)\b.{0,40}\b(?:not|broken|dead|error"
        r"|nothing)\b.{0,40}"
        r"\b(?:do it|handle it|action it|sort it|remove|take me)\b",
        r"\b(?:unsubscribed|opted out)\b.{0,40}\b(?:yet|and|but)\b.{0,15}\b(?:here (?:you|we) are|still|again|keep"
        r"|continue)\b",
        r"\b(?:i|we|me|us|my)\b.{0,40}\bafter (?:i |we )?(?:already )?(?:opt(?:ed|ing) out|unsubscrib(?:ed|ing))\b",
        r"\b(?:second|third|fourth|fifth|sixth|tenth|\d+(?:nd|rd|th)) time (?:that )?(?:i"
        r"|we) (?:\w+ ){0,4}(?:unsubscribe|opt out|opted out)\b",
        r"\b(?:did|have) not (?:i|we) (?:already )?(?:unsubscribed?|opt(?:ed)? out)\b",
        r"\b(?:no|not any|without an?) (?:\w+ ){0,3}?(?:to|for) (?:un ?subscribe|opt(?:ing)? out|unsubscribing)\b",
        before=rf"{WE_OR_THEY}|\bour (?:\w+ )?",
        unless=rf"{QUESTION_ABOUT_TOOL}|\bour (?:\w+ )?(?:emails?|campaigns?|newsletters?|customers|link|unsub\w*"
        r"|recipients|users)\b|\b(?:customers|users|leads|people|recipients|template|deck)\b|\bby (?:mistake"
        r"|accident)\b",
    ),
    rule(
        "en.erase_it",
        "do_not erase delet remov forget bin_ lose_ wipe scrub drop destroy purge take_ turn_it switch_it "
        "shut_it have_it get_it see_it have_them like_it want_it need_it sure_ ensure confirm",
        r"\b(?:my|this|our|wrong|his|her|their|the) (?:\w+ ){0,2}?(?:number|emails?|address(?:es)?|details|data"
        r"|contact|info|information|phone|name|mailbox|inbox|person|line|cell"
        r"|list)\b[^@]{0,120}\b(?<!not )(?<!to )(?<!you )(?<!we )(?<!i )(?<!can )(?:erase|delete|remove|lose|wipe"
        r"|scrub|destroy|purge|bin|forget)(?: (?:it|them|both|all of (?:it|them)|these|this|mine|the number"
        r"|this (?:number|address))(?=$| ?[,.?]"
        r"| (?:please|now|thanks|thank|from|off|and|asap|immediately|all|or|both)\b)|(?<=erase|emove"
        r"|elete)(?: please)?$)",
        r"\b(?:phone|line|number|landline|cell|mobile|mailbox|inbox|address)\b[^@]{0,60}\bdo not (?:text|call|ring"
        r"|contact|message|email) (?:it|here)(?=$| ?[,.]| (?:again|please|any more))",
        r"\b(?:my|this|our|his|her|their) (?:\w+ ){0,2}?(?:number|emails?|address|details|data|contact|info"
        r"|information|name)"
        r"\b[^@]{0,80}\b(?:want|need|like) (?:it|them) (?:\w+ )?(?:deleted|removed|erased|gone|wiped|taken off"
        r"|destroyed)\b",
        r"\b(?:my|this|our) (?:\w+ ){0,2}?(?:number|emails?|address|details|data|contact|info"
        r"|name)\b[^@]{0,80}\b(?:make sure|ensure|see that|confirm) "
        r"(?:that )?(?:it|they) (?:is|are|gets?|has been) (?:\w+ )?(?:removed|deleted|erased|taken off|wiped)\b",
        r"\bmy (?:\w+ ){0,2}?(?:name|number|email|address|details|data)\b[^@]{0,120}\b(?:have|get|see) (?:it|them)"
        r" (?:taken (?:off|out)"
        r"|removed|deleted|erased|unsubscribed)\b",
        r"\bkeeps? (?:on )?(?:emailing|texting|messaging|calling|writing|contacting) (?:to )?(?:me"
        r"|us)\b[^@]{0,40}\b(?:turn|switch|shut) it (?:off|down)\b",
        r"\b(?:number|emails?|address|name|details|phone"
        r"|data)\b[^@]{0,80}(?<!not )(?<!to )(?<!you )(?<!we )(?<!i )\btake (?:it|them) (?:off|out|down)(?=$"
        r"| ?[,.]| please)",
        r"\b(?:wrong number|my (?:\w+ )?phone|not \w+ phone|phone)\b[^@]{0,60}(?<!not )(?<!to )\b(?:remove|delete"
        r"|erase) (?:the|this|that) (?:\w+ )?number\b",
        r"\b(?:each|both|two|twice)\b[^@]{0,80}\b(?:remove|delete|take off|drop) (?:both|all|them|the other|each)\b",
        unless=r"\b(?:old|previous|outdated|duplicates?|test|demo|our (?:leads|list|database|crm|campaign|team"
        r"|users))\b|\b(?:signature|slide|deck|invite|file|document|calendar|draft|copy|cc|table|contract"
        rf"|quote|sandbox|attachment|thread|meeting)\b|{QUESTION_ABOUT_TOOL}|\b(?:can|how do|should|do) (?:i"
        r"|we) (?:\w+ )?(?:remove|delete|erase|wipe)",
        whole=True,
    ),
    rule(
        "en.on_behalf",
        "cover "
        "behalf handle my_ our_ he_ they_ passed_away deceased died no_longer left_ retired legal_here assistant "
        "client "
        "manage mr_ mrs ms_",
        rf"\b(?:remove|unsubscribe|delete|drop|take|stop {CONTACTING})(?: \w+){{1,8}}? , (?:he|she|they"
        r"|who) (?:has |have )?(?:passed away|died"
        r"|left (?:the|us|our|last|in)|retired|no longer works?|does not work|is (?:deceased|dead|retired"
        r"|no longer))\b",
        r"\b(?:on behalf of|i (?:handle|manage|look after|cover|monitor|assist|represent|am covering|am the assistant"
        r"|work for|act for)|assistant|(?:my|our) (?:\w+ )?(?:boss|manager|ceo|cfo|director|wife|husband|mother|mom"
        r"|mum|father|dad|son|daughter|client|owner|partner|president|founder|colleague|principal|parents?|chair\w*"
        r"|grand\w+|employer|supervisor)|passed away|deceased|died|no longer (?:works|with|here|at|employed)|has left"
        r"|(?<!i )left (?:in|the|us|last|on|this|a)|retired|legal here|(?:mr|mrs|ms"
        r"|dr) [,a-z])\b[^@]{0,160}\b(?:(?:does not|do not|no longer|never) (?:\w+ )?(?:want|wants|wish|wishes|need"
        r"|like|accept)(?: to)? (?:be|hear|get|receive|any|your|these|more|further|you|see)\b"
        rf"|not to {CONTACT} (?:him|her|them)\b|(?:stop|cease|quit|refrain from) {CONTACTING}(?: \w+){{0,2}}? (?:to "
        rf")?(?:him|her|them)\b|(?:do not|never) {CONTACT}(?: \w+){{0,3}}? (?:to )?(?:him|her|them) (?:again|any|more"
        rf"|further|in future)|(?:would|asked|asks|wants|wishes|like|request\w*)(?: \w+){{0,2}}? to be {REMOVED}"
        r"|(?:remove|delete|unsubscribe|take|drop|exclude) (?:him|her|them|(?:his|her|their) \w+)\b"
        r"|no further (?:contact|calls?|emails?|communication|approaches))",
        r"\b(?:he|she|they|my \w+) (?:has |have |had )?(?:\w+ )?(?:ask|request|want|prefer|insist)(?:s|ed)?(?: that)?"
        r" you(?: \w+)?"
        rf" (?:not|never|no longer|stop|refrain from) (?:{CONTACT}|{CONTACTING}) (?:to |with )?(?:him|her|them)\b",
        r"\b(?:he|she|they|my \w+) (?:has |have |had )?(?:already |twice |clearly )?(?:asked|told"
        r"|begged) you(?: \w+){0,3}? (?:to"
        r" (?:stop|quit|leave)|not to)\b(?! by)",
        r"\b(?:he|she|they|my \w+) (?:has |have |had )?(?:already |clearly )?(?:asked|requested|told you|wants?"
        r"|wanted)\b(?: \w+){0,3}? (?:to )?"
        rf"be {REMOVED}[^@]{{0,30}}\bplease (?:honou?r|respect|do (?:so|it)|see to|make sure|action|take)\b",
        r"\b(?:he|she|they|my \w+) (?:has |have |had )?(?:already |clearly )?(?:told|asked|informed) (?:you"
        r"|your \w+)\b[^@]{0,40}\b(?:he|she|they) "
        r"(?:does not|do not|no longer) (?:\w+ )?(?:want|wants|wish)",
        unless=r"\b(?:meeting|invite|calendar|call with|thread|cc|copy|gadgets|make calls|write (?!to\b)|but i do|yet"
        r"|before"
        r"|until|instead|reps|our (?:leads|list|campaign|crm|customers))\b|\?.{0,10}$",
        another_channel=True,
        also="remov unsub delet drop take taken stop cease quit refrain not_ no_longer never exclu no_further leave eras "
        "purg wip struck opted black suppress left_",
        whole=True,
    ),
)
