"""Families of requests to stop and of their innocent look-alikes, each in English, Spanish and French.

A family is a grammar, not a sentence: who is contacted, what somebody nearly did, whose mail or call is taken back, whose
footer it is. Each pair of tables holds what a rule must find and what the same words say in another frame.
"""

import pytest

from zrg_dagster.core.text.email_body import clean_reply
from zrg_dagster.core.text.optout import detect, is_opt_out

# The writer's place, or everybody there, is who is contacted.
PLACES_AND_PEOPLE = [
    "Please stop contacting the store.", "Stop calling the restaurant, we're busy with service.",
    "Please don't phone the shop any more", "Quit emailing everyone at the clinic.",
    "There are four of us here and we all got it. Take us all off the list.", "Please take both of us off this list.",
    "Take me and my husband off your list.", "Take the entire department off your mailing list please.",
    "Remove all addresses at acme.com.", "Please remove the following: a@example.com, b@example.com",
    "Please do the needful and remove my mail id from your mailing list.", "pls remove my ph no from ur list",
    "Quitadnos a todos de la lista.", "Quítennos a los cuatro de su lista.", "Saquen a todo el equipo de sus envíos.",
    "Elimina a mi socio y a mí de tu lista.", "Dejen de llamar a la tienda, por favor.",
    "Dejen de escribir al restaurante.", "Deje de llamar a la consulta.", "Arrêtez d'appeler le restaurant.",
    "Retirez-nous tous de la liste.", "Merci de retirer toute l'équipe de vos envois.", "N'appelez plus le magasin.",
]  # fmt: skip
OTHER_PEOPLE_AND_THINGS = [
    "Please remove John from the invite, he's left.", "Take Maria off the call tomorrow, she's on leave.",
    "Take the setup fee off the quote and we'll sign.", "Can you drop me from the 3pm and keep the 4pm?",
    "Please remove the attachment from the thread.", "Can you remove the second line from the quote?",
    "Could you stop sending me the long version and send the one-pager?", "You can stop looking, I found the invoice.",
    "Please unsubscribe our intern from your training portal.", "I want to be removed from the waitlist and get started.",
    "Please don't contact my manager, deal with me directly.", "Please don't contact our Berlin office, I handle this.",
    "We need to get out of our lease first.", "Please remove Initech from the target accounts, they're a client.",
    "Eliminad a los que ya son clientes de la campaña.", "Quítame de copia en ese hilo.", "Saca a Pedro de la reunión.",
    "Quiero darme de baja del curso del viernes.", "Saca mi nombre del cartel, por favor.",
    "Retirez la pièce jointe.", "Retirez mon nom de la liste des intervenants.", "Enlevez-moi de la copie sur ce fil.",
    "Je voudrais me désabonner de l'offre Premium et passer en Standard.", "Ne contactez pas mon chef, passez par moi.",
]  # fmt: skip

# One call, order or mail of the writer's own, not all of ours.
ENDED_FOR_GOOD = [
    "Please cancel these emails.", "Cancel all future messages to this number.", "Cancela estos correos.",
    "Call off your bot.", "Apaguen ese robot, por favor", "Coupez votre robot", "Give it a rest.",
    "Where did you get my address? I want it deleted.", "¿De dónde sacasteis mi dirección? No la uséis más.",
    "Qui vous a donné mon mail ? Je veux qu'il soit effacé.", "Borra mi correo, gracias.", "Effacez mon adresse.",
]  # fmt: skip
ONE_CALL_OR_MAIL = [
    "Please cancel the call tomorrow, something came up.", "Tengo que cancelar la llamada de mañana, ¿la pasamos al jueves?",
    "Para el envío del pedido, me he equivocado de dirección.", "Je dois annuler l'appel de jeudi, on décale ?",
    "Please delete my earlier email, I sent the wrong figures.", "Forget my last email, I found the answer.",
    "Ignore and delete my previous email please.", "Borra mi correo anterior, me equivoqué de archivo.",
    "Elimina el mensaje anterior, adjunté mal el fichero.", "Supprimez mon dernier message, mauvais destinataire.",
    "Merci d'ignorer et de supprimer mon premier mail.", "Where did you get my address?", "How did I end up on your list?",
    "¿De dónde habéis sacado mi correo?", "¿De dónde sacaron mis datos?", "Où avez-vous eu mon adresse ?",
    "Quiero cancelar mi suscripción actual con Mailchimp y pasarme con vosotros.",
    "Arrêtez les envois vers les adresses qui rebondissent.", "Please stop the ads, but keep the emails going.",
]  # fmt: skip

# What the writer nearly did, would do, or usually does; and a request that stands all the same.
ASKED_ALL_THE_SAME = [
    "I usually just delete these, but please take me off the list.", "It's almost impossible to unsubscribe from your list.",
    "I get these almost every day, please remove me.", "I was going to ignore this but take me off your list.",
    "Casi todos los días me escriben, denme de baja.", "Normalement je ne réponds pas, mais merci de me désabonner.",
    "I unsubscribed, but I am still on your list and want off.", "She asked you to stop, nobody here is interested.",
"My manager told you to stop, we are not interested.",
    "Stop emailing me. Whoever runs this should be ashamed.", "No vuelvan a hablar conmigo.",
]  # fmt: skip
NEARLY_DONE = [
    "Ha, I nearly asked you to take me off the list, then I saw you work with dental practices.",
    "I was this close to telling you to stop emailing me, but you mentioned Shopify.",
    "Usually I'd say stop emailing me but this is actually relevant.", "I thought about unsubscribing, then saw the discount.",
    "I came close to unsubscribing last week. Then you sent the benchmark.", "My first instinct was to unsubscribe.",
    "My boss would kill me if I unsubscribed, he loves these.", "If I wanted to unsubscribe later, would it be easy?",
    "Suppose we stop paying, do you delete our data?", "I'd hate to stop getting these.",
    "I hope you won't stop sending these.", "No need to remove me, I like these.", "stop it, you had me at free trial",
    "Iba a darme de baja, pero me ha gustado el ejemplo.", "Estuve a punto de borrarme de la lista, menos mal que no.",
    "Pensaba pediros que me quitarais de la lista, pero esto me interesa.", "¿Puedo darme de baja cuando quiera?",
    "J'allais me désabonner, mais votre étude de cas m'a intriguée.", "J'ai pensé me désabonner, puis j'ai vu la démo.",
    "J'étais à deux doigts de vous demander d'arrêter, et puis j'ai lu la fin.",
    "J'allais vous demander de me retirer de la liste, mais votre exemple m'a plu.",
]  # fmt: skip

# Somebody else asked: passed on to us, or only told.
PASSED_ON = [
    "She asked to be removed. Please honour that.", "He has told you twice he doesn't want these.",
    "Mi padre falleció, por favor no le escriban más.", "Dites à votre robot d'arrêter",
    "The owner isn't interested and asks that you not call again.", "M. Durand est décédé, merci de le retirer de votre liste.",
]  # fmt: skip
ONLY_TOLD = [
    "My co-founder asked to be removed, I'd like to stay on though.", "My colleague unsubscribed but I'm still interested.",
    "Mi compañera pidió que la quitaran, pero yo sigo interesado.", "Mon associé s'est désabonné mais moi je suis intéressé.",
    "Ma collègue a demandé à être retirée, mais je reste preneur.", "She asked to be taken off the project, so I'm your contact.",
    "I unsubscribed from your competitor's list yesterday. You do it better.",
]  # fmt: skip

# An unsubscribe that failed, a threat, a wish.
FAILED_OR_THREATENED = [
    "The link at the bottom doesn't work so please do it for me.", "Didn't I unsubscribe from this already?",
    "I already opted out once, why am I getting this?", "This is the second time I've had to unsubscribe.",
    "He intentado darme de baja tres veces y sigo recibiendo correos.", "Su correo no trae opción de baja.",
    "No funciona el enlace de cancelar suscripción, hacedlo manualmente.", "Me di de baja y aun así me llegó otro correo.",
    "J'ai cliqué sur le lien de désinscription, ça ne marche pas. Merci de le faire de votre côté.",
    "Je me suis désinscrite le mois dernier, pourquoi m'écrivez-vous encore ?",
    "Next time I hear from you I'm calling my lawyer.", "Keep this up and I'll block the whole domain.",
    "I'll be forwarding this to the ICO if it continues.", "La próxima vez que me escriban llamo a mi abogado.",
    "Si siguen así tendré que denunciarles.", "It would be great if these emails stopped.", "I'd like you to stop.",
    "I'd be happier if I never got another one of these.", "why won't you stop emailing me",
    "No pierdan el tiempo escribiéndome.", "Ahórrese los correos.", "No es necesario que vuelvan a escribir.",
    "Solo quiero los avisos de pedido, publicidad no.", "Continuez les factures, mais arrêtez la newsletter.",
    "I'd like all communication from your company to stop.", "It's a no from me, and please don't circle back.",
    "how many times do i have to say stop", "As I said in my last email, please stop contacting me.",
    "Please delete this conversation and my number.", "Que no me lleguen más correos, por favor.", "ya déjenme",
    "You are hereby notified to cease all communications with me.", "Vous m'avez réinscrit sans mon accord, désinscrivez-moi.",
    "I only want transactional emails, take me off marketing.", "Que ce mail soit le dernier.", "Non au démarchage",
]  # fmt: skip
REFUSED_OR_RETURNED = [
    "Te lo agradezco, Raúl, pero ahora mismo no buscamos nada.", "No contactamos más proveedores este año.",
    "Mejor no me llaméis, no tengo buena cobertura. Por correo respondo siempre.", "¿Por qué no me llaman?",
    "No mandes nada a mi jefe sin avisarme.", "Queremos dejar de enviar correos a mano.", "Plus d'infos ?",
    "Este es el último correo que me faltaba para decidir, adelante.", "Nada de llamadas antes de las 9.",
    "Pas besoin de relancer, je reviens vers vous lundi.", "Pas la peine de rappeler, j'ai trouvé la réponse, merci.",
    "Plus d'appels, juste un mail, ça me va. Quel est le prix ?", "Je vous laisse tranquille pour ce soir.",
    "We're trying to unsubscribe fewer people by segmenting better. Ideas?", "When does the offer end?",
    "Do not use the old address for the invoice.", "I unsubscribed from Slack so email me instead.",
    "¡Para! Que me convences. ¿Cuánto es?", "Not a stop, just a pause: we'll be back in September.",
    "What part of the process do you automate?", "Please don't share my email with partners. Otherwise, happy to talk.",
    "You shouldn't be contacting me about this, Dana owns it. dana@acme.com", "No spam here, glad to hear from you :)",
    "Our GDPR officer needs to know how you delete personal data.", "Get out! That's amazing. Tell me more.",
]  # fmt: skip

# A mailing's own footer that the cleaning left below an answer.
FOOTERS = [
    'Happy to chat.\n\nDon\'t want to hear from me? Just reply "no".',
    "Great, send it over.\n\nYou received this because you are on our list. Unsubscribe",
    "Genial.\n\nDarse de baja | Preferencias", "Thanks!\n\nManage preferences | Unsubscribe",
    "Me interesa.\n\nPara darse de baja envíe un correo a baja@example.com",
    "Bien noté.\n\nVous recevez cet e-mail car vous êtes inscrit à notre liste. Désinscription",
    "Une démo ?\n\nPour vous désinscrire de notre lettre d'information : desinscription@example.com",
]  # fmt: skip
OWN_WORDS_LIKE_A_FOOTER = [
    "You are receiving this email because I want you to stop contacting me.", "You received this twice already. Remove me.",
    "Je ne trouve pas de lien pour me désabonner.", "No hay enlace para darse de baja.", "wrong number | unsubscribe me",
]  # fmt: skip

# What a removal is off, what a document shows, what a product does; and the same verbs where the writer is who is removed.
OFF_OUR_LISTS = [
    "Please remove both this address and books@fern.example from your mailings.", "Take my email out of your system.",
    "Please remove all addresses under our domain.", "Please don't share or use my email for marketing again.",
    "Could you make sure I'm not on any of your future mailings?", "Please do us the courtesy of not writing again.",
    "Nobody at this address wishes to hear from you.", "We kindly ask you to not contact us anymore.",
    "Sácame de tus mails", "¿Dónde está el enlace para darme de baja?", "Saquen a todos los de Enebro de sus campañas.",
    "Por favor descontinúen estos mensajes.", "No deseo que se pongan en contacto conmigo.", "Deje de intentar contactarme.",
    "¿Nos podrían dejar en paz?", "No hace falta que me vuelvas a escribir.", "He decidido darme de baja.",
    "Merci de radier l'adresse info@garage.example ainsi que celle-ci de votre liste.", "Enlevez-nous de là.",
    "Je ne veux pas que mon adresse soit sur votre liste.", "Ne m'incluez plus dans vos campagnes.",
    "Arrêtez d'essayer de me joindre.", "Je n'ai pas sollicité ces courriels.", "Annulez mon abonnement aux courriels.",
]  # fmt: skip
OFF_SOMETHING_ELSE = [
    "Please remove me from the on-call rotation next week.", "Please drop me from the carpool list.",
    "I need to be removed from the lease first.", "Remove me from Tuesday's session.", "Take my photo off slide 9.",
    "How do I unsubscribe from the weekly digest in your tool?", "I opted out of the beta, does that affect us?",
    "Please confirm you've removed the old card.", "Remove my old billing address and add the new one.",
    "I asked Kim to take me off the approvals.", "I'm on a plane so don't call, I'll ring you tonight.",
    "You're not bothering me at all.", "It's not that I want you to stop, I just need time.",
    "How do you treat those who asked to be removed?", "Not interested in this offer.", "Don't call me Robert.",
    "Quítame de la guardia del sábado.", "No me manden más muestras, ya elegimos la azul.", "Deje el material en la entrada.",
    "No hace falta que me envíes más ejemplos.", "No quiero recibir el pedido en casa.", "Para no molestarte más, lo leo hoy.",
    "Si os damos de baja a mitad de año, ¿hay penalización?", "Parad los recordatorios del contrato, ya está firmado.",
    "Borra mi antigua dirección y pon la nueva.", "Le pedí a Eva que me sacara de las aprobaciones.",
    "Comment désinscrire un salarié de la formation dans votre outil ?", "Arrête de m'appeler Monsieur :)",
    "Sur la page 3 du devis, retirez mon nom.", "Supprimez mon deuxième compte utilisateur.", "Désolé de ne pas avoir rappelé.",
    "Pas la peine de m'envoyer plus de références.", "Retirez-moi de la garde de samedi.", "N'envoyez plus de devis sans TVA.",
    "Nous venons de renouveler pour trois ans, désolée.", "Il a demandé à être retiré du panel.", "Plus d'appels nécessaires.",
    "Nous voulons que nos lecteurs puissent se désinscrire en un clic.", "Je ne souhaite pas recevoir la version papier.",
]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        *PLACES_AND_PEOPLE,
        *ENDED_FOR_GOOD,
        *ASKED_ALL_THE_SAME,
        *PASSED_ON,
        *FAILED_OR_THREATENED,
        *OWN_WORDS_LIKE_A_FOOTER,
        *OFF_OUR_LISTS,
    ],
)
def test_the_family_is_a_request(text: str) -> None:
    assert is_opt_out(clean_reply(text, None), channel="email")


@pytest.mark.parametrize(
    "text",
    [
        *OTHER_PEOPLE_AND_THINGS,
        *ONE_CALL_OR_MAIL,
        *NEARLY_DONE,
        *ONLY_TOLD,
        *REFUSED_OR_RETURNED,
        *FOOTERS,
        *OFF_SOMETHING_ELSE,
    ],
)
def test_its_look_alikes_are_none(text: str) -> None:
    assert detect(clean_reply(text, None), channel="email") is None
