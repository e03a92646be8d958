"""French requests to stop put together from parts: who asks, what is asked for, and what is to end.

The forms into which any verb and object of `optout_french_words` go: nobody who wants it, an order to everybody over
there, being put on a list, a removal of what belongs to the writer, a stop that was said already. Patterns see one
sentence in canonical spelling; every repeat is bounded.
"""

from zrg_dagster.core.text.optout_french_words import (
    CONTACT,
    INSTRUCTION,
    LIST,
    MISTAKE,
    NOUNS,
    OTHER_THING,
    OTHERS,
    REMOVE,
    SOFT_END,
    STEM,
    UNWANTED,
    WHEN,
)
from zrg_dagster.core.text.optout_rule import Rule, rule

_THING = (
    r"(?:adresses?|courriels?|emails?|mails?|noms?|numeros?|coordonnees|donnees|contacts?|telephones?|comptes?|infos?"
    r"|informations?|domaines?|fiches?|profils?|boites?|lignes?|portables?|traces?)"
)
_OF_MINE = r"(?:de|du|des|a|au) (?:mon|ma|mes|notre|nos|cette|cet|ce|moi|nous)(?: (?!liste|base|fichier)\w+)?"
_YOURS = r"(?:votre|vos|ta|ton|tes|cette|ce|ces|la|une)"
_WANTS = r"(?:v[eo]u[lx]|souhait|desir|accept|aimer|voudr|autoris|demand)\w*"

RULES: tuple[Rule, ...] = (
    rule(
        "fr.nobody_wants",
        "ni_ personne aucun",
        rf"\bni (?:\w+ ){{1,2}}?ni (?:\w+ ){{1,3}}?(?:ne )?{_WANTS}(?: plus| pas| jamais)?(?: \w+)? {UNWANTED}",
        rf"\bque (?:plus )?(?:personne|aucune?(?: de \w+)?(?: \w+)?)(?: \w+){{0,4}}? ne (?:\w+ )?(?:(?:me"
        rf"|nous) )?(?:vienne )?(?:{CONTACT}|recoi\w+"
        r"|soi\w+)",
        rf"\b(?:personne|aucun(?:e)? de (?:nous|mes \w+|nos \w+)|aucune? (?:\w+ )?de (?:mon|ma"
        rf"|notre) \w+)(?: \w+){{0,3}}? ne {_WANTS}"
        rf"(?: plus)?(?: \w+)? {UNWANTED}",
        before=r"\b(?:pourquoi|si|quand|parce) ",
        after=WHEN,
        unless=rf"{OTHERS}|{INSTRUCTION}|\b(?:facture|devis|contrat|reunion|leads?)\b|\?$",
        another_channel=True,
    ),
    rule(
        "fr.do_not_list_me",
        "ajout inclu inclur inscri mettre rajout integr compt garder conserv figur",
        r"\b(?:arret|cess|evit|absten)\w*(?: vous)? de (?:(?:me|nous) )?(?:ajout|inclu|inscri|mett|rajout|integr"
        r"|abonn)\w+ (?:(?:moi"
        rf"|nous|mon|ma|notre|nos|mes)(?: \w+)? )?(?:a|dans|sur|parmi|aux?) {_YOURS}?",
        rf"\b(?:ne )?(?:plus|pas|jamais) (?:me|nous|notre \w+|mon \w+) ?(?:ajout|inclu|inscri|mett|rajout|integr|gard"
        rf"|conserv|compt)\w+ (?:a"
        rf"|dans|sur|parmi|aux?) {_YOURS}",
        r"\bne plus (?:ajouter|inclure|inscrire|garder|conserver|faire figurer) (?:mon|ma|mes|notre|nos|cette) ",
        r"\b(?:ne )?(?:plus|pas) (?:etre|rester|figurer|apparaitre) (?:\w+ )?(?:dans|sur|parmi) (?:vos|votre|tes"
        r"|ta) (?:\w+ )?(?:listes?"
        r"|fichiers?|bases?|contacts|envois|campagnes?|prospects|sequences?|mailings?|donnees|crm)",
        r"\bne (?:me|nous) (?:tenez|mettez|comptez|gardez|laissez|tiens|mets|compte|garde|laisse) (?:plus|pas"
        r"|jamais) (?:au courant de vos|informee?s? de vos"
        r"|dans vos|sur vos|parmi vos|dans (?:votre|cette)|sur (?:votre|cette))",
        before=r"\b(?:pourquoi|si|quand|comment|qui) (?:\w+ )?",
        after=rf"(?: \w+){{0,3}}? {OTHER_THING}",
        unless=rf"{OTHERS}|{INSTRUCTION}|{MISTAKE}",
    ),
    rule(
        "fr.end_of_it",
        "renonc declin cess stopp arret suspend interrom abst fin_a passez mett",
        rf"\b(?:renonc|cess|stopp|arret|suspend|interromp|abst)\w{{1,4}}(?: vous)?(?: (?:de|a|toute?s?|tous|vos|votre"
        rf"|ces|les|la|le|cette|des|nouveau|nouvelle|envoi"
        rf"|envois|immediatement)){{1,4}} (?:{NOUNS}|prospection|demarchage|tentatives?|contacts?|insistance"
        rf"|harcelement)\b",
        rf"\b(?:declin|refus|rejet)\w* (?:par avance |d avance )?(?:toute?s?|tous|vos|ces|votre"
        rf"|cette) (?:\w+ )?(?:futur\w+ |nouvel\w+ |autres? )?(?:{NOUNS}|contact|prise de contact"
        r"|tentative)",
        rf"\bpassez vous de (?:me |nous )?{CONTACT}",
        before=r"\b(?:ne|pas|ai|avons|a|on|je|pourquoi|si|pouvons|voulons|allons|comment|nous) (?:\w+ )?",
        after=rf"{WHEN}| (?:sortants?|entrants?)\b| (?:vers|du|de la|pour|sur) (?!moi|nous|mon|ma\b|notre|cet|ce\b)",
        unless=rf"{OTHERS}|{INSTRUCTION}|\b(?:nos|notre|leads?|contrat|facture|commande|projet|essai|a froid)\b|\?$",
        another_channel=True,
    ),
    rule(
        "fr.remove_mine",
        "retir remov supprim suppression retrait enlev effac ray ote exclu vire elimin disparai sort bloqu rien_a_f "
        "pas_a_f rien_a_v radi",
        rf"\b{REMOVE}{SOFT_END} (?:svp )?(?:(?:toutes?|tous|le|la|les|tout|chaque) ){{1,2}}(?:\w+ )?{_THING} (?:ADDR"
        rf"|{_OF_MINE}) ?"
        rf"(?:svp )?(?:{LIST}|(?=$| ?[,?]| (?:svp|merci)\b))",
        rf"\b{REMOVE}{SOFT_END} (?:svp )?(?:tout(?:e|es)? |tous )?(?:trace|mention|ce qui|reference|donnee|info)s?"
        r" (?:\w+ )?(?:de|sur|a|me|nous|concernant) (?:mon|ma|mes|notre|nos|moi|nous|concern\w+)",
        r"\bque (?:mon|ma|mes|notre|nos|cette|ce) (?:\w+ ){0,2}?(?:nom|adresse|mail|email|numero|coordonnees|donnees"
        r"|societe|entreprise"
        r"|contact|domaine|profil|fiche)s? (?:\w+ )?(?:disparai|sort|ne (?:soi|figur|appar)|quitt)\w*",
        rf"\b(?:mon|ma|mes|notre|nos|cette) (?:\w+ )?{_THING} (?:ne (?:doi\w+|devrai\w+) (?:pas|plus)|ne (?:a"
        rf"|ont) rien a (?:faire|voir)|ne (?:a"
        rf"|ont) pas a) (?:(?:etre|figurer|apparaitre|se trouver) )?(?:dans|sur|parmi|avec) {_YOURS}",
        r"\b(?:je|nous) ne (?:dois|devons|devrais|devrions) (?:pas|plus) (?:etre|figurer|apparaitre) (?:dans|sur"
        r"|parmi) (?:vos|votre|ce|cette)",
        r"\b(?:supprim|effac|retir|enlev|detrui)(?:ez|er|e) (?:tout )?ce que vous (?:avez|detenez|possedez)(?: (?:sur|a"
        r"|de) (?:moi|nous|mon"
        r"|notre|ma)| enregistre| stocke)?",
        r"^(?:(?:merci de|svp|merci|veuillez|bonjour|non) )*(?:supprim|effac|enlev|retir)(?:ez|er|e) (?:mon"
        r"|notre) (?:mail|email)"
        r"(?: (?:svp|merci|stp))*$",
        before=r"\b(?:ne|pas|jamais|avons|ai|on|je|comment|si) (?:(?:me|nous|vous|les|deja|bien) )?",
        after=rf"(?: \w+){{0,3}}? {OTHER_THING}",
        unless=rf"{OTHERS}|{INSTRUCTION}|{MISTAKE}|{OTHER_THING}|\b(?:ancienn?e?|precedente?|dernier|double|test"
        rf"|demo)\b",
        also="_mon _ma_ _mes _notre _nos _moi _nous cette_ _ce_ ADDR vous_",
    ),
    rule(
        "fr.said_stop",
        "stop demande",
        r"\b(?:ai|avons|je vous ai|on a|deja|je) (?:\w+ )?(?:dit|ecrit|envoye|repondu|mis|tape|texte|redis|repete"
        r"|repondu)(?: \w+){0,2}? stop\b"
        r"(?! (?:a|au) \d)",
        r"^(?:(?:merci|svp|hey|oh|non|bonjour) )*(?:stop|arretez?|basta)(?: (?:svp|merci|ca|tout"
        r"|avec ca))* ,? ?(?:je ne ai|je ai|on a|nous avons"
        r"|jamais|rien|pas)(?: (?:rien|pas|jamais))? (?:\w+ )?demande",
        before=r"\b(?:si|quand|client|lead) (?:\w+ )?",
        unless=rf"{OTHERS}|{INSTRUCTION}",
        also="stop arret basta",
    ),
    rule(
        "fr.as_a_wish",
        "cess arret ne_plus ne_pas evit eviter dispens epargn abst",
        rf"\b(?:bien|mieux|bon|souhaitable|gentil|aimable|sympa|appreciable|parfait|gre|reconnaissant\w*|oblige\w*"
        rf"|apprecier\w+|aimer\w+"
        rf"|prefer\w+|amabilite|gentillesse|obligeance|possible|moyen)(?: \w+){{0,4}}? (?:ne (?:plus|pas|jamais) (?:me "
        rf"|nous |chercher a |"
        rf"etre |m )*(?:{STEM}\w*|recevoir|inclure|ajouter)|(?:vous |tu )?(?:arretiez|cessiez|arretez|cessez|arretes"
        rf"|evitiez|stoppiez)"
        rf"(?: de)?(?: (?:me|nous))? ?(?:{CONTACT}|ca|cela|tout|vos|ces)|que vous ne (?:me |nous )?{CONTACT} (?:plus"
        rf"|pas))",
        rf"\b(?:epargn\w+|dispens\w+|fai\w+) (?:moi|nous)(?: grace)? (?:de )?(?:(?:vos|ces|les|tes|votre|cette"
        rf"|toute?s?) )+(?:\w+ )?(?:{NOUNS})",
        before=r"\b(?:si|pas|ne|trouve|plus) ",
        after=WHEN,
        unless=rf"{OTHERS}|{INSTRUCTION}|\b(?:facture|devis|contrat|leads?|manquer|rater)\b",
        another_channel=True,
    ),
)
