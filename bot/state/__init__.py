"""What the bot remembers, in an SQLite file or a PostgreSQL database: one class a table, with its SQL."""

from bot.state.article_keys import KEY_LENGTH
from bot.state.memory import State
from bot.state.questions import StoredQuestion

__all__ = ["KEY_LENGTH", "State", "StoredQuestion"]
