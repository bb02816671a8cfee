"""How alike two texts are: SimHash signatures of whole articles (Charikar 2002), n-gram overlap of
passages."""

import re
from collections.abc import Sequence, Set
from functools import cache
from itertools import accumulate, chain

import numpy as np
from numpy.typing import NDArray

from retrieval.lexical.normalisation import code_points

_SHINGLE = 4
_LIMIT = 6000
_MANY = 8
"""From so many texts on, tables are quicker."""

_TABLE = 0x20000
_NO_LETTER, _UNCLEAR = 0xFFFFFFFF, 0xFFFFFFFE
_MASK = (1 << 64) - 1
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIXER = np.uint64(0xBF58476D1CE4E5B9)
_IGNORED = re.compile(r"[\W_]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")

Letters = tuple[NDArray[np.uint32], list[int]]
"""The code points that count of several texts, one after another, and how many each text has."""


def signature(text: str) -> int:
    """64-bit SimHash over the character 4-grams of the text (its first 6,000 letters, figures and
    ideographs); near-duplicates differ in few bits, see `distance`. 0 where the text has no 4-gram."""
    (found,) = signatures([text])
    return found


def signatures(texts: Sequence[str]) -> list[int]:
    """`signature` of each text, quicker than one by one."""
    texts = [text[: 2 * _LIMIT] for text in texts]
    codes, lengths = (_letters_of_many(texts) if len(texts) >= _MANY else None) or _letters(texts)
    long_enough = [length >= _SHINGLE for length in lengths]
    if not any(long_enough):
        return [0] * len(texts)
    hashes = _mixed(_shingles(codes.astype(np.uint64)))
    found = iter(_majorities([
        hashes[end - length : end - _SHINGLE + 1]
        for length, end in zip(lengths, accumulate(lengths), strict=True)
        if length >= _SHINGLE
    ]))  # fmt: skip
    return [next(found) if enough else 0 for enough in long_enough]


def _letters(texts: Sequence[str]) -> Letters:
    letters = [_IGNORED.sub("", text)[:_LIMIT].lower() for text in texts]
    return code_points("".join(letters)), list(map(len, letters))


def _letters_of_many(texts: Sequence[str]) -> Letters | None:
    """The same by tables; None where a text has something that is not in them, or too many letters."""
    codes = code_points("".join(texts))
    lowered = _lowered()
    if codes.max(initial=0) >= len(lowered):
        return None
    lower = lowered[codes]
    kept = lower != _NO_LETTER
    ends = np.cumsum([len(text) for text in texts])
    counts = np.diff(np.append(0, np.cumsum(kept))[ends], prepend=0)
    lower = lower[kept]
    if counts.max(initial=0) > _LIMIT or (lower == _UNCLEAR).any():
        return None
    return lower, counts.tolist()


@cache
def _lowered() -> NDArray[np.uint32]:
    """The lower case of each code point of the first two planes; _NO_LETTER where it is ignored, _UNCLEAR
    where it becomes two characters or depends on its neighbours."""
    lowered = np.full(_TABLE, _NO_LETTER, dtype=np.uint32)
    letters = _IGNORED.sub("", "".join(map(chr, range(_TABLE))))
    lower = [character.lower() for character in letters]
    codes = [_UNCLEAR if len(form) > 1 or form == "σ" else ord(form) for form in lower]
    lowered[code_points(letters)] = codes
    return lowered


def distance(first: int, second: int) -> int:
    """Number of bits in which two signatures differ, 0 to 64; either sign convention will do."""
    return ((first ^ second) & _MASK).bit_count()


def to_signed(value: int) -> int:
    """The same 64 bits as SQLite's signed integer."""
    return value - (1 << 64) if value >= 1 << 63 else value


def from_signed(value: int) -> int:
    """The inverse of to_signed."""
    return value & _MASK


def overlap(first: str, second: str) -> float:
    """Jaccard index of two passages' character 3-grams, 0 to 1; 1 for two texts too short to have any."""
    return jaccard(character_grams(first), character_grams(second))


def jaccard(left: Set[str], right: Set[str]) -> float:
    """What two sets have in common as a share of what they have together, 0 to 1; 1 for two empty sets."""
    if left.isdisjoint(right):  # as most titles are, which are compared for each question
        return 0.0 if left or right else 1.0
    common = len(left & right)
    union = len(left) + len(right) - common
    return common / union


def same_numbers(first: str, second: str) -> bool:
    """Whether two passages name mostly the same figures: daily reports from one template do not."""
    left, right = set(_NUMBER.findall(first)), set(_NUMBER.findall(second))
    return len(left & right) >= 0.8 * len(left | right)


def character_grams(text: str) -> set[str]:
    """The distinct 3-grams of a text's letters and digits."""
    letters = _IGNORED.sub("", text)
    return {letters[start : start + 3] for start in range(len(letters) - 2)}


def _shingles(codes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One number for each run of 4 code points: shape (len(codes) - 3,)."""
    combined = codes[: codes.size - _SHINGLE + 1].copy()
    for offset in range(1, _SHINGLE):
        combined = combined * _MULTIPLIER + codes[offset : codes.size - _SHINGLE + 1 + offset]
    return combined


def _majorities(hashes: Sequence[NDArray[np.uint64]]) -> list[int]:
    """Of each group of numbers, none of them empty, the bits that most of its distinct numbers have set."""
    values = np.concatenate([np.sort(group) for group in hashes])
    starts = np.cumsum([0, *map(len, hashes)])[:-1]
    fresh = np.append(True, values[1:] != values[:-1])
    fresh[starts] = True
    sizes = np.add.reduceat(fresh, starts, dtype=np.int64)
    counts = _bit_counts(values[fresh], sizes)
    majority = 2 * counts > sizes[:, None]
    found: list[int] = np.packbits(majority, axis=1, bitorder="little").view(np.uint64)[:, 0].tolist()
    return found


def _bit_counts(values: NDArray[np.uint64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many values of each group have each bit set, shape (groups, 64); the groups, of these sizes, follow
    one another.

    The unpacked bits are summed eight at a time, as the bytes of one word; 255 rows cannot overflow them.
    """
    bits = np.unpackbits(values.view(np.uint8), bitorder="little").view(np.uint64).reshape(-1, 8)
    ends = np.cumsum(sizes).tolist()
    pieces = [range(end - size, end, 255) for end, size in zip(ends, sizes.tolist(), strict=True)]
    sums = np.add.reduceat(bits, list(chain.from_iterable(pieces)), axis=0).view(np.uint8)
    firsts = np.cumsum([0, *map(len, pieces)])[:-1]
    counts: NDArray[np.int64] = np.add.reduceat(sums, firsts, axis=0, dtype=np.int64)
    return counts


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread each number over all 64 bits (the finaliser of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * _MIXER
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
