"""What chats are to be told, and were told, about new articles: of each article once."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.state.database import Database
from bot.state.schema import Table

LEASE_SECONDS = 120.0
_REMEMBERED_SECONDS = 90 * 86_400

TABLE = Table(
    "notices",
    (
        """CREATE TABLE notices (
            id SERIAL_KEY,
            chat TEXT NOT NULL,
            subscription BIGINT NOT NULL,
            article TEXT NOT NULL,
            due_at DOUBLE PRECISION NOT NULL,
            sent_at DOUBLE PRECISION,
            lease_until DOUBLE PRECISION NOT NULL DEFAULT 0,
            UNIQUE (chat, article)
        )""",
        "CREATE INDEX notices_waiting ON notices (due_at) WHERE sent_at IS NULL",
    ),
)


@dataclass(frozen=True, slots=True)
class Notice:
    """An article to tell a chat of, and the subscription that it answers."""

    id: int
    subscription: int
    article: str


class Notices:
    """The table of notices."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, notices: Iterable[tuple[str, int, str, float]]) -> None:
        """Note chat, subscription, article and when it may be told; of an article a chat is told once."""
        self._database.many(
            "INSERT INTO notices (chat, subscription, article, due_at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (chat, article) DO NOTHING",
            list(notices),
        )

    def due_chats(self, *, limit: int = 100) -> list[str]:
        """Chats that may be told something now and that no process is busy telling."""
        rows = self._database.rows(
            "SELECT chat FROM notices WHERE sent_at IS NULL AND due_at <= NOW_SECONDS "
            "AND lease_until < NOW_SECONDS GROUP BY chat ORDER BY min(due_at) LIMIT ?",
            limit,
        )
        return [chat for (chat,) in rows]

    def take(self, chat: str) -> list[Notice]:
        """What a chat is to be told now, for this process to tell it; in the order in which it came."""
        rows = self._database.rows(
            "UPDATE notices SET lease_until = NOW_SECONDS + ? WHERE chat = ? AND sent_at IS NULL "
            "AND due_at <= NOW_SECONDS AND lease_until < NOW_SECONDS RETURNING id, subscription, article",
            LEASE_SECONDS,
            chat,
        )
        return [
            Notice(int(number), int(subscription), article) for number, subscription, article in sorted(rows)
        ]

    def sent(self, notices: Iterable[Notice]) -> None:
        """Note that a chat was told."""
        self._database.many(
            "UPDATE notices SET sent_at = NOW_SECONDS WHERE id = ?", [(notice.id,) for notice in notices]
        )

    def postpone(self, chat: str, due_at: float) -> None:
        """Tell a chat what waits at another time."""
        self._database.run("UPDATE notices SET due_at = ? WHERE chat = ? AND sent_at IS NULL", due_at, chat)

    def drop(self, chat: str) -> None:
        """A chat does not want to be told anything any more."""
        self._database.run("DELETE FROM notices WHERE chat = ?", chat)

    def forget_old(self) -> None:
        """Drop what was told long ago."""
        self._database.run("DELETE FROM notices WHERE sent_at < NOW_SECONDS - ?", _REMEMBERED_SECONDS)
