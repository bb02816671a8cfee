"""Where a text has the words of a question: spans in the original, whatever script or width either is in."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from retrieval.lexical.entities import find_entities
from retrieval.question import Question
from retrieval.ranking.background import load_background
from retrieval.types import Span

if TYPE_CHECKING:
    from retrieval.lexical.analyzer import Analyzer, Content
    from retrieval.lexical.normalisation import Normalised

MAX_SPANS = 200
_RARE = 0.02
_LONG_ENOUGH = 3
"""So many characters in common are highlighted even where they are no word of the question."""


def highlights(question: Question, text: "Normalised", analyzer: "Analyzer") -> tuple[Span, ...]:
    """Spans of the original `text` that match words, numbers, dates or names of the question, merged and in
    order.

    Latin words and numbers match as a whole only: never inside a longer one.
    """
    content = analyzer.examine(question.content)
    found = [*_entity_matches(content, text.text), *_word_matches(content, text.text)]
    spans = (text.span(start, end) for start, end in _merged(found)[:MAX_SPANS])
    return tuple(_merged(spans))


def _entity_matches(content: "Content", text: str) -> Iterator[Span]:
    """Numbers, dates and names of the question, with the ideograph that follows a name in both (u盘)."""
    wanted = {term for entity in content.entities for term in entity.terms}
    if not wanted:
        return
    names = [entity for entity in content.entities if entity.kind == "name"]
    following = {c for entity in names if (c := content.text[entity.end : entity.end + 1]) > "\u2e7f"}
    for entity in find_entities(text):
        if not wanted.isdisjoint(entity.terms) or not wanted.isdisjoint(entity.parts):
            extended = entity.kind == "name" and text[entity.end : entity.end + 1] in following
            yield entity.start, entity.end + extended


def _word_matches(content: "Content", text: str) -> Iterator[Span]:
    """Words of the question, and longer stretches that both have in common."""
    patterns = {word for word in (*content.words, *content.alternatives) if len(word) > 1 or _telling(word)}
    patterns.update(part for word in content.words if len(word) == 4 for part in (word[:2], word[2:]))
    for run in content.runs:
        if run[0] > "\u2e7f":
            patterns.update(run[i : i + _LONG_ENOUGH] for i in range(len(run) - _LONG_ENOUGH + 1))
    for pattern in patterns:
        place = text.find(pattern)
        while place >= 0:
            yield place, place + len(pattern)
            place = text.find(pattern, place + 1)


def _telling(character: str) -> bool:
    """Whether a word of one character is rare enough to be worth marking."""
    return load_background().rate(character) < _RARE


def _merged(spans: "Sequence[Span] | Iterator[Span]") -> list[Span]:
    """Sorted, and joined where they touch or overlap."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        elif end > start:
            merged.append((start, end))
    return merged
