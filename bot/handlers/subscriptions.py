"""/subscribe and /subscriptions."""

from telegram import Update
from telegram.ext import CommandHandler, ContextTypes, filters

from bot.assistant import Assistant
from bot.delivery import conclude
from bot.i18n import texts


class Subscribing:
    """What one wants to be told of."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def handlers(self) -> list[CommandHandler[ContextTypes.DEFAULT_TYPE, None]]:
        """The handlers to register."""
        new = filters.UpdateType.MESSAGE
        return [
            CommandHandler("subscribe", self.subscribe, filters=new),
            CommandHandler("subscriptions", self.list, filters=new),
        ]

    async def subscribe(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Subscribe to the words after the command, or to the message that it replies to."""
        message, chat = update.effective_message, await self._assistant.chat(update)
        if message is None:
            return
        words = (message.text or "").split(maxsplit=1)
        text = words[1].replace(f"@{context.bot.username}", "") if len(words) == 2 else ""
        if not text.strip() and message.reply_to_message is not None:
            text = message.reply_to_message.text or message.reply_to_message.caption or ""
        following = self._assistant.conversation.following
        reply = await self._assistant.run(following.subscribe, chat.place, text, texts(chat.language))
        await conclude(message, reply, quote=message.chat.type != message.chat.PRIVATE)

    async def list(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """List them."""
        message, chat = update.effective_message, await self._assistant.chat(update)
        if message is not None:
            following = self._assistant.conversation.following
            reply = await self._assistant.run(following.overview, chat.key, texts(chat.language))
            await conclude(message, reply, quote=message.chat.type != message.chat.PRIVATE)
