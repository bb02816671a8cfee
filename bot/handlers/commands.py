"""/start, /ask, /latest, /reset, /help and /language, in private chats and groups; and the menu of them."""

from telegram import Message, Update
from telegram.ext import CommandHandler, ContextTypes, filters

from bot.assistant import Assistant
from bot.delivery import conclude
from bot.reply import Reply

MENU = ("ask", "latest", "subscribe", "subscriptions", "reset", "start", "language", "help")


class Commands:
    """The commands everyone may use."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def handlers(self) -> list[CommandHandler[ContextTypes.DEFAULT_TYPE, None]]:
        """The handlers to register."""
        new = filters.UpdateType.MESSAGE
        return [
            CommandHandler("start", self.start, filters=new),
            CommandHandler("help", self.help, filters=new),
            CommandHandler("latest", self.latest, filters=new),
            CommandHandler("reset", self.reset, filters=new),
            CommandHandler("language", self.language, filters=new),
            CommandHandler("ask", self.ask, filters=new | filters.UpdateType.EDITED_MESSAGE),
        ]

    async def start(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Greet; or, after a deep link, open the article it names."""
        conversation, chat = self._assistant.conversation, await self._assistant.chat(update)
        reply = None
        if context.args:
            reply = await self._assistant.run(conversation.open, chat, context.args[0])
        if reply is None:
            reply = await self._assistant.run(conversation.greeter.welcome, chat.language)
        await self._say(update, reply)

    async def help(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Say how it works."""
        language = (await self._assistant.chat(update)).language
        await self._say(update, self._assistant.conversation.greeter.help(language))

    async def latest(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """List what is new."""
        chat = await self._assistant.chat(update)
        await self._say(update, await self._assistant.run(self._assistant.conversation.latest, chat))

    async def reset(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Forget the sender's conversation."""
        chat = await self._assistant.chat(update)
        await self._say(update, await self._assistant.run(self._assistant.conversation.reset, chat))

    async def language(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Offer the languages."""
        language = (await self._assistant.chat(update)).language
        await self._say(update, self._assistant.conversation.greeter.languages(language))

    async def ask(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Answer the question after the command, or in the message it replies to."""
        message = update.effective_message
        question = _question(message, context.bot.username) if message else ""
        if message is not None and question:
            await self._assistant.answer(update, question, quote=message.chat.type != message.chat.PRIVATE)
            return
        greeter, language = (
            self._assistant.conversation.greeter,
            (await self._assistant.chat(update)).language,
        )
        await self._say(update, await self._assistant.run(greeter.ask_what, language))

    async def _say(self, update: Update, reply: Reply) -> None:
        message = update.effective_message
        if message is not None:
            await conclude(message, reply, quote=message.chat.type != message.chat.PRIVATE)


def _question(message: Message, username: str) -> str:
    words = (message.text or "").split(maxsplit=1)
    question = words[1].replace(f"@{username}", "").strip() if len(words) == 2 else ""
    replied = message.reply_to_message
    return question or (replied.text or replied.caption or "" if replied else "")
