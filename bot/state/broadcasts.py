"""Messages of an admin to everyone: prepared, confirmed, and sent once to each chat."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.state.database import Database
from bot.state.schema import Table

_LEASE_SECONDS = 120.0

TABLE = Table(
    "broadcasts",
    (
        "CREATE TABLE broadcasts (id SERIAL_KEY, admin BIGINT NOT NULL, text TEXT NOT NULL, "
        "confirmed BIGINT NOT NULL DEFAULT 0, reported BIGINT NOT NULL DEFAULT 0)",
        """CREATE TABLE deliveries (
            broadcast BIGINT NOT NULL,
            chat TEXT NOT NULL,
            sent BIGINT,
            lease_until DOUBLE PRECISION NOT NULL DEFAULT 0,
            PRIMARY KEY (broadcast, chat)
        )""",
    ),
)
"""`sent` is 1 for a message that was sent, 0 for one that cannot be."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to be sent to one chat."""

    broadcast: int
    chat: str
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A broadcast that is through: who asked for it, how many got it, how many could not be reached."""

    id: int
    admin: int
    sent: int
    failed: int


class Broadcasts:
    """The tables of broadcasts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def prepare(self, admin: int, text: str) -> int:
        """Note a message that waits for its confirmation; its number."""
        ((number,),) = self._database.rows(
            "INSERT INTO broadcasts (admin, text) VALUES (?, ?) RETURNING id", admin, text
        )
        return int(number)

    def confirm(self, number: int, admin: int, chats: Iterable[str]) -> int | None:
        """Send it to these chats; how many they are. None where this admin has none to confirm."""
        with self._database.transaction() as statements:
            changed = statements.run(
                "UPDATE broadcasts SET confirmed = 1 WHERE id = ? AND admin = ? AND confirmed = 0",
                number,
                admin,
            )
            if not changed:
                return None
            count = 0
            for chat in chats:
                statements.run("INSERT INTO deliveries (broadcast, chat) VALUES (?, ?)", number, chat)
                count += 1
        return count

    def cancel(self, number: int, admin: int) -> bool:
        """Forget a message that was not confirmed."""
        return (
            self._database.run(
                "DELETE FROM broadcasts WHERE id = ? AND admin = ? AND confirmed = 0", number, admin
            )
            == 1
        )

    def take(self, limit: int) -> list[Delivery]:
        """Some messages to be sent, for this process to send."""
        rows = self._database.rows(
            "UPDATE deliveries SET lease_until = NOW_SECONDS + ? "
            "WHERE sent IS NULL AND lease_until < NOW_SECONDS AND (broadcast, chat) IN ("
            "SELECT broadcast, chat FROM deliveries WHERE sent IS NULL AND lease_until < NOW_SECONDS "
            "ORDER BY broadcast, chat LIMIT ?) RETURNING broadcast, chat",
            _LEASE_SECONDS,
            limit,
        )
        found = self._database.rows("SELECT id, text FROM broadcasts WHERE confirmed = 1") if rows else []
        texts: dict[int, str] = dict(found)
        return [Delivery(int(number), chat, texts[number]) for number, chat in sorted(rows)]

    def note(self, delivery: Delivery, *, sent: bool) -> None:
        """Note that a message was sent, or cannot be."""
        self._database.run(
            "UPDATE deliveries SET sent = ? WHERE broadcast = ? AND chat = ?",
            int(sent),
            delivery.broadcast,
            delivery.chat,
        )

    def finished(self) -> list[Outcome]:
        """Broadcasts that are through and were not reported yet; now they are."""
        rows = self._database.rows(
            "UPDATE broadcasts SET reported = 1 WHERE confirmed = 1 AND reported = 0 AND NOT EXISTS ("
            "SELECT 1 FROM deliveries WHERE broadcast = broadcasts.id AND sent IS NULL) RETURNING id, admin"
        )
        return [self._outcome(int(number), int(admin)) for number, admin in rows]

    def _outcome(self, number: int, admin: int) -> Outcome:
        row = self._database.row(
            "SELECT coalesce(sum(sent), 0), count(*) FROM deliveries WHERE broadcast = ?", number
        )
        sent, all_of_them = (int(row[0]), int(row[1])) if row else (0, 0)
        return Outcome(number, admin, sent, all_of_them - sent)
