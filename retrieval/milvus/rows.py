"""Articles, passages and files as rows of Milvus, and back.

An article is a card (its metadata, part 0) and its text in parts, each with a number of its own: a VARCHAR
has at most 65,535 bytes, an article has no such limit.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from embeddings.encoder import Vectors
from retrieval.backend import PassageRecord
from retrieval.milvus.client import Row
from retrieval.milvus.filters import article_digest, digest, facets
from retrieval.milvus.schema import TEXT_BYTES, blank
from retrieval.milvus.terms import Sparse
from retrieval.ranking.similarity import from_signed
from retrieval.storage.reading import FileState, KnownArticle
from retrieval.storage.rows import filter_fields, moment, site_of
from retrieval.types import Article, Passage

CARD = ("id", "key", "article", "day", "card")
"""Fields of an article without its text."""

TEXT = ("id", "key", "part", "card", "text")
"""Fields of all parts of an article."""

PASSAGE = ("id", "article", "ordinal", "first_paragraph", "last_paragraph", "heading", "text", "normalised")

_MOST_CHARACTERS = 4_000
"""Of one field of a card; what is longer is no name, title or address."""

_MOST_NAMES = 100
_SAME = ""
"""Stands for a normal form that is the text itself; others come after a mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is stored of an article beside its text; `row` to `row + parts - 1` are its rows."""

    row: int
    key: int
    parts: int
    article: Article
    known: KnownArticle
    text_digest: bytes
    signature: int | None

    @property
    def publications(self) -> list[str]:
        """The names that count as its publication."""
        names = (self.article.source, self.article.author, site_of(self.article.url))
        return list(dict.fromkeys(name for name in names if name))

    @property
    def passages(self) -> int:
        """How many passages it has."""
        first, last = self.known.first_passage, self.known.last_passage
        return 0 if first is None or last is None else last - first + 1

    @property
    def day(self) -> int:
        """The ordinal of its day of publication, 0 where unknown."""
        published = self.article.published_at
        return published.toordinal() if published else 0


def text_parts(article: Article, *, stored: bool) -> list[str]:
    """The article's text and headings, cut so that each part fits a field; empty for a duplicate."""
    value: list[Any] = [article.text, list(article.headings.items())] if stored else ["", []]
    data = json.dumps(value, ensure_ascii=False).encode("utf-8")
    parts: list[str] = []
    while data:
        end = min(len(data), TEXT_BYTES)
        while end < len(data) and data[end] & 0xC0 == 0x80:  # not inside a character
            end -= 1
        parts.append(data[:end].decode("utf-8"))
        data = data[end:]
    return parts


def article_rows(card: Card, parts: Sequence[str]) -> list[Row]:
    """The rows of an article: the card is on the first, which has the first part of the text, too."""
    known = card.known
    common = {
        "key": card.key,
        "article": article_digest(known.id),
        "file": path_digest(known.file) if known.file else 0,
        "original": article_digest(known.duplicate_of) if known.duplicate_of else 0,
        "text_digest": text_number(card.text_digest),
        "day": card.day,
        **blank(),
    }
    text = json.dumps(_card_values(card), ensure_ascii=False)
    return [
        {"id": card.row + number, "part": number, "card": text if number == 0 else "", "text": part, **common}
        for number, part in enumerate(parts)
    ]


def card_from(row: Row) -> Card:
    """The card of an article's first row."""
    values = json.loads(row["card"])
    fields = values["article"]
    fields["published_at"] = moment(fields["published_at"])
    for name in ("categories", "tags"):
        fields[name] = tuple(fields[name])
    known = KnownArticle(
        id=fields["id"],
        digest=bytes.fromhex(values["digest"]),
        file=values["file"],
        duplicate_of=values["duplicate_of"],
        first_passage=values["first_passage"],
        last_passage=values["last_passage"],
    )
    return Card(
        row=row["id"], key=row["key"], parts=values["parts"], article=Article(**fields, text=""), known=known,
        text_digest=bytes.fromhex(values["text_digest"]), signature=values["signature"],
    )  # fmt: skip


def article_text(rows: Sequence[Row]) -> tuple[str, dict[int, int]]:
    """Text and headings from all rows of an article."""
    ordered = sorted(rows, key=lambda row: int(row["part"]))
    text, headings = json.loads("".join(row["text"] for row in ordered))
    return text, dict(headings)


def passage_rows(
    article: Article,
    passages: Sequence[Passage],
    normalised: Sequence[str | None],
    vectors: Vectors,
    sparse: Sequence[Sparse],
    first: int,
) -> Iterator[Row]:
    """The rows of an article's passages, numbered from `first` on.

    Vectors are rounded to half precision, as the local index stores them: both then rank alike.
    """
    fields = filter_fields(article)
    common = {"article": article_digest(article.id), "day": fields.day, "facets": facets(fields)}
    dense = vectors.astype(np.float16).astype(np.float32)
    for number, passage in enumerate(passages):
        form = normalised[number]
        yield {
            "id": first + number,
            "ordinal": passage.ordinal,
            "first_paragraph": passage.first_paragraph,
            "last_paragraph": passage.last_paragraph,
            "heading": passage.heading,
            "text": passage.text,
            "normalised": _SAME if form is None else f"={form}",
            "dense": dense[number],
            "sparse": sparse[number],
            **common,
        }


def passage_from(row: Row, article_id: str) -> Passage:
    """A passage of a row with the fields PASSAGE."""
    return Passage(
        id=row["id"], article_id=article_id, ordinal=row["ordinal"], first_paragraph=row["first_paragraph"],
        last_paragraph=row["last_paragraph"], heading=row["heading"], text=row["text"],
    )  # fmt: skip


def record_from(row: Row, card: Card) -> PassageRecord:
    """A passage with its article's fields."""
    article, form = card.article, row["normalised"]
    return PassageRecord(
        id=row["id"], article_id=article.id, ordinal=row["ordinal"], text=row["text"], heading=row["heading"],
        title=article.title, passages_in_article=card.passages, url=article.url, author=article.author,
        source=article.source, published_at=article.published_at, categories=article.categories,
        tags=article.tags, image=article.image, language=article.language, path=article.path,
        signature=None if card.signature is None else from_signed(card.signature),
        normalised=None if form == _SAME else form[1:],
    )  # fmt: skip


def file_row(number: int, state: FileState) -> Row:
    """A file that was read, with the digests of the folders it lies in."""
    value = {
        "path": state.path, "size": state.size, "mtime_ns": state.mtime_ns, "checked_ns": state.checked_ns,
        "digest": state.digest.hex(), "parser": state.parser,
    }  # fmt: skip
    return {
        "id": number,
        "path_digest": path_digest(state.path),
        "folders": [path_digest(folder) for folder in _folders(state.path)],
        "value": json.dumps(value, ensure_ascii=False),
        **blank(),
    }


def file_from(row: Row) -> FileState:
    """The inverse of `file_row`."""
    values = json.loads(row["value"])
    return FileState(**(values | {"digest": bytes.fromhex(values["digest"])}))


def path_digest(path: str) -> int:
    """The number of a file's path, or of a folder's with the separator at its end."""
    return digest("path", path)


def text_number(value: bytes) -> int:
    """The number by which articles with the same text are looked up."""
    return int.from_bytes(value[:8], "big") >> 1


def _folders(path: str) -> list[str]:
    """All prefixes of a path that end in a separator."""
    return [path[: place + 1] for place, letter in enumerate(path) if letter in "/\\"][:1024]


def _card_values(card: Card) -> Mapping[str, Any]:
    article, known = card.article, card.known
    return {
        "article": {
            "id": article.id,
            "title": article.title[:_MOST_CHARACTERS],
            **{name: _short(getattr(article, name)) for name in _TEXTS},
            "published_at": _iso(article.published_at),
            "categories": [name[:_MOST_CHARACTERS] for name in article.categories[:_MOST_NAMES]],
            "tags": [name[:_MOST_CHARACTERS] for name in article.tags[:_MOST_NAMES]],
        },
        "digest": known.digest.hex(),
        "text_digest": card.text_digest.hex(),
        "signature": card.signature,
        "file": known.file,
        "duplicate_of": known.duplicate_of,
        "first_passage": known.first_passage,
        "last_passage": known.last_passage,
        "parts": card.parts,
    }


_TEXTS = ("url", "author", "source", "editor", "image", "language", "path")


def _short(value: str | None) -> str | None:
    return None if value is None else value[:_MOST_CHARACTERS]


def _iso(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
