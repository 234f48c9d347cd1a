"""What is wrong with a scenario: the file, the line, and what to write instead."""

from pathlib import Path

import pytest

from infra.simulate import scenario as scenarios
from infra.simulate.scenario import parse_scenario
from infra.template_files import BundleError

GOOD = "- {at: 2026-11-23T10:00+01:00, channel: whatsapp, from: Customer One, text: Ciao}\n"
ACT = "- {at: 2026-11-23T11:00+01:00, agent: anna, "
WRONG = [
    ("at: 2026-11-23T10:00", "has no zone"),
    ("at: ieri", "is not a time"),
    ("at: 1026-11-23T10:00+01:00", "no year that can be meant"),
    ("channel: whatsap", "did you mean 'whatsapp'"),
    ("channel: ''", "is no channel"),
    ("from: ''", "is empty"),
    ("public: maybe", "must be true or false"),
    ("media: foto", "is no kind of file"),
    ("media: {kind: painting}", "media"),
    ("reaction: 👍", "text and reaction at once"),
    ("txt: Ciao", "is not known here"),
    ("kind: dance", "kind"),
]


@pytest.mark.parametrize(("key", "text"), WRONG)
def test_a_wrong_line_names_itself_and_the_remedy(tmp_path: Path, key: str, text: str) -> None:
    name = key.partition(":")[0]
    fields = {"at": "2026-11-23T10:00+01:00", "channel": "whatsapp", "from": "Customer One", "text": "Ciao"}
    lines = [f"{given}: {value}" for given, value in fields.items() if given != name]
    body = "\n  ".join([*lines, key])
    file = tmp_path / "scenario.yaml"
    file.write_text(f"{GOOD}- {body}\n")
    with pytest.raises(BundleError) as raised:
        scenarios.read(file)
    (mistake,) = raised.value.mistakes
    assert (mistake.file, mistake.line) == (str(file), 2 + len(lines))
    assert text in mistake.text
    assert "e.g. " in mistake.text or "known: " in mistake.text


@pytest.mark.parametrize(
    ("scenario", "line", "text"),
    [
        ("", 1, "must be a list"),
        ("at: 2026-11-23T10:00+01:00\n", 1, "must be a list"),
        ("- Ciao\n", 1, "must be lines of 'key: value'"),
        (
            "- {at: 2026-11-23T10:00+01:00, channel: whatsapp, from: One, text: Ciao [tutti}\n",
            1,
            "needs quotes",
        ),
        ("- {at: 2026-11-23T10:00+01:00, channel: whatsapp, from: One}\n", 1, "nothing happens"),
        (f"{GOOD}- {{channel: whatsapp, from: One, text: Ciao}}\n", 2, "'at' is missing"),
        (
            f"{GOOD}{ACT}to: Customer One}}\n",
            2,
            "the agent does nothing",
        ),
        (
            f"{GOOD}{ACT}to: Customer On, claim: }}\n",
            2,
            "did you mean",
        ),
        (
            f"{GOOD}- {{at: 2026-11-23T09:00+01:00, agent: a, to: Customer One, claim: }}\n",
            2,
            "wrote before",
        ),
        (
            f"{GOOD}{ACT}to: Customer One, channel: sms, claim: }}\n",
            2,
            "wrote before on sms",
        ),
        (
            f"{GOOD}{ACT}to: Customer One, reply: Ciao, claim: true}}\n",
            2,
            "reply and claim at once",
        ),
        (
            f"{GOOD}{ACT}to: Customer One, claim: true, promise: 2026-11-24T11:00+01:00}}\n",
            2,
            "a promise goes with a reply",
        ),
        (f"{GOOD}- company: {{orders: [{{number: 1}}]}}\n", 2, "'company.orders.0.status' is missing"),
    ],
)
def test_a_wrong_scenario_names_the_line_and_the_remedy(scenario: str, line: int, text: str) -> None:
    _, wrong = parse_scenario(scenario)
    assert line in [one.number for one in wrong]
    assert any(text in one.text for one in wrong), wrong
    assert all("e.g. " in one.text or "known: " in one.text or "one of: " in one.text for one in wrong)
