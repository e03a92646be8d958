"""What makes the words of a request something else, whatever the rule that found them (OO-03, OO-04).

Seven classes, each read on canonical spelling: a footer or instruction that is quoted, somebody else's request that is
told, the writer's own customers, lists and mailings, what he nearly did, his own mail that he takes back, what a document
shows, and how a feature of a product works. An eighth
looks at the whole text: the writer offers another channel, another person or to come back, or goes on to buy, so a
"don't call" is a preference and a leading "stop!" is an exclamation.
"""

import re

# A mail system's or a company's own footer, and the instruction that our SMS carried, quoted inside an answer.
FOOTER = re.compile(
    r"\b(?:reply|text|type|send|respond|answer)(?: back)?(?: with)? (?:stop|end|quit|unsubscribe|opt out)\b(?! (?:to"
    r"|sending|emailing|texting) me)|(?<!want )(?<!wanted )(?<!like )(?<!need )(?<!wish )(?<!tried )(?<!trying "
    r")(?<!asked )(?<!way )(?<!possible )(?<!able )\bto (?:unsubscribe|opt out|be removed"
    r"|stop receiving)\b.{0,60}\b(?:click|reply|visit|follow|use|send|text|here|URL|link"
    r"|(?:email|write|contact)(?: to| us(?: at)?)? ADDR)\b|\b(?:click|tap|visit"
    r"|follow|use)\b.{0,60}\b(?:to (?:unsubscribe|opt out)|unsubscribe)\b|\bunsubscribe (?:here|, URL|URL|at any"
    r"|with one|in one)|\bif you (?:wish|want|prefer|would like) to (?:stop|unsubscribe|opt out|no longer|be removed)\b"
    r"|\bif you (?:no longer (?:wish|want)|do not (?:wish|want)|would (?:prefer|rather) not|wish not"
    r"|received this|are not the intended|have received)\b|\b(?:prefer|want) (?:no|fewer) (?:more )?(?:emails"
    r"|messages) \?|\bthis (?:email|message|communication)(?: and)?(?: \w+){0,6} (?:confidential|intended)"
    r"|\byou (?:are )?receiv(?:e|ed|ing) this(?!.{0,30}\bbecause (?:i|we)\b)|\bour privacy policy\b|\bsi (?:vous"
    r"|usted|no desea|vous ne"
    r"|no desean|ya no desea)\b.{0,80}\b(?:cliquez|clic|repondez|responda|envie|escriba|contestez)\b|\bcliquez\b"
    r"|\bhaga clic\b|\b(?:repondez|envoyez|responda|envie|responde) (?:stop|baja|alto)\b|\bstop (?:au|al) \d"
    r"|\bpour (?:vous|te) (?:desabonner|desinscrire)\b"
    r"|\bpour (?:se|ne plus) (?:desabonner|desinscrire|recevoir).{0,60}\b(?:envoyez|repondez|ici|URL|ADDR|lien)\b"
    r"|\bpara (?:darse|dejar de recibir|cancelar).{0,60}\b(?:responda|envie|aqui|URL|ADDR|enlace|escriba)\b"
    r"|\bsi (?:vous|usted)? ?(?:le|lo) (?:recevez|recibe|recibiera) (?:par erreur|por error)\b|\bsi (?:usted "
    r"|vous )?(?:lo |le )?(?:ha|has|han|hubiera|avez) (?:recibido|recu) (?:este|esta|el|ce|cet|cette"
    r"|le)\b|\b(?:este"
    r"|ce) (?:mensaje|correo|message|mail|email|courriel)(?: \w+){0,5} (?:confidencial|confidentiel|destinad)"
    # A disclaimer: what went astray is to be destroyed, nobody to be left alone.
    r"|\b(?:if|should) (?:this|it|the|an?)\b(?: (?!me\b|us\b)\w+){0,5}? (?:reach|sent|deliver|receiv|came|come|arriv|misdirect"
    r"|transmit|address)\w*(?: (?!me\b|us\b)\w+){0,5} (?:in error|by (?:mistake|error|accident)|mistakenly|erroneously"
    r"|accidentally|inadvertently)\b(?!.*\b(?:remov|delet|tak|unsubscrib)\w+ (?:me|us|my|our)\b)"
    r"|\bsi (?:este|esta|el|la|lo|le|les|usted)\b(?: (?!me\b|nos\b)\w+){0,5}? (?:lleg|recib|envi|remit)\w*"
    r"(?: (?!me\b|nos\b)\w+){0,2} por (?:error|equivocacion)\b(?!.*(?:\b(?:mi|mis|nuestr[oa]s?)\b|\w{4}(?:me|nos)\b))"
    r"|\b(?:si|se ils?|se elles?)\b(?: (?!me\b|nous\b|je\b)\w+){0,5}? (?:parven|recu|adress|transmis|arriv|envoy|destin)\w*"
    r"(?: (?!me\b|nous\b)\w+){0,3} par (?:erreur|megarde|inadvertance)\b(?!.*\b(?:moi|nous|mon|ma|mes|nos|notre)\b)"
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
    rf"|\b(?:those|{_EN_THEIRS}) who (?:\w+ ){{0,3}}(?:ask|opt|unsub|said|request|want)"
    rf"|\b(?:quienes|los que|aquellos que|{_ES_THEIRS} que) (?:\w+ ){{0,2}}(?:pid|ped|solicit|dijer|no quier)"
    rf"|\b(?:ceux|celles|personnes|{_FR_THEIRS}) qui (?:\w+ ){{0,2}}(?:demand|dit|souhait|veul)"
    # One left, the writer stays.
    r"|\b(?:colleague|co ?founder|partner|boss|assistant|husband|wife|teammate|co ?worker|manager|team|he|she|they)"
    r" (?:\w+ ){0,2}(?:unsub|asked|opted|removed|told)\w*\b.{0,50}(?:\bbut|\bthough|\bhowever|,) (?:\w+ ){0,2}?"
    r"i (?:am|would|do|still|want)(?: (?!not\b|no\b)\w+){0,3}? (?:stay|remain|interested|keen|want to hear"
    r"|like to hear)\b"
    r"|\b(?:soci[oa]|companer[oa]|jef[ea]|mujer|marido) (?:\w+ ){0,3}(?:baja|borr\w+|quit\w+|elimin\w+|desuscrib\w+)\b"
    r".{0,40}\b(?:pero|aunque) (?:\w+ )?(?:a mi si|yo si|(?:yo )?(?:sigo|estoy) interesad[oa])\b"
    r"|\b(?:associee?|collegue|patronne?|femme|mari|chef) (?:\w+ ){0,4}(?:desabonn|desinscri|retir|supprim)\w*\b"
    r".{0,20}\bmais .{0,12}\bje (?:reste|suis) (?:\w+ )?(?:interess|preneu|partant)"
)

# The writer's own lists, mailings and contacts, which he wants changed: "take acme.com out of our campaign".
_EN_LISTS = (
    r"(?:newsletters?(?! (?:inbox|address))|campaigns?|sequences?|cadences?|target lists?|prospect list|lead list"
    r"|outreach)"
)
OWN = re.compile(
    rf"\b(?:from|off|out of|in|for|to|before|into) (?:our|my) (?:\w+ )?{_EN_LISTS}\b"
    r"|\b(?:add|put|suppress|exclude|remove|block|delete|stop|pause|purge) (?:\w+ ){0,3}?(?:our|my|these|the"
    r"|those) (?:\w+ )?(?:competitors?|leads?|customers|clients|prospects)\b|\b(?:stop|pause|suspend|halt|cancel"
    r"|end) (?:the|our|my|this) (?:sequence|campaign|cadence)s? (?:for|in|until) (?!me\b|us\b|this)|\b(?:de|en|para"
    r"|antes de) (?:nuestra|nuestras|nuestro|nuestros) (?:\w+ )?(?:campanas?|secuencias?|base|bases|crm|lista|listas"
    r"|listado)\b|\b(?:de|dans|pour|avant) (?:notre|nos) (?:\w+ )?(?:campagnes?|sequences?|base|bases|crm|fichiers?|infolettres?"
    r"|newsletters?|mailings?"
    r"|listes?|listing)\b"
)

# What the writer nearly did, or usually does: "I was about to unsubscribe, but", "avant de me désabonner". A request behind
# it in the sentence stands. "Almost every day" and "almost impossible" are no intention.
_EN_REQUEST = r"(?:unsubscrib|mark|delet|remov|opt|tak(?:e|ing) (?:me|us|my|our)|stop|hit(?:ting)? (?:the )?unsub)\w*"
_ES_REQUEST = (
    r"(?:dar(?:me|nos)|doy de|di de|desuscrib\w*|borr\w+|elimin\w+|quit\w+|sac\w+|marc\w+|dej\w+ de|no me|denunci\w+)"
)
_FR_REQUEST = r"(?:des ?abonn|desinscri|supprim|effac|retir|arret|enlev|signal|ne plus)\w*"
NEARLY = re.compile(
    r"\b(?:(?:almost|nearly)(?! (?:\d|an?|every|all|daily|weekly|never|impossible|two|three|four|five|six|ten"
    r"|twenty)\b)"
    r"|about to|tempted to|was (?:just )?going to|were going to|make me|before (?:i|we)(?= unsub)|this close to"
    r"|came close to"
    r"|close to|on the verge of|(?:first|initial) (?:instinct|reaction|thought) was to|considered|thought (?:about|of)"
    r"|(?:i|we) would have|(?:normally|usually|typically|ordinarily)(?: ,)? (?:i|we)(?: would)?"
    r"|(?:i|we)(?: would)?(?: also)? (?:normally|usually|typically|ordinarily)) "
    rf"(?:(?!but\b|and\b|please\b|so\b)\w+ ){{0,8}}?{_EN_REQUEST}"
    r"(?!.*\b(?:please|remove|stop|take (?:me|us|my|our)|do not|unsubscribe me)\b)"
    r"|\bnot (?:that|because) (?:i|we) (?:want|need|like)\b|\bno es que (?:yo )?(?:quier|pid|dese)\w+\b"
    r"|\best pas que (?:je|nous) (?:veu|voul|demand)\w+\b"
    r"|\bunsubscribe from the (?:feeling|idea|notion)"
    r"|\bwould (?:kill|hate|miss|be (?:\w+ )?(?:mad|sad|upset|furious|crazy|a fool))\b.{0,30}\bif (?:i|we) (?:ever )?"
    r"(?:unsubscribed|opted out)\b"
    r"|\b(?:casi(?! (?:tod|cada|diari|siempre|nunca|imposible))|antes de|normalmente|a punto de|suelo|estuve por"
    r"|ibamos? a"
    rf"|iba a|pensaba(?:mos)?(?: en)?|por poco) (?:(?!pero\b|y\b)\w+ ){{0,8}}?{_ES_REQUEST}"
    r"(?!.*\b(?:porfavor|borr(?:en?|a|ad)(?:me|nos)|eliminen?|dejen?|basta|quit(?:en|ad|a)(?:me|nos))\b)"
    r"|\b(?:failli|avant de|de habitude|normalement|allais|allions|sur le point de|a deux doigts de|pense a|ai pense"
    rf"|un peu plus et je|hesite a) (?:(?!mais\b|et\b)\w+ ){{0,8}}?{_FR_REQUEST}"
    r"(?!.*\b(?:merci de|svp|veuillez|retirez|arretez|ne plus)\b)"
)

# What the writer sent himself and takes back: "please delete my earlier email, wrong figures".
_EARLIER = r"(?:earlier|previous|last|first|prior|initial|second|original|other|latest|preceding)"
TAKES_BACK = re.compile(
    r"\b(?:delete|erase|remove|ignore|disregard|forget|bin|trash|scrap)(?: about)? (?:my|our|that|the"
    rf"|this) (?:\w+ )?{_EARLIER}"
    r" (?:\w+ )?(?:emails?|messages?|texts?|notes?|reply|replies|version|one|attachment|mails?)\b(?! (?:address|list))"
    r"|\b(?:borr|elimin|ignor|olvid|descart)\w+ (?:mi|el|ese|este|mis|los) (?:(?:primer|ultimo|anterior|otro|ultimos"
    r"|anteriores|segundo) (?:correo|mensaje|email|mail)s?|(?:correo|mensaje|email|mail)s? anterior(?:es)?)\b"
    r"|\b(?:supprim|effac|oubli|ignor|jet)\w+ (?:(?:et|de|svp) \w+ )*(?:mon|le|ce|mes|les) (?:(?:premier|dernier"
    r"|autre|second|derniers) "
    r"(?:mail|message|email|courriel|sms)s?|(?:mail|message|email|courriel|sms)s? (?:precedent|d avant|anterieur)s?)\b"
)

# What stands in a document and is to be taken out of it: "on page 3 of the quote, take my name off".
_EN_PAGE = (
    r"(?:pages?|slides?|deck|proposal|quote|contract|agreement|presentation|document|doc|draft|website|site|spreadsheet"
    r"|agenda"
    r"|brochure|paragraph|section|clause|footnote|cover|minutes|table of contents|org chart)"
)
_ES_PAGE = (
    r"(?:pagina|diapositiva|presupuesto|contrato|propuesta|presentacion|documento|borrador|web|sitio|folleto|parrafo"
    r"|seccion"
    r"|clausula|portada|acta|anexo|hoja|plantilla|cartel)"
)
_FR_PAGE = (
    r"(?:page|diapo|diapositive|slide|devis|contrat|proposition|presentation|document|brouillon|site|plaquette|brochure"
    r"|paragraphe|section|clause|couverture|annexe|feuille|affiche|compte rendu|organigramme)s?"
)
SHOWN = re.compile(
    rf"\b(?:on|in|at the (?:bottom|top|end) of) (?:the |this |your |our |my )?(?:\w+"
    rf" )?{_EN_PAGE}\b[^?]{{0,60}}\b(?:remov|delet|tak"
    r"|drop|strik|cut|wip)(?:e|ing) (?:me|us|my|our)\b(?! (?:\w+ )?(?:off|from|out of) (?:your|this|the) (?:\w+"
    r" )?(?:lists?|mailing"
    r"|database))"
    rf"|\b(?:en|de) (?:la |el |su |tu |este |esta |vuestr[oa] )(?:\w+ )?{_ES_PAGE}\b[^?]{{0,60}}\b(?:elimin|borr|quit"
    rf"|sac|retir)\w+"
    r" (?:mi|mis|nuestr[oa]s?)\b(?! (?:\w+ )?de (?:su|tu|la) (?:lista|base))"
    rf"|\b(?:sur|dans|en|au bas de) (?:la |le |les |votre |cette |ce |notre )?(?:\w+"
    rf" )?{_FR_PAGE}\b[^?]{{0,60}}\b(?:retir|supprim"
    r"|enlev|effac|ot)\w+ (?:mon|ma|mes|notre|nos)\b(?! (?:\w+ )?de (?:vos|votre|la) (?:liste|base|fichier))"
)

# How something works in our product or the writer's account there: "how do I unsubscribe from the digest in your tool?"
FEATURE = re.compile(
    r"\b(?:how|where|can|could|does|do|is|which|what|find|setting)\b.{0,80}\b(?:in|inside|within|through|via) (?:your"
    r"|the|this|our)"
    r" (?:\w+ )?"
    r"(?:tool|app|platform|dashboard|product|software|portal|settings?|admin|interface|workspace|console|api|ui)\b"
    r"|\b(?:como|donde|puedo|podemos|se puede|permite|hay|encuentro|ajuste)\b.{0,80}\b(?:en|desde|dentro de) (?:su |la "
    r"|el |tu "
    r"|vuestr[oa] |nuestr[oa] )"
    r"(?:\w+ )?(?:herramienta|plataforma|aplicacion|app|panel|portal|producto|software|configuracion|ajustes|api)\b"
    r"|\b(?:comment|ou|peut on|puis je|est ce que|est il|permet|trouve|reglage)\b.{0,80}\b(?:dans|depuis|via) (?:votre "
    r"|le |la |cette "
    r"|notre )"
    r"(?:\w+ )?(?:outil|logiciel|plateforme|application|appli|interface|tableau de bord|console|parametres|reglages"
    r"|api)\b"
)

# The writer asks to be reached another way: "just text me", "ADDR is better".
_CHANNEL = r"(?:chat|email|emails|text|texts|sms|call|message|whatsapp|linkedin|dm|phone|teams|signal|telegram|slack)"
OTHER_CHANNEL = re.compile(
    r"(?:^|[,.?] |\b(?:please|just|instead|rather|but|then|better|only|can|could|would) )(?:(?:please|just|only"
    r"|you can|can you|feel free to|better to|better|you may|rather) )*(?:email|text|sms|call|message|whatsapp|write"
    r"|dm|ring|phone|ping)(?: to)? (?:me|us|my|ADDR|the (?:office|main|landline|front|cell|other|details|offer"
    r"|switchboard))\b(?! (?:\w+ )?(?:again|one more|any more|and i))|\b(?:i am|am) (?:driving(?= [,.?]|$| now| right"
    r"| rn)|in a meeting|in class|at the doctor|on a call|at work|at the gym|sleeping)\b(?! (?:, )?(?:please )?(?:stop"
    r"|quit)\b)|\b(?:estoy"
    r"|ando) (?:conduciendo|manejando|en (?:una |la |el |un )?(?:reunion|clase|medico|junta|llamada|cine|avion))\b"
    r"|\bje (?:conduis|suis en (?:reunion|cours|rendez vous|voiture|train|visio))\b|\b(?:prefiero|mejor"
    r"|preferiria) que (?:me|nos) (?:escrib|mand|envi)|\bprefer\w+ que (?:vous|tu) (?:me|nous) (?:ecri|envo)"
    rf"|\b{_CHANNEL} (?:is|are|would be|works?) (?:\w+ )?(?:fine|better|best|ok|okay|easier|good|great|perfect"
    rf"|preferable|preferred"
    r"|instead|works)\b|(?:^|[.?] )please (?:text|email|call|message|write|whatsapp|sms) ,|(?:^|[,.?] )(?:text|email"
    rf"|sms|whatsapp|dm)(?: me)? \?|\b{_CHANNEL} (?:works|instead|preferred|only)\b|\binstead\b"
    r"|(?<!not )(?<!to )(?<!you )(?<!or )(?<!i )(?<!we )\buse (?:my|this|the|ADDR)\b(?! (?:data|info))"
    r"|(?<!not )(?<!never )(?<!to )(?<!you )(?<!or )\b(?:reach|contact|write|try|find) (?:me|us|to me|to us"
    rf"|\w+) (?:at|on|via|by|through)\b|\b(?:prefer|only)(?: \w+)? (?:by |via |over |through |on )?{_CHANNEL}\b"
    rf"|\b(?:by|via|over) (?:the )?{_CHANNEL} (?:please|is|only|instead|works)\b|(?<!no )(?<!ne )(?<!que )\b(?:use|usa"
    rf"|usen"
    r"|usad|utiliza|utilice|utilicen|utilisez|utilise|prenez|prends) (?:celle|celui|el|la|mi|este|esta|otro|le|les|mon"
    r"|autre"
    r"|plutot)\b|(?<!no )(?<!de )(?<!en )\b(?:escrib[ae]n?me|mand[ae]n?me|envi[ae]n?me|llam[ae]n?me|escribidme"
    r"|contact[ae]n?me)\b|\b(?:mejor|prefiero|solo|mas bien)(?: \w+)? ?(?:por )?(?:correo|whatsapp|telefono|mensaje"
    r"|emails?|mail|linkedin|llamada)\b|\bpor (?:correo|whatsapp|telefono|email|mail) (?:mejor|si|esta bien"
    r"|porfavor mejor)\b|(?<!no )(?<!me )(?<!nos )(?<!mas )(?<!a )\b(?:llam[ae]n?|escrib[ae]n?|contact[ae]n?"
    r"|habl[ae]n?) (?:a|con|al) (?!este|esta|mi numero|nosotros)|(?<!ne )(?<!me )\b(?:ecri(?:vez|s)|appel(?:ez|le)"
    r"|envo(?:yez|ie)|contacte?z?|rappel(?:ez|le)) (?:moi|nous)\b(?! (?:plus|jamais|pas))|\bplutot\b(?! (?:de"
    r"|crever))|\bprefer(?:ez|e|ons|ence)\b (?:pour )?(?:le |un |les |plutot |par )?(?:mail|email|sms|telephone"
    r"|whatsapp|message)|\b(?:mail|email|sms|message|appel|pdf|lien) suffi|\bpar (?:mail|email|telephone|sms"
    r"|whatsapp) (?:seulement|uniquement|svp|ca|je (?:reponds|prefere|suis)|de preference)\b|\bjuste (?:un"
    r"|par) (?:mail|sms|message|email)\b"
    r"|\b(?:por|via) (?:correo|email|mail|whatsapp|telefono|escrito|sms|teams|chat) (?:\w+ ){0,2}?(?:respondo|contesto"
    r"|contestamos|mejor|leo|siempre|perfecto|me va|hablamos|prefiero|atiendo|si)\b|\bcobertura\b"
    r"|\b(?:bad|poor|no) (?:signal|reception)\b|\bgoes (?:\w+ )?to voicemail\b|\bsalta (?:el|al) (?:buzon"
    r"|contestador)\b"
    r"|\btombe sur (?:la messagerie|le repondeur)\b"
    r"|\btry (?:the|my) (?:\w+ )?(?:phone|cell|line|office|desk|mobile|number|extension|email|landline)\b"
    r"|\bvoici (?:le|la|mon|ma) nouve\w+|\b(?:aqui|este|esta) (?:va|esta|es) (?:el|la|mi) nuev[oa]|\bhere is (?:my|the)"
    r" new\b"
    r"|\b(?:te|os|le|les) (?:llam|escrib|contact|avis)(?:amos|imos|o) (?:nosotros|nosotras|yo|luego|manana|cuando|la"
    r" semana|el \w+"
    r"|en cuanto)\b"
    # ... or through him or another, or when he comes back.
    r"|\bce est moi (?:qui (?:decide|signe|gere|valide|tranche|choisis|paie|pilote)|le (?:decideur|decisionnaire))\b"
    r"|\bla decision (?:me revient|est la mienne|es mia)\b|\b(?:soy yo quien|yo decido|yo llevo"
    r"|lo llevo yo)\b|\bi am the one who (?:decides|signs|buys|handles)\b|\bi (?:make|take) (?:the|these"
    r"|this) (?:\w+ )?decisions?\b"
    r"|(?<!not )(?<!never )(?<!to )\b(?:deal with|go through|come to|talk to|speak to|work with) me\b"
    r"|\bi (?:handle|deal with|run) (?:this|that|it|these)(?=$| ?[,.])|\b(?!who)\w+ (?:owns|handles|runs|manages"
    r"|is responsible for|looks after|deals with|takes care of) (?:it|this|that|these)(?=$| ?[,.])"
    r"|\b(?:passez|passe|adressez vous|voyez)(?: par| avec| a| directement)+ moi\b"
    r"|(?<!no )(?<!a )\b(?:habl|trat)\w+ (?:directamente )?conmigo\b"
    r"|\bje (?:vous |te |le )?(?:reviens|rappelle|recontacte|recontacterai|rappellerai|reviendrai)\b"
    r"|\b(?:i|we) (?:will|shall) (?:get|come|be) back (?:to you|in touch)\b"
    r"|\b(?:i|we) (?:will|shall|can) (?:call|ring|phone|text|email|ping|write|message)(?: you)?(?: back)? (?:tonight"
    r"|later|tomorrow"
    r"|when|after|once|this \w+|on \w+day|in (?:a|an|the) \w+)\b"
)

# The writer goes on: "Stop! You convinced me, when do we start?", "no need to call, I'm signing tonight".
GOES_ON = re.compile(
    r"\b(?:convinced|you had me|had me at|found (?:it|the (?:answer|solution))(?=$| ?[,.])|i am in|we are in"
    r"|book (?:me|it|us"
    r"|the)|sign(?:ing)? (?:it|me up|today|tonight|tomorrow|the)"
    r"|(?:when|where|how) (?:do|can|could|should) (?:i|we) (?:start|begin|sign|pay)|send (?:me |us |over "
    r"|through )*(?:the|a|your) (?:contract|quote|pricing|invoice|deck|agreement|offer)|call me|sounds great"
    r"|love (?:it|this)(?! if| when| to)|one question|(?:quick|have a|got a|1) question|can i ask|tell me (?:more"
    r"|about)|how much (?:is|does|do you|would|for)|(?:hell|heck) yes|what is the (?:price|cost)|(?:just )?kidding"
    r"|joking|\w+day works|does (?:it|that"
    r"|this) (?:work|integrate|include|come)|before you go)\b|\b(?:cuando (?:empezamos|arrancamos|firmamos)"
    r"|convencid[oa]|convenciste|convencieron|convences|convencen|lo (?:he |hemos )?encontr(?:amos|e|ado)(?=$"
    r"| ?[,.])|me encanta|adelante|firm(?:o|amos|are)|cuanto (?:cuesta|vale)|jaj"
    r"|(?:envia|manda|enviame|mandame|envie|mande) (?:el|la|los) (?:contrato|presupuesto|factura|oferta)"
    r"|si me interesa|y el precio|(?<!no )(?<!ni )me interesa (?!no))|\b(?:convaincus?|convaincue|on (?:signe"
    r"|commence|demarre|y va)|je signe|je (?:prends|valide)|quand (?:demarre|commence|signe)|quel est (?:le"
    r"|votre) (?:prix|tarif)|(?:une|ai une) question|combien (?:ca )?coute|envoyez (?:moi )?(?:le|un) (?:contrat"
    r"|devis)|je adore|est signe|cuentame mas|trouve (?:la (?:reponse|solution)))\b"
    r"|\b(?:inclut|comprend|incluye|includes?)\b[^?]{0,40}\?"
)
