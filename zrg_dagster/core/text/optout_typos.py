"""Typos of the few words that carry an opt-out, found by bounded edit distance.

Every head word is indexed under itself and under each form with one letter left out (two, for the long words that
people misspell most), so a lookup is a handful of dictionary reads however long the mail is.
"""

from functools import lru_cache
from itertools import combinations, product


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ENGLISH = words(
    """remove removed removing please delete deleted deleting stop stopped unsubscribe unsubscribed
    unsubscribing email emails emailing message messages messaging contact contacting contacted calling sending
    list mailing database address number immediately receive receiving again spamming bother bothering texting
    refrain cease"""
)
# One edit away from a head word and a word of its own.
_OTHER_WORDS = words(
    """madame madam mesdames removes remover remote remoting massaging ceased pleased pleases deletes deplete depleted stops stoop
    messaged messy massage massages stopper stoppez stoppe stopping cesse cesser cessez caisse adresse adresses
    adresser adressez refrains contacts contract contracts contracting contracted calling culling spending
    seeding sensing mailings addressed addresses numbers numbed lists listed listen lost last least receiver
    received receives perceive against texting testing tasting bothered brother mother lease release
    relate cases crease creased stooped stepped slopped stomped plead"""
)
_LONG = words(
    """unsubscribe unsubscribed unsubscribing unsubscription desuscribir desuscribirme desuscribeme
    desuscribanme desabonner desabonnez desabonnement desinscrire desinscrivez desinscription"""
)
_SPANISH = frozenset(
    stem + ending + clitic
    for stems, endings in (
        (("elimin", "borr", "quit", "contact", "llam", "mand", "sac", "retir", "dej", "molest"), ("ar", "a")),
        (("elimin", "borr", "quit", "contact", "llam", "mand", "saqu", "retir", "dej", "molest"), ("e", "en", "es")),
        (("escrib", "suprim"), ("ir", "e", "a", "an", "as")),
    )
    for stem, ending, clitic in product(stems, endings, ("", "me", "nos"))
) | frozenset({"mensajes", "correos", "correo", "lista", "quiero", "recibir", "favor", "enviar", "enviarme", "envien"})
_FRENCH = frozenset(
    stem + ending
    for stem, ending in product(
        ("arret", "supprim", "retir", "enlev", "effac", "contact", "sollicit", "relanc", "appel", "envoy", "desabonn"),
        ("ez", "er", "e"),
    )
) | frozenset({"ecrire", "ecrivez", "liste", "recevoir", "veuillez", "souhaite", "desinscrire"})
_ROMANCE_OTHER = words(
    """quite quiet quieta mande manden mandan dejan dejo dejes lista listo liste listes listed lister lists
    retire retirer retired retirement retires retiree contact contacts contacte contactez appeal appeals appear
    appelle appelles enlevez envoi envois envoie envoye enviara correr corre corro correct deje deja dejame
    favors favour favours sacar sacas saca sacan salar quitar quita quiere quieren quieres quitan sale sales
    barrer mandare llama llaman llamas llamo molesta arrete arretes arrets arret manda mandas mandat mandate
    escribe escriben escribes suprime retira retiro contracter contractes contracte contracta contractar
    contracted contractez effacer recevoir efface effort favor relance relances elance ecrive ecrives relancee
    envoyee envoyes contactee contactes retirees supprimee supprimes effacee enlevee enleves enviarte enviare
    enviarle enviaron contactare contacta contacto contactos contactan dejaron dejare dejar dejara borrar borre
    quitare retirado escribir escribire enviada elimina elimine eliminan eliminas suprimes eliminar eliminare
    souhaites souhaiter souhaitez listen reliance retries quitte quittez recoive recoives solicite solicitar
    solicita desinscrit desinscrits desinscrite desinscris desinscrivent desinscrive desabonne desabonnes
    desabonnee desabonnent desuscribo desuscriba desuscriben desuscribirse desuscribirte molestia molestias"""
)
_KNOWN = _ENGLISH | _LONG | _SPANISH | _FRENCH | _OTHER_WORDS | _ROMANCE_OTHER
# Too short to allow more than two swapped letters: "sotp", "lsit".
_SWAP_ONLY_LENGTH = 4
_ROMANCE_LENGTH = 5
_MAX_LENGTH = 18


def _without(word: str, letters: int) -> set[str]:
    return {
        "".join(char for index, char in enumerate(word) if index not in left_out)
        for left_out in combinations(range(len(word)), letters)
    }


def _index() -> dict[str, list[str]]:
    index: dict[str, list[str]] = {}
    for head in sorted(_ENGLISH | _SPANISH | _FRENCH | _LONG):
        keys = {head} | _without(head, 1)
        if head in _LONG:
            keys |= _without(head, 2)
        for key in keys:
            index.setdefault(key, []).append(head)
    return index


_INDEX = _index()


# "textin", "callin": the ending that speech drops.
_GERUNDS = words(
    """texting calling emailing messaging sending contacting spamming hitting blowing ringing bothering bugging writing
    phoning mailing pestering harassing trying asking reaching pinging wasting chasing getting receiving"""
)


@lru_cache(maxsize=65_536)  # people use few words, and a drain reads thousands of replies
def head_word(token: str) -> str:
    """The head word that `token` misspells, or `token` itself."""
    if token in _KNOWN or not _SWAP_ONLY_LENGTH <= len(token) <= _MAX_LENGTH or not token.isalpha():
        return token
    if token.endswith("in") and f"{token}g" in _GERUNDS:
        return f"{token}g"
    keys = {token} | _without(token, 1)
    if token.startswith(("uns", "usn", "des")):
        keys |= _without(token, 2)
    for key in sorted(keys, key=len, reverse=True):
        for head in _INDEX.get(key, ()):
            # Two letters may be wrong only in a long head ("désolée" is no "delete").
            if head[0] == token[0] and (head in _LONG or len(key) >= len(token) - 1) and _is_typo(token, head):
                return head
    return token


def _is_typo(token: str, head: str) -> bool:
    if len(token) == len(head):
        wrong = [index for index, (one, other) in enumerate(zip(token, head, strict=True)) if one != other]
        if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
            return token[wrong[0]] == head[wrong[1]] and token[wrong[1]] == head[wrong[0]]
        # Another letter in its place makes another Spanish or French form of the verb ("envíenos", "enviemos").
        return len(wrong) == 1 and len(head) > _SWAP_ONLY_LENGTH + 1 and head in _ENGLISH | _LONG
    if head in _LONG:
        return True
    # A missing or additional ending makes another word of a related language ("envie", "envien").
    if head not in _ENGLISH and (token[:2] != head[:2] or token[-2:] != head[-2:] or len(token) <= _ROMANCE_LENGTH):
        return False
    return min(len(token), len(head)) > _SWAP_ONLY_LENGTH and abs(len(token) - len(head)) == 1
