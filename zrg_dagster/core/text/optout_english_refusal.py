"""English phrases by which a person breaks off: consent withdrawn or never given, complaints, insults, the last message.

Patterns see one sentence in canonical spelling; every repeat is bounded.
"""

from zrg_dagster.core.text.optout_english_words import (
    ABOUT_CONTACT,
    ASKED,
    CONTACT,
    CONTACT_ALONE,
    CONTACTED,
    CONTACTING,
    ME,
    NEGATED,
    NOUNS,
    OTHER_PEOPLE,
    QUESTION_ABOUT_TOOL,
    RECEIVE,
)
from zrg_dagster.core.text.optout_rule import Rule, rule

RULES: tuple[Rule, ...] = (
    rule(
        "en.no_consent",
        "consent permi authori approv agree allowed right no_busi no_reason no_auth no_basis",
        rf"\bno (?:right|business|reason|permission|consent|authority|basis) (?:to|in|for)?(?: be)? ?(?:{CONTACT}"
        rf"|{CONTACTING}) (?:{ME})\b",
        r"\b(?:do not|never|did not|have not|not|without)(?: ?[a-z]+)? ?(?:have |had |having |got |gave |given |give "
        r"|grant(?:ed)? |get |obtain(?:ed)? )?(?:you |your company |anyone )?(?:my |our |any |the "
        r"|your )?(?:\w+ )?(?:consent|permission|authori[sz]ation|approval|authori[sz]ed|agreed?|consented|permitted"
        rf"|allowed|right)(?: for| to)? (?:you )?(?:to )?(?:{CONTACT}|{CONTACTING}|be (?:\w+ )?{CONTACTED}|{RECEIVE}"
        r"|use|using|have|store|storing|process|processing|holding|keeping|any|this|these|your|marketing|keep|hold"
        r"|receiving)\b",
        r"\b(?:i|we) (?:do not|did not|never|have not|have never) (?:give|gave|given|grant(?:ed)?"
        r"|provide[d]?)(?: you)?(?: my| our| any)?(?: \w+)? (?:consent|permission|authori[sz]ation)\b",
        before=rf"\b{OTHER_PEOPLE} (?:\w+ )?|\b(?:if|do|when) (?:you|we|i) ",
        unless=rf"{QUESTION_ABOUT_TOOL}|\bnot the right (?:contact|person|one)\b",
    ),
    rule(
        "en.last_message",
        "last final",
        r"\b(?:let|make|have|consider|keep|(?:ask|request|prefer|rather|like)(?: that)?) (?:this|that|it"
        r"|today) (?:to )?(?:be )?(?:as )?(?:the|your) (?:very "
        r"|absolute )?(?:last|final)\b(?! (?:offer|price|version|draft|chance))",
        r"\b(?:this|that|it)(?: \w+)? (?:should|must|better|had better|needs to|has to|will|would|ought to|is|is to"
        rf"|shall)(?: \w+)? (?:be )?(?:the|your) (?:very |absolute )?(?:last|final) (?:time )?(?:{NOUNS}|thing|one|i"
        r"|we|you|contact)\b(?=$| ?,| (?:i|we|you|to|from|or|that|please|before)\b)",
        unless=r"\b(?:last|final) \w+ (?:i|we) (?:am |will |can |need to )?(?:send|sending|write|writing|need)\b"
        r"|\bmy (?:last|final)|\b(?:question|day|week|offer) ",
    ),
    rule(
        "en.leave_me_alone",
        "out_of_my shove alone off hike away lost hell dead yourself inbox beat_it get_out leave_ trouble shoo",
        r"\bleave (?:me|us|my (?!voice|message)\w+|our (?:\w+ )?(?:team|company|staff)|this (?:\w+ )?(?:number"
        r"|address)) (?:the \w+ |tf )?(?:alone|be(?=$| ?,)|in peace)\b|\b(?:get|stay"
        r"|keep) (?:the \w+ )?out of my (?:inbox|email|dms|phone|messages|face|life)\b|\b(?:f\W?u?\W?c?\W?k|piss"
        r"|bugger|sod|eff|screw|naff|f|f\*{1,5}) off\b|(?:^|, |\b(?:please|just|and|can|should|could|you|go|so|all"
        r"|pal|ok) )take a hike(?=$| ?,| (?:please|pal|buddy|man|dude|bro|mate|already|you|spammer)\b)"
        r"|\b(?:go (?:to hell|f\W?u?\W?c?k yourself|screw yourself)|drop dead)\b",
        r"^(?:(?:please|just|ok|now|dude|man|hey) )*(?:go away|get lost|buzz off|back off|beat it|get out|fuck you"
        r"|shove it|do one|bug off|jog on|get bent|shoo|stay away)(?: (?:please|now|spammer|creep|already))*$",
        r"\b(?:stay|keep|go|back) (?:the \w+ )?(?:away|off) (?:from (?:me|us|my|our)|my inbox)\b",
        before=rf"{NEGATED}|\b(?:they|will|can not) ",
        exclamation=True,
    ),
    rule(
        "en.reports_spam",
        "complain up_and cops police authorities law ico ftc fcc regulator ombudsman "
        "spamming once_more sue_ report mark flag block again harass stalk bother pester what_part any_more "
        "lawyer attorney "
        "solicitor legal "
        "one_more",
        rf"\b{CONTACT} {ME} (?:again|one more time|once more|any more),? (?:, )?(?:i|we|you|my|and|or|there)\b",
        r"\b(?:i|we) (?:will|shall|am going to|are going to|am prepared to) (?:\w+ )?(?:take|seek|pursue|consider"
        r"|begin|start) legal action\b|\b(?:i|we) (?:will|am going to) sue you\b|\breport you to\b",
        r"\b(?:i|we|will|am|going to|have|be|being|to|and)(?: \w+){0,2}? (?:report|mark|flagg?)(?:ing|ed)? (?:you"
        r"|this|it|your \w+|these|them|ADDR)(?: \w+){0,3}? (?:as|for|to|with) (?:spam|junk|abuse|phishing|harassment"
        r"|the \w+|ico|ftc|spamming)",
        rf"\b(?:any|one) more {NOUNS} and (?:i|we)\b",
        r"\b(?:this|it) is (?:\w+ )?harassment\b|\byou are (?:(?!not\b|never\b)\w+ )?(?:harassing|spamming|stalking"
        r"|bothering"
        r"|pestering) (?:me|us|my|our)\b|\bwhat part of (?!the\b|this\b|your\b|our\b|it\b|that\b|these\b)",
        rf"\b(?:breaking the law|illegal(?:ly)?|against the law|unlawful(?:ly)?)\b.{{0,20}}\b(?:{CONTACTING}"
        rf"|{CONTACT}) {ME}",
        r"\b(?:filed|filing|lodged|lodging|made|making|file) (?:an? )?(?:\w+ )?complaint (?:with|to|against"
        r"|about) (?:the (?:ico|ftc|fcc|regulator|authorit\w+|attorney)|ico|ftc|fcc|bbb|you\b|your (?:texts|emails"
        r"|calls|messages|spam))",
        r"\b(?:report|forward|refer|pass)(?:ing|ed)? (?:this|it|you|these|them"
        r"|your \w+) (?:\w+ )?to (?:the )?(?:ico|ftc|fcc|police|authorities|attorney|regulator|ombudsman"
        r"|my (?:lawyer|attorney))",
        r"\byour (?:\w+ )?(?:number|email|address|domain|company|team|messages?|emails|account) (?:has been|have been"
        r"|is|are|will be|is being) (?:now )?(?:blocked|reported)\b",
        r"\b(?:i|we) (?:\w+ ){0,2}report(?:ed|ing)? your (?:domain|number|email|company|account|emails)\b|(?:^|\b(?:i"
        r"|we|already|just|and) )reported (?:\w+ ){0,3}(?:for|as) spam\b",
        r"\b(?:you are|you have been|you will be|you just got|consider yourself) (?:being |now |getting )?(?:reported"
        r"|blocked)\b",
        r"\b(?:i|we|and|am|will)(?: \w+){0,2}? block(?:ing|ed)? (?:you|this (?:number|sender|address)|your \w+)",
        r"^(?:\w+ ){0,3}(?:marking|marked|flagging|flagged|reporting|reported)(?: (?:you|this|it))? (?:as|for"
        r"|to) (?:spam|junk|phishing)(?: (?:now|and blocking|and blocked))*$",
        r"^(?:reported|blocked|reported and blocked|blocked and reported|marked as spam|reported as spam"
        r"|reported for spam|spam , (?:reported|blocked)|reporting (?:this )?as spam)$",
        rf"\b(?:any|one|another|you|if|next|further|continued?)\b.{{0,50}}\b(?:{NOUNS}|{CONTACTING}|{CONTACT}|stop"
        r"|again|hear from you|keep (?:this|it) up)\b.{0,40}\b(?:i|we|will|be|going to) (?:\w+ )?(?:be "
        r"|going to )?(?:report(?:ing|ed)?|block(?:ing"
        r"|ed)?|su(?:e|ing)|su(?:e|ing)|tak(?:e|ing) legal|tak(?:e|ing) action|legal action|harassment|complain"
        r"|fil(?:e|ing) (?:a |an )?(?:\w+ )?complaint|(?:contact|call)(?:ing)? (?:my|our|the) (?:lawyers?"
        r"|attorneys?|solicitors?|police|ico|cops|authorities))\b",
        r"\bkeep (?:this|it) up and (?:i|we) (?:will|am) (?:\w+ )?(?:block|report|sue|complain)",
        r"\bspam\b.{0,30}\b(?:reporting|blocking) (?:it|this|you)\b",
        rf"\b(?:{CONTACT} {ME}|{CONTACT_ALONE}) (?:again|one more time|once more|any more) (?:and|or) (?:i|you|we|it"
        r"|there|face|get)\b",
        r"\b(?:next|another|any further|one more|further) (?:\w+ )?(?:gets?|will be|is getting|goes) (?:reported"
        r"|blocked|straight to|to my lawyer)\b",
        r"\bhear(?:ing)? from (?:my|our) (?:lawyers?|attorneys?|solicitors?|legal)\b",
        unless=r"\b(?:filter|firewall|our server|it department|gmail|outlook|accident|mistake|unblock"
        r"|report (?:\w+ ){0,2}(?:numbers|results|back)|calendar|block\w* (?:\w+ )?time)\b",
    ),
    rule(
        "en.withdraws_consent",
        "withdraw revok rescind right object data_protection deletion gdpr consent permission erasure ccpa article "
        "data_sub",
        r"\b(?:withdraw|revok|rescind)(?:e|ing|ed|n)? (?:(?:my|our|any|all|previous|prior|the|earlier|and"
        r"|of) )*(?:\w+ )?(?:consent|permission|authori[sz]ation|opt in)",
        r"\b(?:my|our) (?:consent|permission|authori[sz]ation)(?: \w+){0,4}? (?:is|has been"
        r"|was) (?:\w+ )?(?:withdrawn|revoked|rescinded|cancell?ed|removed)|\b(?:remove|take back|pull|cancel"
        r"|end)(?:ing)? (?:my|our) (?:\w+ )?(?:consent|permission)|\bno longer (?:have|has|hold|got) (?:my|our|any"
        r"|the) (?:\w+ )?(?:consent|permission|authori[sz]ation)|\b(?:no longer|do not) (?:give|grant"
        r"|consent)(?: you)? (?:my |our )?(?:consent|permission)",
        r"\b(?:invok|exercis|assert)\w* (?:my|our) (?:\w+ ){0,2}?rights?\b.{0,40}\b(?:gdpr|ccpa|article|art|object"
        r"|erasure|delet|forgotten|opt)",
        r"\b(?:my|our|i|we|me|us|please|request|under|exercis\w+|invok\w+)\b.{0,80}\bright (?:to (?:be forgotten"
        r"|erasure|object|opt out|deletion|delete)|of erasure|under (?:gdpr|article|ccpa))",
        r"\bobject(?:ing)? to (?:(?:the|any|this|further|all|you|your|my|our|such"
        r"|continued) ){0,3}(?:\w+ )?(?:processing|direct marketing|marketing|use of (?:my|our)|using (?:my|our)"
        r"|being contacted|storing|receiving|contact)",
        r"\b(?:gdpr|ccpa|data protection|article|art)\b.{0,80}\b(?:delet\w*|eras\w*|remov\w*|object)\b.{0,40}\b(?:me"
        r"|my|our|us|i|personal data|processing)\b",
        r"\b(?:delet\w*|eras\w*|remov\w*|stop\w*|forget|object\w*)\b.{0,40}\b(?:me|my|our|us)\b.{0,80}\b(?:gdpr|ccpa"
        r"|article (?:17|21)|art (?:, )?(?:17|21)|data protection)\b",
        r"\b(?:this is|submit\w*|please|formal|making|make|treat this as)\b.{0,30}\b(?:gdpr|ccpa|article|art|erasure"
        r"|deletion|data subject|right to be forgotten|opt out)\b.{0,30}\b(?:request|notice|demand)\b",
        unless=r"\bhow you\b|\b(?:handle|support|your (?:product|tool|platform|software|system|sequences?"
        r"|emails?) |compliant"
        r"|compliance|comply|our (?:customers|leads|users|clients|prospects|policy)|leads|prospects"
        r"|you may (?:\w+ )?(?:withdraw|revoke|object|opt|exercise|request|unsubscribe)|you can"
        rf"|you have the right|any time|policy)\b|{QUESTION_ABOUT_TOOL}",
    ),
    rule(
        "en.cancel_subscription",
        "cancel end_ stop terminate",
        rf"{ASKED}(?:cancel|end|stop|terminate) (?:my|this|the|all|these|your|any|our) (?:\w+ )?(?:subscriptions?"
        r"|newsletters?|emails?|mailings?|messages?|sms|texts?)\b(?! (?:to|with|for|of|at|plan"
        rf"|fee) (?!(?:\S+ ){{0,3}}?{ABOUT_CONTACT}))",
        before=rf"{NEGATED}|\b(?:can|could|may|do|if|how can|how do) (?:i|we) (?:\w+ )?|\b(?:they|he|she"
        rf"|{OTHER_PEOPLE}) (?:\w+ ){{0,3}}",
        unless=r"\bour (?:\w+ )?subscription|\bmy (?:last|previous|old|first) |^(?:can|could|may|how|what|is|do|does"
        r"|when) (?:i|we|there|it|the|to)\b|\bif (?:i|we)\b|\bany ?time\b",
    ),
)
