"""What the bot remembers, in one SQLite file: questions and their answers, article keys, languages."""

import hashlib
import sqlite3
import threading
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from bot.errors import BotError
from bot.i18n import Language

KEY_LENGTH = 16
"""Characters of an article key: A-Z a-z 0-9 _ -, fit for a deep link."""

_KEPT = 200_000
_KEPT_UPDATES = 10_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS questions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    chat TEXT NOT NULL,
    text TEXT NOT NULL,
    literal INTEGER NOT NULL DEFAULT 0,
    asked_at TEXT NOT NULL,
    answered INTEGER,
    rating INTEGER
);
CREATE TABLE IF NOT EXISTS articles (key TEXT PRIMARY KEY, article_id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    chat TEXT NOT NULL,
    message INTEGER NOT NULL,
    answer INTEGER NOT NULL,
    UNIQUE (chat, message) ON CONFLICT REPLACE
);
CREATE TABLE IF NOT EXISTS inbox (
    update_id INTEGER PRIMARY KEY,
    payload TEXT,
    attempts INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS chats (chat TEXT PRIMARY KEY, language TEXT) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class StoredQuestion:
    """A question as it was asked; `literal` says that no filters are to be read out of its words."""

    id: int
    chat: str
    text: str
    literal: bool


class State:
    """The bot's memory. Thread-safe; every call is one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path | None) -> Self:
        """Open or create the file; None keeps everything in memory. Raises BotError where it cannot."""
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path or ":memory:", check_same_thread=False, timeout=10)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executescript(_SCHEMA)
            for table in ("questions", "answers"):
                connection.execute(f"DELETE FROM {table} WHERE id <= (SELECT max(id) FROM {table}) - {_KEPT}")  # noqa: S608
            connection.commit()
        except (OSError, sqlite3.Error) as error:
            raise BotError(
                f"cannot use {path} to remember conversations: {error}; "
                "set WENDA_STATE to a file that can be written"
            ) from error
        return cls(connection)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def add_question(self, chat: str, text: str, *, literal: bool = False) -> int:
        """Remember a question; its number."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._lock, self._connection:
            cursor = self._connection.execute(
                "INSERT INTO questions (chat, text, literal, asked_at) VALUES (?, ?, ?, ?)",
                (chat, text, int(literal), now),
            )
        return int(cursor.lastrowid or 0)

    def offer(self, text: str) -> int:
        """The number of a question that the bot itself proposes, the same for the same text."""
        with self._lock:
            row = self._connection.execute(
                "SELECT id FROM questions WHERE chat = '' AND text = ?", (text,)
            ).fetchone()
        return int(row[0]) if row else self.add_question("", text)

    def question(self, number: int, chat: str) -> StoredQuestion | None:
        """A question of this chat (or one the bot proposed to all) by its number."""
        with self._lock:
            row = self._connection.execute(
                "SELECT id, chat, text, literal FROM questions WHERE id = ? AND chat IN (?, '')",
                (number, chat),
            ).fetchone()
        return StoredQuestion(row[0], row[1], row[2], bool(row[3])) if row else None

    def set_answered(self, number: int, answered: bool) -> None:
        """Note whether the question found an answer."""
        with self._lock, self._connection:
            self._connection.execute(
                "UPDATE questions SET answered = ? WHERE id = ?", (int(answered), number)
            )

    def rate(self, number: int, good: bool) -> None:
        """Note what the asker thought of the answer."""
        with self._lock, self._connection:
            self._connection.execute(
                "UPDATE questions SET rating = ? WHERE id = ?", (1 if good else -1, number)
            )

    def article_key(self, article_id: str) -> str:
        """A key of KEY_LENGTH characters for an article, the same every time; remembered for `article_id`."""
        digest = hashlib.sha256(article_id.encode("utf-8", "surrogatepass")).digest()
        key = urlsafe_b64encode(digest[:12]).decode("ascii")
        with self._lock, self._connection:
            self._connection.execute("INSERT OR IGNORE INTO articles VALUES (?, ?)", (key, article_id))
        return key

    def article_id(self, key: str) -> str | None:
        """The article behind a key that `article_key` gave."""
        with self._lock:
            row = self._connection.execute("SELECT article_id FROM articles WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else None

    def remember_answer(self, chat: str, message: int, answer: int) -> None:
        """Note which message of the bot answers which message of the chat."""
        with self._lock, self._connection:
            self._connection.execute(
                "INSERT INTO answers (chat, message, answer) VALUES (?, ?, ?)", (chat, message, answer)
            )

    def answer_to(self, chat: str, message: int) -> int | None:
        """The bot's message that answers a message of the chat."""
        with self._lock:
            row = self._connection.execute(
                "SELECT answer FROM answers WHERE chat = ? AND message = ?", (chat, message)
            ).fetchone()
        return int(row[0]) if row else None

    def receive(self, update_id: int, payload: str) -> bool:
        """Write an update down; False where it was written down before."""
        with self._lock, self._connection:
            cursor = self._connection.execute(
                "INSERT OR IGNORE INTO inbox (update_id, payload) VALUES (?, ?)", (update_id, payload)
            )
        return cursor.rowcount == 1

    def finish(self, update_id: int) -> None:
        """Cross an update out; its number is remembered for a while."""
        with self._lock, self._connection:
            self._connection.execute("UPDATE inbox SET payload = NULL WHERE update_id = ?", (update_id,))
            self._connection.execute(
                "DELETE FROM inbox WHERE update_id < ? AND payload IS NULL", (update_id - _KEPT_UPDATES,)
            )

    def unfinished(self) -> list[tuple[int, str, int]]:
        """The updates not crossed out, in order: number, payload, and how often they were begun before."""
        with self._lock, self._connection:
            rows = self._connection.execute(
                "UPDATE inbox SET attempts = attempts + 1 WHERE payload IS NOT NULL "
                "RETURNING update_id, payload, attempts"
            ).fetchall()
        return sorted((int(row[0]), str(row[1]), int(row[2])) for row in rows)

    def set_language(self, chat: str, language: Language) -> None:
        """Remember the language chosen in a chat."""
        with self._lock, self._connection:
            self._connection.execute(
                "INSERT INTO chats VALUES (?, ?) "
                "ON CONFLICT (chat) DO UPDATE SET language = excluded.language",
                (chat, str(language)),
            )

    def language(self, chat: str) -> Language | None:
        """The language chosen in a chat, if any was."""
        with self._lock:
            row = self._connection.execute("SELECT language FROM chats WHERE chat = ?", (chat,)).fetchone()
        return Language(row[0]) if row and row[0] in set(Language) else None
