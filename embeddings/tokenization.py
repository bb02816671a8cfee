"""Text → rows of the embedding table, without a Python loop over characters.

Chinese is read as overlapping features: every character and every pair of neighbours. A pair of the
vocabulary has a row of its own; any other falls into one of classes² buckets by the classes of its two
characters, and keeps the rows of both. A character's row holds half of it: once for its pair to the left,
once for that to the right. Rows of vocabulary pairs have their characters' halves added in, so that most
places cost one row.

Words of Latin, Greek and Cyrillic letters and digits are looked up whole; unknown ones are cut into the
longest known pieces from the left (WordPiece without a continuation mark; Wu et al. 2016,
arXiv:1609.08144).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from embeddings.alphabet import (
    SEPARATOR,
    WORD_CHARACTERS,
    Alphabet,
    Symbols,
    code_points,
    left_classes,
    right_classes,
)

LONGEST_WORD = 64
"""Longer runs of letters and digits (keys, encoded data) are not words and give no rows."""

_CACHED_WORDS = 1 << 16
_EMPTY = np.int64(-1)


class IntegerMap:
    """From distinct integers ≥ 0 to their places in the array: open addressing, a whole array at a time."""

    def __init__(self, keys: NDArray[np.int64]) -> None:
        bits = max(4, int(len(keys) * 3).bit_length())
        self._shift = np.uint64(64 - bits)
        self._mask = (1 << bits) - 1
        self._keys = np.full(1 << bits, _EMPTY, dtype=np.int64)
        self._places = np.full(1 << bits, -1, dtype=np.int32)
        places = np.arange(len(keys), dtype=np.int32)
        slots = self._slots(keys)
        while len(places):
            free = self._keys[slots] == _EMPTY
            slot, first = np.unique(slots[free], return_index=True)
            taken = np.flatnonzero(free)[first]
            self._keys[slot] = keys[places[taken]]
            self._places[slot] = places[taken]
            left = np.ones(len(places), dtype=bool)
            left[taken] = False
            places, slots = places[left], (slots[left] + 1) & self._mask

    def _slots(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        mixed = keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        return (mixed >> self._shift).astype(np.int64)

    def find(self, keys: NDArray[np.int64]) -> NDArray[np.int32]:
        """Place of each key, −1 for those that are not in the map: shape of `keys`."""
        slots = self._slots(keys)
        held = self._keys[slots]
        places = np.where(held == keys, self._places[slots], np.int32(-1))
        open_ = np.flatnonzero((held != keys) & (held != _EMPTY))
        while len(open_):
            slots[open_] = (slots[open_] + 1) & self._mask
            held = self._keys[slots[open_]]
            found = held == keys[open_]
            places[open_[found]] = self._places[slots[open_[found]]]
            open_ = open_[~found & (held != _EMPTY)]
        return places


@dataclass(frozen=True)
class Vocabulary:
    """What has a row, in the order of the rows: characters, pairs (two-character strings), buckets, words.

    Every character belongs to one left and one right class; a pair outside the vocabulary has the row of its
    characters' classes, its bucket. The last two rows are the passage mark's (see embeddings.model_folder)
    and, zero, the one that sentence-transformers gives to unknown words.
    """

    alphabet: Alphabet
    pairs: Sequence[str]
    words: Sequence[str]
    classes: int = 128

    @property
    def first_pair(self) -> int:
        """Row of pairs[0]."""
        return len(self.alphabet.characters)

    @property
    def first_bucket(self) -> int:
        """Row of the bucket of left class 0 and right class 0."""
        return self.first_pair + len(self.pairs)

    @property
    def first_word(self) -> int:
        """Row of words[0]."""
        return self.first_bucket + self.classes**2

    @property
    def passage_mark(self) -> int:
        """Row of the mark that passages begin with."""
        return self.first_word + len(self.words)

    @property
    def size(self) -> int:
        """Number of rows."""
        return self.passage_mark + 2


@dataclass(frozen=True)
class TokenBatch:
    """Rows of many texts, one after another: shape (t,); and where each text's rows start: (n + 1,)."""

    rows: NDArray[np.int32]
    starts: NDArray[np.int64]


@dataclass
class Tokenizer:
    """Looks texts up in a vocabulary."""

    vocabulary: Vocabulary
    _words: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _hashes: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        alphabet, words = self.vocabulary.alphabet, self.vocabulary.words
        self._first = alphabet.first_character
        characters = alphabet.characters
        count = len(characters)
        bucket, classes = self.vocabulary.first_bucket, self.vocabulary.classes
        self._left = (left_classes(characters, classes) * classes + bucket).astype(np.int32)
        self._right = right_classes(characters, classes).astype(np.int32)
        pairs = alphabet.table[code_points("".join(self.vocabulary.pairs))]
        codes = pairs.astype(np.int64).reshape(-1, 2) - self._first
        self._count = count
        self._pairs = IntegerMap(codes[:, 0] * count + codes[:, 1])
        first_word = self.vocabulary.first_word
        self._known = {word: first_word + i for i, word in enumerate(words)}
        self._longest = max((len(word) for word in words), default=1)
        self._powers = np.cumprod(np.full(LONGEST_WORD, 0x100000001B3, dtype=np.uint64))

    def tokenize(self, texts: Sequence[str]) -> TokenBatch:
        """Rows of all texts."""
        symbols, starts = self.vocabulary.alphabet.symbols(texts)
        return self.tokenize_symbols(symbols, starts)

    def tokenize_symbols(self, symbols: Symbols, starts: NDArray[np.int64]) -> TokenBatch:
        """Rows of texts given as symbols (as Alphabet.symbols gives them: a separator after each text)."""
        rows = np.full((len(symbols), 3), -1, dtype=np.int32)
        self._characters(symbols, rows)
        self._words_in(symbols, rows)
        flat = rows.reshape(-1)
        used = np.flatnonzero(flat >= 0)
        return TokenBatch(flat[used], np.searchsorted(used, 3 * starts))

    def _characters(self, symbols: Symbols, rows: NDArray[np.int32]) -> None:
        """Enters pairs into the first column, at their first character, and characters into the others."""
        is_character = symbols >= self._first
        if not is_character.any():
            return
        codes = symbols.astype(np.int32) - self._first
        first = np.flatnonzero(is_character[:-1] & is_character[1:])
        left, right = codes[first], codes[first + 1]
        found = self._pairs.find(left.astype(np.int64) * self._count + right)
        known = found >= 0
        bucket = self._left[left] + self._right[right]
        rows[first, 0] = np.where(known, found + self.vocabulary.first_pair, bucket)
        uncovered = is_character.view(np.int8) * np.int8(2)
        covered = first[known]
        uncovered[covered] -= 1
        uncovered[covered + 1] -= 1
        for column, times in ((1, 1), (2, 2)):
            places = np.flatnonzero(uncovered >= times)
            rows[places, column] = codes[places]

    def _words_in(self, symbols: Symbols, rows: NDArray[np.int32]) -> None:
        """Enters the words' rows into the first column, each piece at a place of its own in the word."""
        is_word = (symbols != SEPARATOR) & (symbols < self._first)
        edges = np.flatnonzero(is_word[1:] != is_word[:-1]) + 1  # a separator ends the last word
        if is_word[:1].any():
            edges = np.insert(edges, 0, 0)
        begins, ends = edges[::2], edges[1::2]
        short = ends - begins <= LONGEST_WORD
        begins, ends = begins[short], ends[short]
        if not len(begins):
            return
        lengths = ends - begins
        offsets = np.cumsum(lengths) - lengths
        inside = np.arange(lengths.sum()) - np.repeat(offsets, lengths)
        places = np.repeat(begins, lengths) + inside
        hashes = np.add.reduceat(symbols[places].astype(np.uint64) * self._powers[inside], offsets)
        distinct, example, which = np.unique(hashes, return_index=True, return_inverse=True)
        pieces = [
            self._pieces(int(value), symbols, int(begins[i]), int(ends[i]))
            for value, i in zip(distinct, example, strict=True)
        ]
        self._place(pieces, which, begins, rows)

    @staticmethod
    def _place(
        pieces: list[tuple[int, ...]],
        which: NDArray[np.int64],
        begins: NDArray[np.int64],
        rows: NDArray[np.int32],
    ) -> None:
        counts = np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces))
        flat = np.fromiter((row for word in pieces for row in word), dtype=np.int32, count=int(counts.sum()))
        first = np.cumsum(counts) - counts
        number = counts[which]
        inside = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
        places = np.repeat(begins, number) + inside
        rows[places, 0] = flat[np.repeat(first[which], number) + inside]

    def _pieces(self, value: int, symbols: Symbols, begin: int, end: int) -> tuple[int, ...]:
        pieces = self._hashes.get(value)
        if pieces is None:
            word = "".join(WORD_CHARACTERS[symbol - 1] for symbol in symbols[begin:end])
            pieces = self._cut(word)
            if len(self._hashes) >= _CACHED_WORDS:
                self._hashes.clear()
            self._hashes[value] = pieces
        return pieces

    def _cut(self, word: str) -> tuple[int, ...]:
        """Longest known pieces from the left; () where some character of the word has no row."""
        pieces: list[int] = []
        at = 0
        while at < len(word):
            for end in range(min(len(word), at + self._longest), at, -1):
                row = self._known.get(word[at:end])
                if row is not None:
                    pieces.append(row)
                    at = end
                    break
            else:
                return ()
        return tuple(pieces)
