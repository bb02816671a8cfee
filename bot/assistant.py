"""What every handler needs: the conversation, run off the event loop, and who is asking."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from telegram import Message, Update

from bot.access import Welcome
from bot.actions import Rate, decode
from bot.conversation import Chat, Conversation
from bot.delivery import conclude, replace
from bot.i18n import Language, language_of, texts
from bot.limits import Limits
from bot.reply import Reply
from bot.state import State
from bot.styled import run
from bot.turns import Turn

P = ParamSpec("P")
T = TypeVar("T")


class Assistant:
    """Runs the conversation in threads, so that searching never holds up the event loop."""

    def __init__(
        self,
        conversation: Conversation,
        state: State,
        executor: Executor,
        memory: Executor,
        jobs: Executor,
        *,
        welcome: Welcome | None = None,
        language: Language | None = None,
        limits: Limits | None = None,
        later: Callable[[Coroutine[Any, Any, None]], object] = asyncio.ensure_future,
    ) -> None:
        """`executor` runs searches; `memory`, what only looks into the memory and does not wait behind them;
        `jobs`, what takes long, and does not keep questions waiting.

        `later` runs what goes on after its update is handled.
        """
        self.conversation = conversation
        self.state = state
        self.welcome = welcome or Welcome()
        self.limits = limits or Limits()
        self.later = later
        self._language = language
        self._executor = executor
        self._memory = memory
        self._jobs = jobs

    async def answer(self, update: Update, question: str, *, quote: bool) -> None:
        """Answer a question that a message asks; one that was edited has its answer changed in place."""
        message, chat = update.effective_message, await self.chat(update)
        if message is None:
            return
        if not await self._in_time(update, message, chat):
            return
        replied, about = _replied(message)
        reply = await self.run(
            self.conversation.ask, chat, question, message=message.message_id, replied=replied, about=about
        )
        edited, shown = update.edited_message is not None, None
        if edited:
            shown = await self.recall(self.state.answers.answer_to, chat.key, message.message_id)
        if shown is None or not await replace(message, reply, number=shown):
            shown = await conclude(message, reply, quote=quote or edited)
        elif turn := Turn.current():
            await turn.end()
        if shown:
            await self.recall(self._answered, chat, message.message_id, shown, reply)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result, computed in a thread."""
        return await _in(self._executor, partial(function, *args, **kwargs))

    async def work(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for a function that may take long."""
        return await _in(self._jobs, partial(function, *args, **kwargs))

    async def recall(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for a function that only looks into the memory, or writes something down."""
        return await _in(self._memory, partial(function, *args, **kwargs))

    async def chat(self, update: Update) -> Chat:
        """The chat an update belongs to, in the language chosen there, else the bot's, else its sender's."""
        chat, user = update.effective_chat, update.effective_user
        key = str(chat.id if chat else user.id if user else 0)
        chosen = await self.recall(self.conversation.language_of, key)
        language = chosen or self._language or language_of(user.language_code if user else None)
        return Chat(key, language, _thread(update, key))

    def _answered(self, chat: Chat, message: int, answer: int, reply: Reply) -> None:
        """Note that a message has its answer."""
        self.state.answers.remember(chat.key, message, answer)
        self.conversation.said(chat, answer, reply)

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
            await conclude(message, Reply(text=(run(sentence),)))
        return not wait.seconds


async def _in(executor: Executor, function: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(executor, function)


def _thread(update: Update, key: str) -> str:
    """Whose conversation an update belongs to: its sender's, in its topic."""
    message, user = update.effective_message, update.effective_user
    topic = message.message_thread_id if isinstance(message, Message) and message.is_topic_message else None
    return f"{key}/{topic or 0}/{user.id if user else 0}"


def _replied(message: Message) -> tuple[int, int]:
    """The number of the bot's message that a message replies to, and of the question it answers; 0 for none.

    The question is the one that its buttons rate.
    """
    replied = message.reply_to_message
    if replied is None or replied.from_user is None or replied.from_user.id != message.get_bot().id:
        return 0, 0
    rows = replied.reply_markup.inline_keyboard if replied.reply_markup else ()
    actions = (decode(str(button.callback_data or "")) for row in rows for button in row)
    rated = next((action.question for action in actions if isinstance(action, Rate)), 0)
    return replied.message_id, rated
