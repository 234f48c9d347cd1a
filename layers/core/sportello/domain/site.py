"""What the chat on the site says around the conversation, by language; a care lead writes it."""

from collections.abc import Mapping

from sportello.domain.hours_words import CalendarWords
from sportello.domain.model import Model


class SiteWords(Model):
    """The texts of the widget in one language (``templates/site/<language>.yaml``)."""

    title: str
    """Of the window, beside the desk's name."""
    open: str
    """On the button that opens it."""
    close: str
    conversation: str
    """Name of the list of messages, for screen readers."""
    greeting: str
    """Before the first message, while the desk is open."""
    open_now: str
    closed_now: str
    """Beside the hours."""
    hours: str
    """``{hours}``"""
    next_opening: str
    """``{opening}``: ``domani alle 9:00``."""
    message: str
    """Label of the field."""
    send: str
    attach: str
    remove_file: str
    """``{name}``"""
    file_too_large: str
    """``{size}``"""
    file_type: str
    file_failed: str
    """``{name}``"""
    you: str
    desk: str
    """Who answers, for screen readers."""
    automatic: str
    """Under an answer that no person wrote."""
    sending: str
    sent: str
    not_sent: str
    retry: str
    unread: str
    """``{count}``"""
    deleted: str
    offline: str
    """The visitor's own network is gone."""
    email_ask: str
    email_label: str
    email_save: str
    email_saved: str
    """``{email}``"""
    email_wrong: str
    elsewhere: str
    """Before the links to messengers."""
    too_many: str
    download: str
    """``{name}``"""
    mail_subject: str
    """Of the mail that carries the conversation after a visitor who has left: ``{desk}``."""
    mail_intro: str
    """``{desk}``; how to go on."""
    mail_line: str
    """One message of it: ``{who}``, ``{when}``, ``{text}``."""


class Site(Model):
    """All that the site's function says: ``site.json`` of the layer."""

    words: Mapping[str, SiteWords] = {}
    calendar: Mapping[str, CalendarWords] = {}
