"""Every mistake in ``desk.yaml`` about people, deadlines and questions: the line, and what to write."""

import re
import shutil
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra import bundle, bundle_staff, staff_gaps
from infra.bundle import BundleError
from infra.pattern_mistakes import pattern_mistake
from infra.template_files import Files
from infra.yaml_with_lines import read_yaml
from sportello.domain.desk import Desk
from sportello.domain.model import to_instant
from sportello.domain.phrases import Phrases
from sportello.domain.qualify import READ
from tests.unit.builders import at
from tests.unit.locales import TEMPLATES

SATURDAY = to_instant(datetime(2026, 11, 21, 12, tzinfo=UTC))

DESK = """\
name: Desk
time_zone: Europe/Rome
languages: [it, en]
hours: Mo-Fr 09:00-18:00; PH off
holidays: IT
teams:
  care:
    tell: [{email: care@example.com}]
  returns:
    tell: [{email: returns@example.com}]
    languages: [it]
    channels: [whatsapp]
fallback: care
people:
  anna:
    teams: [care]
    shift: Mo-Fr 09:00-14:00
  bruno:
    teams: [care, returns]
    shift: Mo-Fr 13:00-18:00
    leave: [2026 Dec 28-31]
    load: 8
channels:
  instagram: {team: care}
accounts:
  - {channel: messenger, account: '1', role: official, care_link: 'https://m.me/care?ref={ref}'}
answers:
  first: 60 min
  full: 24 h
  rules:
    - {track: speed, first: 15 min}
    - {tier: gold, channel: whatsapp, full: 8 h}
questions:
  order:
    pattern: '\\b\\d{6,10}\\b'
    text: {it: 'Qual è il numero d''ordine?', en: 'What is your order number?'}
policy:
  escalate_after: 30 min
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(TEMPLATES, tmp_path_factory.mktemp("staff") / "templates"))


def of_desk(folder: Path, text: str) -> list[tuple[int, str]]:
    """Lines and texts of what is wrong with desk.yaml; the other files are read in the last tests only."""
    (folder / "desk.yaml").write_text(text)
    files = Files(folder)
    desk, _ = bundle._desk(files, SATURDAY)
    bundle_staff.topics(files, desk, [Phrases(topics={"delivery": ("parcel",)})])
    return [(mistake.line, mistake.text) for mistake in sorted(set(files.mistakes))]


def changed(old: str, new: str) -> str:
    assert DESK.count(old) == 1
    return DESK.replace(old, new)


def test_a_desk_with_all_of_it_is_good(folder: Path) -> None:
    assert of_desk(folder, DESK) == []
    assert of_desk(folder, re.sub(r"(?s)people:.*?channels:\n", "channels:\n", DESK, count=1)) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        # names
        (
            "languages: [it]\n",
            "languages: [itl]\n",
            11,
            "'itl' is no language of this desk (did you mean 'it'?)",
        ),
        (
            "channels: [whatsapp]",
            "channels: [whatsap]",
            12,
            "'whatsap' is no channel (did you mean 'whatsapp'?)",
        ),
        (
            "teams: [care, returns]",
            "teams: [car, returns]",
            19,
            "(did you mean 'care'?); known: care, returns",
        ),
        ("load: 8", "languages: [it, ru]", 22, "'ru' is no language of this desk; known: it, en"),
        ("load: 8", "channels: [fax]", 22, "'fax' is no channel; known: apple, "),
        ("load: 8", "skills: [refunds_never_heard]", 22, "skills.0' is not written in the right form"),
        ("load: 8", "skills: [never_heard]", 22, "'never_heard' is no topic of phrases/"),
        ("fallback: care", "fallback: cares", 13, "'cares' is no team of this desk (did you mean 'care'?)"),
        ("instagram: {team: care}", "instagram: {team: returnz}", 24, "(did you mean 'returns'?)"),
        (
            "track: speed, first",
            "channel: wechatt, first",
            31,
            "'wechatt' is no channel (did you mean 'wechat'?)",
        ),
        # people
        ("    teams: [care]\n", "    teams: []\n", 16, "write e.g. teams: [care]"),
        ("    teams: [care]\n", "", 15, "'people.anna.teams' is missing; write e.g. teams: [care]"),
        (
            "[care, returns]",
            "[care]",
            9,
            "nobody belongs to team 'returns'; write e.g. people: {anna: {teams: [returns]}}",
        ),
        ("  anna:", "  Anna B:", 15, "write e.g. people: {anna: "),
        ("load: 8", "load: eight", 22, "'people.bruno.load' must be a whole number; write e.g. load: 8"),
        ("load: 8", "loads: 8", 22, "'loads' is not known here (did you mean 'load'?)"),
        ("shift: Mo-Fr 09:00-14:00", "shift: Mo-Fr 9-14", 17, "cannot be read from '9-14'"),
        ("shift: Mo-Fr 09:00-14:00", "shift: 2020 Mo-Fr 09:00-14:00", 17, "never opens within 370 days"),
        ("shift: Mo-Fr 09:00-14:00", "shift: Mo-Fr", 17, "'Mo-Fr' has no times and would be open all day"),
        (
            "[2026 Dec 28-31]",
            "[28 December]",
            21,
            "'28 December' is no date; write e.g. leave: [2027 Aug 9-20, Dec 24]",
        ),
        ("[2026 Dec 28-31]", "[2026 Feb 30]", 21, "'2026 Feb 30' is no date"),
        ("[2026 Dec 28-31]", "['Dec 28; Mo']", 21, "'Dec 28; Mo' is no date"),
        ("[2026 Dec 28-31]", "['']", 21, "'' is no date"),
        (
            "[2026 Dec 28-31]",
            "2026 Dec 28-31",
            21,
            "'people.bruno.leave' must be a list; write e.g. leave: [2027",
        ),
        # accounts
        (
            ", care_link: 'https://m.me/care?ref={ref}'",
            "",
            26,
            "must show the way to the care account; write e.g. care_link:",
        ),
        (
            "?ref={ref}",
            "",
            26,
            "lacks {ref}, by which the customer is recognised; write e.g. care_link: https://m.me/",
        ),
        ("https://m.me/care?ref={ref}", "m.me/care?ref={ref}", 26, "'m.me/care?ref={ref}' is no link"),
        ("ref={ref}", "ref={ref}{name}", 26, "holds another placeholder than {ref}"),
        ("role: official, ", "", 26, "an account of the care team shows no way to another"),
        ("{team: care}", "{role: official}", 24, "role and care_link belong to accounts"),
        # deadlines
        ("  first: 60 min", "  first: 60", 28, "first: 60 of what? Write e.g. first: 60 min"),
        ("  full: 24 h", "  full: 24 hours", 29, "'24 hours' is not a duration; write e.g. 10 min"),
        ("first: 15 min", "first: 15", 31, "first: 15 of what?"),
        (
            "escalate_after: 30 min",
            "consult_within: 60000",
            38,
            "consult_within: 60000 of what? Write e.g. consult_within: 60 s",
        ),
        (
            "  full: 24 h",
            "  full: 30 min\n  warn_full: 5 min",
            27,
            "would be due after the full one; write e.g. first: 60 min",
        ),
        (
            "  full: 24 h",
            "  full: 24 h\n  warn_full: 24 h",
            30,
            "before the question (full: 24 h); write e.g. warn_full: 2 h",
        ),
        (
            "escalate_after: 30 min",
            "escalate_after: 60 min",
            38,
            "after the first answer is due (1 h); write e.g. escalate_after: 30 min",
        ),
        (
            "first: 15 min",
            "tier: gold",
            31,
            "this rule says nothing; write e.g. {track: speed, first: 15 min}",
        ),
        ("track: speed, first", "first", 31, "this rule fits every conversation; write e.g. {track: speed"),
        (
            "full: 8 h",
            "full: 40 min",
            32,
            "first answer (1 h) would be due after the full one (40 min); write e.g. {tier: gold, first: 10",
        ),
        ("track: speed", "track: quick", 31, "write e.g. track: speed, or track: care"),
        # questions
        ("'\\b\\d{6,10}\\b'", "'(\\d+)+x'", 35, "a repetition inside a repetition; write e.g. \\d{6,10}"),
        ("'\\b\\d{6,10}\\b'", "'('", 35, "'(' cannot be read"),
        (", en: 'What is your order number?'", "", 36, "the question lacks 'en'; write e.g. text: {it: "),
        ("en: 'What is your order number?'", "en: ' '", 36, "the question lacks 'en'"),
        ("number?'}", "number?', eng: Number}", 36, "'eng' is no language of this desk (did you mean 'en'?)"),
        (
            "What is your",
            "What is " + "really " * 50 + "your",
            36,
            "characters, at most 300; write e.g. one sentence",
        ),
        (
            "    pattern:",
            "    topics: [never_heard]\n    pattern:",
            35,
            "'never_heard' is no topic of phrases/",
        ),
        (
            "fallback: care",
            "fallback: care\ntracks: {never_heard: speed}",
            14,
            "'never_heard' is no topic of phrases/",
        ),
        (
            "fallback: care",
            "fallback: care\nhook: {order_pattern: '\\d+\\d+\\d+'}",
            14,
            "could take very long",
        ),
    ],
)
def test_a_mistake(folder: Path, old: str, new: str, line: int, says: str) -> None:
    found = of_desk(folder, changed(old, new))
    assert len(found) == 1
    assert found[0][0] == line
    assert says in found[0][1]


def test_an_escalation_level_within_a_bare_number(folder: Path) -> None:
    text = "escalation:\n  levels:\n    - {tell: [team], within: 900000}\n"
    assert of_desk(folder, DESK + text) == [(41, "within: 900000 of what? Write e.g. within: 15 min")]


def test_no_more_questions_than_a_thread_remembers(folder: Path) -> None:
    more = "".join(f"  field{number}: {{text: {{it: Quale, en: Which}}}}\n" for number in range(1, 9))
    ((line, text),) = of_desk(folder, changed("policy:\n", more + "policy:\n"))
    most = bundle_staff.MOST_QUESTIONS
    assert (line, text[: len("9 questions, at most 6;")]) == (36 + most, f"9 questions, at most {most};")


def test_zero_means_none(folder: Path) -> None:
    assert of_desk(folder, changed("  first: 60 min\n", "  first: 0\n")) == []
    never = changed("  first: 60 min\n  full: 24 h\n", "  first: 60 min\n  full: 0\n")
    assert of_desk(folder, never.replace("escalate_after: 30 min", "escalate_after: 0")) == []


# --- gaps -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "Mo-Fr 13:00-18:00",
            "Mo-Fr 14:30-18:00",
            "nobody of team 'care' is on duty on Mon 23 November 14:00-14:30 "
            "(and 18 times more in four weeks) although the desk is open; add a shift, "
            "e.g. anna: {teams: [care], shift: Mo 14:00-14:30}",
        ),
        ("Mo-Fr 13:00-18:00", "Mo-Th 13:00-18:00", "on Fri 27 November 14:00-18:00 (and 3 times more"),
        (
            "fallback: care",
            "fallback: returns",
            "of team 'returns' is on duty on Mon 23 November 09:00-13:00",
        ),
        (
            "{team: care}",
            "{team: care, hours: Mo-Fr 09:00-18:00; Sa 10:00-12:00}",
            "on Sat 28 November 10:00-12:00 (and 3 times more in four weeks) although instagram is open",
        ),
        (
            "fallback: care",
            "fallback: care\nexceptions: [{dates: 2026 Dec 12, hours: '09:00-13:00'}]",
            "on Sat 12 December 09:00-13:00 although the desk is open",
        ),
    ],
)
def test_open_hours_with_nobody_on_shift(folder: Path, old: str, new: str, says: str) -> None:
    ((line, text),) = of_desk(folder, changed(old, new))
    assert (line, says in text) == (13, True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Mo-Fr 13:00-18:00", "Mo-Fr 14:00-18:00"),  # one goes as the other comes
        ("shift: Mo-Fr 13:00-18:00", "load: 3"),  # whenever the team serves
        # outside the next four weeks
        ("fallback: care", "fallback: care\nexceptions: [{dates: 2027 Jan 16, hours: '09:00-13:00'}]"),
    ],
)
def test_no_gap(folder: Path, old: str, new: str) -> None:
    text = changed(old, new).replace("    load: 8\n", "")
    assert of_desk(folder, text) == []


def test_a_gap_that_only_a_leave_makes_is_told_and_refuses_nothing(folder: Path) -> None:
    text = changed("[2026 Dec 28-31]", "[2026 Dec 10-11, 2026 Dec 14]")
    assert of_desk(folder, text) == []
    (found,) = staff_gaps.warnings(read_yaml(text), load_desk(text), SATURDAY)
    assert found.number == 13
    assert "on duty on Thu 10 December 14:00-18:00 (and 2 times more" in found.text
    assert "on leave at some time: bruno" in found.text
    assert list(staff_gaps.warnings(read_yaml(DESK), load_desk(DESK), SATURDAY)) == []


def load_desk(text: str) -> Desk:
    """As the build takes it: ``directory`` goes into a file of its own."""
    data = {key: value for key, value in read_yaml(text).data.items() if key != "directory"}
    return Desk.model_validate(data)


def test_a_gap_at_night_says_when_it_ends() -> None:
    text = changed("Mo-Fr 09:00-18:00; PH off", "Mo-Fr 09:00-18:00, Mo 20:00-02:00")
    (found,) = staff_gaps.mistakes(read_yaml(text), load_desk(text), at("Mon 10:00"))
    assert "on Mon 23 November 20:00-Tue 24 November 02:00 (and 3 times more" in found.text


# --- with everything else in templates/ -------------------------------------------------------


def test_a_build_stops_for_mistakes_and_not_for_warnings(folder: Path) -> None:
    file = folder / "desk.yaml"
    wrong = changed("fallback: care", "fallback: cares").replace("load: 8", "skills: [never_heard]")
    file.write_text(wrong)
    with pytest.raises(BundleError) as error:
        bundle.load(folder, SATURDAY)
    assert [mistake.line for mistake in error.value.mistakes if mistake.file == str(file)] == [13, 22]
    file.write_text(changed("[2026 Dec 28-31]", "[2026 Dec 10-11]").replace("load: 8", "skills: [delivery]"))
    (told,) = (warning for warning in bundle.load(folder, SATURDAY).warnings if warning.file == str(file))
    assert (told.line, "Thu 10 December 14:00-18:00" in told.text) == (13, True)


# --- patterns ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern",
    [
        r"\b\d{6,10}\b",
        r"\d+",
        r"(?:ordine|order)\s{0,3}#?\s{0,3}(\d{6,10})",
        r"[\w.+-]{1,40}@[\w-]{1,40}\.[a-z]{2,10}",
        r"[A-Z]{2}\d{4}(?:-\d{2}){1,3}",
        r"(?:\d{2}[ -]?){5}",
        r"(?<![\d-])\d{8}(?!\d)",
    ],
)
def test_patterns_that_are_taken_are_quick_on_the_worst_messages(pattern: str) -> None:
    assert pattern_mistake(pattern) == ""
    compiled = re.compile(pattern, re.IGNORECASE)
    for worst in ("1", "a", " ", "a@", "order ", "11-", "-"):
        started = time.process_time()
        compiled.search((worst * READ)[:READ] + "~", 0, READ)
        assert time.process_time() - started < 0.2


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        (r"(a+)+b", "a repetition inside a repetition"),
        (r"(a|aa)*b", "a repetition inside a repetition"),
        (r"(\w+\s?)+x", "a repetition inside a repetition"),
        (r"(?:(?:a{1,3}){1,9}){1,9}b", "could take very long"),
        (r"(?:\d[ -]?){13,19}", "could take very long"),
        (r"\s*#?\s*\d{6}", "could take very long"),
        (r".*order.*", "could take very long"),
        (r"(?=(a+)+b)x", "a repetition inside a repetition"),
        (r"(\d)\1", "it refers back to a group"),
        (r"x*", "finds nothing at all"),
        (r"\b", "finds nothing at all"),
        (r"[[a]", "cannot be read"),
        (r"*", "cannot be read"),
        ("1" * 201, "201 characters, at most 200"),
    ],
)
def test_patterns_that_are_refused(pattern: str, says: str) -> None:
    with warnings.catch_warnings(record=True) as told:
        wrong = pattern_mistake(pattern)
    assert says in wrong
    assert "write e.g. " in wrong
    assert told == []


def test_the_examples_of_the_shipped_file_are_right(folder: Path) -> None:
    """Everything that is commented out at the margin, taken in."""
    shipped = (TEMPLATES / "desk.yaml").read_text("utf-8")
    used = re.sub(r"(?m)^#(?=[a-z_]+:|  (?! )[\w-]|    +[\w-])", "", shipped)
    used = used.replace("  #rules:", "  rules:").replace("  #  - {t", "    - {t")
    desk = load_desk(used)
    assert set(desk.people) == {"anna", "bruno"}
    assert (len(desk.answers.rules), len(desk.escalation.levels), desk.fallback) == (3, 3, "care")
    assert (len(desk.accounts), list(desk.questions)) == (1, ["order"])
    assert (desk.tracks["delivery"], desk.signals["anger"].urgent) == ("speed", True)
    assert desk.hook.url
    (folder / "desk.yaml").write_text(used)
    files = Files(folder)
    bundle._desk(files, SATURDAY)
    bundle_staff.topics(
        files, desk, [Phrases(topics=dict.fromkeys(("delivery", "billing", "returns"), ("x",)))]
    )
    assert files.mistakes == []
