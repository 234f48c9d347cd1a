"""How a text addresses its reader: tu or Lei, ты or вы, du or Sie, tú or usted, tu or vous, 你 or 您.

Each language has signs that leave no doubt and signs that others could also mean ("suo" is "his" too);
the latter count only where nothing contradicts them.
"""

import re
from functools import cache
from typing import NamedTuple


class Sign(NamedTuple):
    formal: bool
    sure: bool
    start: int
    end: int


FORMS = ("it", "ru", "de", "es", "fr", "pt", "zh")
"""Languages with two forms of address; English has one."""

_CLAUSE = r"(?:(?<![\w'’])(?<!\w )|(?<=[.!?\n,;:] )|(?<=[.!?\n,;:])|(?<= e )|(?<=per favore ))"
_INSIDE = r"(?<=[\w,;)’'\"»] )"
"""Not where a sentence begins, so that a capital means something."""

_IT_IMPERATIVES = (
    "clicca|controlla|aspetta|guarda|compila|inserisci|scarica|apri|segui|accedi|attendi|riavvia|invia"
    "|manda|scrivi"
    "|chiedi|rispondi|leggi|scegli|aggiorna|installa|allega|lascia|passa|vieni|entra|ritira|tieni|scusa"
    "|perdona"
)
_IT_NOUNS_TOO = "conferma|verifica|usa|prova|porta|ricorda|indica"
_IT_THOU = (
    "hai|puoi|vuoi|devi|sai|stai|vai|fai(?! da te)|eri|avevi|volevi|potevi|ricevi|trovi|vedi|preferisci"
    "|desideri|scrivi|rispondi"
    "|chiedi|leggi|apri|accedi|inserisci|scegli|segui|attendi|capisci|riesci|conosci|ottieni|tieni|vieni"
    "|rimani|paghi|mandi|compri"
    "|abiti|usi ancora|torni|aspetti ancora|tocca a te"
)
_IT_WITH_US = (
    "scrivi|manda|invia|chiama|contatta|rispondi|conferma|indica|segui|lascia|spiega|racconta|segnala"
    "|inoltra|allega|comunica"
    "|perdona|scusa|richiama|ricorda|porta|mostra|gira|passa|aiuta|permetti|concedi|credi"
)
_IT_NO_THEE = (
    "parti|certi|incerti|esperti|inesperti|concerti|aperti|riaperti|offerti|coperti|scoperti|reparti"
    "|quarti|deserti|inserti|diverti"
    "|avverti|converti|inverti|scarti|sarti|arti|marti|incarti|carti|merti|serti|erti|irti|sofferti"
    "|ricoperti"
)
_IT_SHALL = (
    "ringrazi|inform|preg|contatt|ricontatt|richiam|aggiorn|invit|salut|avvis|avvert|rassicur|aiut|assist"
    "|attend|aspett|terr|tenia"
    "|prego|disturb|capi"
)
_IT_TO = (
    "rispond|scriv|invi|mand|conferm|comunic|chied|augur|porg|ricord|forni|indic|abbiamo|possiamo|posso"
    "|facci|far|offr|sped|rimbors"
    "|propon|consigli|segnal|sugger|assicur|restitu|dobbiamo|diamo|dar|dir|spieg|anticip|garant|auguri"
)
_IT_THEIRS = (
    "ordine|pacco|messaggio|richiesta|indirizzo|account|reso|rimborso|pagamento|pazienza|segnalazione"
    "|dati|acquisto|domanda"
    "|email|e-mail|conto|spedizione|consegna|carta|pratica|fiducia|disagio|disponibilità"
    "|comprensione|attesa|feedback|telefono"
    "|profilo|fattura|ordini|resi|interesse|gentilezza|dispositivo|app"
    "|abbonamento"
)
_IT_PLEASE = (
    "attenda|abbia|voglia|provi|clicchi|compili|inserisca|scarichi|acceda|verifichi|controlli|consulti"
    "|utilizzi|scelga|prenda|tenga"
    "|venga|veda|legga|apra|riavvii|aggiorni|porti|ritiri|stia|vada|faccia|scusi|scriva|risponda|chieda"
    "|inoltri|alleghi|conservi"
    "|segua|mandi|invii|conti|chiami|contatti|indichi|confermi|lasci|aspetti|guardi|installi|usi|ricordi"
    "|perdoni|consideri"
)

_PATTERNS = {
    "it": {
        "informal": (
            r"(?<![\w'’])(?:tu|ti|tuo|tua|tuoi|tue)(?![\w'’])",
            r"(?<!fai da )(?<!fai-da-)(?<![\w'’])te(?![\w'’])",
            rf"(?<![\w'’])(?:{_IT_THOU})(?![\w’'])",
            r"(?<!\w)sei (?=registrat|sicur|stat|riuscit|già|interessat|dispost|ancora|un |una |il |la "
            r"|nostr|in |a casa|pront|soddisfatt|tu)",
            r"(?<=\bche )sei\b|(?<=\bse )sei\b|(?<=\bci )sei\b|(?<=\bnon )sei\b",
            r"(?<!\w)\w{2,}(?:erai|irai|vrai|trai|drai|prai|rrai)(?!\w)|(?<!\w)(?:sarai|farai|starai|darai"
            r"|avrai)(?!\w)",
            r"(?<!\w)\w*(?:eresti|iresti|vresti|tresti|vorresti|saresti|faresti)(?!\w)",
            rf"(?<!\w)(?!(?:{_IT_NO_THEE})\b)\w{{2,}}(?:ar|er|ir|dur)ti(?!\w)",
            r"(?<!\w)\w{3,}ndoti(?!\w)",
            r"(?<!\w)(?:fammi|facci|dimmi|dicci|dacci|dammi|fatti|dillo|mandacel[ao]|dagli)(?= |[,.!:]|$)",
            rf"(?<!\w)(?:{_IT_WITH_US})(?:ci|mi|cel[oa]|mel[oa])(?!\w)",
            rf"{_CLAUSE}(?:{_IT_IMPERATIVES})(?!\w)(?= |[,.!:]|$)",
            rf"{_CLAUSE}(?:{_IT_NOUNS_TOO}) (?=il |la |lo |i |le |gli |l'|che |se |a |di nuovo|nel|qui)",
            r"(?<!\w)non (?:preoccuparti|esitare a scriverci|dimenticare di|aspettare oltre)(?!\w)",
        ),
        "informal_perhaps": (r"(?<!\w)ciao(?!\w)",),
        "formal_exact": (
            rf"{_INSIDE}(?:Lei|Suo|Sua|Suoi|Sue|Le)(?!\w)",
            rf"(?<!\w)La (?=(?:{_IT_SHALL})\w*)",
            rf"(?<!\w)Le (?=(?:{_IT_TO})(?:iamo|o|eremo|iremo|erò|irò|emo|remo|rò|ò)?(?!\w))",
            r"(?<!\w)\w{2,}(?:ar|er|ir)(?:Le|La)(?!\w)",
            r"(?<!\w)\w{3,}ndo(?:Le|La)(?!\w)",
        ),
        "formal": (
            r"(?<!\w)(?:ci|mi) (?:scusi|scriva|invii|mandi|contatti|dica|indichi|comunichi|faccia|chiami"
            r"|confermi|fornisca|lasci|segnali"
            r"|spieghi|racconti|risponda|perdoni|permetta|dia|creda|giri|inoltri)(?!\w)",
            r"(?<!\w)si (?:accomodi|figuri|rivolga|rechi|colleghi|ricordi|assicuri|tranquillizzi|preoccupi"
            r"|fidi|senta)(?!\w)",
            r"(?<!\w)non (?:esiti|tema)(?!\w)",
            rf"{_CLAUSE}(?:{_IT_PLEASE}) (?=il |la |lo |i |le |gli |l'|un |una |che |se |a |ad |con |di "
            rf"|in |nel|qui|su|pure|pazienza|ancora|presente|per |al |questo|questa|circa)",
            r"(?<!\w)lei (?:può|ha|è|deve|vuole|potrà|potrebbe|dovrà|sa|avrà|desidera|preferisce|riceverà"
            r"|troverà|aveva)(?!\w)",
        ),
        "formal_perhaps": (
            rf"(?<!\w)la (?=(?:{_IT_SHALL})(?:o|iamo|eremo|iremo|erò|ò|emo|remo)?\w{{0,6}}(?!\w))",
            rf"(?<!\w)le (?=(?:{_IT_TO})(?:iamo|o|eremo|iremo|erò|irò|emo|remo|rò|ono|à)?(?!\w))",
            rf"(?<!\w)(?:suo|sua|suoi|sue) (?=(?:{_IT_THEIRS})(?!\w))",
            r"(?<!\w)(?:aiutarla|contattarla|ricontattarla|ringraziarla|richiamarla|assisterla|informarla"
            r"|aggiornarla|rassicurarla"
            r"|avvisarla|risponderle|scriverle|chiederle|comunicarle|confermarle|fornirle|spiegarle"
            r"|rimborsarle|inviarle|darle)(?!\w)",
        ),
    },
    "ru": {
        "informal": (
            r"(?<!\w)(?:ты|тебя|тебе|тобой|тобою|твой|твоя|твоё|твое|твои|твоего|твоей|твоему|твоим|твоих"
            r"|твоими|твою)(?!\w)",
            r"(?<!\w)(?!(?:лишь|тишь|брешь|плешь|мышь|глушь|залежь)\b)\w{2,}(?:ешь|ёшь|ишь)(?:ся)?(?!\w)",
            r"(?<!\w)(?:напиши|подожди|скажи|проверь|посмотри|извини|прости|звони|позвони|отправь|уточни"
            r"|зайди|перейди|попробуй|сообщи"
            r"|укажи|назови|держи|смотри|пиши|обратись|нажми|выбери|открой|скачай|обнови|перезагрузи"
            r"|заполни|приходи|заходи|подскажи"
            r"|расскажи|опиши|дай|давай|выбирай|переживай|волнуйся|беспокойся|сделай|загляни|жди|ожидай"
            r"|оформи"
            r"|сообщай|обращайся)(?!\w)",
            r"(?<!\w)пришли (?=нам|мне|,|фото|номер|скрин|пожалуйста)",
        ),
        "informal_perhaps": (r"(?<!\w)(?:привет|приветик)(?!\w)",),
        "formal_exact": (),
        "formal": (
            r"(?<!\w)(?:вы|вас|вам|вами|ваш|ваша|ваше|ваши|вашего|вашей|вашему|вашим|ваших|вашими"
            r"|вашу)(?!\w)",
            r"(?<!\w)(?!(?:здравствуй|сай|инсай|веб-сай|лай|дай)те\b)\w{3,}(?:йте|ьте)(?:сь)?(?!\w)",
            r"(?<!\w)(?:напиш|подожд|скаж|посмотр|извин|прост|позвон|пришл|уточн|зайд|перейд|сообщ|укаж"
            r"|назов|держ|смотр|пиш|обрат"
            r"|нажм|выбер|перезагруз|приход|заход|подскаж|расскаж|опиш|свяж|верн|возьм|принес|оформ|повтор"
            r"|хот|получ|найд|ответ"
            r"|оцен|выполн|включ|отключ|войд|введ|загляни|перезвон|учт|приш|подтверд"
            r"|разреш)ите(?:сь)?(?!\w)",
            r"(?<!\w)(?:може|сможе|хоти|буде|получи|увиди|найдё|найде|знае|жела|желае|захоти"
            r"|реши)те(?:сь)?(?!\w)",
        ),
        "formal_perhaps": (r"(?<!\w)здравствуйте(?!\w)",),
    },
    "de": {
        "informal": (r"(?<!\w)(?:du|dich|dir|dein|deine|deinen|deinem|deiner|deines|euch|euer"
        r"|eure)(?!\w)",),
        "informal_perhaps": (r"(?<!\w)(?:hallo du|hi|hey)(?!\w)",),
        "formal_exact": (rf"{_INSIDE}(?:Sie|Ihnen|Ihr|Ihre|Ihren|Ihrem|Ihrer"
        rf"|Ihres)(?!\w)", r"(?<!\w)Ihnen(?!\w)"),
        "formal": (),
        "formal_perhaps": (r"(?<!\w)sehr geehrte\w*(?!\w)",),
    },
    "es": {
        "informal": (
            r"(?<!\w)(?:tú|te|ti|contigo|tu|tus|tuyo|tuya|puedes|tienes|quieres|debes|has|eres|estás"
            r"|recibirás|podrás|tendrás)(?!\w)",
            r"(?<!\w)(?:escríbenos|llámanos|envíanos|dinos|cuéntanos|mándanos|contáctanos|avísanos"
            r"|disculpa|perdona)(?!\w)",
        ),
        "informal_perhaps": (),
        "formal_exact": (),
        "formal": (
            r"(?<!\w)(?:usted|ustedes)(?!\w)",
            r"(?<!\w)(?:escríbanos|llámenos|envíenos|díganos|cuéntenos|mándenos|contáctenos|avísenos"
            r"|disculpe|perdone)(?!\w)",
            r"(?<!\w)le (?=escrib|respond|inform|confirm|envi|agradec|avis|record|atend|contest)",
        ),
        "formal_perhaps": (r"(?<!\w)(?:su|sus) (?=pedido|mensaje|paciencia|solicitud|cuenta|paquete"
        r"|correo)",),
    },
    "fr": {
        "informal": (
            r"(?<![\w'’-])(?:tu|te|toi|ta|tes)(?![\w'’])",
            r"(?<!\w)ton (?=\w+)(?!ton)",
            r"(?<!\w)t['’](?=\w)",
        ),
        "informal_perhaps": (r"(?<!\w)(?:salut|coucou)(?!\w)",),
        "formal_exact": (),
        "formal": (r"(?<!\w)(?:vous|votre|vos)(?!\w)", r"(?<!\w)(?:veuillez|écrivez|contactez"
        r"|excusez)(?!\w)"),
        "formal_perhaps": (),
    },
    "pt": {
        "informal": (r"(?<!\w)(?:tu|te|ti|teu|tua|teus|tuas|contigo|podes|tens|queres|deves"
        r"|recebes)(?!\w)",),
        "informal_perhaps": (r"(?<!\w)oi(?!\w)",),
        "formal_exact": (),
        "formal": (r"(?<!\w)(?:o senhor|a senhora|v\. ?ex\.?ª)(?!\w)",),
        "formal_perhaps": (),
    },
    "zh": {
        "informal": ("你",),
        "informal_perhaps": (),
        "formal_exact": (),
        "formal": ("您",),
        "formal_perhaps": (),
    },
}  # fmt: skip


def signs(text: str, language: str) -> list[Sign]:
    """Every sign of address in the text, in its order; none in a language with one form."""
    every = list[Sign]()
    for kind, pattern in _compiled(language).items():
        formal, sure = kind.startswith("formal"), not kind.endswith("perhaps")
        for place in pattern.finditer(text):
            every.append(Sign(formal, sure, place.start(), place.start() + len(place[0].rstrip())))
    found = list[Sign]()
    for sign in sorted(every, key=lambda sign: (sign.start, not sign.sure, -sign.end)):
        if not found or sign.start >= found[-1].end:
            found.append(sign)
    return found


@cache
def _compiled(language: str) -> dict[str, re.Pattern[str]]:
    return {
        kind: re.compile("|".join(parts), 0 if kind == "formal_exact" else re.IGNORECASE)
        for kind, parts in _PATTERNS.get(language, {}).items()
        if parts
    }
