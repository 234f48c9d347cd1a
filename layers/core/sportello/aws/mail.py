"""Mail to people of the desk, through SESv2. SES writes the headers, so nothing can be injected there."""

from botocore.exceptions import BotoCoreError, ClientError

from sportello.aws import clients
from sportello.aws.environment import environment

SUBJECT_LIMIT = 200
FINAL = frozenset({"MessageRejected", "MailFromDomainNotVerifiedException", "BadRequestException"})
"""Errors that no second try mends."""


class NotTold(Exception):
    """A mail was not taken; ``final`` when trying again will never help."""

    def __init__(self, problem: str, final: bool) -> None:
        super().__init__(problem)
        self.problem = problem
        self.final = final


def send_mail(to: str, subject: str, text: str) -> None:
    """One plain-text mail, marked as generated so that no autoresponder answers it (RFC 3834)."""
    sender = environment().mail_from
    if not sender:
        raise NotTold("no_sender", final=True)
    try:
        clients.sesv2().send_email(
            FromEmailAddress=sender,
            Destination={"ToAddresses": [to]},
            Content={
                "Simple": {
                    "Subject": {"Data": " ".join(subject.split())[:SUBJECT_LIMIT], "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": text, "Charset": "UTF-8"}},
                    "Headers": [
                        {"Name": "Auto-Submitted", "Value": "auto-generated"},
                        {"Name": "X-Auto-Response-Suppress", "Value": "OOF, AutoReply"},
                    ],
                }
            },
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise NotTold(code, final=code in FINAL) from None
    except BotoCoreError as error:
        raise NotTold(type(error).__name__, final=False) from None
