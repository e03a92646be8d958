"""Vocabulary of the English opt-out rules, in the canonical spelling of `optout_spelling`."""

from zrg_dagster.core.text.optout_rule import one_of

# Where the writer works or lives; "the store" is his when he says who is contacted.
_PLACE = one_of(
    """office offices store stores shop shops restaurant cafe bar bakery salon hotel surgery clinic practice pharmacy
    hospital
    school church nursery gym studio lab farm warehouse factory workshop garage showroom dealership library branch
    house home
    premises site kitchen team staff department company business firm front_desk desk reception receptionist switchboard
    main_line centre center owner boss family manager director ceo"""
)
# Who is contacted.
MINE_NOUNS = one_of(
    """names? emails? mails? address(?:es)? numbers? num(?:ero)? phones? cell mobile contacts? info information
    details data
    company
    school church clinic practice shop store restaurant hotel library charity
    domains? profile records? accounts? inbox(?:es)? mailbox organi[sz]ation firm business file entry line office team
    staff colleagues? employees department leads? linkedin personal gmail hotmail outlook wife husband partner mother
    father
    mum mom dad"""
)
MINE = (
    r"(?:(?:both )?(?:me|us|ADDR|(?:this|my|our|the) (?:\w+ )?(?:email|address|number|account|inbox))(?: ADDR)? (?:and"
    r"|or"
    r"|as well as) (?:(?:me|us|ADDR|(?:my|the|our) (?:\w+ )?\w+)\b)(?: ADDR)?|us all|us both|(?:both|each|every one"
    r"|all(?: \w+)?) of (?:us|these addresses)"
    r"|(?:the|my|our) "
    r"(?:(?:whole|entire) )?(?:team|department|office|company|staff|family|household)|me|us|myself|ourselves"
    r"|(?:both )?ADDR(?: (?:and|or) ADDR)?|him|her|them|the undersigned|(?:everyone"
    r"|everybody|anyone|all)(?: \w+)? (?:at|in|from|of) (?:our|my|this) \w+|everyone(?: here)?|anyone"
    r"|(?:the|all|every|these|any) (?:\w+ )?(?:ADDR )?(?:emails?|address(?:es)?|numbers?|domains?|contacts?) (?:above"
    r"|below|(?:at|under|on|in|with|from) (?:ADDR|our \w+))|(?:all|any|every|the|following)(?: the| of the| following|"
    r" address"
    r"| email)*,? ?(?:, )?ADDR(?: (?:email )?address(?:es)?| emails)?|(?:(?:all|both|any|either|each) )?(?:of )?(?:my"
    rf"|our) (?:\w+ ){{0,2}}?{MINE_NOUNS}(?: ADDR)?(?: (?:and|or) (?:(?:my|our) )?(?:\w+ )?{MINE_NOUNS})?|(?:this|that"
    r"|these|the) (?:\w+ )?(?:emails?|address(?:es)?|numbers?|num(?:ero)?|accounts?|contacts?|inbox|mailbox|domain"
    r"|person|company|line)(?: address)?)"
)
ME = (
    r"(?:me|us|myself|here|ADDR|(?:either|any|both|all) of us|(?:on |at |to )?(?:this|that) (?:\w+ )?(?:number|email"
    r"|address|inbox|account|mailbox"
    r"|phone|house|home|office|team|extension|department|clinic|business|line|cell|person|company|domain|profile)"
    r"|(?:on |at |to )?(?:any(?:one|body)?(?: \w+)? (?:at|in|from|of) )?(?:my|our) (?:\w+ ){0,2}?(?:number|emails?"
    r"|address(?:es)?|phones?|cell|mobile|inbox(?:es)?|mailbox|team|company|office|staff|colleagues?|employees|people"
    r"|organi[sz]ation|firm|business|department|coworkers?|job|house|home|work|mom|reception(?:ist)?|front desk"
    r"|switchboard|branch|clinic|practice|school|church|desk|household|residence|farm|managers?|directors?|ceo|owner"
    r"|parents|grandma|grandmother|site|handset|device|extension|lab|studio|mother|mum|dad|father|kids?|son|daughter"
    r"|landline|store|shop|teachers?|nurses?|doctors?|volunteers|interns?|trainees|technicians|instructors|professors"
    r"|faculty|secretar(?:y|ies)|administrators?|principal|pastor|drivers|engineers|developers|assistants?"
    r"|accountants?|trustees|board|executives|founders?|lawyers|physicians|personnel|workers|crew|group|boss|domain|dms"
    r"|line|wife|husband|account|family|whatsapp|linkedin)|anyone (?:here"
    rf"|on (?:this|our|my)|at)|every(?:one|body) (?:here|(?:at|in) (?:our|the|my|this) {_PLACE})|(?:at "
    rf"|to )?(?:the|my|our) (?:(?:whole|entire|main) )?{_PLACE}|(?:the )?(?:members?|people|employees) (?:of|in|at)"
    rf" (?:my|our) \w+)"
)
FROM_WHERE = one_of(
    """lists? mailings? database db distribution emails? mails? crm records? systems? sequences? cadences? drips? funnel
    campaigns? rotation outreach contacts? subscriptions? marketing files? texts? calls? spam blasts? radar newsletters?
    messages? messaging communications? correspondence sends? automations? flows? pipeline prospects? prospecting
    mailers? books? everything notifications? promotions? solicitations? directory rolodex follow_ups? bot platform
    broadcasts? threads? chains? group leads? servers? call_sheet rolls? queue cycle workflow address_book register
    thing this that it"""
)
# A list that mails are sent to; "the carpool list" is none.
_MAIL_LIST = (
    r"(?:mail\w*|emails?|contacts?|distribution|call\w*|marketing|sales|prospect\w*|text\w*|sms|newsletters?|outreach"
    r"|subscri\w+"
    r"|send\w*|damn|fucking|stupid|whole|entire|above|following|client|customer|drip|spam|promo\w*|master|current"
    r"|vendor|leads?"
    r"|broadcast|blast|solicitation|target|address|phone|general|company|recipients?|members?|user|active|list)"
)
# Removed from these, nobody has asked us to stop.
OTHER_THING = (
    rf"(?:\b(?:from|off|out of|on) the (?!{_MAIL_LIST}\b)\w+ lists?\b|"
    r"(?<!thanks )(?<!thank you )\b(?:from|off|out of|of|on|in|for|to|as) (?:(?:the|this|that|your|our|my"
    r"|\w+'s) )?(?:\w+ )?(?:cc|bcc|loop"
    r"|invites?|invitations?|meetings?|calendars?|events?|channels?|projects?|roles?|agendas?|webinars?|slack"
    r"|waitlists?|proposals?|contracts?|quotes?|orders?|invoices?|demos?|trials?|plans?|documents?|docs?|decks?"
    r"|slides?|pages?|website|site|schedules?|bookings?|slots?|case study|case studies|testimonials?|article|post"
    r"|call tomorrow|call today|(?:call|meeting) on \w+|guest list|attendees?|attendee list|guests|hook|market"
    r"|guards?|signature|folder|drive|(?<!call )sheet|\d{1,2} ?(?:am|pm)|spreadsheet|board|panel|owner|admin"
    r"|approver|workspace|seats?"
    r"|presentation|shortlist|beta|pilot|task|ticket|call(?= (?:on|at|with|invite))|zoom|huddle|standup|stand up"
    r"|roster|rota|sessions?|class(?:es)?|courses?|training|workshops?|tours?|interviews?|lunch|dinner|trip|committee"
    r"|carpool|(?:on call|guard|duty|support) rotation|shift|lease|report|reference|sandbox|environment|logos?|photo"
    r"|picture|screenshot|copy|draft)\b)"
)
# A person's name or a thing that is not the writer, between the verb and "from the list".
OTHER_PEOPLE = one_of(
    """leads? recipients? customers? clients? users? prospects? people subscribers? contacts they he she members someone
    anyone everyone somebody audience candidates? employees patients donors buyers vendors companies reps sdrs spammers
    competitors? providers? agencies readers folks who"""
)
# Somebody else, before what they do; and the same with us.
THEY = rf"\b(?:which|{OTHER_PEOPLE}) (?:\w+ ){{0,2}}"
WE_OR_THEY = rf"\b(?:we|which|that|{OTHER_PEOPLE}) (?:\w+ ){{0,2}}"
OUR_MAILINGS = r"\bour (?:\w+ )?(?:campaigns?|sequences?|leads|prospects|customers|clients|users|weekend|account)\b"
REMOVED = one_of(
    """removed deleted taken_off erased excluded purged dropped unsubscribed wiped struck_off opted_out blacklisted
    suppressed left_off left_out left_alone taken_out"""
)
# Behind a removal: off a thing of his or of everybody's ("the lease", "our rota") that nothing is sent to.
NOT_OURS = (
    rf"(?: (?:from|off|out of|of))? (?:the|our|my|an?|\w+'s|\w+day|next|tomorrow) (?!(?:\w+ ){{0,2}}?{FROM_WHERE}\b"
    rf"|same\b|whole\b)\w+"
)
AFTER_REMOVE = (
    r"(?=$| ?[,?]| (?:from|off|out|please|porfavor|svp|thanks|thank|now|right|today|and|or|as soon|if|because|since"
    r"|before|i|we|you|too|altogether|forever|ok|okay|instead|also|already|this|within|everywhere|on your|in your"
    r"|with|using|via|under|per|at your|by|for good|asap|then|again|but|so|bro|dude|man|sir|ma'am|on file|held"
    r"|stored|that would|he|she|they|it is|it has|no|not|stop|do not|is|nobody|whoever)\b)"
)
DNC = (
    r"(?:do not (?:contact|call|email|mail|text|disturb|message|solicit|market)|dnc|dnd|suppression|suppressed"
    r"|block(?:ed|list)?|black ?list(?:ed)?|black|opt(?:ed)? outs?|unsubscribed?|unsubscribes|exclusion|excluded"
    r"|excludes?|no (?:contact|call|email|mail)|removal|stop|never (?:contact|call|email)|ignore|ban)"
)

# How a person is contacted.
CONTACT = one_of(
    """contact re_?contact email mail text message call phone ring write(?:_to)? dm ping reach(?:_out)?(?:_to)? bother
    disturb solicit harass spam pester bug approach target follow_?up(?:_with|_on)? get_in_touch(?:_with)?
    get_in_contact(?:_with)? be_in_touch(?:_with)? communicate(?:_with)? correspond(?:_with)? market_to pitch(?:_to)?
    engage hassle annoy hound nag prospect chase inmail sell_to
    send(?:_anything|_stuff|_messages|_emails?|_texts?)?(?:_to)?
    cold_(?:call|email) touch_base(?:_with)? circle_back(?:_to|_with)? speak_to talk_to whatsapp sms add(?=_me)
    try_(?:me|us) pursue trouble inundate nudge call_on
    (?:make|initiate|attempt|establish)_contact(?:_with)?"""
)
CONTACT_ALONE = one_of(
    """contact email mail text message call(?:_back)? phone dm circle_back touch_base ring
    write(?:_back)? ping chase pester harass pitch
    reach_out disturb solicit
    spam follow_?up get_in_touch be_in_touch communicate send_(?:anything|stuff|messages|emails?|texts?|spam) cold_call"""
)
CONTACTING = one_of(
    """emailing mailing messaging texting contacting calling phoning ringing spamming har+as+ing bothering pestering
    reaching(?:_out)? sending writing pinging dming bugging annoying soliciting hounding stalking targeting marketing
    following_up prospecting chasing pitching trying_to_(?:sell|contact|reach|call|get|pitch|talk) disturbing wasting
    inmailing communicating corresponding blasting flooding bombarding hassling nagging selling blowing(?:_up)? filling
    clogging approaching getting_in_touch mass_emailing whatsapping cluttering adding(?=_me) trying being_in_touch
    cold_(?:calling|emailing) connecting(?:_with)? pursuing circling_back hitting(?:_up)? asking badgering
    recontacting polluting dialing dialling"""
)
CONTACTED = one_of(
    """contacted emailed called texted messaged bothered spammed solicited disturbed approached marketed_to mailed
    phoned pitched rung troubled nudged sequenced enrolled inundated hassled badgered
    harassed targeted followed_up reached(?:_out_to)? written_to pinged hounded pestered chased prospected sold_to
    cold_(?:called|emailed) added_to"""
)
NOUNS = one_of(
    """emails? messages? texts? calls? spam(?:ming)? mails? sms communications? correspondence contacts? outreach
    follow_?ups? newsletters? sequences? campaigns? drips? pitch(?:es)? solicitations? solicitation dms? inmails? junk
    nonsense harassment notifications? mailings? ads advertising advertisements? marketing promotions? promos? offers?
    crap garbage shit bullshit stuff rubbish solicitors? reminders? mailers? blasts? nudges? attempts? whatsapps? material
    (?:phone|cold|sales|robo)_calls? robocalls?"""
)
WHICH = one_of(
    """any_more any all_of all more your these those this that the further future such additional unsolicited sales
    marketing other another cold promotional automated unwanted damn stupid constant annoying of with so_many out kind_of
    sort_of type_of types_of kinds_of a_single one_more single commercial direct new emails_and"""
)
STOP = one_of(
    """stop quit cease(?:_and_desist)? discontinue halt desist_from refrain_from abstain_from terminate knock_off avoid
    end give_up lay_off suspend stop_it_with quit_it_with desist cut_out cut_it_out_with cut_it_out no_longer"""
)
STOPPING = one_of(
    "stop stopped stopping cease ceased ceasing quit quitting refrained refraining refrain avoid avoiding"
)
# Objects that make "stop calling" or "remove" somebody else's business.
ELSEWHERE = (
    r"(?! (?:for|to|with|of|between|about|on|at|in) (?!me\b|us\b|my\b|our\b|this\b|that\b|you|here|ADDR|any|it\b"
    r"|all\b|good\b|sales|every))"
)

WHEN = (
    r"(?: \w+){0,3}? (?:before|after|until|till|during|while|on (?:weekends?|the weekend|holidays?|(?:mon|tues|wednes"
    r"|thurs|fri|satur|sun)days?)|at (?:night|work\b(?! email| address)|home|\d|noon|midnight|lunch)|so (?:early|late"
    r"|often|much|many|soon)|this (?:late|early|week|month|afternoon|morning|evening|quarter)|in the (?:morning"
    r"|evening|afternoon|middle)|late|for (?:now|a (?:bit|while|few|couple)|the (?:next|moment|time)|\d)|today"
    r"|tonight|tomorrow|yet|too (?:early|late|often|much|soon)|as (?:often|much)|twice|past \d|outside|more than"
    r"|right after|when i am|next (?:week|month))\b"
)
EVERY = r"(?: \w+){0,2}? every (?:day|hour|week|morning|time)\b"
AGAIN = (
    r"(?:again|no more|any more|any further|further|any longer|in (?:the )?future|going forward|moving forward"
    r"|from (?:now|here)|for any reason|under any circumstances?|unsolicited|with (?:this|these|your|any|more"
    r"|further)|about (?:this|these|your|any|anything)|regarding|at all|another time|in any (?:way|form)|by any"
    r"|through any|on any|with sales|here(?=$| ?,| (?:or|again|any more|please))|anywhere)"
)
END = (
    r"(?=$| ?[,?]| (?:please|porfavor|svp|thanks|thank|now|today|and|or|as|because|since|i|we|it is|this|forever"
    r"|altogether|ok|okay|already|for good|full stop|period|sir|guys|man|dude|bro|too|unless|if|you|all together"
    r"|with immediate|effective|either|or else|before i|ma'am|mate|lol|then|asap|everyone|people|immediately|so i"
    r"|but)\b)"
)

# Where a request stands in its sentence.
ASKED = (
    r"(?:^|, |\b(?:please|just|now|so|and|then|but|or|thanks|thank you|ok|okay|hey|hi|hello|again|must|should|need to"
    r"|have to|had better|better|you to|going to|time to|you guys|guys|sir|man|bro|dude|seriously|enough|interested"
    r"|god|sake|christ|hell|lord|jesus|heaven|(?:can|could|would|will|must) (?:you|y'all)(?: guys| people)?"
    r"|why do not you|why not|to|folks|team|no|person|number|spam|not [a-z]+ to|said|mate|nah|lol|yeah|yo|omg|wtf|ugh"
    r"|haha|ffs|buddy|pal|honestly|listen|look|sorry|request|wrong|wrong person|you (?:could|can|would|will|might"
    r"|must|should|need to|have to)) )(?:please )?(?P<do>)"
)
NEVER = r"(?:do not|never|not|no longer|must not|may not|shall not|should not|can not|will not|need not|don t|did not)"
# "we need to stop calling leads", but not "I told you to stop".
SOMEBODY_ELSE = (
    r"\b(?:we|i|they|he|she|it|reps|(?:our|my|the|your|their) (?!wrong\b|last\b|love\b)\w+(?! and)"
    rf"|{OTHER_PEOPLE}) (?:(?!you\b|your\b|please\b|ask|told|tell|said|say|beg|request|demand|repeat|insist|must\b"
    r"|if\b|that\b|but\b"
    r"|,)\w+ ){0,4}"
)
NEGATED = (
    r"\b(?<!if you )(?<!why )(?:do|did|does|can|could|will|would|must|should)? ?(?:not|never)(?: you)? (?:to "
    r"|want you to |let anyone )?"
)
ASKED_ABOUT = (
    r"\b(?:(?:why|when|how come|what made|since when|reason) (?:\w+ ){0,3}|did you (?:\w+ )?|have you (?:\w+ )?"
    r"|had you |you (?:have |had )(?:\w+ )?|before you |after you |until you |if we |when we |glad |happy "
    r"|thanks for |thank you for |sorry )"
)
# Before a verb whose object is already the writer: only who does it counts.
WE_DO = (
    r"\b(?:we|they|he|she|(?<!how do )(?<!how can )(?<!can )(?<!could )i) (?:(?:will|have|had|can|could|would|to"
    r"|already|also|then|just|did|should|need|want|usually|never|\w+ed) ){0,3}"
)
QUESTION_ABOUT_TOOL = (
    r"\b(?:does|do|can|will|would|is|are|how does|how do) (?:your|the|this) (?:\w+ )?(?:tool|platform|product"
    r"|software|system|solution|service|app|team|company|process)\b|\bhow (?:do|does|can|would) (?:leads|recipients"
    r"|people|prospects|users|someone|somebody|customers|contacts|they|you handle|you manage|you deal)\b"
    r"|\bwhat happens (?:if|when)\b|\bhow you (?:\w+ )?(?:process|handle|manage|deal|treat)\b|\b(?:do|can|could"
    r"|would) (?:you|we|it) (?:guys )?(?:support|handle|honou?r|offer|process|comply|track|have an?|automate|let)\b"
    r"|\bhow many\b(?! (?:times|more))"
)
ABOUT_CONTACT = (
    r"(?:this|these|those|your|you|all|any|future|further|everything|it|here|emails?|mails?|mailings?|lists?"
    r"|newsletters?|communications?|correspondence|messages?|sequences?|campaigns?|outreach|marketing|updates"
    r"|notifications?|texts?|sms|promotions?|promotional|contact|contacts|database|receiving|being|getting|ADDR"
    r"|that|(?:the )?(?:sale|selling|sharing|processing) of)\b"
)

RECEIVE = one_of(
    """(?:keep_(?:on_)?|continue_(?:to_)?|continuing_(?:to_)?)?receiv(?:e|ing) keep_getting continu(?:e|ing)_to_get
    get(?:ting)? see(?:ing)? hav(?:e|ing) read(?:ing)? be_(?:receiving|getting|sent) being_sent
    accept(?:ing)?"""
)
