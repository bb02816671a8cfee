"""From ranked passages to hits: one an article, near-duplicate articles folded, newer ones pointed out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from retrieval.backend import PassageRecord
from retrieval.ranking.pipeline import Ranked
from retrieval.ranking.similarity import distance, from_signed, overlap, same_numbers

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
    signatures = np.array(
        [from_signed(group.best.record.signature or 0) for group in groups], dtype=np.uint64
    )
    kept: list[int] = []
    for place, group in enumerate(groups):
        first = np.array(kept[:_COMPARED], dtype=np.int64)
        near = first[np.bitwise_count(signatures[first] ^ signatures[place]) <= _SIGNATURE_DISTANCE]
        original = next(
            (groups[other] for other in near if near_identical(groups[other].best, group.best)), None
        )
        if original is None:
            kept.append(place)
        elif group.best.record.article_id != original.best.record.article_id:
            original.duplicates.append(group.best.record.article_id)
    return [groups[place] for place in kept]


def point_out_newer(groups: Sequence[Group]) -> None:
    """Note with each of the first groups the newest later article on the same matter, if one was found
    too."""
    first = groups[:_COMPARED]
    for group in first:
        newest = max(
            (other for other in first if _newer_on_same_matter(other.best.record, group.best.record)),
            key=lambda other: _timestamp(other.best.record.published_at),
            default=None,
        )
        group.newer = newest.best.record.article_id if newest else None


def near_identical(first: Ranked, second: Ranked) -> bool:
    """Whether two passages are the same text of two articles that are nearly the same as a whole."""
    one, other = first.record, second.record
    if one.signature is None or other.signature is None:
        return False
    return (
        distance(one.signature, other.signature) <= _SIGNATURE_DISTANCE
        and overlap(one.text, other.text) >= _PASSAGE_OVERLAP
        and same_numbers(one.text, other.text)
    )


def _newer_on_same_matter(candidate: PassageRecord, record: PassageRecord) -> bool:
    if (
        candidate.published_at is None
        or record.published_at is None
        or not candidate.title
        or not record.title
    ):
        return False
    if _timestamp(candidate.published_at) <= _timestamp(record.published_at):
        return False
    if candidate.signature is None or record.signature is None:
        return False
    return (
        distance(candidate.signature, record.signature) <= _SAME_MATTER_DISTANCE
        or overlap(candidate.title, record.title) >= _SAME_MATTER_OVERLAP
    )


def _timestamp(moment: datetime | None) -> float:
    return moment.timestamp() if moment else float("-inf")
