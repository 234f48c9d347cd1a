"""Fetching a customer's file: from the platform's own hosts, and from nowhere else.

The address comes from outside, so it is not trusted: https only, a host that the channel names, a
name that is resolved once and whose every address is public, a connection to that very address, no
redirect that has not passed the same checks, and a limit on what is read.
"""

import ipaddress
import socket
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

import urllib3

from sportello.channels.base import Download

LIMIT = 25_000_000
"""Bytes; larger files stay at the platform."""
REDIRECTS = 3
CONNECT_SECONDS = 3.0
READ_SECONDS = 20.0
CHUNK = 65_536
HTTPS = 443
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")


class NotFetched(Exception):
    """It was not fetched. ``code`` says why, ``again`` whether trying once more can help."""

    def __init__(self, code: str, *, again: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.again = again


class Fetched(NamedTuple):
    body: bytes
    mime: str
    """As the host declares it; not to be believed."""


def fetch(download: Download, hosts: Sequence[str], *, rewrite: str = "", limit: int = LIMIT) -> Fetched:
    """The file, at most ``limit`` bytes.

    Args:
        hosts: names that may be asked; ``.example.com`` means the subdomains of that domain.
        rewrite: base URL of the local world, which then stands in for every host.

    Raises:
        NotFetched: ``address``, ``host``, ``private_address``, ``too_large``, ``redirects``, ``gone``,
            ``refused`` for good; ``no_answer``, ``busy`` for now.
    """
    url, headers = download.url, dict(download.headers)
    for _ in range(REDIRECTS + 1):
        parts = _checked(url, hosts)
        answer = _ask(parts, headers, rewrite)
        try:
            if answer.status in (301, 302, 303, 307, 308):
                url, headers = _next(url, answer.headers.get("location", ""), headers)
                continue
            _raise_for(answer.status)
            return Fetched(_read(answer, limit), answer.headers.get("content-type", ""))
        finally:
            answer.release_conn()
            answer.close()
    raise NotFetched("redirects")


def _checked(url: str, hosts: Sequence[str]) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NotFetched("address") from None
    if (
        parts.scheme != "https"
        or not parts.hostname
        or parts.username is not None
        or parts.password is not None
    ):
        raise NotFetched("address")
    if port not in (None, HTTPS):
        raise NotFetched("address")
    if not any(_is_host(parts.hostname, host) for host in hosts):
        raise NotFetched("host")
    return parts


def _is_host(name: str, allowed: str) -> bool:
    name = name.rstrip(".").lower()
    return name.endswith(allowed) and name != allowed if allowed.startswith(".") else name == allowed


def _next(url: str, location: str, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Where a redirect leads; whoever else is there does not get our credentials."""
    if not location:
        raise NotFetched("redirects")
    try:
        target = urljoin(url, location)
        same = urlsplit(target).netloc == urlsplit(url).netloc
    except ValueError:
        raise NotFetched("address") from None
    return target, dict(headers) if same else {}


def _ask(parts: SplitResult, headers: Mapping[str, str], rewrite: str) -> urllib3.BaseHTTPResponse:
    host = str(parts.hostname)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    sent = {"user-agent": "sportello", "accept-encoding": "identity", **headers, "host": host}
    try:
        if rewrite:
            return urllib3.PoolManager(timeout=timeout, retries=False).request(
                "GET",
                f"{rewrite.rstrip('/')}/{host}{path}",
                headers=headers,
                redirect=False,
                preload_content=False,
            )
        pool = urllib3.HTTPSConnectionPool(
            public_address(host),
            HTTPS,
            timeout=timeout,
            retries=False,
            server_hostname=host,
            assert_hostname=host,
        )
        return pool.request("GET", path, headers=sent, redirect=False, preload_content=False)
    except urllib3.exceptions.LocationValueError:
        raise NotFetched("address") from None
    except urllib3.exceptions.HTTPError:
        raise NotFetched("no_answer", again=True) from None


def public_address(host: str) -> str:
    """The address to connect to, once every address of the name is found to be public.

    A name with one private address among its own is refused: whoever answers for it chooses which.
    """
    try:
        found = socket.getaddrinfo(host, HTTPS, type=socket.SOCK_STREAM)
    except OSError:
        raise NotFetched("no_answer", again=True) from None
    except UnicodeError:  # a name that no resolver can be asked for: an empty or endless part
        raise NotFetched("address") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise NotFetched("private_address")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an address is on the public internet, also where it wraps an IPv4 one (NAT64, 6to4, Teredo)."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if not ip.is_global or ip.is_multicast:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return True
    if ip in _NAT64 or ip in _NAT64_LOCAL:
        return False
    return ip.ipv4_mapped is None and ip.sixtofour is None and ip.teredo is None


def _raise_for(status: int) -> None:
    if status == 200:
        return
    if status in (404, 410):
        raise NotFetched("gone")
    if status == 429 or status >= 500:
        raise NotFetched("busy", again=True)
    raise NotFetched("refused")


def _read(answer: urllib3.BaseHTTPResponse, limit: int) -> bytes:
    declared = answer.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise NotFetched("too_large")
    body = bytearray()
    try:
        for chunk in answer.stream(CHUNK):
            body += chunk
            if len(body) > limit:
                raise NotFetched("too_large")
    except urllib3.exceptions.HTTPError:
        raise NotFetched("no_answer", again=True) from None
    return bytes(body)
