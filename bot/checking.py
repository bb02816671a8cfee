"""The start-up check: everything the bot needs is looked at once, and all that is wrong is said."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from bot.application import connection_of
from bot.errors import BotError
from bot.i18n import Language
from bot.opening import Collection, open_retriever
from bot.settings import Settings
from bot.state import State
from embeddings.errors import WendaError


def problems(
    settings: Settings,
    token: str,
    collection: Callable[[], Collection],
    memory: Callable[[Collection], str | Path],
) -> Iterator[str]:
    """One sentence for everything that would keep the bot from serving Telegram with these settings."""
    yield from _of(lambda: _check_language(settings))
    found: list[Collection] = []
    yield from _of(lambda: found.append(collection()))
    for each in found:
        yield from _of(lambda each=each: open_retriever(each, settings).close())  # type: ignore[misc]
        yield from _of(lambda each=each: State.open(memory(each)).close())  # type: ignore[misc]
    for path in (settings.webhook_certificate, settings.webhook_key):
        if path is not None and not path.is_file():
            yield f"there is no file {path}; check WENDA_WEBHOOK_CERTIFICATE and WENDA_WEBHOOK_KEY"
    if not token:
        yield "TELEGRAM_BOT_TOKEN is not set; get a token from @BotFather"
    else:
        yield from _of(lambda: asyncio.run(_check_telegram(settings, token)))


def _of(check: Callable[[], object]) -> Iterator[str]:
    try:
        check()
    except WendaError as error:
        yield str(error)


def _check_language(settings: Settings) -> None:
    if settings.language and settings.language not in set(Language):
        raise BotError(f"WENDA_LANGUAGE: must be one of {', '.join(Language)}")


async def _check_telegram(settings: Settings, token: str) -> None:
    """Ask Telegram who the bot is, and whether another way of receiving updates is in force."""
    from telegram.error import TelegramError

    from bot.application import build_plain_application
    from bot.serving import connect, looks_like_a_token

    looks_like_a_token(token)
    application = build_plain_application(token, connection_of(settings))
    try:
        await connect(application, settings.api_url)
        with contextlib.suppress(TelegramError):
            webhook = await application.bot.get_webhook_info()
            if webhook.url and settings.webhook_url is None:
                raise BotError(
                    "another program receives this bot's updates by a webhook, which polling would end; "
                    "stop it, or set WENDA_WEBHOOK_URL"
                )
    finally:
        await application.shutdown()
