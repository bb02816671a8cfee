"""When a chat wants to be told of new articles."""

from dataclasses import dataclass

from bot.state.database import Database
from bot.state.schema import Table

TABLE = Table(
    "preferences",
    (
        """CREATE TABLE preferences (
            chat TEXT PRIMARY KEY,
            digest BIGINT NOT NULL,
            quiet_from BIGINT NOT NULL,
            quiet_until BIGINT NOT NULL
        )""",
    ),
)


@dataclass(frozen=True, slots=True)
class Preference:
    """`digest` is the hour of a daily message, None for at once; quiet from one hour until another, if they
    differ."""

    digest: int | None = None
    quiet_from: int = 0
    quiet_until: int = 0


class Preferences:
    """The table of preferences."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, chat: str) -> Preference:
        """What a chat chose."""
        row = self._database.row(
            "SELECT digest, quiet_from, quiet_until FROM preferences WHERE chat = ?", chat
        )
        return _preference(row[0], row[1], row[2]) if row else Preference()

    def all(self) -> dict[str, Preference]:
        """What every chat chose that chose something."""
        rows = self._database.rows("SELECT chat, digest, quiet_from, quiet_until FROM preferences")
        return {chat: _preference(*values) for chat, *values in rows}

    def choose(self, chat: str, preference: Preference) -> None:
        """Remember what a chat chose."""
        self._database.run(
            "INSERT INTO preferences (chat, digest, quiet_from, quiet_until) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (chat) DO UPDATE SET digest = excluded.digest, "
            "quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until",
            chat,
            -1 if preference.digest is None else preference.digest,
            preference.quiet_from,
            preference.quiet_until,
        )


def _preference(digest: int, quiet_from: int, quiet_until: int) -> Preference:
    return Preference(None if digest < 0 else int(digest), int(quiet_from), int(quiet_until))
