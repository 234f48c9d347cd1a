"""Fetching over real HTTP from a host that misbehaves (as the local world stands in for platforms)."""

from collections.abc import Iterator

import pytest

from sportello.channels.base import Download
from sportello.channels.fetch import NotFetched, fetch
from tests.integration.test_media import Host

HOSTS = ("cdn.example.com",)
URL = "https://cdn.example.com/x?part=1"
PATH = "/cdn.example.com/x?part=1"


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.stop()


def outcome(host: Host, limit: int = 1000) -> str:
    with pytest.raises(NotFetched) as refused:
        fetch(Download(url=URL), HOSTS, rewrite=host.url, limit=limit)
    return f"{refused.value.code}{' again' if refused.value.again else ''}"


def test_a_file_comes_with_the_type_that_the_host_declares(host: Host) -> None:
    host.files[PATH] = (200, {"content-type": "image/png"}, b"bytes")
    assert fetch(Download(url=URL), HOSTS, rewrite=host.url) == (b"bytes", "image/png")


@pytest.mark.parametrize(
    ("status", "expected"),
    [(404, "gone"), (410, "gone"), (401, "refused"), (403, "refused"), (206, "refused"),
     (429, "busy again"), (500, "busy again"), (503, "busy again")],
)  # fmt: skip
def test_statuses(host: Host, status: int, expected: str) -> None:
    host.files[PATH] = (status, {}, b"")
    assert outcome(host) == expected


def test_what_is_declared_too_large_is_not_read(host: Host) -> None:
    host.files[PATH] = (200, {}, bytes(1001))
    assert outcome(host) == "too_large"


def test_what_hides_its_size_is_read_no_further_than_the_limit(host: Host) -> None:
    host.files[PATH] = (200, {"content-length": "x"}, bytes(5_000_000))
    assert outcome(host) == "too_large"


def test_redirects_end(host: Host) -> None:
    host.files[PATH] = (302, {"location": URL}, b"")
    assert outcome(host) == "redirects"
    assert len(host.asked) == 4


@pytest.mark.parametrize(
    ("location", "expected"),
    [("https://elsewhere.example.com/x", "host"), ("http://cdn.example.com/x", "address"), ("", "redirects"),
     ("https://[::1/x", "address"), ("//169.254.169.254/x", "host"), ("file:///etc/passwd", "address")],
)  # fmt: skip
def test_no_redirect_goes_where_we_would_not(host: Host, location: str, expected: str) -> None:
    host.files[PATH] = (302, {"location": location}, b"")
    assert outcome(host) == expected
    assert len(host.asked) == 1


def test_nobody_there(host: Host) -> None:
    host.stop()
    assert outcome(host) == "no_answer again"
