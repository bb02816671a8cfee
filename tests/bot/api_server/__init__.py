"""A Bot API server for tests, as strict as Telegram's: what it accepts, Telegram accepts."""

from .chats import Person, Sent
from .entities import ENTITY_LIMIT, Entity, ParseError, parse_html, units
from .server import BOT, TOKEN, ApiServer

__all__ = [
    "BOT",
    "ENTITY_LIMIT",
    "TOKEN",
    "ApiServer",
    "Entity",
    "ParseError",
    "Person",
    "Sent",
    "parse_html",
    "units",
]
