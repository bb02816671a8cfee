"""The writer's lock: one process writes to an index at a time; the system frees the lock when the process
ends."""

import contextlib
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from retrieval.errors import IndexLockedError
from retrieval.storage.connection import translated

LOCK_NAME = "writer.lock"
OWNER_NAME = "writer.json"


@contextlib.contextmanager
def writer_lock(folder: Path, *, seconds: float) -> Iterator[None]:
    """Hold the lock of the index in `folder`; raises IndexLockedError, naming the holder, after `seconds`."""
    lock = FileLock(folder / LOCK_NAME, timeout=seconds, thread_local=False)
    with translated(folder):
        try:
            lock.acquire()
        except Timeout as error:
            owner = _owner(folder)
            raise IndexLockedError(
                f"the index in {folder} is being written by {owner}: wait for it"
            ) from error
    try:
        _sign(folder)
        yield
    finally:
        lock.release()


def _sign(folder: Path) -> None:
    """Say who holds the lock. Only for the message: where it cannot be written, the lock still counts."""
    note = {"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
    with contextlib.suppress(OSError):
        (folder / OWNER_NAME).write_text(json.dumps(note), encoding="utf-8")


def _owner(folder: Path) -> str:
    try:
        note = json.loads((folder / OWNER_NAME).read_text(encoding="utf-8"))
        return f"process {int(note['pid'])} (since {note['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
