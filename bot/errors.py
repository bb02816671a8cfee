"""The exceptions of bot.

embeddings.errors.WendaError
└── BotError             a setting, file or service the bot cannot do without
    ├── TokenError       Telegram does not accept the token
    ├── UnreachableError the Bot API server cannot be reached
    └── StateError       the bot's memory cannot be opened or used
"""

from embeddings.errors import WendaError


class BotError(WendaError):
    """The bot cannot start or go on; one sentence says why and what to do."""


class TokenError(BotError):
    """Telegram does not accept the token."""


class UnreachableError(BotError):
    """Telegram's (or the configured) Bot API server cannot be reached."""


class StateError(BotError):
    """The file or database in which the bot remembers things cannot be opened, read or written."""
