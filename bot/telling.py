"""Sends the notices of new articles, when they are due."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial

from telegram import Bot
from telegram.error import BadRequest, ChatMigrated, Forbidden, TelegramError

from bot.conversation import Conversation
from bot.delivery import send_to
from bot.errors import StateError
from bot.following import NOTICES_A_MESSAGE
from bot.i18n import Language, texts
from bot.reply import Reply
from bot.state import State
from bot.styled import run

LOOK_SECONDS = 3.0
_FORGET_EVERY = 1000
_BROADCAST_AT_ONCE = 50
_logger = logging.getLogger(__name__)


class Teller:
    """Looks for new articles and tells those who want to know, until cancelled."""

    def __init__(
        self,
        bot: Bot,
        conversation: Conversation,
        state: State,
        executor: Executor,
        *,
        language: Language | None = None,
        look: Callable[[], object] = lambda: None,
    ) -> None:
        self._bot = bot
        self._conversation = conversation
        self._state = state
        self._executor = executor
        self._language = language or Language.SIMPLIFIED_CHINESE
        self._look = look

    async def keep(self) -> None:
        """Look and tell again and again; what goes wrong is logged, and tried again."""
        rounds = 0
        looking = ThreadPoolExecutor(1, thread_name_prefix="arrivals")
        try:
            while True:
                await self._round(looking, forget=rounds % _FORGET_EVERY == 0)
                rounds += 1
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await asyncio.to_thread(looking.shutdown)

    async def _round(self, looking: Executor, *, forget: bool) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(looking, self._look)
            await self.tell()
            await self.broadcast()
            if forget:
                await loop.run_in_executor(self._executor, self._state.notices.forget_old)
        except StateError as error:
            _logger.warning("%s", error)
        except Exception:
            _logger.exception("telling of new articles failed; trying again")

    async def tell(self) -> None:
        """Send what is due."""
        loop = asyncio.get_running_loop()
        for chat in await loop.run_in_executor(self._executor, self._state.notices.due_chats):
            await self._tell(chat)

    async def broadcast(self) -> None:
        """Send what an admin wants everyone to know, and tell the admin when it is through."""
        loop, broadcasts = asyncio.get_running_loop(), self._state.broadcasts
        for delivery in await loop.run_in_executor(self._executor, broadcasts.take, _BROADCAST_AT_ONCE):
            try:
                await send_to(self._bot, int(delivery.chat), Reply(text=(run(delivery.text),)))
            except (Forbidden, BadRequest, ChatMigrated) as error:
                if isinstance(error, Forbidden):
                    await loop.run_in_executor(self._executor, self._drop, delivery.chat, error)
                await loop.run_in_executor(self._executor, partial(broadcasts.note, delivery, sent=False))
                continue
            await loop.run_in_executor(self._executor, partial(broadcasts.note, delivery, sent=True))
        for outcome in await loop.run_in_executor(self._executor, broadcasts.finished):
            chosen = await loop.run_in_executor(self._executor, self._state.languages.of, str(outcome.admin))
            say = texts(chosen or self._language)
            said = say("broadcast_done", sent=outcome.sent, failed=outcome.failed)
            with contextlib.suppress(TelegramError):
                await send_to(self._bot, outcome.admin, Reply(text=(run(said),)))

    async def _tell(self, chat: str) -> None:
        loop = asyncio.get_running_loop()
        notices = await loop.run_in_executor(self._executor, self._state.notices.take, chat)
        for start in range(0, len(notices), NOTICES_A_MESSAGE):
            some = notices[start : start + NOTICES_A_MESSAGE]
            following = self._conversation.following
            made = await loop.run_in_executor(self._executor, following.notice, chat, some)
            if made is not None:
                reply, topic = made
                try:
                    await send_to(self._bot, int(chat), reply, topic=topic)
                except (Forbidden, ChatMigrated) as error:
                    await loop.run_in_executor(self._executor, self._drop, chat, error)
                    return
                except BadRequest as error:
                    if "chat not found" in error.message.lower():
                        await loop.run_in_executor(self._executor, self._drop, chat, error)
                        return
                    _logger.warning("a notice to chat %s is refused and left out: %s", chat, error)
                except TelegramError as error:
                    _logger.warning("chat %s could not be told just now, trying again: %s", chat, error)
                    return
            await loop.run_in_executor(self._executor, self._state.notices.sent, some)

    def _drop(self, chat: str, error: TelegramError) -> None:
        """Nobody reads there any more."""
        count = self._state.subscriptions.drop(chat)
        self._state.notices.drop(chat)
        _logger.info("chat %s is gone (%s): %d subscriptions dropped", chat, error, count)
