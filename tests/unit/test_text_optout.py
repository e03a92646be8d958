"""The opt-out floor: what suppresses a person, and what must never do so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.text.email_body import clean_reply
from zrg_dagster.core.text.optout import Channel, Verdict, detect, is_opt_out

CARRIER_WORDS = [
    "STOP",
    "STOPALL",
    "UNSUBSCRIBE",
    "CANCEL",
    "END",
    "QUIT",
    "REVOKE",
    "OPTOUT",
    "Stop.",
    "stop!!",
    "Opt-out",
    "'stop'",
]

PHRASES = [
    # B01..B04, B10: the families that the predecessor missed
    "stop emailing me", "stop texting me please", "stop texting", "stop contacting us", "stop sending me emails",
    "please stop", "unsubscribe me and stop wasting my time", "remove my email", "no more emails please",
    "leave me alone", "cease and desist",
    # unsubscribe
    "Please unsubscribe me from this list.", "I'd like to unsubscribe", "how do I unsubscribe from these emails?",
    "UNSUBSCRIBE ME NOW", "Not interested, unsubscribe.", "Can you unsubscribe me?",
    "I already unsubscribed twice", "unsubcribe please", "Kindly unsuscribe my address",
    "No thanks. Please unsubscribe jane@acme.com.", "I want to be unsubscribed", "Where is the unsubscribe link?",
    "your unsubscribe link doesn't work", "I can't unsubscribe, do it for me",
    # opt out
    "opt me out", "Please opt us out of all communications", "I would like to opt out",
    "I wish to opt out of these messages", "Opting out, thanks", "how can I opt out of your mailing list",
    "Opt out please",
    # remove
    "Please remove me from your list.", "Remove us from your mailing list immediately", "take me off your list",
    "Take me off this list please", "Can you take my name off your database?", "please delete my information",
    "Delete all my data from your systems", "Remove me.", "I have asked to be removed three times",
    "I'd like to be removed from your distribution", "get me off this mailing list",
    "please remove this email address", "Please remove\nme from your\nlist", "add me to your do not contact list",
    "put us on your do-not-call list", "lose my number", "Could you please have me removed from your contacts",
    "remove jane.doe@acme.com from your list", "Remove from list please", "please drop me from your sequence",
    "pull me out of your cadence",
    # stop
    "Stop calling me.", "Can you please stop sending these emails", "you need to stop messaging our team", "Stop.",
    "STOP IT", "Quit emailing me", "Cease all communication", "Stop with the emails", "stop the spam",
    "If you don't stop emailing me I will report you", "Please refrain from contacting me",
    "For the last time stop messaging me", "discontinue all further contact",
    # do not contact
    "don't contact me again", "Do not contact me.", "Please do not email me anymore", "never contact me again",
    "dont text me", "Don't ever call this number again", "Do not send me any more emails",
    "please don't send anything further to me or stop", "We ask that you do not contact us", "don't call again",
    "Please do not contact us in the future.", "Do not email.",
    # unwanted
    "I don't want to receive these emails", "I do not wish to be contacted",
    "we no longer wish to receive your messages", "I don't want your emails",
    "not interested in receiving any more emails", "I never want to hear from you again",
    "I'd prefer not to be contacted", "I do not want to be on your list", "I don't want any further communication",
    "No further contact please", "No more messages", "enough with the emails",
    # blunt
    "fuck off", "F*** off", "take a hike", "go away", "piss off", "Leave us alone!", "get lost",
    "I'm reporting you as spam", "I have marked this as spam", "I withdraw my consent",
    "I am blocking this number",
    # French
    "Désabonnez-moi", "Merci de me désinscrire", "désinscription svp", "Je souhaite me désabonner de votre liste",
    "Arrêtez de m'écrire", "Merci de ne plus me contacter", "Veuillez me retirer de votre liste",
    "Supprimez-moi de votre base de données", "Ne m'appelez plus", "Je ne souhaite plus recevoir vos mails",
    "Je ne veux plus être contacté", "Plus de mails svp", "Arrêtez vos relances", "Laissez-moi tranquille",
    "Merci de supprimer mon adresse de vos fichiers", "Retirez-moi de vos contacts",
    "Cessez de m'envoyer des messages", "ne me contactez plus", "Merci d'arrêter de nous solliciter",
    "Foutez-moi la paix", "Stop aux mails", "merci d’arrêter", "Merci de bien vouloir me désabonner",
    "Je ne veux pas recevoir vos emails",
    # Spanish
    "Darme de baja por favor", "Quiero darme de baja", "Dame de baja", "Denme de baja de su lista",
    "Por favor elimíneme de su lista", "Bórrame de tu base de datos", "No me escriban más",
    "No me contacte de nuevo", "No quiero recibir más correos", "Dejen de enviarme correos", "Deja de escribirme",
    "No me llames más", "Ya no deseo recibir sus mensajes", "Quítame de la lista", "Elimine mi correo de su base",
    "no más mensajes", "Déjenme en paz", "Cancelar suscripción por favor", "Por favor, no me vuelvan a contactar",
    "No deseo ser contactado", "Sáquenme de su lista de correo", "Basta de mensajes", "solicito la baja",
    "Desuscribirme", "No me molesten", "Dejad de llamarme", "no nos contacten más", "No quiero que me contacten",
]  # fmt: skip

HARMLESS = [
    # B05..B08, B11..B16, B18..B20
    "Can we stop by for a call?", "I want to opt out of the annual plan and go monthly",
    "Don't call before noon, 2pm is fine", "do not email the PDF, share a link",
    "We were blocked by our CFO this quarter, try again in May",
    "Your note went to spam but I found it. Interested!", "Budget is $1,550 per month",
    "Please do not reply to this address, use jane@acme.com", "My email is no longer active, use new@x.co",
    "Not interested", "No thanks", "Not interested in SMS, but email works - yes let's book",
    "I am returning your call, ring me at 5",
    # asked for by name
    "stop by our booth", "don't stop", "Please don't stop emailing me, this is great", "cancel our call",
    "Can we cancel Thursday's meeting?", "I'd like to cancel the demo", "The end", "let's end the call at 3",
    "quit my job last week, new contact below", "Full stop.",
    # third parties and our product
    "How do leads unsubscribe?", "Does your tool handle opt-outs?", "Our unsubscribe rate is 2%",
    "We need to stop calling leads manually", "Can recipients opt out of the sequence?",
    "We'd like to stop sending cold emails ourselves and use you", "Our reps never stop calling prospects",
    "what is your opt out clause?", "Can we opt out later?", "I don't want to unsubscribe, keep them coming",
    "We had to unsubscribe from HubSpot because of cost",
    "My spam filter marked this as spam, sorry for the delay",
    # other objects
    "Please remove me from the calendar invite", "take me off the meeting, Jane will join",
    "remove the logo from the deck", "delete the old invite please", "Drop me a line next week",
    "take us through the pricing", "Take me through it tomorrow",
    "please remove the second attendee from the call",
    # preferences
    "Don't call me, text me instead", "Please don't text, email me", "Not by text please, email me",
    "don't call me today", "Don't email me until March", "do not call me after 6pm",
    "Stop calling my office, use my cell instead", "I don't want to miss this", "don't hesitate to contact me",
    "Why don't you call me tomorrow?", "we don't email on weekends", "I don't have more questions",
    "no more questions from my side", "I don't need more information, send the contract",
    "never heard of you, who is this?", "You can call me any time", "please call", "Contact me next quarter",
    "Can you send more information?", "Please send me your calendar", "they don't contact me often",
    "If you don't hear from me, call me again", "I never got your email", "We no longer need a vendor",
    "I'm no longer with the company", "we're all set", "Too expensive", "I will not be in the office",
    "Please take a look", "leave it with me", "I left the company", "I'd like to take you up on that",
    # footers
    "Reply STOP to opt out", "Sounds good. Text STOP to end.", "To unsubscribe, click here",
    "Click here to unsubscribe", "If you no longer wish to receive these emails, reply STOP",
    "You can unsubscribe at any time", "unsubscribe here: https://t.example/u/1",
    "Si vous ne souhaitez plus recevoir nos mails, cliquez ici", "Si no desea recibir más correos, haga clic aquí",
    # French
    "N'arrêtez pas !", "Ne m'appelez pas avant 14h", "On peut annuler notre rendez-vous ?",
    "Pas de souci, je vous rappelle", "Je ne suis plus dans l'entreprise", "N'hésitez pas à me contacter",
    "Je ne reçois plus vos messages", "Pouvez-vous m'envoyer plus d'informations ?",
    "Vous pouvez m'appeler demain", "Plus tard merci", "Je n'ai plus le temps cette semaine",
    "Je voudrais plus de détails", "Ne m'envoyez pas le PDF, un lien suffit", "Je veux bien recevoir vos mails",
    "Rappelez-moi lundi", "Retirez-moi de l'invitation, Jean viendra", "Pas intéressé",
    # Spanish
    "No dejen de escribirme", "No me llames antes de las 3", "¿Podemos cancelar la reunión?",
    "No me envíes el PDF, mejor un enlace", "No me interesa", "No, gracias", "Quiero recibir más información",
    "Llámame mañana", "No quiero perder esta oportunidad", "Ya no trabajo en esa empresa",
    "Para la próxima semana está bien", "Quiero saber más", "No me llames, escríbeme por correo",
    "Estoy de baja médica", "Quítame de la invitación, va Juan", "Me parece bien", "Deja que lo piense",
]  # fmt: skip


@pytest.mark.parametrize("word", CARRIER_WORDS)
@pytest.mark.parametrize("channel", ["sms", "whatsapp", "linkedin"])
def test_carrier_word_is_an_opt_out_as_a_whole_message(word: str, channel: Channel) -> None:
    assert is_opt_out(word, channel=channel)


@pytest.mark.parametrize(
    "word", ["Stop", "unsubscribe", "opt out", "OPT-OUT", "remove", "Remove me", "please remove", "Stop!"]
)
def test_email_counts_four_whole_message_words(word: str) -> None:
    assert is_opt_out(word, channel="email")


@pytest.mark.parametrize("word", ["Cancel", "end", "quit", "revoke", "Cancel.", "stopall", "start", "help"])
def test_email_does_not_count_carrier_words(word: str) -> None:
    assert detect(word, channel="email") is None


@pytest.mark.parametrize("text", PHRASES)
@pytest.mark.parametrize("channel", ["email", "sms", "linkedin"])
def test_phrase_is_an_opt_out_on_every_channel(text: str, channel: Channel) -> None:
    assert is_opt_out(text, channel=channel), text


@pytest.mark.parametrize("text", HARMLESS)
@pytest.mark.parametrize("channel", ["email", "sms"])
def test_harmless_text_is_never_an_opt_out(text: str, channel: Channel) -> None:
    assert detect(text, channel=channel) is None


def test_start_and_help_are_words_of_texting_channels_only() -> None:
    assert detect("START", channel="sms") == Verdict("start", "word.start")
    assert detect("unstop", channel="sms") == Verdict("start", "word.unstop")
    assert detect(" Help! ", channel="sms") == Verdict("help", "word.help")
    assert detect("START", channel="linkedin") is None
    assert detect("start on Monday?", channel="sms") is None
    assert detect("can you help", channel="sms") is None


def test_command_above_a_signature() -> None:
    assert is_opt_out("Unsubscribe\n\nMara Okafor\nCOO, Brightloom", channel="email")
    assert not is_opt_out("Cancel\n\nMara Okafor\nCOO, Brightloom", channel="email")


def test_subject_counts_unless_it_is_ours() -> None:
    assert is_opt_out("", channel="email", subject="unsubscribe")
    assert is_opt_out("thanks", channel="email", subject="RE: Unsubscribe")
    assert is_opt_out("", channel="email", subject="Please remove me from your list")
    assert not is_opt_out("sounds good", channel="email", subject="Re: please remove me from your list of worries")


def test_rule_id_is_stable() -> None:
    assert detect("Please remove me from your list.", channel="email") == Verdict("opt_out", "en.remove_me")
    assert detect("STOP", channel="sms") == Verdict("opt_out", "word.stop")


def test_quoted_footer_never_counts_after_cleaning() -> None:
    mail = (
        "Yes please.\n\nOn Mon, Mar 9, 2026 at 8:12 AM Noor <noor@x.example>\nwrote:\n\n> Hi\n> Please unsubscribe me\n"
    )
    assert detect(clean_reply(mail, None), channel="email") is None


@given(st.text(max_size=400), st.sampled_from(["email", "sms", "linkedin"]))
def test_any_text_gets_an_answer(text: str, channel: Channel) -> None:
    verdict = detect(text, channel=channel, subject=text)
    assert verdict is None or verdict.rule


@given(
    st.sampled_from(PHRASES),
    st.sampled_from([str.upper, str.lower, str.title]),
    st.sampled_from(["", "!", ".", " \n", "!!!"]),
)
def test_case_and_punctuation_do_not_matter(text: str, case, end: str) -> None:
    assert is_opt_out(case(text) + end, channel="email")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit",
    [
        "stop ",
        "please ",
        "do not contact ",
        "a",
        "unsubscribe from the ",
        "remove ",
        "ne ",
        "no me ",
        ".",
        "\n",
        "if you ",
        "http://",
        "x@",
        "not ",
        "i usually ask ",
        "take me and my ",
        "she asked to be removed ",
        "casi a punto de ",
        "j allais sur le point de ",
        "the number and the link at the bottom ",
        "unsubscribe | ",
        "you received this because ",
        "de donde sacaron mi correo ",
    ],
)
def test_five_mebibytes_take_bounded_work(unit: str) -> None:
    detect(unit * (5 * 2**20 // len(unit)), channel="email", subject=unit * 1000)
