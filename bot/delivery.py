"""Replies → calls of the Bot API: the one place where a reply becomes a message."""

import json
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, Message
from telegram.constants import ParseMode
from telegram.error import BadRequest

from bot.actions import encode
from bot.pacing import Pacer
from bot.reply import Button, Reply
from bot.styled import clip_text
from bot.telegram_html import is_web_link, to_html
from bot.turns import Turn

T = TypeVar("T")

_LABEL_LIMIT = 64
_logger = logging.getLogger(__name__)


def keyboard(reply: Reply) -> InlineKeyboardMarkup | None:
    """The reply's buttons as an inline keyboard; None where it has none."""
    rows = [[_button(button) for button in row] for row in reply.buttons if row]
    return InlineKeyboardMarkup(rows) if rows else None


def picture_preview(image: str | None) -> LinkPreviewOptions:
    """An article's own picture above the text, small; no preview where it has none."""
    if image and is_web_link(image):
        return LinkPreviewOptions(url=image, prefer_small_media=True, show_above_text=True)
    return LinkPreviewOptions(is_disabled=True)


async def send(to: Message, reply: Reply, *, quote: bool = False) -> Message:
    """Send a reply into the chat (and topic) of `to`, quoting it where `quote`; the new message."""

    async def attempt(shown: LinkPreviewOptions) -> Message:
        return await to.reply_text(
            to_html(reply.text),
            parse_mode=ParseMode.HTML,
            reply_markup=keyboard(reply),
            link_preview_options=shown,
            do_quote=quote,
            allow_sending_without_reply=True,
        )

    return await _with_preview(attempt, reply)


async def conclude(to: Message, reply: Reply, *, quote: bool = False) -> int:
    """Send the one reply that an update gets, as `send` does, and have the update crossed out at once.

    The number of the new message; 0 where that is not known, because it went out with the response to the
    update's delivery.
    """
    turn = Turn.current()
    if turn is not None and await _respond(turn, to, reply, quote=quote):
        return 0
    sent = await send(to, reply, quote=quote)
    if turn is not None:
        await turn.end()
    return sent.message_id


async def _respond(turn: Turn, to: Message, reply: Reply, *, quote: bool) -> bool:
    """Send a reply with the response, if that is still open and Telegram is sure to take the reply.

    It would not say that it refuses it: because too much is sent just now, or for the picture's address.
    """
    if not turn.waiting or (reply.image and is_web_link(reply.image) and reply.image not in turn.pictures):
        return False
    limiter = to.get_bot().rate_limiter  # type: ignore[attr-defined]
    if not isinstance(limiter, Pacer) or not await limiter.at_once(to.chat_id):
        return False
    markup, topic = keyboard(reply), to.message_thread_id if to.is_topic_message else None
    call = {
        "method": "sendMessage",
        "chat_id": to.chat_id,
        "text": to_html(reply.text),
        "parse_mode": ParseMode.HTML,
        "link_preview_options": picture_preview(reply.image).to_dict(),
        **({"reply_markup": markup.to_dict()} if markup else {}),
        **({"message_thread_id": topic} if topic else {}),
    }
    if quote:
        call["reply_parameters"] = {"message_id": to.message_id, "allow_sending_without_reply": True}
    return await turn.respond(json.dumps(call, ensure_ascii=False))


async def send_to(bot: Bot, chat: int, reply: Reply, *, topic: int = 0) -> Message:
    """Send a reply to a chat that did not just write; the new message."""

    async def attempt(shown: LinkPreviewOptions) -> Message:
        return await bot.send_message(
            chat,
            to_html(reply.text),
            parse_mode=ParseMode.HTML,
            reply_markup=keyboard(reply),
            link_preview_options=shown,
            message_thread_id=topic or None,
        )

    return await _with_preview(attempt, reply)


async def replace(near: Message, reply: Reply, *, number: int) -> bool:
    """Put the reply in the place of message `number` in the chat of `near`; False where it cannot be."""

    async def attempt(shown: LinkPreviewOptions) -> object:
        return await near.get_bot().edit_message_text(
            to_html(reply.text),
            chat_id=near.chat_id,
            message_id=number,
            parse_mode=ParseMode.HTML,
            reply_markup=keyboard(reply),
            link_preview_options=shown,
        )

    try:
        await _with_preview(attempt, reply)
    except BadRequest as error:
        reason = error.message.lower()
        if "to edit not found" in reason or "can't be edited" in reason:
            _logger.info("message %d cannot be edited", number)
            return False
        if "not modified" not in reason:
            raise
    return True


async def _with_preview(attempt: Callable[[LinkPreviewOptions], Awaitable[T]], reply: Reply) -> T:
    """The attempt with the reply's picture; without it where Telegram does not want its address."""
    try:
        shown = await attempt(picture_preview(reply.image))
        if reply.image and (turn := Turn.current()) is not None:
            turn.pictures.add(reply.image)
        return shown
    except BadRequest as error:
        if reply.image is None or "webpage" not in error.message.lower():
            raise
        return await attempt(LinkPreviewOptions(is_disabled=True))


def _button(button: Button) -> InlineKeyboardButton:
    label = clip_text(button.label, _LABEL_LIMIT)
    if button.action is not None:
        return InlineKeyboardButton(label, callback_data=encode(button.action))
    return InlineKeyboardButton(label, url=button.url)
