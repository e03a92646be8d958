"""Spanish phrases by which a person asks to be unsubscribed, removed, or put on a list of people not to contact.

Patterns see one sentence in canonical spelling; every repeat is bounded. Requests to stop contacting stand in
`optout_spanish_contact`, the vocabulary in `optout_spanish_words`.
"""

from zrg_dagster.core.text.optout_rule import Rule, rule
from zrg_dagster.core.text.optout_spanish_words import (
    ENDING,
    INSTRUCTION,
    LIST,
    MINE,
    MISTAKE,
    OTHER_THING,
    OTHERS,
    REMOVE,
)

RULES: tuple[Rule, ...] = (
    rule(
        "es.unsubscribe",
        "baja scrib scrip mi_registro",
        r"\bbaja del (?:newsletter|boletin|correo|mailing|listado|grupo|registro)\b",
        r"\b(?:d[aeo](?:r|n|d|s|mos|is)?|(?<=me )doy|(?<=nos )damos|dieran?|diesen?|diera|den|dad|darais|dando|dado"
        r"|dada|dados|deis|des|darian?|tramit\w+|proces\w+|gestion\w+|caus\w+)(?:me|nos|melo|se"
        r"|os)?(?: por favor)?(?: de| mi| la| una| esta)+ baja\b",
        r"\b(?:quiero|queremos|deseo|solicito|solicitamos|solicite|solicitado|pido|pedi|pedimos|pedido|favor|porfavor"
        r"|necesito|quisiera|prefiero|exijo|ruego|rogamos)(?: \w+){0,2}? (?:la |mi |una |dar )?(?:de )?baja\b",
        r"\b(?:mi|nuestra|como|esta) (?:\w+ )?(?:solicitud|peticion) de (?:baja|eliminacion|supresion|exclusion"
        r"|cancelacion)\b",
        r"\bcomo (?:de )?baja(?=$| ?,| porfavor)",
        r"(?:^|, )(?P<do>)(?:porfavor |favor |gracias |la |mi |una |solicitud )*(?:de )?baja(?: (?:porfavor|gracias"
        r"|ahora|inmediata|definitiva|total|urgente))*(?=$| ?,)",
        r"\bbaja (?:porfavor|inmediata|de (?:su|esta|la|sus|estos|este|tu|mi|todas?|todos) (?:\w+ )?(?:listas?"
        r"|correos?|base|envios|newsletter|boletin|suscripcion|comunicaciones|emails?|numero|direccion|mails?))",
        r"\b(?:des-?suscrib|de-?suscrib|desinscrib|desubscrib|unsuscrib|desuscrip|dessuscrib)\w{0,8}",
        r"\b(?:cancel|anul)\w{0,6} (?:(?:(?:mi|la|esta|nuestra) )?(?:suscripcion|subscripcion)|mi (?:registro"
        r"|inscripcion))\b(?! (?:a|de|con"
        r"|en) (?!(?:su|sus|esta|este|estos|tu|la (?:lista|newsletter)|los correos|correos)))",
        before=r"\b(?:tasa|enlace|boton|link|numero|pagina|opcion|proceso) (?:de|para) (?:la )?|\b(?:no|ni"
        r"|nunca) (?:\w+ ){0,3}|\b(?:me|nos) (?:di|dimos) (?:\w+ )?|\b(?:han|has|hemos|he|habian|ha) (?:(?!decidid"
        r"|pedid|solicitad)\w+ )?"
        r"|\bcuesta |\bse (?!me|nos)|\b(?:esta|estaba|estan|fue|estoy) ",
        after=r" (?:al?|de|del|en|con)(?: (?:el|la|los|otro|otra|nuestro|nuestra|un|una))?(?: \w+)? (?:servicio"
        r"|proveedor"
        r"|plataforma|herramienta|plan|contrato|software|operador|seguro|gimnasio|hubspot|salesforce|producto"
        r"|aplicacion|app|autonomos|curso|taller|webinar|evento|sesion|formacion|clases?)\b| (?:laboral|medica"
        r"|temporada|por (?:maternidad|enfermedad|paternidad)"
        r"|hasta|esta semana|del? (?:servicio|contrato|hubspot|plan)|en (?:nuestr|ventas|el servicio)|paternal"
        r"|maternal|(?:a )?(?:el|la|los|las|un|una|dos|tres|varios|nuestro|nuestra|mi) (?:\w+ )?(?:contratos?"
        r"|servicios?|sistemas?|software|crm|erp|programas?|plataformas?|aplicacion(?:es)?|servidor(?:es)?|polizas?|seguros?|web"
        r"|tiendas?|vehiculos?|productos?|modulos?|soluci(?:on|ones)|tarifas?|suministros?|plan|cuenta de"
        r"|licencias?|herramienta|proveedor|linea|usuarios?|comerciales|vendedores|empleados"
        r"|agentes))",
        unless=rf"{OTHERS}|{INSTRUCTION}|{MISTAKE}|\b(?:un|el|los) (?:contactos?|leads?|usuarios?)\b(?! de (?:su|sus"
        r"|tu)).{0,40}(?:baja|suscri)|(?:baja|suscri).{0,30}\b(?:un|los) (?:contactos?|leads?)\b|\b(?:puedo|podemos"
        r"|se puede|podria|podriamos) (?:cancelar|anular|dar)\b|\b(?:como|cuando) (?:gestiona|maneja|tramita|procesa)"
        r"|\b(?:cual|como) es (?:el|la) (?:proceso|procedimiento|politica)|\b(?:herramienta|sistema|plataforma"
        r"|software|programa) (?:\w+ )?(?:da|dan|desuscrib\w+) |\bestoy de baja|\besta de baja"
        r"|\bsuscripcion (?:actual|anterior|vieja)\b|\bsi (?:\w+ )?(?:nos"
        r"|me|se|os|te|los|les) d\w+ de baja|\bpor que (?:me|nos) (?:\w+ )?(?:di|han)\w*"
        # What the writer himself ends: "estamos dando de baja nuestro proveedor".
        r"|\b(?:estamos|estoy|vamos a|hemos|acabamos de|pensamos|decidimos|tuvimos que) (?:\w+ )?(?:dando|dar|dado) de baja"
        r" (?:a )?(?:nuestr[oa]s?|el|la|los|las|un|una|otr[oa]s?|vari[oa]s) (?!(?:\w+ )?(?:correo|suscrip|newsletter"
        r"|boletin|e?mail|comunicacion|numero|direccion))"
        r"|\b(?:cuando|siempre que) (?:yo )?(?:quiera|queramos|lo desee|lo necesite)\b",
    ),
    rule(
        "es.unsubscribe_broken",
        "baja scri",
        r"\b(?:enlace|link|boton|opcion|pagina) (?:de|para) (?:la |dar(?:me|se) de )?(?:baja|(?:des"
        r"|can)\w+) (?:(?:la )?(?:suscripcion )?)?(?:no (?:funciona|sirve|va|anda|abre|existe)|esta rot[oa])",
        r"\bdonde (?:esta|queda|encuentro|hay|aparece) (?:el |un )?(?:enlace|link|boton|opcion) (?:de|para) (?:la "
        r"|dar(?:me|nos) "
        r"de )?(?:baja|desuscri\w*|desapunt\w*)",
        r"\bno (?:hay|veo|encuentro|tienen|aparece) (?:el |ningun |un )?(?:enlace|link|boton|opcion) (?:de"
        r"|para) (?:\w+ )?(?:\w+ )?(?:baja|desuscri\w*)",
        r"\bno (?:trae|traen|incluye|incluyen|lleva|llevan|tiene|tienen|pone|ofrece|ofrecen|dan"
        r"|da) (?:\w+ )?(?:opcion|enlace|link|boton"
        r"|forma|manera) (?:de|para) (?:\w+ ){0,2}?(?:baja|desuscri\w*)",
        r"\b(?:intent|trat)\w+ (?:de )?dar(?:me|nos) de baja\b(?! (?:de|en) (?!(?:su|sus|esta|este|tu|la lista)\b))",
        unless=r"\b(?:nuestros|nuestra|nuestras) ",
    ),
    rule(
        "es.remove_me",
        "elimin borr quit saqu sac baj remuev remov retir exclu suprim supres tach baja depur desvincul descart "
        "desapunt apart fuera desregistr cancelac",
        rf"\b{REMOVE}{ENDING}?(?:me|nos)(?:l[oa])?\b(?=$| ?[,?]| {LIST}| (?:porfavor|ahora|gracias|please|y|ya"
        r"|de (?:ahi|aqui|todo|su|sus|tu|esta|todas)|como|que|inmediatamente|fuera|porque|no|para siempre"
        r"|por completo|del todo|hoy|de forma|de manera)\b)",
        rf"\b(?:me|nos) (?:\w+ (?:a )?)?(?!\w+(?:aron|ieron)\b){REMOVE}{ENDING}\b(?: (?:porfavor|ahora|por"
        rf" completo))?(?:$| ?[,?]| {LIST}"
        r"| (?:fuera|y|de ahi|de aqui|gracias|porfavor)\b)",
        rf"\b{REMOVE}{ENDING}?(?:me|nos)? (?:porfavor )?(?:tambien )?(?:a )?(?:tod[oa]s(?: nosotr[oa]s)?|ambos"
        r"|ambas|tod[oa]s los de \w+|los (?:dos|tres|cuatro|cinco|\d+)"
        r"|nosotr[oa]s|(?:mi|nuestr[oa]) \w+(?: y a mi)?|tod[oa] (?:el|la|mi|nuestr[oa]) \w+)(?: y a \w+(?: \w+)?)? "
        rf"(?:porfavor )?{LIST}",
        rf"\b(?!sac(?:aron|aste|asteis|ado|ais|an|as|o)\b){REMOVE}(?:{ENDING})(?:me|nos|se)? (?:porfavor )?{MINE}\b",
        r"^(?:porfavor |favor )?(?:eliminar|borrar|quitar|remover)(?: porfavor| gracias| ahora)*$",
        rf"\b{REMOVE}{ENDING} (?:toda|todo|todos|todas|cualquier)(?: \w+){{0,4}}? (?:que|sobre|de"
        r"|acerca de)\b.{0,25}\b(?:mi|nosotros|me|mia)\b",
        rf"\b(?:ser|sea|seamos|sean|haya sido|quedar|queden?|este|esten) (?:\w+ )?(?:{REMOVE}|dad[oa]s? de baja"
        r"|borr)\w*",
        rf"\b(?!\w+(?:aron|ieron)\b){REMOVE}{ENDING}(?:me|nos)?(?:l[oae]s?)? {LIST}",
        rf"\b(?!\w+(?:aron|ieron)\b){REMOVE}{ENDING} (?:porfavor )?(?:el|la|los|las) (?:direccion|correos?|emails?|mail|numero"
        rf"|telefono|contacto|nombre|datos|dominio)(?: \w+){{0,2}}? (?=de (?:tod[oa]s )?(?:sus?|tus?|vuestr[oa]s?) ){LIST}",
        rf"\b(?:numero|persona|equivoc\w+|direccion|correo|datos)\b.{{0,40}}\b{REMOVE}{ENDING}l[oae]s?\b",
        r"\b(?:supresion|eliminacion|cancelacion|borrado|baja|retirada) (?:inmediata |definitiva "
        r"|total )?de (?:todos )?(?:mi|mis|nuestr[oa]s?|este|esta) (?:\w+ )?(?:datos|correos?|direccion|numero"
        r"|informacion|telefono|registro|suscripcion|cuenta|perfil|email|nombre|contacto)",
        rf"\bdej\w+ (?:a )?(?:mi|nuestr[oa]) \w+ fuera {LIST}",
        r"\bfuera de (?:su|sus|esta|tu|la) (?:lista|base|listado|envios)",
        before=r"\b(?:no|ni|sin) (?:me |nos |se |lo )?|\b(?:podemos|puedo|como) (?:\w+ )?",
        after=rf"(?: \w+){{0,4}}? {OTHER_THING}|(?: de \w+)? y (?:us|pon|anad|agreg|cambi|sustitu|reemplaz|met|quedat"
        rf"|utili)\w*\b"
        r"(?! (?:\w+ )?en (?:su|la|una|vuestra) (?:\w+ )?lista)",
        unless=rf"{OTHERS}|{INSTRUCTION}|\b(?:mi|mis|nuestr[oa]) (?:antigu[oa]|viej[oa]|anterior|otr[oa]|segund[oa])"
        rf" (?:\w+ )?(?:direccion|correo"
        r"|numero|email|mail|telefono|cuenta)\b(?! de (?:su|sus|tu|vuestra))|\b(?:a )?(?:este|esta|esa|ese) (?:\w+"
        r" )?(?:reunion|invitacion|persona)"
        r"|\b(?:el|los|estos?) (?:correos?|mensajes?|mails?|emails?) (?:anterior|que)\b|\b(?:elimin"
        r"|borr)\w+ (?:este|el|ese) (?:correo|mensaje|email|mail)\b(?! de (?:su|tu|la))|\bno (?:me "
        r"|nos )?(?:elimin|borr|quit|saqu|retir)\w*|\bme sac\w* de (?:la )?duda|\bduda\b|quit\w+ tiempo"
        r"|\bde (?:la )?copia\b"
        rf"|\bsi (?:cancel|dej|termin|nos vamos|acab)\w*|{MISTAKE}",
    ),
    rule(
        "es.exclusion_list",
        "exclusion exclui no_cont no_llam no_molest robinson negra bloque supresion no_enviar bajas",
        r"\b(?:anad|agreg|inclu|pon|met|pas|inscrib|registr|apunt|anot|marqu|marc|ingres"
        rf"|coloqu)\w*(?: porfavor)? (?:a )?(?:{MINE} |ADDR |nos |me |este \w+ )?(?:\w+ )?(?:a|en|como|dentro de"
        r"|de) (?:(?:su|sus|la|una|tu|el|vuestra|lista|listas|registro|listado|de) )*(?:exclusion|exclui\w+"
        r"|no (?:contact|llam|molest|envi|escrib|desea)\w*|robinson|negra|bloque\w*|supresion|bajas|opt out)",
        r"\b(?:estoy|estamos|figuro|figuramos|aparezco|aparecemos|esta|estan|inscrit[oa]s?|apuntad[oa]s?"
        r"|registrad[oa]s?|pong\w+|inclu\w+) (?:\w+ ){0,4}?(?:en|a) (?:la )?(?:lista )?robinson\b",
        before=r"\bno (?:me |nos )?",
        unless=r"\b(?:consultan|respetan|respete|respeten|cruce|cruza|cruzan|filtran|usan|tienen"
        r"|revisan) (?:\w+ )?(?:lista|la lista)",
    ),
    rule(
        "es.rights",
        "derecho consentimiento autorizacion robinson opongo oposicion rgpd gdpr lopd supresion articulo art_ "
        "permiso arco denunci bloque report",
        r"\b(?:ejer\w+|ejercit\w+|solicit\w+|invoc\w+|exij\w+|pid\w+|hag\w+ (?:uso|valer)|mi|acojo|amparo|aplic\w+"
        r"|quiero) ?.{0,60}\bderechos? (?:al olvido|de (?:supresion|oposicion|cancelacion|borrado|eliminacion)"
        r"|a (?:la (?:supresion|eliminacion)|que (?:se )?(?:borr|elimin|suprim)\w+)|arco|a oponer\w*)",
        r"^(?:\w+ ){0,3}(?:derecho al olvido|derecho de (?:supresion|oposicion))(?: (?:,|porfavor|gracias))*$",
        r"\b(?:invoc|ejer|acoj|ampar|acog)\w+ .{0,30}\barticulos? (?:17|21)",
        r"^(?:numero )?(?:bloquead|reportad|denunciad)[oa]s?(?: y (?:bloquead|reportad|denunciad)[oa]s?)?(?: (?:como"
        r"|por) spam)?$",
        r"\b(?:les|los|le|te|lo) (?:denunciar|reportar)(?:e|emos|ia)\b",
        r"\b(?:retir|revoc|anul|cancel)(?:o|amos|ar|ando|e) (?:(?:mi|el|nuestro|todo|cualquier|la"
        r"|previo) )+(?:consentimiento|autorizacion|permiso)",
        r"\b(?:me opongo|nos oponemos|opongo)(?: \w+)? a(?:l| la| los| las)? (?:el |la |cualquier |todo "
        r"|mas )?(?:tratamiento|uso|recib|utiliz|envio|recepcion|comunicac|contacto|proces|que (?:me|nos|mis|us"
        r"|utilic|trat|sig|vuelv|contact))\w*",
        r"\b(?:rgpd|gdpr|lopd\w*|proteccion de datos|articulo|art|ley)\b.{0,80}\b(?:elimin|borr|suprim|supres|retir"
        r"|cancel|opon|opos)\w*.{0,40}\b(?:mi|mis|me|nos|nuestr[oa]s|datos personales)\b",
        r"\b(?:elimin|borr|suprim|supres|cancel)\w*.{0,40}\b(?:mis|mi|nuestr[oa]s|me)\b.{0,60}\b(?:rgpd|gdpr|lopd\w*"
        r"|proteccion de datos|articulo)\b",
        r"\b(?:los|te|lo|le|la|este numero|su numero) (?:he|hemos|tengo|voy a|vamos a) (?:\w+ )?(?:bloque|reporta"
        r"|denuncia)\w*",
        r"\bbloque(?:o|amos|are) (?:este|su|el) (?:numero|correo|contacto)",
        r"\bvoy a (?:bloquear|denunciar|reportar)(?:los|te|lo|la|le)?(?=$| (?:este|a|por|su|como|el|al)\b)",
        r"\b(?:los|te|le|voy a|vamos a|y) (?:\w+ )?(?:denuncio|denunciar|denunciare|reporto|reportar|reportare"
        r"|bloqueo|bloqueare|bloquear)(?:los|te|le|lo)?\b.{0,30}(?:spam|aepd|proteccion|acoso|agencia|$)",
        unless=r"\b(?:como (?:gestionan|manejan|cumplen|tratan)|cumplen|gestionan|manejan|su (?:herramienta"
        r"|plataforma|producto)|le informamos|puede (?:usted )?ejercer|puede oponerse|puedes ejercer"
        rf"|podra ejercer|tiene derecho|en cumplimiento|nuestros clientes|de acuerdo con lo)\b|{INSTRUCTION}"
        rf"|{OTHERS}|\bno (?:me|nos) opon",
    ),
)
