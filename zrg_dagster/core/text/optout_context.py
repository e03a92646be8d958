"""What makes the words of a request something else, whatever the rule that found them (OO-03, OO-04).

Three classes, each read on canonical spelling: a footer or instruction that is quoted, somebody else's request that is
told, and the writer's own customers, lists and mailings. A fourth looks at the whole text: the writer offers another
channel or goes on to buy, so a "don't call" is a preference and a leading "stop!" is an exclamation.
"""

import re

# A mail system's or a company's own footer, and the instruction that our SMS carried, quoted inside an answer.
FOOTER = re.compile(
    r"\b(?:reply|text|type|send|respond|answer)(?: back)?(?: with)? (?:stop|end|quit|unsubscribe"
    r"|opt out)\b(?! (?:to|sending|emailing|texting) me)"
    r"|(?<!want )(?<!wanted )(?<!like )(?<!need )(?<!wish )(?<!tried )(?<!trying )(?<!asked )(?<!way )"
    r"(?<!possible )(?<!able )\bto (?:unsubscribe|opt out|be removed|stop receiving)\b.{0,60}\b(?:click|reply|visit"
    r"|follow|use|send|text|here|URL|link)\b"
    r"|\b(?:click|tap|visit|follow|use)\b.{0,60}\b(?:to (?:unsubscribe|opt out)|unsubscribe)\b"
    r"|\bunsubscribe (?:here|, URL|URL|at any|with one|in one)"
    r"|\bif you (?:no longer (?:wish|want)|do not (?:wish|want)|would (?:prefer|rather) not|wish not|received this"
    r"|are not the intended|have received)\b"
    r"|\b(?:prefer|want) (?:no|fewer) (?:more )?(?:emails|messages) \?"
    r"|\bthis (?:email|message|communication)(?: and)?(?: \w+){0,6} (?:confidential|intended)"
    r"|\byou (?:are )?receiv(?:e|ed|ing) this|\bour (?:privacy )?policy\b"
    r"|\bsi (?:vous|usted|no desea|vous ne|no desean|ya no desea)\b.{0,80}\b(?:cliquez|clic|repondez|responda|envie"
    r"|escriba|contestez)\b|\bcliquez\b|\bhaga clic\b"
    r"|\b(?:repondez|envoyez|responda|envie|responde) (?:stop|baja|alto)\b"
    r"|\bstop (?:au|al) \d|\bpour (?:vous|se|ne plus) (?:desabonner|desinscrire|recevoir).{0,60}\b(?:envoyez"
    r"|repondez|ici|URL|lien)\b"
    r"|\bpara (?:darse|dejar de recibir|cancelar).{0,60}\b(?:responda|envie|aqui|URL|enlace|escriba)\b"
    r"|\b(?:este|ce) (?:mensaje|correo|message|mail|email|courriel)(?: \w+){0,5} (?:confidencial|confidentiel"
    r"|destinad)"
)

_EN_THEIRS = (
    r"(?:people|leads?|prospects?|customers?|clients?|someone|somebody|recipients?|users?|subscribers?|members?)"
)
_ES_THEIRS = r"(?:clientes?|leads?|prospectos?|gente|alguien|contactos?|usuarios?|destinatarios?|suscriptor(?:es)?)"
_FR_THEIRS = r"(?:clients?|prospects?|gens|leads?|quelqu.un|quelque un|contacts?|abonnes?|utilisateurs?|destinataires?)"
# Somebody else's words, told to us: "a lead told my rep to remove him", "si un cliente pide que lo borren".
TOLD = re.compile(
    r"\b(?:got|had|received|have|get|getting) (?:an?|some|many|several|few|lots of|\w+) (?:complaints?|repl(?:y"
    r"|ies)|responses?)\b"
    rf"|\b{_EN_THEIRS} (?:\w+ )?(?:say|said|says|saying|replied|replies|reply|wrote|writes|answered|tell|told|tells"
    r"|telling|ask us|asks? (?:to|for|if|me|not)|asks)\b|\ba (?:lead|customer|client|prospect|recipient"
    r"|user) (?:\w+ )?asked\b"
    rf"|\b(?:if|when|whenever|once|after|what if) (?:an? |any |one of (?:our|the|my) )?{_EN_THEIRS}\b"
    rf"|\b{_ES_THEIRS} (?:\w+ ){{0,2}}(?:dicen?|dijo|dijeron|respond\w+|piden?|pidio|pidieron|escribio|contest\w+"
    r"|quej\w+)\b"
    rf"|\b(?:si|cuando|que pasa si) (?:un |una |algun |el )?{_ES_THEIRS}\b"
    rf"|\b{_FR_THEIRS} (?:\w+ ){{0,2}}(?:dit|disent|repond|repondent|a repondu|ecrit|demande|demandent|a demande)\b"
    rf"|\b(?:si|quand|lorsque|des que) (?:un |une |le )?{_FR_THEIRS}\b"
)

# The writer's own lists, mailings and contacts, which he wants changed: "take acme.com out of our campaign".
_EN_LISTS = r"(?:campaigns?|sequences?|cadences?|target list|target lists|prospect list|lead list|outreach)"
OWN = re.compile(
    rf"\b(?:from|off|out of|in|for|to|before|into) (?:our|my) (?:\w+ )?{_EN_LISTS}\b"
    r"|\b(?:add|put|suppress|exclude|remove|block|delete|stop|pause|purge) (?:\w+ ){0,3}?(?:our|my|these|the|those)"
    r" (?:\w+ )?(?:competitors?|leads?|customers|clients|prospects)\b"
    r"|\b(?:stop|pause|suspend|halt|cancel|end) (?:the|our|my|this) (?:sequence|campaign|cadence)s? (?:for|in|until) "
    r"(?!me\b|us\b|this)"
    r"|\b(?:de|en|para|antes de) (?:nuestra|nuestras|nuestro|nuestros) (?:\w+ )?(?:campanas?|secuencias?|base|bases|crm"
    r"|lista|listas|listado)\b"
    r"|\b(?:de|dans|pour|avant) (?:notre|nos) (?:\w+ )?(?:campagnes?|sequences?|base|bases|crm|fichiers?|listes?"
    r"|listing)\b"
)

# The writer asks to be reached another way: "just text me", "ADDR is better".
_CHANNEL = r"(?:email|emails|text|texts|sms|call|message|whatsapp|linkedin|dm|phone|teams|signal|telegram|slack)"
OTHER_CHANNEL = re.compile(
    r"(?:^|[,.?] |\b(?:please|just|instead|rather|but|then|better|only|can|could|would) )(?:(?:please|just|only"
    r"|you can"
    r"|can you|feel free to|better to|better|you may|rather) )*(?:email|text|sms|call|message|whatsapp|write|dm"
    r"|ring|phone"
    r"|ping)(?: to)? (?:me|us|my|ADDR|the (?:office|main|landline|front|cell|other|details|offer"
    r"|switchboard))\b(?! (?:\w+ )?(?:again|one more|any more|and i))"
    rf"|\b{_CHANNEL} (?:is|are|would be|works?) (?:\w+ )?(?:fine|better|best|ok|okay|easier|good|great|preferred"
    r"|instead|works)\b"
    r"|(?:^|[,.?] )(?:text|email|sms|whatsapp|dm)(?: me)? \?"
    rf"|\b{_CHANNEL} (?:works|instead|preferred|only)\b|\binstead\b"
    r"|(?<!not )(?<!to )(?<!you )\buse (?:my|this|the|ADDR)\b(?! (?:data|info))"
    r"|(?<!not )(?<!never )(?<!to )(?<!you )(?<!or )\b(?:reach|contact|write|try|find) (?:me|us|to me|to us"
    r"|\w+) (?:at|on|via"
    r"|by|through)\b"
    rf"|\b(?:prefer|only)(?: \w+)? (?:by |via |over |through |on )?{_CHANNEL}\b|\b(?:by|via"
    rf"|over) (?:the )?{_CHANNEL} (?:please"
    r"|is|only|instead|works)\b"
    r"|(?<!no )(?<!ne )\b(?:use|usa|usen|usad|utiliza|utilice|utilicen|utilisez|utilise) (?:celle|celui|el|la|mi|este"
    r"|esta|otro|le|les|mon|autre|plutot)\b"
    r"|(?<!no )(?<!de )(?<!en )\b(?:escrib[ae]n?me|mand[ae]n?me|envi[ae]n?me|llam[ae]n?me|escribidme"
    r"|contact[ae]n?me)\b"
    r"|\b(?:mejor|prefiero|solo|mas bien)(?: \w+)? ?(?:por )?(?:correo|whatsapp|telefono|mensaje|emails?|mail"
    r"|linkedin|llamada)\b"
    r"|\bpor (?:correo|whatsapp|telefono|email|mail) (?:mejor|si|esta bien|porfavor mejor)\b"
    r"|(?<!no )(?<!me )(?<!nos )(?<!mas )(?<!a )\b(?:llam[ae]n?|escrib[ae]n?|contact[ae]n?|habl[ae]n?) (?:a|con"
    r"|al) (?!este|esta|mi numero|nosotros)"
    r"|(?<!ne )(?<!me )\b(?:ecri(?:vez|s)|appel(?:ez|le)|envo(?:yez|ie)|contacte?z?|rappel(?:ez|le)) (?:moi"
    r"|nous)\b(?! (?:plus"
    r"|jamais|pas))|\bplutot\b(?! (?:de|crever))|\bprefer(?:ez|e|ons|ence)\b (?:pour )?(?:le |un |les |plutot "
    r"|par )?(?:mail|email|sms|telephone|whatsapp|message)|\b(?:mail|email|sms|message|appel|pdf|lien) suffi"
    r"|\bpar (?:mail"
    r"|email|telephone|sms|whatsapp) (?:seulement|uniquement|svp|ca)\b"
)

# The writer goes on: "Stop! You convinced me, when do we start?", "no need to call, I'm signing tonight".
GOES_ON = re.compile(
    r"\b(?:convinced|i am in|we are in|book (?:me|it|us|the)|sign(?:ing)? (?:it|me up|today|tonight|tomorrow|the)"
    r"|(?:when|where|how) (?:do|can|could|should) (?:i|we) (?:start|begin|sign|pay)|send (?:me |us |over "
    r"|through )*(?:the|a|your)"
    r" (?:contract|quote|pricing|invoice|deck|agreement|offer)|call me|sounds great|love (?:it|this)(?! if| when"
    r"| to)|one question"
    r"|(?:quick|have a|got a|1) question|can i ask|tell me (?:more|about)|how much (?:is|does|do you|would|for)"
    r"|(?:hell|heck) yes|what is the (?:price|cost)"
    r"|does (?:it|that|this) (?:work|integrate|include|come)|before you go)\b"
    r"|\b(?:cuando (?:empezamos|arrancamos|firmamos)|convencid[oa]|convenciste|convencieron|me encanta|adelante"
    r"|firm(?:o|amos|are)|cuanto (?:cuesta|vale)|jaj|(?:envia|manda|enviame|mandame|envie|mande) (?:el|la|los) "
    r"(?:contrato|presupuesto|factura|oferta)|si me interesa|y el precio|(?<!no )(?<!ni )me interesa (?!no))"
    r"|\b(?:convaincus?|convaincue|on (?:signe|commence|demarre|y va)|je signe|je (?:prends|valide)"
    r"|quand (?:demarre|commence"
    r"|signe)|quel est (?:le|votre) (?:prix|tarif)|(?:une|ai une) question|combien (?:ca )?coute"
    r"|envoyez (?:moi )?(?:le|un)"
    r" (?:contrat|devis)|je adore|est signe|cuentame mas)\b"
)
