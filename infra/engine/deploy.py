"""Deploys ``infra/template.yaml`` to the local engine, as it is."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from infra.engine.package import TEMPLATES, core_layer, dependencies_layer, function_zip
from infra.engine.template import FUNCTION, LAYER, TEMPLATE, read_template

REGION = "us-east-1"
STACK = "sportello"
ARTIFACTS = "sportello-artifacts"
SETTLE_SECONDS = 60.0


class DeployFailed(Exception):
    """The engine refused the stack; the text holds its reasons."""


class Deployed(BaseModel):
    """A stack on the local engine, and all that a client of it has to know."""

    model_config = ConfigDict(frozen=True)

    endpoint: str
    """Of the engine, e.g. ``http://127.0.0.1:4566``."""
    region: str = REGION
    stack: str = STACK
    platforms: str = ""
    """Of the local world; empty where there is none."""
    outputs: Mapping[str, str]
    """The stack's, with addresses of functions that can be called from here."""

    def client(self, service: str) -> Any:
        """A boto3 client of the engine, as its root user."""
        return _client(self.endpoint, service)

    def save(self, home: Path) -> None:
        _desk_file(home).write_text(self.model_dump_json(indent=2), "utf-8")

    @classmethod
    def load(cls, home: Path) -> "Deployed":
        """What was deployed last; raises ``FileNotFoundError`` where nothing was."""
        return cls.model_validate_json(_desk_file(home).read_text("utf-8"))


def deploy(
    endpoint: str, home: Path, *, parameters: Mapping[str, str] | None = None, templates: Path = TEMPLATES
) -> Deployed:
    """Create or update the stack and say where it is, here and in ``<home>/desk.json``.

    Raises:
        BuildFailed: a layer cannot be made, e.g. because ``templates/`` has a mistake.
        DeployFailed: the engine refused the stack.
    """
    values = dict(parameters or {})
    s3, formation = _client(endpoint, "s3"), _client(endpoint, "cloudformation")
    template = _upload(s3, templates)
    _apply(formation, f"{endpoint}/{ARTIFACTS}/{template}", values)
    outputs = {name: _reachable(value, endpoint) for name, value in _outputs(formation).items()}
    deployed = Deployed(endpoint=endpoint, platforms=values.get("Platforms", ""), outputs=outputs)
    deployed.save(home)
    return deployed


def webhook_url(outputs: Mapping[str, str], channel: str) -> str:
    """The address of a channel's function among a stack's outputs; empty where it has none."""
    wanted = f"{channel}url"
    return next((url.rstrip("/") for name, url in outputs.items() if name.lower() == wanted), "")


def _desk_file(home: Path) -> Path:
    return home / "desk.json"


def _upload(s3: Any, templates: Path) -> str:
    """Artifacts and the template that points to them into the engine's bucket; the template's key."""
    template = read_template()
    layers = {"CoreLayer": core_layer(templates=templates), "DependenciesLayer": dependencies_layer()}
    artifacts: dict[str, Path] = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] == LAYER:
            property_name, artifact = "ContentUri", layers[name]
        elif resource["Type"] == FUNCTION:
            folder = (TEMPLATE.parent / resource["Properties"]["CodeUri"]).resolve()
            property_name, artifact = "CodeUri", function_zip(folder)
        else:
            continue
        artifacts[artifact.name] = artifact
        resource["Properties"][property_name] = f"s3://{ARTIFACTS}/{artifact.name}"
    _replace_objects(s3, artifacts)
    s3.put_object(Bucket=ARTIFACTS, Key="template.json", Body=json.dumps(template).encode())
    return "template.json"


def _replace_objects(s3: Any, artifacts: Mapping[str, Path]) -> None:
    s3.create_bucket(Bucket=ARTIFACTS)
    present = {item["Key"] for item in s3.list_objects_v2(Bucket=ARTIFACTS).get("Contents", ())}
    for key in artifacts.keys() - present:
        s3.put_object(Bucket=ARTIFACTS, Key=key, Body=artifacts[key].read_bytes())
    for key in present - artifacts.keys():
        s3.delete_object(Bucket=ARTIFACTS, Key=key)


def _apply(formation: Any, template_url: str, parameters: Mapping[str, str]) -> None:
    change = formation.update_stack if _stack(formation) else formation.create_stack
    try:
        change(
            StackName=STACK,
            TemplateURL=template_url,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        )
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return
        raise DeployFailed(str(error)) from error
    _settle(formation)


def _settle(formation: Any) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while (status := _stack(formation)["StackStatus"]).endswith("IN_PROGRESS"):
        if time.monotonic() > deadline:
            raise DeployFailed(f"the stack is still {status} after {SETTLE_SECONDS:.0f} s")
        time.sleep(0.02)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        events = formation.describe_stack_events(StackName=STACK)["StackEvents"]
        reasons = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
            for event in events
            if event["ResourceStatus"].endswith("FAILED")
        ]
        raise DeployFailed("\n".join([f"the stack is {status}", *reasons]))


def _stack(formation: Any) -> dict[str, Any]:
    """The stack's description; empty where it does not exist."""
    try:
        stack: dict[str, Any] = formation.describe_stacks(StackName=STACK)["Stacks"][0]
    except ClientError:
        return {}
    return stack


def _outputs(formation: Any) -> dict[str, str]:
    return {item["OutputKey"]: item["OutputValue"] for item in _stack(formation).get("Outputs", ())}


def _reachable(value: str, endpoint: str) -> str:
    """``https://<id>.lambda-url.<region>.on.aws/`` as the engine serves it on loopback."""
    host = value.removeprefix("https://").partition("/")[0]
    if ".lambda-url." not in host:
        return value
    return f"{endpoint}/_aws/lambda-url/{host.partition('.')[0]}"


def _client(endpoint: str, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the engine's root user, on loopback
        config=Config(retries={"max_attempts": 2}, connect_timeout=5, read_timeout=30),
    )
