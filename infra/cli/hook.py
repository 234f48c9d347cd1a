"""``connect hook``: the company's own system, and what ``doctor`` has to say of it."""

import base64
import json
import secrets as random
import time
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.text import Text

from infra.cli.checks import Checked, fault
from infra.cli.errors import Refused
from infra.cli.work import bundle, console, place_of
from sportello.aws import breaker, secrets
from sportello.aws.environment import environment
from sportello.channels.base import Finding
from sportello.domain.desk import Desk
from sportello.domain.model import SECOND
from sportello.services.company import NAME, SECRET_PREFIX, Company, probe, read_secret

FOLDER = "hook"
NEW_BYTES = 32

REMEDIES = {
    "hook_off": "no address: write url under hook in templates/desk.yaml, or add --url",
    "hook_secret": "the stored secret cannot be used: sportello connect hook --new-secret",
    "hook_address": "the address is none that may be asked: https on port 443, a public address, no log-in",
    "hook_unreachable": "nobody answers there: name, connection, certificate, or no HTTP",
    "hook_slow": "it took longer than 2 seconds",
    "hook_huge": "its answer is longer than 64 KB",
    "hook_encoded": "its answer is compressed although nobody asked for that",
    "hook_wrong": "its answer is not of the form that docs/hook.md describes",
    "hook_unsigned": "it answers whoever asks: it has to check the signature, and to answer 401",
}


def connect_hook(
    context: typer.Context,
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="Kept with the secret; wins over templates/desk.yaml.")
    ] = "",
    new_secret: Annotated[bool, typer.Option("--new-secret", help="Make the secret anew.")] = False,
) -> None:
    """Connect the company's own system, which is asked for customers and orders (docs/hook.md).

    Makes the secret that requests are signed with, says it once, and sends two requests to try: one that
    is signed, and one that is not, which has to be refused.
    """
    place_of(context)
    desk = bundle().desk
    kept = _kept()
    secret = "" if new_secret else str(kept.get("secret", ""))
    if not _is_good(secret):
        secret = SECRET_PREFIX + base64.b64encode(random.token_bytes(NEW_BYTES)).decode()
        text = f"The secret, for your system to check with, shown this once:\n\n  {secret}\n"
        console.print(Text(text), soft_wrap=True)
    address = url or str(kept.get("url", ""))
    _store({"secret": secret} | ({"url": address} if address else {}))
    asked = address or desk.hook.url
    if not asked:
        raise Refused(f"the secret is stored, but there is {REMEDIES['hook_off']}.")
    if code := probe(_company(desk)):
        raise Refused(f"the secret is stored, but {asked}: {_remedy(code)}. Then connect again.")
    console.print(Text(f"Checked: {asked} answers, and only to who is signed.", "green"), soft_wrap=True)
    if not desk.hook.url:
        console.print("Left to do: write url under hook in templates/desk.yaml, or nobody asks it.")
    elif not desk.hook.order_pattern:
        console.print("Left to do: without order_pattern under hook in templates/desk.yaml no order is told.")


def check_hook(desk: Desk) -> Iterator[Checked]:
    """The company's system, where the desk asks it."""
    if not desk.hook.url:
        return
    findings: list[Finding] = []
    code = probe(_company(desk))
    if code == "hook_off":
        findings.append(fault("hook_off", "the desk asks it, and there is no secret: sportello connect hook"))
    elif code:
        findings.append(fault(code, _remedy(code)))
    state = breaker.read()
    if state.rest and not code:
        left = max(0, state.rests_until - time.time_ns() // 1_000_000) // SECOND
        text = f"it failed and is left alone for {left} s more, although it answers now"
        findings.append(Finding(level="warning", code="hook_open", text=text))
    host = urlsplit(str(_kept().get("url") or desk.hook.url)).hostname or ""
    yield Checked(channel=FOLDER, connection=NAME, accounts=(host,), findings=tuple(findings))


def _company(desk: Desk) -> Company:
    return Company(desk.hook, lambda: secrets.read_secrets(FOLDER), environment().platforms)


def _kept() -> dict[str, Any]:
    try:
        found = json.loads(secrets.read_secrets(FOLDER).get(NAME, "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_good(secret: str) -> bool:
    try:
        read_secret(secret)
    except ValueError:
        return False
    return True


def _store(kept: dict[str, str]) -> None:
    secrets.write_secret(FOLDER, NAME, json.dumps(kept))


def _remedy(code: str) -> str:
    if code.startswith("hook_refused_"):
        return f"it answers {code.removeprefix('hook_refused_')} to a request that is signed with the secret"
    return REMEDIES.get(code, code)
