"""Every mistake in ``templates/``: the file, the line, what is wrong and an example."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.bundle import BundleError, load, write
from sportello.domain.desk import Desk
from sportello.domain.model import MINUTE
from sportello.services.wording import REPLY_VALUES, Texts
from tests.unit.broken import NOW, copied, mistakes, mistakes_of, shows_the_right_form
from tests.unit.broken import SHORT_DESK as DESK
from tests.unit.locales import TEMPLATES, lean_copy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(tmp_path / "templates")


def of_desk(folder: Path, text: str) -> list[tuple[int, str]]:
    """Lines and texts of what is wrong with desk.yaml; nothing else may be."""
    (folder / "desk.yaml").write_text(text)
    return mistakes_of(folder, "desk.yaml")


# --- good templates ---------------------------------------------------------------------------


def test_the_templates_of_the_repository_are_good(tmp_path: Path) -> None:
    bundle = write(TEMPLATES, tmp_path / "out" / "templates")
    desk = Desk.model_validate_json((tmp_path / "out" / "templates" / "desk.json").read_bytes())
    texts = Texts.model_validate_json((tmp_path / "out" / "templates" / "texts.json").read_bytes())
    assert (desk, texts) == bundle[:2]
    assert desk.policy.on_it_after == 10 * MINUTE
    assert [target.key[:6] for target in desk.teams["care"].tell] == ["slack-", "email-"]
    assert set(desk.phrases) == {"it", "en"}
    assert "avvocato" in desk.phrases["it"].urgent
    assert set(desk.contacts) == {"care@example.com", "@sportello"}
    assert not desk.calendar.is_open(NOW)


def test_a_short_desk_is_enough(folder: Path) -> None:
    (folder / "desk.yaml").write_text(DESK + "exceptions:\n#  - dates: Dec 24\npolicy:\nformal:\n")
    desk = load(folder, NOW).desk
    assert (desk.exceptions, desk.policy.automatic_per_hour, desk.formal) == ((), 500, False)


def test_yaml_is_read_as_it_looks(folder: Path) -> None:
    """``off`` and ``no`` are no booleans, times no numbers, dates no dates."""
    special = "exceptions:\n  - {dates: Dec 24, hours: off, name: {it: no, en: 9:30}}\n"
    (folder / "desk.yaml").write_text(DESK + special)
    (exception,) = load(folder, NOW).desk.exceptions
    assert (exception.hours, dict(exception.name)) == ("off", {"it": "no", "en": "9:30"})


def test_folders_of_other_languages_do_not_matter(folder: Path) -> None:
    (folder / "replies" / "de" / "closed.txt").write_text("{{ nonsense }}")
    (folder / "desk.yaml").write_text(DESK.replace("[it, en]", "[en]"))
    shutil.rmtree(folder / "replies" / "it")
    assert list(load(folder, NOW).texts.replies) == ["en"]


def test_the_command_of_the_build(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.bundle"]
    good = subprocess.run([*command, str(folder), str(tmp_path / "out")], capture_output=True, text=True)
    assert (good.returncode, good.stdout, good.stderr) == (0, "", "")
    assert set(json.loads((tmp_path / "out" / "texts.json").read_text())["replies"]) == {"it", "en"}
    (folder / "desk.yaml").write_text(DESK.replace("Rome", "Roma"))
    bad = subprocess.run([*command, str(folder), str(tmp_path / "none")], capture_output=True, text=True)
    assert bad.returncode == 1
    assert bad.stderr.startswith(f"{folder / 'desk.yaml'}:2: 'Europe/Roma' is not a time zone")
    assert not (tmp_path / "none").exists()
    assert subprocess.run(command, capture_output=True).returncode == 2


# --- desk.yaml --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        # keys and types
        ("name: Desk\n", "", 1, "'name' is missing; write e.g. name: Sportello"),
        ("name: Desk", "name: ''", 1, "'name' is empty; write e.g. name: Sportello"),
        ("name: Desk", "name: 24", 1, "'name' must be text (in quotes, if it looks like a number)"),
        ("time_zone:", "timezone:", 2, "'timezone' is not known here (did you mean 'time_zone'?)"),
        ("holidays: IT", "holidays: IT\ncolour: red", 6, "formal"),
        ("[it, en]", "it", 3, "'languages' must be a list; write e.g. languages: [it, en]"),
        ("[it, en]", "[]", 3, "write e.g. languages: [it, en]"),
        ("[it, en]", "[Italian]", 3, "'Italian' is not a language code; write e.g. it or en"),
        ("[it, en]", "[it, it]", 3, "a language is named twice; write e.g. [it, en]"),
        ("holidays: IT", "holidays: IT\nformal: perhaps", 6, "'formal' must be true or false"),
        ("teams:\n  care:\n", "teams:\n  Care Team:\n", 7, "not written in the right form"),
        ("      - email: care@example.com", "      []", 8, "write e.g. tell: [{email: care@example.com}]"),
        ("email: care@example.com", "email: care", 9, "write e.g. email: care@example.com"),
        ("email: care@example.com", "e-mail: care@example.com", 9, "(did you mean 'email'?)"),
        ("email: care@example.com", "slack: https://hooks.slack.com/services/T/B/s", 9, "not its address"),
        ("email: care@example.com", "{slack: care, email: a@b.it}", 9, "name one target"),
        # time zone, country, hours
        ("Europe/Rome", "Europe/Roma", 2, "'Europe/Roma' is not a time zone (did you mean 'Europe/Rome'?)"),
        ("Europe/Rome", "europe/rome", 2, "(did you mean 'Europe/Rome'?); write e.g. Europe/Rome"),
        ("Europe/Rome", "CET+1", 2, "'CET+1' is not a time zone"),
        ("holidays: IT", "holidays: Italy", 5, "'Italy' is no country"),
        ("holidays: IT\n", "", 4, "PH means public holidays, but of which country? Write e.g. holidays: IT"),
        ("Mo-Fr 09:00-18:00; PH off", "Mo-Fr 9-18", 4, "cannot be read from '9-18' (character 7)"),
        ("Mo-Fr 09:00-18:00; PH off", "2020 Mo-Fr 09:00-18:00", 4, "never opens within 370 days"),
        ("Mo-Fr 09:00-18:00; PH off", "Mo-Su 00:00-24:00", 4, "for a desk that is always open write 24/7"),
        ("Mo-Fr 09:00-18:00; PH off", "Mo-Fr 09:00-18:00 unknown", 4, "whether the desk is open"),
        ("Mo-Fr 09:00-18:00; PH off", "sunrise-sunset", 4, "does not follow the sun"),
        ("Mo-Fr 09:00-18:00; PH off", "'\"by appointment\"'", 4, "a comment alone"),
        # durations
        ("holidays: IT", "policy:\n  on_it_after: 10\nholidays: IT", 6, "10 of what? Write e.g. "),
        ("holidays: IT", "policy:\n  on_it_after: 10 minuti\nholidays: IT", 6, "is not a duration; write"),
        ("holidays: IT", "holidays: IT\npolicy:\n  on_it_after: -5", 7, "write e.g. on_it_after: 10 min"),
        ("holidays: IT", "holidays: IT\npolicy:\n  on_it_afer: 5 min", 7, "(did you mean 'on_it_after'?)"),
        ("holidays: IT", "holidays: IT\npolicy:\n  automatic_per_hour: many", 7, "must be a whole number"),
        ("holidays: IT", "holidays: IT\npolicy: soon", 6, "'policy' must be lines of 'key: value'"),
        ("holidays: IT", "holidays: IT\nphrases: {}", 6, "write e.g. phrases/it.yaml"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_desk(folder: Path, old: str, new: str, line: int, says: str) -> None:
    assert old in DESK
    found = of_desk(folder, DESK.replace(old, new))
    assert [number for number, _ in found] == [line], found
    assert says in found[0][1]
    assert shows_the_right_form(found[0][1]), found


@pytest.mark.parametrize(
    ("special", "line", "says"),
    [
        ("- dates: 24/12", 11, "'24/12' is no date; write e.g. dates: Dec 24"),
        ("- dates: 2026-12-24", 11, "'2026-12-24' is no date; write e.g. dates: Dec 24"),
        ("- dates: Feb 30", 11, "'Feb 30' is no date"),
        ("- dates: Dec 24; Dec 31", 11, "the hours of those days go under hours"),
        ("- dates: Dec 24 09:00-13:00", 11, "the hours of those days go under hours"),
        ("- dates: Dec 24\n    hours: 9-13", 12, "write e.g. hours: off, or hours: 09:00-13:00"),
        ("- dates: Dec 24\n    hours: 09:00-09:00", 11, "it opens and closes at the same time"),
        ("- dates: Dec 24\n    hours: 25:00-26:00", 11, "cannot be read"),
        (
            "- dates: Dec 24\n    name: {it: vigilia}",
            12,
            "the name is missing in 'en'; write e.g. name: {it:",
        ),
        ("- dates: Dec 24\n    name: vigilia", 12, "write e.g. name: {it: vigilia di Natale"),
        ("- hours: off", 11, "'exceptions.0.dates' is missing; write e.g. dates: Dec 24"),
        ("- dates: Jan-Dec", 10, "with these exceptions the desk never opens within 370 days"),
    ],
)
def test_a_mistake_in_an_exception(folder: Path, special: str, line: int, says: str) -> None:
    found = of_desk(folder, f"{DESK}exceptions:\n  {special}\n")
    assert [number for number, _ in found] == [line], found
    assert says in found[0][1]
    assert shows_the_right_form(found[0][1]), found


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (DESK.replace("  care:", "\tcare:"), 7, "a tab; indent with spaces"),
        (DESK + "name: Again\n", 10, "'name' stands here twice (first on line 1); keep one"),
        (DESK.replace("name: Desk", "name: Shop: care"), 1, "put text that holds ': ' in quotes"),
        (DESK.replace("name: Desk", 'name: "Desk'), 1, "is not closed"),
        (DESK.replace("[it, en]", "[it, en"), 3, "a comma or closing bracket is missing"),
        (DESK.replace("name: Desk", "name: @care"), 1, "put it in quotes"),
        (DESK.replace("time_zone: ", "time_zone "), 2, "write e.g."),
        (DESK.replace("      - email", "   - email"), 9, "wrong indentation"),
        (DESK + "---\nname: Two\n", 10, "one document only"),
        (DESK.replace("Desk", "&a Desk").replace("IT", "*a"), 5, "anchors (& and *) are not read"),
        (DESK.replace("holidays", "? [a]\n: b\nholidays"), 5, "a key must be a word"),
        (DESK.replace("Desk", "De\x07sk"), 1, "a control character"),
        ("- one\n- two\n", 1, "must be lines of 'key: value'; write e.g. name: Sportello"),
        ("", 1, "must be lines of 'key: value'"),
        ("[" * 3000, 1, "nested too deep"),
    ],
)
def test_text_that_is_not_yaml(folder: Path, text: str, line: int, says: str) -> None:
    found = of_desk(folder, text)
    assert (line, True) in [(number, says in text) for number, text in found], found
    assert all(shows_the_right_form(text) for _, text in found), found


@pytest.mark.parametrize(
    ("raw", "line", "says"),
    [
        (b"\xef\xbb\xbf" + DESK.encode(), 1, "byte order mark"),
        (DESK.encode("utf-16"), 1, "byte order mark"),
        (DESK.replace("IT", "\xe0").encode("latin-1"), 5, "a letter is not in UTF-8"),
    ],
)
def test_a_file_that_is_not_utf_8(folder: Path, raw: bytes, line: int, says: str) -> None:
    (folder / "desk.yaml").write_bytes(raw)
    (mistake,) = mistakes(folder)
    assert mistake.line == line
    assert says in mistake.text
    assert shows_the_right_form(mistake.text)


def test_lines_may_end_as_on_windows(folder: Path) -> None:
    (folder / "desk.yaml").write_bytes(DESK.replace("\n", "\r\n").encode())
    assert load(folder, NOW).desk.name == "Desk"


TYPED = ("", "  ", "x", "- x: [", "a: {b: c}", '"', "{{ x }}", "{% x %}", "hours: \u0000", "\u2028é: 1")


@pytest.mark.parametrize("name", ["desk.yaml", "calendar/it.yaml", "replies/it/closed.txt"])
def test_whatever_is_typed_is_answered_with_words(tmp_path: Path, name: str) -> None:
    """Every line replaced by two of these in turn; nothing but good templates or told mistakes comes out."""
    folder = lean_copy(tmp_path / "templates")
    path = folder / name
    lines = path.read_text().split("\n")
    for number in range(len(lines)):
        for typed in TYPED[number % 5 :: 5]:
            path.write_text("\n".join([*lines[:number], typed, *lines[number + 1 :]]))
            try:
                load(folder, NOW)
            except BundleError as error:
                assert all(shows_the_right_form(mistake.text) for mistake in error.mistakes)  # noqa: PT017


def test_secrets_are_not_repeated(folder: Path) -> None:
    address = "https://hooks.slack.com/services/T0/B0/secret"
    found = of_desk(folder, DESK.replace("email: care@example.com", f"slack: {address}"))
    assert "secret" not in str(found)


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    (folder / "desk.yaml").write_text(
        DESK.replace("Rome", "Roma").replace("Mo-Fr 09", "Mo-Fr 9-").replace("name: Desk", "nam: Desk")
    )
    (folder / "phrases" / "it.yaml").write_text("thanks: grazie\n")
    found = mistakes(folder)
    assert [mistake.line for mistake in found] == [1, 2, 4]
    assert "did you mean 'name'?" in found[0].text


# --- the other files --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "line", "says"),
    [
        ("desk.yaml", 1, "cannot be read (No such file or directory); write e.g. name: Sportello"),
        ("phrases/en.yaml", 1, "write e.g. thanks: [grazie, grazie mille]"),
        ("calendar/en.yaml", 1, 'write e.g. time: "{h}:{mm}"'),
        ("replies/en/on_it.txt", 1, "write e.g. a text such as: Thank you!"),
        ("notifications/it/title.txt", 1, "write e.g. {{ customer }} needs a person"),
        ("notifications/it/words.yaml", 1, "write e.g. labels: {customer: Customer"),
    ],
)
def test_a_missing_file(folder: Path, name: str, line: int, says: str) -> None:
    (folder / name).unlink()
    (mistake,) = mistakes(folder)
    assert (mistake.file, mistake.line) == (str(folder / name), line)
    assert says in mistake.text


def test_a_missing_folder(tmp_path: Path) -> None:
    (mistake,) = mistakes(tmp_path / "nowhere")
    assert mistake.file == str(tmp_path / "nowhere" / "desk.yaml")


def test_a_language_without_its_files(folder: Path) -> None:
    (folder / "desk.yaml").write_text(DESK.replace("[it, en]", "[it, nl]"))
    missing = {Path(mistake.file).relative_to(folder).as_posix() for mistake in mistakes(folder)}
    whole = {f"{kind}/nl.yaml" for kind in ("phrases", "calendar", "site", "directory")}
    texts = {f"replies/nl/{name}.txt" for name in (*REPLY_VALUES, "sms/closed")}
    assert missing >= whole | texts | {"replies/nl/buttons.yaml"}


def test_people_are_called_in_the_default_language(folder: Path) -> None:
    shutil.rmtree(folder / "notifications" / "en")
    load(folder, NOW)
    (folder / "desk.yaml").write_text(DESK.replace("[it, en]", "[en, it]"))
    assert {Path(mistake.file).parent.name for mistake in mistakes(folder)} == {"en"}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (
            "Hello!\nSee you {{ next_openning }}.",
            2,
            "'next_openning' is no placeholder (did you mean 'next_opening'?)",
        ),
        (
            "{{ customer }}",
            1,
            "'customer' is no placeholder; write e.g. {{ desk }}; known: desk, formal, hours",
        ),
        ("One\nTwo {hours}.", 2, "'{hours}' is left over; write e.g. {{ desk }}"),
        ("One\n\n{{ hours }\n", 3, "write e.g. {{ desk }}"),
        ("One }} two", 1, "'}}' is left over"),
        ("One\n{% if formal %}\nTwo", 3, "write e.g. {{ desk }}"),
        ("{{ desk | shout }}", 1, "No filter named 'shout'"),
        ("{{ desk.nothing }}", 1, "this text cannot be put together"),
        ("{{ 1 // 0 }}", 1, "this text cannot be put together"),
        ("", 1, "this text says nothing"),
        ("{# only a remark #}\n", 1, "this text says nothing"),
        ("{% if formal %}Good evening.{% endif %}", 1, "this text says nothing with formal: False"),
        ("word " * 300, 1, "bytes, at most 1000 fit"),
    ],
)
def test_a_mistake_in_a_reply(folder: Path, text: str, line: int, says: str) -> None:
    (folder / "replies" / "en" / "closed.txt").write_text(text)
    (mistake,) = mistakes(folder)
    assert (mistake.file, mistake.line) == (str(folder / "replies" / "en" / "closed.txt"), line)
    assert says in mistake.text
    assert shows_the_right_form(mistake.text)


def test_a_reply_that_nothing_says(folder: Path) -> None:
    path = folder / "replies" / "en" / "close.txt"
    path.write_text("We are closed.")
    (mistake,) = mistakes(folder)
    assert (mistake.file, mistake.line) == (str(path), 1)
    assert mistake.text.startswith("nothing says 'close' (did you mean 'closed'?); known: closed, closing")


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("  - grazie mille\n", "  - Grazie!\n", None, "'Grazie!' stands here twice (first on line"),
        ("  - grazie mille\n", "  - '!!'\n", None, "'!!' holds no word; write e.g. grazie mille"),
        ("  - grazie mille\n", "  - 7\n", None, "must be text"),
        ("thanks:", "thank:", None, "(did you mean 'thanks'?)"),
    ],
)
def test_a_mistake_in_phrases(folder: Path, old: str, new: str, line: None, says: str) -> None:
    path = folder / "phrases" / "it.yaml"
    text = path.read_text()
    expected = text[: text.index(old)].count("\n") + 1
    path.write_text(text.replace(old, new, 1))
    found = mistakes(folder)
    assert (str(path), expected, True) in [(m.file, m.line, says in m.text) for m in found], found
    assert all(shows_the_right_form(mistake.text) for mistake in found)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('time: "{h}:{mm}"', 'time: "{h}"', "lacks {mm}"),
        ('time: "{h}:{mm}"', 'time: "{hour}:{mm}"', "{hour} is no placeholder"),
        ('today: "today {at}"', 'today: "today {att}"', "{att} is no placeholder (did you mean 'at'?)"),
        ('today: "today {at}"', 'today: "today {at"', "write e.g. {at}"),
        ('today: "today {at}"', 'today: ""', "'today' is empty; write e.g. today:"),
        ('today: "today {at}"', 'toddy: "today {at}"', "(did you mean 'today'?)"),
        ("weekdays_short: [Mon, ", "weekdays_short: [", "(seven)"),
        ("weekdays_short: [Mon, ", "weekdays_short: ['', ", "weekdays_short: empty"),
        ("months: [January, ", "months: [", "(twelve)"),
        ("closed: closed", "closed:", "'closed' is missing; write e.g. closed: closed"),
    ],
)
def test_a_mistake_in_calendar_words(folder: Path, old: str, new: str, says: str) -> None:
    path = folder / "calendar" / "en.yaml"
    text = path.read_text()
    expected = text[: text.index(old)].count("\n") + 1
    path.write_text(text.replace(old, new, 1))
    (mistake,) = mistakes(folder)
    assert (mistake.file, mistake.line) == (str(path), expected)
    assert says in mistake.text
    assert shows_the_right_form(mistake.text)


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("title.txt", "{{ customer }}", "{{ custommer }}", "(did you mean 'customer'?)"),
        ("answer.txt", "{{ thread }}", "{{ customer }}", "'customer' is no placeholder"),
        ("words.yaml", "  said: Messaggio\n", "", "labels lacks 'said'; write e.g. said: a few words"),
        ("words.yaml", "  urgent: sembra urgente\n", "", "reasons lacks 'urgent'"),
        ("words.yaml", "  urgent:", "  urgente:", "'urgente' is not known here (did you mean 'urgent'?)"),
        ("words.yaml", "nothing_said: (nessun testo)", "", "'nothing_said' is missing"),
        ("words.yaml", "nothing_said:", "title: x\nnothing_said:", "'title' does not stand here"),
    ],
)
def test_a_mistake_in_notifications(folder: Path, name: str, old: str, new: str, says: str) -> None:
    path = folder / "notifications" / "it" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    found = mistakes(folder)
    assert {mistake.file for mistake in found} == {str(path)}
    assert any(says in mistake.text for mistake in found), found
    assert all(shows_the_right_form(mistake.text) for mistake in found)


@pytest.mark.parametrize(
    ("line", "instead", "text"),
    [
        ("title: Messages", "title: ''", "'title' is empty; write e.g. title: a few words"),
        ("send: Send", "send: '{name}'", "send: {name} is no placeholder"),
        ('hours: "Hours: {hours}"', "hours: Hours", "'Hours' lacks {hours}"),
        ("send: Send\n", "", "'send' is missing"),
    ],
)
def test_what_the_chat_on_the_site_says(folder: Path, line: str, instead: str, text: str) -> None:
    file = folder / "site" / "en.yaml"
    source = file.read_text("utf-8")
    assert line in source
    file.write_text(source.replace(line, instead), "utf-8")

    found = mistakes(folder)

    assert {mistake.file for mistake in found} == {str(file)}
    assert text in "\n".join(map(str, found))
