"""Reading the store: every thread its own connection, every search its own unmoving view."""

import contextlib
import json
import sqlite3
import sys
import threading
import weakref
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from embeddings.encoder import Vectors
from retrieval.backend import Ids, PassageRecord
from retrieval.ranking.similarity import from_signed
from retrieval.storage.connection import open_reader, translated
from retrieval.storage.filtering import condition
from retrieval.storage.rows import ARTICLE_FIELDS, ARTICLE_SELECT, article_from, moment, names
from retrieval.types import Article, Filters, Passage

_CHUNK = 500
_PASSAGE_FIELDS = "p.id, p.ordinal, p.first_paragraph, p.last_paragraph, p.heading, p.text"
_RECORD_SELECT = """
SELECT p.id, a.id, p.ordinal, p.text, p.heading, a.title, a.last_passage - a.first_passage + 1, a.url,
       a.author, a.source, a.published_at, a.categories, a.tags, a.image, a.language, a.path, a.signature,
       p.normalised
FROM passages AS p JOIN articles AS a ON a.key = p.article WHERE p.id IN ({marks})
"""


@dataclass(frozen=True, slots=True)
class State:
    """How far the change log has come, and how much there is."""

    position: int
    articles: int
    passages: int
    updated_at: str


@dataclass(frozen=True, slots=True)
class Change:
    """The passages `first` to `last` were added, or removed, at this position of the change log."""

    position: int
    removed: bool
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """A file as it was when it was last read; `checked_ns` is when that was."""

    path: str
    size: int
    mtime_ns: int
    checked_ns: int
    digest: bytes
    parser: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownArticle:
    """What deciding about an article needs: its digests, the file it came from, whose duplicate it is."""

    id: str
    digest: bytes
    file: str | None
    duplicate_of: str | None
    first_passage: int | None
    last_passage: int | None


class Reader:
    """Queries over one connection; used by one thread at a time."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def __del__(self) -> None:
        # A thread that ends leaves its reader behind; SQLite's handle should not wait for the collector.
        self.connection.close()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Inside, all reads see one committed state; may be nested. Writers are not held up."""
        if self.connection.in_transaction:
            yield
            return
        with translated(self.path):
            self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.rollback()

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with translated(self.path):
            return self.connection.execute(sql, values).fetchall()

    def state(self) -> State:
        """Position and counts, from one page."""
        (row,) = self.rows("SELECT position, articles, passages, updated_at FROM state")
        return State(*row)

    def manifest(self) -> dict[str, Any]:
        """The manifest's values by key."""
        return {key: json.loads(value) for key, value in self.rows("SELECT key, value FROM manifest")}

    def changes_since(self, position: int) -> list[Change]:
        """The changes after `position`, in order."""
        found = self.rows(
            "SELECT position, removed, first, last FROM changes WHERE position > ? ORDER BY position",
            (position,),
        )
        return [Change(position, bool(removed), first, last) for position, removed, first, last in found]

    def last_passage(self) -> int:
        """The id of the newest passage, 0 where there is none."""
        ((newest,),) = self.rows("SELECT coalesce(max(id), 0) FROM passages")
        return int(newest)

    def arrived_since(self, mark: str) -> tuple[str, list[str]]:
        """See Library: the passages of what comes, and of what changes, have ids above all earlier ones."""
        generation = self.path.parent.name
        before, _, last = mark.rpartition("/")
        ((newest,),) = self.rows("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'passages'")
        now = f"{generation}/{newest}"
        if before != generation or now == mark:
            return now, []
        found = self.rows(
            "SELECT id FROM articles WHERE first_passage > ? AND first_passage <= ? ORDER BY first_passage",
            (int(last), newest),
        )
        return now, [article_id for (article_id,) in found]

    def vectors_between(self, first: int, last: int, dimension: int) -> tuple[Ids, Vectors]:
        """Ids and stored vectors, shape (n, dimension), of the passages from `first` to `last`."""
        found = self.rows(
            "SELECT passage, vector FROM vectors WHERE passage BETWEEN ? AND ? ORDER BY passage",
            (first, last),
        )
        ids = np.fromiter((passage for passage, _ in found), dtype=np.int64, count=len(found))
        matrix = np.frombuffer(b"".join(vector for _, vector in found), dtype=np.float16)
        return ids, matrix.reshape(len(found), dimension).astype(np.float32)

    def records(self, ids: Sequence[int] | Ids) -> list[PassageRecord]:
        """Passages with their articles' fields in the order of `ids`; those that are gone are left out."""
        wanted = [int(number) for number in ids]
        found: dict[int, PassageRecord] = {}
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            for row in self.rows(_RECORD_SELECT.format(marks=", ".join("?" * len(chunk))), chunk):
                found[row[0]] = _record(row)
        return [found[number] for number in wanted if number in found]

    def allowed(self, filters: Filters) -> Ids:
        """Sorted ids of all passages whose article satisfies `filters`."""
        where = condition(filters)
        ranges = self.rows(
            "SELECT a.first_passage, a.last_passage FROM articles AS a "  # noqa: S608
            f"WHERE a.first_passage IS NOT NULL AND {where.sql} ORDER BY a.first_passage",
            where.values,
        )
        return expand(np.array(ranges, dtype=np.int64).reshape(-1, 2))

    def articles(self, limit: int | None = None) -> Iterator[Article]:
        """Articles in the order they came, read a few at a time; at most `limit`."""
        last, left = -1, sys.maxsize if limit is None else limit
        while left > 0:
            found = self.rows(
                f"SELECT a.key {_article_source('a.key > ?')} ORDER BY a.key LIMIT ?", (last, min(left, 200))
            )
            if not found:
                return
            last, left = found[-1][0], left - len(found)
            for row in found:
                yield article_from(row[1:])

    def newest(self, limit: int | None = None) -> Iterator[Article]:
        """Articles by day of publication, the newest first, undated ones last; at most `limit`."""
        keys = self.rows(
            "SELECT key FROM articles ORDER BY day DESC, key DESC LIMIT ?", (-1 if limit is None else limit,)
        )
        for (key,) in keys:
            for row in self.rows(f"SELECT a.key {_article_source('a.key = ?')}", (key,)):
                yield article_from(row[1:])

    def article(self, article_id: str) -> Article | None:
        """One article by its id. A duplicate has the text of the one that was stored."""
        found = self.rows(f"SELECT a.key {_article_source('a.id = ?')}", (article_id,))
        return article_from(found[0][1:]) if found else None

    def passages(self, article_id: str) -> list[Passage]:
        """The passages of one article, in order."""
        return [
            _passage(article_id, row)
            for row in self.rows(
                f"SELECT {_PASSAGE_FIELDS} FROM articles AS a "  # noqa: S608
                "JOIN passages AS p ON p.id BETWEEN a.first_passage AND a.last_passage "
                "WHERE a.id = ? ORDER BY p.id",
                (article_id,),
            )
        ]

    def passage(self, passage_id: int) -> Passage | None:
        """One passage by its id."""
        found = self.rows(
            f"SELECT a.id, {_PASSAGE_FIELDS} FROM passages AS p "  # noqa: S608
            "JOIN articles AS a ON a.key = p.article WHERE p.id = ?",
            (passage_id,),
        )
        return _passage(found[0][0], found[0][1:]) if found else None

    def passages_between(self, first: int, last: int) -> list[tuple[Article, list[Passage]]]:
        """The passages from `first` to `last`, under their articles (which come without their texts)."""
        found: dict[int, tuple[Article, list[Passage]]] = {}
        for row in self.rows(
            "SELECT p.id, p.ordinal, p.first_paragraph, p.last_paragraph, p.heading, p.text, a.key, "  # noqa: S608
            f"{ARTICLE_FIELDS}, '', '{{}}' FROM passages AS p JOIN articles AS a ON a.key = p.article "
            "WHERE p.id BETWEEN ? AND ? ORDER BY p.id",
            (first, last),
        ):
            article, passages = found.setdefault(row[6], (article_from(row[7:]), []))
            passages.append(_passage(article.id, row[:6]))
        return list(found.values())

    def known(self, article_ids: Sequence[str]) -> dict[str, KnownArticle]:
        """What is stored about the articles of these ids."""
        found: dict[str, KnownArticle] = {}
        for start in range(0, len(article_ids), _CHUNK):
            chunk = list(article_ids[start : start + _CHUNK])
            marks = ", ".join("?" * len(chunk))
            found |= {item.id: item for item in self._known(f"a.id IN ({marks})", chunk)}
        return found

    def articles_of(self, file_path: str) -> list[KnownArticle]:
        """The articles that came from one file."""
        return self._known("f.path = ?", (file_path,))

    def count_of(self, file_path: str) -> int:
        """How many articles came from one file."""
        ((count,),) = self.rows(
            "SELECT count(*) FROM articles WHERE file = (SELECT key FROM files WHERE path = ?)", (file_path,)
        )
        return int(count)

    def duplicates_of(self, article_id: str) -> list[KnownArticle]:
        """The articles that were not stored because `article_id` has the same text."""
        return self._known("o.id = ?", (article_id,))

    def with_text(self, digest: bytes) -> KnownArticle | None:
        """The stored article with this digest of its text, if any."""
        found = self._known("a.text_digest = ? AND a.duplicate_of IS NULL", (digest,))
        return found[0] if found else None

    def _known(self, where: str, values: Sequence[Any]) -> list[KnownArticle]:
        found = self.rows(
            "SELECT a.id, a.digest, f.path, o.id, a.first_passage, a.last_passage FROM articles AS a "  # noqa: S608
            "LEFT JOIN files AS f ON f.key = a.file LEFT JOIN articles AS o ON o.key = a.duplicate_of "
            f"WHERE {where} ORDER BY a.key",
            values,
        )
        return [
            KnownArticle(
                id=key,
                digest=digest,
                file=file,
                duplicate_of=original,
                first_passage=first,
                last_passage=last,
            )
            for key, digest, file, original, first, last in found
        ]

    def files_under(self, prefix: str) -> dict[str, FileState]:
        """The known files whose path is `prefix` or, where it ends in a separator, begins with it."""
        found = self.rows(
            "SELECT path, size, mtime_ns, checked_ns, digest, parser FROM files WHERE path >= ? AND path < ?",
            (prefix, prefix + "\U0010ffff") if prefix.endswith(("/", "\\")) else (prefix, prefix + "\0"),
        )
        return {
            path: FileState(
                path=path, size=size, mtime_ns=mtime, checked_ns=checked, digest=digest, parser=parser
            )
            for path, size, mtime, checked, digest, parser in found
        }

    def files_with(self, digest: bytes) -> list[str]:
        """The paths of the known files with these contents."""
        return [path for (path,) in self.rows("SELECT path FROM files WHERE digest = ?", (digest,))]

    def sources(self) -> list[tuple[str, str]]:
        """What was synced before: location and kind (`folder` or `file`)."""
        return [(location, kind) for location, kind in self.rows("SELECT location, kind FROM sources")]

    def publications(self, limit: int) -> list[str]:
        """The sources, authors and sites of the most articles, the most frequent first."""
        counts: Counter[str] = Counter()
        for *fields, count in self.rows(
            "SELECT source, author, site, count(*) FROM articles GROUP BY source, author, site"
        ):
            for name in {name for name in fields if name}:
                counts[name] += count
        return [name for name, _ in counts.most_common(limit)]

    def period(self) -> tuple[date, date] | None:
        """The first and the last day of publication; None where no article has one."""
        ((first, last),) = self.rows(
            "SELECT (SELECT min(day) FROM articles WHERE day > 0), "
            "(SELECT max(day) FROM articles WHERE day > 0)"
        )
        return (date.fromordinal(first), date.fromordinal(last)) if first else None


class Store:
    """The readers of one SQLite file: one connection for each thread that asks."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._own = threading.local()
        self._all: weakref.WeakSet[Reader] = weakref.WeakSet()
        self._guard = threading.Lock()

    def reader(self) -> Reader:
        """This thread's reader."""
        found: Reader | None = getattr(self._own, "reader", None)
        if found is None:
            found = Reader(open_reader(self.path), self.path)
            with self._guard:
                self._all.add(found)
            self._own.reader = found
        return found

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._guard:
            for reader in list(self._all):
                reader.close()
            self._all.clear()
        self._own = threading.local()


def expand(ranges: Ids) -> Ids:
    """The numbers of all ranges, shape (n, 2), both ends included, one after the other."""
    lengths = ranges[:, 1] - ranges[:, 0] + 1
    starts = np.repeat(ranges[:, 0] - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths)
    return starts + np.arange(len(starts), dtype=np.int64)


def _article_source(where: str) -> str:
    return (
        f", {ARTICLE_SELECT} FROM articles AS a "
        f"JOIN texts AS t ON t.article = coalesce(a.duplicate_of, a.key) WHERE {where}"
    )


def _record(row: tuple[Any, ...]) -> PassageRecord:
    """The record of one row of _RECORD_SELECT, whose columns are in the order of its fields."""
    published_at, categories, tags, *plain, signature, normalised = row[10:]
    own = None if signature is None else from_signed(signature)
    lists = names(categories), names(tags)
    return PassageRecord._make((*row[:10], moment(published_at), *lists, *plain, own, normalised))


def _passage(article_id: str, row: tuple[Any, ...]) -> Passage:
    key, ordinal, first, last, heading, text = row
    return Passage(
        id=key, article_id=article_id, ordinal=ordinal, first_paragraph=first, last_paragraph=last,
        heading=heading, text=text,
    )  # fmt: skip
