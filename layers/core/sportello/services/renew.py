"""Once a day: fresh tokens for connections whose token runs out."""

import json
from collections import Counter
from collections.abc import Callable, Mapping

from sportello.aws import secrets
from sportello.aws.logging import logger
from sportello.channels.base import Channel, ConnectError, Connection
from sportello.channels.http import Http, NoAnswer, NotConnected


def renew(channels: Callable[[str], Channel], http: Http) -> Counter[str]:
    """All connections, each by itself; ``failed`` ones keep the token that they have."""
    counts: Counter[str] = Counter()
    for channel_name, texts in secrets.read_all().items():
        channel = _known(channels, channel_name)
        if channel is None:
            continue
        for name, text in texts.items():
            outcome = _tried(channel, name, text, http)
            counts[outcome] += 1
            if outcome != "kept":
                known = {"channel": channel_name, "connection": name, "outcome": outcome}
                logger.info("token", extra=known)
    return counts


def _known(channels: Callable[[str], Channel], name: str) -> Channel | None:
    """None for what is no channel (the addresses of Slack)."""
    try:
        return channels(name)
    except (LookupError, ModuleNotFoundError):
        return None


def _tried(channel: Channel, name: str, text: str, http: Http) -> str:
    try:
        return _renew(channel, name, text, http)
    except Exception as error:  # whatever it is, the others' tokens run out all the same
        known = {"channel": channel.name, "connection": name, "error": type(error).__name__}
        logger.error("token not renewed", extra=known)
        return "failed"


def _renew(channel: Channel, name: str, text: str, http: Http) -> str:
    try:
        stored: Mapping[str, object] = json.loads(text)
        connection = Connection.model_validate({"name": name, **stored})
        token = channel.renew(connection, http)
    except (ConnectError, NotConnected, NoAnswer, ValueError, TypeError):
        return "failed"
    if not token or token == connection.token:
        return "kept"
    secrets.write_secret(channel.name, name, json.dumps({**stored, "token": token}))
    return "renewed"
