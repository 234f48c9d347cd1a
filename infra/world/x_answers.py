"""What X says when it does not do what it was asked: problem JSON, and limits in headers."""

import time

from infra.world.wire import Answer, json_answer

QUARTER = 15 * 60
"""Seconds in which an account may send so many direct messages."""
CLOSED = "You do not have permission to DM one or more participants."
SUMMONED = (
    "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by "
    "the author of the post you are replying to."
)
GONE = "You attempted to reply to a Tweet that is deleted or not visible to you."


class Refused(Exception):
    """Problem JSON of a 4xx."""

    def __init__(self, status: int, detail: str, title: str = "Forbidden") -> None:
        super().__init__(detail)
        self.status, self.detail, self.title = status, detail, title

    def answer(self) -> Answer:
        value = {"title": self.title, "detail": self.detail, "type": "about:blank", "status": self.status}
        return json_answer(self.status, value, code=str(self.status))


def too_many(seconds: int) -> Answer:
    reset = str(int(time.time()) + seconds)
    headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": reset}
    value = {
        "title": "Too Many Requests",
        "detail": "Too Many Requests",
        "type": "about:blank",
        "status": 429,
    }
    return json_answer(429, value, code="429", headers=headers)
