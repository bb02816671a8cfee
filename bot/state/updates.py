"""The updates that were received, until they are handled: shared by all processes that serve one bot.

An update belongs to at most one process at a time, its owner, as long as the owner renews its lease. It may
be begun only when all earlier ones of its chat are finished, whichever process has them. When an owner is
gone, or its lease has run out, another process takes the update over.

An update is `held` while Telegram, which brought it to the webhook, still waits for the response. It is not
taken over: if its owner dies, Telegram brings it again. What is said in the response is remembered with it,
and is said again if Telegram asks again; for that is proof that it did not get the response.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum

from bot.state.database import Database, Row
from bot.state.schema import Table

LEASE_SECONDS = 20.0
"""For so long an update stays with its owner without a sign of life."""

_REMEMBERED_SECONDS = 2 * 86_400
"""Telegram delivers an update again for a day at most."""

TABLE = Table(
    "inbox",
    (
        """CREATE TABLE IF NOT EXISTS inbox (
            update_id BIGINT PRIMARY KEY,
            payload TEXT,
            attempts BIGINT NOT NULL DEFAULT 0
        )""",
        "ALTER TABLE inbox ADD COLUMN chat BIGINT",
        "ALTER TABLE inbox ADD COLUMN owner TEXT",
        "ALTER TABLE inbox ADD COLUMN lease_until DOUBLE PRECISION NOT NULL DEFAULT 0",
        "ALTER TABLE inbox ADD COLUMN received_at DOUBLE PRECISION NOT NULL DEFAULT 0",
        "CREATE INDEX inbox_waiting ON inbox (chat, update_id) WHERE payload IS NOT NULL",
        "CREATE INDEX inbox_by_time ON inbox (received_at)",
        "ALTER TABLE inbox ADD COLUMN held BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE inbox ADD COLUMN response TEXT",
    ),
)
"""`payload` is the update as JSON until it is finished; then only its number is kept, for a while."""


class Claim(Enum):
    """What came of trying to begin an update."""

    BEGUN = "it is ours"
    WAITING = "an earlier one of its chat is still being handled"
    TAKEN = "it is finished, or another process has it"


class Delivery(Enum):
    """What becomes of an update that Telegram brings to the webhook."""

    OURS = "it is new, or whoever had it is gone: it is ours to handle"
    TAKEN = "it is handled, or somebody is sure to handle it"
    ELSEWHERE = "another process still has it: Telegram is to bring it again"


@dataclass(frozen=True, slots=True)
class Left:
    """An update that was left behind: its number, its JSON, and how often it was begun."""

    id: int
    payload: str
    attempts: int


class Updates:
    """The table of updates."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def receive(self, update_id: int, payload: str, *, chat: int = 0, owner: str = "") -> bool:
        """Write an update down for `owner` to handle; False where it was written down before.

        Telegram takes it for received from now on, and does not bring it again.
        """
        if self._write(update_id, payload, chat=chat, owner=owner, held=0):
            return True
        self.let_go(update_id)
        return False

    def hold(
        self, update_id: int, payload: str, *, chat: int, owner: str, is_gone: Callable[[str], bool]
    ) -> tuple[Delivery, str]:
        """Write an update down while Telegram waits for the response; and what that is, where it is known."""
        if self._write(update_id, payload, chat=chat, owner=owner, held=1):
            return Delivery.OURS, ""
        row = self._database.row(
            "SELECT payload IS NULL, response, held, owner, lease_until < NOW_SECONDS FROM inbox "
            "WHERE update_id = ?",
            update_id,
        )
        if row is None:
            return Delivery.ELSEWHERE, ""
        finished, response, held, before, late = row
        if finished or not held:
            return Delivery.TAKEN, str(response or "")
        if not (late or before == owner or is_gone(str(before or ""))):
            return Delivery.ELSEWHERE, ""
        taken = self._database.run(
            "UPDATE inbox SET owner = ?, lease_until = NOW_SECONDS + ? "
            "WHERE update_id = ? AND owner = ? AND payload IS NOT NULL AND held = 1",
            owner,
            LEASE_SECONDS,
            update_id,
            before,
        )
        return (Delivery.OURS if taken else Delivery.ELSEWHERE), ""

    def let_go(self, update_id: int) -> None:
        """Telegram is told that the update arrived, before it is handled."""
        self._database.run("UPDATE inbox SET held = 0 WHERE update_id = ? AND held = 1", update_id)

    def _write(self, update_id: int, payload: str, *, chat: int, owner: str, held: int) -> bool:
        lease = LEASE_SECONDS if owner else 0.0
        return (
            self._database.run(
                "INSERT INTO inbox (update_id, payload, chat, owner, held, lease_until, received_at) "
                "VALUES (?, ?, ?, ?, ?, NOW_SECONDS + ?, NOW_SECONDS) ON CONFLICT (update_id) DO NOTHING",
                update_id,
                payload,
                chat,
                owner,
                held,
                lease,
            )
            == 1
        )

    def claim(self, update_id: int, owner: str) -> tuple[Claim, int]:
        """Begin an update, if it is its turn; and how often it has been begun, this time included."""
        row = self._database.row(
            "UPDATE inbox SET attempts = attempts + 1, lease_until = NOW_SECONDS + ? "
            "WHERE update_id = ? AND owner = ? AND payload IS NOT NULL AND NOT EXISTS ("
            "SELECT 1 FROM inbox AS earlier WHERE earlier.chat = inbox.chat "
            "AND earlier.update_id < inbox.update_id AND earlier.payload IS NOT NULL "
            "AND (earlier.held = 0 OR earlier.lease_until > NOW_SECONDS)) RETURNING attempts",
            LEASE_SECONDS,
            update_id,
            owner,
        )
        if row:
            return Claim.BEGUN, int(row[0])
        ours = self._database.row(
            "SELECT attempts FROM inbox WHERE update_id = ? AND owner = ? AND payload IS NOT NULL",
            update_id,
            owner,
        )
        return (Claim.WAITING, int(ours[0])) if ours else (Claim.TAKEN, 0)

    def finish(self, update_id: int, response: str | None = None) -> None:
        """Cross an update out; its number is remembered for a while, and what is said in response."""
        self._database.run(
            "UPDATE inbox SET payload = NULL, response = ? WHERE update_id = ?", response, update_id
        )

    def renew(self, owner: str) -> None:
        """A sign of life: the owner's updates stay with it."""
        self._database.run(
            "UPDATE inbox SET lease_until = NOW_SECONDS + ? WHERE owner = ? AND payload IS NOT NULL",
            LEASE_SECONDS,
            owner,
        )

    def release(self, owner: str) -> None:
        """The owner stops: whatever it did not finish may be taken over at once."""
        self._database.run(
            "UPDATE inbox SET lease_until = 0, owner = '' WHERE owner = ? AND payload IS NOT NULL", owner
        )

    def owners(self) -> set[str]:
        """Who has unfinished updates."""
        return {owner or "" for (owner,) in self._database.rows(
            "SELECT DISTINCT owner FROM inbox WHERE payload IS NOT NULL"
        )}  # fmt: skip

    def take_over(self, owner: str, gone: Collection[str] = ()) -> list[Left]:
        """The updates of owners that are `gone` or whose lease has run out, in order: now they are ours."""
        marks = ", ".join("?" * len(gone)) or "NULL"
        rows = self._database.rows(  # only question marks are put into the statement
            "UPDATE inbox SET owner = ?, lease_until = NOW_SECONDS + ? "  # noqa: S608
            "WHERE payload IS NOT NULL AND held = 0 AND coalesce(owner, '') <> ? "
            f"AND (lease_until < NOW_SECONDS OR owner IN ({marks})) "
            "RETURNING update_id, payload, attempts",
            owner,
            LEASE_SECONDS,
            owner,
            *gone,
        )
        return sorted(map(_left, rows), key=lambda left: left.id)

    def unfinished(self) -> list[Left]:
        """All updates not crossed out, in order, whoever has them."""
        return [
            _left(row)
            for row in self._database.rows(
                "SELECT update_id, payload, attempts FROM inbox WHERE payload IS NOT NULL ORDER BY update_id"
            )
        ]

    def forget_old(self) -> None:
        """Drop the numbers of updates that cannot come again, and those that Telegram gave up bringing."""
        self._database.run(
            "DELETE FROM inbox WHERE (payload IS NULL OR held = 1) AND received_at < NOW_SECONDS - ?",
            _REMEMBERED_SECONDS,
        )


def _left(row: Row) -> Left:
    return Left(int(row[0]), str(row[1]), int(row[2]))
