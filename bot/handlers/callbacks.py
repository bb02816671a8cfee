"""Buttons: paging, unfolding, reading, asking a proposed question."""

import contextlib

from telegram import CallbackQuery, Message, Update
from telegram.error import BadRequest
from telegram.ext import CallbackQueryHandler, ContextTypes

from bot.actions import decode
from bot.assistant import Assistant
from bot.delivery import conclude, replace
from bot.i18n import texts
from bot.pacing import Patience
from bot.reply import Reply


class Callbacks:
    """Does what a button says; one whose time has passed says so."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._patience = Patience()

    def handlers(self) -> list[CallbackQueryHandler[ContextTypes.DEFAULT_TYPE, None]]:
        """The handlers to register."""
        return [CallbackQueryHandler(self.pressed)]

    async def pressed(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Answer the press, then change the message or send a new one."""
        query = update.callback_query
        if query is None:
            return
        chat = await self._assistant.chat(update)
        if not self._patience.lets(query.from_user.id):
            await acknowledge(query, texts(chat.language)("pressed_too_fast"))
            return
        action = decode(query.data or "")
        if action is None or not isinstance(query.message, Message):
            await acknowledge(query, texts(chat.language)("outdated"))
            return
        reply = await self._assistant.run(self._assistant.conversation.press, chat, action)
        await acknowledge(query, reply.notice)
        shown = await _show(query.message, reply)
        if shown:
            await self._assistant.recall(self._assistant.conversation.said, chat, shown, reply)


async def acknowledge(query: CallbackQuery, notice: str = "") -> None:
    """Tell Telegram that the press was handled; where it came too late for that, go on."""
    with contextlib.suppress(BadRequest):
        await query.answer(notice or None)


async def _show(message: Message, reply: Reply) -> int:
    """Show the reply, in the place of the message if it is meant to; the number of the message with it.

    0 where that is not known.
    """
    if not reply.text or (reply.replaces and await replace(message, reply, number=message.message_id)):
        return message.message_id
    return await conclude(message, reply)
