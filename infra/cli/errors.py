"""Errors for people: one clear line and what to do, never a traceback, never a secret."""

from collections.abc import Callable
from typing import Any


class Refused(Exception):
    """The command cannot do what was asked; the text says why and what to do."""


NOT_ALLOWED = {
    "unreachable": "this customer cannot be reached any more: they blocked us or left.",
    "window_closed": "the platform's time for free answers is over: use an approved form (--template).",
    "too_long": "the text is longer than the platform takes: send it in two.",
    "empty": "the text is empty.",
    "refused": "not here: only public comments and posts are answered in private or hidden, where the "
    "channel can; docs/channels says where.",
    "media": "the channel does not take such a file: its page in docs/channels names types and sizes.",
    "newer_message": "the customer wrote at this moment: look at the thread again first.",
    "owes_needs_code": "an answer is still owed. Answer first, or say why not: --reason spam, for example.",
    "guidelines": "not sent: the guidelines block it. Write it otherwise; --despite sends what they let you "
    "override, personal data in public never.",
    "held": "somebody else has taken it.",
    "not_aside": "it was not set aside: `sportello threads --aside` lists what was.",
    "no_such_language": "the desk does not speak that language.",
    "no_such_message": "this thread has no such message: copy its name from `sportello thread ID`.",
}


def sentence(error: Exception) -> str:
    """Channels end their words with a full stop or leave it out."""
    told = str(error)
    return told if told.endswith(".") else f"{told}."


def explained(error: Exception) -> str:
    """What a person reads instead of a traceback."""
    for kinds, explain in _explanations():
        if isinstance(error, kinds):
            return str(explain(error))
    # The text of an unforeseen error may hold anything, a customer's words included.
    return f"unexpected error {type(error).__name__}. Set SPORTELLO_TRACEBACK=1 to see where."


Explanation = tuple[tuple[type[Exception], ...], Callable[[Any], str]]


def _explanations() -> list[Explanation]:
    # Imported here: only an error pays for it.
    import botocore.exceptions as aws
    import urllib3.exceptions

    from infra.bundle import BundleError
    from infra.engine.deploy import DeployFailed
    from infra.engine.launcher import EngineFailed
    from infra.engine.package import BuildFailed
    from infra.world.client import WorldError
    from sportello.aws.secrets import SecretsUnavailable, SecretTooLong
    from sportello.channels.base import ConnectError
    from sportello.services.context import Busy
    from sportello.services.desk import NoDesk
    from sportello.services.reply import NotAllowed, NoThread

    plain = (Refused, BundleError, EngineFailed, BuildFailed, DeployFailed, NoDesk)
    return [
        (plain, str),
        ((ConnectError,), sentence),
        ((SecretsUnavailable, SecretTooLong, WorldError), str),
        ((NoThread,), lambda error: f"there is no thread {error}. `sportello threads` lists them."),
        ((NotAllowed,), lambda error: NOT_ALLOWED.get(error.code, f"not allowed ({error.code}).")),
        ((Busy,), lambda error: "others were writing to this thread all the time: try again."),
        ((aws.NoCredentialsError, aws.PartialCredentialsError), lambda error: _NO_CREDENTIALS),
        ((aws.ProfileNotFound, aws.NoRegionError), lambda error: f"{error}."),
        ((aws.ClientError,), _refused_by_aws),
        ((aws.EndpointConnectionError, aws.ConnectTimeoutError), lambda error: _NO_ANSWER),
        ((urllib3.exceptions.HTTPError,), lambda error: _NO_WORLD),
    ]


_NO_CREDENTIALS = "no credentials of AWS. Set AWS_PROFILE, or log in with: aws sso login"
_NO_ANSWER = "no answer: is the local desk still up (`make run`), is the network?"
_NO_WORLD = "the local world does not answer: start the desk with `make run`."


def _refused_by_aws(error: Any) -> str:
    told = error.response.get("Error", {})
    return f"AWS refused {error.operation_name}: {told.get('Code', '?')}: {told.get('Message', '')}"
