"""Texts as chains of symbols: an ideograph is one, a word or number in letters and digits is one as a whole.

So an English text does not seem to cover every English question by its letters, and "GPT-4" is not in
"GPT-40".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

OTHER = 0xFFFF
"""Code points from here on are seen as one and the same, which is in no question."""

_SPACE = 0x20
_FULL_STOP = 0x2E
_SENTENCE_ENDS = "。！？；!?;\n"
_LONGEST_WORD = 48
_MULTIPLIER = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
_SYMBOL = re.compile(r"[^\W_\u2e80-\uffff]+|[^\s]")


def _table(wanted: Sequence[int]) -> NDArray[np.bool_]:
    table = np.zeros(OTHER + 1, dtype=np.bool_)
    table[list(wanted)] = True
    return table


_LETTERS = _table([code for code in range(0x2E80) if chr(code).isalnum()])
_ENDS = _table([ord(character) for character in _SENTENCE_ENDS])
_POWERS = np.array([pow(_MULTIPLIER, place, 1 << 64) for place in range(_LONGEST_WORD)], dtype=np.uint64)


def is_word(symbol: str) -> bool:
    """Whether a symbol is written in letters or digits, and so is a whole word."""
    return symbol[0] < "\u2e80" and symbol[0].isalnum()


def split(text: str) -> tuple[str, ...]:
    """The symbols of a normalised text, without white space."""
    return tuple(_SYMBOL.findall(text))


def forms(word: str) -> set[str]:
    """An English word in singular and plural; any other symbol is its only form."""
    if len(word) < 3 or not word.isascii() or not word.isalpha():
        return {word}
    found = {word, word + "s", word + "es"}
    if word.endswith("ies"):
        found.add(word[:-3] + "y")
    if word.endswith("es"):
        found.add(word[:-2])
    if word.endswith("s"):
        found.add(word[:-1])
    if word.endswith("y"):
        found.add(word[:-1] + "ies")
    return found


class Alphabet:
    """The distinct symbols of a question, numbered from 1 in order of first occurrence."""

    def __init__(self, symbols: Sequence[str]) -> None:
        self.numbers: Mapping[str, int] = {
            symbol: number for number, symbol in enumerate(dict.fromkeys(symbols), 1)
        }
        self._characters = np.zeros(OTHER + 1, dtype=np.int64)
        words: dict[int, int] = {}
        for symbol, number in self.numbers.items():
            if is_word(symbol):
                words |= {_hash(form): number for form in forms(symbol)}
            elif ord(symbol[0]) < OTHER:
                self._characters[ord(symbol[0])] = number
        self._hashes = np.array(sorted(words), dtype=np.uint64)
        self._words = np.array([words[value] for value in sorted(words)], dtype=np.int64)

    def number(self, codes: NDArray[np.uint32], letters: NDArray[np.bool_]) -> Ints:
        """The number of the symbol that ends at each place, 0 where none of the question's does.

        `letters` says which code points belong to words: shape (characters,), like `codes`.
        """
        numbers = self._characters[codes]
        if not len(self._hashes):
            return numbers
        places = np.flatnonzero(letters)
        if not len(places):
            return numbers
        first = np.flatnonzero(np.diff(places, prepend=-2) > 1)
        offset = np.arange(len(places)) - np.repeat(first, np.diff(first, append=len(places)))
        terms = codes[places].astype(np.uint64) * _POWERS[np.minimum(offset, _LONGEST_WORD - 1)]
        found = np.add.reduceat(terms, first)
        slots = np.minimum(np.searchsorted(self._hashes, found), len(self._hashes) - 1)
        last = places[np.append(first[1:], len(places)) - 1]
        numbers[last] = np.where(self._hashes[slots] == found, self._words[slots], 0)
        return numbers


@dataclass(frozen=True, slots=True)
class SymbolChain:
    """Texts as one chain of symbols, those of the question by their numbers, all others 0.

    `codes` are the code points that end each symbol, `text_of` and `sentence_of` say to which text and
    sentence (counted over all texts) a symbol belongs; all of shape (symbols,). Every text ends with a
    separator. `lengths` counts each text's symbols, `first_sentence` is the number of its first sentence:
    shape (texts,).
    """

    numbers: Ints
    codes: NDArray[np.uint32]
    text_of: Ints
    sentence_of: Ints
    lengths: Ints
    first_sentence: Ints
    sentences: int


def chain(alphabet: Alphabet, texts: Sequence[str]) -> SymbolChain:
    """See normalised texts as symbols."""
    joined = "\n".join(texts) + "\n"
    codes = np.minimum(np.frombuffer(joined.encode("utf-32-le", "replace"), dtype=np.uint32), OTHER)
    sizes = np.fromiter((len(text) + 1 for text in texts), dtype=np.int64, count=len(texts))
    text_of = np.repeat(np.arange(len(texts)), sizes)
    ends = _ENDS[codes]
    following = np.append(codes[1:], _SPACE)
    ends |= (codes == _FULL_STOP) & (following <= _SPACE)
    letters = _LETTERS[codes]
    numbers = alphabet.number(codes, letters)
    sentence_of: Ints = np.cumsum(ends) - ends
    inside_word = letters & np.append(letters[1:], False)
    kept = np.flatnonzero(~(inside_word | (codes == _SPACE)))
    kept_texts = text_of[kept]
    starts = np.cumsum(sizes) - sizes
    return SymbolChain(
        numbers=numbers[kept],
        codes=codes[kept],
        text_of=kept_texts,
        sentence_of=sentence_of[kept],
        lengths=np.bincount(kept_texts, minlength=len(texts)) - 1,
        first_sentence=sentence_of[starts],
        sentences=int(ends.sum()),
    )


def _hash(word: str) -> int:
    total = sum(
        ord(character) * int(_POWERS[min(place, _LONGEST_WORD - 1)]) for place, character in enumerate(word)
    )
    return total & _MASK
