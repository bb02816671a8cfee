"""Boilerplate by statistics: a short line that recurs across a publication's articles belongs to the site.

`recurring_lines` looks at many articles of a source and says which lines recur: among the articles of one
publication (its name, its site, else its author), or among all of them. `without_lines` takes them out of an
article. Lines only count at an article's beginning and end, so that a refrain inside the text stays; copies
of one article, which make all of its lines recur, count once; a heading that something follows, a row of a
table and an article's longest line always stay.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from retrieval.types import Article

HEAD_LINES, TAIL_LINES = 3, 6
"""How far from an article's beginning and end a line may stand to be boilerplate."""

MAX_LINE = 160
"""Characters of a line that may be boilerplate; longer text that recurs is a quotation or a copy."""

MIN_ARTICLES = 20
"""Articles a source, or a publication, must have before anything is said about its lines."""

MIN_COUNT = 8
SHARE_OF_PUBLICATION, SHARE_OF_ALL = 0.2, 0.05
"""A line is boilerplate if MIN_COUNT articles have it, and this share of the publication's or of all."""


def recurring_lines(articles: Iterable[Article]) -> frozenset[int]:
    """Keys of the lines that recur among `articles`, which are all of one source, or a fair sample."""
    sizes: Counter[str] = Counter()
    counts: Counter[tuple[str, int]] = Counter()
    seen: set[tuple[str, int]] = set()
    for article in articles:
        publication = _publication(article)
        copy = (publication, _content_key(article))
        if copy in seen or not article.text:
            continue
        seen.add(copy)
        lines = article.text.split("\n")
        edges = {lines[number] for number in _edges(article, lines)}
        for name in {publication, ""}:
            sizes[name] += 1
            counts.update((name, line_key(line, name)) for line in edges)
    return frozenset(key for (name, key), count in counts.items() if count >= _enough(sizes[name], name))


def without_lines(article: Article, keys: Collection[int]) -> Article:
    """`article` without its edge lines of these keys; its headings keep pointing at their paragraphs."""
    if not keys or not article.text:
        return article
    lines = article.text.split("\n")
    names = {_publication(article), ""}
    dropped = {
        number
        for number in _edges(article, lines)
        if any(line_key(lines[number], name) in keys for name in names)
    }
    if not dropped:
        return article
    kept = [number for number in range(len(lines)) if number not in dropped]
    place = {number: new for new, number in enumerate(kept)}
    return replace(
        article,
        text="\n".join(lines[number] for number in kept),
        headings={place[number]: level for number, level in article.headings.items() if number in place},
    )


def line_key(line: str, publication: str = "") -> int:
    """A signed 64-bit key of a publication's line, the same in every process; white space and letter case do
    not count."""
    dense = f"{publication}\n{''.join(line.split()).casefold()}"
    digest = hashlib.blake2b(dense.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _content_key(article: Article) -> int:
    """A key of what an article is about: its longest line. Copies that differ at their edges share it."""
    return line_key(max(article.text.split("\n"), key=len, default=""))


def _publication(article: Article) -> str:
    if article.source:
        return article.source
    try:
        host = urlsplit(article.url or "").hostname or ""
    except ValueError:
        host = ""
    return host.removeprefix("www.") or article.author or ""


def _enough(articles: int, publication: str) -> float:
    if articles < MIN_ARTICLES:
        return float("inf")
    return max(MIN_COUNT, (SHARE_OF_PUBLICATION if publication else SHARE_OF_ALL) * articles)


def _edges(article: Article, lines: list[str]) -> list[int]:
    """Numbers of the short lines near the edges. The longest line is the article's even where it is short."""
    if len(lines) < 2:
        return []
    longest = max(range(len(lines)), key=lambda number: len(lines[number]))
    near = {*range(min(HEAD_LINES, len(lines))), *range(max(len(lines) - TAIL_LINES, 0), len(lines))}
    return sorted(
        number
        for number in near
        if number != longest
        and 0 < len(lines[number]) <= MAX_LINE
        and not (number in article.headings and number + 1 < len(lines))
        and not _is_row(lines, number)
    )


def _is_row(lines: list[str], number: int) -> bool:
    """Whether a line is a row of a table: alone, such a line is a menu."""
    neighbours = lines[max(number - 1, 0) : number] + lines[number + 1 : number + 2]
    return " | " in lines[number] and any(" | " in line for line in neighbours)
