"""Updates are handled side by side, but those of one chat one after another, in the order they came."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from telegram import Update
from telegram.ext import BaseUpdateProcessor


class ChatOrderProcessor(BaseUpdateProcessor):
    """Keeps a lock a chat (a user, for inline queries). Asyncio's locks are fair: first come, first served.

    `waiting` bounds the updates held in memory, `working` those handled at the same moment; `done` is told
    of each update that was handled.
    """

    __slots__ = ("_done", "_locks", "_users", "_work")

    def __init__(
        self, done: Callable[[object], Awaitable[None]], *, waiting: int = 4096, working: int = 64
    ) -> None:
        super().__init__(waiting)
        self._done = done
        self._locks: dict[int, asyncio.Lock] = {}
        self._users: dict[int, int] = {}
        self._work = asyncio.Semaphore(working)

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Handle the update when those of its chat that came before are done."""
        key = _key(update)
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._users[key] = self._users.get(key, 0) + 1
        try:
            async with lock, self._work:
                await coroutine
                await self._done(update)
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Nothing to release."""


def _key(update: object) -> int:
    if not isinstance(update, Update):
        return 0
    if update.effective_chat is not None:
        return update.effective_chat.id
    return update.effective_user.id if update.effective_user is not None else 0
