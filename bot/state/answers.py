"""Which message of the bot answers which message of a chat, so that an edited question changes its answer."""

from bot.state.database import Database
from bot.state.schema import Table

_KEPT = 200_000

TABLE = Table(
    "answers",
    (
        """CREATE TABLE IF NOT EXISTS answers (
            id SERIAL_KEY,
            chat TEXT NOT NULL,
            message BIGINT NOT NULL,
            answer BIGINT NOT NULL,
            UNIQUE (chat, message)
        )""",
    ),
)


class Answers:
    """The table of answers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def forget_old(self) -> None:
        """Keep the newest ones only."""
        self._database.run("DELETE FROM answers WHERE id <= (SELECT max(id) FROM answers) - ?", _KEPT)

    def remember(self, chat: str, message: int, answer: int) -> None:
        """Note which message of the bot answers which message of the chat."""
        self._database.run(
            "INSERT INTO answers (chat, message, answer) VALUES (?, ?, ?) "
            "ON CONFLICT (chat, message) DO UPDATE SET answer = excluded.answer",
            chat,
            message,
            answer,
        )

    def answer_to(self, chat: str, message: int) -> int | None:
        """The bot's message that answers a message of the chat."""
        row = self._database.row("SELECT answer FROM answers WHERE chat = ? AND message = ?", chat, message)
        return int(row[0]) if row else None
