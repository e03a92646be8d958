"""Spanish requests to stop put together from parts: who asks, what is asked for, and what is to end.

The forms into which any verb and object of `optout_spanish_words` go: nobody who wants it, an order to everybody over
there, being put on a list, a removal of what belongs to the writer, a stop that was said already. Patterns see one
sentence in canonical spelling; every repeat is bounded.
"""

from zrg_dagster.core.text.optout_rule import Rule, rule
from zrg_dagster.core.text.optout_spanish_words import (
    CLITIC_ME,
    CONTACT,
    ENDING,
    INSTRUCTION,
    LIST,
    NOUNS,
    OTHER_THING,
    OTHERS,
    REMOVE,
    TO_ME,
    UNWANTED,
    WHEN,
)

_INCLUDE = r"(?:inclu|agreg|anad|met|suscrib|inscrib|apunt|sum|registr|pon|aplic)\w{1,6}?"
_THING = (
    r"(?:correos?|emails?|mails?|datos|nombres?|contactos?|numeros?|direccion(?:es)?|informacion|telefonos?|cuentas?"
    r"|celular"
    r"|movil|dominios?|registros?|ficha|linea|perfil|buzon|extension|razon social)"
)
_OF_MINE = (
    r"(?:de|en|a|del|a nombre de|asociad[oa]s? a|relativ[oa]s? a|sobre) (?:mi|mis|nuestr[oa]s?|est[ea]|la|el"
    r")(?: (?!list|base|campan|envio|crm|sistem|secuenc)\w+){0,2}?"
)
_YOURS = r"(?:su|sus|tu|tus|vuestr[oa]s?|est[aeo]s?)"

RULES: tuple[Rule, ...] = (
    rule(
        "es.nobody_wants",
        "ni_ nadie ningun nunca_m nunca_v",
        rf"\bni (?:a )?(?:\w+ ){{1,2}}?(?:,? ?ni|y) (?:a )?(?:\w+ ){{1,3}}?(?:quer|dese|quier|acept|autoriz|consent"
        rf"|necesit)\w+"
        rf" (?:que |mas |seguir |volver a )?{UNWANTED}",
        rf"\bque (?:ya )?(?:nadie|ningun\w*)(?: \w+){{0,5}}? (?:(?:me|nos) )?(?:(?:vuelv|sig|intent)\w* (?:a "
        rf"|de )?)?(?:me |nos )?"
        rf"(?:{CLITIC_ME}|{CONTACT}(?: {TO_ME})?)",
        rf"\bni (?:\w+ ){{1,2}}?(?:,? ?ni|y) (?:\w+ ){{1,3}}?(?:deb|tien|tendr|pued|figur|aparec)\w+ (?:que )?(?:estar "
        rf"|figurar |aparecer )?"
        rf"en {_YOURS}",
        rf"\bningun[oa]? (?:de nosotr[oa]s|de (?:mis|nuestr[oa]s) \w+|\w+ de (?:mi|nuestr[oa]) \w+) (?:quier|dese|pidi"
        rf"|solicit"
        rf"|acept)\w* (?:mas )?(?:que )?{UNWANTED}",
        rf"\bnunca (?:vuelv\w+ a (?:{CLITIC_ME}|{CONTACT})|(?:me|nos) (?:vuelv\w+ a )?{CONTACT} mas)",
        before=r"\b(?:por que|si|cuando|hace que|para|espero que si) ",
        after=WHEN,
        unless=rf"{OTHERS}|{INSTRUCTION}|\b(?:leads?|factura|contrato|reunion)\b|\?$",
        another_channel=True,
    ),
    rule(
        "es.do_not_list_me",
        "me_ten nos_ten manteng conserv me_guard nos_guard incluy inclu agreg anad meter metan mete "
        "suscrib inscrib apunt sum registr _pon aplic",
        rf"\b(?:dej|par|ces|evit|absteng|abst)\w{{1,5}} (?:de |con )?(?:seguir |volver a )?(?:(?:me"
        rf"|nos) )?{_INCLUDE}(?:me|nos)?"
        rf"(?: \w+){{0,2}}? (?:en|a|entre|dentro de) (?:{_YOURS}|mas|otr[oa]s?|futur[oa]s|la|las|los|cualquier)",
        rf"\b(?:dej|par|ces|evit|absteng|abst)\w{{1,5}} (?:de |con )?(?:seguir )?{_INCLUDE}(?:me|nos)(?=$| ?,"
        rf"| porfavor)",
        rf"\bno (?:me|nos) (?:teng|manteng|conserv|dej|guard)\w+ (?:mas )?(?:en|entre) {_YOURS}",
        rf"\b(?:no|nunca|jamas|ni)(?: \w+)? (?:me|nos) (?:vuelv\w+ a |sig\w+ |teng\w+ |manteng\w+ "
        rf"|dej\w+ )?{_INCLUDE} (?:mas |nunca |otra vez |de nuevo )?(?:en"
        rf"|a|entre) (?:{_YOURS}|mas|otr[oa]s?|futur[oa]s|ningun\w*)",
        before=r"\b(?:por que|como|si|cuando|quien) (?:\w+ )?",
        after=rf"(?: \w+){{0,3}}? {OTHER_THING}",
        unless=rf"{OTHERS}|{INSTRUCTION}|\?$(?<!campanas \?)(?<!listas \?)(?<!envios \?)(?<!lista \?)(?<!correos \?)",
        also="dej par ces evit abst no_ nunca jamas ni_",
    ),
    rule(
        "es.remove_mine",
        "no_deb no_tien no_pinta no_teng al_margen elimin borr quit saqu sac remuev remov retir exclu suprim "
        "supres tach baja desapunt fuera cancel desaparez "
        "desaparec limpi",
        rf"\b(?:{REMOVE}|limpi|cancel|bloque){ENDING}(?:me|nos|se)? (?:porfavor )?(?:tambien )?(?:(?:a|el|la|los|las"
        rf"|tod[oa]s?"
        rf"|cualquier|est[ea]s?|cada|siguientes?) ){{1,3}}(?:\w+ )?{_THING}(?: (?:porfavor|siguientes?|completo))?"
        rf" (?:ADDR|\d[\d ]{{5,20}}|{_OF_MINE}) ?(?:porfavor )?{LIST}",
        rf"\b(?:{REMOVE}|limpi|cancel){ENDING} (?:porfavor )?(?:(?:el|la|los|las|tod[oa]s?|cualquier"
        rf"|cada) ){{1,3}}(?:\w+ )?{_THING}"
        r" (?:de (?:mi|mis|nuestr[oa]s?) \w+|ADDR)(?=$| ?[,?]| (?:porfavor|y (?:no|dej)|gracias|ya|ahora)\b)",
        rf"\b(?:quier|quisier|exij|necesit|dese|solicit|pid|rueg|rog|gustaria)\w*(?: \w+){{0,2}}? que (?:mi|mis"
        rf"|nuestr[oa]s?|est[ea])"
        rf" (?:\w+ ){{0,2}}?{_THING} (?:\w+ )?(?:desaparez|salg|sal|no (?:figur|aparez|est|sig|conste)"
        rf"|dej\w+ de (?:figur|aparec|est))\w*",
        rf"\b(?:mi|mis|nuestr[oa]s?|est[ea]) (?:\w+ )?{_THING} no (?:debe|deben|tiene que|tienen que|deberian?"
        rf"|pinta nada|tiene nada que"
        rf" hacer)(?: \w+)? ?(?:estar |figurar |aparecer |constar )?(?:en|entre) {_YOURS}",
        rf"\bno (?:debo|debemos|deberia|deberiamos|tengo que|tenemos por que|tengo por que) (?:estar|figurar"
        rf"|aparecer) en {_YOURS}",
        rf"\bdej\w{{1,4}} (?:me|nos)? ?(?:fuera|al margen) de (?:{_YOURS}|esto|tod)|\bdej\w{{1,4}}(?:me|nos) (?:fuera"
        rf"|al margen)"
        r"(?=$| ?,| de)",
        before=r"\b(?:no|ni|sin|podemos|puedo|como|si) (?:me |nos |se |lo )?",
        after=rf"(?: \w+){{0,3}}? {OTHER_THING}",
        unless=rf"{OTHERS}|{INSTRUCTION}|{OTHER_THING}|\b(?:antigu[oa]|viej[oa]|anterior|duplicad[oa]|prueba|reunion"
        rf"|decision)\b",
        also="_mi_ _mis_ nuestr _est _su_ _sus_ ADDR _tu_ _tus_ vuestr",
    ),
    rule(
        "es.end_of_it",
        "evit absteng abst desist renunci omit suspend interrump cese ces_ fin_ bajen baje_ estuvo constar",
        rf"\b(?:evit|absteng|abst|desist|renunci|suspend|interrump|omit|ces|deteng)\w{{0,5}} (?:de |a |con )?(?:(?:el"
        rf"|la|los|las|tod[oa]s?|cualquier|mas"
        rf"|nuev[oa]s?|otr[oa]s?|futur[oa]s?|{_YOURS}) ){{0,3}}(?:\w+ )?(?:envios?|contactos?|comunicacion(?:es)?"
        rf"|llamadas?|correos?|mensajes?|emails?"
        r"|mails?|prospeccion|publicidad|insistencia|acoso)(?=$| ?[,?]| (?:a|hacia|con|de|por|comercial\w*"
        r"|publicitari\w+|dirigid\w+|no) ?)",
        rf"\b(?:desist|renunci|absteng|abst)\w{{0,5}} (?:de|a) (?:seguir |volver a |intentar |querer )?(?:{CLITIC_ME}"
        rf"|{CONTACT})",
        rf"\bomit(?:an?|ir|e|en|as)(?:me|nos)?(?: (?:mi|mis|nuestr[oa]s?|est[ea]) (?:\w+ )?{_THING})? {LIST}",
        rf"\bbaj(?:en?|a|ar)(?:me|nos) {LIST}",
        r"\b(?:hag\w+|dej\w+) constar (?:mi|nuestra) (?:oposicion|negativa|baja)",
        before=r"\b(?:no|ni|podemos|queremos|como|para|quien|si|hay que|debemos) (?:\w+ )?",
        after=WHEN,
        unless=rf"{OTHERS}|{INSTRUCTION}|{OTHER_THING}|\b(?:nuestr[oa]s? (?:equipo|campanas?|clientes)|leads?"
        rf"|spam folder|pedido|factura|en frio)\b|\?$",
        another_channel=True,
    ),
    rule(
        "es.said_stop",
        "_baja _stop _basta que_no no_mas",
        r"\b(?:(?:ya )?(?:les |le |te |os )?(?:dije|dijimos|puse|escribi|mande|envie|respondi|conteste|he (?:dicho"
        r"|puesto|escrito"
        r"|mandado|enviado|respondido)))(?: \w+){0,2}? (?:baja|stop|basta|que no|no mas)\b(?=$| ?[,?]| (?:y|pero|hace"
        r"|ayer|ya|dos|tres"
        r"|varias|\d+|veces|por que|mas|quiero)\b)",
        before=r"\b(?:me|nos|no|si|cuando) ",
        unless=rf"{OTHERS}|{INSTRUCTION}",
        also="dije dijimos puse escribi mande envie respondi conteste_ _he_",
    ),
    rule(
        "es.not_one_more",
        "ni_un nada_de nada_mas palabra no_mas ultim no_volv no_vuel",
        rf"\bni un[oa]?(?: (?:sol[oa]|maldit[oa]|punetero))? (?:{NOUNS}|palabra|vez|letra|intento)(?: \w+)? mas\b"
        rf"|\bni una palabra mas de\b",
        r"^(?:(?:porfavor|gracias|no|y|pero|ya) )*nada (?:mas )?de (?:su|tu|vuestra) (?:parte|empresa)(?: (?:porfavor"
        r"|gracias))*$",
        rf"\b(?:quier|quisier|dese|esper|pid|exij)\w* (?:que )?(?:cero|ningun|ninguna|nada de) (?:mas )?(?:{NOUNS}"
        rf"|contacto)",
        before=r"\b(?:recib\w+|llego|tengo|queda|hay) (?:\w+ )?",
        unless=rf"{OTHERS}|\?$",
    ),
)
