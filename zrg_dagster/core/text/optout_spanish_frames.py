"""Spanish requests to stop as frames around one event: that we contact the writer, or that he gets what we send.

A third person's wish that the writer passes on ("mi jefe no quiere recibir ..."), a last time, an unsubscribe that did not
work, a verb that ends the mailings with any object, data to be kept or used no more, and "delete it" behind what "it"
is. Patterns see one sentence in canonical spelling, those of a rule of the whole text all of them; every repeat is bounded.
"""

from zrg_dagster.core.text.optout_rule import Rule, rule
from zrg_dagster.core.text.optout_spanish_words import (
    CLITIC_ME,
    CONTACT,
    INSTRUCTION,
    LIST,
    MISTAKE,
    NOUNS,
    OTHER_THING,
    OTHERS,
    PLACE,
    UNWANTED,
    WHEN,
)

# Somebody for whom the writer speaks, or the house.
_SPOKEN_FOR = (
    r"(?:mi (?:jef[ea]|director[a]?|madre|padre|marido|esposa|esposo|mujer|hij[oa]|soci[oa]|clienta?|abuel[oa]"
    r"|empresa|compania|equipo|hermano|hermana|companer[oa]|representad[oa])|(?:nuestr[oa]|la"
    r"|esta) (?:\w+ )?(?:empresa|compania|organizacion|direccion|directora|gerencia|equipo|jef[ea]|cliente|oficina"
    r"|titular|sociedad|entidad|familia)|(?:nuestr[oa]|el|la|est[ea]|mi) "
    rf"{PLACE}|el (?:\w+ )?(?:director|gerente|jefe|senor|dueno|titular"
    r"|equipo)(?: \w+){0,2}|la (?:senora|senorita)(?: \w+){0,2}|(?:el )?sr(?: ,)? \w+|(?:la )?sra(?: ,)? \w+"
    r"|nadie(?: \w+){0,3}|ell[oa]s?|el)"
)
_WANTS = (
    r"(?:quieren?|desean?|acepta[n]?|autoriza[n]?|consienten?|interesan?|necesitan?|permiten?|quiera|desea que"
    r"|solicita|pide)"
)
_THEIR_WISH = (
    rf"(?:{UNWANTED}|(?:ser|que (?:l[aoe]s?|se l[aoe]s?)|seguir siendo) (?:vuelv\w+ a )?(?:\w+ )?(?:contactad|molestad"
    rf"|llamad|{CONTACT})\w*|(?:(?:estos|sus|tus|mas|esos|ningun|vuestros|estas|mas de) )+(?:{NOUNS}|cosas)|(?:saber"
    r"|oir) nada)"
)
_MY_THING = (
    r"(?:numero|correo|email|mail|direccion|telefono|movil|celular|datos|contacto|nombre|linea|buzon|persona|cuenta"
    r"|informacion)"
)

RULES: tuple[Rule, ...] = (
    rule(
        "es.on_behalf",
        "no_ nadie",
        rf"\b{_SPOKEN_FOR} (?:ya )?(?:me (?:pide|ha pedido|dice) (?:\w+ ){{0,4}}?que )?no (?:{_WANTS}) (?:que "
        rf")?{_THEIR_WISH}",
        rf"\b(?:les?|os|te) (?:pide|piden|ruega|ruegan|ha pedido|solicita|agradeceria) (?:\w+ )?que (?:ya )?no"
        rf" (?:l[eoa]s?) "
        rf"(?:vuelv\w+ a )?{CONTACT}",
        r"\b(?:me (?:pide|piden|ha pedido|encarga|indica|ruega)|de parte de|en nombre de|asistente)\b.{0,80}\bno "
        rf"{_WANTS} {_THEIR_WISH}",
        rf"\bnadie (?:\w+ ){{0,3}}?(?:quiere|desea|pidio|ha pedido|solicito|necesita) (?:\w+ )?{_THEIR_WISH}",
        before=r"\b(?:si|porque|que) (?<!pide que )(?<!dice que )",
        after=rf"{WHEN}| (?:el|los|las) (?:viernes|lunes)",
        unless=rf"{OTHERS}|\bpero (?:yo )?si\b|\b(?:leads?|reuniones|seguros|excel|comerciales)\b",
        another_channel=True,
        exclamation=True,
    ),
    rule(
        "es.last_time",
        "ultim",
        r"\b(?:que|espero que|quiero que|ojala|deseo que|procuren que) (?:\w+ )?(?:este |esto |esta |esa "
        rf"|ese )?(?:sea|fuera|fuese) (?:\w+ )?(?:el|la|su|tu) ultim[oa] (?:vez|{NOUNS})",
        rf"\bultim[oa] (?:vez|{NOUNS}) que (?:quiero|queremos|deseo|espero|voy a) (?:recib|ver|leer|aceptar|tener)\w*",
        r"\bultim[oa] (?:vez|mensaje|correo|aviso)(?: que)? (?:me |nos |les |se |te |lo |le )*(?:escrib|llam|contact"
        r"|molest|pido|digo|repito)\w*",
        before=r"\bcuando (?:fue )?(?:la )?",
        unless=r"\?$|\b(?:oferta|precio|pregunta)\b",
    ),
    rule(
        "es.end_it",
        "como_me corta deteng para_con "
        "cansando hasta_l hasta_el borr elimin quit suprim salir spam pare termin acab esto eso suspend cese "
        "cesar parenle corten dejate "
        "dejen harto harta fuera salir salgo desactiv apag cierr "
        "stop basta interrump",
        r"\b(?:esto|eso|tod[oa]s? est[oae]s?|sus \w+|estos \w+|estas \w+) (?:tiene[n]? que|debe[n]?|ha[n]? de"
        r"|deberia[n]?) (?:parar|terminar|cesar|acabar|finalizar)",
        r"\b(?:quiero|quisiera|exijo|pido|necesito|queremos|deseo) que (?:esto|eso|tod[oa] esto|sus \w+|estos \w+"
        r"|estas \w+|los \w+|las \w+) (?:pare|paren|termine|terminen|cese|cesen|acabe|acaben)\b",
        r"(?:^|, |\b(?:porfavor|favor|y|ya) )(?:termin|acab|par|cort|suspend|interrump|finalic|desactiv|deteng"
        r"|ces)\w{1,4}(?:le)? (?:ya )?(?:con |de |a )*(?:(?:esto|eso|todo esto)(?=$| ?,| porfavor)|(?:(?:los|las|el"
        r"|la|sus|tus|estos|estas|este|esta|tod[oa]s?"
        rf"|cualquier|mi|nuestra|mas) ){{1,3}}(?:{NOUNS}|suscripcion|comunicacion|contacto|insistencia))",
        rf"\b(?:dejate|dejense|dejese|dejaos) de (?:(?:tant[oa]s?|estos|tus|sus|tus|mas) )?(?:{NOUNS}|joder"
        r"|molestar|fastidiar|escribir|llamar"
        r"|mandar|insistir)",
        r"\b(?:cese|fin|suspension|interrupcion) (?:\w+ )?(?:de|a|en) (?:(?:los|las|sus|tod[oa]s?|el|la|toda|este"
        rf"|cualquier) ){{0,3}}(?:\w+ )?(?:{NOUNS}|contacto)",
        r"\b(?:(?:me|nos) (?:estan?|estas) cansando|estoy hasta (?:las narices|el gorro|la coronilla|los huevos"
        r"|el mono|la madre)|(?:me|nos) tienen?s? (?:hart|cansad|aburrid|agotad|podrid)\w*|estoy (?:hart|cansad"
        r"|podrid)\w*|(?:hart|cansad|podrid)[oa]s?) (?:con|de) (?:que |(?:tant[oa]s?|estos|sus|tus|recibir|los|las|tu"
        rf"|su) )*(?:{NOUNS}|me {CONTACT}|acoso|insistencia)",
        r"\bfuera (?:de )(?:mi|nuestro|mis) (?:\w+ )?(?:bandeja|whatsapp|correo|buzon|telefono|inbox|vida|dms"
        r"|mensajes|movil)",
        r"\b(?:ayud\w+|como puedo|quiero|necesito|dej\w+) (?:a )?salir de (?:esta|su|la|tu|este|estos) (?:lista"
        r"|correos?|envios|grupo|base)",
        r"\b(?:dej|par|ces|bast)\w* (?:de |ya de )?(?:hacer|hacerme|hacernos|mandar|enviar) (?:tanto )?spam",
        r"^(?:porfavor |y )*(?:borr|elimin|quit|suprim)(?:e|en|a|ar|an|ad)(?:l[oae]s?)?(?: (?:datos|todo|numero"
        r"|contacto|correo|mis datos|el numero|este numero|mi numero))?(?: porfavor| gracias| ya)*$",
        rf"^(?:(?:quiero|porfavor|me quiero|quisiera|deseo) )*salir(?:me)?(?: (?:porfavor|ya|gracias|{LIST}))*$",
        rf"\bme salgo {LIST}",
        r"\b(?:apag|desactiv|desconect)\w+ (?:el|ese|su|este|tu|vuestro) (?:bot|robot|automat\w+)\b",
        r"\bcomo me (?:desapunt\w+|borro|desuscrib\w+)(?=$| \?| de)",
        r"\b(?:esto|eso|lo suyo|lo vuestro) (?:ya )?es (?:\w+ )?acoso\b|\b(?:me|nos) (?:estan?|estas"
        r"|estais) (?:acosando|hostigando|bombardeando|molestando)",
        before=r"\b(?:no|nunca|para|si|por que|como|podemos|tenemos que|hay que|vamos a|queremos) (?:\w+ )?",
        after=rf"{WHEN}| (?:que (?!me|nos)|para|con) ",
        unless=rf"{OTHERS}|{INSTRUCTION}|\b(?:nuestr[oa]s?) (?:equipo|campanas?|proyecto|comerciales)\b|\bno (?:me "
        r"|nos )?(?:dej|par|ces)\w+ |\bleads?\b|\ben frio\b|\?$",
        another_channel=True,
        exclamation=True,
    ),
    rule(
        "es.unsubscribe_failed",
        "baja scri que_me que_nos",
        r"\b(?:ya )?(?:me|nos) (?:di|dimos|he dado|hemos dado|borre|desapunte|desuscrib\w+)(?: \w+){0,3}? (?:baja"
        r"|suscri\w+|$)?.{0,40}\b(?:y|pero|aun asi|aunque) (?:\w+ ){0,3}?(?:siguen?|sigo|seguis|continu\w+|llegan?"
        r"|recib\w+|todavia|insist\w+|me (?:escrib|llam|mand|envi)\w+)",
        r"\b(?:pedi|pedimos|dije|dijimos|solicite|solicitamos|he pedido|hemos pedido|he dicho"
        r"|exigi)(?! a (?!usted|su\b|sus\b|tu\b|vosotros|vuestr|alguien))(?: \w+){0,3}? que (?:me|nos|lo|la) (?:borr"
        r"|elimin|quit|sac|retir|suprim|dej|dieran|diesen)\w*",
        r"\bno (?:puedo|logro|consigo|pude|podemos|me deja[n]?|hay manera de|hay forma de|se puede|se como) (?:darme"
        r"|darse|dar|darnos|desuscribir\w*|desuscribirme)\b",
        r"\b(?:boton|enlace|link|opcion|pagina) (?:de|para) (?:\w+ )?(?:\w+ )?(?:baja|suscripcion"
        r"|desuscri\w+)\b.{0,30}\b(?:no (?:\w+ )?(?:nada|funciona|va|sirve|carga|abre)|error|rot[oa]|falla)",
        r"\b(?:me |nos )?(?:siguen?|continuan|insisten) (?:\w+ )?(?:escrib|llam|mand|envi|llegando"
        r"|contact)\w* .{0,40}\b(?:si|aunque|cuando|pese a que) (?:ya )?(?:me di|pedi|me borre|me desuscrib|dije"
        r"|solicite)\w*",
        r"\b(?:me|nos) (?:di|dimos) de baja\b.{0,20}\b(?:y|pero) (?:aun|sigo|siguen|seguis|sigue|todavia|me (?:sig"
        r"|lleg)\w+)",
        r"\bno (?:funciona|va|sirve|hace nada) (?:el|su|vuestro|tu) (?:enlace|link|boton) (?:de"
        r"|para) (?:\w+ ){0,2}?(?:baja|suscripcion|desuscri\w*)",
        r"\b(?:pedi|solicite|pedimos|he pedido|he solicitado|pulse|he pulsado|cancele"
        r"|hice clic) (?:\w+ ){0,5}?(?:baja|suscripcion)\b",
        r"\b(?:confirm|tramit|proces|gestion|atiend|acept|registr|hag|efectu|ejecut)\w*(?:me"
        r"|nos)? (?:por escrito )?(?:la|mi|nuestra|esta) (?:\w+ )?baja\b",
        r"\bno hay (?:\w+ ){0,3}?(?:de|para) (?:darse|darme|dar) de baja|\b(?:donde|como) (?:me doy|puedo darme"
        r"|se da uno|nos damos) de baja",
        unless=rf"{MISTAKE}|{OTHERS}|\b(?:proveedor|contrato|plan|servicio|gimnasio|hubspot)\b|\bquiero seguir\b",
    ),
    rule(
        "es.my_data",
        "consien "
        "asegur procur garant confirm guard conserv almacen compart vend trat tengan teng autoriz _us consent "
        "permis permit niego nieg utili",
        r"\bno (?:\w+ )?(?:guard|conserv|almacen|compart|vend|trat|ced|difund|teng|us|utilic|utiliz"
        rf"|explot)\w+ (?:mas )?(?:mi|mis|nuestr[oa]s?|este|esta) (?:\w+ )?{_MY_THING}",
        r"\bno (?:(?:les?|los|te|os|nos) )?(?:autoric\w+|autoriz\w+|permit\w+|consient\w+|di permiso|he autorizado"
        r"|he dado permiso|doy permiso)(?: \w+){0,4}? (?:us|utili|trat|guard|conserv|escrib|contact|llam|envi|mand"
        r"|molest|ten)\w*",
        rf"\bno (?:autoriz|permit|consient)\w+ (?:a que |que )(?:\w+ )?(?:{CLITIC_ME}|us\w+|utilic\w+)",
        r"\b(?:me|nos) (?:niego|negamos) a (?:recib|que (?:me|nos)|seguir|ser|tener)\w*",
        r"\b(?:asegur\w+|procur\w+|garantic\w+|confirm\w+)(?:se|nse)?(?: de)? que no (?:se )?(?:me"
        r"|nos) (?:vuelv\w+ a )?(?:llegu|envi|escrib|contact|mand|llam)\w*",
        before=r"\b(?:si|nosotros|ellos|clientes) (?:\w+ )?",
        unless=rf"{OTHERS}|\b(?:leads?|plataforma|herramienta|trial|prueba)\b|\?$",
        another_channel=True,
    ),
    rule(
        "es.forbidden",
        "prohib interes_en revoc consentimiento autorizacion permiso bienvenid desead indesead publicidad absteng spam",
        r"\b(?:les |os |te |le |queda |esta )?prohib(?:o|imos|ido|ida)(?: \w+){0,2}? (?:us|util|contact|llam|escrib"
        r"|envi|mand|el uso|tratar|que (?:me|nos|us))\w*",
        r"\b(?:ningun|nulo|cero|ni el menor|no tengo|no tenemos) (?:\w+ )?interes (?:en|por) (?:recib|seguir"
        r"|que (?:me|nos|sig)|sus|ser|tus|estar|volver)\w*",
        r"\b(?:revocad[oa]|retirad[oa]|anulad[oa]) (?:\w+ )?(?:mi|nuestr[oa]|el|todo) (?:consentimiento|autorizacion"
        r"|permiso)",
        r"\b(?:no cuentan?|no cuentas|sin contar|no disponen?|no tienen?|carecen?) (?:\w+ )?(?:con |de )?(?:mi"
        r"|nuestr[oa]) (?:consentimiento|autorizacion|permiso)",
        rf"\b(?:sus|tus|estos|estas|vuestr[oa]s|esos) (?:\w+ )?(?:{NOUNS}) (?:\w+ )?(?:no (?:son"
        r"|es) (?:\w+ )?(?:bienvenid|desead|solicitad|grat)|son (?:indesead|no desead|spam|acoso|una molestia))\w*",
        r"\b(?:correo|buzon|direccion|numero|telefono|linea|email|cuenta)\b.{0,50}\b(?:no (?:acept|admit"
        r"|recib)\w+ (?:publicidad|propaganda|ofertas|ventas|spam|promociones)|absteng\w+(?=$| ?,| de))",
        r"\b(?:ya )?(?:los|te|lo|les|le|la|su numero|este numero) (?:\w+ )?(?:reporte|denuncie|bloquee"
        r"|marque)(?: (?:como|por|a)|$)|^(?:reportado|denunciado|marcado) (?:como|por) spam$",
        before=r"\b(?:si|por que|cuando) (?:\w+ )?",
        unless=rf"{OTHERS}|\b(?:leads?|clausula|contrato|error)\b|\?$",
    ),
    rule(
        "es.nothing_more",
        "ni_ exclusion retirada eliminacion supresion borrado no_ nunca_",
        rf"^(?:no |gracias |porfavor |, )*ni {NOUNS} ni (?:\w+ )?(?:{NOUNS}|nada)",
        r"\b(?:mi|nuestra) (?:exclusion|retirada|eliminacion|supresion|borrado|salida) (?:\w+ )?de (?:su|sus|la|tu"
        r"|esta|vuestra|todas|cualquier)",
        r"\b(?:no|nunca) (?:les |le |te |os )?(?:di|dimos|he dado|facilite|proporcione) (?:mi|este|nuestro"
        r"|el) (?:numero|correo|telefono|email|mail)\b",
        unless=rf"{OTHERS}|\?$",
    ),
    rule(
        "es.somebody_else",
        "otro otra alguien",
        r"\b(?:molest|fastidi|busqu|llam|escrib|incordi|jod|vend|acos)\w* (?:mejor )?(?:a (?:otr[oa]s?|alguien mas)"
        r"|a otr[oa] (?:persona|parte|lado|cliente))(?=$| ?,| porfavor)",
        r"\b(?:vayan?se|vete|anda|vaya|vayan|andate|idos)? ?a (?:molestar|vender|llamar|fastidiar|joder|escribir"
        r"|hacer spam) (?:a )?(?:otr[oa] (?:lado|parte|persona|sitio)|otr[oa]s?|alguien)(?=$| ?,)",
        before=r"\b(?:no|puedo|puedes|podria|quiero|debe) (?:\w+ )?",
        unless=r"\b(?:numero|telefono|correo|departamento)\b",
    ),
    rule(
        "es.exclude_us",
        "no_ lista blanca",
        r"\bno (?:me|nos) (?:\w+ )?(?:inclu|agreg|anad|met|pong|suscrib|inscrib|apunt|sum)\w+ (?:mas |nunca "
        r"|de nuevo |otra vez )?(?:a|en) ",
        r"\b(?:tom|tengan?|ten)\w* (?:buena )?nota de (?:mi|nuestra|que (?:\w+ ){0,3}?no (?:quier|dese|quer)\w+)",
        before=r"\b(?:por que|si) ",
        unless=rf"\b(?:reunion|invitacion|copia|webinar|grupo de trabajo|contrato)\b|{OTHERS}",
    ),
    rule(
        "es.threat",
        "reclamacion queja denunci deman report bloque autoridad agencia aepd profeco abogad policia proteccion",
        rf"\b(?:si|como|otro|otra|un|una|la proxima|el proximo|al proximo|a la proxima)\b.{{0,50}}(?:{CONTACT}|{NOUNS}"
        rf"|mas|vez)\b.{{0,40}}\b(?:denuncio|denuncia|denunciare|denunciamos|demando|demanda|demandare|reporto"
        r"|reportare|bloqueo|bloqueare|aepd|profeco|autoridades|abogad[oa]s?|policia)\b",
        r"\bsi (?:recib\w+|me lleg\w+|nos lleg\w+|sig\w+|vuelv\w+)\b.{0,40}\b(?:present|pon|interpon)\w+ (?:una"
        r" )?(?:reclamacion"
        r"|queja|denuncia)\b",
        r"\bsi (?:sig\w+|segu\w+|contin\w+|insist\w+|vuelv\w+|no (?:par|dej)\w+)\b.{0,50}\b(?:denunci\w+|demand\w+"
        r"|report\w+|aepd|abogad\w+|bloque\w+)",
        r"\b(?:denunci\w+|aepd|abogad\w+)\b.{0,30}\bsi (?:sig\w+|segu\w+|contin\w+|insist\w+|vuelv\w+|no (?:par"
        r"|dej)\w+)\b",
        r"\b(?:la|el) proxim[oa] (?:\w+ )?(?:va|ira|se va) a (?:la )?(?:proteccion de datos|aepd|policia"
        r"|mi abogad[oa])",
        unless=rf"{OTHERS}|\bnuestro sistema\b",
    ),
    rule(
        "es.erase_it",
        "fallec murio jubil no_trabaja borr elimin quit retir suprim saqu sac remuev olvid",
        r"\b(?:mi|este|esta|nuestro|nuestra|mis|el|la|su|ese|sus|los|de|un) (?:\w+ "
        rf")?{_MY_THING}\b[^@]{{0,120}}\b(?:borr|elimin|quit|retir|suprim|saqu|remuev|descart|olvid)(?:a|e|en|an|ar|ad"
        r"|as|es|enl|eis|ir)l[oae]s?(?=$| ?[,.?]| (?:porfavor|ya|gracias|y|de|ahora|inmediat\w+)\b)",
        rf"\b{_MY_THING}\b[^@]{{0,100}}\bolvid(?:e|en|a|ad|ar|ense|ese|ate)(?:se)? de (?:el|ella|ellos)\b",
        rf"\b{_MY_THING}\b[^@]{{0,100}}\b(?:que|quiero|quisiera|solicito que|pido que|exijo que"
        r"|favor que) (?:\w+ )?(?:me )?l[oae]s? (?:borr|elimin|quit|retir|suprim|saqu|remuev)\w+",
        r"\b(?:no trabaj[ao]|no trabajamos|no vive|no es mi|me jubile|fallecio|murio|ha fallecido|se jubilo"
        r"|no esta(?= aqui| en la)|dejo la empresa|no es el (?:numero|correo|telefono)|numero equivocado"
        rf"|no soy)[^@]{{0,100}}\b(?:borr|elimin|quit|retir|suprim|saqu|remuev)\w+ (?:porfavor )?(?:su|el|este|mi|ese"
        rf"|la|esta) (?:\w+ )?{_MY_THING}",
        r"\b(?:fallecio|murio|ha fallecido|fallecid[oa]|se jubilo"
        rf"|no trabaja)\b[^@]{{0,100}}\bno l[ea]s? (?:vuelv\w+ a )?{CONTACT}",
        unless=rf"{OTHERS}|{OTHER_THING}|\b(?:antiguo|viejo|anterior|duplicad|prueba|archivo|fichero|adjunto"
        r"|presupuesto|guarda este|usa este|no l[oae]s? (?:borr|elimin|quit))\w*\b|\b(?:como|podemos|puedo"
        r"|debo|hay que|queremos|necesitamos) (?:\w+ )?(?:borr|elimin|quit)",
        whole=True,
    ),
)
