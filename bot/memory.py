"""What a conversation remembers: the last questions of a thread, what each was taken to mean and found.

A thread is one person in one chat and topic. It is forgotten after LIFE, or with /reset, not with a restart.
"""

import json
import time
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from bot.followups import Turn
from bot.state.database import Database, Statements
from bot.state.schema import Table, prepare
from retrieval.types import Filters

LIFE = 30 * 60
"""Seconds after its last question for which a thread is remembered."""

TURNS = 4
"""Questions of a thread that are remembered."""

_KEPT = 200_000
_MEANINGS = Table(
    "meanings",
    ("CREATE TABLE IF NOT EXISTS meanings (question BIGINT PRIMARY KEY, meaning TEXT NOT NULL)",),
)
_THREADS = Table(
    "threads",
    (
        "CREATE TABLE IF NOT EXISTS threads "
        "(thread TEXT PRIMARY KEY, turns TEXT NOT NULL, touched BIGINT NOT NULL)",
    ),
)
_SPOKEN = Table(
    "spoken",
    (
        "CREATE TABLE IF NOT EXISTS spoken "
        "(chat TEXT NOT NULL, message BIGINT NOT NULL, question BIGINT NOT NULL, "
        "PRIMARY KEY (chat, message))",
    ),
)


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that an ambiguous question may mean: a word for it, the full question, an article if one."""

    label: str
    text: str
    article: str | None = None


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a stored question was taken to mean, and what it found.

    `turn.text` is what is searched, within `filters`; where there are passages to `skip` (they were shown
    before), passages are listed one by one. `follows` says that the text came out of the conversation.
    """

    question: int
    turn: Turn
    filters: Filters | None = None
    skip: tuple[int, ...] = ()
    shown: tuple[int, ...] = ()
    options: tuple[Option, ...] = ()
    follows: bool = False
    literal: bool = False


class Memory:
    """Keeps meanings and threads in the bot's database. Thread-safe."""

    def __init__(self, database: Database) -> None:
        prepare(database, (_MEANINGS, _THREADS, _SPOKEN))
        self._database = database
        for table in ("meanings", "spoken"):
            database.run(
                f"DELETE FROM {table} WHERE question <= (SELECT max(question) FROM {table}) - ?",  # noqa: S608
                _KEPT,
            )
        database.run("DELETE FROM threads WHERE touched < ?", int(time.time()) - LIFE)

    def recall(self, thread: str, *, now: float | None = None) -> list[Meaning]:
        """The thread's last questions, the latest last; none after its life has ended."""
        since = int((time.time() if now is None else now) - LIFE)
        numbers = [number for number, _ in _turns(self._database, thread, since)]
        if not numbers:
            return []
        marks = ", ".join("?" * len(numbers))
        rows = self._database.rows(
            f"SELECT question, meaning FROM meanings WHERE question IN ({marks})",  # noqa: S608
            *numbers,
        )
        found = {int(number): text for number, text in rows}
        return [_read(number, json.loads(found[number])) for number in numbers if number in found]

    def note(self, thread: str, meaning: Meaning, message: int = 0, *, now: float | None = None) -> None:
        """Remember a question as the thread's latest; `message` is the one that asked it."""
        touched = int(time.time() if now is None else now)
        with self._database.transaction() as statements:
            statements.run(
                "INSERT INTO meanings (question, meaning) VALUES (?, ?) "
                "ON CONFLICT (question) DO UPDATE SET meaning = excluded.meaning",
                meaning.question,
                _written(meaning),
            )
            turns = [*_turns(statements, thread), (meaning.question, message)]
            statements.run(
                "INSERT INTO threads (thread, turns, touched) VALUES (?, ?, ?) "
                "ON CONFLICT (thread) DO UPDATE SET turns = excluded.turns, touched = excluded.touched",
                thread,
                json.dumps(turns[-TURNS:]),
                touched,
            )

    def take_back(self, thread: str, *, question: int = 0, message: int = 0) -> None:
        """Forget a question of the thread, or the one that a message asked, and all that came after it."""
        turns = _turns(self._database, thread)
        for place, (number, asked_by) in enumerate(turns):
            if (question and number == question) or (message and asked_by == message):
                left = json.dumps(turns[:place])
                self._database.run("UPDATE threads SET turns = ? WHERE thread = ?", left, thread)
                return

    def forget(self, thread: str) -> None:
        """Forget the thread."""
        self._database.run("DELETE FROM threads WHERE thread = ?", thread)

    def meaning(self, question: int) -> Meaning | None:
        """What a question was taken to mean, None where that is not remembered."""
        row = self._database.row("SELECT meaning FROM meanings WHERE question = ?", question)
        return _read(question, json.loads(row[0])) if row else None

    def link(self, chat: str, message: int, question: int) -> None:
        """Note that a message of the bot answers a question."""
        self._database.run(
            "INSERT INTO spoken (chat, message, question) VALUES (?, ?, ?) "
            "ON CONFLICT (chat, message) DO UPDATE SET question = excluded.question",
            chat,
            message,
            question,
        )

    def answered_by(self, chat: str, message: int) -> Meaning | None:
        """What the question meant that a message of the bot answered."""
        row = self._database.row("SELECT question FROM spoken WHERE chat = ? AND message = ?", chat, message)
        return self.meaning(int(row[0])) if row else None


def _turns(statements: Statements, thread: str, since: int = 0) -> list[tuple[int, int]]:
    """The thread's questions and the messages that asked them, if it was touched since a moment."""
    row = statements.row("SELECT turns FROM threads WHERE thread = ? AND touched >= ?", thread, since)
    return [(int(question), int(message)) for question, message in json.loads(row[0])] if row else []


def without_dates(filters: Filters | None) -> Filters | None:
    """The filters but for their dates."""
    return replace(filters, after=None, before=None) if filters else None


def _written(meaning: Meaning) -> str:
    values = asdict(meaning)
    del values["question"]
    if filters := values["filters"]:
        values["filters"] = {
            key: value.isoformat() if isinstance(value, date) else value
            for key, value in filters.items()
            if value
        }
    return json.dumps(values, ensure_ascii=False)


def _read(question: int, values: dict[str, Any]) -> Meaning:
    turn, limits = values["turn"], values["filters"] or {}
    limits = {key: tuple(value) if isinstance(value, list) else value for key, value in limits.items()}
    return Meaning(
        question,
        Turn(
            turn["text"],
            tuple(turn["topics"]),
            tuple((article, title) for article, title in turn["articles"]),
            turn["answered"],
        ),
        Filters(**limits) if limits else None,
        tuple(values["skip"]),
        tuple(values["shown"]),
        tuple(Option(**option) for option in values["options"]),
        values["follows"],
        values.get("literal", False),
    )
