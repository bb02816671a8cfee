"""The commands of admins: figures, gaps, syncs with their progress, removing, messages to everyone.

Nobody else's command reaches these handlers: for others they are unknown commands like any.
"""

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING

from telegram import CallbackQuery, Message, Update
from telegram.constants import ChatAction
from telegram.error import TelegramError
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler, ContextTypes, filters

from bot.actions import Administering, CancelBroadcast, RemoveArticle, SendBroadcast, decode
from bot.administration import Administration
from bot.assistant import Assistant
from bot.delivery import conclude, replace, send
from bot.handlers.callbacks import acknowledge
from bot.i18n import Texts, texts
from bot.reply import Reply
from bot.styled import plain, run

if TYPE_CHECKING:
    from retrieval.sync import Progress
    from retrieval.types import SyncReport

MENU = ("stats", "gaps", "reindex", "remove", "broadcast")
PROGRESS_SECONDS = 2.0
_CAPTION_LIMIT = 1000
_logger = logging.getLogger(__name__)


class Admin:
    """Handlers that only see what admins send."""

    def __init__(self, assistant: Assistant, administration: Administration) -> None:
        self._assistant = assistant
        self._administration = administration

    def handlers(self) -> list[BaseHandler[Update, ContextTypes.DEFAULT_TYPE, None]]:
        """The handlers to register, before those for everyone."""
        admins = filters.UpdateType.MESSAGE & filters.User(self._assistant.welcome.admins)
        commands = {
            "stats": self.stats,
            "gaps": self.gaps,
            "reindex": self.reindex,
            "remove": self.remove,
            "broadcast": self.broadcast,
        }
        return [
            *(CommandHandler(name, handler, filters=admins) for name, handler in commands.items()),
            CallbackQueryHandler(self.pressed, pattern=_is_for_admins),
        ]

    async def stats(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """The figures, with a chart where it can be drawn."""
        message, say = await self._said(update)
        reply, picture = await self._assistant.work(self._administration.stats, say)
        if picture is None:
            await conclude(message, reply)
        else:
            await message.reply_photo(picture, caption=plain(reply.text)[:_CAPTION_LIMIT], do_quote=False)

    async def gaps(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """What is asked and not found; as a document, too."""
        message, say = await self._said(update)
        await message.reply_chat_action(ChatAction.TYPING)
        reply, packed = await self._assistant.work(self._administration.gaps, say)
        await send(message, reply)
        if packed is not None:
            await message.reply_document(
                packed, filename="gaps.zip", caption=say("gaps_file"), do_quote=False
            )

    async def reindex(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Bring the archive up to date; the message tells how far it has come. Questions go on meanwhile."""
        message, say = await self._said(update)
        sent = await send(message, Reply(text=(run(say("reindexing")),)))
        self._assistant.later(self._reindex(message, sent, say))

    async def remove(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Which article is to go, to be confirmed."""
        message, say = await self._said(update)
        await conclude(
            message, await self._assistant.work(self._administration.removal, _words(message), say)
        )

    async def broadcast(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """What is to be sent to everyone, to be confirmed."""
        message, say = await self._said(update)
        admin = update.effective_user.id if update.effective_user else 0
        words = _words(message, lines=True)
        await conclude(message, await self._assistant.work(self._administration.broadcast, admin, words, say))

    async def pressed(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """A button for admins, pressed by whoever: only admins are obeyed."""
        query = update.callback_query
        if query is None:
            return
        say = texts((await self._assistant.chat(update)).language)
        action = decode(query.data or "")
        if not self._assistant.is_admin(update) or not isinstance(action, Administering):
            await acknowledge(query, say("outdated"))
            return
        reply = await self._assistant.work(self._administration.press, query.from_user.id, action, say)
        await acknowledge(query, reply.notice)
        await _show(query, reply)

    async def _reindex(self, message: Message, sent: Message, say: Texts) -> None:
        progress = _Progress()
        work = asyncio.ensure_future(
            self._assistant.work(self._administration.keeper.sync, progress=progress.note)
        )
        shown = ""
        while not work.done():
            await asyncio.wait([work], timeout=PROGRESS_SECONDS)
            told = progress.told(say)
            if not work.done() and told != shown:
                shown = told
                with contextlib.suppress(TelegramError):
                    await replace(message, Reply(text=(run(told),)), number=sent.message_id)
        try:
            outcome = _outcome(await work, progress.seconds, say)
        except Exception as error:
            _logger.exception("the sync that an admin asked for failed")
            outcome = say("reindex_failed", reason=type(error).__name__)
        await replace(message, Reply(text=(run(outcome),)), number=sent.message_id)

    async def _said(self, update: Update) -> tuple[Message, Texts]:
        message = update.effective_message
        assert message is not None
        return message, texts((await self._assistant.chat(update)).language)


class _Progress:
    """How far a sync has come, told by its thread, read by the event loop."""

    def __init__(self) -> None:
        self._last: Progress | None = None
        self._started = time.monotonic()

    def note(self, progress: "Progress") -> None:
        self._last = progress

    def told(self, say: Texts) -> str:
        if self._last is None:
            return say("reindexing")
        return say("reindex_progress", done=self._last.done, total=self._last.total)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started


def _outcome(report: "SyncReport | None", seconds: float, say: Texts) -> str:
    if report is None:
        return say("reindex_not")
    lines = [
        say(
            "reindexed",
            added=len(report.added),
            changed=len(report.changed),
            removed=len(report.removed),
            seconds=f"{seconds:.1f}",
        )
    ]
    lines += [f"⚠️ {failure.path.rpartition('/')[2]}: {failure.reason}" for failure in report.failed[:5]]
    if len(report.failed) > 5:
        lines.append(f"… {len(report.failed)}")
    return "\n".join(lines)


def _words(message: Message, *, lines: bool = False) -> str:
    """What stands after the command, else the text that the message replies to."""
    parts = (message.text or "").split(maxsplit=1)
    if len(parts) == 2:
        return parts[1] if lines else " ".join(parts[1].split())
    replied = message.reply_to_message
    return (replied.text or replied.caption or "") if replied else ""


def _is_for_admins(data: object) -> bool:
    action = decode(data) if isinstance(data, str) else None
    return isinstance(action, RemoveArticle | SendBroadcast | CancelBroadcast)


async def _show(query: CallbackQuery, reply: Reply) -> None:
    if reply.text and isinstance(query.message, Message):
        await replace(query.message, reply, number=query.message.message_id)
