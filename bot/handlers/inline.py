"""Inline mode: `@bot question` in any chat, the hits to choose from."""

import contextlib
import logging

from telegram import (
    InlineQuery,
    InlineQueryResultArticle,
    InlineQueryResultsButton,
    InputTextMessageContent,
    Update,
)
from telegram.constants import ParseMode
from telegram.error import BadRequest
from telegram.ext import ContextTypes, InlineQueryHandler

from bot.assistant import Assistant
from bot.conversation import Choice
from bot.delivery import picture_preview
from bot.i18n import texts
from bot.styled import clip_text
from bot.telegram_html import is_web_link, to_html

_CACHE_SECONDS = 60
"""How long Telegram may show the same results to the same user again; they are in the user's language."""

BUTTON_LIMIT = 64
_logger = logging.getLogger(__name__)


class Inline:
    """Offers hits while somebody types; pages follow each other by offset."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def handlers(self) -> list[InlineQueryHandler[ContextTypes.DEFAULT_TYPE, None]]:
        """The handlers to register."""
        return [InlineQueryHandler(self.typed)]

    async def typed(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Answer with the hits for what was typed so far; the button leads into the bot itself."""
        query = update.inline_query
        if query is None:
            return
        chat = await self._assistant.chat(update)
        page = int(query.offset) if query.offset.isdecimal() and len(query.offset) < 4 else 0
        conversation = self._assistant.conversation
        choices, more = await self._assistant.run(conversation.choices, chat, query.query, page)
        say = texts(chat.language)
        button = None
        if not choices and not page:
            example = await self._assistant.run(conversation.greeter.example, chat.language)
            prompt = say("inline_nothing") if query.query.strip() else say("inline_prompt", example=example)
            button = InlineQueryResultsButton(clip_text(prompt, BUTTON_LIMIT), start_parameter="inline")
        for pictures in (True, False):
            with contextlib.suppress(_UnwantedPictureError):
                await _answer(
                    query, [_result(each, pictures) for each in choices], page + 1 if more else 0, button
                )
                return


class _UnwantedPictureError(Exception):
    """Telegram does not take the address of one of the pictures."""


async def _answer(
    query: InlineQuery,
    results: list[InlineQueryResultArticle],
    next_page: int,
    button: InlineQueryResultsButton | None,
) -> None:
    """Answer; one that comes too late, because somebody types on, is not worth an error."""
    try:
        await query.answer(
            results,
            cache_time=_CACHE_SECONDS,
            is_personal=True,
            next_offset=str(next_page) if next_page else "",
            button=button,
        )
    except BadRequest as error:
        reason = error.message.lower()
        if "webpage" in reason:
            raise _UnwantedPictureError from error
        if "query is too old" not in reason:
            raise
        _logger.info("an inline question was answered too late")


def _result(choice: Choice, pictures: bool) -> InlineQueryResultArticle:
    picture = choice.image if pictures and is_web_link(choice.image) else None
    return InlineQueryResultArticle(
        id=str(choice.number),
        title=choice.title,
        description=choice.description,
        thumbnail_url=picture,
        input_message_content=InputTextMessageContent(
            to_html(choice.text),
            parse_mode=ParseMode.HTML,
            link_preview_options=picture_preview(picture),
        ),
    )
