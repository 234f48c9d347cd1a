"""Our reading of every sample against that of python-telegram-bot, an independent one.

It speaks Bot API 10.0; ``DIFFERENCES`` names the samples that it cannot read as we do, and why.
"""

import json
from typing import Any

import pytest
from telegram import Message, MessageEntity, PhotoSize, Update

from sportello.domain.events import Delete, Echo, Edit, Inbound, PlatformEvent
from tests.contract.samples import Sample, all_samples, channel_of

DIFFERENCES = {
    "unknown_kind": "a message kind that does not exist: kept by us as unsupported, empty for the SDK",
    "unknown_update": "an update kind that does not exist: kept by us, empty for the SDK",
    "unreadable": "a date that is no number: set aside by us, a TypeError of the SDK",
}
SAMPLES = [sample for sample in all_samples("telegram") if sample.name not in DIFFERENCES]
KINDS = ("message", "edited_message", "business_message", "edited_business_message")


def sdk_update(sample: Sample) -> Update:
    return Update.de_json(json.loads(sample.request.body), None)


def our_event(sample: Sample) -> PlatformEvent:
    (event,) = channel_of(sample.channel).parse(sample.request, sample.connection)
    return event


def sdk_message(sample: Sample) -> Message | None:
    update = sdk_update(sample)
    return next((message for kind in KINDS if (message := getattr(update, kind))), None)


MESSAGES = [
    pytest.param(event, message, id=sample.name)
    for sample in SAMPLES
    if isinstance(event := our_event(sample), Inbound | Echo | Edit) and (message := sdk_message(sample))
]


def test_most_samples_are_messages_that_both_read() -> None:
    assert len(MESSAGES) >= 35
    assert set(DIFFERENCES) < {sample.name for sample in all_samples("telegram")}


@pytest.mark.parametrize(("event", "message"), MESSAGES)
class TestMessages:
    def test_ids_and_times(self, event: Inbound | Echo | Edit, message: Message) -> None:
        parts = [str(message.chat.id), str(message.message_id), message.business_connection_id]
        own_id = event.original if isinstance(event, Edit) else event.id
        assert own_id == ":".join(part for part in parts if part)
        assert event.time == (message.edit_date or message.date).timestamp() * 1000
        assert event.customer.address.split(":")[-1] == str(message.chat.id)

    def test_words(self, event: Inbound | Echo | Edit, message: Message) -> None:
        assert event.text == sdk_words(message)

    def test_files(self, event: Inbound | Echo | Edit, message: Message) -> None:
        if not isinstance(event, Edit):
            ours = [(media.id, media.size, media.mime) for media in event.media]
            assert ours == sdk_files(message)

    def test_the_rest(self, event: Inbound | Echo | Edit, message: Message) -> None:
        if isinstance(event, Inbound):
            assert event.album == (message.media_group_id or "")
            assert event.forwarded == bool(message.forward_origin)
            assert event.quote.split(":")[1:2] == (
                [str(message.reply_to_message.message_id)] if message.reply_to_message else []
            )
            assert event.group == (message.chat.type in ("group", "supergroup"))
            assert event.addressed == sdk_addressed(message)
            if message.from_user and not event.group:
                assert event.customer.name == message.from_user.full_name
            if message.location:
                assert event.place is not None
                where = (event.place.latitude, event.place.longitude)
                assert where == (message.location.latitude, message.location.longitude)
            if message.contact:
                assert [card.phones for card in event.cards] == [(message.contact.phone_number,)]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_taps_reactions_and_deletes(sample: Sample) -> None:
    event, update = our_event(sample), sdk_update(sample)
    if update.callback_query:
        assert isinstance(event, Inbound)
        tapped = update.callback_query.message
        assert tapped is not None
        assert event.payload == update.callback_query.data
        assert event.quote == f"{tapped.chat.id}:{tapped.message_id}"
    elif update.message_reaction:
        assert isinstance(event, Inbound)
        reactions = update.message_reaction.new_reaction
        assert event.text == "".join(str(reaction.to_dict()["emoji"]) for reaction in reactions)
    elif update.deleted_business_messages:
        assert isinstance(event, Delete)
        deleted = update.deleted_business_messages
        numbers = [int(original.split(":")[1]) for original in event.originals]
        assert numbers == list(deleted.message_ids)
    else:
        assert update.effective_chat or update.business_connection or update.inline_query


def sdk_words(message: Message) -> str:
    if message.sticker:
        return message.sticker.emoji or ""
    if message.dice:
        return message.dice.emoji
    if message.web_app_data:
        return message.web_app_data.button_text
    if message.poll:
        return "\n".join([message.poll.question, *(f"- {option.text}" for option in message.poll.options)])
    if message.checklist:
        tasks = [f"- {task.text}" for task in message.checklist.tasks]
        return "\n".join([message.checklist.title, *tasks])
    return message.text or message.caption or ""


def sdk_files(message: Message) -> list[tuple[str, Any, str]]:
    found: list[Any] = []
    if message.photo:
        largest: PhotoSize = max(message.photo, key=lambda size: size.width)
        found.append(largest)
    found += [
        file
        for file in (
            message.live_photo,
            message.animation or message.document,
            message.voice,
            message.audio,
            message.video,
            message.video_note,
            message.sticker,
        )
        if file
    ]
    return [(file.file_id, file.file_size, getattr(file, "mime_type", None) or "") for file in found]


def sdk_addressed(message: Message) -> bool:
    if message.chat.type == "private":
        return True
    if message.reply_to_message and message.reply_to_message.from_user:
        return message.reply_to_message.from_user.id == 7000000001
    named = message.parse_entities([MessageEntity.MENTION, MessageEntity.BOT_COMMAND]).values()
    return any(word.lower().endswith("@sample_desk_bot") for word in named)
