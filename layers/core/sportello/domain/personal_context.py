"""What the words around a number say it is, in the desk's languages, and what only looks like one."""

import re
from collections.abc import Iterator
from functools import lru_cache

BEFORE = 48
"""Characters before a number in which the word that names it is looked for."""
AFTER = 40

# Words and phrases apart by commas, in small letters; one that ends in * goes on.
_WORDS = {
    "document": """
        passaporto, passport, passport*, паспорт*, загранпаспорт*, patente, documento, pasaporte,
        passeport, reisepass, personalausweis, ausweis, dni, carta d'identità, carta d’identità,
        carta di identità, carta d'identita, identity card, id card, c.i., driving licence,
        водительск* удостоверение*
    """,
    "card": """
        carta, card, visa, mastercard, maestro, amex, postepay, bancomat, карт*, картой, tarjeta,
        karte, kreditkarte, carte, cartão, мир, pan, credit, debit
    """,
    "bank": """
        iban, bic, swift, conto, bonifico, abi, cab, р/с, к/с, бик, кпп, огрн, окпо, account,
        routing, sort, sort code, numero conto
    """,
    "snils": """
        снилс*, snils
    """,
    "inn": """
        инн, inn
    """,
    "piva": """
        p.iva, p.i., piva, vat, p. iva, partita iva, part. iva, p iva, codice fiscale, cod. fisc*,
        c.f., c. f., cf, vat number
    """,
    "phone": """
        tel, tel., telef., tél, tél., tel:, cell, cell., cel, cel., cellulare, cellular, mobile,
        mob, mob., phone, telephone, telefono, telefonino, teléfono, móvil, movil, portable,
        téléphone, telefon, telefonnummer, handy, handynummer, rufnummer, anrufen, whatsapp, wapp,
        wa.me/, fax, viber, sms, chiam*, richiam*, telefonate*, telefonar*, contattatemi,
        contattarmi, recapito, recapiti, call, ring, text, reach, llam*, appel*, rappel*, ruf*, тел,
        тел., телефон*, моб, моб., мобильн*, сотов*, звон*, позвон*, перезвон*, набер*, набир*,
        вайбер*, ватсап*, вотсап*, ватцап*, whatsapp:, whats app, numero di cellulare, al numero,
        моему номеру, на номер, по номеру, номер для связи, numero verde
    """,
    "mine": """
        il mio numero, mio num., mio nr., my number, my no., my nr., mi número, mi numero, mon
        numéro, meine nummer, o meu número, мой номер, наш номер
    """,
    "other": """
        ordine, ordini, ord., order, orders, n.ordine, acquisto, заказ*, pedido, pedidos, commande,
        bestellung, bestellnummer, ldv, tracking, track, trackingnummer, spedizione, spedizioni,
        pacco, pacchi, collo, lettera, shipment, parcel, package, consignment, awb, waybill, трек*,
        отправлени*, накладн*, посылк*, посылок, envío, paquete, colis, sendung, sendungsnummer,
        fattura, fatture, invoice, rechnung, factura, facture, счёт, счет, счёту, чек*, чеку,
        scontrino, ricevuta, receipt, ticket, biglietto, pratica, segnalazione, caso, case,
        обращени*, заявк*, codice, code, cod., код*, código, sku, articolo, articoli, articulo,
        art., артикул*, item, ean, gtin, barcode, isbn, issn, imei, seriale, serial, s/n, sn,
        matricola, lotto, batch, lot, партия, серийн*, модел*, modello, model, modelo, rif., ref,
        ref., reference, rif, prenotazione, prenotazioni, booking, reservation, бронь, бронировани*,
        pnr, volo, flight, рейс*, contratto, contract, договор*, договору, cap, zip, индекс*,
        polizza, policy, полис*, id, uid, utente, user, transazione, transaction, транзакци*, cro,
        trn, pagamento, operazione, операци*, codigo, dhl, ups, gls, brt, sda, tnt, fedex,
        bartolini, poste, сдэк, боксберри, cdek, versione, version, firmware, build, версия, pin,
        otp, puk, prodotto, prodotti, product, products, article, riga, line, row, queue, fila,
        coda, очеред*, товар*, билет*, билета, квитанци*, buono, voucher, coupon, купон*, gift,
        fidelity, loyalty, fedeltà, лояльности, punti, points, баллов, protocollo, pos, id:, carta
        fedeltà, carta fedelta, carta regalo, tessera fedeltà, carta punti, loyalty card, gift card,
        carte de fidélité, карта лояльности, карты лояльности, карте лояльности, бонусная карта,
        бонусной карты, скидочн* карт*, подарочн* карт*, numero cliente, codice cliente, customer
        number, номер клиента
    """,
}


def _alternatives(words: str) -> str:
    stems = sorted((" ".join(word.split()) for word in words.split(",")), key=len, reverse=True)
    return "|".join(map(_pattern, stems))


def _pattern(stem: str) -> str:
    pattern = re.escape(stem).replace(r"\*", r"\w*").replace(r"\ ", r"\s{1,2}")
    return pattern if not stem[-1].isalpha() else rf"{pattern}(?!\w)"


_NAMES = re.compile(
    rf"(?<!\w)(?:{'|'.join(f'(?P<{kind}>{_alternatives(words)})' for kind, words in _WORDS.items())})"
)
_CUT = re.compile(r"[\d\0;!?]|\n\n")
_NAMED_AT_ONCE = re.compile(
    r"(?:'s)?[\s:,.\-—(]*(?:(?:è|e'|is|es|ist|é|это)[\s:]*)?(?:il |questo|questa|this|the )?[\s:(]*"
)
_AFTER = re.compile(
    r"[ ,(:\-]*(?:(?:è|e'|e|это|is|is my|es|ist|—) )?(?:il mio (?:num|cell|tel|what)|my (?:num|phone|mob"
    r"|cell|what)"
    r"|мой (?:ном|тел|моб|ват|вот)|mi (?:num|núm|tel|móv)|(?:tel|cell|cel|cellulare|whatsapp|mobile|phone"
    r"|тел|моб|ватсап)(?!\w))",
    re.IGNORECASE,
)
_TOLD_AFTER = re.compile(
    r"[ ,(\-:]{0,3}(?:(?P<inn>инн|inn)|(?P<snils>снилс|snils)|(?P<piva>p\.? ?iva|partita iva)"
    r"|(?:è|is|это|—|-) [^\d.,;!?\0]{0,24}?(?<!\w)(?P<other>trac\w+|трек\w*|ord\w+|заказ\w*|barcode|cod\w*"
    r"|код|serial\w*|ean|imei))"
    r"(?!\w)",
    re.IGNORECASE,
)


def context_before(plain: str, start: int) -> str:
    """What the nearest word before this place says that a number is: a key of the list above, or nothing.

    Not over another number, nor over the end of a question or exclamation; a word that is no phone's,
    not over a comma either.
    """
    return _named_before(plain[max(0, start - BEFORE) : start])


@lru_cache(maxsize=256)
def _named_before(before: str) -> str:
    if cut := max((found.end() for found in _CUT.finditer(before)), default=0):
        before = before[cut:]
    small = before.lower()
    *_, nearest = (None, *_NAMES.finditer(small if len(small) == len(before) else before))
    if nearest is None or nearest.lastgroup is None:
        return ""
    if nearest.lastgroup == "mine":
        return "phone" if _NAMED_AT_ONCE.fullmatch(before, nearest.end()) else ""
    if nearest.lastgroup == "other" and re.search(r",\s|\.\s\w{3,}", before[nearest.end() :]):
        return ""
    return nearest.lastgroup


def context_after(plain: str, end: int) -> str:
    """The same by the words behind a number: "… is my number", "… ИНН", "… is the tracking code"."""
    if _AFTER.match(plain, end, end + AFTER):
        return "phone"
    if (told := _TOLD_AFTER.match(plain, end, end + AFTER)) and told.lastgroup:
        return told.lastgroup
    return ""


_CURRENCY = (
    r"(?:€|\$|£|₽|¥|eur(?:o)?(?!\w)|usd(?!\w)|gbp(?!\w)|chf(?!\w)|руб\w*|р\.|rub(?!\w)|тыс|тенге|тг(?!\w))"
)
_LOOK_ALIKES = (
    # an address of the web, except what calls a number
    r"(?:https?://|www\.)(?!wa\.me/|api\.whatsapp|t\.me/\+)[^\s\0]+",
    r"(?<![\w@.-])(?:[a-z0-9-]{1,63}\.){1,4}(?:com|it|ru|net|org|eu|io|me|example)/(?<!wa\.me/)[^\s\0]+",
    # the Universal Postal Union's S10, and UPS
    r"(?<!\w)[A-Z]{2} ?\d{2,3} ?\d{3} ?\d{3,4} ?\d{0,3} ?[A-Z]{2}(?!\w)",
    r"(?<!\w)1Z(?: ?[0-9A-Z]){16}(?!\w)",
    # money
    rf"{_CURRENCY} ?\d+(?:[.,' ]\d{{3}})*(?:[.,]\d{{1,2}})?(?!\d)",
    rf"(?<![\d+.,])\d{{1,9}}(?:[.,' ]\d{{3}}){{0,4}}(?:[.,]\d{{1,2}})? ?{_CURRENCY}",
    # days and times
    r"(?<![\d+])(?<!\d[./-])(?:0?[1-9]|[12]\d|3[01])([./-])(?:0?[1-9]|1[0-2])\1(?:20|19)?\d\d(?![./-]?\d)",
    r"(?<![\d+])(?:19|20)\d\d([./-])(?:0?[1-9]|1[0-2])\2(?:0?[1-9]|[12]\d|3[01])(?!\d)",
    r"(?<![\d+])(?<!\d )(?:0[1-9]|[12]\d|3[01]) (?:0[1-9]|1[0-2]) (?:19|20)\d\d(?! ?\d)",
    r"(?<!\d)(?:[01]?\d|2[0-4])[:.][0-5]\d(?:[:.][0-5]\d)? ?-{1,2} ?(?:[01]?\d"
    r"|2[0-4])[:.][0-5]\d(?![.]?\d)",
    r"(?<!\d)(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?(?!\d)",
    # addresses of the net, places on the globe, versions
    r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])",
    r"-?\d{1,3}\.\d{3,8} ?[,;] ?-?\d{1,3}\.\d{3,8}",
    r"(?<!\w)v ?\d{1,4}(?:\.\d{1,6}){1,5}",
)
_LOOKS = re.compile("|".join(_LOOK_ALIKES), re.IGNORECASE)


def look_alikes(plain: str) -> Iterator[tuple[int, int]]:
    """Places of what is written like a number of somebody's and is none."""
    return (found.span() for found in _LOOKS.finditer(plain))
