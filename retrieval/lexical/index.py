"""The LexicalIndex protocol: BM25 over analyzed passages, following the store's change log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.backend import Candidates
from retrieval.lexical.query import LexicalQuery
from retrieval.types import Filters


@dataclass(frozen=True, slots=True, kw_only=True)
class LexicalDocument:
    """One passage to index: analyzer terms of its fields, and its article's fields that filters look at.

    `day` is the proleptic Gregorian ordinal of the publication day in local time, 0 where unknown.
    """

    passage_id: int
    body: Sequence[str]
    heading: Sequence[str]
    title: Sequence[str]
    article_id: str
    day: int = 0
    categories: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    language: str = ""


class LexicalIndex(Protocol):
    """Passages by BM25. Scores are higher-is-better and comparable within one query only."""

    def apply(self, remove: Iterable[int], add: Iterable[LexicalDocument], *, position: int) -> None:
        """Remove and add passages and commit durably, remembering `position` of the change log.

        Repeating a call is harmless: an id that is added again replaces what was there.
        """

    def gather(self, documents: Sequence[LexicalDocument]) -> None:
        """Make searches quicker after many commits; `documents`, some that are in the index, may serve for
        it."""

    @property
    def position(self) -> int:
        """The change-log position of the last commit; may lag behind after a crash, never run ahead."""

    def refresh(self) -> None:
        """Make the newest commit, by whichever process, the one that searches see."""

    def search(self, query: LexicalQuery, k: int, filters: Filters | None = None) -> Candidates:
        """The k best passages, best first."""

    def document_frequencies(self, terms: Sequence[str]) -> NDArray[np.int64]:
        """In how many passages' bodies each term occurs."""

    @property
    def count(self) -> int:
        """Number of live passages."""

    def close(self) -> None:
        """Release files and locks."""
