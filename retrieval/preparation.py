"""From an article to all that is stored and indexed of it but its vectors: work that needs no index."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from retrieval.lexical.analyzer import Analyzer
from retrieval.lexical.ideographs import all_terms
from retrieval.ranking.similarity import signatures, to_signed
from retrieval.segmentation import segment
from retrieval.storage.rows import article_digest, text_digest
from retrieval.types import Article, Passage
from retrieval.vector.half_precision import Stored

CONTENT_VERSION = 2
"""Raised whenever the same article gives other passages: a sync then takes the article for changed."""

TOGETHER = 32
"""Articles that are best read and prepared together: more would need more memory, and gain nothing."""

_TEXT_FIELDS = ("id", "text", "title", "url", "author", "source", "editor", "image", "language", "path")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An article, cut into passages and analysed. Terms are joined by spaces (no term has one in it).

    `normalised` has the analyzer's normal form of each passage, None where it equals the text. `headings` has
    the terms of each passage's heading, `title` those of the article's title; `words` those of the passages
    themselves but for characters and bigrams, which are quicker to make (see `bodies_of`) than to pass on.
    `vectors`, where they are known already, are shape (passages, dimension).
    """

    article: Article
    digest: bytes
    text_digest: bytes
    signature: int | None
    passages: list[Passage]
    normalised: list[str | None]
    words: list[str]
    headings: list[str]
    title: str
    vectors: Stored | None = field(default=None, compare=False, repr=False)


def prepare(article: Article, analyzer: Analyzer) -> Prepared:
    """Passages, their terms, and the digests by which changes and duplicates are found."""
    (prepared,) = prepare_all([article], analyzer)
    return prepared


def prepare_all(articles: Sequence[Article], analyzer: Analyzer) -> list[Prepared]:
    """`prepare` of each, quicker than one by one: each step is taken for all of them before the next."""
    articles = [storable(article) for article in articles]
    cut = [segment(article) for article in articles]
    labels = _label_terms(articles, cut, analyzer)
    forms, words = analyzer.analyse_apart([passage.text for passages in cut for passage in passages])
    normalised = [None if form.text == form.original else form.text for form in forms]
    marks = signatures([article.text for article in articles])
    place, prepared = 0, []
    for article, passages, mark in zip(articles, cut, marks, strict=True):
        start, place = place, place + len(passages)
        prepared.append(Prepared(
            article=article,
            digest=article_digest(article, version=CONTENT_VERSION),
            text_digest=text_digest(article),
            signature=to_signed(mark) if passages else None,
            passages=passages,
            normalised=normalised[start:place],
            words=words[start:place],
            headings=[labels[passage.heading] for passage in passages],
            title=labels[article.title] if passages else "",
        ))  # fmt: skip
    return prepared


def _label_terms(
    articles: Sequence[Article], cut: Sequence[Sequence[Passage]], analyzer: Analyzer
) -> dict[str, str]:
    """The terms of all titles and headings above passages."""
    labels = dict.fromkeys(
        label
        for article, passages in zip(articles, cut, strict=True)
        if passages
        for label in (article.title, *(passage.heading for passage in passages))
    )
    return {label: terms for label, (_, terms) in zip(labels, analyzer.analyse(list(labels)), strict=True)}


def bodies_of(prepared: Sequence[Prepared]) -> list[list[str]]:
    """All terms of the passages of each article, joined by spaces."""
    texts = [
        passage.text if normalised is None else normalised
        for item in prepared
        for passage, normalised in zip(item.passages, item.normalised, strict=True)
    ]
    terms = iter(all_terms(texts, [words for item in prepared for words in item.words]))
    return [list(islice(terms, len(item.passages))) for item in prepared]


def digest_as_stored(article: Article) -> bytes:
    """The digest that `prepare` would find, without the work of preparing."""
    return article_digest(storable(article), version=CONTENT_VERSION)


def without_passages(prepared: Prepared) -> Prepared:
    """The same article as a duplicate is stored: nothing of it is indexed."""
    return dataclasses.replace(
        prepared, signature=None, passages=[], normalised=[], words=[], headings=[], title="", vectors=None
    )


def storable(article: Article) -> Article:
    """The same article, where broken input left halves of surrogate pairs in it: with "?" in their place."""
    broken: dict[str, Any] = {
        name: _mended(value)
        for name in _TEXT_FIELDS
        if isinstance(value := getattr(article, name), str) and not _is_whole(value)
    }
    for name in ("categories", "tags"):
        if not all(map(_is_whole, getattr(article, name))):
            broken[name] = tuple(map(_mended, getattr(article, name)))
    return dataclasses.replace(article, **broken) if broken else article


def _is_whole(text: str) -> bool:
    """SQLite stores UTF-8, in which half a surrogate pair cannot be written."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _mended(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
