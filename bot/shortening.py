"""Which part of a passage to show where there is no room for all: whole sentences around what matters."""

from bot.styled import whole_characters
from retrieval.segmentation import split_sentences
from retrieval.types import Span

_LONGEST_WORD = 24


def window(text: str, keep: Span, room: int) -> Span:
    """A part of `text` around `keep` of at most `room` characters (but at least one), in whole sentences.

    Sentences before and after `keep` are taken in turn while they fit. Of a `keep` longer than `room` its
    first sentences are taken; where the first alone is longer, the cut falls inside, after `keep` begins.
    """
    if len(text) <= room:
        return 0, len(text)
    keep = min(keep[0], len(text) - 1), min(keep[1], len(text))
    sentences = split_sentences(text) or [(0, len(text))]
    first, last = _sentences_of(sentences, keep)
    while last > first and sentences[last][1] - sentences[first][0] > room:
        last -= 1
    if sentences[last][1] - sentences[first][0] > room:
        return _inside(text, sentences[first][0], keep, room)
    grew = True
    while grew:
        grew = False
        if first and sentences[last][1] - sentences[first - 1][0] <= room:
            first, grew = first - 1, True
        if last + 1 < len(sentences) and sentences[last + 1][1] - sentences[first][0] <= room:
            last, grew = last + 1, True
    return sentences[first][0], sentences[last][1]


def _sentences_of(sentences: list[Span], keep: Span) -> tuple[int, int]:
    """The first and last sentence that `keep` touches; the nearest one where it touches none."""
    touched = [
        place
        for place, (start, end) in enumerate(sentences)
        if start < max(keep[1], keep[0] + 1) and end > keep[0]
    ]
    if touched:
        return touched[0], touched[-1]
    nearest = min(range(len(sentences)), key=lambda place: abs(sentences[place][0] - keep[0]))
    return nearest, nearest


def _inside(text: str, start: int, keep: Span, room: int) -> Span:
    """A cut inside one over-long sentence: from its start if `keep` then still fits, else from `keep`."""
    if min(keep[1], keep[0] + room) - start > room:
        start = whole_characters(text, keep[0])
    end = whole_characters(text, min(len(text), start + room))
    if end < len(text) and (space := text.rfind(" ", max(start, end - _LONGEST_WORD), end)) > start:
        end = space if text[end - 1 : end + 1].isascii() else end
    return start, max(start + 1, end)
