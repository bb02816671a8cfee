"""The tables of one index, and the steps that bring an older file up to date.

What is where, and why:

- `state` has the counts and the change-log position in one row, so that `status`, and a reader that asks
  "has anything changed?", read one page whatever the size of the index.
- `articles` is kept narrow (filters scan it); the full texts are in `texts`.
- The passages of an article have consecutive ids (`first_passage` to `last_passage`), so that a change of
  the log, and the passages a filter allows, are ranges. AUTOINCREMENT: an id is never used twice.
- `changes` is the log that the vector and the lexical index follow: one row for each range added or removed.
- `files` is what sync compares a folder with; `checked_ns` is when the file was looked at.
"""

import sqlite3

APPLICATION_ID = 0x57454E44
"""Marks the file as ours ("WEND" in ASCII; `file` and SQLite tools show it)."""

FORMAT_VERSION = 1
"""Grows with every change of the tables; `MIGRATIONS` has the step from each older version."""

TABLES = """
CREATE TABLE manifest (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL, articles INTEGER NOT NULL,
    passages INTEGER NOT NULL, updated_at TEXT NOT NULL
);
INSERT INTO state VALUES (1, 0, 0, 0, '');
CREATE TABLE sources (location TEXT PRIMARY KEY, kind TEXT NOT NULL, synced_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (
    key INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    checked_ns INTEGER NOT NULL, digest BLOB NOT NULL, parser INTEGER NOT NULL
);
CREATE INDEX files_by_digest ON files (digest);
CREATE TABLE articles (
    key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    file INTEGER REFERENCES files (key) ON DELETE SET NULL, digest BLOB NOT NULL, text_digest BLOB NOT NULL,
    duplicate_of INTEGER REFERENCES articles (key), first_passage INTEGER, last_passage INTEGER,
    signature INTEGER, day INTEGER NOT NULL, title TEXT NOT NULL, url TEXT, site TEXT, author TEXT,
    source TEXT, editor TEXT, published_at TEXT, categories TEXT NOT NULL, tags TEXT NOT NULL, image TEXT,
    language TEXT, path TEXT
);
CREATE INDEX articles_by_file ON articles (file);
CREATE INDEX articles_by_text ON articles (text_digest);
CREATE INDEX articles_by_original ON articles (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX articles_by_day ON articles (day);
CREATE INDEX articles_by_publication ON articles (source, author, site);
CREATE TABLE texts (
    article INTEGER PRIMARY KEY REFERENCES articles (key) ON DELETE CASCADE,
    text TEXT NOT NULL, headings TEXT NOT NULL
);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, article INTEGER NOT NULL, ordinal INTEGER NOT NULL,
    first_paragraph INTEGER NOT NULL, last_paragraph INTEGER NOT NULL, heading TEXT NOT NULL,
    text TEXT NOT NULL, normalised TEXT
);
CREATE TABLE vectors (passage INTEGER PRIMARY KEY, vector BLOB NOT NULL);
CREATE TABLE changes (
    position INTEGER PRIMARY KEY, removed INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL
);
"""

MIGRATIONS: dict[int, str] = {}
"""Version → the SQL that leads from it to the next one."""


def create(connection: sqlite3.Connection) -> None:
    """Make the tables of an empty file, in one transaction."""
    connection.executescript(
        f"BEGIN;{TABLES}PRAGMA application_id={APPLICATION_ID};PRAGMA user_version={FORMAT_VERSION};COMMIT;"
    )


def version(connection: sqlite3.Connection) -> int | None:
    """The format version of the file; None where it is not one of ours."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        return None
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    return int(found)


def migrate(connection: sqlite3.Connection, found: int) -> None:
    """Bring the tables from version `found` to FORMAT_VERSION, each step in its own transaction."""
    for step in range(found, FORMAT_VERSION):
        connection.executescript(f"BEGIN;{MIGRATIONS[step]};PRAGMA user_version={step + 1};COMMIT;")
