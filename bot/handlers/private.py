"""Private chats: any text is a question; what is forwarded asks for related articles."""

from telegram import Update
from telegram.ext import ContextTypes, MessageHandler, filters

from bot.assistant import Assistant
from bot.delivery import conclude


class PrivateChat:
    """Answers whatever is written to the bot alone, edited questions too."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def handlers(self) -> list[MessageHandler[ContextTypes.DEFAULT_TYPE, None]]:
        """The handlers to register."""
        # What somebody sends by inline mode in this chat is an answer already.
        written = (filters.UpdateType.MESSAGE | filters.UpdateType.EDITED_MESSAGE) & ~filters.VIA_BOT
        private = filters.ChatType.PRIVATE & written
        return [
            MessageHandler(private & filters.COMMAND, self.unknown_command),
            MessageHandler(private & filters.FORWARDED & ~filters.StatusUpdate.ALL, self.forwarded),
            MessageHandler(private & ~filters.StatusUpdate.ALL, self.question),
        ]

    async def question(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Answer the text, or the caption of a picture; say that words are needed where there are none."""
        message = update.effective_message
        if message is None:
            return
        text = message.text or message.caption or ""
        await self._assistant.answer(update, text, quote=False)

    async def forwarded(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Find articles related to a message that was passed on."""
        message = update.effective_message
        if message is not None:
            text = message.text or message.caption or ""
            chat = await self._assistant.chat(update)
            related = self._assistant.conversation.related_to
            await conclude(message, await self._assistant.run(related, chat, text))

    async def unknown_command(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Say how it works."""
        message = update.effective_message
        if message is not None:
            language = (await self._assistant.chat(update)).language
            await conclude(message, self._assistant.conversation.greeter.help(language))
