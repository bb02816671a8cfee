"""What every handler needs: the conversation, run off the event loop, and who is asking."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from telegram import Message, Update

from bot.access import Welcome
from bot.conversation import Chat, Conversation
from bot.delivery import replace, send
from bot.i18n import Language, language_of, texts
from bot.limits import Limits
from bot.reply import Reply
from bot.state import State
from bot.styled import run

P = ParamSpec("P")
T = TypeVar("T")


class Assistant:
    """Runs the conversation in threads, so that searching never holds up the event loop."""

    def __init__(
        self,
        conversation: Conversation,
        state: State,
        executor: ThreadPoolExecutor,
        *,
        welcome: Welcome | None = None,
        language: Language | None = None,
        limits: Limits | None = None,
        later: Callable[[Coroutine[Any, Any, None]], object] = asyncio.ensure_future,
    ) -> None:
        """`later` runs what goes on after its update is handled."""
        self.conversation = conversation
        self.state = state
        self.welcome = welcome or Welcome()
        self.limits = limits or Limits()
        self.later = later
        self._language = language
        self._executor = executor

    async def answer(self, update: Update, question: str, *, quote: bool) -> None:
        """Answer a question that a message asks; one that was edited has its answer changed in place."""
        message, chat = update.effective_message, await self.chat(update)
        if message is None:
            return
        if not await self._in_time(update, message, chat):
            return
        reply = await self.run(
            self.conversation.ask, chat, question, message=message.message_id, replied=_replied(message)
        )
        earlier = None
        if update.edited_message is not None:
            earlier = await self.run(self.state.answers.answer_to, chat.key, message.message_id)
        if earlier is not None and await replace(message, reply, number=earlier):
            await self.run(self.conversation.said, chat, earlier, reply)
            return
        sent = await send(message, reply, quote=quote or update.edited_message is not None)
        await self.run(self.state.answers.remember, chat.key, message.message_id, sent.message_id)
        await self.run(self.conversation.said, chat, sent.message_id, reply)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result, computed in a thread."""
        work = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def chat(self, update: Update) -> Chat:
        """The chat an update belongs to, in the language chosen there, else the bot's, else its sender's."""
        chat, user = update.effective_chat, update.effective_user
        key = str(chat.id if chat else user.id if user else 0)
        chosen = await self.run(self.conversation.language_of, key)
        language = chosen or self._language or language_of(user.language_code if user else None)
        return Chat(key, language, _thread(update, key))

    def is_admin(self, update: Update) -> bool:
        """Whether the sender is one of the bot's admins."""
        return update.effective_user is not None and update.effective_user.id in self.welcome.admins

    async def _in_time(self, update: Update, message: Message, chat: Chat) -> bool:
        """Whether the sender may ask now; who asks too fast is told so once, and then not answered."""
        user = update.effective_user
        if user is None or user.id in self.welcome.admins:
            return True
        wait = self.limits.ask(user.id)
        if wait.seconds and wait.first:
            sentence = texts(chat.language)("too_fast", seconds=wait.seconds)
            await send(message, Reply(text=(run(sentence),)))
        return not wait.seconds


def _thread(update: Update, key: str) -> str:
    """Whose conversation an update belongs to: its sender's, in its topic."""
    message, user = update.effective_message, update.effective_user
    topic = message.message_thread_id if isinstance(message, Message) and message.is_topic_message else None
    return f"{key}/{topic or 0}/{user.id if user else 0}"


def _replied(message: Message) -> int:
    """The number of the bot's message that a message replies to, 0 for none."""
    replied = message.reply_to_message
    if replied is None or replied.from_user is None or replied.from_user.id != message.get_bot().id:
        return 0
    return replied.message_id
