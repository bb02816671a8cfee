"""Groups, supergroups and topics: quiet, unless the bot is mentioned or replied to."""

from telegram import Message, MessageEntity, Update
from telegram.ext import ContextTypes, MessageHandler, filters

from bot.assistant import Assistant


class GroupChat:
    """Answers those who speak to the bot, as a reply in the same topic."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def handlers(self) -> list[MessageHandler[ContextTypes.DEFAULT_TYPE, None]]:
        """The handlers to register."""
        new = filters.UpdateType.MESSAGE | filters.UpdateType.EDITED_MESSAGE
        words = (filters.TEXT | filters.CAPTION) & ~filters.COMMAND
        return [MessageHandler(filters.ChatType.GROUPS & new & words, self.message)]

    async def message(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Answer if the message is for the bot."""
        message = update.effective_message
        if message is None:
            return
        question = question_for(message, context.bot.id, context.bot.username)
        if question is not None:
            await self._assistant.answer(update, question, quote=True)


def question_for(message: Message, bot_id: int, username: str) -> str | None:
    """What a message asks the bot; None where it does not speak to it.

    A mention alone, in reply to somebody's message, passes that message on as the question.
    """
    text = message.text or message.caption or ""
    mentions = {**message.parse_entities(_MENTIONS), **message.parse_caption_entities(_MENTIONS)}
    mine = [
        name
        for entity, name in mentions.items()
        if name.lower() == f"@{username}".lower() or (entity.user is not None and entity.user.id == bot_id)
    ]
    replied = message.reply_to_message
    to_bot = replied is not None and replied.from_user is not None and replied.from_user.id == bot_id
    if not mine and not to_bot:
        return None
    for name in mine:
        text = text.replace(name, " ", 1)
    if not text.strip() and replied is not None and not to_bot:
        text = replied.text or replied.caption or ""
    return text


_MENTIONS: list[str | None] = [MessageEntity.MENTION, MessageEntity.TEXT_MENTION]
