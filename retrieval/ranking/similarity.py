"""How alike two texts are: SimHash signatures of whole articles (Charikar 2002), n-gram overlap of
passages."""

import re
from collections.abc import Set

import numpy as np
from numpy.typing import NDArray

_SHINGLE = 4
_LIMIT = 6000
_MASK = (1 << 64) - 1
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIXER = np.uint64(0xBF58476D1CE4E5B9)
_IGNORED = re.compile(r"[\W_]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def signature(text: str) -> int:
    """64-bit SimHash over the character 4-grams of the text (its first 6,000 letters, figures and
    ideographs); near-duplicates differ in few bits, see `distance`. 0 where the text has no 4-gram."""
    letters = _IGNORED.sub("", text[: 2 * _LIMIT])[:_LIMIT].lower()
    codes = np.frombuffer(letters.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    if codes.size < _SHINGLE:
        return 0
    shingles = np.sort(_shingles(codes))
    shingles = shingles[np.concatenate(([True], shingles[1:] != shingles[:-1]))]
    majority = 2 * _bit_counts(_mixed(shingles)) > shingles.size
    return int(np.packbits(majority, bitorder="little").view(np.uint64)[0])


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
    common = len(left & right)
    union = len(left) + len(right) - common
    return common / union if union else 1.0


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


def _bit_counts(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How many of the values have each bit set: shape (64,).

    The unpacked bits are summed eight at a time, as the bytes of one word; 255 rows cannot overflow them.
    """
    bits = np.unpackbits(values.view(np.uint8), bitorder="little").view(np.uint64).reshape(-1, 8)
    counts = np.zeros(64, dtype=np.int64)
    for start in range(0, len(bits), 255):
        counts += bits[start : start + 255].sum(axis=0).view(np.uint8)
    return counts


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread each number over all 64 bits (the finaliser of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * _MIXER
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
