"""Updates are written down before Telegram is told that they arrived, and crossed out when they are handled.

So none is lost when a process is killed in between: it itself at its next start, or another process that
serves the same bot, handles what is not crossed out. One that Telegram delivers twice is handled once.

Those that come to the webhook are crossed out before Telegram is told, where that does not take long, so that
the response can carry the answer.
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
from bot.state.updates import Claim, Delivery, Updates
from bot.turns import Response, TakenPictures, Turn

P = ParamSpec("P")
T = TypeVar("T")

BEAT_SECONDS = 4.0
"""How often a process says that it still lives, and looks for updates of others that do not."""

HOLD_SECONDS = 10.0
"""How long Telegram waits for the response to an update; then it is told that the update arrived."""

_ATTEMPTS = 10
_RETRY_SECONDS = 1.0
_logger = logging.getLogger(__name__)


class WaitingError(Exception):
    """An update's turn has not come."""


class Inbox(asyncio.Queue[object]):
    """The application's queue of updates, backed by the bot's memory."""

    def __init__(self, updates: Updates, executor: Executor) -> None:
        super().__init__()
        self._updates = updates
        self._executor = executor
        self._owner = owner_name()
        self._unnoted: set[int] = set()
        self._turns: dict[int, Turn] = {}
        self._pictures = TakenPictures()
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

    async def deliver(self, update: Update) -> Response:
        """Handle an update that came to the webhook, and say what to respond."""
        number = update.update_id
        turn = self._turns.get(number)
        if turn is None:
            turn = self._turns[number] = self._turn(number, waiting=True)
            hold = partial(self._updates.hold, number, update.to_json(), chat=chat_of(update),
                           owner=self._owner, is_gone=is_gone)  # fmt: skip
            delivery, response = await self._surely(hold)
            if delivery is Delivery.OURS:
                await super().put(update)
            else:
                del self._turns[number]
                turn.resolve(Response(taken=delivery is Delivery.TAKEN, call=response))
        await asyncio.wait([turn.response], timeout=HOLD_SECONDS)
        if turn.waiting:
            turn.waiting = False
            await self._surely(partial(self._updates.let_go, number))
            turn.resolve(Response())
        return await turn.response

    async def begin(self, item: object) -> Turn | None:
        """The turn of an update that is to be handled now, None of one that is not.

        Raises WaitingError where it has to wait for an earlier one of its chat.
        """
        if not isinstance(item, Update):
            return Turn(_nothing)
        number = item.update_id
        claim, attempts = await self._surely(partial(self._updates.claim, number, self._owner))
        if claim is Claim.WAITING:
            raise WaitingError
        turn = self._turns.setdefault(number, self._turn(number))
        if claim is Claim.BEGUN and attempts <= _ATTEMPTS:
            return turn
        if claim is Claim.BEGUN:
            _logger.error("update %d was begun %d times and never finished; left alone", number, attempts)
            await turn.end()
        del self._turns[number]
        turn.resolve(Response(taken=False))
        return None

    async def done(self, item: object, turn: Turn) -> None:
        """Cross an update out, unless its handler did so."""
        await turn.end()
        if isinstance(item, Update):
            self.handled += 1
            self._turns.pop(item.update_id, None)

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

    def _turn(self, number: int, *, waiting: bool = False) -> Turn:
        return Turn(partial(self._cross_out, number), waiting=waiting, pictures=self._pictures)

    async def _cross_out(self, number: int, response: str | None) -> None:
        finish = partial(self._updates.finish, number, response)
        if response is not None:  # it has to be known before it is sent
            await self._surely(finish)
            return
        try:
            await self._in_thread(finish)
        except StateError as error:
            _logger.warning("update %d is handled, which could not be noted yet: %s", number, error)
            self._unnoted.add(number)

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


async def _nothing(_: str | None) -> None:
    """What is no update is not crossed out."""
