"""Connecting business numbers and looking after them (Graph v26.0)."""

from collections.abc import Sequence
from urllib.parse import quote

from sportello.channels import graph
from sportello.channels.base import Account, ConnectError, Connection, Finding, Probed, Problem, Question
from sportello.channels.http import Answer, Http, NoAnswer, NotConnected
from sportello.channels.signatures import hmac_sha256_hex
from sportello.channels.whatsapp_errors import problem_of

QUESTIONS = (
    Question(
        name="phone_number_id",
        text="Phone number id (WhatsApp > API Setup; several: with spaces between them)",
    ),
    Question(name="waba_id", text="WhatsApp Business Account id (WhatsApp > API Setup)"),
    Question(name="token", text="Access token of the system user", secret=True),
    Question(name="secret", text="App secret (App settings > Basic)", secret=True),
    Question(name="verify_token", text="What Meta proves the address with", secret=True, made=True),
    Question(
        name="list_label",
        text="What customers tap to see more than three choices, where it is not Menu",
        optional=True,
        seldom=True,
    ),
    *graph.SETTINGS,
)


def probe(connection: Connection, http: Http) -> Probed:
    """The numbers, as Meta shows them; the app secret is proved along with the token."""
    named = connection.settings.get("phone_number_id", "").split()
    numbers = tuple(dict.fromkeys(named)) or tuple(account.id for account in connection.accounts)
    if not numbers:
        raise ConnectError("Name the phone number id: it stands in WhatsApp > API Setup.")
    return Probed(accounts=tuple(_number(id, connection, http) for id in numbers))


def register(connection: Connection, url: str, http: Http) -> str:
    """Subscribe the app to the business account; the callback address is entered by hand."""
    waba = connection.settings.get("waba_id", "")
    verify_token = connection.settings.get("verify_token", "")
    if not waba or not verify_token:
        raise ConnectError(
            "Set waba_id (WhatsApp > API Setup, WhatsApp Business Account ID) and verify_token "
            "(any long random text of your own)."
        )
    _asked("POST", f"{quote(waba, safe='')}/subscribed_apps", connection, http)
    # Setting the address by API takes the app's own token, which nothing else here needs.
    return (
        "The app now receives this business account's events. In the App Dashboard open WhatsApp > "
        f"Configuration and enter as Callback URL {url} and as Verify token {verify_token}; then "
        "subscribe to the webhook fields messages and account_update, and to smb_message_echoes if "
        "the number is also used in the WhatsApp Business app."
    )


def examine(connection: Connection, url: str, http: Http) -> Sequence[Finding]:
    """The app's own address cannot be asked for with this token; an override of it can."""
    waba = quote(connection.settings.get("waba_id", ""), safe="")
    apps = graph.objects(_asked("GET", f"{waba}/subscribed_apps", connection, http).json, "data")
    if not apps:
        text = "no app receives this WhatsApp Business Account's events: connect it again"
        return (Finding(level="fault", code="not_subscribed", text=text),)
    overrides = {app["override_callback_uri"] for app in apps if app.get("override_callback_uri")}
    if overrides and url not in overrides:
        text = (
            "Meta delivers this account's events to another address (override_callback_uri): "
            "remove it, or connect the account again from the program that set it"
        )
        return (Finding(level="fault", code="webhook_elsewhere", text=text),)
    return ()


def _number(id: str, connection: Connection, http: Http) -> Account:
    path, fields = quote(id, safe=""), "fields=display_phone_number,verified_name"
    secret = connection.secrets[0] if connection.secrets else ""
    try:
        proof = hmac_sha256_hex(secret, connection.token.encode("utf-8", "replace"))
        found = _asked("GET", path, connection, http, query=f"{fields}&appsecret_proof={proof}").json
    except ConnectError as error:
        if error.code == "parameter":
            _asked("GET", path, connection, http, query=fields)  # raises, unless the proof was the trouble
            raise ConnectError(
                "The token is good, but the app secret is not of its app: copy it from App settings > "
                "Basic of the app that the system user's token was made for.",
                code="secret_wrong",
            ) from None
        raise
    name = found.get("display_phone_number")
    return Account(id=id, name=name if isinstance(name, str) else "")


def _asked(method: str, path: str, connection: Connection, http: Http, query: str = "") -> Answer:
    if not graph.usable(connection.token):
        raise ConnectError(
            "The token is empty or holds spaces or accents: copy it again, whole.", "token_refused"
        )
    try:
        answer = graph.call(method, path, connection, http, query=query)
    except (NotConnected, NoAnswer):
        raise ConnectError(
            "graph.facebook.com gave no answer: check the network and try again.", code="no_answer"
        ) from None
    failure = graph.failure(answer)
    if failure:
        raise ConnectError(_remedy(failure), _word(failure))
    if answer.status != 200:
        raise ConnectError(f"graph.facebook.com answered {answer.status}: try again later.")
    return answer


def _word(failure: graph.Failure) -> str:
    if failure.code == 100:
        return "no_object" if failure.subcode else "parameter"
    return "token_refused" if failure.code == 190 else "refused"


def _remedy(failure: graph.Failure) -> str:
    if failure.code == 190:
        return (
            "The token was refused (190): it is expired or revoked. Make one that never expires for a "
            "system user, with whatsapp_business_messaging and whatsapp_business_management."
        )
    if failure.code == 100:
        return (
            f"Nothing with this id can be seen with this token ({failure}): check the phone number id and "
            "the WhatsApp Business Account id, and assign that account to the system user."
        )
    if problem_of(failure.code, failure.subcode) is Problem.RECONNECT:
        return (
            f"The token may not do this ({failure}): it needs whatsapp_business_messaging and "
            "whatsapp_business_management, and the system user full control of the WhatsApp account."
        )
    if problem_of(failure.code, failure.subcode) in (Problem.BUSY, Problem.TEMPORARY):
        return f"The platform is busy ({failure}): try again in a minute."
    return f"The platform refused with code {failure}: look it up in the page of WhatsApp's error codes."
