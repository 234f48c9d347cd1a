"""AWS clients, made once and primed while INIT still runs at full speed.

A DynamoDB client costs 68 ms of CPU and its first call three times a later one; Lambda does not
throttle the CPU during INIT, so both are paid there.
"""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from sportello.aws.environment import environment

_CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
    max_pool_connections=16,
)


@cache
def session() -> boto3.session.Session:
    return boto3.session.Session()


@cache
def dynamodb() -> Any:
    return session().client("dynamodb", config=_CONFIG)


@cache
def sqs() -> Any:
    return session().client("sqs", config=_CONFIG)


@cache
def s3() -> Any:
    return session().client("s3", config=_CONFIG)


@cache
def s3_signer() -> Any:
    """Makes addresses for others: version 4, at the region's own host; newer regions know no others."""
    style = "path" if environment().platforms else "virtual"  # the local engine has one host
    config = Config(signature_version="s3v4", s3={"addressing_style": style})
    return session().client("s3", config=config)


@cache
def sesv2() -> Any:
    return session().client("sesv2", config=_CONFIG)


def forget() -> None:
    """Drop every client: the next one is made for the environment as it is then (tests, CLI)."""
    for client in (session, dynamodb, sqs, s3, s3_signer, sesv2):
        client.cache_clear()
