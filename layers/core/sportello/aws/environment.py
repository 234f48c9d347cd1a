"""What the template tells a function: one frozen model, read once, with a clear error."""

import os
from collections.abc import Mapping
from functools import cache

from sportello.domain.model import Model


class Environment(Model):
    table: str
    outbox_queue_url: str
    escalation_queue_url: str
    media_queue_url: str
    consult_queue_url: str
    bucket: str
    id_salt: str
    stack: str
    clock: str = "real"
    platforms: str = ""
    """Base URL of the local world that stands in for every platform; empty on AWS."""
    mail_from: str = ""
    mail_events: str = ""
    """Name of the SES configuration set that reports what became of mail to customers."""

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> "Environment":
        missing = [
            name.upper()
            for name, field in cls.model_fields.items()
            if field.is_required() and not variables.get(name.upper())
        ]
        if missing:
            raise RuntimeError(
                f"environment variables missing: {', '.join(missing)}; see infra/template.yaml"
            )
        if variables.get("CLOCK") == "local" and not variables.get("PLATFORMS"):
            raise RuntimeError("CLOCK=local is for the local desk only: it needs PLATFORMS")
        return cls(
            **{name: variables[name.upper()] for name in cls.model_fields if name.upper() in variables}
        )


@cache
def environment() -> Environment:
    return Environment.read(os.environ)


def console_url() -> str:
    """Address of the page on which conversations are taken; the notifier alone is told it.

    The local engine tells the address that AWS would give, which leads nowhere on this machine.
    """
    url = os.environ.get("CONSOLE_URL", "")
    engine = os.environ.get("AWS_ENDPOINT_URL", "")
    host = url.removeprefix("https://").partition("/")[0]
    if not environment().platforms or ".lambda-url." not in host:
        return url
    return f"{engine}/_aws/lambda-url/{host.partition('.')[0]}"
