"""Getting a feed or a page by its address: bounded in size and time, and never from one's own network.

A name is resolved once, every address it has is looked at, and the connection goes to the very address that
was looked at: a name that answers differently the second time (DNS rebinding) gains nothing. Redirects are
followed one by one under the same rules.
"""

import ipaddress
import socket
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from retrieval.errors import SourceError

if TYPE_CHECKING:
    import httpx

MAX_BYTES = 50_000_000
"""Bytes of one answer, unpacked."""

MAX_REDIRECTS = 5
CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS = 10.0, 20.0, 60.0

_AGENT = "wenda/0.1 (reads feeds and pages that its operator named)"
_ACCEPT = "application/rss+xml, application/atom+xml, application/feed+json, text/html;q=0.9, */*;q=0.5"
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NOT_TEXT = ("image/", "video/", "audio/", "font/", "application/pdf", "application/vnd.")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said of the version it sent: sent back, it answers 304 where nothing is new."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: `body` is None where nothing changed; `address` is where the redirects led."""

    body: bytes | None
    address: str
    validators: Validators
    kind: str = ""
    charset: str = ""


class Fetcher:
    """Gets addresses; private ones (loopback, link-local, a company's own network) only where allowed."""

    def __init__(self, *, allow_private: bool = False, resolve: Resolve | None = None) -> None:
        self._allow_private = allow_private
        self._resolve = resolve or _resolve

    def fetch(self, address: str, known: Validators | None = None) -> Fetched:
        """Get `address`; with what is `known` of an earlier answer, only if there is something new.

        Raises SourceError, in one sentence, for an address that is refused or does not answer as it should.
        """
        import httpx

        deadline = time.monotonic() + TOTAL_SECONDS
        current = address
        try:
            for _ in range(MAX_REDIRECTS + 1):
                found = self._get(current, known or Validators(), deadline)
                if isinstance(found, Fetched):
                    return found
                current = urljoin(current, found)
        except httpx.TimeoutException as error:
            raise SourceError(f"{address} does not answer in time; try again later") from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
            detail = " ".join(str(error).split())[:200] or type(error).__name__
            raise SourceError(f"{address} cannot be read: {detail}") from error
        raise SourceError(f"{address} leads from one address to the next more than {MAX_REDIRECTS} times")

    def _get(self, address: str, known: Validators, deadline: float) -> Fetched | str:
        """The answer, or the address it sends us to."""
        import httpx

        proxy = _proxy_for(address)
        url, headers, extensions = self._target(address, pinned=proxy is None)
        headers |= {"User-Agent": _AGENT, "Accept": _ACCEPT, "Accept-Encoding": "gzip"}
        headers |= {"If-None-Match": known.etag} if known.etag else {}
        headers |= {"If-Modified-Since": known.last_modified} if known.last_modified else {}
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        with (
            httpx.Client(trust_env=False, proxy=proxy, timeout=timeout, follow_redirects=False) as client,
            client.stream("GET", url, headers=headers, extensions=extensions) as answer,
        ):
            if answer.status_code in _REDIRECTS and "location" in answer.headers:
                return answer.headers["location"]
            validators = Validators(
                answer.headers.get("etag", "")[:1_000], answer.headers.get("last-modified", "")[:100]
            )
            if answer.status_code == 304:
                return Fetched(None, address, known)
            if answer.status_code != 200:
                raise SourceError(
                    f"{address} answers {answer.status_code} {answer.reason_phrase}; check the address"
                )
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind.startswith(_NOT_TEXT):
                raise SourceError(f"{address} is {kind}, neither a feed nor a page")
            body = b"".join(_bounded(answer, address, deadline))
            return Fetched(body, address, validators, kind, (answer.charset_encoding or "").lower())

    def _target(self, address: str, *, pinned: bool) -> tuple[str, dict[str, str], dict[str, str]]:
        """The address to connect to, after the look at where it leads, with the headers that go with it."""
        parts = urlsplit(address)
        host = parts.hostname
        if parts.scheme.lower() not in ("http", "https") or not host:
            raise SourceError(f"{address} is no web address: name one that begins with http:// or https://")
        if parts.username is not None or parts.password is not None:
            raise SourceError("an address with a password in it would be kept in the index; name it without")
        name = host.encode("idna").decode("ascii") if not host.isascii() else host
        port = parts.port or (443 if parts.scheme.lower() == "https" else 80)
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
        query = f"?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?')}" if parts.query else ""
        checked = self._checked(name, port, address, needed=pinned)
        shown = f"[{name}]" if ":" in name else name
        where = f":{port}" if parts.port else ""
        if not pinned:
            return f"{parts.scheme}://{shown}{where}{path}{query}", {}, {}
        literal = f"[{checked}]" if ":" in checked else checked
        extensions = {} if _literal(name) else {"sni_hostname": name}
        return f"{parts.scheme}://{literal}{where}{path}{query}", {"Host": f"{shown}{where}"}, extensions

    def _checked(self, host: str, port: int, address: str, *, needed: bool) -> str:
        """The first address of a host, if all it has may be asked."""
        try:
            found = [host] if _literal(host) else self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            if not needed:  # behind a proxy names may be known to the proxy alone
                return host
            raise SourceError(
                f"{address} cannot be read: there is no host {host}; check the address and the network"
            ) from error
        for each in found:
            if not self._allow_private and not is_public(ipaddress.ip_address(each.partition("%")[0])):
                raise SourceError(
                    f"{address} leads to {each}, an address of a private network, and is refused; if that is "
                    "meant, allow it with --allow-private (WENDA_ALLOW_PRIVATE=1)"
                )
        return found[0]


def is_public(address: Address) -> bool:
    """Whether an address is one of the open internet, IPv4 addresses inside IPv6 ones included."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def _proxy_for(address: str) -> str | None:
    """The proxy that this system is set up to use for an address."""
    parts = urlsplit(address)
    found = urllib.request.getproxies().get(parts.scheme.lower())
    if not found or urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    return found if "://" in found else f"http://{found}"


def _bounded(answer: "httpx.Response", address: str, deadline: float) -> Iterator[bytes]:
    """The unpacked body in pieces; raises SourceError where it grows too large or takes too long."""
    coding = answer.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip"):
        raise SourceError(f"{address} answers in the coding {coding!r}, which was not asked for")
    inflate = None if coding in ("", "identity") else zlib.decompressobj(zlib.MAX_WBITS | 16)
    total = 0
    for piece in answer.iter_raw(65_536):
        if time.monotonic() > deadline:
            raise SourceError(f"{address} does not answer in time; try again later")
        try:
            content = inflate.decompress(piece, MAX_BYTES + 1 - total) if inflate else piece
        except zlib.error as error:
            raise SourceError(f"{address} cannot be read: its compressed answer is damaged") from error
        total += len(content)
        if total > MAX_BYTES:
            raise SourceError(f"{address} is larger than the {MAX_BYTES:,} bytes a feed or page may have")
        yield content
