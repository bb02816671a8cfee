"""The Telegram application: the only place that registers handlers."""

from typing import Any

from telegram import Update
from telegram.ext import AIORateLimiter, Application, ApplicationBuilder

from bot.assistant import Assistant
from bot.handlers.access import Access
from bot.handlers.callbacks import Callbacks
from bot.handlers.commands import Commands
from bot.handlers.errors import Errors
from bot.handlers.group import GroupChat
from bot.handlers.inline import Inline
from bot.handlers.private import PrivateChat
from bot.inbox import Inbox
from bot.ordering import ChatOrderProcessor

ALLOWED_UPDATES = [Update.MESSAGE, Update.EDITED_MESSAGE, Update.CALLBACK_QUERY, Update.INLINE_QUERY]
"""The kinds of updates the handlers below know what to do with."""

_FIRST = -1
_RETRIES = 3

TelegramApplication = Application[Any, Any, Any, Any, Any, Any]


def build_bot_application(token: str, api_url: str, inbox: Inbox) -> TelegramApplication:
    """An application that talks to the Bot API server at `api_url`, without handlers yet."""
    return (
        ApplicationBuilder()
        .token(token)
        .base_url(f"{api_url}/bot")
        .base_file_url(f"{api_url}/file/bot")
        .rate_limiter(AIORateLimiter(max_retries=_RETRIES))
        .update_queue(inbox)
        .concurrent_updates(ChatOrderProcessor(inbox))
        .job_queue(None)
        .get_updates_read_timeout(30)
        .get_updates_connection_pool_size(2)
        .get_updates_pool_timeout(10)
        .read_timeout(20)
        .write_timeout(20)
        .connect_timeout(10)
        .pool_timeout(10)
        .build()
    )


def register(application: TelegramApplication, assistant: Assistant) -> None:
    """Give every surface its handlers, in the order in which they are asked."""
    application.add_handlers(Access(assistant).handlers(), group=_FIRST)
    surfaces = (Commands, Callbacks, PrivateChat, GroupChat, Inline)
    for surface in surfaces:
        application.add_handlers(surface(assistant).handlers())
    application.add_error_handler(Errors(assistant).handle)
