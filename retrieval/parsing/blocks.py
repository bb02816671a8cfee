"""Blocks: an article's text between parser and article. One block is one line of `Article.text`."""

import re
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a block is in its document."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    ITEM = "item"
    ROW = "row"
    CODE = "code"


@dataclass(slots=True)
class Block:
    """One line of text: `level` is a heading's (1 to 6), `links` the share of its characters inside links,
    `bold` whether all of it is bold, `hint` whether the markup around it says it is not article text."""

    text: str
    kind: Kind = Kind.PARAGRAPH
    level: int = 0
    links: float = 0.0
    bold: bool = False
    hint: bool = False


LINE_BREAK = "\u2028"
"""Stands for a forced line break inside a block until it is split; none in the input becomes it."""

_CJK = (
    "\u2e80-\u303f\u3041-\u30ff\u3105-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef"
)
CJK = re.compile(f"[{_CJK}]")
# Control characters, soft hyphen, zero-width space, byte order mark, bidirectional overrides, noncharacters.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff0-\ufffb"
    "\ufffe\uffff\ud800-\udfff]"
)
_LINE_CONTROLS = re.compile("[\n\x0b\x0c\r\x1c-\x1f\x85\xa0\u2028\u2029]")
_SPACE = re.compile(r"\s+")
_ESCAPED_SPACE = re.compile(r"&(?:nbsp|ensp|emsp);")


def tidy(text: str) -> str:
    """One line: white space collapsed, invisible and control characters gone, none around the ends.

    A line break in the source between two Chinese or Japanese characters is no space at all.
    """
    text = text.strip()
    # isprintable knows no white space but the ASCII space, no control and no invisible characters.
    if text.isprintable() and "  " not in text and "&" not in text:
        return text
    text = _ESCAPED_SPACE.sub(" ", _INVISIBLE.sub("", text))
    return _SPACE.sub(_one_space, text).strip()


def tidy_code(line: str) -> str:
    """A line of code: its indentation stays (tabs as four columns), its invisible characters go."""
    return _INVISIBLE.sub("", _LINE_CONTROLS.sub(" ", line.expandtabs(4))).rstrip()


def _one_space(match: re.Match[str]) -> str:
    run = match[0]
    if "\n" not in run and "\r" not in run:
        return " "
    text, start, end = match.string, match.start(), match.end()
    if start == 0 or end == len(text) or (CJK.match(text[start - 1]) and CJK.match(text[end])):
        return ""
    return " "
