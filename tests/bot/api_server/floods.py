"""Flood control: how many messages a bot may send, overall and to one chat."""

import time
from dataclasses import dataclass, field
from math import ceil

from .parameters import RefusedError


@dataclass(frozen=True)
class Limits:
    """Messages (new and edited ones) a second overall, and to a chat: so many at once, then so many a second.

    The defaults are what Telegram's documentation asks of bots: 30 a second overall, one a second to a chat
    but for short bursts, twenty a minute to a group. None lifts a limit.
    """

    overall: float | None = 30.0
    private_burst: int = 30
    private: float | None = 1.0
    group_burst: int = 20
    group: float | None = 20 / 60


@dataclass
class Bucket:
    """Holds up to `room` permits and gets `rate` new ones a second."""

    room: float
    rate: float
    left: float = 0.0
    seen: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.left = self.room

    def wait(self) -> float:
        """Seconds until there is a permit; 0 where there is one now."""
        now = time.monotonic()
        self.left = min(self.room, self.left + (now - self.seen) * self.rate)
        self.seen = now
        return 0.0 if self.left >= 1 else (1 - self.left) / self.rate

    def take(self) -> None:
        """Use a permit up."""
        self.left -= 1


class Floods:
    """Counts what a bot sends and refuses what is too much with the seconds to wait."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._overall = Bucket(limits.overall, limits.overall) if limits.overall else None
        self._chats: dict[int, Bucket] = {}

    def check(self, chat_id: int) -> None:
        """Count one message to a chat. Raises RefusedError (429)."""
        buckets = [bucket for bucket in (self._overall, self._bucket(chat_id)) if bucket]
        if (seconds := max((bucket.wait() for bucket in buckets), default=0.0)) > 0:
            raise too_many(ceil(seconds))
        for bucket in buckets:
            bucket.take()

    def _bucket(self, chat_id: int) -> Bucket | None:
        limits = self._limits
        burst, rate = (
            (limits.group_burst, limits.group) if chat_id < 0 else (limits.private_burst, limits.private)
        )
        return self._chats.setdefault(chat_id, Bucket(burst, rate)) if rate else None


def too_many(seconds: int) -> RefusedError:
    """429 with the time to wait."""
    return RefusedError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
