"""The Telegram application: the only place that registers handlers."""

from dataclasses import dataclass
from typing import Any

from telegram import Update
from telegram.ext import Application, ApplicationBuilder

from bot.administration import Administration
from bot.assistant import Assistant
from bot.handlers.access import Access
from bot.handlers.admin import Admin
from bot.handlers.callbacks import Callbacks
from bot.handlers.commands import Commands
from bot.handlers.errors import Errors
from bot.handlers.group import GroupChat
from bot.handlers.inline import Inline
from bot.handlers.private import PrivateChat
from bot.handlers.subscriptions import Subscribing
from bot.handlers.uploads import Uploads
from bot.inbox import Inbox
from bot.ordering import ChatOrderProcessor
from bot.pacing import Pacer
from bot.settings import Settings

ALLOWED_UPDATES = [Update.MESSAGE, Update.EDITED_MESSAGE, Update.CALLBACK_QUERY, Update.INLINE_QUERY]
"""The kinds of updates the handlers below know what to do with."""

_FIRST = -1

TelegramApplication = Application[Any, Any, Any, Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach the Bot API: its root address, a proxy on the way, and how fast to send.

    Telegram takes about 30 messages a second, and 20 a minute in one group.
    """

    api_url: str
    proxy: str | None = None
    messages_per_second: float = 30.0


def connection_of(settings: Settings) -> Connection:
    """What the settings say about it."""
    proxy = settings.proxy.get_secret_value() if settings.proxy else None
    return Connection(settings.api_url, proxy, settings.messages_per_second)


def build_bot_application(token: str, connection: Connection, inbox: Inbox) -> TelegramApplication:
    """An application that talks to the Bot API server of the connection, without handlers yet."""
    api_url, proxy = connection.api_url, connection.proxy
    builder = (
        ApplicationBuilder()
        .token(token)
        .base_url(f"{api_url}/bot")
        .base_file_url(f"{api_url}/file/bot")
        .rate_limiter(Pacer(connection.messages_per_second))
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
    )
    if proxy:
        builder = builder.proxy(proxy).get_updates_proxy(proxy)
    return builder.build()


def build_plain_application(token: str, connection: Connection) -> TelegramApplication:
    """An application for a few calls of one's own, which receives nothing."""
    builder = ApplicationBuilder().token(token).base_url(f"{connection.api_url}/bot").updater(None)
    return (builder.proxy(connection.proxy) if connection.proxy else builder).build()


def register(
    application: TelegramApplication, assistant: Assistant, administration: Administration | None = None
) -> None:
    """Give every surface its handlers, in the order in which they are asked."""
    application.add_handlers(Access(assistant).handlers(), group=_FIRST)
    if administration is not None:
        application.add_handlers(Admin(assistant, administration).handlers())
        application.add_handlers(Uploads(assistant, administration).handlers())
    surfaces = (Commands, Subscribing, Callbacks, PrivateChat, GroupChat, Inline)
    for surface in surfaces:
        application.add_handlers(surface(assistant).handlers())
    application.add_error_handler(Errors(assistant).handle)
