"""What we change in ministack: eight fixes, each with its reason and each checking what it finds.

They touch private names, so ``pyproject.toml`` pins the version exactly.
"""

import base64
import hashlib
import json
import logging
import re
import tempfile
import threading
import zipfile
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

TESTED = "1.5.33"
AUTOSAVE_SECONDS = 15.0
WAIT_FOR_LOG_BEFORE = (0.050, 0.005, 0.250)
MAIL_RULES = ("AWS::SES::ReceiptRule", "AWS::SES::ReceiptRuleSet")
WAIT_FOR_LOG = (0.002, 0.002, 0.250)

log = logging.getLogger("engine")


def check_version() -> None:
    if (found := version("ministack")) != TESTED:
        log.warning("the fixes of the engine were tested with ministack %s, this is %s", TESTED, found)


def forget_stream_positions(state: Path) -> None:
    """Positions in table streams are saved, the streams are not: functions would wait for ever."""
    saved = state / "lambda.json"
    if not saved.exists():
        return
    content = json.loads(saved.read_text("utf-8"))
    if content.get("payload", {}).pop("dynamodb_stream_positions", {}).get("data"):
        saved.write_text(json.dumps(content), "utf-8")


def follow_the_port(state: Path, port: str) -> None:
    """Queue addresses are kept with the port of the run that made them: let them name this one."""
    for file in state.glob("*.json"):
        kept = file.read_text("utf-8")
        moved = _QUEUE_ADDRESS.sub(rf"\g<1>{port}/", kept)
        if moved != kept:
            file.write_text(moved, "utf-8")


_QUEUE_ADDRESS = re.compile(r"(http://localhost:)\d+/(?=\d{12}/)")


def answer_silent_handlers_at_once(lambda_runtime: Any) -> None:
    """An invocation that logs nothing waits 50 ms for its log; 2 ms are enough."""
    drain = lambda_runtime.Worker._drain_stderr_bounded
    if drain.__defaults__ == WAIT_FOR_LOG_BEFORE:
        drain.__defaults__ = WAIT_FOR_LOG
    else:
        log.warning("the engine waits for logs in another way than it did")


def share_layers(lambda_runtime: Any) -> None:
    """Every worker extracts its layers anew, 35 MB in 1,500 files; once, and a link to it, is enough."""
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": _SharedLayers})


class _SharedLayers(zipfile.ZipFile):
    _extracting: ClassVar[threading.Lock] = threading.Lock()

    def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
        target = Path(path)
        if not target.name.startswith("layer_"):
            super().extractall(target, members, pwd)
            return
        contents = repr([(entry.filename, entry.CRC) for entry in self.infolist()])
        shared = Path(tempfile.gettempdir(), "layers", hashlib.sha256(contents.encode()).hexdigest())
        with self._extracting:
            if not shared.exists():
                super().extractall(shared, members, pwd)
        target.rmdir()
        target.symlink_to(shared)


def authorize_parameter_paths(iam_actions: Any) -> None:
    """GetParametersByPath is authorized on ``*`` there, so a role that may read one path is denied it."""
    extract = iam_actions.extract_resource_arn

    def extract_resource_arn(
        service: str, method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any
    ) -> Any:
        if service == "ssm" and headers.get("x-amz-target", "").endswith(".GetParametersByPath"):
            region, account = rest[-2:]
            return f"arn:aws:ssm:{region}:{account}:parameter{json.loads(body)['Path'].rstrip('/')}"
        return extract(service, method, path, headers, body, *rest)

    iam_actions.extract_resource_arn = extract_resource_arn


def know_mail_rules(provisioners: Any) -> None:
    """A template that names a type which the engine lacks is refused, though its condition is false.

    SES receives no mail here, so what makes its rules must never be called.
    """

    def refuse(*_: Any) -> Any:
        raise ValueError("the local engine receives no mail: leave MailRecipients empty")

    for name in MAIL_RULES:
        if name in provisioners._RESOURCE_HANDLERS:
            log.warning("the engine knows %s now", name)
        provisioners._RESOURCE_HANDLERS.setdefault(name, {"create": refuse, "delete": lambda *_: None})


def hand_over_compressed_bodies(lambda_svc: Any) -> None:
    """A compressed body is decoded as text there, which destroys it; a function URL encodes it as base64."""
    build = lambda_svc._build_function_url_event

    def build_event(url_id: str, account_id: str, region: str, method: str, path: str, headers: Any,
                    body: bytes, *rest: Any, **more: Any) -> Any:  # fmt: skip
        event = build(url_id, account_id, region, method, path, headers, body, *rest, **more)
        if headers.get("content-encoding") and not event["isBase64Encoded"]:
            event |= {"body": base64.b64encode(body).decode("ascii"), "isBase64Encoded": True}
        return event

    lambda_svc._build_function_url_event = build_event


def save_regularly(app: Any, ending: threading.Event) -> None:
    """State is written at a clean end only; a crash of the machine should not cost the desk."""
    logging.getLogger("persistence").setLevel(logging.WARNING)
    save_all, alone = app.save_all, threading.Lock()

    def save_all_alone(services: Any) -> None:
        with alone:
            save_all(services)

    def save() -> None:
        while not ending.wait(AUTOSAVE_SECONDS):
            save_all_alone(app._build_persistence_save_dict())

    app.save_all = save_all_alone
    threading.Thread(target=save, daemon=True).start()
