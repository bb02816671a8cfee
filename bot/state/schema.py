"""Tables come into being, and change from version to version, in steps that are never taken twice."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.state.database import Database


@dataclass(frozen=True, slots=True)
class Table:
    """A table's name and the statements that made it, in the order in which they were added.

    A new version of the program adds statements at the end; it never changes one that was there.
    """

    name: str
    steps: tuple[str, ...]


def prepare(database: Database, tables: Sequence[Table]) -> None:
    """Take the steps that this database has not taken yet. Any number of processes may do so at once."""
    with database.transaction(exclusive=True) as statements:
        statements.run("CREATE TABLE IF NOT EXISTS versions (name TEXT PRIMARY KEY, steps BIGINT NOT NULL)")
        taken = {name: int(steps) for name, steps in statements.rows("SELECT name, steps FROM versions")}
        for table in tables:
            missing = table.steps[taken.get(table.name, 0) :]
            for step in missing:
                statements.run(step)
            if missing:
                statements.run(
                    "INSERT INTO versions (name, steps) VALUES (?, ?) "
                    "ON CONFLICT (name) DO UPDATE SET steps = excluded.steps",
                    table.name,
                    len(table.steps),
                )
