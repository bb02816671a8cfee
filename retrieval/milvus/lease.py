"""One writer at a time, on a server that has no locks: a lease with a number, a beat, and an end.

Each lease has a number. To get the next one, a contender makes the collection NAME_lease_NUMBER with a
schema of its own: of several that try, the server lets one. The holder then writes itself into the row of
NAME_lease, and from time to time another beat. A holder whose beat a contender does not see change for
LEASE_SECONDS (by the contender's own clock: clocks of different machines are never compared) has lost the
lease to the next number. The holder looks before each commit whether it still is the last number, so that
two never interleave.
"""

import contextlib
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from retrieval.errors import IndexLockedError, RetrievalError
from retrieval.milvus.client import MissingCollectionError, Row, Server
from retrieval.milvus.schema import blank, make_lease, token_schema

LEASE_SECONDS = 15.0
"""A holder that shows no beat for so long has lost its lease."""

_BEATS = 5
"""Beats in that time; a holder looks again where it has not for one beat."""

_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a contender sees: the last number given, the row's number and beat, and who holds it ("" none)."""

    last: int
    number: int
    beat: int
    owner: str

    @property
    def free(self) -> bool:
        """Whether the last lease was given back."""
        return not self.owner and self.number == self.last


class Lease:
    """The lease of one index, held or not."""

    def __init__(self, server: Server, name: str) -> None:
        self._server = server
        self._row = f"{name}_lease"
        self._number = 0
        self._beat = 0
        self._looked = 0.0
        self._owner = ""
        self._guard = threading.Lock()

    @contextlib.contextmanager
    def held(self, *, seconds: float) -> Iterator[None]:
        """Hold the lease; raises IndexLockedError, naming the holder, after `seconds`.

        Where the holder shows no sign of life, it is waited for up to LEASE_SECONDS, unless `seconds` is less
        than one beat.
        """
        self._acquire(seconds)
        ended = threading.Event()
        beating = threading.Thread(target=self._keep_beating, args=(ended,), name="lease", daemon=True)
        beating.start()
        try:
            yield
        finally:
            ended.set()
            beating.join()
            self._release()

    def confirm(self) -> None:
        """Raises IndexLockedError where the lease is held no longer."""
        if not self._number:
            raise RetrievalError("the index is changed by one who does not hold the writer's lease")
        if time.monotonic() - self._looked > LEASE_SECONDS / _BEATS:
            self._look()

    def _acquire(self, seconds: float) -> None:
        if not self._server.call("has_collection", self._row, patience=self._server.reading):
            make_lease(self._server.call, self._row)
        started = since = time.monotonic()
        seen: _Seen | None = None
        while True:
            now = self._see()
            if now != seen:
                seen, since = now, time.monotonic()
            unchanged = time.monotonic() - since
            if (now.free or unchanged >= LEASE_SECONDS or _died_here(now.owner)) and self._take(now.last + 1):
                return
            waited = time.monotonic() - started
            silent = unchanged > 2 * LEASE_SECONDS / _BEATS and seconds >= LEASE_SECONDS / _BEATS
            if waited >= seconds and not (silent and not now.free):
                holder = _shown(now.owner)
                raise IndexLockedError(
                    f"the index at {self._server.location} is being written by {holder}: wait for it"
                )
            time.sleep(min(_POLL_SECONDS, max(0.01, seconds - waited)))

    def _take(self, number: int) -> bool:
        """Whether this lease could be had; others may be trying to get it, too."""
        token = f"{self._row}_{number}"
        try:
            self._server.call("create_collection", token, schema=token_schema(secrets.token_hex(8)))
        except RetrievalError as error:
            if "exist" in str(error) or self._server.call("has_collection", token):
                return False
            raise
        if self._last() > number:
            # One who looked away for long: later leases were given and this number's token cleared away.
            self._server.call("drop_collection", token)
            return False
        self._owner = _me()
        self._number, self._beat = number, 0
        self._write()
        for older in self._tokens():
            if older < number:
                self._server.call("drop_collection", f"{self._row}_{older}")
        return True

    def _release(self) -> None:
        """Give it back, where it is still ours; a server that is away will see it run out."""
        with contextlib.suppress(RetrievalError):
            self._look()
            with self._guard:
                self._owner = ""
                self._write()
        self._number = 0

    def _keep_beating(self, ended: threading.Event) -> None:
        while not ended.wait(LEASE_SECONDS / _BEATS):
            with contextlib.suppress(RetrievalError):  # the next commit looks for itself
                self._look()

    def _look(self) -> None:
        """See that nobody has taken the lease over, and beat."""
        with self._guard:
            if self._last() > self._number:
                raise IndexLockedError(
                    f"writing to the index at {self._server.location} took so long that another writer took "
                    "over: what was committed is kept; repeat to do the rest"
                )
            self._beat += 1
            self._write()

    def _write(self) -> None:
        row = {"id": 0, "epoch": self._number, "beat": self._beat, "owner": self._owner, **blank()}
        self._server.upsert(self._row, [row])
        self._looked = time.monotonic()

    def _see(self) -> _Seen:
        rows: list[Row] = []
        with contextlib.suppress(MissingCollectionError):
            rows = self._server.query(self._row, "id == 0", ("epoch", "beat", "owner"), consistency="Strong")
        row: Row = rows[0] if rows else {"epoch": 0, "beat": 0, "owner": ""}
        return _Seen(self._last(), row["epoch"], row["beat"], row["owner"])

    def _last(self) -> int:
        return max(self._tokens(), default=0)

    def _tokens(self) -> list[int]:
        prefix = f"{self._row}_"
        names = self._server.call("list_collections", patience=self._server.reading)
        numbers = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
        return sorted(int(number) for number in numbers if number.isdecimal())


def _me() -> str:
    note = {"pid": os.getpid(), "host": socket.gethostname(), "where": _namespace(),
            "since": datetime.now(UTC).isoformat(timespec="seconds")}  # fmt: skip
    return json.dumps(note)


def _namespace() -> str:
    """Tells machines and containers apart, where the system says: process numbers mean nothing elsewhere."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _died_here(owner: str) -> bool:
    """Whether the holder was a process of this very machine that has ended."""
    try:
        note = json.loads(owner)
        if not note["where"] or note["where"] != _namespace():
            return False
        os.kill(int(note["pid"]), 0)
    except ProcessLookupError:
        return True
    except (ValueError, KeyError, TypeError, OSError):
        return False
    return False


def _shown(owner: str) -> str:
    try:
        note = json.loads(owner)
        return f"process {int(note['pid'])} on {note['host']} (since {note['since']})"
    except (ValueError, KeyError, TypeError):
        return "another process"
