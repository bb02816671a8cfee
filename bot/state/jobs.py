"""Work that one process at a time does for all: who does it, and how far it has come."""

from bot.state.database import Database
from bot.state.schema import Table

TABLE = Table(
    "jobs",
    (
        """CREATE TABLE jobs (
            name TEXT PRIMARY KEY,
            mark TEXT NOT NULL DEFAULT '',
            owner TEXT NOT NULL DEFAULT '',
            lease_until DOUBLE PRECISION NOT NULL DEFAULT 0
        )""",
    ),
)


class Jobs:
    """The table of jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, name: str, owner: str, *, seconds: float) -> str | None:
        """The mark at which to go on with a job, which is ours for so long; None while another does it."""
        self._database.run("INSERT INTO jobs (name) VALUES (?) ON CONFLICT (name) DO NOTHING", name)
        row = self._database.row(
            "UPDATE jobs SET owner = ?, lease_until = NOW_SECONDS + ? "
            "WHERE name = ? AND (owner = ? OR lease_until < NOW_SECONDS) RETURNING mark",
            owner,
            seconds,
            name,
            owner,
        )
        return str(row[0]) if row else None

    def reach(self, name: str, owner: str, mark: str) -> None:
        """Note how far the job has come."""
        self._database.run("UPDATE jobs SET mark = ? WHERE name = ? AND owner = ?", mark, name, owner)

    def release(self, name: str, owner: str) -> None:
        """Leave the job to others."""
        self._database.run("UPDATE jobs SET lease_until = 0 WHERE name = ? AND owner = ?", name, owner)
