"""The Database in an SQLite file, or in memory: nothing to install, quick for one machine."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from bot.errors import StateError
from bot.state.database import Row, Statements, Value

_WORDS = {
    "SERIAL_KEY": "INTEGER PRIMARY KEY AUTOINCREMENT",
    "NOW_SECONDS": "((julianday('now') - 2440587.5) * 86400.0)",
}
_WAIT_SECONDS = 10


class SqliteDatabase:
    """One connection that threads take turns in; other processes may have the same file open."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._turn = threading.RLock()

    @classmethod
    def open(cls, path: Path | None) -> Self:
        """Open or create the file; None keeps everything in memory. Raises StateError where it cannot."""
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                path or ":memory:", check_same_thread=False, timeout=_WAIT_SECONDS, isolation_level=None
            )
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
        except (OSError, sqlite3.Error) as error:
            raise StateError(
                f"cannot use {path} to remember conversations: {error}; "
                "set WENDA_STATE to a file that can be written"
            ) from error
        return cls(connection, str(path or "memory"))

    def run(self, sql: str, *values: Value) -> int:
        """See Statements."""
        with self._turn, self._translated():
            return self._connection.execute(_spelled(sql), values).rowcount

    def rows(self, sql: str, *values: Value) -> list[Row]:
        """See Statements."""
        with self._turn, self._translated():
            return self._connection.execute(_spelled(sql), values).fetchall()

    def row(self, sql: str, *values: Value) -> Row | None:
        """See Statements."""
        return next(iter(self.rows(sql, *values)), None)

    @contextlib.contextmanager
    def transaction(self, *, exclusive: bool = False) -> Iterator[Statements]:
        """See Database. SQLite has one writer at a time anyway."""
        with self._turn:
            self.run("BEGIN IMMEDIATE")
            try:
                yield self
                self.run("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise

    def many(self, sql: str, values: Sequence[Sequence[Value]]) -> None:
        """See Database."""
        with self.transaction(), self._translated():
            self._connection.executemany(_spelled(sql), values)

    def close(self) -> None:
        """See Database."""
        with self._turn:
            self._connection.close()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StateError(
                f"cannot use {self._name} to remember conversations: {error}; "
                "check that WENDA_STATE is a file of this program, on a disk with space"
            ) from error


def _spelled(sql: str) -> str:
    for word, meaning in _WORDS.items():
        if word in sql:
            sql = sql.replace(word, meaning)
    return sql
