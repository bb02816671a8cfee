"""Opening the SQLite file for reading or writing, and turning SQLite's errors into ours."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from retrieval.errors import (
    IndexDamagedError,
    IndexLockedError,
    IndexMismatchError,
    RetrievalError,
    StorageError,
)
from retrieval.storage import schema

BUSY_SECONDS = 10.0
"""How long a statement waits for another process's lock (a reader never waits: the file is in WAL mode)."""

CHECKPOINT_PAGES = 4096
"""Pages of 4 KiB in the write-ahead log before they are copied into the database file."""


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Let what SQLite or the file system raises leave as one of our errors, naming `path`."""
    try:
        yield
    except sqlite3.Error as error:
        raise _from_sqlite(error, path) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"cannot write to {error.filename or path}: {reason}") from error


def _from_sqlite(error: sqlite3.Error, path: Path) -> RetrievalError:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return IndexLockedError(
            f"the index in {path.parent} is locked by another program: try again when it is done"
        )
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return IndexDamagedError(
            f"{path} is damaged ({error}): move it away and build it again with `python -m retrieval index`"
        )
    if name.startswith("SQLITE_FULL"):
        return StorageError(
            f"the disk of {path} is full: what was committed before is kept; make room and repeat"
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_CANTOPEN")):
        return StorageError(f"cannot open {path} for writing ({error}): check its permissions")
    return StorageError(f"{path}: {error}: what was committed before is kept")


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write; raises IndexDamagedError or IndexMismatchError where the file is not
    ours."""
    if not path.is_file():
        raise IndexDamagedError(f"{path} is missing: build the index again with `python -m retrieval index`")
    with translated(path):
        connection = _connect(f"{path.resolve().as_uri()}?mode=ro{_immutable(path)}")
        try:
            _check(connection, path, writing=False)
        except BaseException:
            connection.close()
            raise
    return connection


def open_writer(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """The connection that writes; the caller holds the writer's lock. Makes or migrates the tables."""
    with translated(path):
        connection = _connect(f"{path.resolve().as_uri()}?mode={'rwc' if create else 'rw'}")
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            # FULL: a commit that was reported survives the loss of power; batches keep the price small.
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
            connection.execute(f"PRAGMA journal_size_limit={CHECKPOINT_PAGES * 4096}")
            connection.execute("PRAGMA foreign_keys=ON")
            if create:
                schema.create(connection)
            _check(connection, path, writing=True)
        except BaseException:
            connection.close()
            raise
    return connection


def _connect(uri: str) -> sqlite3.Connection:
    # Autocommit: transactions are begun by name. The thread check is off because close() may come from
    # another one.
    connection = sqlite3.connect(
        uri,
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    connection.execute("PRAGMA cache_size=-8192")
    return connection


def _immutable(path: Path) -> str:
    """On a read-only disk WAL mode cannot make its side files; without any, the file can be read as it is."""
    writable = os.access(path.parent, os.W_OK)
    return "" if writable or path.with_name(path.name + "-wal").exists() else "&immutable=1"


def _check(connection: sqlite3.Connection, path: Path, *, writing: bool) -> None:
    found = schema.version(connection)
    if found is None:
        raise IndexDamagedError(f"{path} is not an index of wenda: choose another folder")
    if found > schema.FORMAT_VERSION:
        raise IndexMismatchError(
            f"{path} was written by a newer wenda (format {found}, this one reads {schema.FORMAT_VERSION}): "
            "upgrade with `pip install --upgrade wenda`"
        )
    if found == schema.FORMAT_VERSION:
        return
    if not writing:
        raise IndexMismatchError(
            f"{path} has the older format {found}: bring it up to date with "
            f"`python -m retrieval check --repair --index {path.parent.parent}`"
        )
    schema.migrate(connection, found)
