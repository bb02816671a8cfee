"""Changing the store: articles with their passages and vectors, in transactions that also write the change
log."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embeddings.encoder import Vectors
from retrieval.storage.connection import open_writer, translated
from retrieval.storage.reading import FileState, Reader
from retrieval.storage.rows import ARTICLE_COLUMNS, article_values, text_values
from retrieval.types import Article, Passage
from retrieval.vector.half_precision import Stored, to_half

_COLUMNS = (*ARTICLE_COLUMNS, "file", "duplicate_of", "first_passage", "last_passage")
_PUT_ARTICLE = (
    f"INSERT INTO articles ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "  # noqa: S608
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS[1:])} "
    "RETURNING key"
)
_ADD_ARTICLE = (
    f"INSERT INTO articles (key, {', '.join(_COLUMNS)}) VALUES (?, {', '.join('?' * len(_COLUMNS))})"  # noqa: S608
)
_PUT_FILE = (
    "INSERT INTO files (path, size, mtime_ns, checked_ns, digest, parser) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns, "
    "checked_ns = excluded.checked_ns, digest = excluded.digest, parser = excluded.parser RETURNING key"
)

_SEQUENCE = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0)"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedArticle:
    """An article with all that is stored about it but its passages' vectors.

    `normalised` has, for each passage, the analyzer's normal form, None where it equals the text. A duplicate
    (`duplicate_of` is an article id) has no passages.
    """

    article: Article
    digest: bytes
    text_digest: bytes
    signature: int | None
    passages: Sequence[Passage]
    normalised: Sequence[str | None]
    file: str | None = None
    duplicate_of: str | None = None


@dataclass(slots=True)
class Applied:
    """What one transaction changed: the ids of passages that went and came, and the log's new position."""

    removed: list[int]
    added: list[tuple[PreparedArticle, int]]
    """Each article that got passages, with the id of its first one."""
    position: int = 0


class Writer:
    """The one connection that writes; whoever has it holds the writer's lock."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._connection = open_writer(path, create=create)
        self.reader = Reader(self._connection, path)

    def close(self) -> None:
        """Close the connection; SQLite folds its write-ahead log into the file where no one else has it
        open."""
        self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator["Transaction"]:
        """All or nothing: commits durably at the end, undoes everything where an exception leaves the
        block."""
        with translated(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                transaction = Transaction(self._connection)
                yield transaction
                transaction.finish()
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk makes SQLite roll back by itself; then there is nothing left to undo.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def compact_into(self, path: Path) -> None:
        """Write a copy without unused pages to `path`, which must not exist."""
        with translated(path):
            self._connection.execute("VACUUM INTO ?", (str(path),))


class Transaction:
    """The changes that one commit makes. Rows of new articles and passages are written together, in few
    statements: those of articles when a later change may touch them, else by `finish`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._position = self._one("SELECT position FROM state")
        self._first = self._next = self._one(_SEQUENCE, ("passages",)) + 1
        self._next_key = self._one(_SEQUENCE, ("articles",)) + 1
        self._new: dict[str, int] = {}
        self._article_rows: list[tuple[Any, ...]] = []
        self._text_rows: list[tuple[Any, ...]] = []
        self._files: dict[str, int] = {}
        self._passages: list[tuple[Any, ...]] = []
        self._vectors: Stored | None = None
        self._articles = 0
        self.applied = Applied([], [], self._position)

    def put(self, item: PreparedArticle) -> None:
        """Add an article, or replace the one with its id."""
        if item.article.id in self._new:
            raise ValueError(f"article {item.article.id!r} is put twice in one transaction")
        known = self._drop_passages(item.article.id)
        count = len(item.passages)
        first, last = (self._next, self._next + count - 1) if count else (None, None)
        file = self._files.get(item.file or "") or self._key("files", "path", item.file)
        original = self._new.get(item.duplicate_of or "") or self._key("articles", "id", item.duplicate_of)
        values = article_values(
            item.article, digest=item.digest, same_text=item.text_digest, signature=item.signature
        )
        text, headings = text_values(item.article) if original is None else ("", "{}")
        if known:
            self._write_articles()
            key = self._one(_PUT_ARTICLE, (*values, file, original, first, last))
        else:
            key, self._next_key = self._next_key, self._next_key + 1
            self._article_rows.append((key, *values, file, original, first, last))
            self._new[item.article.id] = key
        self._text_rows.append((key, text, headings))
        if not count:
            return
        self.applied.added.append((item, self._next))
        self._passages += [
            (number, key, passage.ordinal, passage.first_paragraph, passage.last_paragraph, passage.heading,
             passage.text, normalised)
            for number, passage, normalised in zip(
                range(self._next, self._next + count), item.passages, item.normalised, strict=True)
        ]  # fmt: skip
        self._next += count

    def put_vectors(self, vectors: Stored) -> None:
        """The vectors of all passages that were put, in their order: shape (passages, dimension)."""
        self._vectors = vectors

    def remove(self, article_id: str) -> bool:
        """Remove an article; whether there was one. Its duplicates have to be put again by the caller."""
        self._write_articles()
        key = self._key("articles", "id", article_id)
        if key is None:
            return False
        self._drop_passages(article_id)
        self._connection.execute("UPDATE articles SET duplicate_of = NULL WHERE duplicate_of = ?", (key,))
        self._connection.execute("DELETE FROM articles WHERE key = ?", (key,))
        self._articles -= 1
        return True

    def put_file(self, state: FileState) -> None:
        """Remember a file as it was just read."""
        self._files[state.path] = self._one(
            _PUT_FILE, (state.path, state.size, state.mtime_ns, state.checked_ns, state.digest, state.parser)
        )

    def move_file(self, old: str, new: FileState) -> None:
        """A file has another path, with the same contents; its articles keep their ids."""
        self._write_articles()
        self._files.clear()
        self._connection.execute("DELETE FROM files WHERE path = ? AND path != ?", (new.path, old))
        self._connection.execute("UPDATE files SET path = ? WHERE path = ?", (new.path, old))
        self.put_file(new)
        self._connection.execute(
            "UPDATE articles SET path = ? || substr(path, ?) "  # what follows is the place within an archive
            "WHERE file = (SELECT key FROM files WHERE path = ?)",
            (new.path, len(old) + 1, new.path),
        )

    def forget_file(self, path: str) -> None:
        """A file is gone; its articles are removed by `remove`."""
        self._write_articles()
        self._files.clear()
        self._connection.execute("DELETE FROM files WHERE path = ?", (path,))

    def put_source(self, location: str, kind: str) -> None:
        """Remember that a source was synced."""
        self._connection.execute("INSERT OR REPLACE INTO sources VALUES (?, ?, ?)", (location, kind, _now()))

    def put_manifest(self, values: Mapping[str, Any]) -> None:
        """Set values of the manifest."""
        rows = [(key, json.dumps(value, ensure_ascii=False)) for key, value in values.items()]
        self._connection.executemany("INSERT OR REPLACE INTO manifest VALUES (?, ?)", rows)

    def replace_vectors(self, first: int, vectors: Vectors) -> None:
        """Give the passages from `first` on other vectors; outside the change log: for an index being
        made."""
        rows = packed(range(first, first + len(vectors)), vectors)
        self._connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)

    def finish(self) -> None:
        """Write the collected rows, the change log and the counts."""
        self._write_articles()
        self._connection.executemany("INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?)", self._passages)
        if self._passages:
            numbers, vectors = range(self._first, self._next), self._vectors
            if vectors is None or len(vectors) != len(numbers):
                raise ValueError(f"the vectors of {len(numbers)} passages did not come, or not all")
            self._connection.executemany("INSERT INTO vectors VALUES (?, ?)", packed(numbers, vectors))
            self._log(False, self._first, self._next - 1)
        self._connection.execute(
            "UPDATE state SET position = ?, articles = articles + ?, passages = passages + ?, updated_at = ?",
            (self._position, self._articles, len(self._passages) - len(self.applied.removed), _now()),
        )
        self.applied.position = self._position

    def _write_articles(self) -> None:
        self._connection.executemany(_ADD_ARTICLE, self._article_rows)
        self._connection.executemany("INSERT OR REPLACE INTO texts VALUES (?, ?, ?)", self._text_rows)
        self._articles += len(self._article_rows)
        self._article_rows.clear()
        self._text_rows.clear()
        self._new.clear()

    def _drop_passages(self, article_id: str) -> bool:
        """Remove the passages of an article; whether there is such an article."""
        found = self._connection.execute(
            "SELECT first_passage, last_passage FROM articles WHERE id = ?", (article_id,)
        ).fetchone()
        if found is None or found[0] is None:
            return found is not None
        if found[0] >= self._first:
            raise ValueError(f"article {article_id!r} is put twice in one transaction")
        self._connection.execute("DELETE FROM vectors WHERE passage BETWEEN ? AND ?", found)
        self._connection.execute("DELETE FROM passages WHERE id BETWEEN ? AND ?", found)
        self._log(True, *found)
        self.applied.removed += range(found[0], found[1] + 1)
        return True

    def _log(self, removed: bool, first: int, last: int) -> None:
        self._position += 1
        self._connection.execute(
            "INSERT INTO changes VALUES (?, ?, ?, ?)", (self._position, removed, first, last)
        )

    def _key(self, table: str, column: str, value: str | None) -> int | None:
        if value is None:
            return None
        found = self._connection.execute(f"SELECT key FROM {table} WHERE {column} = ?", (value,)).fetchone()  # noqa: S608
        return None if found is None else int(found[0])

    def _one(self, sql: str, values: Sequence[Any] = ()) -> int:
        ((value,),) = self._connection.execute(sql, values).fetchall()
        return int(value)


def packed(numbers: Sequence[int], vectors: Vectors | Stored) -> list[tuple[int, bytes]]:
    """Rows of the table `vectors`: half precision, whose error (2^-11 of a component) is far below the
    encoder's."""
    size = vectors.shape[1] * 2
    data = to_half(vectors).tobytes()
    return [(number, data[row * size : (row + 1) * size]) for row, number in enumerate(numbers)]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
