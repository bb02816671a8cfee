"""Inline mode: `@bot question` in any chat, the hits to choose from."""

from telegram import (
    InlineQueryResultArticle,
    InlineQueryResultsButton,
    InputTextMessageContent,
    LinkPreviewOptions,
    Update,
)
from telegram.constants import ParseMode
from telegram.ext import ContextTypes, InlineQueryHandler

from bot.assistant import Assistant
from bot.conversation import Choice
from bot.i18n import texts
from bot.styled import clip_text
from bot.telegram_html import is_web_link, to_html

_CACHE_SECONDS = 60
_BUTTON_LIMIT = 64


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
            button = InlineQueryResultsButton(clip_text(prompt, _BUTTON_LIMIT), start_parameter="inline")
        await query.answer(
            [_result(choice) for choice in choices],
            cache_time=_CACHE_SECONDS,
            next_offset=str(page + 1) if more else "",
            button=button,
        )


def _result(choice: Choice) -> InlineQueryResultArticle:
    return InlineQueryResultArticle(
        id=str(choice.number),
        title=choice.title,
        description=choice.description,
        thumbnail_url=choice.image if is_web_link(choice.image) else None,
        input_message_content=InputTextMessageContent(
            to_html(choice.text),
            parse_mode=ParseMode.HTML,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        ),
    )
