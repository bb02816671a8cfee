"""Which addresses Telegram takes for links."""

import re
from urllib.parse import urlsplit

_HOST = re.compile(r"[\w.-]+|[0-9A-Fa-f:.]+")


def is_link(url: str) -> bool:
    """Whether Telegram links to the address: http, https or tg, and a host with a dot in it."""
    try:
        address = urlsplit(url)
        host, _ = address.hostname or "", address.port
    except ValueError:
        return False
    if address.scheme == "tg":
        return bool(address.netloc or address.path)
    if address.scheme not in {"http", "https"} or re.search(r"\s", url):
        return False
    return bool(host) and bool(_HOST.fullmatch(host)) and ("." in host or ":" in host)
