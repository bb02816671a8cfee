"""Filters as an expression of Milvus. Names reach it as 63-bit digests: a number has nothing to escape.

A passage carries the digests of its article's id and author, and a list of digests for what may have
several values: categories, publications (source, author, site), the language and what it is a kind of (zh
of zh-Hant).
"""

import hashlib
from collections.abc import Iterable

from retrieval.storage.filtering import day_range
from retrieval.storage.rows import FilterFields
from retrieval.types import Filters

MOST_FACETS = 1024
_CATEGORY, _AUTHOR, _SOURCE, _LANGUAGE = "category", "author", "source", "language"


def digest(kind: str, text: str) -> int:
    """A number of 63 bits for a name of one kind: not every server reads a list with a minus in it."""
    data = hashlib.blake2b(f"{kind}\0{text}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(data, "big") >> 1


def article_digest(article_id: str) -> int:
    """The number by which articles are looked up."""
    return digest("article", article_id)


def facets(fields: FilterFields) -> list[int]:
    """The digests of everything a filter may name, the article's id excepted."""
    parts = fields.language.split("-") if fields.language else []
    tags = ["-".join(parts[: end + 1]) for end in range(len(parts))]
    named = [
        (_CATEGORY, fields.categories),
        (_AUTHOR, fields.authors),
        (_SOURCE, fields.sources),
        (_LANGUAGE, tags),
    ]
    return list(dict.fromkeys(digest(kind, name) for kind, names in named for name in names))[:MOST_FACETS]


def expression(filters: Filters | None) -> str:
    """What a passage must satisfy; empty where anything does. Raises QueryError for a date that is none."""
    if filters is None:
        return ""
    conditions: list[str] = []
    days = day_range(filters)
    if days is not None:
        conditions.append(f"day >= {days[0]} and day <= {days[1]}")
    for kind, names in (
        (_CATEGORY, filters.categories), (_AUTHOR, filters.authors), (_SOURCE, filters.sources),
        (_LANGUAGE, filters.languages),
    ):  # fmt: skip
        if names:
            conditions.append(f"ARRAY_CONTAINS_ANY(facets, {numbers(digest(kind, name) for name in names)})")
    if filters.article_ids:
        conditions.append(f"article in {numbers(map(article_digest, filters.article_ids))}")
    return " and ".join(conditions)


def numbers(values: Iterable[int]) -> str:
    """A list of numbers, as an expression has it."""
    return f"[{','.join(str(int(value)) for value in values)}]"


def both(*conditions: str) -> str:
    """All of the conditions that are not empty."""
    return " and ".join(f"({condition})" for condition in conditions if condition)
