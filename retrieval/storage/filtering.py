"""Filters as both sides apply them: days as ordinals, everything else by equality."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from retrieval.errors import QueryError
from retrieval.types import Filters

LAST_DAY = date.max.toordinal()


@dataclass(frozen=True, slots=True)
class Condition:
    """A WHERE clause over `articles AS a`, and its parameters."""

    sql: str
    values: tuple[Any, ...]


def day_of(value: date | datetime | str, *, name: str) -> int:
    """The ordinal of a filter's date; raises QueryError where a string is not an ISO date."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.strip()).toordinal()
        except ValueError as error:
            raise QueryError(f"{name} is {value[:40]!r}: give a date such as 2021-07-01") from error
    return value.toordinal()


def day_range(filters: Filters) -> tuple[int, int] | None:
    """First and last day (ordinals, inclusive) that match; None where any day, or none at all, does."""
    if filters.after is None and filters.before is None:
        return None
    first = 1 if filters.after is None else day_of(filters.after, name="after")
    last = LAST_DAY if filters.before is None else day_of(filters.before, name="before")
    return first, last


def condition(filters: Filters) -> Condition:
    """The articles that satisfy `filters`, in SQL."""
    clauses: list[str] = []
    values: list[Any] = []
    days = day_range(filters)
    if days is not None:
        clauses.append("a.day BETWEEN ? AND ?")
        values += days
    if filters.categories:
        marks = _marks(filters.categories)
        clauses.append(f"EXISTS (SELECT 1 FROM json_each(a.categories) WHERE value IN {marks})")  # noqa: S608
        values += filters.categories
    if filters.sources:
        marks = _marks(filters.sources)
        clauses.append(f"(a.source IN {marks} OR a.author IN {marks} OR a.site IN {marks})")
        values += filters.sources * 3
    if filters.languages:
        # "zh" stands for zh-Hans and zh-Hant.
        clauses.append(f"({' OR '.join(['a.language = ? OR a.language GLOB ?'] * len(filters.languages))})")
        values += [value for tag in filters.languages for value in (tag, f"{_literal(tag)}-*")]
    for column, wanted in (("author", filters.authors), ("id", filters.article_ids)):
        if wanted:
            clauses.append(f"a.{column} IN {_marks(wanted)}")
            values += wanted
    return Condition(" AND ".join(clauses) or "1", tuple(values))


def _marks(values: tuple[str, ...]) -> str:
    return f"({', '.join('?' * len(values))})"


def _literal(text: str) -> str:
    """A text that GLOB takes for itself."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in text)
