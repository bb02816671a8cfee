"""The little that is needed of a database, the same for SQLite and PostgreSQL.

Tables write plain SQL that both accept: `?` for values, BIGINT and TEXT columns, ON CONFLICT and RETURNING.
Two words stand for what the two spell differently: SERIAL_KEY is the type of a column that counts by itself,
NOW_SECONDS the database's own clock (seconds since 1970, with fractions), the same for all its clients.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Value = str | int | float | None
Row = tuple[Any, ...]


class Statements(Protocol):
    """Does SQL statements. Raises StateError where the database does not."""

    def run(self, sql: str, *values: Value) -> int:
        """Do one statement; how many rows it changed."""

    def rows(self, sql: str, *values: Value) -> list[Row]:
        """All rows of a query, or of a change with RETURNING."""

    def row(self, sql: str, *values: Value) -> Row | None:
        """The first row, if any."""


class Database(Statements, Protocol):
    """An open database; safe to share between threads. Every statement is a transaction of its own."""

    def transaction(self, *, exclusive: bool = False) -> AbstractContextManager[Statements]:
        """Statements that count together or not at all; no two `exclusive` ones at the same time."""

    def many(self, sql: str, values: Sequence[Sequence[Value]]) -> None:
        """Do one statement for each of many rows of values, all in one transaction."""

    def close(self) -> None:
        """Release files and connections."""
