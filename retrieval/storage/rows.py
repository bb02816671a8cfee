"""Articles and passages as rows of the tables, and back."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from retrieval.types import Article

ARTICLE_COLUMNS = (
    "id", "digest", "text_digest", "signature", "day", "title", "url", "site", "author", "source", "editor",
    "published_at", "categories", "tags", "image", "language", "path",
)  # fmt: skip
"""The columns of `articles` that come from the article itself, in the order of `article_values`."""

ARTICLE_FIELDS = (
    "a.id, a.title, a.url, a.author, a.source, a.editor, a.published_at, a.categories, a.tags, a.image, "
    "a.language, a.path"
)
ARTICLE_SELECT = f"{ARTICLE_FIELDS}, t.text, t.headings"
"""What `article_from` takes, of `articles AS a` joined with `texts AS t`."""


_to_json = json.JSONEncoder(ensure_ascii=False).encode
"""Made once: `json.dumps` makes an encoder for each text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterFields:
    """What filters look at, the same for both sides: see LexicalDocument for `day`."""

    day: int
    categories: tuple[str, ...]
    authors: tuple[str, ...]
    sources: tuple[str, ...]
    language: str


def site_of(url: str | None) -> str | None:
    """The host of an address, without `www.`; None where there is none."""
    if not url:
        return None
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    return host.removeprefix("www.") if host else None


def filter_fields(article: Article) -> FilterFields:
    """The values of `article` that filters compare with."""
    names = (article.source, article.author, site_of(article.url))
    return FilterFields(
        day=article.published_at.toordinal() if article.published_at else 0,
        categories=article.categories,
        authors=(article.author,) if article.author else (),
        sources=tuple(dict.fromkeys(name for name in names if name)),
        language=article.language or "",
    )


def article_digest(article: Article, *, version: int) -> bytes:
    """16 bytes that change with anything of the article that is stored or indexed, its path excepted.

    `version` is that of the parser: what an older one made counts as changed.
    """
    published = article.published_at.isoformat() if article.published_at else None
    parts = [
        version, article.title, article.text, article.url, article.author, article.source, article.editor,
        published,
        article.categories, article.tags, article.image, article.language, sorted(article.headings.items()),
    ]  # fmt: skip
    return _digest(_to_json(parts))


def text_digest(article: Article) -> bytes:
    """16 bytes that are equal for articles with the same text, whatever white space is between its
    characters.

    Of a short text the title is part: "见附件" under two titles is not the same article.
    """
    text = "".join(article.text.split())
    return _digest(text if len(text) >= 100 else f"{''.join(article.title.split())}\n{text}")


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def article_values(
    article: Article, *, digest: bytes, same_text: bytes, signature: int | None
) -> tuple[Any, ...]:
    """The values of ARTICLE_COLUMNS."""
    published = article.published_at
    return (
        article.id, digest, same_text, signature, published.toordinal() if published else 0, article.title,
        article.url, site_of(article.url), article.author, article.source, article.editor,
        published.isoformat() if published else None, _list(article.categories), _list(article.tags),
        article.image, article.language, article.path,
    )  # fmt: skip


def text_values(article: Article) -> tuple[str, str]:
    """Text and headings, as the table `texts` has them."""
    headings = {str(number): level for number, level in article.headings.items()}
    return article.text, json.dumps(headings) if headings else "{}"


def article_from(row: tuple[Any, ...]) -> Article:
    """The article of one row of ARTICLE_SELECT."""
    (
        key,
        title,
        url,
        author,
        source,
        editor,
        published_at,
        categories,
        tags,
        image,
        language,
        path,
        text,
        headings,
    ) = row
    return Article(
        id=key, title=title, url=url, author=author, source=source, editor=editor,
        published_at=moment(published_at),
        categories=names(categories), tags=names(tags), image=image, language=language, path=path, text=text,
        headings=_headings(headings),
    )  # fmt: skip


def moment(value: str | None) -> datetime | None:
    """A stored time."""
    return datetime.fromisoformat(value) if value else None


@lru_cache(maxsize=4096)
def names(value: str) -> tuple[str, ...]:
    """A stored list of strings. Articles share few lists, and each search reads a hundred."""
    return tuple(json.loads(value)) if value != "[]" else ()


def _headings(value: str) -> Mapping[int, int]:
    return {int(number): level for number, level in json.loads(value).items()} if value != "{}" else {}


def _list(values: tuple[str, ...]) -> str:
    return json.dumps(list(values), ensure_ascii=False) if values else "[]"
