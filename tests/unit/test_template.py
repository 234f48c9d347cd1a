"""Conventions of ``infra/template.yaml`` and of the repository around it, so that no channel forgets one."""

import re
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from infra.engine.package import pins
from infra.engine.template import FUNCTION, ROOT, TEMPLATE, read_template

RESOURCES: dict[str, dict[str, Any]] = read_template()["Resources"]
QUEUE, ALARM, LOG_GROUP, METRIC_FILTER = (
    "AWS::SQS::Queue", "AWS::CloudWatch::Alarm", "AWS::Logs::LogGroup", "AWS::Logs::MetricFilter"
)  # fmt: skip
CHANNEL_MODULES = ROOT / "layers" / "core" / "sportello" / "channels"


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: body.get("Properties", {}) for name, body in RESOURCES.items() if body["Type"] == kind}


FUNCTIONS = of_type(FUNCTION)
PAGES = {"directory", "console"}
"""Folders of functions that people look at; no platform calls them."""
WEBHOOKS = {
    name: body
    for name, body in FUNCTIONS.items()
    if "FunctionUrlConfig" in body and Path(body["CodeUri"]).name not in PAGES
}


def channel_names() -> list[str]:
    """Modules of ``channels/`` in which a class declares a name: the channels."""
    found = []
    for module in sorted(CHANNEL_MODULES.glob("*.py")):
        declared = re.search(
            r'^    name(?:: ClassVar\[str\])? = "([a-z]+)"$', module.read_text("utf-8"), re.MULTILINE
        )
        if declared and declared[1] == module.stem:
            found.append(module.stem)
    return found


CHANNELS = channel_names()
RECEIVERS = {name: body for name, body in FUNCTIONS.items() if Path(body["CodeUri"]).name in CHANNELS}
"""Webhooks, and what a service of AWS calls in their place."""


def statements(function: dict[str, Any]) -> list[dict[str, Any]]:
    """All that a function may do beside writing its log, its queue's messages and its trace."""
    found: list[dict[str, Any]] = []
    for policy in function.get("Policies", ()):
        named = policy.get("Ref")
        document = RESOURCES[named]["Properties"]["PolicyDocument"] if named else policy
        found += document["Statement"]
    return found


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text(intrinsic: Any) -> str:
    """A ``!Sub`` as its text, a ``!GetAtt`` as ``A.B``."""
    if isinstance(intrinsic, str):
        return intrinsic
    value = next(iter(intrinsic.values()))
    return value if isinstance(value, str) else ".".join(value)


def test_the_channels_are_found() -> None:
    assert {"telegram", "whatsapp"} <= set(CHANNELS)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_is_a_module_a_handler_events_and_a_block(channel: str) -> None:
    blocks = [name for name, body in RECEIVERS.items() if Path(body["CodeUri"]).name == channel]

    assert (ROOT / "functions" / channel / "handler.py").is_file()
    assert list((ROOT / "events" / channel).iterdir())
    assert len(blocks) == 1
    found_by = f"{blocks[0].removesuffix('Function')}Url" if blocks[0] in WEBHOOKS else f"{blocks[0]}Name"
    assert found_by in read_template()["Outputs"]


@pytest.mark.parametrize("name", WEBHOOKS)
def test_a_webhook_belongs_to_a_channel(name: str) -> None:
    assert Path(WEBHOOKS[name]["CodeUri"]).name in CHANNELS


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_a_folder_of_its_own_with_a_handler(name: str) -> None:
    folder = (TEMPLATE.parent / FUNCTIONS[name]["CodeUri"]).resolve()
    others = [other for other, body in FUNCTIONS.items() if body["CodeUri"] == FUNCTIONS[name]["CodeUri"]]

    assert folder.parent == ROOT / "functions"
    assert (folder / "handler.py").is_file()
    assert not (folder / "requirements.txt").exists()
    assert others == [name]


def test_every_folder_of_functions_is_deployed() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/handler.py")}

    assert folders == {Path(body["CodeUri"]).name for body in FUNCTIONS.values()}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_writes_to_a_log_group_that_forgets(name: str) -> None:
    group = of_type(LOG_GROUP)[FUNCTIONS[name]["LoggingConfig"]["LogGroup"]["Ref"]]

    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("name", RECEIVERS)
def test_what_a_webhook_puts_aside_is_counted(name: str) -> None:
    group = FUNCTIONS[name]["LoggingConfig"]["LogGroup"]
    counted = {
        change["MetricName"]
        for body in of_type(METRIC_FILTER).values()
        if body["LogGroupName"] == group
        for change in body["MetricTransformations"]
    }

    assert counted == {"Stored", "Quarantined"}


DEAD_LETTERS = {
    text(body["RedrivePolicy"]["deadLetterTargetArn"]).partition(".")[0]
    for body in of_type(QUEUE).values()
    if "RedrivePolicy" in body
} | {
    text(body["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"]).partition(".")[0]
    for body in FUNCTIONS.values()
    if "DestinationConfig" in body.get("EventInvokeConfig", {})
}
"""Of queues, and of calls that nobody waits for."""


@pytest.mark.parametrize("name", sorted(of_type(QUEUE).keys() - DEAD_LETTERS))
def test_a_queue_has_dead_letters_of_its_kind(name: str) -> None:
    queue = of_type(QUEUE)[name]
    dead = of_type(QUEUE)[text(queue["RedrivePolicy"]["deadLetterTargetArn"]).partition(".")[0]]

    assert dead.get("FifoQueue") == queue.get("FifoQueue")
    assert dead["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"]


@pytest.mark.parametrize("name", sorted(DEAD_LETTERS))
def test_dead_letters_raise_an_alarm(name: str) -> None:
    watched = [
        text(dimension["Value"])
        for alarm in of_type(ALARM).values()
        if alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
        for dimension in alarm["Dimensions"]
    ]

    assert watched.count(f"{name}.QueueName") == 1


@pytest.mark.parametrize("name", of_type(ALARM))
def test_an_alarm_tells_whoever_wants_to_know(name: str) -> None:
    alarm = of_type(ALARM)[name]

    assert alarm["AlarmActions"]["Fn::If"][:2] == ["HasAlarmEmail", [{"Ref": "AlarmTopic"}]]
    assert alarm["AlarmDescription"].endswith(".") or "sportello" in alarm["AlarmDescription"]


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - WEBHOOKS.keys()))
def test_a_message_stays_hidden_six_times_as_long_as_its_function_may_take(name: str) -> None:
    for event in FUNCTIONS[name].get("Events", {}).values():
        if event["Type"] == "SQS":
            queue = text(event["Properties"]["Queue"]).partition(".")[0]
            assert of_type(QUEUE)[queue]["VisibilityTimeout"] >= 6 * FUNCTIONS[name]["Timeout"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_function_may_do_anything_or_touch_everything(name: str) -> None:
    for statement in statements(FUNCTIONS[name]):
        assert not [action for action in listed(statement["Action"]) if "*" in action]
        assert "*" not in [text(resource) for resource in listed(statement["Resource"])]


def test_the_public_page_may_do_nothing() -> None:
    """Its role is the one that SAM gives every function: to write its log."""
    assert FUNCTIONS["DirectoryFunction"].keys().isdisjoint({"Policies", "Role", "Environment", "Events"})


@pytest.mark.parametrize("name", WEBHOOKS)
def test_a_webhook_reads_the_secrets_of_its_own_channel(name: str) -> None:
    channel = Path(WEBHOOKS[name]["CodeUri"]).name
    allowed = [
        text(resource).partition("${AWS::StackName}")[2]
        for statement in statements(WEBHOOKS[name])
        if "ssm:GetParametersByPath" in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]

    assert allowed == [f"/{channel}", f"/{channel}/*"]


@pytest.mark.parametrize("name", WEBHOOKS)
def test_a_webhook_ends_a_wildcard_below_a_prefix_of_its_own(name: str) -> None:
    channel = Path(WEBHOOKS[name]["CodeUri"]).name
    wild = {
        text(resource).rpartition("}/")[2]
        for statement in statements(WEBHOOKS[name])
        for resource in listed(statement["Resource"])
        if "*" in text(resource)
    }

    files = {"media/*"} if channel == "webchat" else set()  # its visitors' browsers read and write them
    assert wild == {"quarantine/*", "texts/*", f"{channel}/*"} | files


def test_what_is_kept_outlives_the_stack() -> None:
    kept = {name for name, body in RESOURCES.items() if "Retain" in body.get("DeletionPolicy", "")}
    stores = {
        name
        for name, body in RESOURCES.items()
        if body["Type"] in ("AWS::DynamoDB::Table", "AWS::S3::Bucket")
    }

    assert kept == stores
    assert all(RESOURCES[name]["UpdateReplacePolicy"] == "Retain" for name in stores)


def test_every_parameter_says_what_it_is_for() -> None:
    parameters: dict[str, dict[str, Any]] = read_template()["Parameters"]

    assert [name for name, body in parameters.items() if not body.get("Description")] == []


def test_the_layer_holds_the_versions_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = dict(line.split("==") for line in project["dependencies"])
    boto3 = declared.pop("boto3")

    assert boto3  # the runtime's own
    assert {name: pins().get(name) for name in declared} == declared


def test_the_layer_holds_all_that_its_packages_need() -> None:
    needed = {
        name.lower().replace("_", "-")
        for package in pins()
        for requirement in metadata.requires(package) or ()
        if "extra ==" not in requirement
        for name in re.findall(r"^[A-Za-z0-9._-]+", requirement)
    }

    assert needed - pins().keys() == set()
