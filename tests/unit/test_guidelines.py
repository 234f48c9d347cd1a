"""One voice: each rule, what it leaves alone, inheritance, channels, and what can be overridden."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import bundle_guidelines
from infra.template_files import Files
from sportello.domain.address import FORMS
from sportello.domain.guidelines import (
    Emoji,
    Guidelines,
    Length,
    Level,
    Ours,
    Remark,
    Replaced,
    Role,
    Rules,
    Shouting,
    Voice,
    Words,
    lint,
    rules_for,
)
from tests.eval import guidelines as measured
from tests.unit.locales import TEMPLATES


def read(
    text: str,
    rules: Guidelines,
    *,
    channel: str = "whatsapp",
    public: bool = False,
    role: Role = "care",
    formal: bool = False,
    orders: tuple[str, ...] = (),
    limit: int | None = None,
) -> tuple[Remark, ...]:
    return lint(
        text,
        rules,
        channel=channel,
        public=public,
        role=role,
        formal=formal,
        order_patterns=orders,
        limit=limit,
    )


def fired(text: str, rules: Guidelines, **how: object) -> list[tuple[str, str]]:
    return [(remark.rule, remark.text) for remark in read(text, rules, **how)]  # type: ignore[arg-type]


def said(**rules: object) -> Guidelines:
    """Italian guidelines whose official voice says this, and nothing else."""
    return Guidelines(language="it", official=Voice.model_validate(rules))


NOTHING = Guidelines(language="it")


# --- files of the repository --------------------------------------------------------------------------


def test_every_language_of_the_repository_has_every_rule() -> None:
    files = Files(TEMPLATES)
    languages = sorted(path.stem for path in (TEMPLATES / "guidelines").glob("??.yaml"))
    assert languages == ["de", "en", "es", "fr", "it", "pt", "ru", "zh"]
    rules = bundle_guidelines.guidelines(files, languages)
    assert files.mistakes == []
    for language, one in rules.items():
        assert set(Rules.model_fields) <= one.official.model_fields_set, language
        assert one.official.promise.say
        assert one.official.dead_end.say


def test_the_goals_are_met() -> None:
    table = measured.table()
    assert all(row.met for row in table.rows), table
    assert sum(1 for _ in measured.lines()) >= 300


# --- what holds ---------------------------------------------------------------------------------------


def rule(most: int) -> Rules:
    return Rules(length=Length(most=most))


@pytest.mark.parametrize(
    ("official", "official_x", "care", "care_x", "as_official", "as_care"),
    [
        (5, None, None, None, 5, 5),
        (5, 4, None, None, 4, 4),
        (5, 4, 3, None, 4, 3),
        (5, 4, 3, 2, 4, 2),
        (5, None, None, 2, 5, 2),
        (None, None, 3, None, None, 3),
    ],
)
def test_who_speaks_last_wins(
    official: int | None, official_x: int | None, care: int | None, care_x: int | None,
    as_official: int | None, as_care: int | None,
) -> None:  # fmt: skip
    def voice(own: int | None, there: int | None) -> Voice:
        channels = {} if there is None else {"x": rule(there)}
        return Voice(channels=channels) if own is None else Voice(length=Length(most=own), channels=channels)

    rules = Guidelines(language="it", official=voice(official, official_x), care=voice(care, care_x))
    assert rules_for(rules, "x", "official").length.most == as_official
    assert rules_for(rules, "x", "care").length.most == as_care


def test_a_channel_s_rules_hold_nowhere_else() -> None:
    rules = Guidelines(language="it", official=Voice(channels={"x": rule(2)}))
    assert fired("abc", rules, channel="x") == [("length", "c")]
    assert fired("abc", rules, channel="sms") == []


def test_care_keeps_what_it_does_not_say() -> None:
    rules = Guidelines(
        language="it",
        official=Voice(emoji=Emoji(level="block", most=1, banned=("🤡",))),
        care=Voice(emoji=Emoji(most=3)),
    )
    merged = rules_for(rules, "sms", "care").emoji
    assert (merged.level, merged.most, merged.banned) == ("block", 3, ("🤡",))


def test_also_adds_to_what_is_inherited() -> None:
    rules = Guidelines(
        language="it",
        official=Voice(promise=Words(say=("prometto",)), banned=Replaced(words={"uno": "due"})),
        care=Voice(
            promise=Words(also=("giuro",)),
            banned=Replaced(also={"tre": ""}),
            shouting=Shouting(also=("GRATIS",)),
        ),
    )
    assert [name for name, _ in fired("prometto e giuro, uno tre, GRATIS", rules)] == ["promise"] * 2 + [
        "banned"
    ] * 2
    assert [name for name, _ in fired("giuro tre GRATIS", rules, role="official")] == ["shouting"]


@pytest.mark.parametrize("level", ["block", "warn", "info"])
def test_a_rule_has_the_level_that_the_file_gives(level: Level) -> None:
    (remark,) = read("giuro", said(promise={"level": level, "say": ["giuro"], "suggest": "Non si giura"}))
    assert remark == Remark("promise", level, 0, 5, "giuro", "Non si giura", True)  # type: ignore[arg-type]


def test_a_rule_that_is_off_says_nothing() -> None:
    assert fired("giuro", said(promise={"level": "off", "say": ["giuro"]})) == []


# --- each rule ------------------------------------------------------------------------------------------

PHRASES = said(
    promise={
        "say": ["garanti*", "sicuramente ... domani", "100%"],
        "unless": ["non possiamo", "100% cotone"],
    },
    banned={"words": {"la problematica": "il problema", "problematic*": "problema", "ovviamente": ""}},
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Garantiamo tutto", [("promise", "Garantiamo")]),
        ("Garantìto!", [("promise", "Garantìto")]),
        ("lo garanti", [("promise", "garanti")]),
        ("sgarantito", []),
        ("arriva sicuramente entro domani", [("promise", "sicuramente entro domani")]),
        ("sicuramente, se va tutto bene, domani", [("promise", "sicuramente, se va tutto bene, domani")]),
        ("sicuramente tra uno due tre quattro cinque domani", []),
        ("sicuramente. Domani", []),
        ("Non possiamo garantire nulla", []),
        ("Non possiamo. Garantiamo altro", [("promise", "Garantiamo")]),
        ("Non possiamo, garantiamo", [("promise", "garantiamo")]),
        ("è al 100%", [("promise", "100%")]),
        ("è 100% cotone", []),
    ],
)
def test_phrases_are_found_as_a_care_lead_means_them(text: str, expected: list[tuple[str, str]]) -> None:
    assert fired(text, PHRASES) == expected


def test_a_replacement_is_the_longest_phrase_s() -> None:
    remarks = read("La problematica, problematiche e ovviamente", PHRASES)
    assert [(remark.text, remark.suggestion) for remark in remarks] == [
        ("La problematica", "il problema"), ("problematiche", "problema"), ("ovviamente", ""),
    ]  # fmt: skip


def test_apostrophes_and_spaces_of_every_kind_are_the_same() -> None:
    rules = said(dead_end={"say": ["non c'è niente da fare"]})
    assert len(fired("Non c’è\u00a0niente  da\tfare", rules)) == 1


IT_INFORMAL = [
    "Ciao, il tuo pacco è qui",
    "Puoi scriverci",
    "Scrivici il numero",
    "Riceverai un avviso",
    "ti aiuto",
]
IT_FORMAL = ["Grazie, il Suo pacco è qui", "Ci scriva il numero", "ora La contatteremo", "non si preoccupi"]


@pytest.mark.parametrize("text", IT_INFORMAL)
def test_tu_is_against_a_formal_desk(text: str) -> None:
    assert {name for name, _ in fired(text, NOTHING, formal=True)} == {"formality"}
    assert fired(text, NOTHING) == []


@pytest.mark.parametrize("text", IT_FORMAL)
def test_lei_is_against_an_informal_desk(text: str) -> None:
    assert {name for name, _ in fired(text, NOTHING)} == {"formality"}
    assert fired(text, NOTHING, formal=True) == []


@pytest.mark.parametrize(("one", "other"), list(product(IT_INFORMAL, IT_FORMAL)))
def test_tu_and_lei_together_are_always_mixed(one: str, other: str) -> None:
    for formal in (False, True):
        (remark,) = read(f"{one}. {other}", NOTHING, formal=formal)
        assert (remark.rule, remark.level) == ("mixed_address", "block")


@pytest.mark.parametrize(
    "text",
    [
        "Il corriere e il suo furgone arrivano alle 10",
        "I punti aperti sono sei, fino ai primi di maggio",
        "Voi ci avete scritto ieri",
        "Fai da te: colla e viti",
        "La Spezia è servita dal corriere",
    ],
)
def test_what_addresses_nobody_suits_both(text: str) -> None:
    assert fired(text, NOTHING, formal=True) == fired(text, NOTHING, formal=False) == []


@pytest.mark.parametrize(
    ("language", "informal", "formal"),
    [
        ("ru", "Напиши нам, твой заказ готов", "Напишите нам, ваш заказ готов"),
        ("de", "Kannst du uns dein Paket zeigen?", "Wir danken Ihnen, Ihr Paket ist da"),
        ("es", "Tu pedido llega hoy, escríbenos", "Escríbanos usted hoy"),
        ("fr", "Ton colis est là, tu peux passer", "Votre colis est là, vous pouvez passer"),
        ("pt", "O teu pedido chegou, podes passar", "O senhor pode passar"),
        ("zh", "你的包裹到了", "您的包裹到了"),
    ],
)
def test_each_language_with_two_forms_tells_them_apart(language: str, informal: str, formal: str) -> None:
    assert language in FORMS
    rules = Guidelines(language=language)
    assert fired(informal, rules) == fired(formal, rules, formal=True) == []
    assert {name for name, _ in fired(informal, rules, formal=True)} == {"formality"}
    assert {name for name, _ in fired(formal, rules)} == {"formality"}
    assert {name for name, _ in fired(f"{informal}. {formal}", rules)} == {"mixed_address"}


def test_length_counts_characters_and_the_channel_s_limit_too() -> None:
    rules = said(length={"most": 10})
    assert fired("0" * 10, rules) == []
    assert [len(text) for _, text in fired("a" * 13, rules)] == [3]
    assert [len(text) for _, text in fired("a" * 13, rules, limit=8)] == [5]
    assert fired("a" * 13, NOTHING) == []


@pytest.mark.parametrize(
    ("text", "shouts"),
    [
        ("NON POSSIAMO", True),
        ("È SCRITTO QUI", True),
        ("ASSOLUTAMENTE no", True),
        ("Perfetto!!!", True),
        ("IBAN e PEC", False),
        ("un SMS con il PDF", False),
        ("usa il codice BENVENUTO", False),
        ("modello WH-1000XM4", False),
        ("Va bene!", False),
        ("USB HDMI", False),
    ],
)
def test_shouting(text: str, shouts: bool) -> None:
    rules = said(shouting={"allow": ["IBAN", "PEC", "SMS", "PDF", "USB", "HDMI"]})
    assert (fired(text, rules, formal=False) != []) is shouts


def test_emoji_are_counted_as_people_see_them() -> None:
    rules = said(emoji={"most": 2, "formal": 0, "banned": ["🤡"]})
    assert fired("👨‍👩‍👧 👍🏽", rules) == []
    assert fired("👨‍👩‍👧 👍🏽 🇮🇹", rules) == [("emoji", "🇮🇹")]
    assert fired("👍🏽", rules, formal=True) == [("emoji", "👍🏽")]
    assert fired("🤡", rules) == [("emoji", "🤡")]


@pytest.mark.parametrize(
    "gap",
    [
        *("{{ name }}", "{name}", "[NOME]", "[nome cliente]", "<nome>", "[ИМЯ]"),
        *("XXX", "xxxx", "%CODE%", "____", "TODO", "lorem ipsum"),
    ],
)
def test_a_gap_left_open_blocks(gap: str) -> None:
    (remark,) = read(f"Salve {gap}, grazie", NOTHING)
    assert (remark.rule, remark.level, remark.text) == ("placeholder", "block", gap)


@pytest.mark.parametrize(
    "text", ["taglia XXL", "Premi [1]", "meno di 20 € <3", "a < b", "xx", "[FAQ](https://example.com)"]
)
def test_what_only_looks_like_a_gap(text: str) -> None:
    assert [one for one in fired(text, NOTHING) if one[0] == "placeholder" and one[1] != "[FAQ]"] == []


# --- personal data -----------------------------------------------------------------------------------------


def test_personal_data_is_against_public_texts_only() -> None:
    text = "La chiamiamo al 321 0000012"
    assert fired(text, NOTHING, formal=True) == []
    assert fired(text, NOTHING, formal=True, public=True) == [("personal_data", "321 0000012")]


def test_order_numbers_are_personal_in_public_by_the_desk_s_pattern() -> None:
    assert fired("ordine 10004711", NOTHING, public=True) == []
    assert fired("ordine 10004711", NOTHING, public=True, orders=(r"\d{8}",)) == [
        ("personal_data", "10004711")
    ]


def test_contacts_of_ours_are_for_everybody() -> None:
    rules = Guidelines(language="it", ours=Ours(contacts=("care@example.com", "02 0000 1234")))
    assert fired("care@example.com o 02-00001234", rules, public=True) == []


def test_personal_data_cannot_be_overridden() -> None:
    (remark,) = read("321 0000012", NOTHING, public=True)
    assert (remark.level, remark.may_override) == ("block", False)


# --- internal --------------------------------------------------------------------------------------------

OURS = Guidelines(
    language="it",
    official=Voice(internal=Words(say=("il cliente è", "nota interna"))),
    ours=Ours(
        contacts=("@sportello",), handles=("@anna.b",), teams=("Squadra Alfa",), trackers=("CARE",),
        hosts=("wiki.example.com",),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "Il cliente è stufo",
        "chiedo a @anna.b",
        "chiedo a @mario",
        "lo fa la squadra alfa",
        "vedi CARE-12",
        "ticket #123",
        "<@U02ABCDEF>",
        "<!here>",
        "@here chi va?",
        "https://wiki.example.com/resi",
        "http://intranet/resi",
        "http://10.0.0.1:8080/x",
        "http://localhost:3000",
        "file:///C:/resi.pdf",
        r"\\server\resi",
        "portale.lan",
    ],
)
def test_what_is_for_colleagues_blocks(text: str) -> None:
    remarks = read(text, OURS)
    assert {(remark.rule, remark.level) for remark in remarks} == {("internal", "block")}


@pytest.mark.parametrize(
    "text",
    [
        "Siamo @sportello",
        "su Instagram @negozio",
        "https://example.com/resi",
        "UTF-8",
        "ordine #123",
        "a@b.it",
    ],
)
def test_what_customers_may_read_passes(text: str) -> None:
    assert fired(text, OURS) == []


def test_customers_are_mentioned_in_public_and_colleagues_are_not() -> None:
    assert fired("@cliente eccoci", OURS, public=True) == []
    assert fired("@anna.b eccoci", OURS, public=True) == [("internal", "@anna.b")]


# --- all of them -------------------------------------------------------------------------------------------


@given(st.text(max_size=300), st.sampled_from(["it", "ru", "en"]), st.booleans())
def test_every_remark_shows_its_place(text: str, language: str, formal: bool) -> None:
    for remark in read(text, measured.rules()[language], formal=formal, public=True):
        assert text[remark.start : remark.end] == remark.text
        assert 0 <= remark.start < remark.end <= len(text)
