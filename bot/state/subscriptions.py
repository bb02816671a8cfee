"""What chats want to be told of."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.i18n import Language
from bot.state.database import Database, Row
from bot.state.schema import Table

MOST_PER_CHAT = 50

TABLE = Table(
    "subscriptions",
    (
        """CREATE TABLE subscriptions (
            id SERIAL_KEY,
            chat TEXT NOT NULL,
            topic BIGINT NOT NULL DEFAULT 0,
            kind TEXT NOT NULL,
            text TEXT NOT NULL,
            language TEXT NOT NULL,
            UNIQUE (chat, kind, text)
        )""",
    ),
)
"""`kind` is that of a standing query; `topic` the thread of a group with topics, 0 for none; `language` what
was spoken when it was made."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a chat (in one of its topics, if it has some) wants to be told of."""

    id: int
    chat: str
    topic: int
    kind: str
    text: str
    language: Language


class Subscriptions:
    """The table of subscriptions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, chat: str, kind: str, text: str, language: Language, *, topic: int = 0
    ) -> Subscription | None:
        """Subscribe; one that is there already is given back. None where the chat has too many."""
        with self._database.transaction() as statements:
            statements.run(
                "INSERT INTO subscriptions (chat, topic, kind, text, language) SELECT ?, ?, ?, ?, ? "
                "WHERE (SELECT count(*) FROM subscriptions WHERE chat = ?) < ? "
                "ON CONFLICT (chat, kind, text) DO NOTHING",
                chat, topic, kind, text, str(language), chat, MOST_PER_CHAT,
            )  # fmt: skip
            row = statements.row(
                f"SELECT {_FIELDS} FROM subscriptions WHERE chat = ? AND kind = ? AND text = ?",  # noqa: S608
                chat, kind, text,
            )  # fmt: skip
        return _subscription(row) if row else None

    def get(self, number: int, chat: str) -> Subscription | None:
        """One subscription of a chat."""
        row = self._database.row(
            f"SELECT {_FIELDS} FROM subscriptions WHERE id = ? AND chat = ?",  # noqa: S608
            number,
            chat,
        )
        return _subscription(row) if row else None

    def of(self, chat: str) -> list[Subscription]:
        """All subscriptions of a chat, the oldest first."""
        return self._select("WHERE chat = ? ORDER BY id", chat)

    def all(self) -> list[Subscription]:
        """All subscriptions."""
        return self._select("ORDER BY id")

    def version(self) -> tuple[int, int]:
        """Changes whenever a subscription comes or goes: how many there are, and their sum of numbers."""
        row = self._database.row("SELECT count(*), coalesce(sum(id), 0) FROM subscriptions")
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def remove(self, number: int, chat: str) -> bool:
        """End one subscription of a chat; whether it was there."""
        return self._database.run("DELETE FROM subscriptions WHERE id = ? AND chat = ?", number, chat) == 1

    def drop(self, chat: str) -> int:
        """End all subscriptions of a chat; how many there were."""
        return self._database.run("DELETE FROM subscriptions WHERE chat = ?", chat)

    def _select(self, condition: str, *values: str) -> list[Subscription]:
        rows: Sequence[Row] = self._database.rows(
            f"SELECT {_FIELDS} FROM subscriptions {condition}",  # noqa: S608
            *values,
        )
        return [_subscription(row) for row in rows]


_FIELDS = "id, chat, topic, kind, text, language"


def _subscription(row: Row) -> Subscription:
    number, chat, topic, kind, text, language = row
    return Subscription(int(number), chat, int(topic), kind, text, Language(language))
