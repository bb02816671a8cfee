"""From an article to all that is stored and indexed of it but its vectors: work that needs no index."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from retrieval.lexical.analyzer import Analyzer
from retrieval.ranking.similarity import signature, to_signed
from retrieval.segmentation import segment
from retrieval.storage.rows import article_digest, moment, text_digest
from retrieval.types import Article, Passage

CONTENT_VERSION = 2
"""Raised whenever the same article gives other passages: a sync then takes the article for changed."""

_TEXT_FIELDS = ("id", "text", "title", "url", "author", "source", "editor", "image", "language", "path")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An article, cut into passages and analysed. Terms are joined by spaces (no term has one in it).

    `normalised` has the analyzer's normal form of each passage, None where it equals the text; `bodies` and
    `headings` have the terms of each passage, `title` those of the article's title.
    """

    article: Article
    digest: bytes
    text_digest: bytes
    signature: int | None
    passages: list[Passage]
    normalised: list[str | None]
    bodies: list[str]
    headings: list[str]
    title: str


def prepare(article: Article, analyzer: Analyzer) -> Prepared:
    """Passages, their terms, and the digests by which changes and duplicates are found."""
    article = storable(article)
    passages = segment(article)
    headings = list(dict.fromkeys(passage.heading for passage in passages))
    texts = [article.title, *headings, *(passage.text for passage in passages)] if passages else []
    analysed = analyzer.analyse(texts)
    title, *known = [terms for _, terms in analysed[: len(headings) + 1]] or [""]
    heading_terms = dict(zip(headings, known, strict=True))
    bodies = analysed[len(headings) + 1 :]
    return Prepared(
        article=article,
        digest=article_digest(article, version=CONTENT_VERSION),
        text_digest=text_digest(article),
        signature=to_signed(signature(article.text)) if passages else None,
        passages=passages,
        normalised=[
            None if form.text == passage.text else form.text
            for (form, _), passage in zip(bodies, passages, strict=True)
        ],
        bodies=[terms for _, terms in bodies],
        headings=[heading_terms[passage.heading] for passage in passages],
        title=title,
    )


def digest_as_stored(article: Article) -> bytes:
    """The digest that `prepare` would find, without the work of preparing."""
    return article_digest(storable(article), version=CONTENT_VERSION)


def without_passages(prepared: Prepared) -> Prepared:
    """The same article as a duplicate is stored: nothing of it is indexed."""
    return dataclasses.replace(
        prepared, signature=None, passages=[], normalised=[], bodies=[], headings=[], title=""
    )


def storable(article: Article) -> Article:
    """The same article, where broken input left halves of surrogate pairs in it: with "?" in their place."""
    broken: dict[str, Any] = {
        name: _whole(value)
        for name in _TEXT_FIELDS
        if isinstance(value := getattr(article, name), str) and value != _whole(value)
    }
    for name in ("categories", "tags"):
        if any(value != _whole(value) for value in getattr(article, name)):
            broken[name] = tuple(map(_whole, getattr(article, name)))
    return dataclasses.replace(article, **broken) if broken else article


def to_plain(prepared: Prepared) -> tuple[Any, ...]:
    """What JSON takes: what the pipe from a worker process carries."""
    article = prepared.article
    fields = [getattr(article, field.name) for field in dataclasses.fields(Article)]
    fields[_PUBLISHED] = article.published_at.isoformat() if article.published_at else None
    fields[_HEADINGS] = list(article.headings.items())
    passages = [
        (p.ordinal, p.text, p.heading, p.first_paragraph, p.last_paragraph) for p in prepared.passages
    ]
    return (
        fields, prepared.digest.hex(), prepared.text_digest.hex(), prepared.signature, passages,
        prepared.normalised,
        prepared.bodies, prepared.headings, prepared.title,
    )  # fmt: skip


def from_plain(values: tuple[Any, ...]) -> Prepared:
    """The inverse of to_plain."""
    fields, digest, same_text, marks, passages, normalised, bodies, headings, title = values
    named = dict(zip(_FIELDS, fields, strict=True))
    named["published_at"] = moment(named["published_at"])
    for name in ("categories", "tags"):
        named[name] = tuple(named[name])
    named["headings"] = dict(named["headings"])
    article = Article(**named)
    return Prepared(
        article=article, digest=bytes.fromhex(digest), text_digest=bytes.fromhex(same_text),
        signature=marks, normalised=normalised,
        passages=[
            Passage(article_id=article.id, ordinal=ordinal, text=text, heading=heading, first_paragraph=first,
                    last_paragraph=last)
            for ordinal, text, heading, first, last in passages
        ],
        bodies=bodies, headings=headings, title=title,
    )  # fmt: skip


def _whole(text: str) -> str:
    """SQLite stores UTF-8, in which half a surrogate pair cannot be written."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


_FIELDS = [field.name for field in dataclasses.fields(Article)]
_PUBLISHED = _FIELDS.index("published_at")
_HEADINGS = _FIELDS.index("headings")
