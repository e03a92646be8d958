"""English requests that something end or is no more: the mails, a place on a list, the use of an address, another word.

They go with `optout_english_combined`, which asks for the act. Patterns see one sentence in canonical spelling, those of a
rule of the whole text all of them; every repeat is bounded.
"""

from zrg_dagster.core.text.optout_english_words import (
    CONTACTING,
    FROM_WHERE,
    ME,
    MINE_NOUNS,
    NOUNS,
    OTHER_THING,
    QUESTION_ABOUT_TOOL,
    THEY,
    WHEN,
)
from zrg_dagster.core.text.optout_rule import Rule, rule

_STOPPED = r"(?:stop(?:ped)?|ceased?|end(?:ed)?|halt(?:ed)?|discontinued?|finish(?:ed)?)"
_YOUR_LIST = rf"(?:on|in|part of|off) (?:(?:your|this|the|these|any|that|such) )(?:\w+ ){{0,2}}?{FROM_WHERE}\b"

RULES: tuple[Rule, ...] = (
    rule(
        "en.ends",
        "stop ceas halt discontinu end_",
        rf"\b(?:want|like|need|demand|request|require|expect|insist|ask|prefer|wish|see)(?: (?:that|for"
        rf"|to see))?(?: \w+){{0,3}}?"
        rf" (?:{NOUNS}|follow ups|pitching|outreach)(?: (?:to|at|from|for) (?:{ME}|you(?:r \w+)?))? (?:must |should "
        rf"|be |to |to be "
        rf"|are |is )?(?:\w+ )?{_STOPPED}(?=$| ?[,?]| (?:please|now|today|at|from|immediately|completely)\b)",
        r"\b(?:can|could|will|would|must|should) (?:all )?(?:of )?(?:this|it|these|they|that) (?:please )?be (?:stopped"
        r"|put a stop"
        r" to|made to stop)(?=$| ?[?,]| (?:please|now)\b)",
        rf"\b(?:put|bring|make)(?: \w+)? (?:a |an )?(?:stop|end|halt) to (?:\w+ ){{0,3}}?(?:this|it|these|{NOUNS}"
        rf"|{CONTACTING})\b",
        before=rf"{THEY}|\b(?:not|never|we|our \w+) (?:\w+ )?",
        after=WHEN,
        unless=rf"{QUESTION_ABOUT_TOOL}|\b(?:leads|customers|prospects|clients|trial|contract|our (?:campaigns?"
        rf"|sequences?))\b",
        another_channel=True,
        also="want like need demand request require expect insist ask prefer wish see can_ could will would "
        "must should put_ bring make",
    ),
    rule(
        "en.said_stop",
        "_stop unsubscribe no_more remove_me",
        r"\b(?:i|we|have|already|and|^)(?: (?:have|already|just|literally|clearly|told you|asked you|keep|kept|even"
        r"|also))*"
        r" ?\b(?:said|texted|sent|replied|typed|wrote|responded|answered|messaged|emailed|text|replying|texting|sending"
        r"|saying)"
        r"(?: (?:you|back|with|the word|in|already|to you|a|an|u))* (?:stop|unsubscribe|no more|remove me)(?=$| ?[,?.]"
        r"| (?:\d+"
        r"|yesterday|already|twice|times|before|last|and|but|so|why|to (?:you|this|these|your)|on|two|three|four|five"
        r"|several"
        r"|many|multiple|now|earlier|this|a)\b)",
        before=r"\b(?:leads?|they|he|she|customers?|people|prospects?|if|when|until|before) (?:\w+ ){0,2}",
        unless=rf"{QUESTION_ABOUT_TOOL}|\bstop (?:by|at|the|over|in|a)\b|\b(?:our (?:leads|list)|kidding|joke)\b",
        also="said texted sent_ replied typed wrote responded answered messaged emailed text replying sending saying",
    ),
    rule(
        "en.not_on_it",
        "be_on be_in be_part be_off be_listed belong supposed meant_to no_reason no_business no_right "
        "no_cause no_need no_point not_on_ not_in_ not_part",
        rf"\b(?:i|we|my \w+|our \w+(?: \w+)?|ADDR|this (?:address|email|number)) (?:should|must|ought|am|are|is|do|does"
        rf"|was|were)"
        rf" not (?:\w+ )?(?:to )?(?:be|belong|supposed to be|meant to be) (?:listed )?{_YOUR_LIST}",
        rf"\b(?:no|not any) (?:reason|business|right|cause|need|point) (?:for (?:me|us|my \w+|our \w+) )?(?:to be|being"
        rf"|having (?:me"
        rf"|us)|to have (?:me|us)|to keep (?:me|us)|keeping (?:me|us)) {_YOUR_LIST}",
        before=rf"{THEY}|\b(?:if|why|when) ",
        unless=rf"{QUESTION_ABOUT_TOOL}|{OTHER_THING}|\?$",
        also="on_ in_ part_of off_",
    ),
    rule(
        "en.not_a_word",
        "word peep line_from sound note_from nothing thing_from letter",
        r"(?:^|, |\b(?:please|thanks|want|and|so|no|interested|sorry|but|need|like|expect|hear"
        r"|appreciate) )(?:not (?:another|a|one"
        r"|a single|one more)|no more|no further|no|never another)(?: single)? (?:word|peep|line|sound|letter|note"
        r"|thing|syllable|ping)s?"
        r"(?: more| further)? (?:from|out of) (?:you|your|any of you|anyone (?:there|at))\b",
        r"^(?:(?:please|ok|and|so|no thanks|thanks|sorry) )*nothing (?:more|further|else)(?: from (?:you"
        r"|your \w+))?(?: please"
        r"| thanks| thank you| ever)+$|\bnothing (?:more|further|else) from (?:you|your \w+)(?=$| ?,| please)",
        before=r"\b(?:have|had|heard|got|received|we|i|there is|is) (?:\w+ )?",
        unless=r"\b(?:we need|i need|need from you|needed|to add|to report)\b",
    ),
    rule(
        "en.do_not_use_it",
        "do_not never stop_ quit_ cease_us from_us avoid_us from_send from_call from_text",
        r"\b(?:number|emails?|address|account|line|inbox|phone|mailbox|profile|site|mobile)\b[^@]{0,140}\b(?:do not"
        r"|never|stop|quit"
        r"|cease|refrain from|avoid) us(?:e|ing) (?:it|this|this one|mine)(?=$| ?[,.]| (?:please|again|any more"
        r"|for (?:this|that"
        r"|sales|marketing|pitches|ads|advertising|outreach|cold|business|your))\b)",
        r"\b(?:number|emails?|address|account|line|inbox|phone|mailbox|mobile|voicemail|fax)\b[^@]{0,140}\b(?:do not"
        r"|never|stop|quit"
        r"|refrain from) (?:send|mail|email|text|call|ring|message|address|post|direct|sending|calling|texting|emailing"
        r"|messaging)"
        r"(?: (?!it\b)\w+){0,4}? (?:to |at |on )?(?:it|there)(?=$| ?[,.]| (?:please|again|any more)\b)",
        before=r"\b(?:we|they|i) (?:\w+ )?",
        unless=rf"\b(?:old|previous|former|outdated|template|invoice|tool|feature|login|password)\b"
        rf"|{QUESTION_ABOUT_TOOL}",
        another_channel=True,
        whole=True,
        also="number email address account line inbox phone mailbox profile mobile voicemail fax",
    ),
    rule(
        "en.left_alone",
        "alone in_peace",
        r"\b(?:leav(?:e|ing)|(?:if|wish|rather|prefer|when)(?: \w+){0,3}? left|want|like|need) (?:me|us|(?:my|our"
        r"|this|the)"
        r" (?:\w+ ){1,2}?)(?: ?(?:to be )?(?:left )?)(?:the \w+ )?(?:alone|in peace)(?=$| ?[,?]| (?:please|now|from"
        r"|thanks|and)\b)",
        before=r"\b(?:not|never|they|he|she|we|i) (?:\w+ )?",
        unless=r"\b(?:stand|standing) alone\b|\balone (?:is|can|could|will|would)\b",
    ),
    rule(
        "en.not_for_this",
        "not_ no_business no_place never only_for",
        rf"\b(?:my|our|this|the) (?:\w+ ){{0,2}}?(?:{MINE_NOUNS}|line|mobile|voicemail) (?:is|are|may|must|should|can"
        rf"|shall) (?:not|never|no"
        r" longer) (?:\w+ )?(?:to )?(?:be |for )?(?:used|shared|sold|given|passed|contacted|called|emailed|texted"
        r"|messaged|added"
        r"|solicited|sales|advertising|marketing|pitches|solicitations?|spam|promotions?)(?=$| ?[,.]| (?:for|by|to|in"
        r"|on|at|again|any|please"
        r"|calls?|emails?)\b)",
        rf"\b(?:my|our|this) (?:\w+ ){{0,2}}?{MINE_NOUNS} (?:\w+ )?(?:has no (?:place|business(?: being)?)"
        rf"|does not belong|should not (?:be|appear)"
        rf"|is not (?:supposed|meant) to be|must not (?:be|appear)) {_YOUR_LIST}",
        before=rf"{THEY}",
        unless=rf"{QUESTION_ABOUT_TOOL}|\b(?:used (?:to|for|by|in) (?:log|sign|billing|invoic|the account|accounts?)"
        rf"|old|previous|customers?|leads?"
        r"|invoice|invoices|with partners)\b|\?$",
        another_channel=True,
        also="used shared sold given passed contacted called emailed texted messaged added kept stored "
        "solicit sales advert market pitch spam promo on_ in_",
    ),
    rule(
        "en.no_more_of_it",
        "no_more no_further no_chas no_call no_text no_email no_mess no_cold no_follow no_contacting never_again "
        "his_ her_ their_ or_i or_we "
        "come_back waste_your wasting_your save_your give_up_on pack_it_in give_over",
        r"(?:^|, |\b(?:please|thanks|want|and|so|no|interested|sorry|but|again|need) )(?:no more|no further|no"
        r"|enough)(?: of)?(?: (?:this|the"
        r"|your))? (?:chasing|calling|texting|emailing|messaging|mailing|contacting|phoning|ringing|pestering|pitching"
        r"|following up|soliciting"
        r"|spamming|bothering|cold calling|cold emailing|prospecting|dming|writing|hassling|harassing|badgering"
        r"|reaching out|nagging)"
        r"(?=$| ?[,?]| (?:please|thanks|me|us|my|our|this|from|any|now)\b)",
        r"^(?:(?:please|ok|no|and|thanks) )*never again(?: (?:please|thanks|thank you))*$",
        rf"\b(?:do not|no longer|never|not)(?: \w+)? (?:want|wish|need|like|care for|appreciate|accept"
        rf"|welcome) (?:any of |any more of |any )?"
        rf"(?:his|her|their|your \w+'s|\w+'s) (?:\w+ )?(?:{NOUNS})\b",
        r"(?:^|, |\bplease )(?:stop|quit|leave (?:me|us) alone|back off|knock it off)(?: \w+){0,3}? (?:, )?or (?:i|we"
        r"|else i)(?: (?:will|am going to|are"
        r" going to|have to|am))? (?:report|block|sue|complain|call|take|file|contact|go)\w*\b",
        r"\b(?:do not|never) (?:you )?(?:ever )?come back(?: (?:here|to (?:me|us)|again|please|any more))*(?=$| ?,)",
        r"\b(?:do not|stop|quit|no point|you are) (?:in )?wast(?:e|ing) (?:any more of |any more )?(?:your|my|our"
        r"|everyone's|anyone's) (?:time|breath|energy|stamps)"
        r" (?:on|with|by|in)? ?(?:me|us|emailing|calling|texting|messaging|writing|contacting|chasing|following up)(?=$"
        r"| ?[,?]| (?:any|again|me|us|please)\b)",
        r"\bsave (?:your|the|these) (?:emails|messages|calls|pitches|spam|texts)\b|\b(?:please |just "
        r"|can you )give up on (?:me|us)\b"
        r"|^(?:(?:please|just|ok|oh|now) )*(?:pack it in|give over)(?: (?:please|now|with (?:this|the|these"
        r"|your)\b.{0,20}))*$",
        before=rf"{THEY}|\b(?:we have|i have|there is|had|got) (?:\w+ )?",
        after=WHEN,
        unless=rf"{QUESTION_ABOUT_TOOL}|\b(?:our (?:leads|customers|clients|reps|team)|kidding)\b",
        another_channel=True,
        exclamation=True,
        also="ing_ ing or_i or_we again his_ her_ their_ your come_back waste save_ give pack",
    ),
    rule(
        "en.way_to_end",
        "to_stop to_end_ to_avoid to_prevent to_get_o to_get_r to_opt to_not_ to_no_l to_quit",
        r"\b(?:(?:any|a|no|some|other) (?:\w+ )?way|possible|able|options?|what|which|how)(?: \w+){0,6}? to (?:stop|end"
        r"|avoid|prevent|get out of|opt out of"
        r"|get rid of|get off|not get|not receive|no longer get|no longer receive|quit)(?: (?:getting|receiving"
        r"|all))? (?:(?:these|this|those|your|all|of|any"
        r"|the) ){0,3}(?:emails?|texts?|calls?|messages?|mails?|mailings?|sms|spam|newsletters?|lists?|outreach"
        r"|solicitations?|from you)\b",
        before=rf"{THEY}",
        unless=rf"{QUESTION_ABOUT_TOOL}|\bour (?:emails?|messages?|texts?|leads|customers|campaigns?|sequences?|team"
        rf"|reps)\b|\b(?:bounc|going to spam|landing|leads"
        r"|prospects|customers|internal|tool|platform)\w*\b",
    ),
)
