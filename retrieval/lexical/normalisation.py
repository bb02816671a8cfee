"""One form for all ways of writing the same: NFKC, width, case, simplified characters, mainland words.

Only the search sees this form. What is displayed stays in the original script, and `Normalised.span` leads
from a place in the normalised text back to the original.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from retrieval.types import Span

Codes = NDArray[np.uint32]
"""Code points of a text, shape (characters,)."""

# What a code point is (bits of character_classes()).
IDEOGRAPH = 1
"""Han, kana, bopomofo and hangul: scripts written without spaces, searched by bigrams and characters."""
WORD = 2
"""Letters and digits of the other scripts."""
TRADITIONAL = 4
"""Changed by the conversion to simplified characters."""
COMPLEX = 8
"""Does not fold to exactly one code point, or may combine with its neighbours."""

_LIMIT = 0x110000
_INVISIBLE = frozenset("\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u2060\ufeff")
_BREAKS = frozenset("\x7f\x85\u2028\u2029")
_IDEOGRAPHS = (
    (0x2E80, 0x2FDF),
    (0x3005, 0x3007),
    (0x3021, 0x3029),
    (0x3041, 0x30FA),
    (0x30FC, 0x30FF),
    (0x3105, 0x312F),
    (0x31A0, 0x31BF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF),
    (0x20000, 0x323AF),
)


@dataclass(frozen=True, slots=True)
class Normalised:
    """A normalised text and the way back to `original`.

    `starts` and `ends` give, for each normalised character, the span of the original it came from; None
    where both texts are of one length, character for character.
    """

    text: str
    original: str
    starts: tuple[int, ...] | None = None
    ends: tuple[int, ...] | None = None

    def span(self, start: int, end: int) -> Span:
        """The span of the original that text[start:end] came from; an empty span stays empty."""
        if self.starts is None or self.ends is None:
            return start, end
        if start >= end:
            place = self.starts[start] if start < len(self.starts) else len(self.original)
            return place, place
        return self.starts[start], self.ends[end - 1]


@dataclass(frozen=True, slots=True)
class Variants:
    """Regional words: `rewritten` ones always become the mainland's; `alternatives`, which lead both ways
    between words that only mean the same sometimes, are searched as well."""

    rewritten: Mapping[str, str]
    alternatives: Mapping[str, tuple[str, ...]]


@cache
def load_variants() -> Variants:
    """The words of Taiwan and Hong Kong that ship with this package (variants.txt)."""
    rewritten: dict[str, str] = {}
    alternatives: defaultdict[str, list[str]] = defaultdict(list)
    lines = resources.files(__package__).joinpath("variants.txt").read_text(encoding="utf-8")
    for line in lines.splitlines():
        if line.startswith("#"):
            continue
        regional, mainland, *mark = line.split("\t")
        if mark:
            alternatives[regional].append(mainland)
            alternatives[mainland].append(regional)
        else:
            rewritten[regional] = mainland
    return Variants(rewritten, {word: tuple(others) for word, others in alternatives.items()})


class _Tables:
    """Folding and classes of every code point below _LIMIT, and the converter to simplified characters."""

    def __init__(self) -> None:
        from opencc import OpenCC

        self.simplify = OpenCC("t2s").convert
        self.fold: Codes = np.arange(_LIMIT, dtype=np.uint32)
        self.classes = np.zeros(_LIMIT, dtype=np.uint8)
        for first, last in _IDEOGRAPHS:
            self.classes[first : last + 1] |= IDEOGRAPH
        self._fold_single_characters()
        self._mark_traditional()

    def _fold_single_characters(self) -> None:
        ranges = ((0, 0x3400), (0xA000, 0xAC00), (0xF900, 0x10000), (0x1D400, 0x1D800), (0x1F100, 0x1F300))
        points = [c for first, last in ranges for c in range(first, last) if c != 0x0A]
        for point, form in zip(points, _folded_each(list(map(chr, points))), strict=True):
            if len(form) != 1 or _combines(chr(point)):
                self.classes[point] |= COMPLEX
                continue
            self.fold[point] = ord(form)
            if form.isalnum() and not self.classes[ord(form)] & IDEOGRAPH:
                self.classes[point] |= WORD
        for point in (0x2025, 0x2026):  # ellipses are everywhere in Chinese: they need not become full stops
            self.fold[point] = point
            self.classes[point] = 0
        # Beyond the tables, only emoji and rare ideographs stand for themselves; the rest goes the slow way.
        self.classes[0xD7A4:0xF900] |= COMPLEX
        self.classes[0x10000:0x1D400] |= COMPLEX
        self.classes[0x1D800:0x1F000] |= COMPLEX
        self.classes[0x1FB00:0x20000] |= COMPLEX
        self.classes[0x2F800:0x2FA20] |= COMPLEX
        self.classes[0xE0000:0xE1000] |= COMPLEX

    def _mark_traditional(self) -> None:
        points = np.arange(0x3400, 0xA000, dtype=np.uint32)
        simple = code_points(self.simplify(text_of(points)))
        self.classes[points[simple != points]] |= TRADITIONAL
        self.classes[0x20000:0x32400] |= TRADITIONAL  # few of them are: the converter decides
        # A compatibility ideograph is traditional where what it folds to is.
        self.classes |= self.classes[self.fold] & TRADITIONAL


def _combines(character: str) -> bool:
    # Conjoining Hangul vowels and finals compose with what precedes them without being combining marks.
    return unicodedata.combining(character) != 0 or "\u1160" <= character <= "\u11ff"


def _folded_each(characters: Sequence[str]) -> list[str]:
    """What each character folds to by itself, all at once: a line break keeps them apart."""
    text = "\n".join("" if c in _INVISIBLE else " " if c < " " or c in _BREAKS else c for c in characters)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower()).split("\n")


@cache
def _tables() -> _Tables:
    return _Tables()


def code_points(text: str) -> Codes:
    """The text's code points, shape (len(text),); lone surrogates become question marks."""
    return np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32)


def text_of(codes: Codes) -> str:
    """The text of code points."""
    return codes.astype("<u4", copy=False).tobytes().decode("utf-32-le", "replace")


def character_classes(text: str) -> NDArray[np.uint8]:
    """IDEOGRAPH and WORD bits of each character of a folded text, shape (len(text),)."""
    return classes_of(code_points(text))


def classes_of(codes: Codes) -> NDArray[np.uint8]:
    """The same of code points."""
    classes: NDArray[np.uint8] = _tables().classes.take(codes)
    return classes


def having(texts: Sequence[str], kind: int) -> list[bool]:
    """Which folded texts have a character with one of these bits."""
    marked = (character_classes("".join(texts)) & kind) > 0
    return _any_between(marked, np.cumsum([len(text) for text in texts], dtype=np.int64))


def fold(text: str) -> Normalised:
    """NFKC, lower case, simplified characters; line breaks stay, invisible characters go."""
    tables = _tables()
    codes = code_points(text)
    classes = tables.classes.take(codes)
    present = int(np.bitwise_or.reduce(classes, initial=0))
    folded = text_of(tables.fold.take(codes))
    if present & COMPLEX:
        return _fold_slowly(text, folded, np.flatnonzero(classes & COMPLEX).tolist(), tables)
    if present & TRADITIONAL:
        folded = _simplified(folded, tables)
    return Normalised(folded, text)


def fold_all(texts: Sequence[str]) -> list[Normalised]:
    """`fold` of each text, at the price of one where they need no more than the tables."""
    tables = _tables()
    codes = code_points("".join(texts))
    folded = text_of(tables.fold.take(codes))
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    slow = _any_between((tables.classes.take(codes) & (COMPLEX | TRADITIONAL)) > 0, ends)
    return [
        fold(text) if slowly else Normalised(folded[end - len(text) : end], text)
        for text, end, slowly in zip(texts, ends.tolist(), slow, strict=True)
    ]


def _any_between(marked: NDArray[np.bool_], ends: NDArray[np.int64]) -> list[bool]:
    """Whether anything is marked up to the first of `ends`, from there up to the second, and so on."""
    counts = np.searchsorted(np.flatnonzero(marked), ends)
    found: list[bool] = (np.diff(counts, prepend=0) > 0).tolist()
    return found


def _simplified(text: str, tables: _Tables) -> str:
    simple = str(tables.simplify(text))
    return simple if len(simple) == len(text) else "".join(map(tables.simplify, text))


def _fold_slowly(text: str, folded: str, complex_places: Sequence[int], tables: _Tables) -> Normalised:
    """Where characters combine or expand: those clusters one by one, the runs between from the tables."""
    forms: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for place in complex_places:
        if place < done:
            continue
        start = place - 1 if place > done and _combines(text[place]) else place
        end = place + 1
        while end < len(text) and _combines(text[end]):
            end += 1
        form = _fold_cluster(text[start:end])
        forms += (folded[done:start], form)
        starts += (*range(done, start), *([start] * len(form)))
        ends += (*range(done + 1, start + 1), *([end] * len(form)))
        done = end
    forms.append(folded[done:])
    starts += range(done, len(text))
    ends += range(done + 1, len(text) + 1)
    return Normalised(_simplified("".join(forms), tables), text, tuple(starts), tuple(ends))


def _fold_cluster(cluster: str) -> str:
    points = ["?" if "\ud800" <= c <= "\udfff" else c for c in cluster]
    form = unicodedata.normalize("NFKC", "".join(points)).lower()
    form = "".join(" " if c < " " else c for c in form if c not in _INVISIBLE)
    return unicodedata.normalize("NFKC", form)


def rewrite(text: Normalised, words: Sequence[str], variants: Mapping[str, str]) -> Normalised:
    """Put the mainland's words for regional ones, where they stand as words of their own.

    `words` is the segmentation of `text.text`: its concatenation.
    """
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    old_starts = range(len(text.text)) if text.starts is None else text.starts
    old_ends = range(1, len(text.text) + 1) if text.ends is None else text.ends
    done = place = 0
    for word in words:
        end = place + len(word)
        other = variants.get(word)
        if other is not None:
            pieces += (text.text[done:place], other)
            starts += (
                *old_starts[done:place],
                *_spread(old_starts[place:end], len(other), old_starts[place]),
            )
            ends += (*old_ends[done:place], *_spread(old_ends[place:end], len(other), old_ends[end - 1]))
            done = end
        place = end
    pieces.append(text.text[done:])
    starts += old_starts[done:]
    ends += old_ends[done:]
    return Normalised("".join(pieces), text.original, tuple(starts), tuple(ends))


def _spread(places: Sequence[int], length: int, single: int) -> Sequence[int]:
    """Character for character where both words are as long, else the whole word for each character."""
    return places if len(places) == length else [single] * length
