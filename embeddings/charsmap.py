"""The character map of SentencePiece normalisers: text → text, a character at a time, as one binary table.

It is the one normaliser of the tokenizers library that can turn any character into any string. Layout: the
trie's length in bytes (u32), the trie (u32 units), then the strings, each ended by a zero byte. The trie is
a double array as of Darts-clone (https://github.com/s-yata/darts-clone): from a node with base b, byte c
leads to unit b ^ c, whose low byte is c; where a key ends, unit b ^ 0 holds the string's place.
"""

import struct
from collections.abc import Mapping

import numpy as np

_HAS_VALUE = 1 << 8
_IS_VALUE = 1 << 31
_BLOCK = 64
"""Continuation bytes of UTF-8 are 64 in number: children of an inner node fill one aligned block."""

_ROOT_BASE = 256


def build_charsmap(strings: Mapping[str, str]) -> bytes:
    """The map that turns each key, a single character, into its string and leaves all others as they are."""
    text, places = _join(sorted(set(strings.values())))
    keys = sorted((key.encode(), places[value]) for key, value in strings.items())
    units = _Units()
    inner = {b"": _ROOT_BASE}
    for key, _ in keys:
        for end in range(1, len(key)):
            if key[:end] not in inner:
                inner[key[:end]] = units.new_block()
    units.start_values()
    for prefix, base in inner.items():
        if prefix:
            units.enter(inner[prefix[:-1]] ^ prefix[-1], prefix[-1], base, has_value=False)
    units.enter(0, 0, _ROOT_BASE, has_value=False)
    for key, place in keys:
        value = units.new_value(place)
        units.enter(inner[key[:-1]] ^ key[-1], key[-1], value, has_value=True)
    trie = units.to_bytes()
    return struct.pack("<I", len(trie)) + trie + text


def _join(strings: list[str]) -> tuple[bytes, dict[str, int]]:
    data = bytearray()
    places = {}
    for string in strings:
        places[string] = len(data)
        data += string.encode() + b"\0"
    return bytes(data), places


class _Units:
    """The trie's units while it is built: first the blocks of inner nodes, then the values, one unit each."""

    def __init__(self) -> None:
        self._units: dict[int, int] = {}
        self._next = _ROOT_BASE * 2

    def new_block(self) -> int:
        """The base of a node whose children are continuation bytes (0x80 to 0xBF), as yet unused."""
        base = self._next
        self._next += _BLOCK
        return base

    def start_values(self) -> None:
        """No more blocks: values follow behind the last child."""
        self._next = (self._next | 0xFF) + 1

    def new_value(self, place: int) -> int:
        """The base of a node that ends a key whose string is at `place`; no base of an inner node."""
        base = self._next
        self._next += 1
        self._units[base] = _IS_VALUE | place
        return base

    def enter(self, position: int, label: int, base: int, *, has_value: bool) -> None:
        """Write the unit at `position`, reached by `label`, of a node with this base."""
        self._units[position] = label | (_HAS_VALUE if has_value else 0) | (position ^ base) << 10

    def to_bytes(self) -> bytes:
        """All units, unused ones zero, little-endian."""
        size = (max(self._units) | 0xFF) + 1
        array = np.zeros(size, dtype="<u4")
        array[list(self._units)] = list(self._units.values())
        return array.tobytes()
