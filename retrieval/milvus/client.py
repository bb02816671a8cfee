"""Talking to a Milvus server: connecting when first needed, trying again, one sentence where that fails."""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from retrieval.errors import (
    BackendMissingError,
    IndexLockedError,
    IndexMismatchError,
    IndexUnavailableError,
    RetrievalError,
    SettingsError,
    StorageError,
)
from retrieval.locations import MilvusLocation

T = TypeVar("T")
Row = dict[str, Any]

LITE = "milvus_lite"
_NOT_FOUND = {4, 100}
_NOT_LOADED = 101
_LIMITED = {8, 9}
"""Codes of Milvus: the rate limit, and a quota (disk, memory) that is used up."""

_GONE_AWAY = ("unavailable", "fail connecting", "deadline", "timeout", "connection", "not ready", "goaway",
              "cancel", "closed", "no available", "node not match", "recovering", "not serving",
              "should retry", "stopping", "channel", "retry run out")  # fmt: skip
_DENIED = ("auth", "permission", "privilege", "unauthenticated")


class MissingCollectionError(RetrievalError):
    """A collection is not there: dropped with its generation, or never made."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one call may take, how often it is tried, and the first pause between tries, in seconds."""

    seconds: float = 10.0
    attempts: int = 4
    pause: float = 0.25


WRITING = Patience(seconds=30.0, attempts=8, pause=0.5)
"""A server may be started anew in the middle of a sync; who asks a question does not wait so long."""


_LONGEST_PAUSE = 8.0


class Server:
    """One connection, shared by threads. Every call is bounded in time and tried again where that helps."""

    def __init__(self, location: MilvusLocation) -> None:
        self.location = location
        self._guard = threading.Lock()
        self._client: Any = None
        self._version = ""
        self.reading = Patience(seconds=location.timeout, attempts=2)
        self.writing = WRITING

    @property
    def lite(self) -> bool:
        """Whether this is Milvus Lite, in a file or as a server."""
        self.connected(self.reading)
        return self._version.startswith(LITE)

    def query(
        self,
        collection: str,
        condition: str,
        fields: Sequence[str],
        *,
        limit: int | None = None,
        consistency: str | None = None,
        patient: bool = False,
    ) -> list[Row]:
        """The rows that satisfy `condition`; at most `limit`. `patient` is who writes, not who is asked."""
        more: dict[str, Any] = {} if limit is None else {"limit": limit}
        found = self.call(
            "query", collection, patience=self.writing if patient else self.reading, filter=condition,
            output_fields=list(fields), consistency_level=consistency or self.location.consistency, **more,
        )  # fmt: skip
        return list(found)

    def newest(self, collection: str, condition: str, fields: Sequence[str]) -> list[Row]:
        """The same for one who writes: with everything that was written before."""
        return self.query(collection, condition, fields, consistency="Strong", patient=True)

    def search(
        self, collection: str, field: str, vector: Any, k: int, condition: str, parameters: Row
    ) -> list[Row]:
        """The k rows nearest to one vector by inner product: `id` and `distance` (higher is nearer)."""
        found = self.call(
            "search", collection, patience=self.reading, data=[vector], anns_field=field, limit=k,
            output_fields=["id"], filter=condition, search_params={"metric_type": "IP", "params": parameters},
            consistency_level=self.location.consistency,
        )  # fmt: skip
        return list(found[0])

    def insert(self, collection: str, rows: Sequence[Row]) -> None:
        """Add rows. Tried again it replaces what the first try may have left."""
        if rows:
            self._change(collection, "insert", data=list(rows))

    def upsert(self, collection: str, rows: Sequence[Row]) -> None:
        """Add or replace rows."""
        if rows:
            self._change(collection, "upsert", data=list(rows))

    def delete(self, collection: str, condition: str) -> None:
        """Remove the rows that satisfy `condition`."""
        self._change(collection, "delete", filter=condition)

    def _change(self, collection: str, method: str, **arguments: Any) -> None:
        self.call(method, collection, patience=self.writing, again="upsert" if method == "insert" else method,
                  **arguments)  # fmt: skip

    def call(
        self,
        method: str,
        *arguments: Any,
        patience: Patience | None = None,
        again: str | None = None,
        **named: Any,
    ) -> Any:
        """One call of pymilvus' client; `again` is the method of later tries.

        Raises IndexUnavailableError where the server cannot be reached or does not answer in time,
        MissingCollectionError, StorageError for a quota, RetrievalError for anything else.
        """

        patience = patience or self.writing

        def attempt(number: int) -> Any:
            client = self.connected(patience)
            name = method if number == 1 or again is None else again
            try:
                return getattr(client, name)(*arguments, timeout=patience.seconds, **named)
            except _pymilvus().MilvusException as error:
                if error.code != _NOT_LOADED:
                    raise
                # Milvus Lite forgets with each start what was loaded.
                client.load_collection(*arguments[:1], timeout=patience.seconds)
                return getattr(client, name)(*arguments, timeout=patience.seconds, **named)

        return self._trying(attempt, patience)

    def connected(self, patience: Patience) -> Any:
        """pymilvus' client, connected; raises what `call` does."""
        with self._guard:
            if self._client is None:
                client = self._connect(patience)
                self._version = str(client.get_server_version(timeout=patience.seconds))
                self._client = client
            return self._client

    def close(self) -> None:
        """Give the connection back; a Milvus Lite file is released with its last user."""
        with self._guard:
            client, self._client = self._client, None
        if client is not None:
            client.close()
            if self.location.file is not None:
                _lite_files.release(self.location.file)

    def _connect(self, patience: Patience) -> Any:
        pymilvus = _pymilvus()
        file, uri = self.location.file, self.location.uri
        if file is not None:
            _lite_files.use(file)
        try:
            return pymilvus.MilvusClient(
                uri, token=self.location.token, db_name=self.location.database, timeout=patience.seconds
            )
        except BaseException as error:
            if file is not None:
                _lite_files.release(file)
                if type(error).__name__ == "ConnectionConfigException":
                    raise _lite_trouble(file) from error
            raise

    def _trying(self, attempt: Callable[[int], T], patience: Patience) -> T:
        milvus_error, grpc_error = _pymilvus().MilvusException, _grpc_error()
        pause = patience.pause
        for number in range(1, patience.attempts + 1):
            try:
                return attempt(number)
            except RetrievalError:
                raise
            except (milvus_error, grpc_error, OSError, ValueError) as error:
                ours = self._translated(error)
                transient = isinstance(ours, IndexUnavailableError | StorageError)
                if not transient or number == patience.attempts:
                    raise ours from error
            # Spread: many bots that lost one server should not come back in step.
            time.sleep(pause * (0.5 + random.random()))  # noqa: S311
            pause = min(2 * pause, _LONGEST_PAUSE)
        raise AssertionError("unreachable")

    def _translated(self, error: BaseException) -> RetrievalError:
        code, text = getattr(error, "code", None), str(getattr(error, "message", error))
        code = code if isinstance(code, int) else None
        reason = " ".join(text.split())[:200]
        low = text.lower()
        if code in _NOT_FOUND:
            return MissingCollectionError(f"{self.location}: {reason}")
        if code in _LIMITED or "quota" in low or "rate limit" in low:
            return StorageError(
                f"the Milvus server of {self.location} refuses more for now ({reason}): what was committed "
                "is kept; raise its quota or add nodes, and repeat"
            )
        if any(word in low for word in _DENIED):
            return SettingsError(
                f"the Milvus server of {self.location} refuses the token: set WENDA_MILVUS_TOKEN"
            )
        if code is None or code == 2 or any(word in low for word in _GONE_AWAY):
            return IndexUnavailableError(
                f"the Milvus server of {self.location} cannot be reached just now ({reason}): "
                "start it, or look whether the address and the network are right"
            )
        if "schema" in low or "field" in low:
            return IndexMismatchError(
                f"the index at {self.location} has another schema than this version of wenda ({reason}): "
                f"make it anew with `python -m retrieval index --rebuild --index {self.location}`"
            )
        return RetrievalError(f"the Milvus server of {self.location} reports: {reason}")


class _LiteFiles:
    """Counts who uses a Milvus Lite file in this process, since its server lives as long as the process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._users: dict[Path, int] = {}

    def use(self, file: Path) -> None:
        """One more user."""
        with self._guard:
            self._users[file] = self._users.get(file, 0) + 1

    def release(self, file: Path) -> None:
        """One less; after the last, other processes may open the file."""
        with self._guard:
            self._users[file] -= 1
            if self._users[file]:
                return
            del self._users[file]
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(str(file))


_lite_files = _LiteFiles()


def _lite_trouble(file: Path) -> RetrievalError:
    import importlib.util

    if importlib.util.find_spec("milvus_lite") is None:
        return _missing()
    if not file.parent.is_dir():
        return StorageError(f"there is no folder {file.parent} for the Milvus Lite file: make it first")
    return IndexLockedError(
        f"the Milvus Lite file {file} cannot be opened: one process at a time can; for several, start "
        f"`milvus-lite server --data-dir {file}` and name it as milvus+http://localhost:19530/…"
    )


def _pymilvus() -> Any:
    try:
        import pymilvus
    except ImportError as error:
        raise _missing() from error
    # It logs every error with its traceback before raising it; we tell it in a sentence.
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    return pymilvus


def _missing() -> BackendMissingError:
    return BackendMissingError(
        "an index on Milvus needs the packages of the extra `milvus`: pip install 'wenda[milvus]'"
    )


def _grpc_error() -> type[Exception]:
    import grpc

    return grpc.RpcError  # type: ignore[no-any-return]
