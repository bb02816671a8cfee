"""Phrases of time in a question that say when something was reported: 上周, 2021年7月的新闻, last month.

Relative phrases always count; calendar dates only next to a word that asks for reports ("7月19日的报道",
"2021年7月发生了什么"), since they may as well belong to what is asked.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from retrieval.types import Span

REPORTS = r"新闻|报道|报导|消息|文章|资讯|要闻|动态|快讯|头条|通讯稿|稿件|头版|news|articles|reports|stories"
"""Words for what an archive holds."""


@dataclass(frozen=True, slots=True)
class Period:
    """A phrase's place in the normalised question, and the days it means, inclusive."""

    span: Span
    first: date
    last: date


_DIGITS = {character: number for number, character in enumerate("零一二三四五六七八九十")} | {
    "两": 2,
    "几": 3,
    "数": 3,
}
_N = r"(?:[0-9]{1,3}|[一二两三四五六七八九十]{1,3})"
_WEEK = r"(?:周|星期|礼拜)(?![一二三四五六日天末年边围报刊期])"
_END = r"(?:都|又|还)?(?:有(?:哪些|什么|啥|没有)?|是什么|呢|吗|啊)*[\s?。!,]*$"
_ASKS = (
    r"(?:的|内|里|间|份|,)*\s*(?:(?:有(?:什么|哪些|啥)?|都|又|究竟)?(?:发生|出现)了?(?:什么|哪些|啥)"
    rf"|有(?:什么|哪些|啥)(?:大|新|重要)?(?:事|{REPORTS})|[^,。?]{{0,12}}(?:{REPORTS}){_END})"
)
_CALENDAR = re.compile(
    r"(?P<year>20[0-9]{2}|19[89][0-9])(?:年|[-/.])(?:(?P<month>[0-9]{1,2})(?:月份?|[-/.]|$|(?=[^0-9]))(?:(?P<day>[0-9]{1,2})[日号]?)?)?"
    r"|(?<![0-9年])(?P<only_month>[0-9]{1,2})月份?(?:(?P<only_day>[0-9]{1,2})[日号])?"
)
_ENGLISH_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_ENGLISH = re.compile(
    rf"\b(?:in |on |during |from )?(?P<name>{'|'.join(_ENGLISH_MONTHS)})"
    r"(?: (?P<day>[0-9]{1,2})(?:st|nd|rd|th)?,?)? (?P<year>20[0-9]{2})\b"
)
_REPORTS_BEFORE = re.compile(rf"(?:{REPORTS})[^,。?]{{0,12}}$")


def find_periods(text: str, today: date, *, latest: date | None = None) -> Iterator[Period]:
    """Periods of a normalised question, seen from `today`; `latest` is the archive's last day."""
    for pattern, days in _RELATIVE:
        for match in pattern.finditer(text):
            try:
                first, last = days(match, today)
            except (OverflowError, ValueError):  # longer ago than there are dates
                continue
            yield Period(match.span(), first, last)
    for match in _CALENDAR.finditer(text):
        if _asks_for_reports(text, match.span()):
            yield from _calendar(match, latest or today)
    for match in _ENGLISH.finditer(text):
        if _asks_for_reports(text, match.span()) or text[match.end() :].strip(" ?.!") == "":
            yield from _english(match)


def _asks_for_reports(text: str, span: Span) -> bool:
    if re.match(_ASKS, text[span[1] :]) is not None:
        return True
    at_the_end = text[span[1] :].strip(" ?.!。的") == ""
    return at_the_end and _REPORTS_BEFORE.search(text[: span[0]]) is not None


def _number(text: str) -> int:
    if text.isdigit():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return _DIGITS[text[-1]]
    return (_DIGITS[tens[-1]] if tens else 1) * 10 + (_DIGITS[ones[-1]] if ones else 0)


def _month(year: int, month: int) -> tuple[date, date]:
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])


def _months_back(today: date, count: int) -> date:
    months = today.year * 12 + today.month - 1 - count
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(today.day, monthrange(year, month)[1]))


def _week(today: date, back: int) -> tuple[date, date]:
    monday = today - timedelta(days=today.weekday() + 7 * back)
    return monday, monday + timedelta(days=6)


def _year(today: date, back: int) -> tuple[date, date]:
    return date(today.year - back, 1, 1), date(today.year - back, 12, 31)


def _day(today: date, back: int) -> tuple[date, date]:
    return today - timedelta(days=back), today - timedelta(days=back)


def _month_back(today: date, back: int) -> tuple[date, date]:
    first = _months_back(today.replace(day=1), back)
    return _month(first.year, first.month)


def _last(match: re.Match[str], today: date) -> tuple[date, date]:
    """The past so many days, weeks, months or years, up to today."""
    groups = match.groupdict()
    count = _number(groups["count"] or groups.get("years") or "1")
    match (groups["unit"] or "年")[0]:
        case "天" | "日" | "d":
            return today - timedelta(days=count), today
        case "周" | "星" | "礼" | "w":
            return today - timedelta(weeks=count), today
        case "月" | "m":
            return _months_back(today, count), today
        case _:
            return _months_back(today, 12 * count), today


Days = Callable[[re.Match[str], date], tuple[date, date]]


def _fixed(function: Callable[[date, int], tuple[date, date]], back: int) -> Days:
    return lambda _, today: function(today, back)


# "的" after a phrase belongs to it. 今天 and 今年 alone may mean "nowadays": they need a word for reports.
_RELATIVE: tuple[tuple[re.Pattern[str], Days], ...] = tuple(
    (re.compile(pattern), days)
    for pattern, days in (
        (rf"(?:今天|今日|\btoday)(?={_ASKS})的?|\btoday's\b|今[早晚晨](?!期)", _fixed(_day, 0)),
        (r"昨[天日晚夜]的?|\byesterday(?:'s)?\b", _fixed(_day, 1)),
        (r"(?<![三大])前[天日](?!地|赋|才)的?", _fixed(_day, 2)),
        (
            rf"(?:(?<![版日基样书原根资成文剧标])本|这一?个?){_WEEK}(?:内|里|以来)?的?|\bthis week(?:'s)?\b",
            _fixed(_week, 0),
        ),
        (
            rf"上(?:个|一个|一)?{_WEEK}(?:内|里)?的?|\blast week(?:'s)?\b",
            _fixed(_week, 1),
        ),
        (rf"上上个?{_WEEK}的?", _fixed(_week, 2)),
        (r"(?:本月|这个月)(?:内|里|以来)?的?|\bthis month(?:'s)?\b", _fixed(_month_back, 0)),
        (r"上(?:个|一个|一)?月(?![球亮饼])(?:份|里)?的?|\blast month(?:'s)?\b", _fixed(_month_back, 1)),
        (r"今年(?!度)(?:以来|内|里)?的?|\bthis year(?:'s)?\b", _fixed(_year, 0)),
        (r"去年(?!度)(?!底?[0-9一二三四五六七八九十])的?|\blast year(?:'s)?\b", _fixed(_year, 1)),
        (r"(?<![0-9一二两三四五六七八九十几数百千万多])前年的?", _fixed(_year, 2)),
        (
            rf"(?:(?:最近|过去|近)(?:的|这)?(?P<count>{_N})个?(?P<unit>天|日|周|星期|礼拜|月)"
            r"|(?:最近|过去)(?P<years>[一两二三123])(?P<year>年))(?!间)(?:内|里|以来|来)?的?",
            _last,
        ),
        (
            r"\b(?:in |over |during )?the (?:last|past) (?:(?P<count>[0-9]{1,3}) )?"
            r"(?P<unit>day|week|month|year)s?\b",
            _last,
        ),
    )
)


def _calendar(match: re.Match[str], latest: date) -> Iterator[Period]:
    """A calendar date; one without a year means its last occurrence up to `latest`."""
    try:
        if match["year"]:
            first, last = _range(int(match["year"]), match["month"], match["day"])
        else:
            first, last = _range(latest.year, match["only_month"], match["only_day"])
            if first > latest:
                first, last = _range(latest.year - 1, match["only_month"], match["only_day"])
    except ValueError:  # no such day
        return
    yield Period(match.span(), first, last)


def _english(match: re.Match[str]) -> Iterator[Period]:
    try:
        first, last = _range(int(match["year"]), str(_ENGLISH_MONTHS.index(match["name"]) + 1), match["day"])
    except ValueError:
        return
    yield Period(match.span(), first, last)


def _range(year: int, month: str | None, day: str | None) -> tuple[date, date]:
    if month is None:
        return date(year, 1, 1), date(year, 12, 31)
    if day is None:
        return _month(year, int(month))
    return date(year, int(month), int(day)), date(year, int(month), int(day))
