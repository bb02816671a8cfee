"""Who may use the bot: where a list of users is set, everyone else gets one polite refusal a message."""

from telegram import Update
from telegram.ext import ApplicationHandlerStop, ContextTypes, TypeHandler

from bot.assistant import Assistant
from bot.delivery import conclude
from bot.handlers.callbacks import acknowledge
from bot.i18n import texts
from bot.reply import Reply
from bot.styled import run


class Access:
    """Stands before every other handler and lets only welcome users pass."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def handlers(self) -> list[TypeHandler[Update, ContextTypes.DEFAULT_TYPE, None]]:
        """The handlers to register, before all others."""
        return [TypeHandler(Update, self.check)]

    async def check(self, update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        """Stop the updates of strangers; groups are not bothered with a refusal."""
        user, message, chat = update.effective_user, update.effective_message, update.effective_chat
        if self._assistant.welcome(user.id if user else None, chat.id if chat else None):
            return
        say = texts((await self._assistant.chat(update)).language)
        sentence = say("not_allowed", user=user.id if user else "?")
        if update.callback_query is not None:
            await acknowledge(update.callback_query, sentence)
        elif message is not None and message.chat.type == message.chat.PRIVATE:
            await conclude(message, Reply(text=(run(sentence),)))
        raise ApplicationHandlerStop
