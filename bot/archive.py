"""What the bot needs of a collection of articles: searching it, reading it, and knowing how much it holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from retrieval.types import Article, Filters, Passage, SearchResponse


@dataclass(frozen=True, slots=True)
class Overview:
    """How many articles there are, and the publication dates of the oldest and the newest.

    `growing` says that articles are being read right now.
    """

    articles: int = 0
    first: date | None = None
    last: date | None = None
    growing: bool = False


class Archive(Protocol):
    """The part of `retrieval.Retriever` that conversations use; safe to call from several threads."""

    def search(
        self,
        query: str,
        *,
        top_k: int = 5,
        offset: int = 0,
        filters: Filters | None = None,
        understand: bool = True,
        group: bool = True,
        mode: str = "hybrid",
    ) -> SearchResponse:
        """The hits of one page, one an article or, without `group`, one a passage; by words and meaning, or
        by meaning alone with the mode "dense"."""

    def article(self, article_id: str, *, keywords: bool = True) -> Article | None:
        """One article, None where there is none by that id; its tags only where `keywords`."""

    def articles(
        self, *, order: Literal["added", "newest"] = "added", limit: int | None = None
    ) -> Iterable[Article]:
        """All articles, or the newest."""

    def passages(self, article_id: str) -> list[Passage]:
        """An article's passages in order; none where it is gone."""
