"""Our numbers at AWS End User Messaging, and the topic between them and us: ``connect`` and ``doctor``.

Without AWS at hand (a command line with no credentials) what is left to do is said in words.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sportello.channels.base import Account, ConnectError, Connection, Finding, Probed
from sportello.channels.http import AwsRefused, Http, NoAnswer, NotConnected
from sportello.channels.sms_aws import SERVICE
from sportello.channels.sns import is_topic


def probe(connection: Connection, http: Http) -> Probed:
    """The numbers named, each checked to be ours where AWS can be asked."""
    if not connection.secrets or not is_topic(connection.secrets[0]):
        raise ConnectError("The topic's ARN has the form arn:aws:sns:eu-south-1:123456789012:name")
    numbers = [part.strip() for part in connection.settings.get("numbers", "").split(",") if part.strip()]
    if not numbers:
        raise ConnectError("Name our numbers: they stand in the AWS End User Messaging console.")
    try:
        known = _numbers(http)
    except AwsRefused as refused:
        raise ConnectError(f"AWS End User Messaging does not tell its numbers: {refused.code}") from None
    missing = [] if known is None else [number for number in numbers if number not in known]
    if missing:
        raise ConnectError(f"No number of this AWS account and region: {', '.join(missing)}")
    return Probed(accounts=tuple(Account(id=number) for number in numbers))


def subscribe(topic: str, url: str, http: Http) -> str:
    """SNS then asks the desk to confirm, which it does by itself."""
    try:
        http.aws("sns", "Subscribe", {"TopicArn": topic, "Protocol": "https", "Endpoint": url})
    except AwsRefused as refused:
        raise ConnectError(f"SNS refused the subscription: {refused.code}") from None
    except (NotConnected, NoAnswer):
        return (
            "Subscribe the desk to the topic; it confirms by itself within seconds:\n"
            f"  aws sns subscribe --topic-arn {topic} --protocol https --notification-endpoint {url}"
        )
    return ""


def examine(connection: Connection, url: str, http: Http) -> Sequence[Finding]:
    topic = connection.secrets[0] if connection.secrets else ""
    try:
        return (*_subscription(topic, url, http), *_two_way(connection, topic, http))
    except AwsRefused as refused:
        text = f"AWS does not tell how topic and numbers are set up: {refused.code}"
        return (Finding(level="warning", code="not_subscribed", text=text),)


def _subscription(topic: str, url: str, http: Http) -> Sequence[Finding]:
    try:
        found = http.aws("sns", "ListSubscriptionsByTopic", {"TopicArn": topic}).get("Subscriptions", ())
    except (NotConnected, NoAnswer):
        return ()
    ours = [item for item in found if item.get("Endpoint") == url]
    if any(str(item.get("SubscriptionArn", "")).startswith("arn:") for item in ours):
        return ()
    text = "the desk is not subscribed to the topic, or SNS waits for its confirmation: connect again"
    return (Finding(level="fault", code="not_subscribed", text=text),)


def _two_way(connection: Connection, topic: str, http: Http) -> Sequence[Finding]:
    numbers = _numbers(http)
    if numbers is None:
        return ()
    findings = []
    for account in connection.accounts:
        number = numbers.get(account.id)
        if number is None:
            text = f"{account.id} is no number of this AWS account and region"
            findings.append(Finding(level="fault", code="account_missing", text=text))
        elif not number.get("TwoWayEnabled"):
            text = f"{account.id} does not pass on what customers write: switch on two-way SMS, to the topic"
            findings.append(Finding(level="fault", code="webhook_missing", text=text))
        elif number.get("TwoWayChannelArn") != topic:
            text = f"{account.id} passes messages to another destination than our topic"
            findings.append(Finding(level="fault", code="webhook_elsewhere", text=text))
    return findings


def _numbers(http: Http) -> Mapping[str, Mapping[str, Any]] | None:
    """By phone number; None where AWS is not at hand."""
    try:
        found = http.aws(SERVICE, "DescribePhoneNumbers", {}).get("PhoneNumbers", ())
    except (NotConnected, NoAnswer):
        return None
    return {str(item.get("PhoneNumber", "")): item for item in found}
