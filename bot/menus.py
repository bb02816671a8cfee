"""What Telegram shows of the bot: command menus by language and by whom they are for; descriptions."""

import logging
from collections.abc import Iterable

from telegram import Bot, BotCommand, BotCommandScope, BotCommandScopeChat, BotCommandScopeDefault
from telegram.error import TelegramError

from bot.handlers import admin
from bot.handlers.commands import MENU
from bot.i18n import Language, texts

LANGUAGES = ((None, Language.ENGLISH), ("zh", Language.SIMPLIFIED_CHINESE), ("en", Language.ENGLISH))
"""Telegram's language codes (none: for everyone else) and the bot's languages for them."""

_logger = logging.getLogger(__name__)


async def publish(bot: Bot, admins: Iterable[int]) -> None:
    """Set what is not yet as it should be; a failure is logged, no more."""
    try:
        for code, language in LANGUAGES:
            await _menu(bot, BotCommandScopeDefault(), code, language, MENU)
            await _descriptions(bot, code, language)
    except TelegramError as error:
        _logger.warning("the command menu could not be set: %s", error)
    for number in admins:
        try:
            for code, language in LANGUAGES:
                await _menu(bot, BotCommandScopeChat(number), code, language, (*MENU, *admin.MENU))
        except TelegramError as error:
            # Telegram does not know a chat in which nobody has written yet.
            _logger.info("the menu of admin %d could not be set: %s", number, error)


async def _menu(
    bot: Bot, scope: BotCommandScope, code: str | None, language: Language, names: Iterable[str]
) -> None:
    wanted = tuple(BotCommand(name, texts(language)(f"command_{name}")) for name in names)
    if await bot.get_my_commands(scope=scope, language_code=code) != wanted:
        await bot.set_my_commands(wanted, scope=scope, language_code=code)


async def _descriptions(bot: Bot, code: str | None, language: Language) -> None:
    say = texts(language)
    if (await bot.get_my_description(language_code=code)).description != say("description"):
        await bot.set_my_description(say("description"), language_code=code)
    short = (await bot.get_my_short_description(language_code=code)).short_description
    if short != say("short_description"):
        await bot.set_my_short_description(say("short_description"), language_code=code)
