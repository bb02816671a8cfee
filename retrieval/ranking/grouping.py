"""From ranked passages to hits: one an article, near-duplicate articles folded, newer ones pointed out."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from retrieval.ranking.pipeline import Ranked
from retrieval.ranking.similarity import (
    character_grams,
    distance,
    jaccard,
    overlap,
    same_numbers,
)

_SIGNATURE_DISTANCE = 10
_PASSAGE_OVERLAP = 0.7
_SAME_MATTER_DISTANCE = 18
_SAME_MATTER_OVERLAP = 0.3
_COMPARED = 20


@dataclass(slots=True)
class Group:
    """The best-ranked passage of an article, the next ones, the ids of near-identical articles and of a newer
    one."""

    best: Ranked
    others: list[Ranked] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    newer: str | None = None


def group_by_article(ranked: Iterable[Ranked]) -> list[Group]:
    """The passages of each article, articles in the order of their best passage."""
    groups: dict[str, Group] = {}
    for item in ranked:
        group = groups.get(item.record.article_id)
        if group is None:
            groups[item.record.article_id] = Group(item)
        else:
            group.others.append(item)
    return list(groups.values())


def fold_duplicates(groups: Sequence[Group]) -> list[Group]:
    """Fold near-identical articles into the best-ranked of them.

    Two articles are near-identical where their signatures differ in few bits and the passages found are
    nearly the same, figures included: reports from one template with other figures are not.
    """
    alike = _alike_before([group.best.record.signature or 0 for group in groups])
    if not alike:
        return list(groups)
    kept: dict[int, Group] = {}
    compared: set[int] = set()
    for place, group in enumerate(groups):
        originals = (kept[other] for other in alike.get(place, ()) if other in compared)
        original = next((other for other in originals if near_identical(other.best, group.best)), None)
        if original is None:
            kept[place] = group
            if len(compared) < _COMPARED:
                compared.add(place)
        elif group.best.record.article_id != original.best.record.article_id:
            original.duplicates.append(group.best.record.article_id)
    return list(kept.values())


def _alike_before(signatures: Sequence[int]) -> dict[int, list[int]]:
    """For each of them those before it that differ from it in so few bits as those of near-identical articles
    do; most have none, and are left out."""
    bits = np.array(signatures, dtype=np.uint64)
    close = np.bitwise_count(bits[:, None] ^ bits) <= _SIGNATURE_DISTANCE
    found: dict[int, list[int]] = {}
    for later, earlier in zip(*(places.tolist() for places in np.nonzero(np.tril(close, -1))), strict=True):
        found.setdefault(later, []).append(earlier)
    return found


def point_out_newer(shown: Sequence[Group], groups: Sequence[Group]) -> None:
    """Note with each of the groups that are shown the newest later article on the same matter, if it is among
    the first that were found, too."""
    comparable = {id(group): item for group in groups[:_COMPARED] if (item := _comparable(group)) is not None}
    newest_first = sorted(comparable.values(), key=_newest_first)
    for group in shown:
        own = comparable.get(id(group)) or _comparable(group)
        if own is None:
            continue
        later = newest_first[: bisect_left(newest_first, -own.published_at, key=_newest_first)]
        group.newer = next((item.article_id for item in later if _on_same_matter(item, own)), None)


class _Comparable(NamedTuple):
    """What tells whether one article is newer than another and on the same matter."""

    article_id: str
    published_at: float
    signature: int
    title: str


def _newest_first(item: _Comparable) -> float:
    return -item.published_at


def _on_same_matter(first: _Comparable, second: _Comparable) -> bool:
    """Whether both articles are nearly alike, or their titles have much in common."""
    if distance(first.signature, second.signature) <= _SAME_MATTER_DISTANCE:
        return True
    return jaccard(_title_grams(first.title), _title_grams(second.title)) >= _SAME_MATTER_OVERLAP


@lru_cache(maxsize=1024)
def _title_grams(title: str) -> Set[str]:
    """A title is compared with many."""
    return character_grams(title)


def _comparable(group: Group) -> _Comparable | None:
    record = group.best.record
    if record.published_at is None or record.signature is None or not record.title:
        return None
    return _Comparable(record.article_id, record.published_at.timestamp(), record.signature, record.title)


def near_identical(first: Ranked, second: Ranked) -> bool:
    """Whether two passages are the same text of two articles that are nearly the same as a whole."""
    one, other = first.record, second.record
    if one.signature is None or other.signature is None:
        return False
    if distance(one.signature, other.signature) > _SIGNATURE_DISTANCE:
        return False
    return one.text == other.text or (
        same_numbers(one.text, other.text) and overlap(one.text, other.text) >= _PASSAGE_OVERLAP
    )
