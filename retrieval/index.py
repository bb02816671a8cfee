"""What a retriever needs of an index, wherever it lives: the protocols that every back end implements.

`Home` is the place of one index (a folder, a name on a server), `Index` the generation that is current there,
`View` a committed state of it to rank in, `Library` the articles in it, `IndexWriter` the one who changes it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from retrieval.backend import Backend
from retrieval.manifest import Manifest
from retrieval.types import Article, Passage

if TYPE_CHECKING:
    from embeddings.encoder import Encoder
    from retrieval.batching import Batch
    from retrieval.lexical.analyzer import Analyzer
    from retrieval.links import LinkTemplate
    from retrieval.storage.reading import FileState, KnownArticle, State


@dataclass(frozen=True, slots=True)
class Holdings:
    """The publications of an index, the most frequent first, and its first and last day."""

    publications: tuple[str, ...]
    period: tuple[date, date] | None


class View(Backend, Protocol):
    """A Backend that also tells what there is to filter by."""

    def holdings(self) -> Holdings:
        """What there is to filter by."""


class Library(Protocol):
    """The articles of an index, with what a sync has to know of them."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Inside, all reads see one committed state."""

    def state(self) -> "State":
        """How far the index has come, and how much there is."""

    def manifest(self) -> dict[str, Any]:
        """What the index was made with, by name."""

    def sources(self) -> list[tuple[str, str]]:
        """What was synced before: location and kind (`folder`, `file`, `feed`, …)."""

    def files_under(self, prefix: str) -> "dict[str, FileState]":
        """The known files of a folder (its path with the separator at its end), or the one file."""

    def articles_of(self, file_path: str) -> "list[KnownArticle]":
        """The articles that came from one file."""

    def count_of(self, file_path: str) -> int:
        """How many articles came from one file."""

    def known(self, article_ids: Sequence[str]) -> "dict[str, KnownArticle]":
        """What is stored about the articles of these ids."""

    def duplicates_of(self, article_id: str) -> "list[KnownArticle]":
        """The articles that were not stored because `article_id` has the same text."""

    def with_text(self, digest: bytes) -> "KnownArticle | None":
        """The stored article with this digest of its text, if any."""

    def article(self, article_id: str) -> Article | None:
        """One article; a duplicate has the text of the one that was stored."""

    def articles(self, limit: int | None = None) -> Iterator[Article]:
        """Articles in the order they came."""

    def newest(self, limit: int | None = None) -> Iterator[Article]:
        """Articles by day of publication, the newest first, undated ones last."""

    def passages(self, article_id: str) -> list[Passage]:
        """The passages of one article, in order."""

    def passage(self, passage_id: int) -> Passage | None:
        """One passage."""

    def arrived_since(self, mark: str) -> tuple[str, list[str]]:
        """The articles that came, or changed, after `mark` was given, in that order; and the mark of now.

        For a mark of another generation, or "", nothing is known to be new.
        """

    def publications(self, limit: int) -> list[str]:
        """The sources, authors and sites of the most articles, the most frequent first."""

    def period(self) -> tuple[date, date] | None:
        """The first and the last day of publication; None where no article has one."""


class IndexWriter(Protocol):
    """Changes one generation; whoever has it holds the writer's lock."""

    @property
    def reader(self) -> Library:
        """The articles as the last commit left them."""

    def commit(self, batch: "Batch") -> int:
        """Store the batch durably and make it searchable, all at once; how many passages were added."""

    def following(self, batch: "Batch", expected: int | None) -> "Batch":
        """An empty batch to follow one that was committed, with about so many passages left to come, if that
        is known."""

    def put_source(self, location: str, kind: str) -> None:
        """Remember a source that was synced."""

    def put_manifest(self, values: Mapping[str, Any]) -> None:
        """Set values of the manifest."""

    def near_end(self) -> None:
        """Begin what takes long and can go on while the last of many commits come."""

    def finish(self) -> None:
        """Do what is better done once, after the last of many commits."""

    def close(self) -> None:
        """Release what the writer holds open."""


class Index(Protocol):
    """One open generation of an index; any number of threads may search it."""

    @property
    def manifest(self) -> Manifest:
        """What the generation was made with."""

    def view(self) -> AbstractContextManager[View]:
        """The newest committed state, unmoving inside the block."""

    def reader(self) -> Library:
        """The articles; to be used by the calling thread only."""

    def writer(self, *, encoder: "Encoder", analyzer: "Analyzer") -> IndexWriter:
        """To change it, for one who holds the writer's lock; catches up with what a crash left undone."""

    def read_ahead(self) -> None:
        """Have what is on this machine's disk brought into memory in the background, where there is room."""

    def at_rest(self) -> bool:
        """Whether no crash has left something to catch up with."""

    def problems(self) -> tuple[list[str], list[str]]:
        """What is wrong, one sentence each: what `derive_anew` mends, and what it cannot."""

    def derive_anew(self, *, encoder: "Encoder", analyzer: "Analyzer") -> None:
        """Make anew what can be derived from the rest; the caller holds the writer's lock."""

    def close(self) -> None:
        """Release files and connections."""


class Home(Protocol):
    """The place of one index, and its generations."""

    @property
    def location(self) -> str:
        """How a person names the place, without secrets."""

    def exists(self) -> bool:
        """Whether there is an index, whole or damaged."""

    def stamp(self) -> object:
        """Changes whenever another generation becomes current; cheap enough to ask before every search."""

    def open(self, *, template: "LinkTemplate | None" = None) -> Index:
        """The current generation; raises IndexNotFoundError or IndexDamagedError."""

    def writing(self, *, seconds: float) -> AbstractContextManager[None]:
        """Hold the writer's lock; raises IndexLockedError, naming the holder, after `seconds`."""

    def prepare(self) -> None:
        """Make the place itself, before there is a lock to hold."""

    def beside(self, *, encoder: "Encoder", analyzer: "Analyzer", user_dictionary: Path | None) -> "Index":
        """An empty generation that is not yet the current one, for the holder of the writer's lock."""

    def switch(self, index: Index) -> None:
        """Close a filled generation and make it the current one, in one step; others are then discarded."""

    def announce(self, index: Index) -> None:
        """Have all who have the current generation open look at its manifest anew."""

    def mend(self) -> None:
        """Find the current generation again where a crash has lost sight of it."""

    def close(self) -> None:
        """Release what the home itself holds open."""
