"""Updates are handled side by side, but those of one chat one after another, in the order they came."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from telegram.ext import BaseUpdateProcessor

from bot.inbox import Inbox, WaitingError, chat_of

TURN_SECONDS = 0.05
"""How long an update whose turn has not come waits before it looks again."""


class ChatOrderProcessor(BaseUpdateProcessor):
    """Keeps a lock a chat (a user, for inline queries). Asyncio's locks are fair: first come, first served.

    `waiting` bounds the updates held in memory, `working` those handled at the same moment. The inbox says
    when an update's turn has come (other processes may serve the same chat), and is told when it is done.
    """

    __slots__ = ("_inbox", "_locks", "_users", "_work")

    def __init__(self, inbox: Inbox, *, waiting: int = 4096, working: int = 64) -> None:
        super().__init__(waiting)
        self._inbox = inbox
        self._locks: dict[int, asyncio.Lock] = {}
        self._users: dict[int, int] = {}
        self._work = asyncio.Semaphore(working)

    async def do_process_update(self, update: object, coroutine: Coroutine[Any, Any, Any]) -> None:  # type: ignore[override]
        """Handle the update when those of its chat that came before are done."""
        key = chat_of(update)
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._users[key] = self._users.get(key, 0) + 1
        try:
            # Whoever has to wait lets go of the lock: what it waits for may be an earlier update of the chat
            # that was taken over from another process, and came here later.
            while True:
                if await self._handled(lock, update, coroutine):
                    break
                await asyncio.sleep(TURN_SECONDS)
        finally:
            coroutine.close()
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]

    async def _handled(self, lock: asyncio.Lock, update: object, coroutine: Coroutine[Any, Any, Any]) -> bool:
        """Handle the update, if its turn has come (or another process has it); False where it has not."""
        async with lock, self._work:
            try:
                turn = await self._inbox.begin(update)
            except WaitingError:
                return False
            if turn is not None:
                with turn.taken():
                    await coroutine
                await self._inbox.done(update, turn)
            return True

    async def initialize(self) -> None:
        """Nothing to prepare."""

    async def shutdown(self) -> None:
        """Nothing to release."""
