"""Where Telegram delivers updates, for a bot that does not poll."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class Webhook:
    """The public address, where to listen for what it forwards, the secret that Telegram sends along.

    With a certificate and its key the bot itself speaks TLS; with a certificate alone (a self-signed one of
    the proxy before it) it is only shown to Telegram.
    """

    url: str
    host: str
    port: int
    path: str
    secret: str
    certificate: Path | None = None
    key: Path | None = None


def webhook_of(settings: Settings, token: str) -> Webhook | None:
    """The webhook that the settings ask for; None for polling.

    Without a secret of its own it has one made of the token, the same for all processes of one bot.
    """
    if settings.webhook_url is None:
        return None
    host, _, port = settings.webhook_listen.rpartition(":")
    given = settings.webhook_secret
    return Webhook(
        url=settings.webhook_url,
        host=host.strip("[]"),
        port=int(port),
        path=urlsplit(settings.webhook_url).path.strip("/"),
        secret=given.get_secret_value() if given else hashlib.sha256(f"webhook {token}".encode()).hexdigest(),
        certificate=settings.webhook_certificate,
        key=settings.webhook_key,
    )
