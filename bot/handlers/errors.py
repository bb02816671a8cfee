"""When something goes wrong: the whole story to the log, one line to the admins, one sentence to the user."""

import contextlib
import logging
import time

from telegram import Bot, InlineQueryResultsButton, Message, Update
from telegram.error import Conflict, Forbidden, NetworkError, RetryAfter, TelegramError
from telegram.ext import ContextTypes

from bot.assistant import Assistant
from bot.delivery import conclude
from bot.handlers.callbacks import acknowledge
from bot.handlers.inline import BUTTON_LIMIT
from bot.i18n import sorry, texts
from bot.logs import redact
from bot.reply import Reply
from bot.styled import clip_text, run
from retrieval.errors import IndexUnavailableError

_SILENCE_SECONDS = 600
_REPORT_LIMIT = 500
_logger = logging.getLogger(__name__)


class Errors:
    """The last resort of every handler."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._reported: dict[str, float] = {}

    async def handle(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Log the error with its update's numbers; tell the user, unless Telegram itself is the trouble."""
        error = context.error
        if not isinstance(update, Update):
            _log_polling(error)
            return
        place = _place(update)
        if isinstance(error, Forbidden):
            _logger.info("%s: the user does not want messages from the bot (%s)", place, error)
            return
        away = isinstance(error, IndexUnavailableError)
        _logger.error("%s: %s", place, error, exc_info=None if away else error)
        with contextlib.suppress(TelegramError):
            await self._apologise(update, sorry(error))
        if error is not None:
            await self._report(context.bot, place, error)

    async def _report(self, bot: Bot, place: str, error: Exception) -> None:
        """Tell the admins; of the same error once in ten minutes only."""
        what = redact(f"{type(error).__name__}: {error}")
        now = time.monotonic()
        self._reported = {key: at for key, at in self._reported.items() if now - at < _SILENCE_SECONDS}
        if what in self._reported:
            return
        self._reported[what] = now
        for admin in self._assistant.welcome.admins:
            with contextlib.suppress(TelegramError):
                await bot.send_message(admin, clip_text(f"⚠️ {place}\n{what}", _REPORT_LIMIT))

    async def _apologise(self, update: Update, key: str) -> None:
        sentence = texts((await self._assistant.chat(update)).language)(key)
        if update.callback_query is not None:
            await acknowledge(update.callback_query, sentence)
        elif update.inline_query is not None:
            button = InlineQueryResultsButton(clip_text(sentence, BUTTON_LIMIT), start_parameter="inline")
            await update.inline_query.answer([], cache_time=0, button=button)
        elif isinstance(update.effective_message, Message):
            await conclude(update.effective_message, Reply(text=(run(sentence),)))


def _place(update: Update) -> str:
    chat = update.effective_chat.id if update.effective_chat else None
    user = update.effective_user.id if update.effective_user else None
    return f"update {update.update_id} (chat {chat}, user {user})"


def _log_polling(error: Exception | None) -> None:
    if isinstance(error, Conflict):
        _logger.error("another program is polling with the same token; stop one of the two")
    elif isinstance(error, RetryAfter | NetworkError):
        _logger.warning("Telegram cannot be reached just now, trying again: %s", error)
    else:
        _logger.error("an error outside of any update: %s", error, exc_info=error)
