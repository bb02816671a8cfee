"""Changes the archive while it goes on answering: syncs, documents that come in, articles that go."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from bot.archive import Overview
from bot.errors import BotError
from bot.opening import overview, synchronise, watch
from bot.styled import clean

if TYPE_CHECKING:
    from retrieval import Retriever
    from retrieval.sync import ProgressCallback
    from retrieval.types import SyncReport

MOST_BYTES = 20 * 2**20
"""The largest document that Telegram hands to a bot."""

_NAME_LIMIT = 80
_RESERVED = '<>:"/\\|?*'


class DocumentError(BotError):
    """A document cannot be taken in; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Articles that a document brought: their ids, new or changed."""

    articles: tuple[str, ...]


class Keeper:
    """One change at a time; used by any thread."""

    def __init__(
        self,
        retriever: "Retriever",
        sources: Sequence[str],
        uploads: Path,
        *,
        changed: Callable[[], None] = lambda: None,
        allow_private: bool = False,
    ) -> None:
        """`uploads` is the folder for documents that admins send; it is synced along with the sources.

        `allow_private` lets addresses of sources lead into private networks.
        """
        self.retriever = retriever
        self._sources = tuple(sources)
        self._uploads = uploads
        self._changed = changed
        self._allow_private = allow_private
        self._turn = threading.Lock()

    def sync(
        self,
        *,
        progress: "ProgressCallback | None" = None,
        stopping: threading.Event | None = None,
    ) -> "SyncReport | None":
        """Bring the archive up to date with its sources; None where there are none, or it is kept from it."""
        with self._turn:
            sources = [*self._sources, *([str(self._uploads)] if self._uploads.is_dir() else [])]
            return synchronise(
                self.retriever,
                sources,
                changed=self._changed,
                progress=progress,
                stopping=stopping,
                allow_private=self._allow_private,
            )

    def follow(self, stopping: threading.Event, *, every: float) -> None:
        """Take in what changes in the sources until `stopping` is set: folders and files at once, addresses
        every so many seconds; 0: not at all."""
        watch(
            self.retriever,
            self._sources,
            stopping,
            every=every,
            changed=self._changed,
            turn=self._turn,
            allow_private=self._allow_private,
        )

    def add(self, name: str, content: bytes) -> Taken:
        """Keep a document under its name and take its articles in, replacing an earlier one of that name.

        Raises DocumentError where it holds nothing that can be read, or is too large.
        """
        if len(content) > MOST_BYTES:
            raise DocumentError(f"{len(content) / 2**20:.0f} MB, the most is {MOST_BYTES // 2**20} MB")
        path = self._uploads / safe_name(name)
        with self._turn:
            self._uploads.mkdir(parents=True, exist_ok=True)
            before = path.read_bytes() if path.is_file() else None
            path.write_bytes(content)
            report = self.retriever.sync(str(self._uploads), prune=True)
            failed = [each.reason for each in report.failed if Path(each.path).name == path.name]
            taken = (*report.added, *report.changed)
            if failed or (before is None and not taken):
                self._put_back(path, before)
                raise DocumentError(
                    failed[0] if failed else f"{path.suffix or path.name}: nothing to read in it"
                )
        self._changed()
        return Taken(taken)

    def remove(self, article_id: str) -> bool:
        """Remove an article (and the document that brought it, if an admin sent it); whether it was there.

        One that came from a source stays away until its file changes.
        """
        with self._turn:
            article = self.retriever.article(article_id, keywords=False)
            if article is None:
                return False
            path = Path(article.path) if article.path else None
            if path is not None and path.parent == self._uploads.resolve():
                with suppress(OSError):
                    path.unlink()
            self.retriever.remove([article_id])
        self._changed()
        return True

    def overview(self) -> Overview:
        """How much the archive holds."""
        return overview(self.retriever)

    def passages(self) -> int:
        """How many passages the archive holds."""
        return self.retriever.status().passages

    def _put_back(self, path: Path, before: bytes | None) -> None:
        if before is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(before)
        self.retriever.sync(str(self._uploads), prune=True)


def safe_name(name: str) -> str:
    """A file name for whatever somebody calls a document: one part, visible characters, not hidden."""
    last = PurePosixPath(name.replace("\\", "/")).name
    visible = "".join(each for each in clean(last) if each not in _RESERVED and each.isprintable())
    stem, dot, suffix = visible.strip(" .").rpartition(".")
    if not dot:
        stem, suffix = suffix, ""
    stem = stem.strip(" .")[:_NAME_LIMIT] or "document"
    return f"{stem}.{suffix[:10].lower()}" if suffix else stem
