"""French phrases by which a person asks to be unsubscribed, removed, or put on a list of people not to contact.

Patterns see one sentence in canonical spelling; every repeat is bounded. Requests to stop contacting stand in
`optout_french_contact`, the vocabulary in `optout_french_words`.
"""

from zrg_dagster.core.text.optout_french_words import (
    INSTRUCTION,
    LIST,
    MINE,
    MISTAKE,
    NOT_OURS,
    NOUNS,
    OTHER_THING,
    OTHERS,
    REMOVE,
    SOFT_END,
)
from zrg_dagster.core.text.optout_rule import Rule, rule

RULES: tuple[Rule, ...] = (
    rule(
        "fr.unsubscribe",
        " abonn inscri desincri",
        r"\bdesactiv\w+ (?:mon|notre|cet) abonnement(?=$| ?,| (?:svp|merci|a))",
        r"\bdes ?(?:abonn(?:er|ez|e|ement|ee|es|ees|iez|ements|ons|eriez|erez)|inscri(?:re|vez|s|t|ption|ptions|vons"
        r"|r|te|tes|ts|viez|rez|ve)|incri\w+)\b(?: (?:moi|nous))?",
        r"\b(?:(?:annul|resili|cess|stopp|arret|suppr)\w*|(?:mett|met)\w* (?:fin|un terme) a) (?:mon|cet|notre)"
        r" (?:abonnement|inscription)(?:(?=$| ?,| (?:svp|merci)\b)| (?:a|aux)"
        r" (?:(?:le |la )?(?:courriels?|mails?|emails?|messages?|newsletters?|infolettres?)(?=$| )|vos"
        r"|votre|cette|ces|la) ?)",
        before=r"\b(?:\d+|pourcentage|proportion|combien|qui|ils|elles|des|pourquoi|si on|si nous|quand on|quand nous"
        r"|contacts?|adresses|gens|personnes|ne|pas|jamais"
        r"|(?:les|des|leurs|vos|nos|ces) demandes de|clause de|option de|mention de|mecanisme de|procedure de|lien de"
        r"|taux de|bouton de|page de|formulaire de|gestion des|vos|les|nos|leur|leurs|leads"
        r"|gerez vous les|liste|nombre|parmi|me suis|suis|etais|ai|taux des|liens de) (?:(?:me|vous|nous|se|les|voulu"
        r"|demande"
        r"|souhaite|a|de|jamais) ){0,3}",
        after=r"(?: \w+)? (?:du (?:service|contrat|logiciel|plan|forfait)|de (?:hubspot|votre (?:service|outil"
        r"|logiciel|offre)|notre (?:offre|forfait)|le offre|salesforce|linkedin)|au (?:service|forfait)|(?:du|de la"
        r"|de le|au|a la|a le) (?:webinaire|evenement|seance|formation|cours|atelier|salon|session|webinar"
        r"|conference|rendez|rapport|resume|recapitulatif|bilan))|(?: \w+){1,4}? (?:du|des|de la|de le) (?:rapport"
        r"|resume|recapitulatif|bilan)s?\b"
        r"| vous\b"
        # Somebody else whom a tool takes off something: "désinscrire un salarié de la formation".
        r"| (?:notre|mon|ma|nos|mes) (?:salarie|employe|stagiaire|collegue|client|adherent|eleve|invite)\w*"
        r"| (?:un|une|des|les|le|la|ses|ce|cette) (?!adresse|mail|email|courriel|numero|contact|nom|societe"
        r"|entreprise|boite|compte|equipe|ligne|personne|domaine|portable|telephone|coordonnees|donnees|service"
        r"|cabinet)\w+",
        unless=rf"{OTHERS}|{INSTRUCTION}|{MISTAKE}|\bpourquoi (?:me |nous )?(?:avez|as|ai|suis)|\b(?:outil|logiciel"
        r"|plateforme|solution|systeme) (?:\w+ )?des|\btaux de|\bne (?:me |nous )?des ?(?:abonn|inscri)\w+ pas"
        r"|\b(?:comment|est ce que) (?:\w+ ){0,3}?(?:vous|votre|les gens|on) (?:\w+ )?(?:ger|trait)|\bpeut (?:on|il) "
        r"|\bgere\w* |\bcomment (?!pouv|pourr)\w+ez vous\b",
    ),
    rule(
        "fr.unsubscribe_broken",
        "abonn inscri",
        r"\b(?:lien|bouton|page|formulaire|option) (?:de |pour (?:me |se )?)?des ?(?:abonn|inscri)\w+ (?:ne"
        r"|est (?:casse|mort|introuvable|invalide)|marche (?:pas|plus)|fonctionne (?:pas|plus))",
        r"\bdes ?(?:abonn|inscri)\w*\b.{0,40}\b(?:et|mais) (?:vous|je|on|nous) (?:\w+ )?(?:continu\w+|recoi\w+"
        r"|recev\w+|ecriv\w+|envoy\w+|encore|toujours)",
        r"\bdes ?(?:abonn|inscri)(?:ee?|te?)s?\b.{0,40}\bpourquoi (?:\w+ )?(?:me|nous|je|vous|recoi\w*)\b",
        r"\b(?:lien|bouton|page|formulaire) (?:de |pour (?:me |se )?)?des ?(?:abonn"
        r"|inscri)\w*\b.{0,50}\b(?:ne (?:marche|fonctionne|mene"
        r"|charge|repond|donne)|marche pas|fonctionne pas|erreur|rien ne|casse|mort|404|introuvable|invalide)\b",
        r"\b(?:aucun|pas de|ou est le|ou trouver le|trouve pas (?:de|le)) (?:lien|bouton) (?:de |pour (?:me "
        r"|se )?)?des ?(?:abonn|inscri)",
        unless=rf"\b(?:nos|notre) (?:\w+ )?(?:mails?|emails?|newsletters?|campagnes?|lien|site|page|outil|formulaire"
        rf"|blog|boutique)\b|{OTHERS}",
    ),
    rule(
        "fr.remove_me",
        "oubli dehors hors_ "
        "retir remov supprim suppression effacement retrait enlev effac detrui ray oter otez ote sortez sortir "
        "sors exclu "
        "exclusion vire elimin radi degag desinscri desabonn ecart purg disparaitre bloqu",
        rf"\b{REMOVE}{SOFT_END} (?:moi|nous)\b(?! (?:une?|des|le|la|les|cette|ce|ces|votre|vos) )",
        rf"\b(?:me|nous|le|les) (?:(?:faire|voir|en) )?{REMOVE}(?:er|ir|re|iez|ez|e|iriez|eriez|erez|ait|rait)\b(?=$"
        rf"| ?[,?]| {LIST}| (?:svp|merci|maintenant|par|a l avenir|ainsi|et|de (?:la|la liste|vos|votre|cette|tout"
        r"|tous|toute|toutes)|afin|s)\b|.{0,40}\b(?:liste|base|fichier|mailing|diffusion))",
        rf"\b{REMOVE}{SOFT_END} (?:svp )?(?:nous tous|(?:le ensemble|la totalite) (?:de|du|des) (?:\w+ )?\w+"
        rf"|toute? (?:le|la|notre|mon|ma) \w+|(?:mon|ma"
        rf"|notre) \w+)(?: et moi)? {LIST}",
        rf"\b{REMOVE}{SOFT_END} (?:svp )?{MINE}\b",
        rf"\b{REMOVE}{SOFT_END} (?:svp )?(?:le|la|les) (?:adresses?|courriels?|emails?|mails?|numeros?|domaines?)"
        rf"(?: (?:mail|email|suivante?s?|,))* (?:ADDR|\d[\d ]{{5,20}})(?: (?:et|ainsi que|,)(?: \w+){{1,2}})? {LIST}",
        rf"\b{REMOVE}{SOFT_END} (?:svp )?(?:le|la|les) (?:adresses?|courriels?|emails?|mails?|numeros?|coordonnees|contacts?"
        rf"|noms?|domaines?|boites?|lignes?)(?: \w+){{0,2}}? (?=(?:de|hors de) (?:toutes? |tous )?(?:votre|vos"
        rf"|ta|tes|ton) ){LIST}",
        rf"\b{REMOVE}{SOFT_END} (?:(?:svp|ADDR|la|le|les) )?{LIST}",
        rf"\b{REMOVE}{SOFT_END} (?:ADDR|(?:(?:toutes?|tout|tous|les|l|le|la|ce qui) )+(?:\w+ ){{0,3}}?(?:me|nous|mes"
        r"|nos|a mon|sur moi|a notre|que vous (?:avez|detenez|possedez))\b.{0,20}(?:concern|sujet|sur moi|sur nous"
        r"|detenez|avez|relati|\b))",
        r"\b(?:etre|ete|sois|soit|soient|soyons|voir|nous|soit bien|est|faire) (?:\w+ )?(?:retir|supprim|enlev|ray"
        r"|effac|exclu|radi|elimin|ot|sort|desinscri|desabonn)(?:e|ee|es|ees|s|t|te|u|ue|er)?\b.{0,40}(?:liste|bases?"
        r"|fichier|mailing|diffusion|contacts|envois|crm|donnees|systeme|sequence|newsletter)",
        rf"\blaiss\w+ (?:moi |nous |(?:ma|mon|notre) \w+ )?(?:en )?(?:dehors|hors) {LIST}",
        rf"\b(?:retrait|radiation|suppression|exclusion) {LIST}",
        r"(?:^|, )(?:(?:merci de|merci|svp|veuillez|et) )*(?:supprim|effac|retir|enlev)(?:ez|er)(?: (?:svp|merci))*$",
        rf"\b(?:numero|personne|adresse|erreur|mail|email|coordonnees|donnees)\b.{{0,40}}\b{REMOVE}{SOFT_END} (?:le|la"
        r"|les)(?=$| ?[,?]| (?:svp|merci))",
        r"\b(?:mon|notre|nos|mes|cette|ce) (?:\w+ )?(?:adresse|email|mail|numero|donnees|coordonnees|contact"
        rf"|nom)s? (?:\w+ )?(?:soit|soient|doit etre|doivent etre|etre) (?:\w+ )?{REMOVE}\w*",
        r"\b(?:suppression|effacement|retrait|radiation|exclusion)(?: \w+)? (?:de |du |des )?(?:toutes? "
        r"|tous )?(?:mon|ma|mes|notre|nos|cette|ce) (?:\w+ )?(?:adresse|donnees|coordonnees|numero|nom|informations?"
        r"|infos|compte|contact|email|mail)|\b(?:mon|notre) (?:retrait|radiation|exclusion|effacement"
        r"|suppression) (?:de|du|immediat)",
        before=r"\b(?:ne|pas|jamais) (?:(?:me|nous|vous|les) )?|\b(?:avons|ai|ont|avez) (?:deja |bien |donc )?|\b(?:si"
        r"|quand|que) (?:on|nous|je) (?:se |nous |me )?"
        r"|\b(?:je|on) (?:vous |te |nous )?|\bpeut on |\bcomment (?:\w+ )?|\b(?:taux|nombre|pourcentage|proportion|vague|hausse"
        r"|baisse|pic|raisons?|motifs?|causes?|courbe|chiffres?|stat\w*) (?:de |des |du |d )",
        after=rf"(?: \w+){{0,4}}? {OTHER_THING}|{NOT_OURS}|(?: de \w+)? et (?:mett|utilis|ajout|rempla|pren"
        rf"|gard)\w+\b(?! (?:\w+ )?(?:sur|dans)"
        r" (?:votre|la|une) (?:\w+ )?liste)",
        unless=rf"{OTHERS}|{INSTRUCTION}|{MISTAKE}|\b(?:mon|ma|mes|notre) (?:ancienn?e?|precedente?|deuxieme|seconde?"
        rf"|autre) (?:adresse|mail|email"
        r"|courriel|numero|compte|telephone)\b(?! de (?:vos|votre))|\bliste des (?:participants|invites|intervenants"
        r"|inscrits"
        r"|presents)\b|\bsi (?:nous|on|je) (?:resili|arret|quitt|part)"
        r"|\b(?:donnees|contacts?|leads?|fiches?|profils?|numeros?) de (?:test|demo|essai)|\bcomptes? (?:utilisateur|de"
        r" (?:test|demo|essai)|admin\w*|en double)|\b(?:deuxieme"
        r"|second|autre) compte|\b(?:forfait|formule)\b|\bnous (?:devons|voulons|voudrions|allons|souhaitons) (?!etre"
        r"|ne|que"
        r"|vous)|\b(?:il nous faut|nous avons besoin|avons nous)\b|\bne (?:me |nous )?(?:retir|supprim|enlev"
        r"|sort|oubli)\w* pas|\b(?:supprim|effac|oubli)\w* (?:mon|ce|cet|le"
        r"|notre) (?:(?!adresse)\w+ )?(?:message|mail|email)s?\b(?! (?:de|dans|adresse))|\bmail precedent"
        r"|\bmon dernier (?:mail|message)|\boubli\w* (?:moi |nous )?(?:pas|dans)\b",
    ),
    rule(
        "fr.be_removed",
        "etre_",
        r"\b(?:voudrais|souhait\w+|aimerais|aimerions|veux|demand\w+ a|voulons|voudrions|desire|exige"
        r"|prefer\w+|apprec\w+)(?: \w+)? etre (?:\w+ )?(?:retir|supprim|enlev|ray|effac|exclu|radi|elimin|ot|sort"
        r"|desinscri"
        r"|desabonn)(?:e|ee|es|ees|s|t|te|u|ue)?(?=$| ?[,?]| (?:svp|merci|de|du|des)\b)",
        r"\b(?:ai|avons) (?:deja )?demande (?:\w+ ){0,4}?(?:a|de) etre (?:retir|supprim|enlev|ray|effac|exclu|radi"
        r"|desinscri|desabonn)\w*"
        r"(?=$| ?[,?]| (?:svp|merci|de|du|des|et|mais)\b)",
        r"\b(?:donnees|coordonnees|adresse|nom|numero|mail|email)\b.{0,15}\bpas (?:a|lieu de"
        r"|vocation a) etre (?:dans|sur) (?:vo\w+|cette|la|une) ",
        before=r"\bne ",
        after=rf"(?: \w+){{0,4}}? {OTHER_THING}|{NOT_OURS}",
        unless=OTHERS,
    ),
    rule(
        "fr.exclusion_list",
        "exclusion opposition rouge noire bloctel non_ exclu bloqu blacklist repoussoir suppression desinscri ne_pas "
        "ne_plus stop",
        r"\b(?:ajout|mett|inscri|place|plac|intergr|integr|pass|enregistr|note|rajout|met|bascul|mis"
        rf"|mettre)\w*(?: (?:moi|nous|svp|ADDR|bien|me))*(?: {MINE})? (?:svp )?(?:a|sur|dans|en|au|comme) (?:(?:votre"
        r"|vos|la|une|ta|le|liste|listes|fichier|registre|de|des|les|contacts?) )*(?:exclusion|non (?:contact"
        r"|sollicitation|appel)|exclus|opposition|rouge|noire|bloctel|bloques?|blocage|blacklist|black list"
        r"|suppression|repoussoir|desinscri\w+|ne (?:pas|plus) (?:contact|appel|sollicit|derang)\w*|stop)",
        r"\bblacklist(?:ez|er|e) (?:moi|nous|mon|notre|cette|ce)|\b(?:me|nous) blacklist(?:ez|er|e)\b|\b(?:inscrit"
        r"|inscrite|suis) (?:sur|a|dans) (?:la liste )?bloctel",
        before=r"\b(?:ne|pas) (?:me |nous )?|\b(?:des|les) (?:numeros|personnes|gens|contacts) ",
        unless=r"\bliste (?:de|des) (?:participants|invites)",
    ),
    rule(
        "fr.forget_me",
        "oubli perd jet utilis employ gardez conserv",
        r"\b(?:oubli(?:ez|e|er)|perd(?:ez|s|re)|jet(?:ez|te|er)) (?:(?:moi|nous)(?=$| ?[,?]| (?:svp|merci|maintenant"
        r"|et))|(?:svp )?(?:mon|ce|notre|cette|mes) (?:\w+ )?(?:numero|adresse|email|mail|contact|telephone"
        r"|coordonnees|portable))",
        r"\bne (?:plus|pas|jamais) (?:utiliser|employer|conserver|garder|se servir de|exploiter|stocker) (?:mon|ma"
        r"|mes|cette|ce|notre|nos) ",
        r"\bne (?:utilisez|utilise|employez|gardez|conservez|servez vous) (?:plus|pas) (?:de )?(?:mon|ma|mes|cette|ce"
        r"|notre|nos) (?:\w+ )?(?:numero|adresse|email|mail|donnees|coordonnees|contact|telephone)",
        r"\bme oublier(?=$| ?[,?]| (?:svp|merci|definitiv))",
        before=r"\b(?:ne|pas|je|on) (?:\w+ )?",
        unless=r"\boubli\w* (?:moi |nous )?pas\b|\bpas oubli|\boubli\w* (?:mon|ce|cet) (?:precedent|dernier|premier) ",
        another_channel=True,
    ),
    rule(
        "fr.rights",
        "demande_de "
        "droit oppos consentement rgpd gdpr cnil article art_ oubli signal bloqu retir revoqu plainte prochain",
        r"\b(?:exerc\w*|invoqu\w*|faire valoir|fais valoir|demand\w*|mon|application|applique\w*|vertu|use|conform\w*"
        r"|je|notre)\b.{0,60}\bdroits? (?:a (?:le |la |l )?(?:oubli|effacement|suppression|opposition)"
        r"|de (?:opposition|retrait|suppression|effacement|me opposer)|au? (?:retrait|le oubli|effacement))",
        r"^(?:\w+ ){0,3}droit (?:a le oubli|de opposition|a le effacement)(?: (?:svp|merci))*$",
        r"\b(?:me|nous) oppos\w+ (?:\w+ )?(?:a|au|aux|de) (?:(?:le|la|tout|toute|ce|cette|ces|vos|votre|tous|de"
        r"|future|autre) )*(?:traitement|utilisation|demarch|prospect|sollicit|envoi|recevoir|contact|reception"
        rf"|ce que|que|conservation|usage|collecte|marketing|communication|etre|{NOUNS})\w*|\b(?:retir|revoqu"
        r"|annul)\w* (?:\w+ )?(?:mon|notre|toute?|le) (?:\w+ )?(?:consentement|accord|autorisation|permission)(?! (?:de"
        r"|sur) (?:devis|principe))\b",
        r"^(?:signale|signales|bloque|signale et bloque|bloque et signale)(?: (?:comme|en|pour) spam)?$"
        r"|\bvous etes (?:\w+ )?(?:bloque|signale)",
        r"^(?!.*\?$)(?:(?:rgpd|gdpr|bonjour|une|,) )*(?:demande|droit)\b.{0,30}\b(?:effacement|suppression|opposition"
        r"|desinscription|retrait|oubli)\b",
        r"\b(?:porter\w*|porte|deposer\w*|depose) (?:une )?plainte\b|\bprochaine? (?:mail|email|message|appel|sms"
        r"|relance)\b.{0,30}\b(?:signal|plainte|cnil|bloqu|avocat)",
        r"^(?:numero|contact|expediteur|mail) (?:bloque|signale)$|\bje te (?:bloqu|signal)\w+$",
        r"\bje (?:vais )?(?:vous )?(?:bloqu|signal)\w+(?: (?:ce|cette|votre|vos|comme|en|a)| vous|$)",
        r"\b(?:rgpd|gdpr|cnil|article|loi informatique)\b.{0,80}\b(?:supprim|suppres|effac|retir|oppos"
        r"|oubli)\w*.{0,40}\b(?:me|mes|mon|ma|nous|nos|moi|donnees personnelles)\b",
        r"\b(?:supprim|suppres|effac|retir|oppos)\w*.{0,40}\b(?:mes|mon|nos|moi|me)\b.{0,60}\b(?:rgpd|gdpr|cnil"
        r"|article)\b",
        r"\b(?:je|on|nous|vais|vous|et|ou) (?:\w+ ){0,2}?(?:signal\w*|denonc\w*|bloqu\w*"
        r"|signaler\w*)\b.{0,40}\b(?:spam|cnil|33700|signal spam|bloctel|autorites|abus|harcelement)",
        unless=r"\b(?:comment (?:\w+ )?(?:gerez|traitez|geres)|gerez|conformes?|disposez|beneficiez|vous pouvez"
        rf"|votre (?:outil|solution|plateforme|droit)|nos clients|a tout moment)\b|{INSTRUCTION}|{OTHERS}",
    ),
)
