"""French and Spanish phrases by which a person asks us to stop. Read by `optout.py` on folded text (no accents).

Same shape as `optout_english.py`: a request, and what makes the same words something else.
"""

import re

from zrg_dagster.core.text.optout_rule import Rule


def _rule(name: str, needs: str, asks: str, unless: str | None = None, *, another_channel: bool = False) -> Rule:
    """`needs` are substrings separated by blanks; an underscore stands for a blank."""
    parts = tuple(part.replace("_", " ") for part in needs.split())
    return Rule(name, parts, re.compile(asks), re.compile(unless) if unless else None, another_channel)


_FR_NOUNS = (
    r"(?:e-?mails?|mails?|messages?|courriels?|courriers?|sms|textos?|appels?|relances?|spams?|pubs?|publicites?"
    r"|sollicitations?|"
    r"newsletters?|prospection|envois?|communications?|contacts?)"
)
_FR_CONTACT = (
    r"(?:re)?(?:contact|ecri(?:re|v)|envoy|envoie|appel|relanc|sollicit|derang|importun|harcel|spamm|mail|demarch"
    r"|telephon|texto|ecris|joindr|prospect)\w{0,4}"
)
_FR_LIST = (
    r"(?:de |du |des |d')(?:votre|vos|la|cette|ces|toutes?|tous|ta|tes|l')? ?(?:\w+ ){0,3}?(?:listes?|base|bases"
    r"|fichiers?|mailings?|diffusion|"
    r"donnees|newsletters?|envois|campagnes?|contacts|crm|mails?|e-?mails?)"
)
_FR_MINE = (
    r"(?:mon|ma|mes|notre|nos|cette|cet|ce) (?:\w+ )?(?:adresse|e-?mail|mail|nom|numero|coordonnees|donnees|contact"
    r"|telephone|compte|infos?|informations)"
)
_FR_WHEN = (
    r" (?:avant|apres|le (?:matin|soir|week|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)|ce (?:soir|matin)"
    r"|aujourd|demain|pendant|pour l'instant|tout de suite|jusqu|cette semaine|si t(?:ot|ard)|entre|maintenant)"
)
_FR_NOT = r"\b(?:n'|ne (?:pas |vous |me |nous |te |t'|m')?)"
_FR_INSTRUCTION = (
    r"\b(?:cliquez|si vous (?:ne )?(?:souhaitez|voulez|desirez)|pour (?:vous|se) des|a tout moment|repondez)\b"
)

_ES_NOUNS = (
    r"(?:e-?mails?|mails?|correos?|mensajes?|mensajitos|llamadas?|sms|spam|textos|publicidad|comunicaciones"
    r"|newsletters?|boletines|whatsapps?|"
    r"contacto|promociones|ofertas|informacion)"
)
_ES_CONTACT = (
    r"(?:escrib|contact|llam|mand|envi|molest|mensaj|busqu|buscar|volv|vuelv|acos|insist|spame|remit|dirij|marqu"
    r"|comuni|hostig|fastidi)\w{0,7}"
)
_ES_MINE = (
    r"(?:mi|mis|nuestro|nuestra|nuestros|nuestras|este|esta|estos) (?:\w+ )?(?:correos?|e-?mails?|mails?|datos"
    r"|nombre|contactos?|numero|direccion|informacion|telefono|cuenta)"
)
_ES_LIST = (
    r"(?:de|d') ?(?:su|sus|tu|tus|la|las|esta|este|esa|todas?|todos|vuestra|el)? ?(?:\w+ ){0,3}?(?:listas?|base"
    r"|bases|lista de correo|envios|correos?|mailing|newsletter|boletin|registros?|sistema|crm|agenda|difusion"
    r"|contactos)"
)
_ES_WHEN = (
    r" (?:antes|despues|hasta|por la (?:manana|tarde|noche)|hoy|manana|el (?:lunes|martes|miercoles|jueves|viernes"
    r"|sabado|domingo|fin)|tan|a las|ahora|durante|esta semana|mientras|todavia|aun|entre)\b"
)
_ES_INSTRUCTION = (
    r"\b(?:haga clic|haz clic|pulse|si (?:no )?(?:desea|quiere|deseas|quieres)|puede darse|puedes darte|para darse"
    r"|para darte|en cualquier momento|responda)\b"
)
_ES_GIVE = r"(?:d[aeo](?:r|n|d)?)"

RULES: tuple[Rule, ...] = (
    _rule(
        "fr.unsubscribe",
        "abonn inscri desincri",
        r"\b(?:des-?abonn(?:er|ez|e|ement|ee|es)\b|des-?inscri(?:re|vez|s|t|ption|vons|r)\b|me desabonn\w+"
        r"|desincri\w+)",
        r"\b(?:nos|les|vos|des|leurs|ses) (?:\w+ )?(?:clients?|abonnes|utilisateurs|contacts|prospects|leads"
        r"|destinataires)\b|taux de|"
        rf"{_FR_INSTRUCTION}"
        r"|\b(?:n'ai|pas|jamais) (?:\w+ )?(?:voulu |demande a )?(?:me |vous )?des-?(?:abonn|inscri)|lien de des"
        r"|(?:a|au) (?!(?:\w+ ){0,3}(?:mails?|newsletter|liste|envois|vos|votre|cette|ce))(?:mon"
        r"|notre) (?:abonnement|compte)"
        r"|ne (?:me |nous )?des-?(?:abonn|inscri)\w+ pas",
    ),
    _rule(
        "fr.remove_me",
        "retir supprim enlev effac raye rayer otez oter ote- sortez sortir exclu virez virer elimin",
        rf"\b(?:retir|supprim|enlev|effac|ray|ot|sort|exclu|vir|elimin)(?:ez|er|e|ons|re|ir|is)?[ -](?:moi|nous)\b"
        rf"|\b(?:me|nous|m'|l') ?(?:retir|supprim|enlev|effac|ray|ot|sort|exclu|vir)"
        rf"(?:er|ir|re|iez|ez)\b(?=$| ?[,:;)]| {_FR_LIST}| (?:svp|s'il|merci|definitivement|immediatement"
        rf"|rapidement)|.{{0,30}}(?:liste|base|fichier|mailing|diffusion))"
        rf"|\b(?:retir|supprim|enlev|effac|ray|ot)(?:ez|er|e|iez) (?:toutes? )?{_FR_MINE}\b|\b(?:retir|supprim"
        rf"|enlev|desabonn)(?:ez|er) {_FR_LIST}|\b(?:etre|ete) (?:retire|supprime|enleve|raye"
        rf"|efface)e?s?\b.{{0,40}}"
        r"(?:liste|base|fichier|mailing|diffusion|contacts|envois)",
        r"\b(?:reunion|invitation|calendrier|copie|boucle|agenda|reservation|devis|commande)\b|"
        + _FR_NOT
        + r"(?:retir|supprim|enlev)\w* pas",
    ),
    _rule(
        "fr.stop",
        "arret cess stop",
        rf"\b(?:arret(?:ez|er|e|ons)|cess(?:ez|er|e)|stopp(?:ez|er|e)) (?:immediatement |tout de suite |svp "
        rf"|s'il vous plait |enfin |donc )?(?:de |d')(?:me |m'|nous |vous |toujours me )?{_FR_CONTACT}"
        rf"|\b(?:arret(?:ez|er|e)|cess(?:ez|er|e)|stopp(?:ez|er|e)|stop)(?: avec| a| aux)? (?:tou(?:s|te"
        rf"|tes) )?(?:les |vos |ces |tes |cette |ce |votre |de )?{_FR_NOUNS}\b"
        r"|^(?:merci (?:de |d')|svp |s'il vous plait |veuillez |bonjour |non )?(?:arret(?:ez|er|e)|stop)(?: (?:svp"
        r"|s'il (?:vous|te) plait|merci|ca|tout|cela|maintenant))*$"
        r"|\b(?:arret(?:ez|e)|cess(?:ez|e)) (?:ca|cela|votre harcelement|ce harcelement)",
        r"\b(?:n'|ne (?:vous |nous |t')?)arret|\bpas arret|\b(?:nous|on|ils|je) (?:\w+ ){0,2}(?:arret|cess"
        r"|stopp)\w* (?!de (?:me|nous|m'))" + rf"|{_FR_CONTACT}{_FR_WHEN}",
        another_channel=True,
    ),
    _rule(
        "fr.no_longer_contact",
        "plus jamais pas",
        rf"\bne (?:plus|jamais) (?:\w+ )?(?:me |m'|nous |jamais |etre )?{_FR_CONTACT}|\b(?:ne (?:me|nous) |ne m'|n'"
        rf"|ne )(?:{_FR_CONTACT})(?:[ -](?:moi|nous))? (?:surtout )?(?:plus|jamais)\b"
        rf"|\bplus (?:jamais )?(?:me |m'|nous ){_FR_CONTACT}|\b(?:ne pas|pas) (?:me |nous |m')(?:re)?(?:contact"
        rf"|sollicit|relanc|demarch|spamm|harcel|derang|importun)\w{{0,4}}"
        r"|\bne (?:me|nous) (?:re)?(?:contactez|sollicitez|relancez|demarchez|derangez|importunez) pas(?=$| ?[,:;!])",
        rf"\b(?:je|j'|nous|on|ils|elle|il|vous) (?:ne |n')(?:\w+ )?{_FR_CONTACT} (?:plus|jamais)\b(?! (?:me|nous))"
        rf"|hesitez|{_FR_CONTACT}(?: plus| pas)?{_FR_WHEN}",
        another_channel=True,
    ),
    _rule(
        "fr.unwanted",
        "veux veut voulons souhait desir voudrais aimerais accepte",
        r"\b(?:ne |n')?(?:veux|veut|voulons|souhaite|souhaitons|desire|desirons|souhaiterais|voudrais|aimerais"
        r"|accepte) (?:\w+ )?(?:plus|pas|aucun|jamais)(?: de)? (?:etre (?:re)?(?:contact|sollicit|derang|appel"
        r"|relanc|demarch)\w+"
        rf"|que vous (?:me|nous|m')|recevoir|avoir (?:de vos|vos|affaire)|entendre parler|vous (?:lire|entendre)"
        rf"|figurer|faire partie|(?:de )?(?:vos |ces |vos )?{_FR_NOUNS})"
        r"|\b(?:ne (?:veux|souhaite|voulons|souhaitons|desire) (?:recevoir|avoir) (?:plus )?aucun)",
        rf"\b(?:la|le|l'|une?) (?:facture|devis|pdf|brochure|documentation|contrat)\b|{_FR_INSTRUCTION}",
    ),
    _rule(
        "fr.no_more",
        "plus pas_ stop",
        rf"(?:^|[,:;] ?|\bmerci |\bsvp |\bs'il vous plait )(?:plus|pas|plus jamais|plus aucun|plus un|stop)(?: de"
        rf"| d'| aux?)?(?: vos| ces)? {_FR_NOUNS}\b",
        r"\b(?:besoin|necessaire|que)\b",
    ),
    _rule(
        "fr.leave_me_alone",
        "laisse foute fiche fous lache allez degage",
        r"\b(?:laissez|laisse|foutez|fichez|fous|fiche)[ -](?:moi|nous) (?:tranquilles?|en paix|la paix)"
        r"|\blachez[ -]moi|\ballez (?:vous (?:faire|en)|au diable)|\bdegagez\b|\bfoutez le camp",
    ),
    _rule(
        "fr.rights",
        "droit oppose consentement rgpd",
        r"\b(?:droit (?:a l'(?:oubli|effacement)|d'opposition|de retrait)|m'oppose a|retire mon consentement"
        r"|rgpd.{0,60}(?:supprim|effac|retir)\w+)",
        r"\b(?:comment|gerez|conforme)\b",
    ),
    _rule(
        "es.unsubscribe",
        "baja scrib scrip",
        rf"\b{_ES_GIVE}(?:me|nos|melo) de (?:la )?baja|\b(?:quiero|queremos|deseo|solicito|pido|favor de|por favor"
        rf"|necesito|quisiera|prefiero|exijo|tramitar?|procesar?)(?: \w+){{0,2}}? (?:la |mi |una "
        rf"|dar )?(?:de )?baja\b"
        r"|^(?:por favor |favor )?(?:de )?baja(?: por favor| gracias)*$|\bde baja (?:por favor|de (?:su|esta|la|sus"
        r"|estos) (?:lista|correos?|base|envios|newsletter|boletin))"
        r"|\b(?:des-?suscrib|de-?suscrib|desinscrib|desubscrib|unsuscrib)\w{0,6}|\b(?:cancel|anul)(?:ar|e|en|a|o"
        r"|ame|enme|eme)? (?:(?:mi|la|esta) )?(?:suscripcion|subscripcion)\b(?! (?:a|de|con|en) (?!(?:su|sus|esta"
        r"|este|estos|tu|la (?:lista|newsletter)|los correos)))",
        r"\b(?:nuestros|los|sus|vuestros) (?:\w+ )?(?:clientes|usuarios|suscriptores|contactos|leads|prospectos)\b|"
        rf"{_ES_INSTRUCTION}"
        r"|\bno (?:me |nos )?(?:des-?suscrib|des? de baja|quiero (?:\w+ )?baja|queremos (?:\w+ )?baja"
        r"|deseo (?:\w+ )?baja)|tasa de|enlace de|baja (?:laboral|medica|temporada|por (?:maternidad|enfermedad"
        r"|paternidad))",
    ),
    _rule(
        "es.remove_me",
        "elimin borr quit saqu sac remuev remov retir exclu suprim tach baja",
        rf"\b(?:elimin|borr|quit|saqu|sac|remuev|remov|retir|exclu|suprim|tach)(?:a|e|en|ar|ad|as|an|er|ir|y|yan|id"
        rf"|alo)?(?:me|nos)\b(?=$| ?[,:;)]| {_ES_LIST}| (?:por|ya|inmediatamente|ahora|gracias|de inmediato|cuanto"
        rf"|please|y)\b)"
        rf"|\b(?:elimin|borr|quit|saqu|sac|retir|suprim|remuev)(?:a|e|en|ar|ad|as|an|ir) (?:todos )?{_ES_MINE}"
        rf"|\b(?:ser|sea|seamos) (?:eliminad|borrad|removid|retirad|excluid|dad[oa]s? de baja)\w*"
        rf"|\b(?:elimin|borr|quit|sac|saqu|retir)(?:ar|e|en|a) {_ES_LIST}",
        r"\b(?:reunion|invitacion|calendario|copia|cita|agenda de|presupuesto|pedido|contrato)\b|\bno (?:me "
        r"|nos )?(?:elimin|borr|quit|saqu|retir)",
    ),
    _rule(
        "es.stop",
        "dej pare para cese ceses cesar basta termin suspend deteng alto stop",
        rf"\b(?:dej(?:e|en|a|ad|ar)|par(?:e|en|a|ad|ar)|ces(?:e|en|ar)|basta(?: ya)?|termin(?:e|en) |suspend(?:a|an"
        rf"|er))(?: ya)?(?: por favor)? de {_ES_CONTACT}"
        rf"|\b(?:par(?:e|en|ar)|dej(?:e|en)|ces(?:e|en)|basta(?: ya)?|suspendan|detengan)(?: ya)?(?: de"
        rf"| con)? (?:los |sus |tus |estos |esos |tantos |todos |las |mas )?{_ES_NOUNS}\b"
        r"|^(?:por favor |favor de |ya )?(?:paren|pare|basta|parar|alto|detenganse|stop)(?: ya| por favor| esto"
        r"| gracias)*$",
        rf"\bno (?:me |nos |se )?(?:dej|par|ces)|\b(?:nosotros|queremos|dejamos|ellos) (?:\w+ )?(?:dej|par)"
        rf"|{_ES_CONTACT}{_ES_WHEN}|\bpara (?:de )?(?:contactar|llamar|escribir)(?!me|nos)",
        another_channel=True,
    ),
    _rule(
        "es.no_longer_contact",
        "no_me no_nos no_vuelv no_volver nunca_mas no_contactar",
        rf"\bno (?:me|nos) (?:vuelv\w+ a )?{_ES_CONTACT}(?: (?:mas|nunca|jamas|otra vez|de nuevo|por (?:este|ningun"
        rf"|favor|esta)|a este|a esta|correos|mensajes|nada|mails?|e-?mails?|spam|publicidad|propaganda))"
        rf"|\b(?:ya )?no (?:me|nos) (?:vuelv\w+|contact|molest|acos|busqu|hostig"
        rf"|fastidi)\w{{0,7}}(?: a {_ES_CONTACT})?(?=$| ?[,:;)]| (?:mas|por|nunca|ya|otra|de nuevo))"
        rf"|\b(?:ya )?no (?:me|nos) (?:escrib|llam|mensaj|mand|envi)\w{{0,5}}(?=$| ?[,:;)])|\bya no (?:me"
        rf"|nos) {_ES_CONTACT}|\bno volver a {_ES_CONTACT}|\bnunca mas (?:me|nos) {_ES_CONTACT}|\bno contactar\b"
        rf"|\bno (?:vuelv\w+|volver) a {_ES_CONTACT}|\bque no (?:me|nos) {_ES_CONTACT} mas",
        rf"\b(?:el|la|los|un|una) (?:pdf|factura|presupuesto|contrato|invitacion|enlace|documento|catalogo)\b"
        rf"|{_ES_CONTACT}(?: mas)?{_ES_WHEN}|\bsi (?:no )?(?:me|nos) |no (?:me|nos) (?:molesta|llama la atencion"
        rf"|envio|envia|mando|llamo|contesto)\b(?! mas)"
        r"|\bno me molesta\b",
        another_channel=True,
    ),
    _rule(
        "es.unwanted",
        "no_quiero no_queremos no_deseo no_deseamos no_me_interesa no_quisiera no_necesito no_autorizo no_consiento "
        "no_pretendo",
        rf"\b(?:ya )?no (?:quiero|queremos|deseo|deseamos|me interesa|quisiera|necesito|autorizo|consiento"
        rf"|pretendo)(?: (?:mas|seguir|volver a|nunca|que))* (?:recib\w+|ser (?:contactad|molestad|llamad)\w+"
        rf"|que me {_ES_CONTACT}"
        rf"|(?:me|nos) {_ES_CONTACT}|(?:sus |tus |mas |estos |los |ningun )*{_ES_NOUNS}\b"
        rf"|saber (?:nada )?(?:mas )?(?:de|sobre) (?:ustedes|usted|vosotros|ti|su empresa)|estar en (?:su|esta|tu"
        rf"|la)|formar parte de su|aparecer en)",
        r"\b(?:la|el|una?|los) (?:factura|presupuesto|pdf|contrato|catalogo|oferta economica)\b"
        r"|\binformacion (?:sobre|de) otr|\bmas informacion\b|\bnecesito mas\b|"
        rf"{_ES_INSTRUCTION}",
    ),
    _rule(
        "es.no_more",
        "no_mas ni_un ningun ya_no",
        rf"(?:^|[,:;] ?|\bpor favor |\bgracias |\bfavor )(?:ya )?(?:no|ni un|ningun)(?: mas| un"
        rf"| otro)+(?: de)?(?: sus| estos)? {_ES_NOUNS}\b|^no mas$",
        r"\b(?:hace falta|necesari|que)\b",
    ),
    _rule(
        "es.leave_me_alone",
        "dej vayanse vete larg olvid pierd",
        r"\b(?:dejen?|deja|dejad|dejar)(?:me|nos) (?:en paz|tranquil\w+|de (?:molestar|joder|escribir|llamar"
        r"|contactar|enviar|mandar|acosar))|\b(?:vayanse|vete|larguense|largate)\b|\b(?:olvid(?:e|en)|pierd(?:a"
        r"|an)) mi (?:numero|correo|contacto)",
    ),
    _rule(
        "es.rights",
        "derecho consentimiento autorizacion robinson opongo",
        r"\b(?:derecho (?:al olvido|de (?:supresion|oposicion|cancelacion))|derechos arco|retiro mi consentimiento"
        r"|revoco mi (?:consentimiento|autorizacion)|lista robinson|me opongo al?)\b",
        r"\b(?:como (?:gestionan|manejan)|cumplen)\b",
    ),
)
