"""Updates are written down before Telegram is told that they arrived, and crossed out when they are handled.

So none is lost when a process is killed in between: it itself at its next start, or another process that
serves the same bot, handles what is not crossed out. One that Telegram delivers twice is handled once.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import ParamSpec, TypeVar

from telegram import Bot, Update

from bot.errors import StateError
from bot.owner import is_gone, owner_name
from bot.state.updates import Claim, Updates

P = ParamSpec("P")
T = TypeVar("T")

BEAT_SECONDS = 4.0
"""How often a process says that it still lives, and looks for updates of others that do not."""

_ATTEMPTS = 10
_RETRY_SECONDS = 1.0
_logger = logging.getLogger(__name__)


class Inbox(asyncio.Queue[object]):
    """The application's queue of updates, backed by the bot's memory."""

    def __init__(self, updates: Updates, executor: Executor) -> None:
        super().__init__()
        self._updates = updates
        self._executor = executor
        self._owner = owner_name()
        self._unnoted: set[int] = set()
        self.handled = 0

    async def put(self, item: object) -> None:
        """Write an update down and queue it, unless it was written down before."""
        if isinstance(item, Update):
            receive = partial(
                self._updates.receive, item.update_id, item.to_json(), chat=chat_of(item), owner=self._owner
            )
            if not await self._surely(receive):
                _logger.info("update %d was delivered twice", item.update_id)
                return
        await super().put(item)

    async def begin(self, item: object) -> bool | None:
        """Whether to handle an update now; None where it has to wait for an earlier one of its chat."""
        if not isinstance(item, Update):
            return True
        claim, attempts = await self._surely(partial(self._updates.claim, item.update_id, self._owner))
        if claim is Claim.WAITING:
            return None
        if claim is Claim.BEGUN and attempts > _ATTEMPTS:
            _logger.error(
                "update %d was begun %d times and never finished; left alone", item.update_id, attempts
            )
            await self.done(item)
            return False
        return claim is Claim.BEGUN

    async def done(self, item: object) -> None:
        """Cross an update out."""
        if not isinstance(item, Update):
            return
        self.handled += 1
        try:
            await self._in_thread(self._updates.finish, item.update_id)
        except StateError as error:
            _logger.warning("update %d is handled, which could not be noted yet: %s", item.update_id, error)
            self._unnoted.add(item.update_id)

    async def resume(self, bot: Bot) -> int:
        """Queue what processes that are gone left behind; how many."""
        owners = await self._in_thread(self._updates.owners)
        gone = [owner for owner in owners if owner != self._owner and is_gone(owner)]
        left = await self._in_thread(self._updates.take_over, self._owner, gone)
        for each in left:
            await super().put(Update.de_json(json.loads(each.payload), bot))
        return len(left)

    async def keep(self, bot: Bot) -> None:
        """Renew the lease on our updates and take over those of processes that are gone, until cancelled."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                for number in list(self._unnoted):
                    await self._in_thread(self._updates.finish, number)
                    self._unnoted.discard(number)
                await self._in_thread(self._updates.renew, self._owner)
                if resumed := await self.resume(bot):
                    _logger.info("going on with %d updates that another process left behind", resumed)
                await self._in_thread(self._updates.forget_old)
            except StateError as error:
                _logger.warning("%s", error)

    async def release(self) -> None:
        """Leave what is not finished to others."""
        with contextlib.suppress(StateError):
            await self._in_thread(self._updates.release, self._owner)

    async def _surely(self, work: Callable[[], T]) -> T:
        """The work's result, as soon as the database does it."""
        while True:
            try:
                return await self._in_thread(work)
            except StateError as error:
                _logger.warning("%s; trying again", error)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        call = partial(work, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)


def chat_of(update: object) -> int:
    """The number of the chat (for inline queries the user) whose updates are handled in order."""
    if not isinstance(update, Update):
        return 0
    if update.effective_chat is not None:
        return update.effective_chat.id
    return update.effective_user.id if update.effective_user is not None else 0
