"""The values that travel through retrieval: articles in, hits out. Frozen, without behaviour of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

Span = tuple[int, int]
"""(start, end) in characters of the text it belongs to, end exclusive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article. Its paragraphs are the lines of `text`; only `id` and `text` are needed.

    `headings` names the paragraphs that are headings: paragraph number (from 0) → level (1 to 6).
    `source` is the publication the article names as its origin (来源：), `path` the file it came from.
    """

    id: str
    text: str
    title: str = ""
    url: str | None = None
    author: str | None = None
    source: str | None = None
    editor: str | None = None
    published_at: datetime | None = None
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    image: str | None = None
    language: str | None = None
    path: str | None = None
    headings: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of one article, of a size that answers a question; never across a heading.

    `id` is given by the store (0 before that) and never used twice; `ordinal` counts from 0 within the
    article; `text` is paragraphs (or, of a long paragraph, sentences) separated by newlines.
    """

    article_id: str
    ordinal: int
    text: str
    heading: str = ""
    first_paragraph: int = 0
    last_paragraph: int = 0
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a hit must satisfy. Dates are inclusive; within one field any value may match, fields all must.

    `after` and `before` take a date, a datetime or an ISO string; `sources` match the publication, the
    author or the site.
    """

    after: date | datetime | str | None = None
    before: date | datetime | str | None = None
    categories: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    article_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One passage that was found, with what is needed to show it.

    `score` is calibrated, 0 to 1, higher is better. `answer` is the sentence (or two) that answers,
    `exact_answer` the words inside it where the kind of answer is clear; both, like `highlights`, are spans
    of `text`. `dense_score` and `lexical_score` are None where that side did not see the passage.
    `duplicates` lists the ids of near-identical articles that were folded into this hit, `newer` the id
    of a newer article on the same matter. `explanation` has every stage's part where it was asked for.
    """

    passage_id: int
    article_id: str
    ordinal: int
    title: str
    text: str
    score: float
    heading: str = ""
    url: str | None = None
    author: str | None = None
    source: str | None = None
    published_at: datetime | None = None
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    image: str | None = None
    language: str | None = None
    path: str | None = None
    answer: Span | None = None
    exact_answer: Span | None = None
    highlights: tuple[Span, ...] = ()
    dense_score: float | None = None
    lexical_score: float | None = None
    duplicates: tuple[str, ...] = ()
    newer: str | None = None
    explanation: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A phrase of the question that was read as a filter: its place in the question, and what it means."""

    phrase: str
    span: Span
    filters: Filters


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResponse:
    """The answer to one question. `answered` is False where nothing in the index answers it;
    `hits` then still holds the nearest passages. `total` counts the hits that paging can reach."""

    query: str
    answered: bool
    hits: tuple[Hit, ...]
    total: int
    offset: int = 0
    threshold: float = 0.0
    filters: Filters | None = None
    understood: tuple[Understood, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One article that could not be read: where, and why in one sentence."""

    path: str
    reason: str
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What a sync found and did (or, where `dry_run`, would have done): article ids, in the order met.

    `moved` articles kept their text but changed their path; `empty` ones have no text (pictures only):
    they are known, but have no passages. `duplicates` maps an article to the one with the same text.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    empty: tuple[str, ...] = ()
    duplicates: Mapping[str, str] = field(default_factory=dict)
    failed: tuple[Failure, ...] = ()
    passages: int = 0
    seconds: float = 0.0
    dry_run: bool = False
