"""Vocabulary of the French opt-out rules, in the canonical spelling of `optout_spelling`.

"Ne m'écrivez plus" reads "ne me ecrivez plus"; verbs are stems with any ending, so every person and mood reads alike.
"""

from zrg_dagster.core.text.optout_rule import one_of

NOUNS = one_of(
    """emails? mails? messages? courriels? courriers? sms textos? appels? relances? spams? pubs? publicites? sollicitations?
    rappels? newsletters? prospection envois? communications? contacts? sequences? harcelement demarchages? spamming mailings?
    campagnes? offres? propositions? promos? promotions? notifications? prospectus telephone demarches? infolettres?
    infos? lettres? pourriels? mps? mp whatsapps? invitations?_linkedin correspondances? merdes? conneries cochonneries
    contenus? echanges? insistance"""
)
STEM = (
    r"(?:re?)?(?:contact|ecri|envo|appel|relanc|sollicit|derang|importun|harcel|spamm|mail|demarch|telephon|text"
    r"|joindr|joign|prospect|adress|bombard|pollu|embet|emmerd|saoul|soul|inond|ennuy|enquiquin|tanne|communiqu"
    r"|correspond|cibl|mand|transm|insist|parl|propos|inscri|message|sms|whatsapp|approch|fatigu|gonfl|tarabust"
    r"|assaill|casse)"
)
CONTACT = (
    rf"(?:{STEM}(?!ing\b|ed\b)\w{{0,7}}|reven\w{{1,4}} (?:vers|a la charge)|(?:re)?pren\w{{1,4}} contact"
    r"|entr\w{1,3} en contact)"
)
ABOUT_ME = r"(?:me|nous|y|lui|leur|en|le|nous en|me les|me le|moi|plus|encore|toujours|continuellement|constamment)"
TO_ME = r"(?:a|sur|vers|par) (?:(?:cette|ce|cet|mon|ma|notre|nos|mes|tous mes) (?:\w+ )?\w+|ADDR|moi|nous|toute)"
STOP = (
    r"(?:arret(?:ez|er|e|ons|iez|es|ant|eriez|ais)|cess(?:ez|er|e|ation|iez|ant|eriez)|stopp(?:ez|er|e|iez)|stop"
    r"|evit(?:ez|er|e|iez)|(?:vous )?absten(?:ez|ir|iez|ons)(?: vous)?|(?:mett(?:ez|re|iez)|met|mets)(?: \w+)? (?:fin"
    r"|un terme)|finiss(?:ez|ons)|suspend(?:ez|re)|interromp(?:ez|re)|renonc(?:ez|er)|lach(?:ez|er|e)|basta|halte"
    r"|dispens(?:ez|er)(?: vous)?|gard(?:ez|er) vous|fin)"
)
_LISTED = (
    r"(?:listes?|listings?"
    r"|bases?|fichiers?|mailings?|diffusions?|donnees|newsletters?|envois?|campagnes?|contacts?|crm|mails?|emails?"
    r"|sequences?|systemes?|registres?|messages?|relances?|annuaires?|prospection|repertoires?|communications?"
    r"|boucle de mails|carnets?|sollicitations?|programmes?|cible|routage|cela|ca|courriels?|infolettres?|sms)\b"
)
LIST = (
    r"(?:de|du|des|hors|dans|depuis) (?:(?:(?:votre|vos|la|les|le|cette|ce|ces|toutes?|tous|ta|tes|ton|leur|leurs"
    r"|chacune|futurs?|futures|prochains?|prochaines|vos futurs|quelconque) ){0,3}(?:(?!une?\b)\w+ ){0,3}?"
    rf"{_LISTED}|la(?=$| ?[,?]| (?:svp|merci|maintenant|et)\b))"
)
# Behind a removal: off a thing of his or of everybody's ("de la garde de samedi") that nothing is sent to.
NOT_OURS = rf" (?:du|des|de (?:le|la)) (?!(?:\w+ ){{0,3}}?{_LISTED}|svp\b|merci\b|maintenant\b|et\b)\w+"
MINE = (
    r"(?:toutes? |tous |l ensemble de |de )?(?:mon|ma|mes|notre|nos|cette|cet|ce|ces|les|toutes mes|tous mes"
    r"|toutes nos|tous nos) (?:\w+ )?(?:adresses?|courriels?|courriers?|mels?|emails?|mails?|noms?|numeros?"
    r"|coordonnees|donnees|contacts?|telephones?|comptes?|infos?|informations?|domaines?|societe|entreprise|fiche"
    r"|profil|boite|ligne|portable|personne)"
)
REMOVE = (
    r"(?:retir|remov|supprim|enlev|effac|ray|ot|sor[st]|exclu|vir|elimin|degag|radi|desinscri|desabonn|desenregistr"
    r"|desactiv|ecart|purg|oubli|decoch|bloqu|soust|detrui|fai(?:re|tes|te) (?:sortir|disparaitre))"
)
SOFT_END = (
    r"(?:ez|er|e|ons|re|ir|is|iez|eriez|irez|erez|vez|riez|ait|ais|iriez|tes|es|ement|ant|vant|rait|rez|t|ai|sez|se)?"
)
OTHERS = (
    r"\b(?:nos|les|le|ce|chaque|certains|plusieurs|vos|des|leurs|ses|un|aux|mes|quand un|si un) (?:(?!e?mails? |appels?"
    r" |messages? |courri\w+ "
    r"|sms |envois |fichiers? |listes? |listings? |bases? |repertoires? )\w+ )?(?:clients?|abonnes|utilisateurs?|prospects?"
    r"|leads?|destinataires?|lecteurs|membres(?! de (?:notre|mon)\b)|adherents|donateurs|visiteurs|commerciaux|gens"
    r"|candidats?|concurrents?"
    r"|interlocuteurs?)\b|\bnos (?:\w+ )?contacts\b"
)
OTHER_THING = (
    # A list of something else than who is written to.
    r"(?:\bliste (?:de|des|du) (?!diffusion|mails?|emails?|mailing|courriels?|contacts?|envois?|distribution"
    r"|prospect\w*|destinataires?"
    r"|relances?|newsletters?|infolettres?|clients?|abonnes|adresses|appels?|sms|messages?|demarchage|publipostage"
    r"|votre|vos\b|spam"
    r"|exclu\w+|opposition|ne\b|numeros|telephones?|marketing|sollicitations?|communications?|repoussoir"
    r"|suppression)\w+|"
    r"\b(?:reunion|invitations?|calendrier|copie|boucle|agenda|reservation|devis|commande|diapo|diapos|deck|slide"
    r"|presentation|contrat|proposition|document|doc|page|point|annexe|logo|site|seance|rdv|rendez vous|evenement"
    r"|webinaire|visio|call|canal|planning|appel de|participants?|invites|paragraphe|ligne \d|facture|offre"
    r"|maquette|brouillon|forfait|formule|garde|astreinte|permanence"
    r"|dossier|projet|equipe projet|liste des (?:participants|invites|intervenants|inscrits|presents)|panier)\b)"
)
WHEN = (
    r"(?: \w+){0,3}? (?:avant|apres|le (?:matin|soir|week|weekend|lundi|mardi|mercredi|jeudi|vendredi|samedi"
    r"|dimanche)|ce (?:soir|matin|mois)|aujourd'hui|aujourd|demain|pendant|pour le? ?(?:instant|moment)|jusqu"
    r"|cette semaine|si (?:tot|tard|souvent)|entre|encore(?! (?:des|vos|une|un))|tout le temps le|toutes les heures"
    r"|au bureau|les (?:lundis|week|weekends))\b"
)
INSTRUCTION = (
    r"\b(?:cliquez|si vous (?:ne )?(?:souhaitez|voulez|desirez|preferez)|pour (?:vous|se) des|a tout moment|repondez"
    r"|si vous (?:le )?avez recu|vous (?:disposez|beneficiez)|vous pouvez (?:vous|a tout|egalement|exercer|demander"
    r"|gerer|modifier|aussi|ne plus)|vous etes inscrit|(?:seul|unique|son|le) destinataire)\b"
)
MISTAKE = (
    r"\b(?:etait|ete|fut|est|fait) une erreur\b.{0,40}\bdes ?(?:abonn|inscri)\w*|"
    r"\b(?:par erreur|par megarde|sans (?:le )?(?:faire expres|vouloir)|accidentellement"
    r"|erreur de ma part)\b.{0,80}\b(?:re ?inscri|re ?abonn|remet|remettre)|(?:desabonn"
    r"|desinscri)\w*.{0,60}\b(?:par erreur|par megarde|sans (?:le )?(?:faire expres|vouloir)|accidentellement"
    r"|etait une erreur)|(?<!avez )\b(?:reinscri|reabonn|remettre sur|remettez (?:moi|nous))\w*"
)
PAST = (
    r"\b(?:pourquoi|depuis quand|comment se fait il|pour quelle raison) (?:\w+ ){0,5}|\b(?:avez|as|ont|(?:il|elle|on"
    r"|qui|equipe) a|avons|ai|aviez|avait) (?:vous |tu |ils |donc |deja )?"
    r"|(?<!pouvez )(?<!pourriez )(?<!voulez )(?<!peux )(?<!pourrais )(?<!que )\b(?:vous|tu) "
)
OURSELVES = (
    r"\b(?:on|ils|elles|elle|il|je|nous|clients|prospects|equipe|commerciaux|leads) (?:(?!de\b|vous\b|prie|demand"
    r"|souhait\w* (?:que|ne|de|a)\b|aimer\w* (?:que|ne|bien)\b|exig|apprec|merci|sauraient|faut|faudrait|pouvez"
    r"|pourri|dois)\w+ ){0,3}|\b(?:comment|avant de|aide\w* a|voulons|veulent|fallu|permet de"
    r"|combien de \w+ avant de) (?:\w+ )?"
)
ASK = (
    r"(?:merci|veuillez|vouloir|pri(?:e|ons|er)|demand(?:e|ons|er|ais)|souhait\w+|aimer\w+|gre|oblige"
    r"|reconnaissant\w*|possible|exig\w+|apprec\w+|pourri\w+|pouvez|pouvoir|voudri\w+|vouloir|svp|preferer\w*"
    r"|prefer\w+|somm\w+|suppli\w+|dit|dis|rappel\w+|faut|dois|assur\w+|demandons|attend\w+|gentil|sympa|necessaire"
    r"|mieux|urgence|bonjour|bonsoir|interess\w+|gentillesse|plutot|non|ok|numero|personne|erreur|et|pour|accord"
    r"|alors|besoin|afin|cela|ainsi|sorte|sais|jamais)"
)
UNWANTED = (
    rf"(?:recevoir(?! (?:la|le|les|une?|ma|mon|mes|notre) (?!(?:\w+ )?{NOUNS}))\b|(?:de )?(?:etre|me faire|nous faire"
    rf"|me voir|se voir) (?:\w+ )?{CONTACT}|que (?:vous|tu|on|personne"
    rf"|quiconque) (?:ne )?(?:me|nous|continu\w+|\w+ moi)|que (?:vous|tu) {CONTACT}|avoir (?:de vos|vos"
    r"|affaire|a faire|de nouvelles|de contact|de vos nouvelles)|entendre parler|vous (?:lire|entendre|voir)|figurer"
    r"|faire partie|etre (?:dans|sur|inscrit|abonn|destinataire|la cible|dans)\w*|(?:(?:de|vos|ces|vous|cette|ce"
    rf"|votre|tes|des|du|un|une|seul|seule|autres?|type|genre|tels|en|telles) )*{NOUNS}\b|(?:echanger|discuter|parler"
    r"|communiquer|correspondre|rester en contact) avec (?:vous|votre|toi)|(?:de )?(?:ca|cela|tout ca)(?=$| ?,)"
    r"|apparaitre (?:dans|sur)|rester (?:dans|sur|inscrit)|lire (?:vos|ces))"
)
NO_LONGER = r"(?:plus|pas|aucune?|jamais|point|plus jamais|pas du tout|nullement|guere|absolument plus|absolument pas)"
