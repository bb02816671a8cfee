"""What Telegram does to every text it is given, before it measures or stores it."""

import re

_CONTROLS = re.compile("[\x00-\x09\x0b\x0c\x0e-\x20]")
_DROPPED = re.compile("[\r\u2028-\u202e\u0333\u033f\u030a]")
_MARKS = re.compile("[\u200e\u200f]+(?=[\u200e\u200f])")
_BLANK = re.compile(
    "[\\s\u00a0\u1680\u180e\u2000-\u200f\u202e\u202f\u205f\u2800\u3000\ufeff\ufffc\U000e0000-\U000e007f]*"
)


def cleaned(text: str) -> str:
    """Control characters become spaces, line and direction overrides go, rows of marks lose force."""
    text = _DROPPED.sub("", _CONTROLS.sub(" ", text))
    return _MARKS.sub(lambda marks: "\u200c" * len(marks[0]), text)


def is_blank(text: str) -> bool:
    """Whether nothing of the text would be seen."""
    return _BLANK.fullmatch(text) is not None


def units(text: str) -> int:
    """UTF-16 code units, the measure of Telegram's limits and offsets."""
    return len(text.encode("utf-16-le")) // 2
