"""What Twilio's SMS and voice share at the platform's side: accounts, credentials, signatures, errors.

Source: twilio.com/docs/usage/security and /docs/api/errors.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from infra.world.model import PlatformAccount, Webhook
from infra.world.wire import Answer, Call, json_answer

HOST = "api.twilio.com"
CDN = "mms.twiliocdn.com"
PATH = re.compile(r"/2010-04-01/Accounts/(AC[0-9a-f]{32})/(.+)")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
AGENT = "TwilioProxy/1.1"
MESSAGES = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    21211: (400, "Invalid 'To' Phone Number"),
    21220: (400, "Call is not in-progress. Cannot redirect."),
    21218: (400, "Invalid TwiML"),
    21602: (400, "Message body is required"),
    21606: (400, "The 'From' phone number is not a valid, SMS-capable number of this account"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21620: (400, "Invalid media URL(s)"),
    21623: (400, "Number of media files exceeds allowed limit"),
}


class TwilioNumber(PlatformAccount):
    """``id`` is the number; ``webhook_url`` where its messages or calls go."""

    account_sid: str = "AC" + "0" * 31 + "1"
    auth_token: str = "local-desk-auth-token"  # noqa: S105 opens nothing
    sid: str = "PN" + "0" * 31 + "1"
    status_callback: str = ""
    """Of a number that is called: where the ends of calls go."""

    @property
    def authorization(self) -> str:
        return "Basic " + base64.b64encode(f"{self.account_sid}:{self.auth_token}".encode()).decode()


class Refused(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code

    def answer(self) -> Answer:
        return refusal(self.code)


def refusal(code: int, headers: Mapping[str, str] | None = None) -> Answer:
    status, text = MESSAGES.get(code, (400, f"Error {code}"))
    more_info = f"https://www.twilio.com/docs/errors/{code}"
    value = {"code": code, "message": text, "more_info": more_info, "status": status}
    return json_answer(status, value, code=str(code), headers=headers)


def claimed(call: Call, accounts: Iterable[Any]) -> bool:
    """Whether a call speaks of one of these accounts."""
    match = PATH.fullmatch(call.path)
    return match is not None and any(match[1] == account.account_sid for account in accounts)


def resource(call: Call, accounts: Iterable[Any]) -> str:
    """What is asked for below the account, once the credentials are found to be the account's."""
    match = PATH.fullmatch(call.path)
    if match is None:
        raise Refused(20404)
    if call.headers.get("authorization") not in {
        account.authorization for account in accounts if account.account_sid == match[1]
    }:
        raise Refused(20003)
    return match[2]


def fields(call: Call) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found


def numbers(accounts: Sequence[TwilioNumber], able: str, url_name: str) -> Answer:
    """``IncomingPhoneNumbers.json``."""
    listed = [
        {
            "sid": account.sid,
            "phone_number": account.id,
            "friendly_name": "Local Desk",
            "capabilities": {"sms": False, "voice": False, "mms": False} | {able: True},
            "sms_url": "",
            "voice_url": "",
            "status_callback": account.status_callback,
        }
        | {url_name: account.webhook_url}
        for account in accounts
    ]
    return json_answer(200, {"incoming_phone_numbers": listed})


def webhook(
    account: TwilioNumber, channel: str, form: Mapping[str, str], *, id: str, address: str, url: str = ""
) -> Webhook:
    """Signed over the address that is called and all that is posted."""
    target = url or account.webhook_url
    body = urlencode(form)
    text = target + "".join(name + form[name] for name in sorted(form))
    proof = hmac.new(account.auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return Webhook(
        id=id,
        channel=channel,
        account=account.id,
        address=address,
        message_id=form.get("MessageSid", form.get("CallSid", "")),
        url=target,
        headers={
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": AGENT,
            "X-Twilio-Signature": base64.b64encode(proof).decode(),
        },
        body=body,
    )


def usable(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.netloc)
