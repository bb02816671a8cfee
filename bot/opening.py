"""Opens the archive a bot serves and brings it up to date with its sources."""

import json
import logging
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from bot.archive import Overview
from bot.errors import BotError
from bot.i18n import Language
from bot.settings import Settings, data_folder
from retrieval.errors import (
    IndexDamagedError,
    IndexLockedError,
    IndexMismatchError,
    IndexNotFoundError,
    IndexUnavailableError,
    RemovalGuardError,
)
from retrieval.locations import MilvusLocation
from retrieval.sources import is_address

if TYPE_CHECKING:
    from retrieval import Retriever
    from retrieval.sync import ProgressCallback
    from retrieval.types import SyncReport

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Collection:
    """Which index to serve, what it is made from, and questions known to be answered by it.

    A `disposable` index is the bot's own: where it no longer fits this version, it is made anew.
    """

    index: Path | MilvusLocation
    sources: tuple[str, ...]
    questions: Mapping[Language, Sequence[str]] = field(default_factory=dict)
    disposable: bool = False


def own_collection(settings: Settings) -> Collection:
    """The user's own articles."""
    for source in settings.sources:
        if not is_address(source) and not Path(source).expanduser().exists():
            raise BotError(f"there is no file or folder {source}; check WENDA_SOURCES or --source")
    return Collection(settings.location, settings.sources)


def demo_collection(index: Path | MilvusLocation | None) -> Collection:
    """The sample articles that ship with the bot, indexed in the user's data folder or at `index`."""
    folder = Path(str(files("bot").joinpath("demo")))
    name = f"demo-{sha256(str(folder).encode()).hexdigest()[:8]}"
    questions = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
    return Collection(
        index or data_folder() / name,
        (str(folder / "articles"),),
        {Language(tag): tuple(texts) for tag, texts in questions.items()},
        disposable=index is None,
    )


def open_retriever(collection: Collection, settings: Settings) -> "Retriever":
    """The index, created where there is none and it has sources. Raises WendaError."""
    try:
        return _open(collection, settings)
    except (IndexMismatchError, IndexDamagedError):
        if not collection.disposable:
            raise
        if isinstance(collection.index, Path):
            shutil.rmtree(collection.index)
        return _open(collection, settings)
    except IndexNotFoundError:
        raise BotError(
            f"there is no index at {collection.index} and nothing to make one from; "
            "name a folder of articles in WENDA_SOURCES or with --source, or try --demo"
        ) from None


def _open(collection: Collection, settings: Settings) -> "Retriever":
    from retrieval import Retriever

    retriever = Retriever.open(
        collection.index,
        encoder=settings.encoder,
        link_template=settings.link_template,
        cross_encoder=settings.cross_encoder,
        create=bool(collection.sources),
    )
    try:
        _ = retriever.encoder, retriever.analyzer
    except BaseException:
        retriever.close()
        raise
    return retriever


def synchronise(
    retriever: "Retriever",
    sources: Sequence[str],
    *,
    changed: Callable[[], None] = lambda: None,
    progress: "ProgressCallback | None" = None,
    stopping: threading.Event | None = None,
    allow_private: bool = False,
) -> "SyncReport | None":
    """Pick up new, changed and removed articles of all sources; None where nothing was looked at.

    Where another process is writing, or too much would be removed, the index stays as it is. Once
    `stopping` is set it ends with what is stored by then; the next start goes on from there.
    `allow_private` lets addresses lead into private networks.
    """
    if not sources:
        return None
    try:
        report = retriever.sync(
            list(sources), progress=progress or _until(stopping), allow_private=allow_private
        )
    except _StoppedError:
        return None
    except (RemovalGuardError, IndexLockedError, IndexUnavailableError) as error:
        _logger.warning("%s; answering from what was indexed before", error)
        return None
    _tell(report, changed)
    return report


def _tell(report: "SyncReport", changed: Callable[[], None]) -> None:
    for failure in report.failed:
        place = f"{failure.path}:{failure.line}" if failure.line else failure.path
        _logger.warning("%s: %s", place, failure.reason)
    if report.added or report.changed or report.removed:
        _logger.info(
            "articles: %d added, %d changed, %d removed, in %.1f s",
            len(report.added),
            len(report.changed),
            len(report.removed),
            report.seconds,
        )
        changed()


def watch(
    retriever: "Retriever",
    sources: Sequence[str],
    stopping: threading.Event,
    *,
    every: float,
    changed: Callable[[], None],
    turn: AbstractContextManager[object] | None = None,
    allow_private: bool = False,
) -> None:
    """Follow the sources until `stopping` is set: folders and files at once, feeds every so many seconds.
    `turn` is held while the archive is changed."""
    if not sources or not every:
        return
    from retrieval.watching import Round, Watcher

    def tell(found: Round) -> None:
        if found.error:
            _logger.warning("%s; answering from what was indexed before", found.error)
        elif found.report is not None:
            _tell(found.report, changed)

    options = {"allow_private": allow_private}
    watcher = Watcher(retriever, sources, every=every, tell=tell, options=options, turn=turn)
    watcher.run(stopping, first=False)


class _StoppedError(Exception):
    """The program is ending; what is not read yet is read at the next start."""


def _until(stopping: threading.Event | None) -> "ProgressCallback | None":
    def check(_: object) -> None:
        if stopping is not None and stopping.is_set():
            raise _StoppedError

    return check


def overview(retriever: "Retriever") -> Overview:
    """How much the archive holds."""
    status = retriever.status()
    return Overview(status.articles, status.earliest, status.latest)
