"""Our reading of every sample, our signatures and our encryption beside those of wechatpy."""

import time
from typing import Any

import pytest
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.events import BaseEvent, ScanCodeWaitMsgEvent, SubscribeScanEvent
from wechatpy.exceptions import InvalidSignatureException
from wechatpy.messages import (
    ImageMessage,
    LinkMessage,
    LocationMessage,
    ShortVideoMessage,
    TextMessage,
    UnknownMessage,
    VideoMessage,
    VoiceMessage,
)
from wechatpy.utils import check_signature

from sportello.channels.base import Connection, Request
from sportello.channels.wechat import WeChat
from sportello.channels.wechat_crypto import decrypt
from sportello.domain.events import Connected, Ignored, Inbound, Kind
from tests.contract.samples import Sample, all_samples
from tests.contract.signing import wechat_encrypted, wechat_signature

WECHAT = WeChat()
SAMPLES = [sample for sample in all_samples("wechat") if sample.response is None]
DIFFERENCES = {
    "image_without_number": "an empty picture for the library; people see that something came",
    "menu_choice": "the library leaves out which choice of our menu it was",
    "spaces_in_cdata": "the library cuts a text's own spaces off",
    "unknown_event": "of an unknown kind for the library; kept by us",
    "unknown_kind": "of an unknown kind for the library; kept by us",
    "unreadable": "the library lacks nothing where nobody wrote; set aside by us",
}
"""Samples that the two read differently, and why ours is right."""
ALIKE = [pytest.param(sample, id=sample.name) for sample in SAMPLES if sample.name not in DIFFERENCES]
ALL = [pytest.param(sample, id=sample.name) for sample in SAMPLES]


def library(sample: Sample) -> WeChatCrypto:
    settings = sample.connection.settings
    return WeChatCrypto(sample.connection.secrets[0], settings["aes_key"], settings["app_id"])


def opened(sample: Sample) -> str:
    query = sample.request.query
    text: str = library(sample).decrypt_message(
        sample.request.body, query["msg_signature"], query["timestamp"], query["nonce"]
    )
    return text


def ours(sample: Sample) -> Any:
    (event,) = WECHAT.parse(sample.request, sample.connection)
    return event


def test_differences_are_samples() -> None:
    assert set(DIFFERENCES) < {sample.name for sample in SAMPLES}


@pytest.mark.parametrize("sample", ALL)
def test_the_library_verifies_and_decrypts_every_sample(sample: Sample) -> None:
    assert opened(sample).startswith("<xml>")
    query = sample.request.query
    check_signature(sample.connection.secrets[0], query["signature"], query["timestamp"], query["nonce"])


@pytest.mark.parametrize("sample", ALL)
def test_the_library_refuses_what_we_refuse(sample: Sample) -> None:
    changed = sample.request.body.replace(b"<Encrypt><![CDATA[", b"<Encrypt><![CDATA[A")
    request = Request(method="POST", query=sample.request.query, body=changed)
    assert not WECHAT.verify(request, sample.connection)
    query = sample.request.query
    with pytest.raises(InvalidSignatureException):
        library(sample).decrypt_message(changed, query["msg_signature"], query["timestamp"], query["nonce"])


def test_what_the_library_encrypts_we_read() -> None:
    sample = SAMPLES[0]
    settings = sample.connection.settings
    message = "<xml><ToUserName>gh_1</ToUserName><Content>ciao 🙂</Content></xml>"
    sealed = library(sample).encrypt_message(message, "nonce", "1795461300")
    encrypted = sealed.partition("<Encrypt><![CDATA[")[2].partition("]]>")[0]
    assert decrypt(encrypted, settings["aes_key"], settings["app_id"]).decode() == message
    proof = sealed.partition("<MsgSignature><![CDATA[")[2].partition("]]>")[0]
    query = {"timestamp": "1795461300", "nonce": "nonce", "msg_signature": proof}
    assert WECHAT.verify(Request(method="POST", query=query, body=sealed.encode()), sample.connection)
    again = wechat_encrypted(message.encode(), settings["aes_key"], settings["app_id"])
    assert (
        library(sample).decrypt_message(
            {"Encrypt": again},
            wechat_signature(sample.connection.secrets[0], "1", "2", again),
            "1",
            "2",
        )
        == message
    )


def test_the_plain_signature_is_the_librarys() -> None:
    now = str(int(time.time()))
    proof = wechat_signature("sampletoken", now, "7")
    check_signature("sampletoken", proof, now, "7")
    connection = Connection(name="main", secrets=("sampletoken",), settings={"mode": "plain"})
    query = {"timestamp": now, "nonce": "7", "signature": proof}
    assert WECHAT.verify(Request(method="POST", query=query, body=b"<xml/>"), connection)


@pytest.mark.parametrize("sample", ALIKE)
def test_messages_are_read_alike(sample: Sample) -> None:
    theirs, event = parse_message(opened(sample)), ours(sample)
    assert not isinstance(theirs, UnknownMessage)
    assert theirs.target == event.account
    if isinstance(event, Ignored):
        assert isinstance(theirs, BaseEvent)
        return
    assert theirs.time * 1000 == event.time
    if isinstance(event, Connected):
        assert theirs.event == event.detail
        return
    assert isinstance(event, Inbound)
    assert theirs.source == event.customer.id
    if isinstance(theirs, BaseEvent):
        compare_event(theirs, event)
    else:
        assert str(theirs.id) == event.id
        compare_message(theirs, event)


def compare_message(theirs: Any, event: Inbound) -> None:
    match theirs:
        case TextMessage():
            assert (event.kind, event.text) == (Kind.TEXT, theirs.content)
        case ImageMessage() | VoiceMessage() | VideoMessage() | ShortVideoMessage():
            assert [media.id for media in event.media] == [theirs.media_id]
            assert event.text == (getattr(theirs, "recognition", None) or "")
        case LocationMessage():
            assert event.place is not None
            assert [event.place.latitude, event.place.longitude] == [*map(float, theirs.location)]
            assert event.place.address == theirs.label
        case LinkMessage():
            assert event.text.split("\n") == [theirs.title, theirs.description, theirs.url]
        case _:
            raise AssertionError(f"{type(theirs).__name__} is not compared")


def compare_event(theirs: Any, event: Inbound) -> None:
    kinds = {"subscribe": Kind.START, "subscribe_scan": Kind.START, "scan": Kind.START}
    kinds |= {"unsubscribe": Kind.SERVICE, "click": Kind.BUTTON, "scancode_waitmsg": Kind.BUTTON}
    assert event.kind is kinds[theirs.event]
    if isinstance(theirs, SubscribeScanEvent) or theirs.event in ("scan",):
        assert event.payload == theirs.scene_id
    elif event.kind is Kind.BUTTON:
        assert event.payload == theirs.key
    if isinstance(theirs, ScanCodeWaitMsgEvent):
        assert event.text == theirs.scan_result


def test_most_samples_are_read_alike() -> None:
    assert len(ALIKE) >= 18
