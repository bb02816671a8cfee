"""Dates as articles write them → timezone-aware datetimes.

A stamp without a zone is taken as China Standard Time (+08:00), a date without a time as midnight there:
the collections are Chinese, and a fixed reading keeps one article's date the same on every machine.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

CHINA = timezone(timedelta(hours=8))
"""The zone of stamps that name none. China has had no daylight saving time since 1991."""

_EARLIEST, _LATEST = 1900, 2200
_NUMERIC = re.compile(
    r"(?<!\d)(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?!\d)\s*[日号]?"
    r"(?:[T\s　]*(上午|下午|晚上|凌晨|中午)?\s*(\d{1,2})\s*[:：时点]\s*(\d{1,2})?(?:\s*[:：分]\s*(\d{1,2}))?"
    r"[.,\d秒分]*\s*(am|pm)?\s*(Z|UTC|GMT)?\s*([+-]\d{2}:?\d{2})?)?",
    re.I,
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?)?$")
_EPOCH = re.compile(r"\d{10}(?:\d{3})?(?:\.\d+)?$")


def parse_date(text: str) -> datetime | None:
    """Read RFC 2822, ISO 8601, `2021-10-28 14:08:07`, `2021年10月28日 14:08`, `20211028` or Unix seconds.

    Returns None for anything else ("Invalid Date", empty, a year before 1900 or after 2200): no guessing.
    """
    text = text.strip().strip("'\"")
    if not 6 <= len(text) <= 100 or not any(c.isdigit() for c in text):
        return None
    try:
        found = _rfc2822(text) if text[0].isalpha() or text[1:2].isspace() or text[2:3].isspace() else None
        found = found or _numeric(text) or _compact(text) or _worded(text)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return found if found is not None and _EARLIEST <= found.year <= _LATEST else None


def _rfc2822(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    # A zone of -0000 means "in UTC, place unknown"; a missing one is read as the others are.
    if found.tzinfo is None:
        return found.replace(tzinfo=UTC if text.endswith("-0000") else CHINA)
    return found


def _numeric(text: str) -> datetime | None:
    found = _NUMERIC.search(text)
    if found is None:
        return None
    year, month, day, part, hour, minute, second, half, utc, offset = found.groups()
    hours = int(hour or 0)
    if (part in ("下午", "晚上") or (half or "").lower() == "pm") and hours < 12:
        hours += 12
    elif ((half or "").lower() == "am" or part == "凌晨") and hours == 12:
        hours = 0
    zone: timezone = UTC if utc else CHINA
    if offset:
        digits = offset.replace(":", "")
        zone = timezone(int(digits[0] + "1") * timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5])))
    return datetime(int(year), int(month), int(day), hours, int(minute or 0), int(second or 0), tzinfo=zone)


def _compact(text: str) -> datetime | None:
    if _EPOCH.match(text):
        value = float(text)
        return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, CHINA)
    found = _COMPACT.match(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(g or 0) for g in found.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=CHINA)


def _worded(text: str) -> datetime | None:
    """English dates with the month as a word (`July 19, 2021`, `19 Jul 2021 06:51`), by dateutil."""
    if not re.search(r"[A-Za-z]{3}", text) or not re.search(r"\d{4}", text):
        return None
    from dateutil import parser

    # What the text does not say is taken from the default: two defaults show whether anything was missing.
    first = parser.parse(text, default=datetime(1999, 1, 1), tzinfos=_zone)
    second = parser.parse(text, default=datetime(2001, 2, 2), tzinfos=_zone)
    if first != second:
        return None
    return first if first.tzinfo is not None else first.replace(tzinfo=CHINA)


def _zone(name: str | None, offset: int | None) -> timezone | None:
    """The zone that a stamp names; None (read as no zone) for an abbreviation that says no offset."""
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    return UTC if name in ("UTC", "GMT", "Z") else None
