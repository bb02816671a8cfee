"""Text with meaning marked on it, before any surface turns it into markup: runs, each with its styles.

Because styles belong to whole runs, a text can be cut anywhere and stay well-formed on every surface.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise

from retrieval.types import Span


class Style(Enum):
    """What a run of text is; how that looks is each surface's own business."""

    TITLE = "title"
    META = "meta"
    QUOTE = "quote"
    HEADING = "heading"
    ANSWER = "answer"
    EXACT = "exact"
    HIGHLIGHT = "highlight"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text whose characters all carry the same styles and link (an address or a file's path)."""

    text: str
    styles: frozenset[Style] = frozenset()
    link: str | None = None


StyledText = tuple[Run, ...]

ELLIPSIS = "…"
# Characters that would hide or reorder what follows them, or that no transport carries: control
# characters, bidirectional overrides and isolates, lone surrogates, noncharacters, the byte-order mark.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)


def clean(text: str) -> str:
    """The text without characters that hide, reorder or break what is shown."""
    return _UNSAFE.sub("", text.replace("\r\n", "\n").replace("\t", " "))


def one_line(text: str, limit: int) -> str:
    """The text cleaned, on one line, of at most `limit` characters."""
    return clip_text(" ".join(clean(text).split()), limit)


def clip_text(text: str, limit: int) -> str:
    """The text if it has at most `limit` characters, else its beginning with an ellipsis."""
    return text if len(text) <= limit else text[: whole_characters(text, limit - 1)].rstrip() + ELLIPSIS


def whole_characters(text: str, end: int) -> int:
    """The greatest cut at or before `end` that parts no accent, variation selector or joined emoji."""
    while 0 < end < len(text) and (_extends(text[end]) or text[end - 1] == "\u200d"):
        end -= 1
    return end


def _extends(character: str) -> bool:
    return (
        unicodedata.combining(character) != 0
        or character in "\u200d\ufe0e\ufe0f\u20e3"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def utf16_length(text: StyledText | str) -> int:
    """Length in UTF-16 code units, the measure of Telegram's limits."""
    characters = text if isinstance(text, str) else plain(text)
    return len(characters.encode("utf-16-le", "surrogatepass")) // 2


def plain(text: StyledText) -> str:
    """The characters alone."""
    return "".join(run.text for run in text)


def run(text: str, *styles: Style, link: str | None = None) -> Run:
    """A run of cleaned text."""
    return Run(clean(text), frozenset(styles), link)


def mark(text: str, spans: Mapping[Style, Sequence[Span]], *base: Style) -> StyledText:
    """Runs of `text`, each carrying the `base` styles and those whose spans cover it; overlaps are fine.

    Spans count in characters of `text` as given; each run is cleaned after the spans were applied.
    """
    cuts = {0, len(text)}
    bounded: list[tuple[Style, int, int]] = []
    for style, pairs in spans.items():
        for start, end in pairs:
            start, end = max(0, start), min(len(text), end)
            if start < end:
                bounded.append((style, start, end))
                cuts |= {start, end}
    edges = sorted(cuts)
    runs = []
    for start, end in pairwise(edges):
        styles = {style for style, first, last in bounded if first <= start and end <= last}
        runs.append(Run(clean(text[start:end]), frozenset({*base, *styles})))
    return joined(runs)


def joined(runs: Iterable[Run]) -> StyledText:
    """The runs in order, empty ones dropped and neighbours of the same kind made one."""
    result: list[Run] = []
    for each in runs:
        if not each.text:
            continue
        if result and (result[-1].styles, result[-1].link) == (each.styles, each.link):
            result[-1] = replace(result[-1], text=result[-1].text + each.text)
        else:
            result.append(each)
    return tuple(result)


def cut(text: StyledText, limit: int) -> StyledText:
    """The text if it has at most `limit` UTF-16 units, else its beginning with an ellipsis."""
    if utf16_length(text) <= limit:
        return text
    result: list[Run] = []
    left = limit - 1
    for each in text:
        length = utf16_length(each.text)
        if length <= left:
            result.append(each)
            left -= length
            continue
        end = _fitting(each.text, left)
        result += [replace(each, text=each.text[:end].rstrip()), Run(ELLIPSIS, each.styles & {Style.QUOTE})]
        break
    return joined(result)


def _fitting(text: str, units: int) -> int:
    """The greatest whole-character cut whose beginning takes at most `units` UTF-16 units."""
    end = min(len(text), units)
    while utf16_length(text[:end]) > units:
        end -= 1
    return whole_characters(text, end)
