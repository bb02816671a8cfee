"""Articles in batches: what one transaction does, and how large the batches of a sync are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from retrieval.lexical.merging import best_count
from retrieval.preparation import Prepared
from retrieval.storage.reading import FileState
from retrieval.types import Article

FIRST_BATCH = 500
LARGEST_BATCH = 8_000
"""Passages of the first batch of a sync, and of its largest, where it is not known how many are to come: each
has twice as many as the one before it. The first is searchable at once; large ones spare the lexical index
most of its merging. They bound the memory, too."""

EVEN_BATCHES = (6_000, 24_000)
"""Passages that a batch may have, at least and at most, where it is known how many are to come."""

_LAST_BATCH = 1_000
"""Near the end, batches get smaller again, down to so many passages."""

_EVEN = 1.25
"""Batches that shall be merged into one segment differ by no more than this from the first of them."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """An article to be stored. `file` is where it came from, `duplicate_of` the article with the same
    text."""

    prepared: Prepared
    file: str | None = None
    duplicate_of: str | None = None

    @property
    def article(self) -> Article:
        """The article itself."""
        return self.prepared.article


@dataclass(slots=True)
class Batch:
    """What one transaction does, in this order. Full with `size` passages, or four times as many entries."""

    size: int = field(default_factory=lambda: FIRST_BATCH)
    removed: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    moved: list[tuple[str, FileState]] = field(default_factory=list)
    files: list[FileState] = field(default_factory=list)
    articles: dict[str, Incoming] = field(default_factory=dict)
    passages: int = 0

    def add(self, item: Incoming) -> None:
        """Take in an article; of two with one id the later counts."""
        self.articles[item.article.id] = item
        self.passages += len(item.prepared.passages)

    @property
    def full(self) -> bool:
        """Whether it is time to commit."""
        entries = len(self.articles) + len(self.files) + len(self.removed)
        return self.passages >= self.size or entries >= 4 * self.size

    def due(self, left: int | None) -> bool:
        """Whether it is time to commit, with so many articles left to come, if that is known.

        Half of what is left then: what is stored while more is read costs little time, what is stored after
        the last one was read all of it.
        """
        return self.full or (left is not None and len(self.articles) >= left and self.passages >= _LAST_BATCH)

    def next(self) -> "Batch":
        """An empty one to follow this one."""
        return Batch(min(2 * self.size, LARGEST_BATCH) if self.full else self.size)


class EvenBatches:
    """Sizes of batches such that the lexical index, which merges segments of about one size, ends with few of
    them: a question is looked up in each, at a tenth of a millisecond for each."""

    def __init__(self) -> None:
        self._left = 0
        self._first = 0

    def following(self, batch: Batch, expected: int | None, segments: Callable[[], Sequence[int]]) -> Batch:
        """An empty batch to follow `batch`, with so many passages left to come, if that is known. `segments`
        gives the sizes of those there are."""
        if expected is None or not batch.full:
            return batch.next()
        if self._left:
            self._left -= 1
        elif 2 * batch.size >= LARGEST_BATCH:  # what comes first is to be searchable soon
            self._left = best_count(segments(), expected, *EVEN_BATCHES)
            self._first = expected // (self._left + 1)
        if not self._left:
            return batch.next()
        # What is left is known better and better. About as much as one batch has comes in smaller ones last.
        even = expected // (self._left + 1)
        return Batch(round(min(max(even, self._first / _EVEN), self._first * _EVEN)))
