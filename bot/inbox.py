"""Updates are written down before Telegram is told that they arrived, and crossed out when they are handled.

So none is lost when the process is killed in between: the next start handles what is not crossed out.
One that Telegram delivers twice is handled once.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from telegram import Bot, Update

from bot.state import State

T = TypeVar("T")

_ATTEMPTS = 3
_logger = logging.getLogger(__name__)


class Inbox(asyncio.Queue[object]):
    """The application's queue of updates, backed by the state file."""

    def __init__(self, state: State, executor: ThreadPoolExecutor) -> None:
        super().__init__()
        self._state = state
        self._executor = executor

    async def put(self, item: object) -> None:
        """Write an update down and queue it, unless it was written down before."""
        if isinstance(item, Update):
            payload = item.to_json()
            if not await self._in_thread(partial(self._state.receive, item.update_id, payload)):
                _logger.info("update %d was delivered twice", item.update_id)
                return
        await super().put(item)

    async def done(self, item: object) -> None:
        """Cross an update out."""
        if isinstance(item, Update):
            await self._in_thread(partial(self._state.finish, item.update_id))

    async def resume(self, bot: Bot) -> int:
        """Queue what an earlier run left behind; how many. One that keeps ending the run is given up."""
        left = await self._in_thread(self._state.unfinished)
        resumed = 0
        for number, payload, attempts in left:
            if attempts > _ATTEMPTS:
                _logger.error("update %d was begun %d times and never finished; left alone", number, attempts)
                await self._in_thread(partial(self._state.finish, number))
                continue
            await asyncio.Queue.put(self, Update.de_json(json.loads(payload), bot))
            resumed += 1
        return resumed

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)
