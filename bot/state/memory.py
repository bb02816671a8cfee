"""The bot's memory as one value: its database opened, its tables prepared."""

from pathlib import Path
from typing import Self

from bot.state import (
    answers,
    article_keys,
    broadcasts,
    jobs,
    languages,
    notices,
    preferences,
    questions,
    subscriptions,
    updates,
)
from bot.state.database import Database
from bot.state.schema import prepare
from bot.state.sqlite import SqliteDatabase

_TABLES = (
    questions.TABLE,
    article_keys.TABLE,
    answers.TABLE,
    languages.TABLE,
    updates.TABLE,
    subscriptions.TABLE,
    notices.TABLE,
    preferences.TABLE,
    jobs.TABLE,
    broadcasts.TABLE,
)
_ADDRESSES = ("postgresql://", "postgres://")


class State:
    """One attribute a table. Thread-safe; any number of processes may share one PostgreSQL database."""

    def __init__(self, database: Database) -> None:
        prepare(database, _TABLES)
        self.database = database
        self.questions = questions.Questions(database)
        self.article_keys = article_keys.ArticleKeys(database)
        self.answers = answers.Answers(database)
        self.languages = languages.Languages(database)
        self.updates = updates.Updates(database)
        self.subscriptions = subscriptions.Subscriptions(database)
        self.notices = notices.Notices(database)
        self.preferences = preferences.Preferences(database)
        self.jobs = jobs.Jobs(database)
        self.broadcasts = broadcasts.Broadcasts(database)
        for table in (self.questions, self.answers, self.updates):
            table.forget_old()

    @classmethod
    def open(cls, location: str | Path | None) -> Self:
        """Open a file, or a database at postgresql://…; None keeps everything in memory.

        Raises StateError where it cannot be opened.
        """
        database = _opened(location)
        try:
            return cls(database)
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Release files and connections."""
        self.database.close()


def is_address(location: str) -> bool:
    """Whether a location is that of a PostgreSQL database, rather than a file."""
    return location.startswith(_ADDRESSES)


def _opened(location: str | Path | None) -> Database:
    if isinstance(location, str) and is_address(location):
        from bot.state.postgres import PostgresDatabase

        return PostgresDatabase.open(location)
    return SqliteDatabase.open(Path(location).expanduser() if location is not None else None)
