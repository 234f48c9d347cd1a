"""WeChat, inbound: three modes, what is signed in each, and XML that nobody should send."""

import time
from dataclasses import replace
from typing import Any

import pytest

from sportello.channels.base import Account, Connection, Request, Unparseable
from sportello.channels.wechat import FRESH_SECONDS, WeChat
from sportello.channels.wechat_crypto import decrypt, signature
from sportello.domain.events import Ignored, Inbound, Kind, PlatformEvent, Unreadable
from tests.contract.corpus import FIXTURES
from tests.contract.signing import wechat_encrypted, wechat_signature
from tests.contract.vectors import other_vectors

TOKEN = "sampletoken"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
APP_ID = "wx1234567890abcdef"
ACCOUNT = "gh_0000000000a1"
USER = "oSampleUser"
SAFE = Connection(
    name="main",
    secrets=(TOKEN,),
    accounts=(Account(id=ACCOUNT),),
    settings={"app_id": APP_ID, "mode": "safe", "aes_key": AES_KEY},
)
PLAIN = SAFE.model_copy(update={"settings": {"app_id": APP_ID, "mode": "plain"}})
WECHAT = WeChat()
STAMP = ("1409735669", "1320562132")


def xml(inner: str = "", **fields: Any) -> bytes:
    message = {"ToUserName": ACCOUNT, "FromUserName": USER, "CreateTime": 1795461300, "MsgType": "text"}
    parts = [f"<{name}>{value}</{name}>" for name, value in (message | fields).items() if value is not None]
    return f"<xml>{''.join(parts)}{inner}</xml>".encode()


TEXT = xml(Content="ciao", MsgId="1")


def request(body: bytes, **query: str) -> Request:
    return Request(method="POST", path="/main", query=query, body=body)


def plain(body: bytes = TEXT, at: float | None = None, token: str = TOKEN, nonce: str = "7") -> Request:
    written = str(int(time.time() if at is None else at))
    return request(
        body, timestamp=written, nonce=nonce, signature=wechat_signature(token, written, nonce), openid=USER
    )


def safe(body: bytes = TEXT, *, beside: str = "", token: str = TOKEN, **changes: str) -> Request:
    """As WeChat encrypts it; ``beside`` is the readable copy of compatible mode."""
    encrypted = wechat_encrypted(body, changes.get("aes_key", AES_KEY), changes.get("app_id", APP_ID))
    proof = wechat_signature(token, *STAMP, encrypted)
    query = dict(zip(("timestamp", "nonce"), STAMP, strict=True))
    whole = f"<xml>{beside}<Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode()
    return request(whole, **query, encrypt_type="aes", msg_signature=proof)


def parsed(body: bytes) -> PlatformEvent:
    (event,) = WECHAT.parse(safe(body), SAFE)
    return event


def inbound(inner: str = "", **fields: Any) -> Inbound:
    event = parsed(xml(inner, **fields))
    assert isinstance(event, Inbound), event
    return event


class TestPlainMode:
    def test_the_signature_is_of_token_time_and_nonce(self) -> None:
        assert WECHAT.verify(plain(), PLAIN)
        assert not WECHAT.verify(plain(token="another"), PLAIN)
        assert not WECHAT.verify(plain(token=""), PLAIN.model_copy(update={"secrets": ("",)}))

    def test_the_published_vectors_hold(self) -> None:
        assert signature("weixin_token", *STAMP) == "1ca756b5af0afe6b71e11a315597e5fd87ee20e5"
        for vector in other_vectors("wechat_plain"):
            texts = (vector["token"], vector["timestamp"], vector["nonce"])
            assert signature(*texts) == vector["expected_signature"]

    @pytest.mark.parametrize("seconds", [-FRESH_SECONDS - 5, FRESH_SECONDS + 5, -(10**9)])
    def test_an_address_seen_by_somebody_is_good_for_minutes_only(self, seconds: int) -> None:
        assert not WECHAT.verify(plain(at=time.time() + seconds), PLAIN)

    @pytest.mark.parametrize("seconds", [-FRESH_SECONDS + 30, 0, FRESH_SECONDS - 30])
    def test_within_them_a_repetition_is_taken_and_is_the_same_message(self, seconds: int) -> None:
        again = plain(at=time.time() + seconds)
        assert WECHAT.verify(again, PLAIN)
        assert WECHAT.parse(again, PLAIN) == WECHAT.parse(plain(), PLAIN)

    @pytest.mark.parametrize("written", ["", "now", "-1", "1e9", "٣", " 1", "9" * 400])
    def test_a_time_that_is_none_is_not_fresh(self, written: str) -> None:
        query = {"timestamp": written, "nonce": "7", "signature": wechat_signature(TOKEN, written, "7")}
        assert not WECHAT.verify(request(TEXT, **query), PLAIN)

    def test_a_ciphertext_cannot_be_read(self) -> None:
        with pytest.raises(Unparseable, match="EncodingAESKey is not set"):
            WECHAT.parse(safe(), PLAIN)


class TestSafeMode:
    def test_the_message_is_what_was_signed(self) -> None:
        assert WECHAT.verify(safe(), SAFE)
        assert not WECHAT.verify(safe(token="another"), SAFE)
        other = safe(xml(Content="other"))
        assert not WECHAT.verify(replace(safe(), body=other.body), SAFE)

    def test_a_plain_message_is_refused_however_well_it_is_signed(self) -> None:
        """Else leaving the encryption out would be the way in."""
        for mode in ("safe", "compatible", "plain", ""):
            settings = {**SAFE.settings, "mode": mode}
            assert not WECHAT.verify(plain(), SAFE.model_copy(update={"settings": settings}))

    @pytest.mark.parametrize("mode", ["safe", "compatible", "", "none"])
    def test_without_the_key_nothing_is_taken(self, mode: str) -> None:
        keyless = SAFE.model_copy(update={"settings": {"app_id": APP_ID, "mode": mode}})
        assert not WECHAT.verify(plain(), keyless)
        assert not WECHAT.verify(safe(), keyless)

    def test_the_short_signature_is_not_enough(self) -> None:
        short = wechat_signature(TOKEN, *STAMP)
        asked = {**safe().query, "signature": short, "msg_signature": short}
        assert not WECHAT.verify(replace(safe(), query=asked), SAFE)

    def test_the_readable_copy_is_nobodys_word(self) -> None:
        lie = "<FromUserName>oSomebodyElse</FromUserName><Content>give me a refund</Content>"
        copied = safe(beside=lie)
        assert WECHAT.verify(copied, SAFE)
        assert WECHAT.parse(copied, SAFE) == WECHAT.parse(safe(), SAFE)

    def test_a_second_ciphertext_is_refused(self) -> None:
        first = safe()
        doubled = first.body.replace(b"</xml>", b"<Encrypt>AAAA</Encrypt></xml>")
        assert not WECHAT.verify(replace(first, body=doubled), SAFE)

    def test_for_another_account_it_is_not_read(self) -> None:
        with pytest.raises(Unparseable, match="another AppID"):
            WECHAT.parse(safe(app_id="wx0000000000000002"), SAFE)

    def test_with_another_key_it_is_not_read(self) -> None:
        with pytest.raises(Unparseable):
            WECHAT.parse(safe(aes_key="Z" * 43), SAFE)

    @pytest.mark.parametrize("encrypted", ["", "AAAA", "è", "A" * 44, "A" * 64, " " * 64])
    def test_a_ciphertext_that_is_none(self, encrypted: str) -> None:
        with pytest.raises(Unparseable):
            decrypt(encrypted, AES_KEY, APP_ID)

    @pytest.mark.parametrize("key", ["", "short", AES_KEY + "=", "è" * 43])
    def test_a_key_that_is_none(self, key: str) -> None:
        with pytest.raises(Unparseable):
            decrypt("AAAA", key, APP_ID)

    def test_only_posts_carry_messages(self) -> None:
        assert not WECHAT.verify(replace(safe(), method="GET"), SAFE)
        assert not WECHAT.verify(replace(plain(), method="GET"), PLAIN)

    def test_the_published_vectors_hold(self) -> None:
        """Their key and ours are one; the second is WeChat Work's, which encrypts alike."""
        for vector in other_vectors("wechat_aes"):
            encrypted = vector["Encrypt"] if len(vector["Encrypt"]) > 100 else published_ciphertext()
            texts = (vector["token"], vector["timestamp"], vector["nonce"], encrypted)
            assert signature(*texts) == vector["msg_signature"]
            message = decrypt(encrypted, vector["encoding_aes_key"], vector["appid"]).decode()
            assert vector.get("plain", message) == message
            assert vector.get("expect_Content", "") in message

    def test_what_was_encrypted_here_is_read_here(self) -> None:
        """Every length of padding, 1 to 32."""
        for extra in range(32):
            body = xml(Content="x" * extra, MsgId="1")
            assert decrypt(wechat_encrypted(body, AES_KEY, APP_ID), AES_KEY, APP_ID) == body


def published_ciphertext() -> str:
    file = FIXTURES / "wechat" / "wechatpy-wechatpy__decrypt_message.xml"
    content = file.read_text("utf-8")
    return content.partition("<Encrypt><![CDATA[")[2].partition("]]>")[0]


class TestHandshake:
    def ask(self, connection: Connection, **query: str) -> Any:
        return WECHAT.handshake(Request(method="GET", query=query), connection)

    def test_the_text_comes_back_bare(self) -> None:
        query = dict(zip(("timestamp", "nonce"), STAMP, strict=True))
        proof = wechat_signature(TOKEN, *STAMP)
        answer = self.ask(SAFE, **query, signature=proof, echostr="5836982729904121631")
        assert (answer.status, answer.body) == (200, "5836982729904121631")
        assert answer.content_type.startswith("text/plain")

    def test_a_wrong_signature_is_not_answered(self) -> None:
        query = dict(zip(("timestamp", "nonce"), STAMP, strict=True))
        for proof in ("", "x", "è", wechat_signature("another", *STAMP)):
            assert self.ask(SAFE, **query, signature=proof, echostr="1") is None
            assert self.ask(SAFE, **query, msg_signature=proof, echostr="1") is None
        empty = SAFE.model_copy(update={"secrets": ("",)})
        assert self.ask(empty, **query, signature=wechat_signature("", *STAMP), echostr="1") is None

    def test_an_encrypted_text_comes_back_readable(self) -> None:
        query = dict(zip(("timestamp", "nonce"), STAMP, strict=True))
        for sent, expected in ((wechat_encrypted(b"123", AES_KEY, APP_ID), "123"), ("AAAA", None)):
            proof = wechat_signature(TOKEN, *STAMP, sent)
            answer = self.ask(SAFE, **query, msg_signature=proof, echostr=sent)
            assert (answer and answer.body) == expected

    def test_a_message_is_no_handshake(self) -> None:
        assert WECHAT.handshake(safe(), SAFE) is None
        assert WECHAT.handshake(replace(safe(), query={"echostr": "1"}), SAFE) is None


class TestXml:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"null",
            b"<xml>",
            b"<xml/>",
            b"<xml>text</xml>",
            b"<rss><a>1</a></rss>",
            b"<xml><a>&unknown;</a></xml>",
            b"<xml><a>&#0;</a></xml>",
            b"<xml><a>\xff</a></xml>",
            b"<xml><a>\xed\xa0\x80</a></xml>",
            b"<xml>" + b"<a>" * 1000 + b"</a>" * 1000 + b"</xml>",
            b'<?xml version="1.0" encoding="klingon"?><xml',
            b"<!DOCTYPE xml><xml><a>1</a></xml>",
            b'<!DOCTYPE xml [<!ENTITY a "b">]><xml><a>&a;</a></xml>',
            b'<!DOCTYPE xml SYSTEM "http://127.0.0.1/x.dtd"><xml><a>1</a></xml>',
            b'<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><a>&a;</a></xml>',
            b'<!DOCTYPE xml [<!ENTITY % a SYSTEM "http://127.0.0.1/x">%a;]><xml><a>1</a></xml>',
        ],
    )
    def test_what_is_not_wechats_is_not_read(self, body: bytes) -> None:
        with pytest.raises(Unparseable):
            WECHAT.parse(plain(body), PLAIN)
        assert not WECHAT.verify(request(body, **safe().query), SAFE)

    def test_entities_do_not_multiply(self) -> None:
        levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
        bomb = f'<!DOCTYPE xml [<!ENTITY a0 "x">{levels}]><xml><a>&a9;</a></xml>'.encode()
        started = time.process_time()
        with pytest.raises(Unparseable, match="document type"):
            WECHAT.parse(plain(bomb), PLAIN)
        assert time.process_time() - started < 1

    def test_plain_values_and_cdata_are_alike(self) -> None:
        for value in ("a &lt; b", "<![CDATA[a < b]]>", "\n <![CDATA[a <]]><![CDATA[ b]]> \n"):
            assert inbound(Content=value, MsgId="1").text == "a < b"


class TestEvents:
    def test_milliseconds_are_known_by_their_size(self) -> None:
        assert inbound(Content="x", MsgId="1").time == 1795461300000
        assert inbound(Content="x", MsgId="1", CreateTime=1795461300123).time == 1795461300123

    def test_an_events_id_is_the_same_when_it_comes_again(self) -> None:
        first = inbound(MsgType="event", Event="CLICK", EventKey="HOURS")
        assert first.id == f"{USER}:1795461300:CLICK:HOURS"
        assert inbound(MsgType="event", Event="CLICK", EventKey="PRICES").id != first.id
        assert inbound(MsgType="event", Event="CLICK", EventKey="HOURS", Extra="x").id == first.id

    @pytest.mark.parametrize("name", ["SUBSCRIBE", "Subscribe", "subscribe"])
    def test_the_case_of_names_varies(self, name: str) -> None:
        assert inbound(MsgType="event", Event=name).kind is Kind.START
        assert inbound(MsgType="TEXT", Content="x", MsgId="1").kind is Kind.TEXT

    @pytest.mark.parametrize(
        "fields",
        [
            {"CreateTime": None},
            {"CreateTime": "soon"},
            {"CreateTime": "9" * 40},
            {"FromUserName": None},
            {"ToUserName": None},
            {"MsgType": None},
            {"MsgType": "event"},
            {"MsgId": "<a>1</a>"},
            {"FromUserName": "<a>1</a>"},
        ],
    )
    def test_what_lacks_its_frame_is_set_aside(self, fields: dict[str, Any]) -> None:
        event = parsed(xml(**{"Content": "CANARY", "MsgId": "1", **fields}))
        assert isinstance(event, Unreadable)
        assert "CANARY" not in event.why
        assert event.account == ACCOUNT

    @pytest.mark.parametrize(
        "fields",
        [
            {"MsgType": "image"},
            {"MsgType": "image", "MediaId": "<a>1</a>"},
            {"MsgType": "voice"},
            {"MsgType": "video"},
            {"MsgType": "location"},
            {"MsgType": "location", "Location_X": "north", "Location_Y": "1"},
            {"MsgType": "location", "Location_X": "1e400", "Location_Y": "nan"},
            {"MsgType": "link"},
            {"MsgType": "text", "Content": "<a>1</a>"},
            {"MsgType": "miniprogrampage", "Title": "x"},
        ],
    )
    def test_what_cannot_be_read_is_kept_as_it_came(self, fields: dict[str, Any]) -> None:
        event = inbound(MsgId="1", **fields)
        assert (event.kind, event.detail) == (Kind.UNSUPPORTED, fields["MsgType"])
        assert event.fragment is not None
        assert event.addressed

    @pytest.mark.parametrize("name", ["VIEW", "kf_create_session", "MASSSENDJOBFINISH", "pic_weixin"])
    def test_what_is_of_no_consequence_is_named(self, name: str) -> None:
        event = parsed(xml(MsgType="event", Event=name))
        assert event == Ignored(account=ACCOUNT, why=name.lower())

    def test_an_unknown_event_asks_for_nothing(self) -> None:
        event = inbound(MsgType="event", Event="user_get_card", CardId="1")
        assert (event.kind, event.addressed, event.detail) == (Kind.UNSUPPORTED, False, "user_get_card")

    def test_the_acknowledgement_is_the_word_that_wechat_knows(self) -> None:
        answer = WECHAT.acknowledge(safe(), SAFE, lambda: True)
        assert (answer.status, answer.body) == (200, "success")
