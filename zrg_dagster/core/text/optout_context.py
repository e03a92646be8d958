"""What makes the words of a request something else, whatever the rule that found them (OO-03, OO-04).

Four classes, each read on canonical spelling: a footer or instruction that is quoted, somebody else's request that is
told, the writer's own customers, lists and mailings, and what he nearly did. A fifth looks at the whole text: the writer
offers another channel or goes on to buy, so a "don't call" is a preference and a leading "stop!" is an exclamation.
"""

import re

# A mail system's or a company's own footer, and the instruction that our SMS carried, quoted inside an answer.
FOOTER = re.compile(
    r"\b(?:reply|text|type|send|respond|answer)(?: back)?(?: with)? (?:stop|end|quit|unsubscribe|opt out)\b(?! (?:to"
    r"|sending|emailing|texting) me)|(?<!want )(?<!wanted )(?<!like )(?<!need )(?<!wish )(?<!tried )(?<!trying "
    r")(?<!asked )(?<!way )(?<!possible )(?<!able )\bto (?:unsubscribe|opt out|be removed"
    r"|stop receiving)\b.{0,60}\b(?:click|reply|visit|follow|use|send|text|here|URL|link)\b|\b(?:click|tap|visit"
    r"|follow|use)\b.{0,60}\b(?:to (?:unsubscribe|opt out)|unsubscribe)\b|\bunsubscribe (?:here|, URL|URL|at any"
    r"|with one|in one)|\bif you (?:no longer (?:wish|want)|do not (?:wish|want)|would (?:prefer|rather) not|wish not"
    r"|received this|are not the intended|have received)\b|\b(?:prefer|want) (?:no|fewer) (?:more )?(?:emails"
    r"|messages) \?|\bthis (?:email|message|communication)(?: and)?(?: \w+){0,6} (?:confidential|intended)"
    r"|\byou (?:are )?receiv(?:e|ed|ing) this|\bour privacy policy\b|\bsi (?:vous|usted|no desea|vous ne"
    r"|no desean|ya no desea)\b.{0,80}\b(?:cliquez|clic|repondez|responda|envie|escriba|contestez)\b|\bcliquez\b"
    r"|\bhaga clic\b|\b(?:repondez|envoyez|responda|envie|responde) (?:stop|baja|alto)\b|\bstop (?:au|al) \d"
    r"|\bpour (?:vous|se|ne plus) (?:desabonner|desinscrire|recevoir).{0,60}\b(?:envoyez|repondez|ici|URL|lien)\b"
    r"|\bpara (?:darse|dejar de recibir|cancelar).{0,60}\b(?:responda|envie|aqui|URL|enlace|escriba)\b|\b(?:este"
    r"|ce) (?:mensaje|correo|message|mail|email|courriel)(?: \w+){0,5} (?:confidencial|confidentiel|destinad)"
)

_EN_THEIRS = (
    r"(?:people|leads?|prospects?|customers?|clients?|someone|somebody|recipients?|users?|subscribers?|members?"
    r"|donors?|patients?|students?|guests?|tenants?|buyers?)"
)
_ES_THEIRS = r"(?:clientes?|leads?|prospectos?|gente|alguien|contactos?|usuarios?|destinatarios?|suscriptor(?:es)?)"
_FR_THEIRS = r"(?:clients?|prospects?|gens|leads?|quelqu.un|quelque un|contacts?|abonnes?|utilisateurs?|destinataires?)"
# Somebody else's words, told to us: "a lead told my rep to remove him", "si un cliente pide que lo borren".
TOLD = re.compile(
    r"\b(?:got|had|received|have|get|getting) (?:an?|some|many|several|few|lots of|\w+) (?:complaints?|repl(?:y|ies)"
    rf"|responses?)\b|\b{_EN_THEIRS} (?:\w+ )?(?:say|said|says|saying|replied|replies|reply|wrote|writes|answered|tell"
    r"|told|tells|telling|ask us|asks? (?:to|for|if|me|not)|asks)\b|\ba (?:lead|customer|client|prospect|recipient"
    r"|user) (?:\w+ )?asked\b|\b(?:if|when|whenever|once|after|what if) (?:an? |any |one of (?:our|the"
    rf"|my) )?(?:{_EN_THEIRS}|contacts?)\b|\b{_ES_THEIRS} (?:\w+ ){{0,2}}(?:dicen?|dijo|dijeron|respond\w+|piden?"
    r"|pidio|pidieron"
    rf"|escribio|contest\w+|quej\w+)\b|\b(?:si|cuando|que pasa si) (?:un |una |algun |el )?{_ES_THEIRS}\b"
    rf"|\b{_FR_THEIRS} (?:\w+ ){{0,2}}(?:dit|disent|repond|repondent|a repondu|ecrit|demande|demandent|a demande)\b"
    rf"|\b(?:si|quand|lorsque|des que) (?:un |une |le )?{_FR_THEIRS}\b"
)

# The writer's own lists, mailings and contacts, which he wants changed: "take acme.com out of our campaign".
_EN_LISTS = r"(?:campaigns?|sequences?|cadences?|target list|target lists|prospect list|lead list|outreach)"
OWN = re.compile(
    rf"\b(?:from|off|out of|in|for|to|before|into) (?:our|my) (?:\w+ )?{_EN_LISTS}\b"
    r"|\b(?:add|put|suppress|exclude|remove|block|delete|stop|pause|purge) (?:\w+ ){0,3}?(?:our|my|these|the"
    r"|those) (?:\w+ )?(?:competitors?|leads?|customers|clients|prospects)\b|\b(?:stop|pause|suspend|halt|cancel"
    r"|end) (?:the|our|my|this) (?:sequence|campaign|cadence)s? (?:for|in|until) (?!me\b|us\b|this)|\b(?:de|en|para"
    r"|antes de) (?:nuestra|nuestras|nuestro|nuestros) (?:\w+ )?(?:campanas?|secuencias?|base|bases|crm|lista|listas"
    r"|listado)\b|\b(?:de|dans|pour|avant) (?:notre|nos) (?:\w+ )?(?:campagnes?|sequences?|base|bases|crm|fichiers?"
    r"|listes?|listing)\b"
)

# What the writer nearly did, or usually does: "I was about to unsubscribe, but", "avant de me désabonner".
NEARLY = re.compile(
    r"\b(?:normally|usually|typically|almost|nearly|about to|tempted to|was going to|make me|before (?:i|we)(?= unsub))"
    r" (?:\w+ ){0,4}?(?:unsubscrib|mark|delet|remov|opt)\w*(?!.*\b(?:please|remove|stop|take|do not)\b)"
    r"|\bunsubscribe from the (?:feeling|idea|notion)"
    r"|\b(?:casi|antes de|normalmente|a punto de|suelo|estuve por) (?:\w+ ){0,3}?(?:dar(?:me|nos)|doy de|di de"
    r"|desuscrib\w*"
    r"|borr\w+|elimin\w+)(?!.*\b(?:porfavor|borren?|eliminen?|dejen?|basta|no)\b)"
    r"|\b(?:failli|avant de|de habitude|normalement) (?:\w+ ){0,3}?(?:desabonn|desinscri|supprim|effac)\w*"
    r"(?!.*\b(?:merci de|svp|veuillez|retir\w+|arret\w+|ne)\b)"
)

# The writer asks to be reached another way: "just text me", "ADDR is better".
_CHANNEL = r"(?:email|emails|text|texts|sms|call|message|whatsapp|linkedin|dm|phone|teams|signal|telegram|slack)"
OTHER_CHANNEL = re.compile(
    r"(?:^|[,.?] |\b(?:please|just|instead|rather|but|then|better|only|can|could|would) )(?:(?:please|just|only"
    r"|you can|can you|feel free to|better to|better|you may|rather) )*(?:email|text|sms|call|message|whatsapp|write"
    r"|dm|ring|phone|ping)(?: to)? (?:me|us|my|ADDR|the (?:office|main|landline|front|cell|other|details|offer"
    r"|switchboard))\b(?! (?:\w+ )?(?:again|one more|any more|and i))|\b(?:i am|am) (?:driving(?= [,.?]|$| now| right"
    r"| rn)|in a meeting|in class|at the doctor|on a call|at work|at the gym|sleeping)\b|\b(?:estoy"
    r"|ando) (?:conduciendo|manejando|en (?:una |la |el |un )?(?:reunion|clase|medico|junta|llamada|cine|avion))\b"
    r"|\bje (?:conduis|suis en (?:reunion|cours|rendez vous|voiture|train|visio))\b|\b(?:prefiero|mejor"
    r"|preferiria) que (?:me|nos) (?:escrib|mand|envi)|\bprefer\w+ que (?:vous|tu) (?:me|nous) (?:ecri|envo)"
    rf"|\b{_CHANNEL} (?:is|are|would be|works?) (?:\w+ )?(?:fine|better|best|ok|okay|easier|good|great|preferred"
    r"|instead|works)\b|(?:^|[.?] )please (?:text|email|call|message|write|whatsapp|sms) ,|(?:^|[,.?] )(?:text|email"
    rf"|sms|whatsapp|dm)(?: me)? \?|\b{_CHANNEL} (?:works|instead|preferred|only)\b|\binstead\b"
    r"|(?<!not )(?<!to )(?<!you )\buse (?:my|this|the|ADDR)\b(?! (?:data|info))"
    r"|(?<!not )(?<!never )(?<!to )(?<!you )(?<!or )\b(?:reach|contact|write|try|find) (?:me|us|to me|to us"
    rf"|\w+) (?:at|on|via|by|through)\b|\b(?:prefer|only)(?: \w+)? (?:by |via |over |through |on )?{_CHANNEL}\b"
    rf"|\b(?:by|via|over) (?:the )?{_CHANNEL} (?:please|is|only|instead|works)\b|(?<!no )(?<!ne )\b(?:use|usa|usen"
    r"|usad|utiliza|utilice|utilicen|utilisez|utilise) (?:celle|celui|el|la|mi|este|esta|otro|le|les|mon|autre"
    r"|plutot)\b|(?<!no )(?<!de )(?<!en )\b(?:escrib[ae]n?me|mand[ae]n?me|envi[ae]n?me|llam[ae]n?me|escribidme"
    r"|contact[ae]n?me)\b|\b(?:mejor|prefiero|solo|mas bien)(?: \w+)? ?(?:por )?(?:correo|whatsapp|telefono|mensaje"
    r"|emails?|mail|linkedin|llamada)\b|\bpor (?:correo|whatsapp|telefono|email|mail) (?:mejor|si|esta bien"
    r"|porfavor mejor)\b|(?<!no )(?<!me )(?<!nos )(?<!mas )(?<!a )\b(?:llam[ae]n?|escrib[ae]n?|contact[ae]n?"
    r"|habl[ae]n?) (?:a|con|al) (?!este|esta|mi numero|nosotros)|(?<!ne )(?<!me )\b(?:ecri(?:vez|s)|appel(?:ez|le)"
    r"|envo(?:yez|ie)|contacte?z?|rappel(?:ez|le)) (?:moi|nous)\b(?! (?:plus|jamais|pas))|\bplutot\b(?! (?:de"
    r"|crever))|\bprefer(?:ez|e|ons|ence)\b (?:pour )?(?:le |un |les |plutot |par )?(?:mail|email|sms|telephone"
    r"|whatsapp|message)|\b(?:mail|email|sms|message|appel|pdf|lien) suffi|\bpar (?:mail|email|telephone|sms"
    r"|whatsapp) (?:seulement|uniquement|svp|ca)\b"
)

# The writer goes on: "Stop! You convinced me, when do we start?", "no need to call, I'm signing tonight".
GOES_ON = re.compile(
    r"\b(?:convinced|i am in|we are in|book (?:me|it|us|the)|sign(?:ing)? (?:it|me up|today|tonight|tomorrow|the)"
    r"|(?:when|where|how) (?:do|can|could|should) (?:i|we) (?:start|begin|sign|pay)|send (?:me |us |over "
    r"|through )*(?:the|a|your) (?:contract|quote|pricing|invoice|deck|agreement|offer)|call me|sounds great"
    r"|love (?:it|this)(?! if| when| to)|one question|(?:quick|have a|got a|1) question|can i ask|tell me (?:more"
    r"|about)|how much (?:is|does|do you|would|for)|(?:hell|heck) yes|what is the (?:price|cost)|does (?:it|that"
    r"|this) (?:work|integrate|include|come)|before you go)\b|\b(?:cuando (?:empezamos|arrancamos|firmamos)"
    r"|convencid[oa]|convenciste|convencieron|me encanta|adelante|firm(?:o|amos|are)|cuanto (?:cuesta|vale)|jaj"
    r"|(?:envia|manda|enviame|mandame|envie|mande) (?:el|la|los) (?:contrato|presupuesto|factura|oferta)"
    r"|si me interesa|y el precio|(?<!no )(?<!ni )me interesa (?!no))|\b(?:convaincus?|convaincue|on (?:signe"
    r"|commence|demarre|y va)|je signe|je (?:prends|valide)|quand (?:demarre|commence|signe)|quel est (?:le"
    r"|votre) (?:prix|tarif)|(?:une|ai une) question|combien (?:ca )?coute|envoyez (?:moi )?(?:le|un) (?:contrat"
    r"|devis)|je adore|est signe|cuentame mas)\b"
)
