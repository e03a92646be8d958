"""Vocabulary of the Spanish opt-out rules, in the canonical spelling of `optout_spelling`.

A request carries its object in front ("no me escriban más"), glued behind ("dejen de escribirme") or as a thing of the
writer's ("no llamen a este número"); verbs are stems with any ending, so every person and mood reads alike.
"""

from zrg_dagster.core.text.optout_rule import one_of

NOUNS = one_of(
    """emails? mails? correos? mensajes? mensajitos? llamadas? sms spam textos? publicidad(?:es)? comunicaci(?:on|ones)
    newsletters? bolet(?:in|ines) whatsapps? contactos? promoci(?:on|ones) ofertas? informacion info propaganda envios?
    propuestas? notificaci(?:on|ones) anuncios? seguimientos? recordatorios? avisos? insistencias? campanas? cadenas?
    acoso molestias? basura tonterias? secuencias? mailings? cosas? contenido prospeccion material mercadeo"""
)
# What we do ourselves is no request: "no contactamos", "no busco nada".
CONTACT = (
    r"(?!\w*(?:[aei]mos|[^dl]o)\b)(?:escrib|contact|llam|mand|envi|molest|mensaj|busqu|busca(?=r|n\b)|acos|insist"
    r"|spam|remit|dirij|dirig|marc(?:ar|a|an|as"
    r"|ando)|marqu(?!\w* como)|comuni|hostig|fastidi|incordi|inform|mole|jod|perturb|import(?:un)|public|tele?fone"
    r"|hagan? llegar|hacer llegar|habl(?:e|ar|es|en)|ofrec|ofrez|prospect|atosig|ching|jorob|hinch|romp|freg|apretar"
    r"|marear|satur|bombarde|llen|telefon|persegui|agobi|texte|tir)\w{0,10}"
)
# Glued or leading pronoun that makes the writer the one who is contacted.
# Where the writer works or lives; "la tienda" is his when he says who is contacted.
PLACE = one_of(
    """consulta tienda restaurante oficina clinica despacho casa hotel taller colegio empresa negocio local farmacia
    centralita recepcion bufete gestoria bar cafeteria panaderia peluqueria fabrica escuela iglesia hospital centro
    domicilio estudio equipo personal plantilla trabajo"""
)
TO_ME = (
    r"(?:(?:a|en|con|por|hacia) (?:este|esta|mi|nuestro|nuestra|mis|nuestros|nuestras|ese|esa) (?:\w+ )?\w+"
    rf"|(?:a la|al|a el|en la|en el|a todo el|a toda la) {PLACE}|con(?:migo| nosotros| nosotras)|(?:a|con) (?:los|las"
    rf"|el|la) \w+ (?:de|en) (?:nuestr[oa]|mi|est[ea]) \w+|a (?:mi|nosotros"
    r"|nadie)\b|por aqui|aqui|a ADDR)"
)
CLITIC_ME = (
    rf"(?:(?:me|nos) {CONTACT}|{CONTACT}(?<=me)|{CONTACT}(?<=nos)|{CONTACT}(?<=mela)|{CONTACT}(?<=melo)"
    rf"|{CONTACT} {TO_ME}|(?:me|nos) pon\w+ en contacto|pon\w+ en contacto con(?:migo| nosotros)|pon(?:erse|gan?"
    r"|gas) en contacto)"
)
MORE = (
    r"(?:mas|nunca|jamas|otra vez|de nuevo|nuevamente|nunca mas|en (?:el|lo) (?:futuro|sucesivo)|en adelante|otro"
    r"|otra|ningun|ninguna|nada|tampoco|a partir de ahora)"
)
MINE = (
    r"(?:a )?(?:todos? |toda )?(?:mi|mis|nuestro|nuestra|nuestros|nuestras|este|esta|estos"
    r"|estas) (?:\w+ ){0,2}?(?:correos?|emails?|mails?|datos|nombres?|contactos?|numeros?|direccion(?:es)?"
    r"|informacion|telefonos?|cuentas?|celular|movil|dominios?|empresa|compania|perfil|registros?|ficha|expediente"
    r"|linea|domicilio|info)"
)
LIST = (
    r"(?:de|del|d|en|desde|fuera de) (?:(?:su|sus|tu|tus|la|las|los|esta|este|estos|estas|esa|ese|todas?|todos"
    r"|vuestra|vuestro|vuestras|vuestros|el|cualquier|futur[oa]s|proxim[oa]s|aqui|ahi"
    r"|alli) ){0,3}?(?:\w+ ){0,3}?(?:listas?|listados?|bases?|envios?|correos?|emails?|mails?|whatsapps?|sms|mailings?"
    r"|newsletters?"
    r"|boletin(?:es)?|registros?|sistemas?|crm|agendas?|difusion|contactos|ficheros?|archivos?|directorio|campanas?"
    r"|secuencias?|comunicacion(?:es)?|mensajes|publicidad|cadenas?|suscripcion(?:es)?|grupo|marketing|llamadas|spam"
    r"|eso|esto|aqui|ahi|bd|servidores|promociones|automatizacion|embudo|plataforma|hilo|todo)\b"
)
REMOVE = (
    r"(?:elimin|borr|quit|saqu|sac|remuev|remov|retir|exclu|suprim|tach|depur|desvincul|desincorpor|descart|desapunt"
    r"|baj(?=[ae]n?(?:me|nos))|desregistr|desagreg|desech|extrai|apart|dej(?=\w* fuera)|tir(?=\w* (?:mi|mis) )"
    r"|anul(?=\w* (?:mi|mis) (?:datos|correo|numero|registro)))"
)
ENDING = (
    r"(?:a|e|en|ar|ad|as|es|an|er|ir|o|y|ya|yan|yas|id|ais|eis|aran?|iera|ieran|eran?|asen?|arais|ad[oa]s?|id[oa]s?"
    r"|aran|ara|yera|yeran|endo|ando|iendo|yendo|cion|ases|aseis|ieses|iese|iesen|ieseis|aras|arais|ieras|ierais"
    r"|arias?|arian|ariais|irias?|irian|iriais|eria|erian|aron|ieron)"
)
WHEN = (
    r"(?: \w+){0,3}? (?:antes|despues|hasta|por la (?:manana|tarde|noche)|hoy|manana(?! )|el (?:lunes|martes"
    r"|miercoles|jueves|viernes|sabado|domingo|fin)|los (?:lunes|martes|miercoles|jueves|viernes|sabados|domingos"
    r"|fines)|tan (?!insist)|a las|por ahora|durante|esta semana|mientras|todavia|aun|entre|de momento|por el momento"
    r"|este mes|este trimestre|tanto|a la oficina|si no)\b"
)
INSTRUCTION = (
    r"\b(?:haga clic|haz clic|clic aqui|pulse|si (?:no |usted |ya no )?(?:desea|quiere|deseas|quieres|prefiere)"
    r"|pued(?:e|es) (?:darse|darte|ejercer|cancelar|solicitar)|para (?:darse|darte|ejercer|cancelar)"
    r"|en cualquier momento|responda (?:baja|stop|con)|si (?:lo )?ha recibido|le informamos|destinatario)\b"
)
OTHERS = (
    r"\b(?:nuestr[oa]s|el|ese|cada|los|las|sus|vuestr[oa]s|tus|mis|un|algun|cuando un|si un) (?:\w+ )?(?:clientes?"
    r"|usuarios?"
    r"|suscriptor(?:es)?|leads?|prospect[oa]s?|vendedores|destinatarios?|interesados|lectores|miembros(?! de (?:nuestr"
    r"|mi\b))|donantes)\b"
)
OTHER_THING = (
    # A list of something else than who is written to.
    r"(?:\blista de (?!correos?|emails?|mails?|mailing|distribucion|envios?|contactos?|difusion|suscri\w+|marketing"
    r"|llamadas|clientes"
    r"|prospec\w+|captacion|telemarketing|destinatarios|direcciones|newsletter|boletin|mensajes|whatsapp|sms|spam|exclu\w+|no\b|bajas"
    r"|publicidad"
    r"|promociones|usuarios|leads|remitentes|ventas|comunicaciones|ustedes|usted|tu\b|su\b|vosotros|vds?\b|telefonos?"
    r"|numeros)\w+|"
    r"\b(?:reuni(?:on|ones)|invitaci(?:on|ones)|calendario|copia|cita|presupuesto|pedido|contrato|presentacion"
    r"|propuesta|diapositiva|documento|enlace|demo|llamada del?|evento|webinar|hoja|espera|convocatoria|invitados"
    r"|participantes|reserva|sala|turno|equipo|logo|punto|parrafo|pagina|web|factura|agenda de (?:la|el|hoy|manana)"
    r"|proyecto|candidatura|premio|plan|paquete|tarifa|guardia|curso|taller|comite|canal|plantilla|caso|borrador|cartel"
    r"|folleto|acta|firma"
    r"|asistentes|mensaje anterior|ultimo mensaje)\b)"
)
PAST_QUESTION = r"\b(?:por que|porque|cuando|desde cuando|como es que) (?:\w+ ){0,3}"
US = (
    r"\b(?:nosotros|queremos(?! que)|querriamos(?! que)|necesitamos|podemos|debemos(?! (?:ped|solic|rog))|ellos|vamos"
    r" a(?! (?:ped|solic|rog))|tenemos que(?! (?:ped|solic|rog))"
    r"|hay que|tuvimos que|quiero que (?:mi|nuestro) equipo|hemos|como|piden|pide) (?:\w+ ){0,2}"
)
MISTAKE = (
    r"\b(?:fue|era|ha sido|es) (?:un )?error\b.{0,40}\b(?:baja|desuscri\w*|borr\w+)|\bvolv\w+ a (?:apuntar|meter|poner"
    r"|dar de alta)"
    r"|\b(?:por error|sin querer|por equivocacion|accidentalmente)\b.{0,60}\b(?:baja|suscri|desuscri)|\b(?:baja"
    r"|desuscri\w*)\b.{0,60}\b(?:por error|sin querer|por equivocacion|fue un error)|\b(?:volver a (?:incluir"
    r"|suscribir|anadir|inscribir)|(?:re|vuelv\w+ a )(?:suscrib|inclu|agreg)\w+)"
)
ASK = (
    r"(?:porfavor|favor|agradec\w+|agradezco|rueg[oa]\w*|rogamos|pid[oe]\w*|pedi(?:mos)?|pedir\w*|solicit\w+|exij\w+"
    r"|exigimos|quier\w+|quisier\w+|querr\w+|prefier\w+|prefer\w+|necesit\w+|gustaria|encantaria|deseo|deseamos"
    r"|dese\w+|podri\w+|pued\w+|puedes|insist\w+|dij\w+|dich\w+|digo|pido|haga\w*|haz\w*|asegur\w+|procur\w+|espero"
    r"|mejor|que)"
)
UNWANTED = (
    rf"(?:recib\w+\b(?! (?:el|la|los|las|mi|mis|un|una|nuestr[oa]s?) (?!(?:\w+ )?{NOUNS}))|"
    r"(?:que |seguir |volver a |continuar )?(?:ser|sea|siendo|estar siendo) (?:\w+ )?(?:contactad"
    r"|molestad|llamad|incluid|acosad)\w+|(?:que )?(?:me|nos) (?:vuelv\w+ a |sig\w+ |esten? |andes? "
    rf"|anden? )?{CONTACT}|que (?:vuelv\w+ a |sig\w+ )?{CONTACT}|seguir (?:recib\w+|en)|volver a recib\w+"
    r"|que (?:se |te )?(?:vuelv\w+ a )?pon(?:erse|erte|gan?|gas) en contacto"
    rf"|{CONTACT}(?<=me)|(?:(?:sus|tus|mas|estos|estas|los|las|ningun|ninguna|de|tipo|este|esta|esa|ese|su|tu|otro"
    rf"|otra|vuestr[oa]s|tener|tantos|ver|leer|aceptar|seguir viendo|aceptamos|esos|esas) )*{NOUNS}\b"
    r"|(?:volver a )?(?:saber|oir|ver|tener|escuchar|leer) (?:nada )?(?:mas )?(?:nada )?(?:mas )?(?:de|sobre|con"
    r"|que ver) (?:ustedes|usted|vosotros|ti|s[ou]s? \w+|tus? \w+|vuestr\w+ \w+|su empresa|esto|eso|vuestra|tu empresa"
    r"|con)|(?:seguir "
    r"|continuar )?(?:estar|estando|figurar|aparecer|formar parte|seguir)(?: \w+)? (?:en|de) (?:su|sus|esta|este|tu"
    r"|la|vuestra|ninguna?)|mas contacto|nada (?:mas )?(?:de|con) (?:ustedes|usted|ti|vosotros)|que tengan mi|trato"
    r"|el uso|(?:que )?(?:usen|utilicen|traten|guarden|tengan|conserven|almacenen) mis)"
)
NO_WANT = (
    r"(?:ni |no |nunca |jamas |tampoco )(?:nos |me |les |le )?(?:quiero|queremos|deseo|deseamos|interesan?|quisiera"
    r"|quisieramos|necesito|necesitamos|autorizo|autorizamos|autorice|autorizado|consiento|consentimos|acepto"
    r"|aceptamos|pretendo|gustaria|apetece|pedi|solicite|permito|permitimos|(?:he|hemos) (?:pedido|aceptado|consentido"
    r"|autorizado|dado"
    r"|solicitado)|(?:estoy|estamos|estaria) interesad[oa]s?|di|doy|damos|tengo interes en"
    r"|tenemos interes en)(?: (?:mas|seguir|volver a|nunca|que|en absoluto|jamas|mi|permiso|consentimiento"
    r"|autorizacion|para|a|el|de|en|continuar|por))*"
)
