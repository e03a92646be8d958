"""Spanish phrases by which a person asks us to stop contacting them.

Patterns see one sentence in canonical spelling; every repeat is bounded.
"""

from zrg_dagster.core.text.optout_rule import Rule, rule
from zrg_dagster.core.text.optout_spanish_words import (
    ASK,
    CLITIC_ME,
    CONTACT,
    INSTRUCTION,
    LIST,
    MORE,
    NO_WANT,
    NOUNS,
    OTHERS,
    PAST_QUESTION,
    UNWANTED,
    US,
    WHEN,
)

# One call or one parcel, not all of them: "tengo que cancelar la llamada de mañana".
_THIS_CALL = (
    r"\b(?:cancel|suspend|termin|acab|deten|dej|par|interrump|aplaz|pospon|elimin|cort)\w* (?:con )?(?:la|una|esta"
    r"|nuestra|mi|esa|tu) (?:\w+ "
    r")?llamada\b|\benvio (?:de|del) (?:(?:la|el|los|las|mi|nuestro|un) )?(?:contrato|pedido|paquete|factura|material"
    r"|producto|muestra|presupuesto)s?\b"
)

# What else one sends: "no me manden más muestras".
_NO_MESSAGE = (
    r"\b(?:no|nunca|jamas) (?:(?:me|nos|se) )?(?:(?:vuelv|sig)\w+ (?:a )?)?(?:envi|mand|remit)\w+ (?:mas |otr[oa]s? "
    r"|tant[oa]s |la |el |las "
    rf"|los |una? )*(?!(?:{NOUNS}|mas|la|el|las|los|una?|nada|nunca|jamas|porfavor|gracias|por|sus?|tus?|vuestr\w+"
    rf"|est[aeo]s?|es[aeo]s?"
    r"|ningun\w*|otr[oa]s?|tant[oa]s?|que|y|ni|al?|del?|desde|en|con|si|ya|ahora|porque|hasta|mierdas?|chorradas"
    r"|solicitudes"
    r"|invitaciones|tipo|clase|cualquier\w*|todo|contactar|escribir|llamar|pesad\w+)\b)[a-z]{3,}"
    r"|\bno (?:me |nos |se )?l[oa]s? (?:envi|mand|remit)\w+ (?!mas|nunca)"
)

RULES: tuple[Rule, ...] = (
    rule(
        "es.stop",
        "vale_de descontinu discontinu "
        "dej pare para parar cese ceses cesar basta termin suspend deteng deten alto stop absten absteng evit "
        "cancel cort bien_de bien_con chole interrump elimin suficiente detiene deje",
        r"(?:^|, )(?:porfavor |favor )?(?:pare|cesen?|deteng(?:an?|ase|anse)|paren(?:le)?)(?: (?:porfavor|esto|eso"
        r"|ahora))*(?= ,|$)",
        r"\b(?:dej(?:e|en|es|a|ad|ar|eis|ara|aran|aras|ase|asen|arais|aseis|arias?|arian|ando)(?:me|nos|lo|se)?"
        r"|par(?:e|en|a(?= (?:de|con)\b)|as|ad|ar|es|aras?|aran)|ces(?:e|en|ar|ad|a|es|aran?)|basta|termin(?:e|en|a|ar)"
        r"|suspend(?:a|an"
        r"|er)|acab(?:e|en|a|ad|ar)|absteng\w+|abst(?:en|ente|eneos|enerse)|evit(?:e|en|a|ar|ad|es|aran?)(?:me|nos)?"
        r"|deteng\w+)(?: porfavor| ahora)?(?: con| de)? (?:eso de |una vez de |volver a |seguir |estar "
        rf"|andar |intentar |tratar de |querer |pretender )?(?:{CLITIC_ME}|{CONTACT}(?=$| ?[,?]| (?:porfavor|gracias|a"
        rf" (?:este|mi|esta|nuestro)|mas|tant[oa]s?|esto|eso"
        r"|los|las|sus|tus|estos|estas|mensajes?|correos?|emails?|mails?|spam|publicidad|propaganda|sms|ahora|cosas"
        r"|por|y|o|ofertas|promociones|informacion|cualquier|ningun|tonterias|basura|newsletters|comunicaciones"
        r"|whatsapps?|hombre|tio|conmigo)))",
        r"\b(?:par(?:e|en|ar|ad|a)(?:le|se)?|cort(?:e|en|a|ad|ala|enla|ela|ar)|(?:esta|estuvo) bien(?= de)"
        r"|vale(?= de)|chole|alto a"
        r"|dej(?:e|en|ar|ad|a)(?:nse|se)?(?= (?:(?:los|las) (?:correos?|mensajes?|emails?|mails?|llamadas)|de |con |sus"
        r" |tus |est[oa]s |es[oa]s |tant|vuestr))|ces(?:e|en|ar|ad)|basta|suspend(?:an|a|er|ed)|interrump(?:an|a|ir|e)"
        r"|deteng(?:an|a)|deten|d[ie]scontinu(?:en|e|ar|ad)|acab(?:en|e|ad)|termin(?:en|e|ad)|cancel(?:en|e|ar|ad)"
        r"|fren(?:en|e)|alto|elimin(?:en"
        r"|e) )(?: de| con| el| la| los| las| todo| toda| cualquier| ahora)*(?: (?:envio"
        r"|recepcion)(?: de)?(?: cualquier| mas| todo| tipo| de)*)? (?:los |sus |tus |estos |estas |esos |esas "
        r"|tantos |tantas |todos |todas |las |mas |tanto |tanta |vuestr[oa]s |cualquier |tipo |de |este |esta |su "
        rf"|tu )*(?:{NOUNS}|contacto)\b",
        rf"(?:^|, |porfavor )cancel(?:a|e|en|ad) (?:tod[oa]s )?(?:est[oa]s|sus|tus|vuestr[oa]s) {NOUNS}\b(?! (?:de"
        r"|para|programad))",
        r"\bdej\w{1,4} de llegar(?:me|nos)?\b|\bstop (?:de )?(?:enviar|mandar|escribir|llamar|contactar)\b"
        r"|\bstop (?:de )?\w+(?:ar|er|ir)(?:me|nos)\b|\bstop (?:a |con |de )?(?:los |las |sus )?(?:mensajes?|correos?"
        r"|llamadas?|publicidad)\b|^(?:porfavor )?dejar de recibir\b",
        r"^(?:porfavor |favor de |gracias pero |no gracias |no |gracias |bueno |oiga |oye |ey |hola )*(?:paren|pare"
        r"|para|parad|basta|parar|alto|detenganse|detente|detengase|stop|parenle|parale|parele|dejenlo|dejalo"
        r"|dejelo|cesen|deja"
        r"|dejen)(?: (?:, )?(?:porfavor|esto|gracias|de una|con esto|con eso|ahora|stop|basta|aqui))*$",
        r"^(?:puedes|pueden|podrias?|podrian|podeis|podriais|(?:cuando|hasta cuando) (?:van|vais|vas) a) (?:parar"
        r"|cesar|dejarlo)(?: (?:porfavor|ahora))*(?: \?)?$",
        rf"\b(?:{ASK}|que) (?:que )?(?:pare|pares|paren|pareis|cese|cesen)(?=$| ?,| (?:porfavor|con|de una|ahora))",
        r"(?:^|, |porfavor )(?:paren|basta|parad|stop)(?: (?:porfavor|con esto|gracias))*(?= ,|$| no (?:quiero"
        r"|queremos|me|nos)\b)",
        # At the end "para" is the order, never the preposition.
        r"(?:, |porfavor )para(?: (?:, )?(?:porfavor|gracias))*$",
        r"\b(?:quiero|quisiera|queremos|deseo|deseamos|necesito|necesitamos|como (?:hago para|puedo|hacer para"
        r"|se hace para)|gustaria"
        r"|prefiero|preferiria|para|como) (?:\w+ )?dej(?:ar|en|e|o|amos) de (?:recib\w+|ser (?:contactad|molestad)\w+"
        r"|estar en (?:su|esta|la))",
        r"\bdej\w* de (?:hacer|dar)(?:me|nos) (?:mas |tanto )?seguimiento\b",
        r"\bfavor de (?:parar|cesar)(?=$| ?,| (?:porfavor|ahora)\b)",
        rf"\bque (?:me|nos) dej(?:e|en|es|eis) de {CONTACT}",
        exclamation=True,
        before=rf"{PAST_QUESTION}|{US}|\bse puede[n]? |\bno (?:quier\w+|queremos|deseo|me gustaria|esper\w+) que "
        r"|\b(?:no|nunca|ni) (?:me |nos |se |les |lo )?|\b(?:han|has|ha|habeis) ",
        after=rf"{WHEN}|(?: \w+)? (?:del?|para|sobre) (?:(?:la|el|los|las|mi|nuestr[oa]) )?(?:contrato|factura|pago"
        rf"|reunion|evento|curso|webinar"
        r"|proyecto|plataforma|app|sistema|cuenta|encuesta|pedido|renovacion)s?\b",
        unless=rf"\bno (?:me |nos |se )?(?:dej|par(?!a que\b)|ces)\w* |{_THIS_CALL}|{OTHERS}|\b(?:para|deja"
        r"|deje) (?:de )?(?:contactar|llamar"
        r"|escribir)(?:nos|me)? (?:use|usa|marque|llame|puede)|\bdejamos|\bdej(?:e|en|a|ar|as|es)(?:me"
        r"|nos)? (?:un |una |su |el |la |tu )(?:mensaje|correo|telefono|email|mail|informacion|contacto"
        r"|propuesta|whatsapp)|^para (?!de |ya|con |, |porfavor)|\?$(?<=mero \?)|\bantes de dejar\b|\ben frio\b",
        another_channel=True,
    ),
    rule(
        "es.no_longer_contact",
        "carec no_ ni_ nunca jamas tampoco sin_ de_us de_util ahorr inutil",
        rf"\bno (?:(?:me|nos) (?:esten?|estes|anden?|andes|sigan?|sigas) {CONTACT}|(?:esten?|estes|anden?) molest\w+)",
        rf"\b(?:no|ni) (?:se|te|os) molest\w+ (?:mas )?en (?:(?:volver a|seguir) {CONTACT}|{CONTACT}(?<=me)"
        rf"|{CONTACT}(?<=nos)"
        rf"|{CONTACT} (?:mas|de nuevo|otra vez))\b",
        r"\bno (?:me|nos|le|les) (?:den?|des|deis|hagan?|hagas|hagais) (?:mas |ningun )?(?:seguimiento|la lata|la"
        r" brasa)\b",
        r"\bno (?:me|nos) lleg(?:uen|ue) (?:mas|ningun\w*|otr[oa]|nada)\b",
        r"\b(?:no|nunca) (?:me|nos) habl(?:e|es|en)(?=$| ?,| (?:mas|nunca|porfavor))",
        r"\b(?:no|nunca|jamas|nunca mas|tampoco|ni)(?: (?:me|nos|se|lo|les|deben|debe|pueden|puede|podran|podra"
        r"|tienen que|tiene que))*(?: (?:vuelv|volv|sig|segu|sigu|continu|intent|trat|insist|pretend|se molest"
        rf"|quier)\w*(?: (?:a|en|de|que))?)?(?: (?:me|nos))? {CONTACT}(?: \w+){{0,3}}? (?:{MORE}|por (?:este|ningun"
        r"|favor|esta|whatsapp|correo)|porfavor|(?:por )?aqui|a (?:este|esta|mi|nuestro|nuestra|ADDR)|cosas|correos?"
        r"|mensajes?"
        r"|mails?|emails?|spam|publicidad|propaganda|sms|ofertas|promociones|tonterias|basura|conmigo|con nosotros)\b",
        r"\b(?:no|nunca|jamas|nunca mas|tampoco)(?: se)?(?: (?:me|nos))? (?:vuelv\w+|volv\w+|sig\w+|siga|sigas"
        rf"|continu\w+|segu\w+)(?: a| en)?(?: {CLITIC_ME}| {CONTACT})(?=$| ?[,?]| )",
        r"\b(?:no|nunca|jamas|nunca mas|ni) (?:me|nos) (?:contact|molest|acos|busqu|hostig|fastidi|incordi|escrib"
        r"|llam|marqu(?!\w* como)|mensaj|mand|envi|spam|insist)\w{0,7}(?=$| ?[,?]| (?:mas|por|nunca|otra|de nuevo"
        r"|porfavor|gracias|y|o|nada|ni|ningun\w*|que|jamas|stop|pesad\w+)\b)",
        r"\b(?:no|ni) (?:contactar|molestar|llamar|escribir|enviar|mandar|insistir|contacten|molesten|llamen|escriban"
        r"|envien|manden|insistan|insista|insistas|moleste|molestes|contacte|contactes|contacteis|llameis|escribais"
        r"|insistais)(?:me|nos)?(?: (?:a (?:este|mi|esta)|mas|por|porfavor|gracias|publicidad|correos|mensajes|emails"
        r"|nada).{0,30})?(?=$| ,)",
        rf"\bque (?:no|nunca|jamas) (?:se )?(?:me|nos) (?:{CONTACT}|vuelv\w+|volv\w+)(?:(?: \w+){{0,3}}? (?:mas|nunca"
        rf"|a {CONTACT})\b|(?=$))",
        r"\bno se (?:vuelv\w+ a )?comuni(?:qu|c)\w+ (?:con|mas|a)\b",
        r"\bno (?:me|nos) (?:anad|agreg|inclu|met|pong|inscrib|suscrib|apunt)\w* (?:mas |nunca )?(?:a|en) (?!(?:la |el "
        r"|una? |ningun"
        r"|ninguna )?(?:copia|reunion|invitacion|grupo de trabajo|contrato|webinar|espera|apuro|duda))",
        r"\b(?:numero|correo|telefono|linea|email|direccion)\b.{0,40}\bno l[oae]s? (?:us|utili)\w+",
        r"\b(?:no|nunca|dej\w+ de|no (?:vuelv|sig)\w+ a|absteng\w+ de|evit\w+) (?:us|utilic|utiliz)\w+ (?:(?:mi|mis"
        r"|este|esta|nuestro) )(?:\w+ )?(?:numero|correo"
        r"|datos|email|direccion|telefono|informacion|contacto)",
        r"(?:^|, |\b(?:porfavor|y|pero|gracias|interesa|que|hola) )(?:ya )?no (?:me|nos) (?:(?:llam|contact|molest"
        r"|mand|envi|busqu|marqu|texte|mensaje|fastidi|hostig|incordi|acos|atosig|bombarde)(?:e|en|es|eis)|(?:escrib"
        r"|insist|persig|jod)(?:a|an|as|ais))(?=$| ?,| (?:porfavor|gracias)\b)",
        rf"\b(?:no|nunca|jamas)(?: se)? (?:vuelv\w+|volv\w+) a {CONTACT}|\bno {CONTACT}(?<=me)(?: mas)?(?=$| ?,)"
        rf"|\bno {CONTACT}(?<=nos)(?: mas)?(?=$| ?,)",
        rf"\b(?:{ASK}|que) (?:que )?(?:no|nunca|jamas) (?:se )?(?:me |nos )?(?:vuelv\w+ a "
        rf"|volv\w+ a )?{CONTACT}(?: (?:mas|nunca|a este|a mi))?(?=$| ?[,?]| (?:mas|porfavor|nunca|a (?:este|mi|esta)"
        r"|por)\b)",
        r"\bno (?:se )?(?:vuelv\w+|volv\w+|volver) a (?:poner(?:se|te)|comunicar(?:se|te)|poneros) en contacto"
        r"|\bno (?:se|te) pong\w+ en contacto (?:con(?:migo| nosotros) )?(?:mas|nunca|de nuevo|con(?:migo| nosotros))",
        r"\b(?:no (?:hace|haria) falta|no es necesario|no hay necesidad de|no tiene sentido|inutil)(?: que)?(?: (?:me"
        rf"|nos))?(?: (?:vuelv\w+|volver|sig\w+)(?: a)?)? {CONTACT}(?: \w+)? (?:mas(?=$| ?[,?]| (?:porfavor|gracias|a"
        rf"|por|y|de|este|esta|sobre|ni|que|{NOUNS})\b)|de nuevo"
        r"|otra vez|nunca)",
        r"\b(?:no (?:hace|haria) falta|no es necesario|no hay necesidad de|no tiene sentido|inutil) que (?:me "
        rf"|nos )?(?:insist\w+|(?:vuelv\w+|sig\w+) (?:a )?{CONTACT})",
        r"\bno (?:se )?(?:pierd|malgast|gast)\w+ (?:mas )?(?:(?:el|su|tu"
        rf"|vuestro) )?tiempo (?:\w+ )?(?:{CONTACT}(?<=me)|{CONTACT}(?<=nos))",
        rf"\bahorr(?:ese|ate|ense|aos|eme|enme|enos|eselo|aroslo) (?:\w+ ){{0,2}}?{NOUNS}\b",
        r"\b(?:asegur\w+|procur\w+|garanti\w+|confirm\w+)(?: de)?(?: que)? no (?:se )?(?:me |nos )?(?:vuelv\w+ a "
        rf"|volver a )?(?:{CONTACT}|recib\w+)",
        r"\b(?:nunca|no|jamas) (?:les |le |te |os )?(?:di|dimos|(?:he|hemos) dado|doy|damos|otorgue) (?:mi |nuestro "
        r"|ningun |el |nuestra |mi )?(?:consentimiento|permiso|autorizacion)\b",
        r"\bsin (?:mi|nuestro|mi previo) (?:consentimiento|permiso|autorizacion)\b.{0,40}\b(?:contact|escrib|envi"
        r"|llam|mand)|\b(?:no tienen?|no tienes|nadie les dio|carecen de) (?:mi |nuestro "
        rf"|ningun )?(?:consentimiento|permiso|autorizacion|derecho) (?:para|a|de) (?:\w+ )?(?:{CONTACT}|(?:us|utiliz"
        r"|ten|guard|trat|almacen|conserv)\w+)",
        exclamation=True,
        before=r"\b(?:por que|cuando|si|aunque|mientras|hasta que|quien|ellos|nosotros|clientes|avise\w*|como"
        r"|que pena que|veo que|la persona que) (?:\w+ ){0,2}|\bp(?:or|ara) ",
        after=rf"{WHEN}| (?:en frio|para (?!ventas|esto|eso|publicidad|marketing|fines|promo|ofert|spam|nada|vender))|"
        rf" a (?:mi|la|el|los|mis|nuestr\w+) \w+ (?:sin|hasta|antes|aun|todavia)\b"
        r"| (?:versiones|cambios|borradores|archivos|facturas|fotos|pedidos|presupuestos)\b"
        r"|(?: mas)? de (?:un|una|dos|tres|cuatro|cinco|\d)\b",
        unless=rf"{_NO_MESSAGE}|"
        r"\b(?:el|la|los|un|una) (?:\w+ )?(?:pdf|factura|presupuesto|contrato|invitacion|enlace|documento"
        rf"|catalogo|demo|deck)\b|\bsi (?:no )?(?:me|nos) |\bno (?:me|nos) {CONTACT}{WHEN}|\bno (?:me"
        r"|nos) \w+(?:aron|ieron|aste|iste)\b|\bno (?:me|nos) (?:molesta|molestan|llama la atencion|envio"
        r"|enviaste|enviaron|envia|mando|mandaron|llamo|llamaron|contesto|contactaron|escribio|escribieron"
        r"|escribiste|contacto)\b(?! mas)|\bno me molesta(?:ria)?\b|\bmolest\w+ (?:para nada|en absoluto)\b"
        r"|\bno (?:deje|dejen|dejes|dude|dudes|duden|olvid)\w*|\bno mandamos|\bno (?:enviamos|llamamos"
        r"|escribimos|contactamos)|\bnunca (?:me|nos) (?:envi|mand|lleg|escrib|llam)\w*(?:aron|o|aste"
        r"|ieron)\b(?! mas)",
        another_channel=True,
    ),
    rule(
        "es.unwanted",
        "nieg nega no_ nunca jamas dejar_de ultim salir salgo borr quito prefer prefier rechaz harto harta cansad "
        "agradec "
        "mejor evitar gustaria deje",
        rf"{NO_WANT} (?:(?:estar |seguir |continuar )suscrit[oa]s?|(?:ser |seguir siendo )(?:\w+ )?parte de (?:su|esta"
        r"|este|tu|la))",
        rf"\b{NO_WANT} (?:vuelv\w+ a |sig\w+ )?(?:us|utiliz|utilic)(?:en|es|arl[oa]|ando)\b",
        r"\b(?:forma|manera|modo) de (?:no|dejar de) recibir\b",
        rf"\b{NO_WANT} {UNWANTED}",
        r"\b(?:prefier\w+|prefer\w+|gustaria|agradec\w+|agradezco|mejor|r(?:ue|o)g\w+|p[ei]d\w+|solicit\w+|quisi\w+"
        r"|quiero|queremos"
        r"|exij\w+|exig\w+|dese\w+"
        r"|querria\w*"
        rf"|rogaria)(?: \w+){{0,3}}? no (?:volver a |seguir |tener que )?{UNWANTED}",
        r"\b(?:harto|harta|hartos|cansad[oa]s?|aburrid[oa]) de (?:tant[oa]s? |tus |sus |estos |estas |recibir |que "
        rf"|los |las |vuestr[oa]s )+(?:\w+ )?(?:{NOUNS}|(?:me|nos) {CONTACT})",
        rf"\b(?:rechaz|niego|negamos)\w* (?:a )?(?:recibir|cualquier|todo|que me|a que) ?(?:\w+ )?(?:{NOUNS}|{CONTACT}"
        r"|contacto)?\b",
        r"\b(?:no|nunca) (?:vuelva|volver|volvamos|vuelvan|quiero volver) a (?:recibir|ver|saber) (?:nada |mas "
        r"|ningun\w* |ni )*(?:de|sus|tus|correos?|mensajes?|mails?|emails?|otro|un|estos|publicidad|comunicaciones)\b",
        r"\b(?:quiero|deseo|ojala)? ?que (?:este|esto|ese) (?:sea|fuera) (?:el|su|tu) ultim[oa]\b|\b(?:este"
        r"|esto) (?:debe|deberia|tiene que|sera|es) (?:ser )?(?:el|su) ultim[oa] (?:correo|mensaje|llamada|email|mail"
        r"|vez) que(?! me falt| (?:\w+ )?necesit)",
        r"^(?:porfavor |gracias )*no quiero mas(?: de (?:esto|eso|lo mismo))?$",
        r"\b(?:quiero|quisiera|deseo|como|necesito|puedo|pido|solicito)(?: \w+)? (?:salir(?:me)?|salgo|salirme"
        rf"|me salgo|borrarme|me borro|quitarme|me quito|me saco) {LIST}",
        r"\b(?:como|que) (?:\w+ ){0,3}?(?:hago|hacer|puedo) (?:\w+ )?para (?:no|dejar de) (?:recibir|que)",
        before=r"\b(?:si|quien|clientes|ellos|leads|prospectos) (?:\w+ )?",
        after=rf"{WHEN}| (?:un|una) (?:bot|robot|maquina|comercial)\b",
        unless=r"\b(?:la|el|una?|los) (?:\w+ )?(?:factura|presupuesto|pdf|contrato|catalogo|oferta economica|reunion"
        r"|oportunidad|demo|leads?)\b|\bpero si\b|\bleads\b|\binformacion (?:sobre|de) otr|, (?:lo que )?(?:necesit"
        r"|busc)(?:o|amos) |\bsino\b"
        r"|(?<!recibir )(?<!recibiendo )(?<!envien )(?<!manden )(?<!envie )(?<!mande )(?<!envies )\bmas "
        rf"informacion\b(?! comercial|suya)|\bnecesito mas\b|{INSTRUCTION}|{OTHERS}|\bno solo\b"
        r"|\bno (?:necesito|necesitamos) (?:mas )?(?:informacion|info|propuestas?|material|ofertas?"
        r"|contenido)\b|\bno (?:me|nos) interesan? (?:la|el|su|esta|esa|tu|los|las|sus|esa)? ?(?:oferta"
        r"|propuesta|ofertas|propuestas|promocion|informacion|campana|material|contenido)s?\b",
        another_channel=True,
    ),
    rule(
        "es.no_more",
        "no_ ni_ sin_ ningun cero nada_de dad_no ones_no ers_no ing_no",
        r"(?:^|, |\b(?:porfavor|gracias|favor|pero|y|que|quiero|eh|interesa) )(?:(?:no|sin)(?: mas| more| un| otro"
        r"| otra"
        r"| una)+|(?:ni un|ni una|ningun|ninguna|cero|nada)(?: mas| otro| otra)*)(?: de)?(?: sus| estos| tus"
        rf"| estas)? {NOUNS}\b(?! de mi| por mi)",
        r"\b(?:publicidad|promociones|newsletters?|marketing) no(?=$| ,)",
        rf"\b(?:ni|no) (?:un|una) (?:solo |sola )?(?:{NOUNS}) (?:mas|por)\b",
        r"^(?:porfavor |gracias |hola )*no mas(?: (?:,|porfavor|gracias|de esto))*$",
        before=r"\b(?:hay|tengo|tenemos|recibo|recibimos|lleg\w+) ",
        after=WHEN,
        unless=r"\b(?:hace falta|necesari|pregunta|dudas)",
        another_channel=True,
    ),
    rule(
        "es.leave_me_alone",
        "fastid incord dej jod vayanse vete larg olvid pierd joder jodan mierda molest insist",
        r"\b(?:me|nos) (?:\w+ )?dej\w+ en paz\b|\b(?:dejen?|deja|dejad|dejar|dejes)(?:me|nos) (?:en paz|tranquil\w+"
        rf"|de (?:molestar|joder|{CONTACT}))|\b(?:vayanse|vete|larguense|largate|pierdanse|pierdase|pierdete)\b"
        r"|\b(?:olvid(?:e|en|a|ad|ense|ese|ate|ar|es)|pierd(?:a|an|e)|tir(?:e|en|a))(?:se)? (?:de )?(?:mi|este"
        r"|nuestro) (?:numero|correo|contacto|telefono|celular|movil|email|direccion)",
        r"^(?:porfavor )?dej(?:en|a|e|ad)(?:me|nos)(?: porfavor| ahora)*$",
        r"\bdej\w+ de (?:dar|darme|darnos|tocar|hinchar)(?:me|nos)? (?:la |las |los )?(?:lata|brasa|tabarra|cona"
        r"|narices|huevos|pelotas)\b",
        r"\bolvid(?:ese|ense|ate|aos|enme|ame|eme) de (?:mi|nosotros|que existo)(?=$| ?[,?])"
        r"|^(?:porfavor )?olvid(?:enme|ame|eme|adme)$",
        r"\bdej\w+ en paz (?:a )?(?:este|mi|nuestr[oa]|esta)\b|\bdej\w+ (?:mi|nuestro|este) (?:correo|numero|telefono"
        r"|email) en paz|\bno (?:me |nos )?(?:jod(?:as?|an|ais)|fastidi\w+)\b|\bvete a la mierda|\bvayan a la mierda",
        r"^(?:porfavor |favor de |gracias |que )*(?:no|dejen de|deja de|deje de) (?:insist|molest|jod|fastidi"
        r"|incordi)\w*(?: (?:mas|porfavor|gracias|tanto))*$",
        before=r"\bno (?:se |te |me |os )?",
        unless=r"\bdej\w+ (?:un|una) \b|\bno (?:se |te )?olvid",
    ),
)
