"""A Bot API server for tests, as strict as Telegram's: what it accepts, Telegram accepts."""

from .chats import Person, Query, Sent
from .cleaning import units
from .entities import ENTITY_LIMIT, Entity, ParseError, parse_html
from .floods import Limits
from .server import ApiServer
from .world import BOT, QUERY_LIFE, TOKEN

__all__ = [
    "BOT",
    "ENTITY_LIMIT",
    "QUERY_LIFE",
    "TOKEN",
    "ApiServer",
    "Entity",
    "Limits",
    "ParseError",
    "Person",
    "Query",
    "Sent",
    "parse_html",
    "units",
]
