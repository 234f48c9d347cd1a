"""What emoji and emoticons feel: one letter each, so that a message's feelings are a short text."""

import re

GLAD, SAD, DISLIKE, ANGRY, WRY, ASKING, WAITING = "+-x!~?w"

_LISTED = {
    GLAD: (
        "👍👌🙏🙌👏🤝✌🤟💪🤗😀😃😄😁😊☺🙂😉😇🥰😍😘😗😙😚😻😺😸🤩🥳😎😋🤙🫶🫡🫂"
        "❤♥🧡💛💚💙💜🤎🖤🤍🩷💖💗💓💕💞💝💘❣😌✅✔☑💯🎉🎊✨🌹🌸🌺🌻🌼🌷💐☀🌞🥂🍾🏆🔝🆗🆒🎈🍀"
    ),
    SAD: "😢😞😔☹🙁😟😥😓😩😫😖😣😿💔🥺😕😰😨😧😦😪",
    DISLIKE: "👎😒😤🤢🤮🙅🤦💩",
    ANGRY: "😡😠🤬👿😾🖕💢☠💣🔪",
    WRY: "🙄🙃😏🤨😑😐😬🤷🤔😅😂🤣😆😭🤡🥱😴💀😳🫠🧐❌⛔🚫",
    ASKING: "❓❔⁉",
    WAITING: "👀⏰⏳⌛",
}
_FEELING = {sign: feeling for feeling, signs in _LISTED.items() for sign in signs}
_FIRST = min(_FEELING)

# Faces of punctuation, felt by their mouth; "://" of an address is none.
_EMOTICON = re.compile(r">:\(|[:;]['’]?-?(?:[)\]*]+|[DPp]+(?![a-z])|[(\[]+|[\\|]|/(?!/))|<3|\^_?\^")
_MOUTH = {"(": SAD, "[": SAD, "/": WRY, "\\": WRY, "|": WRY}
_BESIDE = re.compile("[\\s!.,…\ufe0e\ufe0f\u200d\u20e3\U0001f3fb-\U0001f3ff♀♂]+")


def feelings(text: str) -> str:
    """The feeling of each sign in the text, in order; signs that tell nothing are left out."""
    found = ""
    if not text.isascii() and max(text) >= _FIRST:
        found = "".join([_FEELING[sign] for sign in text if sign in _FEELING])
    if _has_faces(text):
        found += "".join([_of_face(face) for face in _EMOTICON.findall(text)])
    return found + SAD if "((" in text else found


def without_faces(text: str) -> str:
    """The text without emoticons: the D of ``:D`` is no word."""
    return _EMOTICON.sub(" ", text) if _has_faces(text) else text


def only(text: str) -> str:
    """``positive`` or ``negative`` where the text is nothing but such signs; empty otherwise."""
    found = set(feelings(text))
    rest = "".join([sign for sign in _BESIDE.sub("", text) if sign not in _FEELING])
    if not found or without_faces(rest).strip(" ()"):
        return ""
    if found == {GLAD}:
        return "positive"
    return "negative" if found <= {SAD, DISLIKE, ANGRY} else ""


def _has_faces(text: str) -> bool:
    return ":" in text or ";" in text or "<3" in text or "^" in text


def _of_face(face: str) -> str:
    if face == ">:(":
        return ANGRY
    return GLAD if face == "<3" else _MOUTH.get(face[-1], GLAD)
