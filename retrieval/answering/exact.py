"""The exact words that answer, inside the sentence that does: a number, a date, a person's name, a place.

Candidates of the kind that is asked for, without those that the question already has, are scored by how near
they stand to what the sentence shares with the question. Nothing is given where two are about as near.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from math import exp

from retrieval.answering.features import Asked
from retrieval.question import AnswerKind
from retrieval.types import Span

Tagger = Callable[[str], Sequence[tuple[str, str]]]
"""Normal text → its words with parts of speech, in order."""

_REACH = 8.0
"""Characters over which the nearness to a matched bigram falls to 1/e."""

_COMMA = 8

_MARGIN = {AnswerKind.NUMBER: 1.3, AnswerKind.TIME: 1.2, AnswerKind.PERSON: 1.5, AnswerKind.PLACE: 2.0}
"""How much nearer than the next candidate the best has to be."""

_CHINESE = "〇零一二两三四五六七八九十百千万亿半"
_NUMBER = re.compile(
    rf"(?:[0-9]+(?:,[0-9]{{3}})*(?:\.[0-9]+)?(?:[十百千]?[万亿]|[百千])?|[{_CHINESE}]+)(?:多|余|来|几)?"
    r"(?:%|平方公里|平方千米|平方米|立方米|公里|千米|公顷|公斤|千克|英里|英尺|海里|光年|[美欧日]?元|人次|小时|分钟|毫米|厘米|世纪|年代|"
    r"个百分点|个多?月|[人家个位名次年月天日岁米吨亩户条座所项种部篇张辆架艘台枚场届集层楼度颗棵头只套件份本册首支间块片级倍步点笔队组字秒克斤里票]"
    r"(?!月|[0-9]))?(?:多|余)?(?:以上|左右)?"
)
_BEFORE_CHRIST = r"(?:公元前?|西元前?|前)?"
_DATE = re.compile(
    rf"{_BEFORE_CHRIST}[0-9]{{1,4}}年(?:[0-9]{{1,2}}月(?:[0-9]{{1,2}}[日号])?)?|[0-9]{{1,2}}月(?:[0-9]{{1,2}}[日号])?"
    rf"|{_BEFORE_CHRIST}[0-9]{{1,2}}世纪(?:[0-9]{{2}}年代|[初中末]期?|[前后]半叶?)?|[0-9]{{2}}年代(?:[初中末]期?)?"
    r"|[\u4e00-\u9fff]{2}(?:元|[一二三四五六七八九十廿卅]{1,4})年(?:[正一二三四五六七八九十腊闰]{1,3}月)?"
    r"|(?:星期|周)[一二三四五六日天]|[0-9一二三四五六七八九十]{1,3}点(?:[0-9]{1,2}分|半)?"
)
_NAME_PART = "[^\\W0-9a-z_·是为和与及在的等被由把将曾担任率从向至后前并或]"
_FOREIGN_NAME = re.compile(rf"{_NAME_PART}{{1,6}}(?:·{_NAME_PART}{{1,6}}){{1,4}}")
_LATIN_NAME = re.compile(r"[a-z]+\.?(?: [a-z]+\.?){1,3}")
_SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦马苗凤花方俞任袁柳"
    "鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞"
    "熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫房丁邓洪包诸左石崔吉龚程"
    "邢裴陆荣翁荀惠甄封储靳段焦巴牧谷车侯全班秋仲伊宫宁仇栾甘厉武符刘景詹龙叶司黎白蒲赖卓乔欧阳温庄晏柴瞿阎连习容向古易廖耿"
    "匡国文寇广东关师公沙养丰游权涂肖岳佟"
) - frozenset("古和时常于成全向广易连习容支万匡明安通国文东公丰权方平高白金水云华温")
# Surnames that begin too many other words are left out; what ends like this is no person.
_NO_PERSON_ENDS = frozenset(
    "桥寺山河江湖海县市省区镇村国州路塔楼宫殿庙港站岛城族人语书妃祖果帝王政元部军后氏教神"
)
# What a question that names no unit of measure asks for.
_IMPLIED_UNITS = (
    (
        re.compile(r"多[高长远深宽厚]|高度|长度|海拔|深度|宽度|距离"),
        r"(?:公里|千米|米|公尺|厘米|英里|英尺|海里|光年|里|年|天|小时|分钟|个月)",
    ),
    (re.compile(r"多重|体重|重量"), r"(?:公斤|千克|吨|克|斤|磅)"),
    (re.compile(r"面积|多大"), r"(?:平方公里|平方千米|平方米|公顷|亩|岁|倍|英亩|米|公里)"),
    (re.compile(r"多久|多长时间"), r"(?:年|月|日|天|周|小时|分钟|秒|世纪)"),
    (re.compile(r"多少钱|价格|售价"), r"(?:元|镑|美元|法郎|卢布|两)"),
    (re.compile(r"人口|多少人"), r"(?:人|万|亿|户|%)?"),
    (re.compile(r"百分之|比例|多少%"), r"%"),
    (re.compile(r"第几"), r"(?:名|位|届|次|个|区|大|任|集|代|号)?"),
)
# "多少银子" asks for no length, time or age.
_MEASURED = re.compile(
    r"(?:公里|千米|米|英里|海里|厘米|年|月|日|天|岁|小时|分钟|秒|世纪|年代|[平立]方.*)(?:多|余|以上|左右)?$"
)
_DATE_UNIT = re.compile(r"(?:[0-9]{3,4}|[0-9]{1,2})[年月日号]$")
_ORDINAL_ASKED = re.compile(r"第几")
_ORDINAL = re.compile(rf"第(?:[0-9]+|[{_CHINESE}]+)[\u4e00-\u9fff]?")
_RANGE = re.compile(r"(?:至|到|—|–|-|~|~)")
# "在哪个比赛中", "毕业于哪儿": what is asked for is no place on a map.
_NO_PLACE_ASKED = re.compile(
    r"毕业|就读|效力|任职|司职|加盟|签约|供职|哪一?[个部场次]?[\u4e00-\u9fff]{0,2}(?:比赛|剧|时期|事件|节目|队|学校|大学)"
)
_SITE_ASKED = re.compile(
    r"(?:位于|坐落|座落|地处|处于)[\u4e00-\u9fff]{0,2}(?:哪|何|什么)|在(?:哪[里儿]|何处|什么地方)[?\s]*$"
)
_SITE = re.compile(r"(?:位于|坐落[于在]|座落[于在]|地处|建[于在]|在)([^,;。!?()]{2,30})")
_YEAR = re.compile(r".*?年")
_ONE = re.compile("[一两][个种座名位项部条次家本支只]?$")
_YEAR_ASKED = re.compile(r"哪一?年|何年|什么年|年份|几年")
_DAY_ASKED = re.compile(r"哪一?[天日]|几[月号日]|何日|什么日")
_PLACE_ASKED = re.compile(
    r"(?:哪[一个座些条]{0,2}|什么)[\u4e00-\u9fff]{0,4}?(国家|国|城市|[省市县州区岛洲镇村河山湖海溪江港站街路桥城峡谷])"
)
_NO_COUNTRY = frozenset("省市县区州镇村山河湖海")


def find_exact(asked: Asked, question: str, sentence: str, tagger: Tagger) -> Span | None:
    """The words of a sentence in normal form that answer, None where they are not clear."""
    margin = _MARGIN.get(asked.kind)
    if margin is None:
        return None
    found = [
        span
        for span in _candidates(asked, question, sentence, tagger)
        if sentence[slice(*span)] not in question
    ]
    if not found:
        return None
    matched = list(_matched(asked, sentence))
    scored = sorted(((_nearness(sentence, span, matched), span) for span in found), reverse=True)
    if scored[0][0] == 0 or (len(scored) > 1 and scored[0][0] < margin * scored[1][0]):
        return None
    return scored[0][1]


def _candidates(asked: Asked, question: str, sentence: str, tagger: Tagger) -> Iterator[Span]:
    match asked.kind:
        case AnswerKind.NUMBER:
            yield from _numbers(question, sentence, asked.unit)
        case AnswerKind.TIME:
            yield from _dates(question, sentence)
        case AnswerKind.PERSON:
            yield from _persons(sentence, tagger)
        case AnswerKind.PLACE:
            yield from _places(question, sentence, tagger)
        case _:
            return


def _numbers(question: str, sentence: str, unit: str) -> Iterator[Span]:
    """Numbers with the unit asked for; without one, what is neither a date nor "a" ("一个")."""
    if _ORDINAL_ASKED.search(question):
        yield from (match.span() for match in _ORDINAL.finditer(sentence))
        return
    found = list(_ranges(sentence))
    if unit:
        yield from (span for span in found if unit in sentence[span[0] : span[1] + len(unit)])
        return
    for asking, units in _IMPLIED_UNITS:
        if asking.search(question):
            fitting = re.compile(f"{units}(?:多|余|以上|左右)?$")
            yield from (
                span
                for span in found
                if fitting.search(sentence[slice(*span)])
                and not _is_date_or_one(sentence[slice(*span)], units)
            )
            return
    if question.isascii() and len(found) > 1:
        return
    yield from (
        span
        for span in found
        if not _is_date_or_one(sentence[slice(*span)], "") and not _MEASURED.search(sentence[slice(*span)])
    )


def _ranges(sentence: str) -> Iterator[Span]:
    """The numbers of a sentence, two with "to" between them as one."""
    before: Span | None = None
    for match in _NUMBER.finditer(sentence):
        if before is not None and _RANGE.fullmatch(sentence[before[1] : match.start()]):
            before = before[0], match.end()
            continue
        if before is not None:
            yield before
        before = match.span()
    if before is not None:
        yield before


def _is_date_or_one(text: str, units: str) -> bool:
    return _ONE.match(text) is not None or ("年" not in units and _DATE_UNIT.search(text) is not None)


def _dates(question: str, sentence: str) -> Iterator[Span]:
    """Dates, as exact as they are asked for."""
    for match in _DATE.finditer(sentence):
        text = match[0]
        if _YEAR_ASKED.search(question) and "年" not in text:
            continue
        if _DAY_ASKED.search(question) and not re.search("[月日号]", text):
            continue
        year = _YEAR.match(text) if _YEAR_ASKED.search(question) else None
        yield match.start(), match.start() + year.end() if year else match.end()


def _persons(sentence: str, tagger: Tagger) -> Iterator[Span]:
    """Transliterated names as a whole, and names that begin with a Chinese surname or are tagged foreign."""
    words = list(_placed(tagger(sentence)))
    foreign = [_trimmed(match.span(), sentence, words) for match in _FOREIGN_NAME.finditer(sentence)]
    yield from foreign
    for start, end, tag in words:
        name = sentence[start:end]
        chinese = (
            tag == "nr" and 2 <= end - start <= 4 and name[0] in _SURNAMES and name[-1] not in _NO_PERSON_ENDS
        )
        known = tag in ("nrt", "nrfg") and end - start > 1
        if (chinese or known) and not any(a <= start < b for a, b in foreign):
            yield start, end
    if not foreign:
        yield from (match.span() for match in _LATIN_NAME.finditer(sentence))


def _trimmed(span: Span, sentence: str, words: Sequence[tuple[int, int, str]]) -> Span:
    """A name with dots from the word before its first dot to the word after its last."""
    start, end = span
    first, last = sentence.index("·", start, end), sentence.rindex("·", start, end)
    starts = [a for a, b, _ in words if start <= a and b <= first]
    if starts and first - starts[-1] > 1:
        start = starts[-1]
    ends = [b for a, b, _ in words if a <= last + 1 < b]
    if ends and ends[0] - last > 2:
        end = min(end, ends[0])
    return start, end


def _placed(words: Sequence[tuple[str, str]]) -> Iterator[tuple[int, int, str]]:
    place = 0
    for word, tag in words:
        yield place, place + len(word), tag
        place += len(word)


def _places(question: str, sentence: str, tagger: Tagger) -> Iterator[Span]:
    """Words tagged as places, several in a row as one; of the sort that is asked for where it is named."""
    if _NO_PLACE_ASKED.search(question):
        return
    if _SITE_ASKED.search(question) and (site := _SITE.search(sentence)):
        yield site.span(1)
        return
    asked = _PLACE_ASKED.search(question)
    sort = asked[1] if asked else ""
    start, end = -1, -1
    for first, last, tag in (*_placed(tagger(sentence)), (len(sentence), len(sentence), "")):
        if tag == "ns" and last - first > 1:
            start, end = (start if start >= 0 else first), last
            continue
        if start >= 0 and _is_of(sort, sentence[end - 1]):
            yield start, end
        start = -1


def _is_of(sort: str, last: str) -> bool:
    """Whether a place that ends in this character can be of the sort that is asked for."""
    if not sort:
        return True
    return last not in _NO_COUNTRY if sort[0] == "国" else last == sort[-1]


def _matched(asked: Asked, sentence: str) -> Iterator[tuple[int, float]]:
    """(place, weight) of each bigram that the sentence shares with the question."""
    if len(asked.levels) < 2:
        return
    bigrams = asked.levels[1]
    for gram, weight in zip(bigrams.names, bigrams.weights.tolist(), strict=True):
        place = sentence.find(gram)
        while place >= 0:
            yield place, weight
            place = sentence.find(gram, place + 1)


def _nearness(sentence: str, span: Span, matched: Sequence[tuple[int, float]]) -> float:
    """Summed weight of the matched bigrams, falling with their distance; a comma counts as far."""
    start, end = span
    total = 0.0
    for place, weight in matched:
        between = sentence[place + 2 : start] if place < start else sentence[end:place]
        gap = len(between) + _COMMA * (between.count(",") + between.count(";"))
        total += weight * exp(-gap / _REACH)
    return total
