"""The language chosen in each chat."""

from bot.i18n import Language
from bot.state.database import Database
from bot.state.schema import Table

TABLE = Table("chats", ("CREATE TABLE IF NOT EXISTS chats (chat TEXT PRIMARY KEY, language TEXT)",))


class Languages:
    """The table of chats with a language of their own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def choose(self, chat: str, language: Language) -> None:
        """Remember the language chosen in a chat."""
        self._database.run(
            "INSERT INTO chats (chat, language) VALUES (?, ?) "
            "ON CONFLICT (chat) DO UPDATE SET language = excluded.language",
            chat,
            str(language),
        )

    def of(self, chat: str) -> Language | None:
        """The language chosen in a chat, if any was."""
        row = self._database.row("SELECT language FROM chats WHERE chat = ?", chat)
        return Language(row[0]) if row and row[0] in set(Language) else None
