"""Our numbers at Twilio, and where each of them calls: what ``connect`` and ``doctor`` ask.

Source: twilio.com/docs/phone-numbers/api/incomingphonenumber-resource
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from sportello.channels import twilio
from sportello.channels.base import Account, ConnectError, Connection, Finding, Probed, Question
from sportello.channels.http import Answer, Http, NoAnswer, NotConnected

Ability = Literal["sms", "voice"]
MOST = 200
"""Numbers of one account that are looked at."""
SERVICE_PREFIX = "MG"

ACCOUNT_SID = Question(
    name="account_sid", text="Account SID, which begins with AC (console.twilio.com, Account Info)"
)
AUTH_TOKEN = Question(
    name="secret",
    text="Auth Token of that account: Twilio signs with it (beside the Account SID)",
    secret=True,
)
API_KEY = Question(
    name="api_key",
    text="SID of an API key, to call Twilio without the Auth Token; it begins with SK",
    optional=True,
)
API_KEY_SECRET = Question(name="token", text="Secret of that API key", secret=True, optional=True)
NUMBERS = Question(
    name="numbers",
    text="Our numbers, as +390200000000, with commas between them; nothing: all of the account that can",
    optional=True,
)


class Number(NamedTuple):
    sid: str
    number: str
    name: str
    urls: Mapping[str, str]
    able: bool


def probe(connection: Connection, http: Http, ability: Ability) -> Probed:
    """The numbers that can do it; those named in ``numbers`` where some are."""
    if not twilio.account_sid(connection):
        raise ConnectError("The Account SID is AC and 32 hexadecimal digits: see console.twilio.com.")
    if not connection.secrets:
        raise ConnectError("The Auth Token is missing: console.twilio.com, Account Info.")
    found = {number.number: number for number in _numbers(connection, http, ability) if number.able}
    wanted = [part.strip() for part in connection.settings.get("numbers", "").split(",") if part.strip()]
    missing = [number for number in wanted if number not in found and _is_phone(number)]
    if missing:
        raise ConnectError(f"No number of this account that can do {ability}: {', '.join(missing)}")
    if not wanted and not found:
        raise ConnectError(f"This account has no number that can do {ability}: buy one under Phone Numbers.")
    names = {number: found[number].name for number in found}
    return Probed(
        accounts=tuple(Account(id=number, name=names.get(number, "")) for number in wanted or sorted(found))
    )


def _is_phone(account: str) -> bool:
    return account.startswith("+")


def register(
    connection: Connection, url: str, http: Http, ability: Ability, form: Sequence[tuple[str, str]]
) -> str:
    """Point every number of the connection at us; returns what is left to do by hand."""
    ours = {account.id for account in connection.accounts}
    for number in _numbers(connection, http, ability):
        if number.number in ours:
            _ask("POST", f"IncomingPhoneNumbers/{number.sid}.json", connection, http, form)
    left = sorted(account for account in ours if not _is_phone(account))
    if not left:
        return ""
    return (
        f"{', '.join(left)}: in the console under Messaging > Services > Integration choose 'Send a webhook' "
        f"and enter {url}"
    )


def examine(connection: Connection, url: str, http: Http, ability: Ability, name: str) -> Sequence[Finding]:
    """Numbers that are gone, and those whose ``name`` (``sms_url``, ``voice_url``) is not ours."""
    numbers = {number.number: number for number in _numbers(connection, http, ability)}
    findings = []
    for account in connection.accounts:
        if not _is_phone(account.id):
            continue
        number = numbers.get(account.id)
        if number is None or not number.able:
            text = f"{account.id} is no number of this Twilio account that can do {ability}"
            findings.append(Finding(level="fault", code="account_missing", text=text))
        elif not number.urls[name]:
            text = f"{account.id} calls nobody: connect again, or enter {url} at the number"
            findings.append(Finding(level="fault", code="webhook_missing", text=text))
        elif number.urls[name] != url:
            there = urlsplit(number.urls[name]).netloc
            text = f"{account.id} calls {there}, not us: connect again, or enter {url} at the number"
            findings.append(Finding(level="fault", code="webhook_elsewhere", text=text))
    if connection.settings.get("url", "") != url:
        text = f"the connection does not know {url} as its own: signatures will not fit. Connect again"
        findings.append(Finding(level="warning", code="webhook_elsewhere", text=text))
    return findings


def _numbers(connection: Connection, http: Http, ability: Ability) -> list[Number]:
    answer = _ask("GET", "IncomingPhoneNumbers.json", connection, http, [("PageSize", str(MOST))])
    listed = answer.json.get("incoming_phone_numbers")
    return (
        [_number(item, ability) for item in listed if isinstance(item, dict)]
        if isinstance(listed, list)
        else []
    )


def _number(item: Mapping[str, Any], ability: Ability) -> Number:
    abilities = item.get("capabilities")
    return Number(
        sid=str(item.get("sid", "")),
        number=str(item.get("phone_number", "")),
        name=str(item.get("friendly_name") or ""),
        urls={name: str(item.get(name) or "") for name in ("sms_url", "voice_url", "status_callback")},
        able=isinstance(abilities, dict) and bool(abilities.get(ability)),
    )


def _ask(
    method: str, path: str, connection: Connection, http: Http, form: Sequence[tuple[str, str]]
) -> Answer:
    try:
        answer = twilio.call(method, path, connection, http, form)
    except (NotConnected, NoAnswer) as error:
        raise ConnectError(
            f"{twilio.HOST} did not answer ({error}): check the network and its proxy, then connect again",
            "no_answer",
        ) from None
    if answer.status in (401, 403):
        raise ConnectError(
            "Twilio does not take these credentials: copy the Account SID and the Auth Token again from "
            "console.twilio.com (or the API key and its secret: a standard key of this very account)",
            "token_refused",
        )
    if answer.status not in (200, 201):
        raise ConnectError(f"Twilio refused {path.partition('.')[0]}: {twilio.code_of(answer)}")
    return answer
