"""Keeping an index in line with its sources as they change, until told to stop.

Folders are watched through the file system's own events, gathered for a moment before anything is done;
single files, which editors like to replace, are looked at every second; feeds and pages are asked every few
minutes, and then folders are gone through again, too: network drives send no events, and events may be lost.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embeddings.errors import WendaError
from retrieval.errors import IndexLockedError
from retrieval.patterns import IGNORE_FILE
from retrieval.sources import is_address, location_of
from retrieval.types import SyncReport

if TYPE_CHECKING:
    from watchfiles import Change

    from retrieval.retriever import Retriever

DEBOUNCE_MS = 800
"""How long events are gathered after the first one: an editor or a copy makes many."""

LOOK_SECONDS = 1.0
RETRY_SECONDS = 5.0
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """One look at some sources: what came of it, or the sentence that says what went wrong."""

    sources: tuple[str, ...]
    report: SyncReport | None = None
    error: str = ""
    first: bool = False

    @property
    def changed(self) -> bool:
        """Whether the index is another than before."""
        report = self.report
        return report is not None and bool(report.added or report.changed or report.moved or report.removed)


class StoppedError(Exception):
    """Breaks a sync off at its last committed batch, because the program is to end."""


class Watcher:
    """Watches sources and syncs those that changed; `tell` hears of every round."""

    def __init__(
        self,
        retriever: "Retriever",
        sources: Sequence[str | Path],
        *,
        every: float,
        tell: Callable[[Round], None] = lambda _: None,
        options: Mapping[str, Any] | None = None,
        turn: AbstractContextManager[object] | None = None,
    ) -> None:
        """`options` are those of Retriever.sync; `turn` is held while one runs."""
        self._retriever = retriever
        self._every = every
        self._tell = tell
        self._options = dict(options or {})
        self._turn = nullcontext() if turn is None else turn
        self._sources = {location_of(source): str(source) for source in sources}
        self._addresses = {location for location, source in self._sources.items() if is_address(source)}
        self._stats: dict[str, tuple[int, int] | None] = {}
        self._retry: set[str] = set()

    def run(self, stop: threading.Event, *, first: bool = True) -> None:
        """Sync all sources (if `first`), then those that change, until `stop` is set."""
        self._changed_files()
        if first:
            self._round(self._sources, stop, first=True)
        due = time.monotonic() + self._every
        for events in self._events(stop):
            if stop.is_set():
                return
            if time.monotonic() >= due:
                self._round(self._sources, stop)
                due = time.monotonic() + self._every
                continue
            changed = self._affected(events) | self._changed_files() | self._retry
            self._retry.clear()
            if changed:
                self._round([location for location in self._sources if location in changed], stop)

    def _round(self, locations: Iterable[str], stop: threading.Event, *, first: bool = False) -> None:
        """One sync; whatever goes wrong in it is told, and the watching goes on."""
        named = [self._sources[location] for location in locations]

        def check(_: object) -> None:
            if stop.is_set():
                raise StoppedError

        try:
            with self._turn:
                report = self._retriever.sync(named, progress=check, **self._options)
        except StoppedError:
            return
        except WendaError as error:
            if isinstance(error, IndexLockedError):
                self._retry = set(map(location_of, named))
                stop.wait(RETRY_SECONDS)
            self._tell(Round(tuple(named), error=str(error), first=first))
        except Exception as error:
            _logger.exception("looking at %s failed", ", ".join(named))
            self._tell(Round(tuple(named), error=f"{type(error).__name__}: {error}", first=first))
        else:
            self._tell(Round(tuple(named), report, first=first))

    def _events(self, stop: threading.Event) -> Iterator[set[tuple["Change", str]]]:
        """Paths that changed, as they come; at least every second an empty set."""
        while not stop.is_set():
            folders = [location for location in self._sources if os.path.isdir(location)]  # noqa: PTH112
            if not folders:
                stop.wait(LOOK_SECONDS)
                yield set()
                continue
            try:
                yield from self._watched(folders, stop)
            except OSError as error:
                _logger.warning("folders cannot be watched (%s); they are gone through now and then", error)
                while not stop.wait(LOOK_SECONDS):
                    yield set()

    def _watched(self, folders: list[str], stop: threading.Event) -> Iterator[set[tuple["Change", str]]]:
        from watchfiles import watch

        events = watch(
            *folders,
            watch_filter=self._matters,
            debounce=DEBOUNCE_MS,
            rust_timeout=int(LOOK_SECONDS * 1000),
            yield_on_timeout=True,
            stop_event=stop,
            raise_interrupt=False,
            ignore_permission_denied=True,
        )
        for number, found in enumerate(events):
            if number == 0:  # what changed before the watching began made no event
                self._retry |= set(folders)
            yield found
            present = [location for location in self._sources if os.path.isdir(location)]  # noqa: PTH112
            if present != folders:
                return  # a folder came back, or went: watch what there is now

    def _matters(self, _: "Change", path: str) -> bool:
        """Whether a change may be one of articles; the index may lie inside a folder that it is made from."""
        name = os.path.basename(path)  # noqa: PTH119 (once for every event)
        if name.startswith(".") and name != IGNORE_FILE:
            return False
        index = str(Path(self._retriever.location).absolute())
        return not path.startswith(index)

    def _affected(self, events: set[tuple["Change", str]]) -> set[str]:
        paths = [path for _, path in events]
        return {
            location
            for location in self._sources
            if location not in self._addresses
            and any(path == location or path.startswith(location.rstrip(os.sep) + os.sep) for path in paths)
        }

    def _changed_files(self) -> set[str]:
        """The single files among the sources that are not what they were at the last look."""
        changed: set[str] = set()
        for location in self._sources.keys() - self._addresses:
            if os.path.isdir(location):  # noqa: PTH112
                continue
            try:
                found = os.stat(location)  # noqa: PTH116
                now: tuple[int, int] | None = (found.st_mtime_ns, found.st_size)
            except OSError:
                now = None
            if now is not None and location in self._stats and self._stats[location] != now:
                changed.add(location)
            self._stats[location] = now
        return changed
