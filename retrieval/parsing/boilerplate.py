"""Boilerplate by statistics: a short line that recurs across a source's articles belongs to the site.

Everything here is pure and incremental. For each article `edge_lines` gives the keys of the lines that could
be boilerplate; whoever stores articles counts, for each source, in how many articles every key occurs (adding
when an article comes, subtracting when it goes); `recurring` says which keys are boilerplate by now, and
`without_lines` takes them out of an article. Lines only count at an article's beginning and end, so that a
refrain inside the text stays. Copies of one article would make all of its lines recur: articles of the same
`content_key` must be counted once.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace

from retrieval.types import Article

HEAD_LINES, TAIL_LINES = 3, 6
"""How far from an article's beginning and end a line may stand to be boilerplate."""

MAX_LINE = 160
"""Characters of a line that may be boilerplate; longer text that recurs is a quotation or a copy."""

MIN_ARTICLES = 20
"""Articles a source must have before anything is said about its lines."""

MIN_COUNT, MIN_SHARE = 8, 0.03
"""A line is boilerplate if at least this many articles have it, and this share of the source's."""


def line_key(line: str) -> int:
    """A signed 64-bit key of a line, the same in every process; white space and letter case do not count."""
    dense = "".join(line.split()).casefold()
    return int.from_bytes(hashlib.blake2b(dense.encode(), digest_size=8).digest(), "big", signed=True)


def content_key(article: Article) -> int:
    """A key of what an article is about: its longest line. Copies that differ at their edges share it."""
    return line_key(max(article.text.split("\n"), key=len, default=""))


def edge_lines(article: Article) -> frozenset[int]:
    """Keys of the lines of `article` that could be boilerplate; never those of all its lines."""
    lines = article.text.split("\n") if article.text else []
    return frozenset(line_key(lines[number]) for number in _edges(lines))


def recurring(counts: Mapping[int, int], articles: int) -> frozenset[int]:
    """The keys that are boilerplate, given in how many of a source's `articles` each occurs."""
    if articles < MIN_ARTICLES:
        return frozenset()
    enough = max(MIN_COUNT, MIN_SHARE * articles)
    return frozenset(key for key, count in counts.items() if count >= enough)


def without_lines(article: Article, keys: Collection[int]) -> Article:
    """`article` without its edge lines of these keys; its headings keep pointing at their paragraphs."""
    if not keys or not article.text:
        return article
    lines = article.text.split("\n")
    dropped = {number for number in _edges(lines) if line_key(lines[number]) in keys}
    if not dropped:
        return article
    kept = [number for number in range(len(lines)) if number not in dropped]
    place = {number: new for new, number in enumerate(kept)}
    return replace(
        article,
        text="\n".join(lines[number] for number in kept),
        headings={place[number]: level for number, level in article.headings.items() if number in place},
    )


def _edges(lines: list[str]) -> list[int]:
    """Numbers of the short lines near the edges. The longest line is the article's even where it is short."""
    if len(lines) < 2:
        return []
    longest = max(range(len(lines)), key=lambda number: len(lines[number]))
    near = {*range(min(HEAD_LINES, len(lines))), *range(max(len(lines) - TAIL_LINES, 0), len(lines))}
    return sorted(n for n in near if n != longest and 0 < len(lines[n]) <= MAX_LINE)
