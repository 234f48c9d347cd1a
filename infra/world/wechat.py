"""WeChat's API as the desk calls it: developers.weixin.qq.com/doc/offiaccount.

HTTP says 200 whatever happens; ``errcode`` in the body tells.
"""

import re
from typing import Any

from infra.world.faults import Fault
from infra.world.files import place_of, uploaded
from infra.world.model import Person, Say, Shown, Webhook
from infra.world.platform import StandIn
from infra.world.state import State
from infra.world.wechat_account import LOCAL_ACCOUNT, WeChatAccount
from infra.world.wechat_events import address_of, build, file_place, video_place
from infra.world.wire import Answer, Call, Target, json_answer
from sportello.channels.base import Button
from sportello.domain.model import SECOND

PATH = re.compile(r"/cgi-bin/([a-z_/]+)")
ESCAPED = re.compile(rb"\\u[0-9a-fA-F]{4}")
TEXT_BYTES = 2048
TOKEN_SECONDS = 7200
UPLOADS = {"image": 10_000_000, "voice": 2_000_000, "video": 10_000_000, "thumb": 64_000}
WORDS = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40003: "invalid openid",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40125: "invalid appsecret",
    40164: "invalid ip, not in whitelist",
    44004: "empty content",
    45001: "media size out of limit",
    45002: "content size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    47001: "data format error",
    48001: "api unauthorized",
}
FAULTS = {
    "429": 45011,
    "quota": 45009,
    "busy": -1,
    "blocked": 43004,
    "window_closed": 45015,
    "used_up": 45047,
}


class Refused(Exception):
    def __init__(self, number: int) -> None:
        super().__init__(WORDS.get(number, "error"))
        self.number = number

    def answer(self) -> Answer:
        value = {"errcode": self.number, "errmsg": f"{self} hint: [sample]"}
        return json_answer(200, value, code=str(self.number))


class WeChat(StandIn):
    name = "wechat"
    hosts = ("api.weixin.qq.com",)
    faults = frozenset({*FAULTS, "500", "error", "token_expired", "not_listed"})
    account_model = WeChatAccount

    def local_account(self) -> WeChatAccount:
        return LOCAL_ACCOUNT

    def local_connection(self, account: WeChatAccount) -> dict[str, Any]:
        settings = {"app_id": account.app_id, "original_id": account.id, "mode": account.mode}
        return {
            "secrets": [account.token],
            "token": account.app_secret,
            "accounts": [{"id": account.id, "role": "care"}],
            "settings": settings | ({"aes_key": account.aes_key} if account.aes_key else {}),
        }

    def address(self, person: Person) -> str:
        return address_of(person)

    def say(self, say: Say) -> tuple[Webhook, str]:
        return build(self, say)

    def accepts(self, status: int, body: str) -> bool:
        """Anything else is tried three times, and then its user is told that the account is out of order."""
        return status == 200 and body in ("", "success")

    def target(self, call: Call) -> Target:
        match = PATH.fullmatch(call.path)
        method = match.group(1) if match else "unknown"
        return Target(method, str((call.json or {}).get("touser", "")), sends=method == "message/custom/send")

    def answer(self, call: Call) -> Answer:
        try:
            with self.state.lock:
                return self._answer(call, self.target(call).method)
        except Refused as refused:
            return refused.answer()

    def fail(self, call: Call, fault: Fault) -> Answer:
        if fault.kind == "500":
            return json_answer(500, {}, code="500")
        if fault.kind == "not_listed":
            return Refused(40164).answer()
        if fault.kind == "token_expired":
            return (
                self.answer(call) if self.target(call).method == "stable_token" else Refused(40001).answer()
            )
        return Refused(FAULTS.get(fault.kind) or int(fault.code or "-1")).answer()

    def _answer(self, call: Call, method: str) -> Answer:
        if method == "stable_token":
            return self._stable_token(call.json or {})
        account = self._account_of(call)
        match method:
            case "message/custom/send":
                return _send(self.state, account, call)
            case "media/upload":
                return _upload(self.state, call)
            case "media/get":
                return _file(self.state, call)
            case "user/info":
                return _user(self.state, account, call)
            case "customservice/getkflist":
                if not account.verified:
                    raise Refused(48001)
                return json_answer(200, {"kf_list": []})
        return json_answer(404, {}, code="404")

    # --- tokens ------------------------------------------------------------------------------------

    def _stable_token(self, body: dict[str, Any]) -> Answer:
        """The same token for whoever asks, until it ends; by force a new one, and the old one ends."""
        accounts: tuple[WeChatAccount, ...] = self.state.accounts_of("wechat")
        account = next((one for one in accounts if one.app_id == body.get("appid")), None)
        if account is None or body.get("grant_type") != "client_credential":
            raise Refused(40013)
        if not account.listed:
            raise Refused(40164)
        if account.app_secret != body.get("secret"):
            raise Refused(40125)
        now = self.state.now()
        if body.get("force_refresh") is True or now >= account.access_ends - 300 * SECOND:
            token = f"world-token-{self.state.next('wechat tokens')}"
            ends = now + TOKEN_SECONDS * SECOND
            account = account.model_copy(update={"access_token": token, "access_ends": ends})
            self.state.keep_account("wechat", account)
        seconds = (account.access_ends - now) // SECOND
        return json_answer(200, {"access_token": account.access_token, "expires_in": seconds})

    def _account_of(self, call: Call) -> WeChatAccount:
        token, now = call.query.get("access_token", ""), self.state.now()
        accounts: tuple[WeChatAccount, ...] = self.state.accounts_of("wechat")
        for account in accounts:
            if token and account.access_token == token and now < account.access_ends:
                return account
        raise Refused(40001)


# --- messages ---------------------------------------------------------------------------------------


def _send(state: State, account: WeChatAccount, call: Call) -> Answer:
    body = call.json
    if body is None:
        raise Refused(47001)
    if not account.verified:
        raise Refused(48001)
    user, kind = str(body.get("touser", "")), str(body.get("msgtype", ""))
    text, buttons, media_id = _content(body, kind)
    file = state.upload("wechat", media_id) if media_id else None
    if media_id and file is None:
        raise Refused(40007)
    _take_one(state, account, user)
    if ESCAPED.search(call.body):  # WeChat shows such escapes as they are
        text = text.encode("unicode_escape").decode()
    shown = Shown(
        id=str(state.next("wechat sent")),
        direction="out",
        kind=kind,
        text=text,
        buttons=buttons,
        file=file,
        time=state.now(),
        account=account.id,
    )
    state.show("wechat", user, shown)
    return json_answer(200, {"errcode": 0, "errmsg": "ok"}, id=shown.id)


def _content(body: dict[str, Any], kind: str) -> tuple[str, tuple[Button, ...], str]:
    part = body.get(kind)
    if not isinstance(part, dict):
        raise Refused(40008)
    if kind == "text":
        return _checked(str(part.get("content", ""))), (), ""
    if kind == "msgmenu":
        buttons = tuple(
            Button(id=str(one["id"]), title=str(one["content"]))
            for one in part.get("list", ())
            if one.get("id")
        )
        if not buttons:
            raise Refused(47001)
        return _checked(str(part.get("head_content", ""))), buttons, ""
    if kind in ("image", "voice") or (kind == "video" and part.get("thumb_media_id")):
        return "", (), str(part.get("media_id", "-"))
    raise Refused(40008)


def _checked(text: str) -> str:
    if not text:
        raise Refused(44004)
    if len(text.encode("utf-8", "replace")) > TEXT_BYTES:
        raise Refused(45002)
    return text


def _take_one(state: State, account: WeChatAccount, user: str) -> None:
    """One of the messages that what the customer did last allows."""
    talk = state.talk("wechat", account.id, user)
    if talk is None:
        raise Refused(40003)
    if talk.blocked or state.now() >= int(talk.more.get("until", "0")):
        raise Refused(45015)
    left = int(talk.more.get("left", "0"))
    if left < 1:
        raise Refused(45047)
    state.keep_talk("wechat", account.id, user, more={**talk.more, "left": str(left - 1)})


# --- files and people -------------------------------------------------------------------------------


def _upload(state: State, call: Call) -> Answer:
    kind, part = call.query.get("type", ""), call.parts.get("media")
    if kind not in UPLOADS:
        raise Refused(40004)
    if part is None or not part.filename or not part.content:
        raise Refused(41005)
    if len(part.content) > UPLOADS[kind]:
        raise Refused(45001)
    media_id = f"ours-{state.next('wechat uploads')}"
    mime = part.content_type.partition(";")[0]
    state.keep_upload("wechat", media_id, uploaded(part.content, part.filename, mime))
    return json_answer(200, {"type": kind, "media_id": media_id, "created_at": state.now() // SECOND})


def _file(state: State, call: Call) -> Answer:
    """The file itself; of a video where it lies, in an address without encryption."""
    media_id = call.query.get("media_id", "")
    if state.served(place_of(video_place(media_id))) is not None:
        return json_answer(200, {"video_url": video_place(media_id).replace("https://", "http://")})
    place = place_of(file_place(media_id))
    served = state.served(place)
    if served is None:
        raise Refused(40007)
    return served.answer(place, call)


def _user(state: State, account: WeChatAccount, call: Call) -> Answer:
    user = call.query.get("openid", "")
    talk = state.talk("wechat", account.id, user)
    if talk is None:
        raise Refused(40003)
    if talk.blocked:
        return json_answer(200, {"subscribe": 0, "openid": user})
    known = {"subscribe": 1, "openid": user, "language": "zh_CN", "remark": "", "groupid": 0}
    return json_answer(200, known | {"subscribe_scene": "ADD_SCENE_SEARCH"})
