"""Logging for the bot: readable lines on standard error, in which no secret ever appears."""

import logging
import re
import sys
from collections.abc import Iterable

_TOKEN = re.compile(r"\b\d{5,}:[A-Za-z0-9_-]{30,}")
_HIDDEN = "[secret]"


class RedactingFormatter(logging.Formatter):
    """Formats a record and its traceback, then blots out the secrets and whatever looks like a bot token."""

    def __init__(self, format_: str, secrets: Iterable[str] = ()) -> None:
        super().__init__(format_)
        self._secrets = [secret for secret in secrets if secret]

    def format(self, record: logging.LogRecord) -> str:
        """The record as text without secrets."""
        text = super().format(record)
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return redact(text)


def redact(text: str) -> str:
    """The text with whatever looks like a bot token blotted out."""
    return _TOKEN.sub(_HIDDEN, text)


def configure(level: int, secrets: Iterable[str] = ()) -> None:
    """Log to standard error. Libraries that log every request, addresses and all, only warn."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s", secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "telegram", "apscheduler"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))
