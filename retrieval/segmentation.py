"""Paragraphs → passages of a size that answers a question; text → sentences.

Sentence ends follow Unicode's UAX #29 in spirit, with what it leaves open for Chinese: a closing quotation
mark belongs to the sentence it ends, short quoted speech is never cut, `；` ends a clause long enough to
stand alone, and `.` only ends an English sentence where no abbreviation, number or initial is before it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retrieval.types import Article, Passage, Span

_MAX_QUOTE = 120
"""Characters that a quotation or parenthesis may have and still be kept in one sentence."""

_MAX_UNITS = 60
"""Paragraphs that one passage may join: bounds the cost of texts with a character a line."""

_MIN_CLAUSE = 10
_MAX_LABEL = 24
_MAX_HEADING = 120
_QUOTES = {"“": "”", "「": "」", "『": "』", "（": "）", "(": ")", "《": "》", "【": "】", "‘": "’"}
_CLOSERS = "”’」』）)】》〉\"'"
# Told by its first character, since such a pattern is looked for four times as fast: marks that may be
# repeated, dots of an ellipsis, semicolons, and a full stop that is no decimal point.
_END = re.compile(
    rf"[。！？!?｡…；;.](?:(?<=[。！？!?｡])[。！？!?｡]*|(?<=…)…*|(?<=[；;])|(?<=\.)(?!\d))[{_CLOSERS}]*"
)
_OPENING = re.compile("[“「『（(《【‘]")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(（\"“])(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|Sr|Jr|St|Mt|vs|etc|e\.g|i\.e|cf|al|Inc|Ltd|Co|Corp|No|Nos|Vol|Fig|Eq|"
    r"Sec|pp?|approx|est|Gen|Col|Lt|Sgt|Capt|Rev|Hon|Pres|Gov|Sen|Rep|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|"
    r"(?:[A-Z]\.)+[A-Z]|[ap]\.m|Ph\.D|U\.S)$"
)
_LIST_NUMBER = re.compile(r"\s*\d{1,3}")
_SPEAKER = re.compile(
    r"[^。！？!?；;…，,：:]{0,8}(?:说|說|道|称|稱|表示|介绍|指出|问|答|认为|透露|回忆|强调|告诉记者)[。！？!?]"
)
_BULLET = re.compile(
    r"[■●◆▲◎○★☆※▶►•·\-–—*]\s*\S|[（(]?(?:\d{1,2}|[一二三四五六七八九十]{1,3})[)）.、．]\s*\S"
)
_SENTENCE_END = re.compile(rf"[。！？!?….；;][{_CLOSERS}]*$")


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is never cut: a paragraph, or a sentence of a long one. A `weak` unit announces the next."""

    paragraph: int
    start: int
    end: int
    weak: bool
    item: bool

    @property
    def length(self) -> int:
        return self.end - self.start


def segment(article: Article, *, target: int = 250, limit: int = 400) -> list[Passage]:
    """Cut an article into passages of about `target` characters and never more than `limit`.

    Short paragraphs are joined, long ones split at sentence ends, none across a heading. A label or question
    ("新闻链接", "四个协同是什么？") stays with what follows it, and the items of a list stay together, if the
    limit allows. The breaks are the ones of least total cost, found by dynamic programming. An article
    without text has no passages.
    """
    if not 0 < target <= limit:
        raise ValueError(f"target must be between 1 and limit, not {target} with a limit of {limit}")
    lines = article.text.split("\n") if article.text else []
    passages: list[Passage] = []
    for heading, numbers in _sections(lines, article.headings):
        units = _units(lines, numbers, limit)
        for first, last in _breaks(units, target, limit):
            chosen = units[first:last]
            passages.append(
                Passage(
                    article_id=article.id,
                    ordinal=len(passages),
                    text=_text(lines, chosen),
                    heading=heading,
                    first_paragraph=chosen[0].paragraph,
                    last_paragraph=chosen[-1].paragraph,
                )
            )
    return passages


def split_sentences(text: str) -> list[Span]:
    """The sentences of `text` in order, as spans without white space around them; a line end ends one."""
    spans: list[Span] = []
    start = 0
    for line in text.split("\n"):
        spans += _split_line(text, start, start + len(line))
        start += len(line) + 1
    return spans


def _sections(lines: Sequence[str], levels: Mapping[int, int]) -> list[tuple[str, list[int]]]:
    """(path of headings, paragraph numbers) of each stretch between headings; headings that nothing follows
    are text of their own, so that no word is lost."""
    if not levels:
        return [("", [i for i, line in enumerate(lines) if line.strip()])]
    sections: list[tuple[str, list[int]]] = []
    path: list[tuple[int, int]] = []  # (level, paragraph)
    unused: list[int] = []
    current: list[int] = []
    for number, line in enumerate(lines):
        if number not in levels:
            if line.strip():
                current.append(number)
                unused = []
            continue
        if current:
            sections.append((_path(lines, path), current))
            current = []
        kept = [entry for entry in path if entry[0] < levels[number]]
        dropped = [entry[1] for entry in path[len(kept) :] if entry[1] in unused]
        if dropped:
            sections.append((_path(lines, kept), dropped))
            unused = [n for n in unused if n not in dropped]
        path = [*kept, (levels[number], number)]
        unused.append(number)
    if current:
        sections.append((_path(lines, path), current))
    elif unused:
        sections.append((_path(lines, [e for e in path if e[1] not in unused]), unused))
    return sections


def _path(lines: Sequence[str], path: Sequence[tuple[int, int]]) -> str:
    return " › ".join(lines[number] for _, number in path)[:_MAX_HEADING]


def _units(lines: Sequence[str], numbers: Sequence[int], limit: int) -> list[_Unit]:
    units: list[_Unit] = []
    for number in numbers:
        line = lines[number]
        if len(line) <= limit:
            units.append(_Unit(number, 0, len(line), _is_label(line), _BULLET.match(line) is not None))
            continue
        for start, end in _pieces(line, limit):
            units.append(_Unit(number, start, end, False, False))
    return units


def _pieces(line: str, limit: int) -> list[Span]:
    """Sentences of a long paragraph; one longer than the limit is cut at its commas, or at last anywhere."""
    pieces: list[Span] = []
    for start, end in split_sentences(line):
        while end - start > limit:
            window = line[start : start + limit]
            cut = max(window.rfind(mark) for mark in "，,、；;：: ") + 1
            cut = cut if cut > limit // 3 else limit
            pieces.append(_trim(line, start, start + cut))
            start += cut
        if (piece := _trim(line, start, end))[1] > piece[0]:
            pieces.append(piece)
    return pieces


def _trim(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _is_label(line: str) -> bool:
    """Whether a paragraph announces the next: a short line that ends no sentence, or a short question."""
    if len(line) > _MAX_LABEL * 2 or (len(line) > _MAX_LABEL and line[-1] not in "：:？?"):
        return False
    return line[-1] in "：:？?" or _SENTENCE_END.search(line) is None


def _breaks(units: Sequence[_Unit], target: int, limit: int) -> list[Span]:
    """Cut `units` into runs (first, last) of least cost: squared distance from the target length, plus what
    a cut at that place spoils."""
    count = len(units)
    best = [0.0] * (count + 1)
    cut_from = [0] * (count + 1)
    for last in range(1, count + 1):
        best[last] = float("inf")
        length = -1
        spoiled = _spoils(units, last) if last < count else 0.0
        for first in range(last - 1, max(last - 1 - _MAX_UNITS, -1), -1):
            length += units[first].length + 1
            if length > limit and first < last - 1:
                break
            miss = (length - target) / target
            # One passage more has a cost of its own: a text just above the target is best left whole.
            cost = best[first] + miss * miss * (1.0 if length > target else 0.8) + 0.05 + spoiled
            if cost < best[last]:
                best[last], cut_from[last] = cost, first
    runs: list[Span] = []
    while count:
        runs.append((cut_from[count], count))
        count = cut_from[count]
    return runs[::-1]


def _spoils(units: Sequence[_Unit], place: int) -> float:
    """What a cut before unit `place` costs."""
    before, after = units[place - 1], units[place]
    if before.weak:
        return 2.0
    if before.paragraph == after.paragraph:
        return 0.15
    return 0.5 if after.item else 0.0


def _text(lines: Sequence[str], units: Sequence[_Unit]) -> str:
    parts: list[str] = []
    position = 0
    while position < len(units):
        first = units[position]
        while position + 1 < len(units) and units[position + 1].paragraph == first.paragraph:
            position += 1
        parts.append(lines[first.paragraph][first.start : units[position].end])
        position += 1
    return "\n".join(parts)


def _split_line(text: str, start: int, end: int) -> list[Span]:
    shielded = _shielded(text, start, end)
    spans: list[Span] = []
    begin, shield = start, 0
    for match in _END.finditer(text, start, end):
        while shield < len(shielded) and shielded[shield][1] <= match.start():
            shield += 1
        inside = (
            shield < len(shielded)
            and shielded[shield][0] <= match.start()
            and match.end() < shielded[shield][1]
        )
        if match.start() < begin or inside:
            continue
        if not _ends_sentence(text, begin, match, end):
            continue
        stop = match.end()
        # “……。”他说。: who speaks belongs to what is said.
        if match[0][-1] in "”」』" and (speaker := _SPEAKER.match(text, stop, end)):
            stop = speaker.end()
        spans.append(_trim(text, begin, stop))
        begin = stop
    spans.append(_trim(text, begin, end))
    return [span for span in spans if span[1] > span[0]]


def _shielded(text: str, start: int, end: int) -> list[Span]:
    """Short quotations and parentheses: (after the opening mark, after the closing mark)."""
    found: list[Span] = []
    position = start
    while match := _OPENING.search(text, position, end):
        opening, closing = match[0], _QUOTES[match[0]]
        close = _closing(text, opening, closing, match.end(), min(end, match.end() + _MAX_QUOTE))
        if close:
            found.append((match.end(), close))
        position = close or match.end()
    return found


def _closing(text: str, opening: str, closing: str, start: int, bound: int) -> int:
    """The place after the mark that closes a quotation whose inside starts at `start`; 0 where none does."""
    depth, place = 1, start
    while depth:
        close = text.find(closing, place, bound)
        if close < 0:
            return 0
        depth += text.count(opening, place, close) - 1
        place = close + 1
    return place


def _ends_sentence(text: str, begin: int, match: re.Match[str], end: int) -> bool:
    mark, stop = match[0], match.end()
    following = text[stop] if stop < end else ""
    if not following:
        return True
    if following in "，,、；;：:。！？!?…)）】":
        return False
    if mark[0] == ".":
        return _dot_ends(text, begin, match, following)
    if mark[0] in "；;…":
        rest = end - stop
        long_enough = match.start() - begin >= _MIN_CLAUSE and rest >= _MIN_CLAUSE
        return long_enough and (mark[0] != ";" or not following.isspace())
    if mark[0] in "!?":
        return following.isspace() or not following.isascii() or mark[-1] in _CLOSERS
    return True


def _dot_ends(text: str, begin: int, match: re.Match[str], following: str) -> bool:
    before = text[max(begin, match.start() - 12) : match.start()]
    if not before or _ABBREVIATION.search(before) or _LIST_NUMBER.fullmatch(text, begin, match.start()):
        return False
    if not following.isspace():
        return not following.isascii() and following not in "”’" and before[-1:].isalpha()
    after = text[match.end() : match.end() + 3].lstrip()
    return not after[:1].islower()
