"""How fast the bot writes: within what Telegram asks of bots, and one chat's flood never holds up another."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

from aiolimiter import AsyncLimiter
from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

OVERALL_A_SECOND = 28
"""Messages a second to all chats together; Telegram speaks of about 30, and clocks differ."""

_PRIVATE = (20, 20.0)
_GROUP = (20, 60.0)
_RETRIES = 10
_MARGIN_SECONDS = 0.1
_CAREFUL_SECONDS = 60.0
_MOST_CHATS = 10_000


class Pacer(BaseRateLimiter[int]):
    """Lets so many messages out a second overall, and to each chat so many in a while.

    Where Telegram still says to wait, only the chat concerned waits, then tries again: unlike the library's
    own limiter, which then stops every request.
    """

    def __init__(self, overall: float = OVERALL_A_SECOND) -> None:
        self._overall = AsyncLimiter(overall, 1)
        self._chats: dict[int | str, AsyncLimiter] = {}
        self._careful_until = 0.0

    async def at_once(self, chat: int) -> bool:
        """Count one message to a chat, if Telegram is sure to take it at this moment.

        That is where half of what may be sent is still left, and Telegram has not said to wait lately.
        """
        limiter = self._limiter(chat)
        if time.monotonic() < self._careful_until:
            return False
        if not all(each.has_capacity(each.max_rate / 2) for each in (limiter, self._overall)):
            return False
        await limiter.acquire()
        await self._overall.acquire()
        return True

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Nothing to release."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Any:
        """Make the request when its turn has come; after RetryAfter again, at most so many times."""
        retries = _RETRIES if rate_limit_args is None else rate_limit_args
        chat = data.get("chat_id")
        for attempt in range(retries + 1):
            async with AsyncExitStack() as turn:
                if chat is not None:
                    await turn.enter_async_context(self._limiter(chat))
                    await turn.enter_async_context(self._overall)
                try:
                    return await callback(*args, **kwargs)
                except RetryAfter as error:
                    seconds = _seconds(error)
                    self._careful_until = time.monotonic() + seconds + _CAREFUL_SECONDS
                    if attempt == retries:
                        raise
            await asyncio.sleep(seconds + _MARGIN_SECONDS)
        return None

    def _limiter(self, chat: int | str) -> AsyncLimiter:
        if len(self._chats) > _MOST_CHATS:
            self._chats = {
                key: each for key, each in self._chats.items() if not each.has_capacity(each.max_rate)
            }
        group = isinstance(chat, str) or chat < 0
        return self._chats.setdefault(chat, AsyncLimiter(*(_GROUP if group else _PRIVATE)))


class Patience:
    """How many buttons each user may press in a while: `burst` at once, then one a second."""

    def __init__(self, burst: int = 20) -> None:
        self._burst = burst
        self._until: dict[int, float] = {}

    def lets(self, user: int) -> bool:
        """Count a press; False where there were too many."""
        now = time.monotonic()
        if len(self._until) > _MOST_CHATS:
            self._until = {key: until for key, until in self._until.items() if until > now}
        until = max(self._until.get(user, now), now)
        if until - now >= self._burst:
            return False
        self._until[user] = until + 1.0
        return True


def _seconds(error: RetryAfter) -> float:
    after = error.retry_after
    return float(after) if isinstance(after, int | float) else after.total_seconds()
