"""French requests to stop as frames around one event: that we contact the writer, or that he gets what we send.

A third person's wish that the writer passes on ("la direction ne souhaite pas être démarchée"), a last time, an end put to
the mailings, an opposition to be noted, a threat, and "delete it" behind what "it" is. Patterns see one sentence in
canonical spelling, those of a rule of the whole text all of them; every repeat is bounded.
"""

from zrg_dagster.core.text.optout_french_words import (
    CONTACT,
    INSTRUCTION,
    NO_LONGER,
    NOUNS,
    OTHER_THING,
    OTHERS,
    STEM,
    UNWANTED,
    WHEN,
)
from zrg_dagster.core.text.optout_rule import Rule, rule

# Somebody for whom the writer speaks, or the house.
_SPOKEN_FOR = (
    r"(?:(?:mon|ma|notre|la|le|cette) (?:\w+ )?(?:patron|patronne|directeur|directrice|chef|cheffe|femme|mari|mere"
    r"|pere|fils|fille|client|cliente|associee?|societe|entreprise|direction|equipe|gerant|gerante|responsable"
    r"|cabinet|ecole|magasin|boutique|restaurant|clinique|agence|bureau|association|hotel|college|lycee|service"
    r"|organisme|mairie|etablissement|titulaire|famille|dirigeant)|(?:mme|monsieur|madame|m)(?: ,)? \w+"
    r"|personne(?: \w+){0,3}|il|elle|on|nous|celui ci|celle ci)"
)
_MY_THING = (
    r"(?:numero|adresse|mail|email|courriel|coordonnees|donnees|contact|nom|ligne|portable|telephone|boite|personne"
    r"|compte|infos?|informations?)"
)

RULES: tuple[Rule, ...] = (
    rule(
        "fr.on_behalf",
        "veut souhait desir accept",
        rf"\b{_SPOKEN_FOR} ne (?:veut|veulent|souhait\w+|desir\w+|accept\w+)(?: {NO_LONGER}| absolument"
        rf"| vraiment)? (?:\w+ )?{UNWANTED}",
        r"\bpersonne (?:\w+ ){0,3}?ne (?:veut|souhait\w+|desir\w+|a demande)(?: plus| jamais)? (?:a )?(?:recevoir"
        r"|avoir|lire|etre|vos|ces|de vos|de ces)\b",
        before=r"\b(?:si|qui|pourquoi|quand) ",
        after=WHEN,
        unless=rf"{OTHERS}|\bmais (?:moi|nous) (?:si|oui)\b|\b(?:leads?|commerciaux|assurances?|reunions?|rapports"
        rf"|facture|devis|contrat|demo)\b|{INSTRUCTION}",
        another_channel=True,
        exclamation=True,
    ),
    rule(
        "fr.last_time",
        "dernier prochain",
        rf"\b(?:que|esper\w+|souhait\w+|veux|en sorte|veill\w+|voudrais|exige)\b.{{0,40}}\b(?:soit|est|sera"
        rf"|etait)? ?(?:le|la|votre|ton|ce) derniere? (?:\w+ )?(?:{NOUNS}|fois)",
        r"\b(?:en sorte|veill\w+|veux|voudrais|souhait\w+|exige|esper\w+)\b.{0,60}\b(?:soit|est|sera) (?:bien )?(?:le"
        r"|la) derniere?(?=$| ?,| (?:svp|merci))",
        rf"\bque (?:ce|cet|cette|votre) (?:{NOUNS}) soit (?:le|la) derniere?\b",
        r"\best (?:le|la) derniere? que (?:je|nous) (?:veux|souhait\w+|accept\w+|voulons|desir\w+)\b",
        rf"\bderniere? (?:{NOUNS}|fois) que (?:je (?:veux|souhaite|vous (?:demande|le demande|dis|previens)|accepte"
        rf"|lis|recois)|vous (?:me |nous )?(?:{CONTACT}|contact))",
        before=r"\bquand (?:\w+ ){0,3}",
        unless=r"\b(?:offre|prix|question|etape)\b|\?$",
    ),
    rule(
        "fr.end_it",
        "ne_plus "
        "laiss arret rester_la restons_en robot notif alerte bot_ automat stop_a stop_au cess suspend desactiv "
        "coup harcel allez va_ rien_de rien_a nouvelles "
        "suffit fin_",
        r"\b(?:arret|cess|stopp|evit)\w* de (?:rempl|satur|encombr|bourr|envah|noy|pollu|inond)\w* (?:ma|mes|notre"
        r"|nos|mon)\b",
        r"\b(?:coup|desactiv|debranch|eteign|arret)(?:ez|e|er) (?:votre|ton|ce|cette|ces|vos|tes) (?:robots?|bots?"
        r"|automat\w+|notifications?|alertes?)\b",
        r"(?:^|, )laiss(?:ez|e) (?:moi|nous)(?: svp| merci)?$",
        r"\b(?:en rester la|restons en la|restez en la|en reste la|arret\w+ (?:vous )?la(?: avec| merci| svp|$))",
        r"\bstop (?:a |au |aux |avec )(?:la |le |les |tout |toute |toutes |vos |votre |ces |cette "
        rf"|l )*(?:\w+ )?(?:{NOUNS}|prospection|demarchage|publicite|insistance)",
        r"\b(?:vous|tu) (?:me|nous) (?:harcel|spamm|importun|bombard|derang|saoul|soul|gonfl|emmerd|casse)\w*(?=$"
        r"| ?[,?]| (?:avec|depuis|grave|serieusement|vraiment|la|sans))",
        r"\b(?:allez|va|vas) (?:donc )?(?:embeter|deranger|harceler|spammer|ennuyer|emmerder|prospecter|solliciter"
        r"|importuner|saouler|demarcher) (?:quelqu.un|quelque un|un autre|d.?e? ?autres|les autres|ailleurs)",
        r"\b(?:ne )?(?:veux|veut|voulons|souhait\w+|desir\w+|attend\w*) (?:plus|pas) (?:jamais )?(?:rien"
        r"|quoi que ce soit)(?: \w+)? (?:de|a) (?:votre|ta|vous|toi|recevoir)",
        r"\b(?:esper\w+|souhait\w+|voudrais|aimerais|prefer\w+|compte)(?: bien)? ne (?:plus|jamais"
        r"|pas) (?:\w+ )?(?:avoir|recevoir|entendre|lire|vous|revoir)(?: \w+)? (?:de |vos |parler de )?(?:vos|vous"
        r"|votre|nouvelles|rien|mails?|messages?)",
        r"\b(?:fin|arret|cessation|suspension) (?:\w+ )?(?:de|des|du|a) (?:(?:tous|toutes|tout|vos|votre|les|la|ces"
        rf"|ce) ){{0,3}}(?:{NOUNS}|contact|demarchage)(?: (?:svp|merci)|$)",
        before=r"\b(?:ne|sans|pourquoi|si|avons|ai|avez|a|voulons|allons|pouvons|nos|notre) (?:\w+ )?",
        after=WHEN,
        unless=rf"{OTHERS}|{INSTRUCTION}|\b(?:leads?|facture|devis|contrat|campagne|projet|maladie)\b|\?$",
        another_channel=True,
        exclamation=True,
    ),
    rule(
        "fr.noted",
        "opposition radiation desinscri desabonn retrait assur sorte resili recoi confirm demande",
        r"\b(?:prendre|prenez|prenne|pris|noter|notez|enregistr\w+|acter|actez|respect\w+|traiter|traitez|valid\w+"
        r"|confirm\w+|effectu\w+|proced\w+)(?: \w+){0,3}? (?:mon|ma|notre|cette|a ma|a mon|de mon|de ma|de notre"
        r"|en compte ma|en compte mon) (?:demande d.? ?e? ?)?(?:de )?(?:opposition|radiation|desinscription"
        r"|desabonnement|retrait|exclusion|refus|suppression|effacement)",
        r"^(?:(?:bonjour|merci|demande de|ma|une|je demande|pour|,) )*(?:radiation|desinscription|desabonnement"
        r"|resiliation)(?: (?:svp|merci|immediate?|de ma part|definitive?))*$",
        r"\b(?:assur\w+|garanti\w+|fai\w+ en sorte|veill\w+|vous prie)(?: vous| toi)?(?: a ce)?(?: bien)? (?:que"
        rf"|de) (?:je|nous|mon \w+|notre \w+|ma \w+|plus personne|on|ne) (?:ne )?(?:\w+ )?(?:plus|pas|jamais|{STEM}\w*"
        r"|recoi\w*|retir\w*|supprim\w*|efface\w*)",
        r"^(?:bonjour |merci )?je (?:me )?(?:resilie|desabonne|desinscris|retire)(?: (?:mon abonnement|tout|svp|merci"
        r"|de (?:la|cette|votre) \w+))*$",
        before=r"\b(?:ne|pas|comment|pourquoi|nos|si) (?:\w+ )?",
        unless=rf"{OTHERS}|{INSTRUCTION}|\b(?:nos|comment|votre outil|forfait|contrat|offre|bail)\b|\bpar (?:erreur"
        r"|megarde)\b",
    ),
    rule(
        "fr.forbidden",
        "prie_ cessiez arret "
        "interdi bienvenu indesirable desire exige demand somm demeure rien_recevoir fini_ suffit_de bloctel "
        "que_le_on tout plus_de_contact",
        r"\b(?:interdis|interdisons|interdit|interdiction)(?: \w+)? (?:de|a|que) (?:\w+ )?(?:re)?(?:contact|ecri|appel"
        r"|utilis|envoy|relanc|sollicit|demarch|adress|me |nous )\w*",
        rf"\b(?:vos|ces|votre|ce|cette|tes|tous vos) (?:\w+ )?(?:{NOUNS}|demarchage) (?:\w+ )?(?:ne )?(?:sont"
        r"|est) (?:\w+ )?(?:pas (?:\w+ )?(?:bienvenu|desire|souhaite)|indesirable|non desire|non sollicite"
        r"|intrusi)\w*",
        r"\b(?:exige|exigeons|demande|demandons|souhaite|veux|voulons|voudrais|somme|aimerais|souhaitons) que (?:vous"
        r"|tu|le on|on|personne)(?: ne)? (?:\w+ )?(?:cess|arret|stopp|supprim|retir|effac|enlev|me contact|me appel"
        r"|me ecri)\w*",
        r"\bque (?:le )?on (?:ne )?(?:me|nous) \w+ plus\b",
        r"\b(?:mets|mettons|somme|sommons|prie|prions|enjoins) (?:\w+ )?(?:en demeure )?(?:de"
        r"|d) (?:bien vouloir )?(?:cesser|arreter|stopper|supprimer|retirer|ne plus)",
        r"\b(?:ne )?(?:veux|voulons|souhait\w+|desir\w+) (?:plus |pas )?rien recevoir\b",
        rf"^(?:bon |ok |allez )*(?:fini|finis|terminez?|finies?) (?:les|vos|avec|de|ces) (?:\w+ )?{NOUNS}",
        rf"\b(?:ca|cela) suffit (?:de|avec) (?:me |nous |vos |les |ces )(?:{CONTACT}|{NOUNS})",
        r"\b(?:numero|ligne|telephone|entreprise|societe|suis|sommes|inscrits?|inscrite) (?:\w+ ){0,2}?(?:sur"
        r"|a) (?:la liste )?bloctel",
        r"^(?:merci |svp )*(?:supprim|effac|retir)(?:ez|e|er) tout(?: (?:svp|merci|de suite|maintenant))*$",
        r"^(?:merci |svp |non )*plus (?:de |aucun )contact(?: (?:svp|merci))+$",
        before=r"\b(?:ne|pas|nos|clients|numeros|gens|pourquoi) (?:\w+ )?",
        unless=rf"{OTHERS}|{INSTRUCTION}|\b(?:leads?|clause|contrat|facture|devis|nos commerciaux|notre outil)\b|\?$",
    ),
    rule(
        "fr.threat",
        "bloqu signal plainte cnil saisi avocat",
        r"\b(?:je|on|nous) (?:vais |allons )?(?:vous |te )(?:bloqu|signal|denonc|report)\w+(?=$| ?,| (?:et|ou|comme"
        r"|pour|a|aupres|en|si|des)\b)",
        r"\b(?:si|encore|au prochain|a la prochaine|un autre|sans|sinon|a defaut|prochaine?)\b.{0,70}\b(?:cnil"
        r"|plainte|signal\w+|bloqu\w+|avocat|33700|saisi\w*|tribunal)\b",
        r"\b(?:je|on|nous) (?:vous|te) (?:ai|a|avons) (?:\w+ )?(?:bloqu|signal|report|denonc)\w+",
        r"^spam (?:, )?(?:signale|bloque)e?(?: et bloque)?$|\b(?:avant|sous peine de|ou je) (?:\w+ )?(?:plainte"
        r"|depot de plainte|porte plainte|poursuites|signalement)\b",
        before=r"\b(?:pour que|comment) (?:\w+ )?",
        unless=rf"{OTHERS}|\b(?:probleme|bug|creneau|agenda|budget|bloquant|erreur)\b|\?$",
    ),
    rule(
        "fr.erase_it",
        "parti_ decede mort_ morte plus_ici partie assistant secretaire effac supprim retir enlev ray detrui oubli jet",
        r"\b(?:mon|ma|mes|ce|cette|cet|notre|nos|le|la|son|sa|de|mauvais|mauvaise|l"
        rf"|leur) (?:\w+ )?{_MY_THING}\b[^@]{{0,120}}\b(?:effac|supprim|retir|enlev|ray|detrui|oubli|jet)(?:ez|er|e|es"
        r"|se|sez|re) (?:le|la|les)(?=$| ?[,.?]| (?:svp|merci|de|tout|maintenant|et|vite|donc|immediatement|tous"
        r"|aussi)\b)",
        rf"\b{_MY_THING}\b[^@]{{0,100}}\b(?:merci de|veuillez|priere de|svp|faut|pouvez vous|pourriez vous"
        r"|vous demande de|souhaite que vous|veux que vous) (?:bien )?(?:vouloir )?(?:le|la|les) (?:effac|supprim"
        r"|retir|enlev|ray|detrui|oubli)\w+",
        rf"\b(?:mon|ma|mes|ce|cette|notre|nos) (?:\w+ )?{_MY_THING}\b[^@]{{0,80}}\b(?:veux|souhaite|exige|voudrais"
        r"|demande) que (?:il|elle|ils|elles)"
        r" (?:soit|soient) (?:\w+ )?(?:effac|supprim|retir|enlev|ray)\w+",
        r"\b(?:decede\w*|mort|morte|ne travaille plus|plus ici|ne fait plus partie|parti en retraite"
        r"|partie en retraite|a quitte|plus (?:son|sa) \w+|pas (?:son|sa|le|la) (?:\w+ )?(?:numero|adresse)"
        r"|mauvais numero|trompe\w* de)[^@]{0,100}\b(?:effac|supprim|retir|enlev|ray|oubli|desinscri"
        r"|desabonn)\w+ (?:svp )?(?:son|sa|ses|le|la|les|ce|cette|mon|ma)\b(?: (?:\w+ )?"
        rf"{_MY_THING}| de (?:vos|votre|la)|$|(?= (?:svp|merci)))",
        r"\b(?:decede\w*|mort|morte|ne travaille plus|plus ici|retraite|parti|partie|secretaire|assistante?|au nom de"
        rf"|quitte|mauvais numero)\b[^@]{{0,100}}\bne (?:plus )?(?:lui |leur |le |la "
        rf"|les )(?:plus )?{CONTACT}(?: plus)?",
        unless=rf"{OTHERS}|{OTHER_THING}|\b(?:ancienn?e?|precedente?|doublons?|test|fichier joint|piece jointe|gardez"
        r"|utilisez celle|utilisez celui|ne (?:le|la|les))\b|\b(?:comment|on peut|peut on|nous devons"
        r"|devons nous|nous voulons|il faut que nous) (?:\w+ )?(?:supprim|effac|retir|enlev)",
        whole=True,
    ),
)
