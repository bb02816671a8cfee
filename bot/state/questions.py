"""Questions as they were asked, what came of them, and what their askers thought of the answers."""

from dataclasses import dataclass
from datetime import UTC, datetime

from bot.state.database import Database
from bot.state.schema import Table

_KEPT = 200_000

TABLE = Table(
    "questions",
    (
        """CREATE TABLE IF NOT EXISTS questions (
            id SERIAL_KEY,
            chat TEXT NOT NULL,
            text TEXT NOT NULL,
            literal BIGINT NOT NULL DEFAULT 0,
            asked_at TEXT NOT NULL,
            answered BIGINT,
            rating BIGINT
        )""",
        "ALTER TABLE questions ADD COLUMN seconds DOUBLE PRECISION",
        "CREATE INDEX questions_of_chat ON questions (chat, id)",
        "CREATE INDEX questions_by_time ON questions (asked_at)",
    ),
)
"""`asked_at` is ISO 8601 in UTC, `rating` 1 or -1, `seconds` how long the answer took to be found."""


@dataclass(frozen=True, slots=True)
class StoredQuestion:
    """A question as it was asked; `literal` says that no filters are to be read out of its words."""

    id: int
    chat: str
    text: str
    literal: bool


class Questions:
    """The table of questions. Those of the chat "" are proposed by the bot itself, to all chats."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def forget_old(self) -> None:
        """Keep the newest ones only."""
        self._database.run("DELETE FROM questions WHERE id <= (SELECT max(id) FROM questions) - ?", _KEPT)

    def add(self, chat: str, text: str, *, literal: bool = False) -> int:
        """Remember a question; its number."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        ((number,),) = self._database.rows(
            "INSERT INTO questions (chat, text, literal, asked_at) VALUES (?, ?, ?, ?) RETURNING id",
            chat,
            text,
            int(literal),
            now,
        )
        return int(number)

    def offer(self, text: str) -> int:
        """The number of a question that the bot itself proposes, the same for the same text."""
        row = self._database.row("SELECT id FROM questions WHERE chat = '' AND text = ?", text)
        return int(row[0]) if row else self.add("", text)

    def get(self, number: int, chat: str) -> StoredQuestion | None:
        """A question of this chat (or one the bot proposed to all) by its number."""
        row = self._database.row(
            "SELECT id, chat, text, literal FROM questions WHERE id = ? AND chat IN (?, '')", number, chat
        )
        return StoredQuestion(row[0], row[1], row[2], bool(row[3])) if row else None

    def set_answered(self, number: int, answered: bool, *, seconds: float | None = None) -> None:
        """Note whether the question found an answer, and how long that took."""
        self._database.run(
            "UPDATE questions SET answered = ?, seconds = ? WHERE id = ?", int(answered), seconds, number
        )

    def rate(self, number: int, good: bool) -> None:
        """Note what the asker thought of the answer."""
        self._database.run("UPDATE questions SET rating = ? WHERE id = ?", 1 if good else -1, number)
