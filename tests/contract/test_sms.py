"""Twilio's signature and the traps of its webhooks; how texts are counted, and which ones end a talk."""

import hashlib
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest

from sportello.channels import twilio
from sportello.channels.base import Account, Connection, MediaGone, Outbound, Problem, Request, Unparseable
from sportello.channels.sms import Sms
from sportello.channels.sms_text import STOP_WORDS, is_start, is_stop, segments
from sportello.domain.events import Ignored, Inbound, Kind, Media, PlatformEvent, Receipt, Unreadable
from tests.contract.samples import all_samples
from tests.contract.vectors import other_vectors

SMS = Sms()
URL = "https://care.example.com/main"
ACCOUNT = "AC" + "0" * 31 + "1"
US, CUSTOMER = "+15550100100", "+15550100201"
CONNECTION = Connection(
    name="main",
    secrets=("a-token",),
    accounts=(Account(id=US),),
    settings={"provider": "twilio", "account_sid": ACCOUNT, "url": URL},
)


def connection(url: str = URL, *tokens: str) -> Connection:
    settings = {**CONNECTION.settings, "url": url}
    return CONNECTION.model_copy(update={"settings": settings, "secrets": tokens or ("a-token",)})


def posted(form: dict[str, Any] | str, url: str = URL, token: str = "a-token") -> Request:
    body = form if isinstance(form, str) else urlencode(form, doseq=True)
    base, _, query = url.partition("?")
    return Request(
        method="POST",
        path="/" + base.partition("//")[2].partition("/")[2],
        query=dict(parse_qsl(query, keep_blank_values=True)),
        raw_query=query,
        headers={
            "host": base.partition("//")[2].partition("/")[0],
            "x-twilio-signature": twilio.signature(token, url, parse_qsl(body, keep_blank_values=True)),
        },
        body=body.encode(),
    )


def message(**changes: Any) -> dict[str, Any]:
    return {
        "MessageSid": "SM1",
        "From": CUSTOMER,
        "To": US,
        "Body": "Ciao",
        "SmsStatus": "received",
        **changes,
    }


def read(form: dict[str, Any] | str, url: str = URL) -> PlatformEvent:
    (event,) = SMS.parse(posted(form, url), CONNECTION)
    return event


def inbound(**changes: Any) -> Inbound:
    event = read(message(**changes))
    assert isinstance(event, Inbound)
    return event


class TestSignature:
    @pytest.mark.parametrize("number", range(max(len(other_vectors("twilio")), 1)))
    def test_vectors_hold(self, number: int) -> None:
        vectors = other_vectors("twilio")
        if not vectors:
            return  # the cases below are the same ones, of our own making
        vector = vectors[number]
        given = [vector["expected"], *vector.get("also_accept", {}).values()]
        body = vector.get("form") or urlencode(vector.get("params", {})) or vector["json_body"]
        for value in given:
            request = _of(vector["url"], body, value)
            base = vector["url"].partition("?")[0]
            assert SMS.verify(request, connection(base, vector["token"])), value
        if wrong := vector.get("wrong_if_blank_values_dropped"):
            assert not SMS.verify(_of(vector["url"], body, wrong), connection(vector["url"], vector["token"]))

    @pytest.mark.parametrize(
        "form",
        [
            {"a": "1"},
            {"a": "", "b": ""},
            {"b": ["2", "1", "1"], "a": "x"},
            {"Body": "Perché + più & 100 % ☺ 🙂\r\n", "From": "+39"},
            {"a": "b=c&d", "ab": "c"},
        ],
    )
    def test_every_parameter_counts(self, form: dict[str, Any]) -> None:
        request = posted(form)
        assert SMS.verify(request, CONNECTION)
        for more in (b"&z=", b"&z=1", b"&From=%2B1"):
            assert not SMS.verify(replace(request, body=request.body + more), CONNECTION)

    def test_this_is_the_formula(self) -> None:
        """Name and value, joined without anything between, in the order of names; written out by hand."""
        import base64
        import hmac

        text = URL + "?x=1" + "Body" + "Ciao" + "From" + "+39" + "ToCity" + ""
        proof = base64.b64encode(hmac.new(b"a-token", text.encode(), hashlib.sha1).digest()).decode()
        request = _of(URL + "?x=1", "ToCity=&From=%2B39&Body=Ciao", proof)
        assert SMS.verify(request, CONNECTION)

    def test_a_repeated_value_counts_once(self) -> None:
        once, twice = (
            twilio.signature("t", URL, [("a", "1"), ("a", "2")]),
            twilio.signature("t", URL, [("a", "2"), ("a", "1"), ("a", "2")]),
        )
        assert once == twice != twilio.signature("t", URL, [("a", "1")])

    def test_get_signs_the_address_alone(self) -> None:
        url = f"{URL}?Body=Ciao&From=%2B15550100201&To=%2B15550100100&MessageSid=SM1"
        request = replace(posted("", url), method="GET")
        assert SMS.verify(request, CONNECTION)
        (event,) = SMS.parse(request, CONNECTION)
        assert isinstance(event, Inbound)
        assert event.text == "Ciao"
        assert not SMS.verify(replace(request, raw_query=request.raw_query + "x"), CONNECTION)

    def test_json_is_signed_by_its_hash_in_the_address(self) -> None:
        body = b'{"MessageSid": "SM1", "MessageStatus": "delivered", "From": "+15550100100"}'
        url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
        request = replace(posted("", url), body=body)
        assert SMS.verify(request, CONNECTION)
        (event,) = SMS.parse(request, CONNECTION)
        assert isinstance(event, Receipt)
        assert not SMS.verify(replace(request, body=body + b" "), CONNECTION)
        assert not SMS.verify(_of(url.replace("bodySHA256", "body"), body.decode(), "x"), CONNECTION)

    @pytest.mark.parametrize(
        ("registered", "called"),
        [
            ("https://care.example.com/main", "https://care.example.com/main"),
            ("https://care.example.com/main", "https://care.example.com:443/main"),
            ("https://care.example.com:443/main", "https://care.example.com/main"),
            ("https://care.example.com", "https://care.example.com/main"),
            ("https://care.example.com/", "https://care.example.com/main"),
            ("", "https://sample.lambda-url.eu-south-1.on.aws/main"),
            ("http://127.0.0.1:4566/main", "http://127.0.0.1:4566/main"),
        ],
    )
    def test_the_address_is_the_one_that_was_called(self, registered: str, called: str) -> None:
        request = posted(message(), called)
        assert SMS.verify(request, connection(registered))

    @pytest.mark.parametrize(
        "called",
        ["https://care.example.com/main/", "https://care.example.com/other", "http://care.example.com/main"],
    )
    def test_another_address_is_refused(self, called: str) -> None:
        assert not SMS.verify(posted(message(), called), CONNECTION)

    def test_the_order_of_the_query_counts(self) -> None:
        request = posted(message(), f"{URL}?a=1&b=2")
        assert SMS.verify(request, CONNECTION)
        assert not SMS.verify(replace(request, raw_query="b=2&a=1"), CONNECTION)

    def test_either_token_of_a_rotation_is_accepted_and_an_empty_one_never(self) -> None:
        request = posted(message())
        assert SMS.verify(request, connection(URL, "newer", "a-token"))
        assert not SMS.verify(request, connection(URL, "newer"))
        assert not SMS.verify(posted(message(), token=""), connection(URL, "", ""))


def _of(url: str, body: str, proof: str) -> Request:
    return replace(posted(body, url), headers={"x-twilio-signature": proof})


class TestMessages:
    def test_there_is_no_time_so_arrival_counts(self) -> None:
        assert inbound().time is None

    def test_zero_bytes_go(self) -> None:
        assert inbound(Body="a\x00b\x00").text == "ab"

    def test_ids_are_looked_for_under_all_three_names(self) -> None:
        for name in ("MessageSid", "SmsSid", "SmsMessageSid"):
            form = {key: value for key, value in message().items() if key != "MessageSid"} | {name: "SM9"}
            event = read(form)
            assert isinstance(event, Inbound)
            assert event.id == "SM9"

    @pytest.mark.parametrize("sender", ["", " ", "x" * 65, "a\nb"])
    def test_a_sender_that_is_none_is_kept_for_people(self, sender: str) -> None:
        assert isinstance(read(message(From=sender)), Unreadable)

    def test_what_is_no_message_at_all_is_told(self) -> None:
        for body in ("", "a=b", '{"a": 1}'):
            with pytest.raises(Unparseable):
                SMS.parse(posted(body), CONNECTION)

    def test_files_end_where_their_addresses_end(self) -> None:
        urls = {f"MediaUrl{number}": f"https://api.twilio.com/{number}" for number in (0, 1, 3)}
        media = inbound(NumMedia="4", **urls).media
        assert [file.id for file in media] == ["0", "1"]
        assert [file.kind for file in media] == ["document", "document"]

    def test_number_and_service_are_told_apart(self) -> None:
        service = "MG" + "0" * 32
        ours = CONNECTION.model_copy(update={"accounts": (Account(id=service),)})
        (event,) = SMS.parse(posted(message(MessagingServiceSid=service)), ours)
        assert event.account == service
        (event,) = SMS.parse(posted(message(MessagingServiceSid=service)), CONNECTION)
        assert event.account == US
        (event,) = SMS.parse(posted(message(MessagingServiceSid="MG2", To="+15550100177")), CONNECTION)
        assert event.account == "+15550100177", "a number that is not ours must be seen not to be"


class TestOptOut:
    @pytest.mark.parametrize(
        "text", ["STOP", "stop", " Stop!\n", "«STOP»", "UNSUBSCRIBE", "Arrêt", "Basta  SMS"]
    )
    def test_a_word_alone_ends_it(self, text: str) -> None:
        assert is_stop(text)
        event = inbound(Body=text)
        assert (event.kind, event.detail) == (Kind.SERVICE, "blocked")

    @pytest.mark.parametrize(
        "text",
        ["", "don't stop", "stop the order", "Annulla", "basta", "no", "HELP", "x" * 10_000, "stop " * 99],
    )
    def test_other_words_do_not(self, text: str) -> None:
        assert not is_stop(text)
        assert inbound(Body=text).kind is Kind.TEXT

    @pytest.mark.parametrize("text", ["START", "unstop", "Start."])
    def test_a_word_alone_brings_the_customer_back(self, text: str) -> None:
        assert is_start(text)
        assert inbound(Body=text).detail == "unblocked"

    def test_yes_is_an_answer(self) -> None:
        assert inbound(Body="YES").kind is Kind.TEXT

    def test_what_twilio_says_of_a_word_counts(self) -> None:
        assert inbound(Body="Fine dei messaggi", OptOutType="STOP").detail == "blocked"
        assert inbound(Body="Di nuovo", OptOutType="START").detail == "unblocked"
        assert inbound(Body="STOP", OptOutType="HELP").kind is Kind.TEXT

    def test_the_platforms_words_are_all_there(self) -> None:
        twilios = {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
        aws = {"arret", "cancel", "end", "opt-out", "optout", "quit", "remove", "stop", "td", "unsubscribe"}
        assert twilios | aws <= STOP_WORDS


class TestReceipts:
    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("sent", "sent"),
            ("delivered", "delivered"),
            ("read", "read"),
            ("undelivered", "failed"),
            ("failed", "failed"),
            ("canceled", "failed"),
        ],
    )
    def test_each_word_is_known(self, word: str, status: str) -> None:
        event = read({"MessageSid": "SM1", "MessageStatus": word, "From": US, "To": CUSTOMER})
        assert isinstance(event, Receipt)
        assert event.status == status
        assert bool(event.problem) == (status == "failed")

    @pytest.mark.parametrize(
        "word", ["queued", "accepted", "scheduled", "sending", "partially_delivered", "huh", "x" * 500]
    )
    def test_other_words_are_named_and_let_go(self, word: str) -> None:
        event = read({"MessageSid": "SM1", "MessageStatus": word, "From": US})
        assert event == Ignored(account=US, why=f"status {word[:32]}")

    def test_the_tag_comes_back_as_it_went(self) -> None:
        tag = "abcdefghijklmnopqrstuvwxyz M#0000000000001#a+b~hours"
        url = twilio.callback(CONNECTION, tag=tag)
        assert url == f"{URL}?tag={quote(tag, safe='')}"
        request = posted({"MessageSid": "SM1", "MessageStatus": "sent", "From": US}, url)
        assert SMS.verify(request, CONNECTION)
        (event,) = SMS.parse(request, CONNECTION)
        assert isinstance(event, Receipt)
        assert event.tag == tag

    @pytest.mark.parametrize(
        ("code", "problem"),
        [("30008", "temporary"), ("99999", "refused"), ("", "refused"), ("x" * 99, "refused")],
    )
    def test_a_failure_says_what_it_means(self, code: str, problem: str) -> None:
        event = read({"MessageSid": "SM1", "MessageStatus": "failed", "From": US, "ErrorCode": code})
        assert isinstance(event, Receipt)
        assert event.problem == problem
        assert event.code == (code or "failed")[:32]

    def test_a_carriers_odd_time_is_none(self) -> None:
        for done in ("", "9999999999", "x", "26112320150"):
            event = read({"MessageSid": "SM1", "MessageStatus": "sent", "From": US, "RawDlrDoneDate": done})
            assert isinstance(event, Receipt)
            assert event.time == 0


class TestSegments:
    @pytest.mark.parametrize(
        ("text", "count"),
        [
            ("", 1),
            ("a" * 160, 1),
            ("a" * 161, 2),
            ("a" * 306, 2),
            ("a" * 307, 3),
            ("à" * 160, 1),
            ("€" * 80, 1),
            ("€" * 81, 2),
            ("a" * 152 + "€" + "a" * 152, 3),  # the escape and its character stay together
            ("a" * 151 + "€" + "a" * 153, 2),
            ("[{~}]|\\^€\f" * 8, 1),
            ("č" * 70, 1),
            ("č" * 71, 2),
            ("a" * 69 + "č", 1),
            ("a" * 70 + "č", 2),
            ("č" * 134, 2),
            ("č" * 135, 3),
            ("🙂" * 35, 1),
            ("🙂" * 36, 2),
            ("č" * 66 + "🙂" + "č" * 66, 3),  # and so do the halves of an emoji
            ("’" + "a" * 70, 2),
            ("ç", 1),
            ("a\nb\r\n", 1),
            ("x" * 1600, 11),
        ],
    )
    def test_parts_are_counted_as_they_are_paid(self, text: str, count: int) -> None:
        assert segments(text) == count

    def test_the_alphabet_has_its_128_places(self) -> None:
        from sportello.channels.sms_text import BASIC, EXTENSION

        assert len(BASIC) == 127  # and the escape
        assert len(EXTENSION) == 10
        assert not BASIC & EXTENSION


class TestAnswer:
    def test_it_is_empty_twiml_for_every_webhook(self) -> None:
        for sample in all_samples("sms"):
            answer = SMS.acknowledge(sample.request, sample.connection, lambda: False)
            assert answer.status == 200
            assert answer.content_type.startswith("text/xml")
            assert answer.body.endswith("<Response/>")

    def test_files_are_fetched_from_twilio_alone(self) -> None:
        media = Media(kind="image", id="ME1", url="https://api.twilio.com/2010-04-01/x/ME1")
        download = SMS.download(media, CONNECTION, http=None)  # type: ignore[arg-type]
        assert download.url == media.url
        assert download.headers["authorization"].startswith("Basic ")
        for url in (
            "", "http://api.twilio.com/x", "https://api.twilio.com.example.com/x", "https://x@api.twilio.com",
            "https://api.twilio.com:444/x", "https://example.com/", "https://[",
        ):  # fmt: skip
            with pytest.raises(MediaGone):
                SMS.download(media.model_copy(update={"url": url}), CONNECTION, None)  # type: ignore[arg-type]

    def test_no_buttons_and_no_templates(self) -> None:
        from sportello.channels.base import Button, Template

        message = Outbound(account=US, to=CUSTOMER, text="x")
        assert SMS.refusal(message, None, 0) is None
        for more in (
            {"buttons": (Button(id="a", title="A"),)},
            {"template": Template(name="a", language="it")},
        ):
            assert SMS.refusal(message.model_copy(update=more), None, 0) is Problem.REFUSED
        assert SMS.refusal(message.model_copy(update={"text": "x" * 1601}), None, 0) is Problem.TOO_LONG
