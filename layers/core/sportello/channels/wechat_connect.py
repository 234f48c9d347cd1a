"""What can be wrong when an account of WeChat is connected, and what to do about it."""

import re

from sportello.channels.base import ConnectError, Connection
from sportello.channels.wechat_crypto import KEY_FORM
from sportello.channels.wechat_errors import BAD_APP_ID, BAD_SECRET, NOT_LISTED, WeChatError

MODES = ("safe", "compatible", "plain")
TOKEN_FORM = re.compile(r"[A-Za-z0-9]{3,32}")


def check_settings(connection: Connection) -> None:
    settings = connection.settings
    mode, aes_key = settings.get("mode", MODES[0]), settings.get("aes_key", "")
    if not settings.get("original_id", "").startswith("gh_"):
        raise ConnectError("the original ID begins with gh_: see Settings > Account information")
    if not (connection.secrets and TOKEN_FORM.fullmatch(connection.secrets[0])):
        raise ConnectError("the Token has to be 3 to 32 letters and digits: choose another one")
    if mode not in MODES:
        raise ConnectError(f"the encryption mode is one of {', '.join(MODES)}")
    if mode == "plain" and aes_key:
        raise ConnectError("in plain mode there is no EncodingAESKey: leave it out, or choose safe mode")
    if mode != "plain" and not KEY_FORM.fullmatch(aes_key):
        raise ConnectError("the EncodingAESKey has 43 letters and digits: copy it again, whole")


def connect_error(error: WeChatError) -> ConnectError:
    if error.number in NOT_LISTED:
        return ConnectError(
            "WeChat takes calls only from listed addresses (40164): put this machine's public address, and "
            "the desk's own, on the IP whitelist in Basic configuration",
            "address_not_listed",
        )
    if error.number == BAD_APP_ID:
        return ConnectError("WeChat does not know this AppID: copy it again", "token_refused")
    if error.number in (BAD_SECRET, 40001):
        return ConnectError("the AppSecret is wrong: reset it in Basic configuration", "token_refused")
    code = error.outcome.code
    if code in ("not_connected", "token_no_answer"):
        return ConnectError(f"api.weixin.qq.com did not answer ({code}): check the network", "no_answer")
    return ConnectError(f"WeChat refused the token: {code}")
