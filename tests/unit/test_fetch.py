"""Fetching what an address from outside names: the guard, without a network."""

import socket
from typing import Any

import pytest

from sportello.channels.base import Download
from sportello.channels.fetch import NotFetched, fetch, is_public, public_address

HOSTS = ("cdn.example.com", ".files.example.com")


class Asked(Exception):
    """A connection would have been made."""


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: Any, **__: Any) -> Any:
        raise Asked

    monkeypatch.setattr("socket.getaddrinfo", resolve)


def why(url: str) -> str:
    with pytest.raises(NotFetched) as refused:
        fetch(Download(url=url), HOSTS)
    return refused.value.code


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.example.com/x",
        "ftp://cdn.example.com/x",
        "file:///etc/passwd",
        "https://user@cdn.example.com/x",
        "https://user:word@cdn.example.com/x",
        "https://cdn.example.com:8443/x",
        "https://cdn.example.com:99999/x",
        "https:///x",
        "https://[::1/x",
        "//cdn.example.com/x",
        "",
    ],
)
def test_only_https_on_its_own_port_without_a_login(url: str) -> None:
    assert why(url) == "address"


@pytest.mark.parametrize(
    "host",
    [
        "elsewhere.example.com",
        "cdn.example.com.elsewhere.net",
        "xcdn.example.com",
        "files.example.com",
        "xfiles.example.com",
        "169.254.169.254",
        "localhost",
        "[::1]",
        "cdn.example.com%00.elsewhere.net",
    ],
)
def test_only_the_channels_own_hosts(host: str) -> None:
    assert why(f"https://{host}/x") == "host"


@pytest.mark.parametrize(
    "host", ["cdn.example.com", "CDN.example.com", "a.files.example.com", "cdn.example.com:443"]
)
def test_those_are_asked(host: str) -> None:
    with pytest.raises(Asked):
        fetch(Download(url=f"https://{host}/x"), HOSTS)


PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
    "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254",
    "ff02::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::a9fe:a9fe", "64:ff9b::808:808", "64:ff9b:1::1",
    "2002:7f00:1::", "2002:808:808::1", "2001:0:808:808::1", "2001:db8::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_the_public_internets_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4002:402::200e"]
)
def test_a_public_one_is_not(address: str) -> None:
    assert is_public(address)


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)


def test_the_name_is_resolved_once_and_that_address_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "8.8.8.8", "1.1.1.1")
    made: list[tuple[Any, ...]] = []

    class Pool:
        def __init__(self, *names: Any, **options: Any) -> None:
            made.append((names, options["server_hostname"], options["assert_hostname"]))

        def request(self, *_: Any, **__: Any) -> Any:
            raise Asked

    monkeypatch.setattr("urllib3.HTTPSConnectionPool", Pool)
    with pytest.raises(Asked):
        fetch(Download(url="https://cdn.example.com/x"), HOSTS)
    assert made == [(("8.8.8.8", 443), "cdn.example.com", "cdn.example.com")]


@pytest.mark.parametrize("addresses", [("10.0.0.1",), ("8.8.8.8", "169.254.169.254"), ()])
def test_one_private_address_refuses_the_name(
    monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    resolving(monkeypatch, *addresses)
    assert why("https://cdn.example.com/x") == "private_address"


@pytest.mark.parametrize("name", ["a..files.example.com", f"{'a' * 64}.files.example.com"])
def test_a_name_that_nobody_can_resolve_is_given_up(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.undo()  # the resolver itself refuses to ask: nothing leaves this machine
    assert why(f"https://{name}/x") == "address"


def test_a_name_that_does_not_resolve_may_resolve_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise socket.gaierror("no such name")

    monkeypatch.setattr("socket.getaddrinfo", fails)
    with pytest.raises(NotFetched) as refused:
        public_address("cdn.example.com")
    assert (refused.value.code, refused.value.again) == ("no_answer", True)
