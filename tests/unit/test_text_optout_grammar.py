"""Requests to stop, built from verbs and objects in every combination, and the frames that make them something else."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.text.optout import is_opt_out
from zrg_dagster.core.text.optout_spelling import _PHRASES, spelled
from zrg_dagster.core.text.optout_typos import head_word

ENGLISH = [
    *("{} {} {}".format(*words) for words in product(
        ("stop", "please quit", "kindly cease", "I need you to stop", "could you please stop", "you must refrain from"),
        ("emailing", "texting", "calling", "contacting", "messaging", "writing to", "spamming", "soliciting"),
        ("me", "us", "this number", "my colleagues", "anyone at our company"),
    )),
    *("{} {} {} {}".format(*words) for words in product(
        ("do not", "don't ever", "never", "dont", "please do not"),
        ("contact", "email", "text", "call", "message", "write to", "reach out to"),
        ("me", "us", "this number"),
        ("again", "anymore", "in the future", "please"),
    )),
    *("{} {} {}".format(*words) for words in product(
        ("remove", "please delete", "would you mind taking", "I'd be grateful if you'd take", "kindly exclude", "drop"),
        ("me", "us", "my email address", "our domain", "this number", "jane@acme.com"),
        ("off your mailing list", "out of your sequence", "from your database"),
    )),
    *("{} {} {}".format(*words) for words in product(
        ("I don't want", "we no longer wish", "I do not care"),
        ("to receive", "to get"),
        ("any more emails", "your newsletters", "further messages from you"),
    )),
]  # fmt: skip
SPANISH = [
    *("{} {}{}".format(*words) for words in product(
        ("deje de", "dejen de", "por favor deja de", "quiero que dejen de", "paren de", "absténganse de"),
        ("escribir", "llamar", "contactar", "enviar", "mandar", "molestar"),
        ("me", "nos"),
    )),
    *("{} {} más".format(*words) for words in product(
        ("no me", "ya no me", "por favor no nos", "le pido que no me", "nunca me"),
        ("escriba", "llamen", "contactes", "envíen correos", "mande mensajes"),
    )),
    *("{}{} {}".format(*words) for words in product(
        ("elimíne", "borren", "quíte", "sáquen", "retíren", "exclúyan"),
        ("me", "nos"),
        ("de su lista", "de la base de datos", "de sus envíos"),
    )),
]  # fmt: skip
FRENCH = [
    *("{} {}".format(*words) for words in product(
        ("arrêtez de", "cessez de", "merci d'arrêter de", "veuillez cesser de", "pourriez-vous arrêter de"),
        ("m'écrire", "m'appeler", "nous contacter", "me relancer", "nous solliciter", "m'envoyer des mails"),
    )),
    *("ne {} {}".format(*words) for words in product(
        ("m'écrivez", "nous appelez", "me contactez", "me relancez", "nous sollicitez"), ("plus", "plus jamais"),
    )),
    *("{} {}".format(*words) for words in product(
        ("merci de ne plus", "veuillez ne plus", "je vous prie de ne plus", "pourriez-vous ne plus"),
        ("m'écrire", "m'appeler", "nous contacter", "me relancer", "nous solliciter"),
    )),
    *("{} {}".format(*words) for words in product(
        ("retirez-moi", "merci de me retirer", "veuillez supprimer mon adresse", "pouvez-vous m'enlever", "sortez-nous"),
        ("de votre liste", "de vos fichiers", "de votre base de données", "de vos envois"),
    )),
]  # fmt: skip
INFORMAL = [
    "plz rmv me frm ur list", "pls dnt txt me", "pleaes dont text me again", "remvoe me", "unsubsribe", "unsbuscribe pls",
    "STOOOOP", "s t o p", "dont msg me no more", "xfa ya no me manden nada", "denme de vaja", "no me yamen mas",
    "kiero darme de baja", "no quiero q me escriban", "jveux plus recevoir vos msg", "arretez de mappeler svp",
    "ne m ecrivez plus", "narretez pas de mecrire ? si, arretez de mecrire", "desabonez moi", "desuscrivirme",
]  # fmt: skip
RIGHTS = [
    "Under article 17 GDPR, please erase my personal data.", "I object to the processing of my data for marketing.",
    "Please treat this as a GDPR deletion request.", "Solicito la supresión de mis datos conforme al RGPD.",
    "Ejerzo mi derecho de oposición.", "J'exerce mon droit d'opposition.", "I never gave you permission to email me.",
    "Au titre du RGPD, supprimez mes données.", "Where did you get this number? Delete it.",
    "Qui vous a donné mon adresse ? Supprimez-la", "¿De dónde sacaron mi correo? Elimínenlo.",
]  # fmt: skip
FRAMES = [
    *("{} {} {}".format(*words) for words in product(
        ("I'd like to be", "could we be", "please can I be", "I asked to be"),
        ("removed from", "taken off", "unsubscribed from", "excluded from"),
        ("your list", "this email list", "all future mailings", "your CRM"),
    )),
    *("{} {}".format(*words) for words in product(
        ("kill", "turn off", "please switch off", "spare me"), ("these emails", "the follow-ups", "your sales messages"),
    )),
    "Tell your bot to stop texting me", "Please let Jason know I don't want any more emails.", "Can this stop please?",
    "This needs to be the last time you contact me.", "That was the last email I want from you.",
    "It would be best if you didn't write again.", "You may not use this email address for marketing.",
    "Who do I contact to be removed from this list?", "This is a request for erasure.", "Consent revoked.",
    "These messages are unsolicited and unwelcome.", "You keep emailing me even though I've asked you not to.",
    "I tried the unsubscribe link and it gives an error", "Could somebody there please unsubscribe me?",
    # passed on for somebody else, and "it" behind what it is
    "My boss asked me to reply: he doesn't want any more of these.", "Mr. Hale passed away. Please stop writing to him.",
    "Mi jefe no quiere recibir más correos suyos", "La direction ne souhaite pas être démarchée",
    "Mme Roux est décédée, merci de supprimer son contact", "Juan falleció, eliminen su correo de la lista",
    "You have my private number. Please delete it.", "Este es mi correo personal. Bórrenlo, por favor.",
    "D'où tenez-vous mon adresse ? Peu importe, supprimez-la.",
    *("{} {}".format(*words) for words in product(
        ("le pido que", "quiero que", "necesito que", "agradecería que"),
        ("me borren de sus registros", "me den de baja", "retiren mi dirección de sus campañas", "no me llamen más"),
    )),
    "Que sea el último correo", "Ya me di de baja y me siguen escribiendo.", "No autorizo que usen mi teléfono.",
    "Les prohíbo contactarme.", "Sus mensajes no son bienvenidos.", "no + mensajes xfa", "Fuera de mi bandeja",
    *("{} {}".format(*words) for words in product(
        ("merci de", "veuillez", "je vous demande de", "pourriez-vous"),
        ("m'exclure de vos envois", "supprimer mon adresse mail", "ne plus me démarcher", "me blacklister"),
    )),
    "Que ce soit le dernier message.", "Je vous interdis de me contacter.", "J'exige que vous cessiez",
    "Merci d'en rester là.", "Vos appels sont indésirables.", "Assurez-vous que je ne sois plus contacté",
    "stop textin me", "pls stp txtng me", "dont txt me agn", "remove me form your mailing lsit", "enough w the texts",
]  # fmt: skip
ANOTHER_CONTEXT = [
    # told of somebody else
    "A lead told my rep to remove him from the list and the CRM didn't.", "Un client nous a demandé de le supprimer",
    "Si un cliente pide que lo borren, ¿qué hace el sistema?", "When a customer says don't call me, what happens?",
    "If a contact asks to be removed from the list, does it sync?",
    # the writer's own lists and mailings
    "Please take acme.com out of our campaign, they signed last week.", "Sortez acme.fr de notre campagne.",
    "Please suppress the leads in the attached file before you start.", "Eliminen los duplicados de nuestra lista.",
    # an exclamation, and then the order
    "stop! jaja ya me convenciste, cuando empezamos?", "STOP! Before you go further, can I ask about price?",
    "Stop ! Vous m'avez convaincu.", "omg stop, that price is insane! send me the contract",
    "Pas la peine de m'appeler, je signe ce soir.", "Pas besoin d'insister, c'est signé.",
    # what he nearly did
    "I was about to unsubscribe but this one is relevant. Send details.", "Antes de darme de baja: ¿hay plan gratis?",
    "J'ai failli me désabonner, mais ce cas client m'intéresse.", "Normally I'd mark this as spam. Tell me more.",
    # another moment or channel
    "don't call, i'm driving", "No me llames, estoy en una reunión", "Ne m'appelle pas, je conduis",
    "Please text, don't call.", "Don't call, I'm in a meeting. Text?",
    # conditions, other objects
    "Que deviennent nos données si on se désabonne de la plateforme ?", "If we cancel, do you delete our data?",
    "My wife and I take a hike every Friday morning.", "Queremos darnos de baja del proveedor actual.",
    "Don't stop emailing me!", "I hope this isn't the last I hear from you!", "We built our own, so we don't need this.",
]  # fmt: skip
SOMETHING_ELSE = [
    "Why did you stop emailing me?", "Did you stop sending the newsletter?", "Don't stop emailing me!",
    "Our customers tell us to stop calling them, can you help?", "We need to stop emailing leads by hand.",
    "How many emails do you send before you stop contacting a lead?", "Can you help us stop spam?",
    "Please remove our logo from your website.", "Can you remove me from the demo invite and add Jane?",
    "I unsubscribed by mistake, please add me again.", "Are you GDPR compliant? How do you process deletion requests?",
    "Can I cancel my subscription at any time?", "Could we add a do-not-contact list to our account?",
    'We got a complaint: "stop emailing me". How do you prevent that?', "No more than two calls please.",
    "Please delete the attachment.", "If you received this in error, please delete it.", "I'll stop by tomorrow.",
    "¿Por qué dejaron de escribirme?", "No dejen de llamarme", "Me di de baja por error, ¿me pueden volver a incluir?",
    "¿Cómo gestionan las bajas?", "No me llames antes del lunes", "Queremos dar de baja a dos usuarios",
    "Quita a Juan de la reunión", "No nos interesa su propuesta", "¿Cumplen con el RGPD y el derecho al olvido?",
    "Pourquoi avez-vous arrêté de m'écrire ?", "N'arrêtez surtout pas de m'écrire", "Ne m'appelez pas ce matin",
    "Je me suis désabonné par erreur, pouvez-vous me réinscrire ?", "Retirez Paul de l'invitation svp",
    "Nous avons arrêté notre campagne", "Ne m'appelez pas, écrivez-moi", "Comment vos clients se désabonnent-ils ?",
    "Êtes-vous conformes au RGPD, notamment pour le droit à l'effacement ?", "Plus de détails svp",
]  # fmt: skip


@pytest.mark.parametrize("text", [*ENGLISH, *SPANISH, *FRENCH, *INFORMAL, *RIGHTS, *FRAMES])
def test_every_combination_is_a_request(text: str) -> None:
    assert is_opt_out(text, channel="sms"), text


@pytest.mark.parametrize("text", [*SOMETHING_ELSE, *ANOTHER_CONTEXT])
def test_the_same_words_in_another_frame_are_none(text: str) -> None:
    assert not is_opt_out(text, channel="email"), text


@given(st.data())
def test_no_phrase_is_overlooked(data: st.DataObject) -> None:
    """A sentence without the substring is not searched for the pattern."""
    need, pattern, _ = data.draw(st.sampled_from(_PHRASES))
    text = data.draw(st.from_regex(pattern, alphabet=st.characters(codec="ascii")))
    assert need in text


def test_canonical_spelling() -> None:
    assert spelled("plz dnt txt me, u creep") == "please do not text me , you creep"
    assert spelled("n'm ecrivez") == spelled("ne m'ecrivez")
    assert spelled("narretez pas") == "ne arretez pas"
    assert spelled("s'il vous plait") == "svp"


@pytest.mark.parametrize(
    ("typo", "word"),
    [("remvoe", "remove"), ("pleaes", "please"), ("unsubsribe", "unsubscribe"), ("unsbscribe", "unsubscribe"),
     ("lsit", "list"), ("desabonez", "desabonnez"), ("emaling", "emailing"), ("stpo", "stop")],
)  # fmt: skip
def test_one_wrong_letter_in_a_head_word(typo: str, word: str) -> None:
    assert head_word(typo) == word


@pytest.mark.parametrize(
    "word", ["subscribe", "remote", "contract", "lost", "testing", "quien", "envie", "message", "massage", "stops"]
)
def test_another_word_is_no_typo(word: str) -> None:
    assert head_word(word) == word
