"""French phrases by which a person asks us to stop contacting them.

Patterns see one sentence in canonical spelling; every repeat is bounded.
"""

from zrg_dagster.core.text.optout_french_words import (
    ABOUT_ME,
    CONTACT,
    INSTRUCTION,
    NO_LONGER,
    NOUNS,
    OTHERS,
    OURSELVES,
    PAST,
    STEM,
    STOP,
    UNWANTED,
    WHEN,
)
from zrg_dagster.core.text.optout_rule import Rule, rule

# Behind "inutile de relancer": any other word is somebody else's name.
_BEHIND = (
    r"(?:svp|merci|moi|nous|encore|plus|davantage|de|du|des|a|aux?|cette|ce|cet|mon|ma|mes|notre|nos|vos|votre|ces|tous"
    r"|toute?s?|par|sur|car|je|on|puisque|et|ou|ni|pour|avec|afin|ainsi|maintenant|ADDR|le|la|les|que|quoi|si|ca|cela"
    r"|mais"
    r"|il|ici|dans|vers|nouveau|constamment|toujours|sans|en|chaque|une|un|parce|tout|donc|jamais)\b"
)

RULES: tuple[Rule, ...] = (
    rule(
        "fr.stop",
        "arret cess suffi stop evit absten halte fin_ terme finiss suspend interromp renonc suffit assez basta "
        "marre dispens reception",
        rf"\b{STOP}(?: (?:maintenant|svp|merci|a le avenir|par pitie|tous?|toutes?|dorenavant))*(?: de"
        rf"| a)? (?:(?:essayer|tenter|chercher|continuer) (?:de |a ))?(?:{ABOUT_ME} )*{CONTACT}",
        rf"\b{STOP}(?: de)? (?:utilis|exploit|vend|stock|gard)\w+ (?:mon|ma|mes|cette|ce|notre|nos) ",
        rf"\b{STOP} de (?:me |nous )?les (?:envoy|expedi)\w+",
        r"\b(?:vous (?:en )?abstenir|abstenez vous(?: en)?)(?=$| ?,| a le avenir| de (?:autres?|tout|tous|toute|toutes"
        r"|nouveaux?|vos|ces)\b)|\b(?:veux|voudrais|souhaite|aimerais|demande|exige"
        r"|faut) que (?:ca|cela|tout cela|vos \w+|ces \w+) (?:se )?(?:arret\w+|cess\w+)",
        rf"\b{STOP}(?: (?:avec|a|aux?|cet|les|vos|ces|tes|cette|ce|votre|de|des|tout|tous|toute|toutes|la|le|svp"
        rf"|nouveau|nouvelle|autre|maintenant|un|envoi|du|en|ta|ton|type|forme|vous|present|futur|d))* {NOUNS}\b",
        r"^(?:(?:merci|de|svp|please|est ce que|veuillez|bonjour|non|bonsoir|ok|ca suffit|bon|pitie|par|allez|mais"
        r"|halte|(?:peux"
        r"|pourrais) tu|tu (?:peux|pourrais)|maintenant|il faut|faut|faudrait|dites|hey|oh|vous pouvez|interesse|pas"
        r"|et|je vous prie de|pouvez vous|pourriez vous|bien vouloir|est bon|ce) )*(?:arret(?:ez|er|e|es|ons)|stop"
        r"|cess(?:ez|er)|basta|stopp?ez|stopper)(?: (?:svp|merci|ca|tout|cela|maintenant|la|stop|ici|un peu|moi ca"
        r"|votre cirque|vos conneries|de insister|insister|par pitie|le|tout ca|deja|ce est bon))*(?: \?)?$",
        r"\b(?:arret(?:ez|e)|cess(?:ez|e)|finiss(?:ez|ons)(?: en)?) (?:(?:avec|de|maintenant) )?(?:ca|cela"
        r"|votre harcelement|ce harcelement|votre cirque|ces pratiques)\b",
        r"(?:^|, )(?P<do>)(?:svp |merci de |et )?(?:arretez|arrete|stop|cessez|ca suffit|basta|assez)(?: (?:svp|merci"
        r"|la"
        r"|maintenant|ca))*(?=$| ,| je (?:ne )?veux (?:plus |pas )?rien)",
        rf"\b(?:ca|cela) suffit(?:,| )*(?:avec |les |vos |ces |de |maintenant |les |tous )*{NOUNS}|^(?:(?!si\b|que\b"
        r"|pas\b)\w+ ){0,3}(?:ca|cela) suffit(?: (?:maintenant|la|merci|comme ca))*$",
        exclamation=True,
        before=rf"\b(?:ne|ni|sans) (?:vous |nous |te |me )?|\bpas |{PAST}|{OURSELVES}",
        after=rf"{WHEN}| (?:monsieur|madame|mademoiselle|docteur|maitre|chef|patron|par mon)\b(?=$| ?[,?]| \w+$)"
        r"|(?: \w+)? (?:du|des|de (?:la|le)|pour (?:la|le|les)|sur (?:la|le|les)) (?:contrat|facture|paiement|reunion"
        r"|evenement|formation"
        r"|webinaire|projet|plateforme|application|systeme|compte|enquete|commande)s?\b"
        r"| (?:sortants?|entrants?)\b| vers (?!moi|nous|mon|ma\b|notre|cet|ce\b)",
        unless=rf"{OTHERS}(?! (?:de|a) )|\b(?:ne (?:vous |nous |te )?|pas )arret|\b(?:ne|pas) (?:vous |te )?(?:arret"
        r"|cess)\w*|\barret\w* (?:vous|nous|toi)\b|\b(?:arret|cess)ons de nous\b|\b(?:la|notre|nos|le) (?:campagne"
        r"|prospection|sequence"
        rf"|newsletter)\b(?! (?:a|aupres de) (?:moi|nous))(?<!cette sequence)|\bprojet\b|{INSTRUCTION}"
        r"|\bfin (?:de|du) (?:la )?(?:campagne|sequence|mois|annee|appel)|\ba froid\b|\b(?:the|to|we|you|us"
        r"|our|your|from|with)\b",
        another_channel=True,
    ),
    rule(
        "fr.asked_to_stop",
        "harcel bloquer marre arret cess stop reception",
        r"\b(?:dites|dis|dire|demandez|demande) (?:a|aux?) (?:votre|vos|ton|tes|la|le|cette) \w+ (?:de (?:arreter"
        r"|cesser|ne plus)|que)\b",
        r"\b(?:numero|personne|erreur|interess\w*|spam|merci) (?:arretez?|stop)(?: (?:svp|merci))*$",
        r"\b(?:veux|voudrais|souhait\w+|aimerais|apprec\w+|prefer\w+|demande|exige|faut) que (?:ca|cela|tout cela"
        r"|(?:vos|ces|tous (?:vos"
        r"|ces)) \w+(?: \w+)?) (?:se )?(?:arret\w+|cess\w+)",
        r"\b(?:faut|veux|voudrais|voulons|souhait\w+|aimerais|comment|puis je|besoin)\b.{0,20}\b(?:cess|arret)\w* de"
        r" recevoir (?:vos|ces"
        r"|cette|votre|tous|toutes|des)\b",
        r"\b(?:faut|veux|voudrais|voulons|souhait\w+|aimerais|comment|puis je|besoin|merci de|veuillez|pouvez vous"
        r"|pourriez vous|svp)"
        r"\b.{0,20}\b(?:annul|cess|arret|stopp|suspend)\w* (?:la|toute) reception (?:de|des)\b",
        r"^(?:(?:merci|svp|bonjour|priere|veuillez|de|bien|vouloir) )+(?:arreter|cesser|stopper)(?: (?:svp|merci|cela"
        r"|tout|maintenant))*$",
        r"\b(?:quand )?(?:allez vous|vas tu|comptez vous) (?:enfin |bientot )?(?:arreter|cesser|me laisser"
        r"|me lacher)(?! (?:le|la|les|votre) )",
        r"^(?:y en a |je en ai |en ai )?marre (?:de|des) (?:ces |vos )?(?:mails?|appels?|sms|messages?|relances?"
        r"|pubs?)$",
        r"\bcomment (?:\w+ ){0,3}?(?:arreter|stopper|arrete|stop|faire cesser|bloquer) (?:(?:de recevoir|de"
        rf"|avec) )?(?:vos|ces|ca\b|cela\b|les {NOUNS})",
        r"^(?:(?:merci|svp|bonjour) )*arrets?(?: (?:svp|merci))+$|\b(?:ce est|cest) (?:\w+ )?du harcelement\b",
        rf"\b(?:arretez|cessez) de (?:(?:me|nous) )?{CONTACT} (?:a|sur|vers) (?:ce|cette|mon|ma|notre|nos)\b",
        r"\b(?:demande|demandais|dit|dis|prie|supplie|dire|demander|demandons) (?:\w+ )?(?:de|d) (?:arreter|cesser"
        r"|stopper)\b(?=$| ?[,?]| (?:de me(?! (?:inquiet|plaind|press|stress|mefi|moqu|trac))|svp|merci|maintenant"
        r"|tout|de nous|vos|ces|et|ca|cela|les))",
        r"\b(?:demand\w+|exig\w+|souhait\w+|veux|voulons|reclam\w+|voudrais)(?: \w+)?(?: le| la| un)? (?:arret"
        rf"|cessation|fin)(?: \w+)? (?:de|des|du)(?: \w+){{0,2}}? {NOUNS}\b",
        r"\bdi(?:re|t|s) (?:de )?(?:stop|non et non)\b|\bcombien de fois\b.{0,50}\b(?:arret\w*|stop|cess\w*|plus)\b",
        before=r"\b(?:nos|les) \w+ (?:\w+ ){0,3}|\bleur (?:a |ai |avons )?",
        unless=OTHERS,
    ),
    rule(
        "fr.no_consent",
        "sollicit inscri abonn consen accord consent autoris permission droit demand donne accept ne_av ne_as ne_dev "
        "ne_do ne_et ne_es ne_p",
        r"\bne (?:me|nous) (?:suis|sommes|etais) (?:jamais|pas) (?:inscri|abonn)\w+(?=$| ?,| a\b| aux?\b| sur\b)",
        rf"\bne (?:ai|avons) (?:pas|jamais|aucunement|rien) (?:sollicite|demande)(?: a recevoir)? (?:ces|vos|ce|cette"
        rf"|votre) {NOUNS}",
        r"\b(?:pas|jamais) (?:consenti|autorise|accepte|approuve) (?:a |au |aux )?(?:ce|cet|cette|ces|vos|un|le|la"
        r"|recevoir|etre)\b",
        r"\b(?:sans|ai pas|ai jamais|avons pas|avons jamais|aviez pas|avez pas|avez jamais|avez aucun|aucune?"
        r"|avez aucune|as pas)(?: \w+)?(?: (?:mon|notre|donne|eu|de|le|votre|recu|la|demande|consenti|autorise"
        r"|accepte|obtenu|ma|vous|mon prealable|autorisation|accord|permission|consentement|droit))+ (?:(?:de|pour|a"
        rf"|que vous) )*(?:(?:me|nous|etre|recevoir) ?)(?:{CONTACT}|vos|ces|ce|cela|de|des|la|cette)",
        r"\bne (?:(?:avez|as|devez|dois|etes|es) (?:plus|pas|jamais|aucunement)|(?:pouvez"
        r"|peux) plus)(?: \w+)?(?: (?:a|de|le droit de|cense|autorise|autorise a|autorisee? a))* (?:me"
        rf"|nous) {CONTACT}",
        r"\b(?:avez|as|ont) (?:pas|jamais|plus|aucune?ment|aucune?)(?: (?:mon|ma|notre|eu|obtenu"
        r"|recu))+ (?:\w+ )?(?:consentement|accord|autorisation|permission)",
        r"\b(?:ne )?(?:vous |te )?(?:autoris\w+|permet\w*|consen\w+) (?:pas|plus|aucune?|jamais"
        r"|en aucun cas)(?: \w+)? (?:a|de|que|au?|la?e?|cette|utilisation|traitement)\b",
        r"\bne (?:vous |te )?(?:donne|donnons|accorde|accordons) (?:pas|plus|aucune?) (?:mon |notre |de )?(?:accord"
        r"|consentement|autorisation|permission)",
        r"\b(?:ai|avons) (?:pas|jamais) (?:donne|accorde|consenti|autorise)(?: a)?(?: mon| notre| d| de"
        r"| aucun)? ?(?:accord|consentement|autorisation|permission|recevoir)\b",
        unless=OTHERS,
    ),
    rule(
        "fr.fed_up",
        "trop marre bol assez",
        rf"^(?:(?:bon|non|ok) )*(?:assez|trop) de {NOUNS}$",
        r"\b(?:marre|ras le bol|assez)(?: de| des| avec| que| vous| a| recevoir| lire| voir| etre)* (?:(?:vos|ces"
        rf"|tous|votre|cette|tes|ce|toutes) ){{1,3}}(?:\w+ )?{NOUNS}\b",
        rf"\b(?:marre|ras le bol|assez) (?:de|que) (?:\w+ ){{0,3}}?(?:me|nous|etre) {CONTACT}",
        unless=OTHERS,
    ),
    rule(
        "fr.no_longer_contact",
        "plus jamais pas aucun inutile inutil sans_ evit peine ne_ aucune",
        r"^(?:(?:non|et|merci|svp|donc|alors|bonjour) |, )*ne (?:me|nous) (?:ecri|appel|rappel|relanc|telephon|parl"
        r"|mail|text)\w+ pas(?: (?:svp|merci))*$",
        r"\bne (?:surtout )?(?:plus|jamais|plus jamais|pas)(?: (?!vous\b|te\b)\w+)?(?: (?:me|nous|jamais|etre|y|a"
        rf"|avoir a))* {CONTACT}",
        rf"\bne (?:(?:me|nous|les|le|y|en) )*{CONTACT}(?: (?:moi|nous|vous|donc|surtout|absolument))* (?:plus|jamais"
        r"|aucune?)\b",
        rf"(?:^|, |svp |merci |non |\bde |\bque )(?:ne (?:me |nous )?|me |nous ){CONTACT}(?<!er)(?<!re)(?: (?:moi"
        r"|nous))? plus(?: jamais)?(?=$| ?[,?]| (?:svp|merci|jamais|a |de |sur |vos|rien|ce |cette))",
        rf"\bplus (?:jamais )?(?:me |nous ){CONTACT}|\b(?:ne )?pas (?:me |nous )(?:re)?(?:contact|sollicit|relanc"
        r"|demarch|spamm|harcel|derang|importun|rappel|prospect)\w{0,7}",
        r"\bne (?:me|nous) (?:re)?(?:contactez|sollicitez|relancez|demarchez|derangez|importunez|prospectez|harcelez"
        r"|spammez) (?:pas|point)(?=$| ?[,?]| (?:svp|merci|a |sur |de |pour (?:ca|cela|votre|vos|ce))\b)",
        r"\bne (?:me |nous )?(?:envoyez|envoie|envoies|ecrivez|adressez|proposez|transmettez|mandez) (?:(?:plus|pas"
        rf"|jamais|aucune?|autres?|de|donc|rien|ce|tel|telles?|autre|nouveau|nouvelles?) )+(?:{NOUNS}|rien|merci)",
        r"\bne (?:me|nous) (?:envoyez|envoie|ecrivez|adressez|proposez) rien\b",
        rf"\b(?:n ?e?|ne) (?:me|nous) (?:envoyez|ecrivez|appelez|mailez) pas (?:de |vos |ces )(?:\w+ )?{NOUNS}",
        r"\b(?:inutile|inutil|(?:pas|plus) la peine|pas besoin|aucun interet|ne sert a rien|sert a rien"
        r"|vaut mieux ne pas|pas necessaire|superflu|il est inutile)(?: \w+)?(?: de| a)? (?:(?:me|nous|de|y"
        r"|continuer a) )*(?:re|insist)?(?:contact|relanc|recri|ecri|appel|insist|rappel|sollicit|revenir"
        rf"|reecri|envoy(?=\w*(?:$| ?[,?]| (?:svp|merci)| (?:(?:de|vos|ces|plus|davantage|autres?|d|encore|toujours)"
        rf" )*{NOUNS})))\w*\b(?:(?<=vers)|(?! (?!{_BEHIND})\w))",
        r"\b(?:que|de sorte que|facon que|a ce que|afin que|pour que) (?:je|nous|on|plus personne|personne|vous|tu"
        r"|votre \w+|vos \w+) ne (?:\w+ )?(?:plus|jamais|recoi\w+|soi\w+|sois|soyons|recev\w+|(?:me"
        rf"|nous) {CONTACT})(?: (?:plus|jamais))?",
        rf"\b(?:je|nous) (?:ne )?(?:dois|doit|devons|veux|voulons|peux) (?:plus|pas|jamais)(?: \w+)? etre {CONTACT}",
        r"\bne (?:reven|repren|rentr|rerentr|entr)\w* (?:plus|pas|jamais) (?:vers|contact|a la charge|en contact)",
        rf"\bne (?:cherch|essay|tent|continu|persist)\w+ (?:plus|pas|jamais) (?:a|de) (?:me |nous )?{CONTACT}",
        r"\b(?:numero|personne|erreur|interess\w*)(?: ,)? (?:et |donc )?(?:merci )?ne (?:re|r)?(?:appel|contact"
        r"|relanc|ecri|telephon)\w+ (?:pas|plus)(?: (?:svp|merci))*(?=$| ,)",
        r"^(?:(?:non|et|merci|svp|donc|alors) |, )*ne (?:rappel|appel|relanc|contact|recontact|ecri|reecri|insist"
        r"|telephon)\w+ pas(?: (?:svp|merci))*$",
        r"\bne (?:me|nous) (?:inclu|ajout|rajout|mett|inscri|compt)\w+ (?:plus|pas|jamais) (?:dans|a|sur|parmi) (?:vos"
        r"|de autres|aucune?"
        r"|votre|une|cette|la"
        r" liste)\b",
        r"\bne plus (?:me|nous) (?:mettre|ajouter|inclure|faire figurer|compter|inscrire)\b",
        r"\b(?:numero|adresse|mail|email|ligne|telephone)\b.{0,40}\bne (?:le|la|les) utilis\w+ (?:plus|pas)",
        rf"\bne (?:pren|perd)\w+ (?:plus|pas) (?:la peine|votre temps|ton temps) (?:de|a) (?:me |nous )?{CONTACT}",
        r"\bne (?:me|nous) (?:rappel|telephon)\w+ pas(?=$| (?:svp|merci))",
        r"\bne insist(?:ez|e|es) (?:pas|plus)\b",
        rf"\b(?:retire|perdez|enlevez)\w* .{{0,20}}\bne plus\b.{{0,20}}{CONTACT}",
        rf"\bmerci (?:\w+ ){{0,2}}?(?:de )?(?:ne )?(?:plus|pas|jamais) (?:me |nous |rien |m )?(?:{CONTACT}|recevoir"
        r"|revenir|rien)",
        exclamation=True,
        before=r"\b(?:desole\w*|excus\w+|pardon\w*|regrett\w*|navre\w*|honte) (?:\w+ )?(?:de )?|\bcherch\w+ a |\b(?:je"
        r"|on|ils|elles|elle|il|personne|clients|prospects|pourquoi|nous|si vous|qui"
        r"|quand) (?:(?:\w+) )?|(?<!pouvez )(?<!pourriez )(?<!voulez )(?<!peux )(?<!pourrais )(?<!a )\b(?:vous"
        rf"|tu) (?!de |demand|pri)(?:(?:\w+) )?|\bsi (?:\w+ ){{0,2}}|\bne |{PAST}",
        after=rf"{WHEN}| (?:le pdf|la facture|le devis|le contrat|la plaquette|le lien|a froid)",
        unless=r"\bhesit|\b(?:cela|ca) ne (?:me|nous) derange|\b(?:vous|tu) ne (?:me |nous )?(?:avez|as) (?:jamais"
        rf"|pas|plus)|\b(?:je|on|ils|elle|il|vous ne) (?:ne )?(?:(?!me\b|nous\b)\w+ )?{CONTACT} (?:plus"
        rf"|jamais)\b(?! (?:me|nous))|\bnous ne {CONTACT} (?:plus|jamais|pas)|\bmanquez pas|\bne (?:me"
        rf"|nous) (?:les |le )?envoyez pas (?:le|la|les|encore|tout)\b|{INSTRUCTION}|\boubli\w* pas"
        rf"|\bcomment (?:\w+ )?(?:re)?contact|\bne (?:me |nous )?(?:envo|adress|transm|fai)\w+ (?:plus|pas|jamais)"
        rf" (?:de|la|le|les|mes|mon"
        rf"|cette) (?!(?:\w+ )?{NOUNS}|ce (?:genre|type)|choses?|trucs?|tels?\b|telles?|ces|vos|votre|cela|ca\b)\w+",
        another_channel=True,
    ),
    rule(
        "fr.unwanted",
        "cessiez exige esper "
        "veux veut voulons voulon souhait desir voudrais voudrions aimer accept prefer refus interess comment recev "
        "recois recoive oppos",
        r"\b(?:ne )?(?:me |nous |vous )?(?:veux|veut|voulons|souhait\w+|desir\w+|voudrais|voudrions|aimerais"
        r"|aimerions|accept\w+|tiens|tenons|compt\w+|interess\w+|autoris\w+|consen\w+|permet\w*|ai(?= (?:pas|plus"
        r"|jamais"
        r"|aucune?) (?:envie|besoin|demand))|suis interess\w+|sommes interess\w+|demand\w+|veu"
        rf"|besoin)(?: \w+)? {NO_LONGER}(?: \w+)?(?: (?:de|a|par|que|du tout|d|besoin|en))* {UNWANTED}",
        r"\bne (?:plus|pas|jamais) (?:\w+ )?(?:souhaiter|vouloir|desirer|avoir a|etre oblige de)? ?(?:recevoir"
        rf"|avoir de vos|etre (?:\w+ )?{STEM})",
        rf"\bne (?:veux|souhait\w+|voulons|desir\w+)(?: recevoir)? ni (?:de )?(?:vos )?{NOUNS}\b",
        r"\bne (?:veux|souhait\w+|voulons|desir\w+|accepte) (?:plus|pas) que (?:mon|ma|mes|notre|nos) \w+ (?:\w+"
        r" )?(?:soi\w+|figur\w+|rest\w+"
        r"|appar\w+) (?:sur|dans)\b",
        r"\b(?:ne )?(?:veux|souhait\w+|voulons|desir\w+) (?:recevoir|avoir|plus)(?: plus)? aucune?\b",
        r"\b(?:prefer\w+|aimerais|voudrais|souhait\w+|apprecierais|aimerions|veux|voudrions|exige|demande|gre"
        r"|voulons)(?: \w+){0,2}? (?:que (?:vous|tu|on) (?:ne )?(?:me |nous )?(?:\w+ )?(?:plus|pas|jamais"
        rf"|arret\w+|cess\w+)|ne (?:plus|pas|jamais) (?:\w+ )?{UNWANTED}|que (?:vous|tu) ne (?:me |nous )\w+ (?:plus"
        r"|pas))",
        r"\b(?:refus|oppos|declin|rejet)\w* (?:(?:de|a|tout|toute|continuer|formellement|que|vos|votre|votre"
        r"|categoriquement"
        rf"|etre|autre|ces|la|le|les|a ce que) )*(?:recevoir|{NOUNS}|{CONTACT}|(?:vous|tu) \w+|etre {STEM}\w*"
        r"|tout contact)",
        r"\bcomment (?:\w+ ){0,3}?(?:ne plus (?:recevoir|etre|avoir)|arreter (?:de recevoir|vos|ces|cela|ca)"
        r"|sortir de (?:votre|cette|vos|la)|me (?:retirer|desinscri|desabonn))",
        r"\bque je ne recoive plus|\bne (?:plus|dois plus|devrais plus) recevoir\b|\bplus recevoir (?:vos|de|aucun"
        r"|ces|vos)\b",
        rf"\b(?:que )?(?:ce|ceci|cela) soit (?:le|votre) dernier (?:\w+ )?(?:{NOUNS})",
        before=r"\b(?:si (?:vous|tu)|qui|clients|prospects|ils|vous|leads) (?:ne )?",
        after=WHEN,
        unless=r"\b(?:la|le|une?|vos?) (?:facture|devis|pdf|brochure|documentation|contrat|demo)\b|\bleads\b"
        rf"|{INSTRUCTION}|{OTHERS}|\bnon seulement|\b(?:la|les) (?:premiere|deuxieme|seconde|autre|nouvelle|ancienne"
        rf"|derniere) (?:campagne|sequence)|\bnous memes\b|\bdemo\b|\bne (?:souhait\w+|voul\w+"
        r"|veux) pas (?:\w+ )?(?:arreter|interrompre|rater|manquer)|\bpas interess\w* (?:par )?(?:la|votre|le"
        r"|cette|vos|les) (?:offres?|propositions?)|\bpas interess\w* (?:par (?:ces?|cette|votre|vos|des"
        r"|les) )?(?:offres?|propositions?|contenus?)|\bbesoin de (?:plus|contact)|\bpas besoin (?:de"
        r"|d) (?!.*\bplus\b)",
        another_channel=True,
    ),
    rule(
        "fr.no_more",
        "assez marre plus_ pas_ stop aucun zero mais_ non_",
        r"(?:^|, |\b(?:merci|svp|non|alors|et|bonjour|veux|bref|maintenant|desole|donc|moi) )(?:plus|pas|plus jamais"
        r"|plus aucune?|plus une?|stop|zero|aucune?|assez)(?: (?:seule?|autres?|nouveaux?|nouvelles?))*(?: de| aux?"
        r"| a| avec| du tout)*(?: (?:vos|ces|tels?|telles|autres|cette|ce|genre|type|vos|de|nouveaux|nouvelles"
        rf"|seul))* {NOUNS}\b(?! que| de chez| de erreur| de test| automatiques? ,)",
        r"\bmais (?:plus|pas|stop|arretez|sans|cessez) (?:de |la |les |vos |aux |a )*(?:pubs?|publicites?"
        r"|demarchages?|prospection"
        r"|newsletters?|promos?|promotions?|spams?|sollicitations?|relances?)\b",
        rf"^(?:merci |svp )*non (?:au|a la|aux) (?:\w+ )?{NOUNS}\b",
        r"^(?:merci |svp )*(?:plus (?:jamais )?(?:de )?(?:ca|cela|contact)|plus rien)(?: (?:svp|merci))*$",
        before=r"\b(?:recu|recois|ai|avons|y a|a) ",
        after=rf"{WHEN}| (?:vocal|vocaux|avant|postal|postaux|papier)\b| (?:sur|dans) (?:votre|le|la|notre) (?:site"
        rf"|page|fiche)\b| de votre part , (?!svp|merci)",
        unless=r"\b(?:besoin|necessaires?|que|il y a|trouv\w+|recu|questions?)\b|\bplus de (?:contacts?|infos?|details"
        r"|informations?|propositions?|offres?|contenus?|lettres?|notifications?|promotions?)(?: (?:sur|svp"
        r"|concernant|a ce|pour))?(?=$| (?:\?|sur|svp|concernant|pour|a ce))",
        another_channel=True,
    ),
    rule(
        "fr.leave_me_alone",
        "laiss balai fout fich fous lach allez va_ degag casse barre tranquill paix ailleurs",
        r"\blaiss(?:ez|e|er) (?:ma|mon|notre) (?:\w+ ){1,2}(?:tranquil+e|en paix)\b|"
        r"\b(?:laiss(?:ez|e|er)|fout(?:ez|re)|fich(?:ez|e)|fous|foutre)(?: (?:moi|nous|me|nous))? ?(?:moi "
        r"|nous )?(?:donc )?(?:tranquil+e?s?|en paix|la paix)|\b(?:me|nous) (?:laisser|foutre|ficher) (?:tranquilles?"
        r"|en paix|la paix)|\blach(?:ez|e) (?:moi|nous|l affaire|le affaire|mes)|\b(?:allez|va|vas) (?:vous (?:faire"
        r"|en)|te faire|au diable|voir ailleurs)|\bdegagez?\b(?=$| ?,| (?:de|d))|\bfoutez le camp|^du balai$|^(?:svp "
        r"|merci )?laiss(?:ez|e) moi(?: svp)?$|\bcassez vous\b|\bcasse toi\b|\btire toi\b|\bbarrez vous\b",
        before=r"\b(?:ne|pas) (?:me |nous )?|\b(?:je|on) (?:vous |te |les |la |le )?",
    ),
)
