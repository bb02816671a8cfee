"""Characters → symbols: one table look-up folds case, width and traditional Chinese, and sorts out what
is text.

Three kinds of symbol, as 16-bit numbers: 0 for all that separates (spaces, punctuation, emoji), then word
characters (a to z, digits, Greek, Cyrillic: written with spaces, read as whole words), then characters that
are read one by one and in pairs (Chinese, Japanese, Korean, and other scripts). Folding goes a character at
a time (NFKC, lower case, accents off, OpenCC's traditional → simplified), which is what makes it a table.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

CODE_POINTS = 0x110000
SEPARATOR = 0
WORD_CHARACTERS = (
    "abcdefghijklmnopqrstuvwxyz0123456789" + "αβγδεζηθικλμνξοπρστυφχψω" + "абвгдежзийклмнопрстуфхцчшщъыьэюя"
)

_BASIC_PLANE = 0x10000
_FIRST_IDEOGRAPH = 0x2E80
_STAND_INS = 1024
"""Letters that no row was made for share the rows of this many of the rarest characters."""

_VARIANTS = {"〇": "零", "牠": "它", "妳": "你", "砲": "炮", "鎗": "枪"}
"""Foldings that Chinese readers make and OpenCC's t2s does not."""

Symbols = NDArray[np.uint16]


@dataclass(frozen=True)
class Alphabet:
    """The characters a model has rows for, and what every other character is folded to.

    `characters` are those read one by one, in the order of their rows; `folded_from` and `folded_to`
    are code points.
    """

    characters: str
    folded_from: NDArray[np.uint32]
    folded_to: NDArray[np.uint32]

    @property
    def first_character(self) -> int:
        """The symbol of characters[0]; smaller symbols (but for 0) are word characters."""
        return 1 + len(WORD_CHARACTERS)

    @cached_property
    def table(self) -> Symbols:
        """Symbol of every code point: shape (0x110000,)."""
        table = np.zeros(CODE_POINTS, dtype=np.uint16)
        known = code_points(WORD_CHARACTERS + self.characters)
        table[known] = np.arange(1, len(known) + 1, dtype=np.uint16)
        table[self.folded_from] = table[self.folded_to]
        return table

    def symbols(self, texts: Sequence[str]) -> tuple[Symbols, NDArray[np.int64]]:
        """The texts' symbols in one array, a separator after each; and where each text starts, (n + 1,)."""
        starts = np.zeros(len(texts) + 1, dtype=np.int64)
        np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1, out=starts[1:])
        return self.table[code_points("\n".join(texts) + "\n")], starts


def code_points(text: str) -> NDArray[np.uint32]:
    """The text's code points, lone surrogates too: shape (len(text),)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def left_classes(characters: str, classes: int) -> NDArray[np.int64]:
    """Class of each character as the first of a pair: shape (len(characters),), 0 to classes - 1."""
    return _classes(characters, classes, 0x9E3779B97F4A7C15)


def right_classes(characters: str, classes: int) -> NDArray[np.int64]:
    """Class of each character as the second of a pair: shape (len(characters),), 0 to classes - 1."""
    return _classes(characters, classes, 0xC2B2AE3D27D4EB4F)


def _classes(characters: str, classes: int, multiplier: int) -> NDArray[np.int64]:
    mixed = code_points(characters).astype(np.uint64) * np.uint64(multiplier)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return ((mixed >> np.uint64(40)) % np.uint64(classes)).astype(np.int64)


def build_alphabet(characters: Sequence[str]) -> Alphabet:
    """The alphabet with these characters (folded, most frequent first), and all of Unicode folded onto it."""
    to_simplified = to_simplified_converter()
    known = set(WORD_CHARACTERS) | set(characters)
    stand_ins = characters[-_STAND_INS:]
    pairs = []
    for point in range(0x80, CODE_POINTS):
        character = chr(point)
        if character in known or unicodedata.category(character)[0] not in "LNS":
            continue
        folded = fold_character(character, to_simplified)
        if folded in known:
            pairs.append((point, ord(folded)))
        elif stand_ins and point < _BASIC_PLANE and character.isalpha():
            pairs.append((point, ord(stand_ins[point % len(stand_ins)])))
    pairs += [(ord(capital), ord(capital) + 32) for capital in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    array = np.array(pairs, dtype=np.uint32)
    return Alphabet("".join(characters), array[:, 0].copy(), array[:, 1].copy())


def fold_character(character: str, to_simplified: Callable[[str], str]) -> str:
    """One character as the model reads it; "" where folding gives none or more than one."""
    folded = unicodedata.normalize("NFKC", character).lower()
    if len(folded) != 1:
        return ""
    base = unicodedata.normalize("NFKD", folded)
    if len(base) > 1 and base[0] in WORD_CHARACTERS:
        folded = base[0]
    if ord(folded) >= _FIRST_IDEOGRAPH:
        folded = to_simplified(_VARIANTS.get(folded, folded))
    return folded if len(folded) == 1 else ""


def to_simplified_converter() -> Callable[[str], str]:
    """OpenCC's conversion of traditional to simplified Chinese."""
    import opencc

    convert: Callable[[str], str] = opencc.OpenCC("t2s").convert
    return convert
