"""What a caller hears: documents in TwiML, https://www.twilio.com/docs/voice/twiml

No words of ours stand here. What is said comes from the desk (hours) and from the connection's
settings: ``voicemail_it``, ``voicemail_en``, … ask for a message and say that it is recorded. Where
they are missing nothing is recorded.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape, quoteattr

from sportello.channels.base import Connection

HOLD_SECONDS = 10
"""Silence in which the sender puts the hours onto the line; it needs a second or two."""
RING_SECONDS = 20
RECORD_SECONDS = 120
"""Twilio transcribes nothing longer."""
LIMIT = 4000
"""Characters of a document that is sent to a call."""
SPOKEN = {"it": "it-IT", "en": "en-GB", "de": "de-DE", "fr": "fr-FR", "es": "es-ES"}
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(*verbs: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{"".join(verbs)}</Response>'


def dial(number: str, action: str, leg: str) -> str:
    """Ring the desk's own phone; ``leg`` hears when somebody takes the call, ``action`` how it ended."""
    who = _element(
        "Number",
        escape(number),
        statusCallback=leg,
        statusCallbackEvent="answered",
        statusCallbackMethod="POST",
    )
    return _element(
        "Dial", who, action=action, method="POST", timeout=str(RING_SECONDS), answerOnBridge="true"
    )


def redirect(url: str) -> str:
    return _element("Redirect", escape(url), method="POST")


def pause() -> str:
    return _element("Pause", length=str(HOLD_SECONDS))


def hang_up() -> str:
    return _element("Hangup")


def say(text: str, language: str) -> str:
    return _element("Say", escape(_NO_XML.sub(" ", text)), language=SPOKEN.get(language, SPOKEN["en"]))


def voicemail(connection: Connection, language: str, url: str, about: Mapping[str, str]) -> str:
    """Ask for a message and record it; hang up where there are no words to ask with, or no address.

    ``about`` names the call in the callbacks' queries: those of a recording say nothing of the caller.
    """
    words = words_of(connection, language)
    if not words or not url:
        return hang_up()
    options = {
        "maxLength": str(RECORD_SECONDS),
        "playBeep": "true",
        "action": step(url, "recorded", {}),
        "method": "POST",
        "recordingStatusCallback": step(url, "recording", about),
        "recordingStatusCallbackMethod": "POST",
        "recordingStatusCallbackEvent": "completed absent",
    }
    if connection.settings.get("transcribe") == "yes" and language == "en":
        options |= {"transcribe": "true", "transcribeCallback": step(url, "transcribed", about)}
    return say(words, language) + _element("Record", **options) + hang_up()


def words_of(connection: Connection, language: str) -> str:
    return connection.settings.get(f"voicemail_{language}", "").strip()


def step(url: str, name: str, about: Mapping[str, str]) -> str:
    """Our address for what comes next of a call."""
    return f"{url}?{urlencode({'step': name, **about}, quote_via=quote)}"


def _element(name: str, content: str = "", /, **attributes: str) -> str:
    written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"
