"""In which language to answer: what the platform says, the thread's, the words', the desk's.

Fewer than three words never change a language (single words such as "ok" defeat every detector).
"""

import re
from collections.abc import Sequence
from functools import cache

from sportello.domain.words import FIRST_HAN, LAST_HAN, has_han

LEAST_WORDS = 3

# Words that nearly every sentence has, then those of customer care. A word counts more the fewer
# languages it stands under.
_WORDS = {
    "it": (
        "il lo la i gli le l un uno una di del dello della dei degli delle d da dal dalla dai in nel nella "
        "nei con per su sul sulla tra fra che chi cui non e è ed o sono sei siamo siete ho hai ha abbiamo "
        "avete hanno mi ti ci vi si me te ne ma se come quando dove perché perche perchè quanto quanti "
        "quale cosa vorrei volevo posso potete puoi può puo mio mia miei mie vostro vostra vostri questo "
        "questa questi ancora già gia più piu anche molto tutto niente nulla nessuno stato stata fare "
        "sapere al alla ai alle ciao salve buongiorno buonasera grazie prego scusi scusate cortesemente "
        "gentilmente favore ordine pacco spedizione arrivato arriva reso rimborso fattura consegna prodotto "
        "taglia soldi aspetto aspettando risposta ordinato ricevuto oggi ieri domani giorni settimana "
        "negozio orari aperti xké nn cmq sto sta stanno era avevo abbia sia dopo prima sempre mai adesso "
        "ora così bene dall all dell nell due tre quattro volta volte devo deve dobbiamo cerco cercando "
        "serve servono piacerebbe mandarmi inviare restituire articolo ritirare pagare carta nuovo nuova "
        "sbagliato sbagliata negli quelli quello quella loro suo sua tuo tua anch qualcuno ogni fa "
        "fate faccio vale oltre circa senza però pero invece quindi allora poi solo proprio bisogno "
        "aiuto problema funziona riesco capisco voglio"
    ),
    "en": (
        "the a an of to in is are was were be been am i you he she it we they me my your our their and or "
        "but not no don t doesn isn didn have has had do does did can could would will should may when "
        "where what which who why how this that these those with for from on at by as if so still yet any "
        "there here please hello hi hey thanks thank order ordered delivery delivered parcel package refund "
        "invoice shipping received arrived waiting help need want get got about after before again just "
        "because out up more than some one new wrong broken item items money back today yesterday days week "
        "store open size im ive dont cant u ur plz pls two three once twice every each looking able send "
        "sent return pay won wasn couldn haven wouldn aren hasn ll ve re too also only very really "
        "much many find try tried says said go going let us them him her"
    ),
    "es": (
        "el la los las lo un una unos unas de del al a en con por para que qué y e o no sí si es son está "
        "están estoy esta este esto he ha han hay mi mis tu su sus se me te le les nos pero como cómo "
        "cuando cuándo donde dónde porque cuánto cuanto cuál quiero quería quisiera puedo puede pueden "
        "podéis tengo tiene muy más mas ya todavía aún aun también hola buenos buenas días dias tardes "
        "gracias favor pedido paquete envío envio entrega devolución reembolso factura producto talla "
        "dinero llegado llega recibido esperando comprado hace ayer hoy mañana semana tienda horario abren "
        "nadie nada hacer saber q xq sin fue era sobre desde hasta ser estar usted ustedes necesito ayuda "
        "cuenta dos tres vez veces tener busco buscando devolver artículo recoger pagar tarjeta nuevo nueva "
        "equivocado cobrado habéis habeis tenéis teneis podeis cada alguien nunca siempre solo sólo "
        "entonces pues así bien mal cuántos otra otro otros otras necesitamos problema funciona entiendo "
        "vosotros recibí pedí"
    ),
    "fr": (
        "le la les l un une des du de d au aux à a en dans avec pour par sur que qu qui quoi et ou où ne n "
        "pas est sont suis êtes etes ai as avez ont je j tu il elle nous vous ils me m te se s ma mon mes "
        "votre vos ce cette ces c ça ca mais comme comment quand pourquoi combien quel quelle voudrais peux "
        "pouvez puis très tres plus encore toujours déjà deja aussi bonjour bonsoir salut merci svp plaît "
        "plait commande colis livraison livré reçu recu retour remboursement facture produit taille argent "
        "arrivé attends commandé depuis jours semaine hier demain aujourd hui magasin horaires ouvert rien "
        "personne faire savoir été ete être etre jai cest y si on leur sans besoin aide compte deux trois "
        "fois cherche dois doit renvoyer article retirer payer carte nouveau nouvelle mauvais avais avait "
        "fait dit quelqu chaque jamais seulement alors donc bien mal autre problème marche fonctionne "
        "comprends trop peu avons lequel laquelle chez avant après"
    ),
    "de": (
        "der die das den dem des ein eine einen einem einer und oder aber nicht kein keine ist sind war "
        "wurde bin bist seid habe hab hast hat haben ich du er sie es wir ihr mich mir mein meine meinen "
        "meiner meinem dein ihre ihren ihrem euch uns in im an am auf mit von vom zu zum zur für fuer bei "
        "nach aus um dass wenn wann wo wie was warum wieso wer welche kann können koennen könnte möchte "
        "moechte will muss noch schon immer auch sehr mehr nur hallo guten tag danke bitte bestellung "
        "bestellt paket lieferung geliefert erhalten rücksendung erstattung rechnung produkt größe geld "
        "warte gekommen angekommen seit tagen woche gestern heute morgen laden geöffnet niemand nichts "
        "machen wissen vielen dank werden wird über ohne brauche hilfe konto zwei drei mal einmal zweimal "
        "suche artikel zurückschicken abholen zahlen karte neu neue falsch falsche wurden hatte hätte "
        "jemand jeder nie dann also gut anderen anderes problem funktioniert verstehe viel hier dort diese "
        "dieser dieses ihnen unser man beim zurück bekommen schicken sowie damit gibt ab"
    ),
    "pt": (
        "o a os as um uma uns umas de do da dos das ao à aos no na nos nas em com por pelo pela para pra "
        "que e ou não nao sim é são sao está estão estou esta este isto isso foi era tem tenho têm há meu "
        "minha meus minhas seu sua se me te lhe nós você voce vocês voces vcs vc eu ele ela mas como quando "
        "onde porque porquê quanto qual quero queria gostaria posso pode podem preciso muito mais já ainda "
        "também tambem olá ola oi bom boa dia tarde noite obrigado obrigada favor pedido encomenda pacote "
        "envio entrega devolução reembolso fatura produto tamanho dinheiro chegou chega recebi esperando "
        "comprei dias semana ontem hoje amanhã loja horário abrem ninguém nada fazer saber sem ajuda conta "
        "dois duas três vez vezes devo deve ter procuro devolver artigo retirar levantar pagar cartão novo "
        "nova errado errada fui fomos cobrado alguém nunca sempre só então assim bem mal outro outra "
        "problema funciona entendo demoram demora responder respondem tanto tantos pedi vieram veio mandar "
        "enviar cadê até desde lhes aquilo nem depois antes"
    ),
}  # fmt: skip


@cache
def _by_word() -> dict[str, tuple[tuple[str, int], ...]]:
    """What each word says for each language: 6 points, shared among the languages that have it."""
    codes: dict[str, list[str]] = {}
    for code, words in _WORDS.items():
        for word in set(words.split()):
            codes.setdefault(word, []).append(code)
    return {word: tuple((code, 6 // len(found)) for code in found) for word, found in codes.items()}


def is_common(word: str) -> bool:
    """Whether it is one of the words by which languages are told: no name of a person."""
    return word in _by_word()


_CYRILLIC_WORD = re.compile(r"[а-яёА-ЯЁ]+")
_NOT_RUSSIAN = re.compile("[іїєґўђјљњћџІЇЄҐЎЂЈЉЊЋЏ]")
_KANA = re.compile("[\u3040-\u30ff]")
_LEAST_LETTERS = 3
_WORD = re.compile(r"[^\W\d_]+")


def language_of(text: str, languages: Sequence[str]) -> str:
    """The desk's language in which the text is written; empty when its words do not tell.

    Words of languages that the desk does not speak count against it: a text in one of those is
    answered in the desk's own language rather than in the one that looks most like it.
    """
    words = _WORD.findall(text.lower())
    scores = {} if text.isascii() else _by_script(text)
    if len(words) >= LEAST_WORDS:
        says = _by_word()
        for word in words:
            for code, points in says.get(word, ()):
                scores[code] = scores.get(code, 0) + points
    if not scores:
        return ""
    highest = max(scores.values())
    best = [code for code, score in scores.items() if score == highest]
    return best[0] if len(best) == 1 and best[0] in languages else ""


def _by_script(text: str) -> dict[str, int]:
    """Letters that only one language of the eight has speak for it."""
    scores = {}
    cyrillic = _CYRILLIC_WORD.findall(text)
    if len("".join(cyrillic)) >= _LEAST_LETTERS and not _NOT_RUSSIAN.search(text):
        scores["ru"] = 6 * len(cyrillic)
    if has_han(text) and not _KANA.search(text):
        han = sum(FIRST_HAN <= letter <= LAST_HAN for letter in text)
        if han >= _LEAST_LETTERS:
            scores["zh"] = 6 * han
    return scores


def reply_language(platform: str, thread: str, text: str, languages: Sequence[str]) -> str:
    """One of the desk's languages, by the order of evidence; never empty."""
    if platform in languages:
        return platform
    if thread in languages:
        return thread
    return language_of(text, languages) or languages[0]
