"""Verifying an index against its invariants, and deriving anew what is not as it must be."""

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retrieval.errors import IndexDamagedError
from retrieval.homes import home_of
from retrieval.locations import Location

if TYPE_CHECKING:
    from retrieval.retriever import Retriever


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What is wrong, one sentence each; `repaired` says that it was, and is no longer."""

    problems: tuple[str, ...]
    repaired: bool
    articles: int
    passages: int

    @property
    def summary(self) -> str:
        """One line for a person."""
        size = f"{self.articles:,} articles, {self.passages:,} passages"
        if not self.problems:
            return f"the index is whole: {size}"
        return f"repaired: {size}" if self.repaired else f"{len(self.problems)} problems: {size}"


def check(retriever: "Retriever", *, repair: bool = False) -> CheckReport:
    """Verify an open index. With `repair`, the derived indexes are made anew where they are damaged or
    behind.

    Raises IndexDamagedError where the store itself is damaged: that can only be indexed again.
    """
    problems, unsound = _problems_of(retriever)
    if unsound and repair:
        raise IndexDamagedError(
            f"the store is damaged ({unsound[0]}): move the index away and index the articles again"
        )
    repaired = False
    if problems and repair:
        retriever.derive_anew()
        remaining, _ = _problems_of(retriever)
        if remaining:
            raise IndexDamagedError(f"repairing did not help ({remaining[0]}): index the articles again")
        repaired = True
    status = retriever.status()
    return CheckReport(
        problems=(*unsound, *problems), repaired=repaired, articles=status.articles, passages=status.passages
    )


def check_index(path: Location, *, repair: bool = False) -> CheckReport:
    """The same for the index at a location, whose note of what is current may be what is damaged."""
    from retrieval.retriever import Retriever

    with contextlib.closing(home_of(path)) as home:
        if repair and home.exists():
            with home.writing(seconds=0):
                home.mend()
    with Retriever.open(path, create=False) as retriever:
        return check(retriever, repair=repair)


def _problems_of(retriever: "Retriever") -> tuple[list[str], list[str]]:
    with retriever.reading() as index:
        return index.problems()
