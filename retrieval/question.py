"""What a question asks for: the kind of its answer, and the phrases in it that are filters.

"上周", "2021年7月的新闻" or "新浪的" say where to look and not what for; they become Filters and leave the
content that is searched. A date that is part of what is asked ("1786年2月2日举行了什么会议") stays content: a
calendar date is only read as a filter where the question asks for reports of that time and the archive
reaches that far.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache

from retrieval.lexical.normalisation import Normalised, fold
from retrieval.lexical.occurrence import ShortTextWords
from retrieval.periods import REPORTS, Period, find_periods
from retrieval.types import Filters, Span, Understood

MAX_CHARACTERS = 1_000
"""What is longer is not read for filters and kinds beyond this point."""


class AnswerKind(StrEnum):
    """What would answer: the name of a person or place, a time, a number, a reason …"""

    PERSON = "person"
    PLACE = "place"
    TIME = "time"
    NUMBER = "number"
    REASON = "reason"
    MANNER = "manner"
    DEFINITION = "definition"
    YES_NO = "yes_no"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Known:
    """What the archive holds, as far as it helps to read a question: publications, and first and last day."""

    sources: Sequence[str] = ()
    earliest: date | None = None
    latest: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question as it was understood.

    `text` is the question as asked, `content` what is to be searched: the text without filter phrases and
    politeness. `kind` is the kind of its answer, `unit` the measure word that a number is asked in ("家",
    "公里"; "" where none is named). `understood` are the filter phrases with their places in `text`,
    `filters` all of them together.
    """

    text: str
    content: str
    kind: AnswerKind = AnswerKind.OTHER
    unit: str = ""
    understood: tuple[Understood, ...] = ()
    filters: Filters | None = None


_UNIT = (
    r"([万亿]?(?:公里|千米|平方公里|平方千米|平方米|立方米|公顷|公斤|千克|英里|英尺|海里|光年|美元|欧元|人次|小时|"
    r"分钟|毫米|厘米|世纪|年代|百分点|人|家|个|位|名|次|年|月|天|日|岁|米|吨|元|亩|户|条|座|所|项|种|部|篇|张|辆|架|艘|台|"
    r"枚|场|届|集|层|楼|度|颗|棵|头|只|套|件|份|本|册|首|支|间|块|片|级|倍|步|点|笔|队|组|字|秒|克|斤|里|万|亿)?)"
)
# In this order: the first that occurs decides.
_KINDS: tuple[tuple[AnswerKind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (
            AnswerKind.REASON,
            r"为什么|为何|为啥|什么原因|何原因|原因(?:是|为|有)|何故|缘故|因为什么|因何|由于什么|\bwhy\b",
        ),
        (
            AnswerKind.TIME,
            r"什么时[候间刻]|何时|何年|何日|哪一?[年天日月]|哪个?(?:年份|年代|世纪|时期|月份?|季节|朝代|时代|年度)|哪几年"
            r"|几月|几号|几点|几时|什么(?:年代|朝代|时代|日期|日子|年份)|(?:时间|日期|年份)(?:是|为)"
            r"|多少年(?=[的出建成去毕])"
            r"|\bwhen\b|\bwhat (?:year|day|date|time)\b|\bwhich (?:year|day|month)\b",
        ),
        (
            AnswerKind.NUMBER,
            rf"(?:多少|百分之几|几多){_UNIT}|几(?!乎|何|率|内亚|十年来){_UNIT}|多[大高长远重久深宽快厚](?!学)|第几"
            r"|(?:比例|数量|人口|面积|人数|高度|长度|价格|年龄|总数|海拔|温度)(?:大?约|大概)?(?:是|为|达|有)"
            r"|\bhow (?:many|much|long|far|tall|high|old|big|large|often|deep|wide|heavy|fast)\b",
        ),
        (
            AnswerKind.PERSON,
            r"谁|何人|哪一?[位名]|什么人|哪个人|哪些人|哪一个人|(?:作者|导演|主演|创始人|校长|总统|主席|队长|皇帝|父亲|母亲|妻子|丈夫"
            r"|儿子|女儿|老师|教练)(?:是|叫|为)|\bwho(?:m|se)?\b",
        ),
        (
            AnswerKind.PLACE,
            r"哪里|哪儿|何处|何地|哪[一个座些]{1,2}[\u4e00-\u9fff]{0,4}?(?:国家|城市|地区)|什么(?:地[方点区]|国家|城市|[省市县州])|哪一?个?(?:国家|城市|地区|地方|省份?|[市县州洲岛镇村国区港]|大陆|海域|位置|行政区|首都)"
            r"|(?:位于|坐落|发源)[于在]?(?:哪|什么|何)|(?:首都|首府|地点|位置|地址|总部)(?:是|在|为)|在哪|\bwhere\b",
        ),
        (
            AnswerKind.DEFINITION,
            r"什么是|是什么意思|何谓|指的?是?什么|什么意思|的?(?:定义|含义|意思)(?:是|为)"
            r"|\bwhat (?:is|are) an?\b",
        ),
        (AnswerKind.MANNER, r"如何|怎么|怎样|咋|什么方[法式]|\bhow\b"),
        (
            AnswerKind.YES_NO,
            r"吗[?。!\s]*$|是否|是不是|有没有|能不能|能否|可否|会不会|可不可以|^(?:is|are|was|were|do|does|did|can)\b",
        ),
        (AnswerKind.DEFINITION, r"^[^,，的]{1,20}是(?:什么|啥)[?\s]*$"),
    )
)
_POLITE = re.compile(
    r"^(?:[\s,，]*(?:请问一下|请问|请教一下|请教|你好|您好|麻烦(?:您|你)?|我想(?:请问|问)?(?:一下)?|想问一下|想知道|(?:请|能否)?(?:您|你)?"
    r"(?:告诉|帮)我(?:查一下|一下)?|please tell me|could you tell me|can you tell me)[\s,，:：]*)+"
)
_CHANNEL = (
    r"(?:财经|新闻|体育|科技|娱乐|教育|军事|汽车|房产|健康|网|微博|客户端|新闻网|电视台|日报|晚报|社|中文网)"
)
_PORTALS = (
    "新浪",
    "网易",
    "腾讯",
    "搜狐",
    "凤凰",
    "人民",
    "新华",
    "央视",
    "澎湃",
    "中新",
    "环球",
    "雅虎",
    "百度",
)
_REPORTED = rf"(?:的|上的?|网?(?:上|里)?的?)?(?:{REPORTS})"
_REST = re.compile(
    rf"(?:的|了|都|又|还|有|什么|哪些|啥|怎么样|吗|呢|发生|出现|重要|重大|主要|大|最新|一些|是|{REPORTS}|事情?|what|happened|happening|was|is|there|any|the|in|[\s?？。，,!！])*"
)
_QUOTED = re.compile(r"《[^》]{0,80}》|“[^”]{0,80}”|「[^」]{0,80}」|\"[^\"]{0,80}\"")


def understand(text: str, *, now: datetime, known: Known | None = None) -> Question:
    """Read a question asked at the local time `now`."""
    normalised = fold(text[:MAX_CHARACTERS])
    known = known or Known()
    quoted = [match.span() for match in _QUOTED.finditer(normalised.text)]
    found = [*_period_phrases(normalised, now.date(), known), *_source_phrases(normalised, known)]
    found = [item for item in found if not any(a <= item.span[0] and item.span[1] <= b for a, b in quoted)]
    understood = _without_overlaps(text, normalised, found)
    kind, unit = answer_kind(normalised.text)
    return Question(
        text=text,
        content=_content(text, normalised, understood),
        kind=kind,
        unit=unit,
        understood=understood,
        filters=_together(understood),
    )


def answer_kind(text: str) -> tuple[AnswerKind, str]:
    """The kind of answer that a normalised question asks for, and the unit of a number."""
    for kind, pattern in _KINDS:
        match = pattern.search(text)
        if match is not None:
            unit = next(filter(None, match.groups()), "") if kind is AnswerKind.NUMBER else ""
            return kind, unit
    return AnswerKind.OTHER, ""


@dataclass(frozen=True, slots=True)
class _Phrase:
    span: Span
    filters: Filters


def _period_phrases(question: Normalised, today: date, known: Known) -> Iterator[_Phrase]:
    for period in find_periods(question.text, today, latest=known.latest):
        if _plausible(period, today, known):
            yield _Phrase(period.span, Filters(after=period.first, before=period.last))


def _plausible(period: Period, today: date, known: Known) -> bool:
    """Whether the archive can have reports of that time."""
    if period.first > today:
        return False
    if known.earliest is not None and period.last < known.earliest:
        return False
    if known.latest is not None and period.first > known.latest:
        return False
    return known.earliest is not None or period.first.year >= today.year - 30


def _source_phrases(question: Normalised, known: Known) -> Iterator[_Phrase]:
    """ "新浪的", "来自新浪财经", "据新浪报道" where the archive has such publications."""
    text = question.text
    names, stems = _publication_names(tuple(known.sources))
    for stem in sorted(stems.within(text), key=lambda stem: (-len(stem), stem)):
        on = "|上|的(?=.)" if stem in names or stem in _PORTALS else ""
        meant = tuple(original for name, original in names.items() if _belongs(name, stem))
        pattern = (
            rf"(?:来自|据|由|出自|from )\s*(?P<from>{re.escape(stem)})(?:{_REPORTED}|的|{REPORTS})?"
            rf"|(?P<of>{re.escape(stem)})(?:{_REPORTED}{on})"
        )
        for match in re.finditer(pattern, text):
            if meant:
                yield _Phrase(match.span(), Filters(sources=meant))


@lru_cache(maxsize=8)
def _publication_names(sources: tuple[str, ...]) -> tuple[dict[str, str], ShortTextWords]:
    """Publications by their folded names, and what a question may call them. They are the same from one
    question to the next, and folding some hundred of them takes longer than a search."""
    names = {fold(name).text: name for name in sources if len(name) > 1}
    stems = {re.sub(f"{_CHANNEL}$", "", name) for name in names} | set(names)
    return names, ShortTextWords(stems)


def _belongs(name: str, stem: str) -> bool:
    return name == stem or (name.startswith(stem) and re.fullmatch(_CHANNEL, name[len(stem) :]) is not None)


def _without_overlaps(text: str, normalised: Normalised, found: Sequence[_Phrase]) -> tuple[Understood, ...]:
    """The first period and the first source, in the order of the question, as places in the original."""
    kept: list[_Phrase] = []
    for item in sorted(found, key=lambda item: (item.span[0], -item.span[1])):
        if kept and item.span[0] < kept[-1].span[1]:
            continue
        if any(bool(other.filters.sources) == bool(item.filters.sources) for other in kept):
            continue
        kept.append(item)
    spans = [normalised.span(*item.span) for item in kept]
    return tuple(
        Understood(phrase=text[start:end], span=(start, end), filters=item.filters)
        for (start, end), item in zip(spans, kept, strict=True)
    )


def _content(text: str, normalised: Normalised, understood: Sequence[Understood]) -> str:
    """The question, of which there is a normal form, without filter phrases and politeness; all of it where
    nothing would be left to search."""
    pieces: list[str] = []
    place = 0
    for item in understood:
        pieces.append(text[place : item.span[0]])
        place = item.span[1]
    content = " ".join(piece for piece in (*pieces, text[place:]) if piece.strip()).strip()
    beginning = content[:MAX_CHARACTERS]
    folded = normalised if beginning == normalised.original else fold(beginning)
    polite = _POLITE.match(folded.text)
    if polite is not None and polite.end() < len(folded.text):
        content = content[folded.span(0, polite.end())[1] :]
    if not understood:
        return content if content.strip() else text
    content = content.lstrip(" ,，、的")
    return text if _REST.fullmatch(fold(content[:MAX_CHARACTERS]).text) else content


def _together(understood: Sequence[Understood]) -> Filters | None:
    if not understood:
        return None
    together = Filters()
    for item in understood:
        given = item.filters
        together = replace(
            together,
            after=together.after if given.after is None else given.after,
            before=together.before if given.before is None else given.before,
            sources=together.sources or given.sources,
        )
    return together
