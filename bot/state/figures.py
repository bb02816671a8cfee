"""What the questions add up to: how many, how many answered, how long it took; and those that went wrong."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from bot.state.database import Database

DAYS = 14
"""Days that are told one by one."""

_MOST_GAPS = 2000


@dataclass(frozen=True, slots=True)
class Day:
    """Questions of one day, and how many of them found an answer."""

    day: date
    asked: int
    answered: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The last days, the last one today; seconds that half and 95 % of the week's answers took at most."""

    days: tuple[Day, ...]
    good: int
    bad: int
    median: float
    slow: float

    @property
    def today(self) -> Day:
        """Today."""
        return self.days[-1]

    @property
    def week(self) -> Day:
        """The last seven days together."""
        last = self.days[-7:]
        return Day(last[0].day, sum(each.asked for each in last), sum(each.answered for each in last))


@dataclass(frozen=True, slots=True)
class Gap:
    """A question that found no answer, or a bad one; and how often it was asked."""

    text: str
    times: int


def figures(database: Database, *, now: datetime, zone: tzinfo) -> Figures:
    """The figures of the last DAYS days in a time zone."""
    today = now.astimezone(zone).date()
    first = today - timedelta(days=DAYS - 1)
    rows = database.rows(
        "SELECT asked_at, answered, rating, seconds FROM questions WHERE asked_at >= ? AND chat <> ''",
        _stored(datetime(first.year, first.month, first.day, tzinfo=zone)),
    )
    asked: Counter[date] = Counter()
    answered: Counter[date] = Counter()
    seconds: list[float] = []
    for asked_at, found, _, took in rows:
        day = datetime.fromisoformat(asked_at).astimezone(zone).date()
        asked[day] += 1
        answered[day] += bool(found)
        if took is not None and today - day < timedelta(days=7):
            seconds.append(float(took))
    days = [first + timedelta(days=number) for number in range(DAYS)]
    ratings = Counter(rating for _, _, rating, _ in rows)
    return Figures(
        tuple(Day(day, asked[day], answered[day]) for day in days),
        ratings[1],
        ratings[-1],
        _quantile(seconds, 0.5),
        _quantile(seconds, 0.95),
    )


def gaps(database: Database, *, since: datetime) -> list[Gap]:
    """Questions without an answer or with a bad rating, the most frequent first, then the newest."""
    rows = database.rows(
        "SELECT text, count(*), max(id) FROM questions WHERE chat <> '' AND asked_at >= ? "
        "AND (answered = 0 OR rating < 0) GROUP BY text ORDER BY count(*) DESC, max(id) DESC LIMIT ?",
        _stored(since),
        _MOST_GAPS,
    )
    return [Gap(text, int(times)) for text, times, _ in rows]


def chats(database: Database) -> list[str]:
    """All private chats in which something was asked or followed."""
    rows = database.rows(
        "SELECT chat FROM questions WHERE chat <> '' UNION SELECT chat FROM subscriptions "
        "UNION SELECT chat FROM chats"
    )
    return sorted((chat for (chat,) in rows if chat.isdecimal()), key=int)


def _stored(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
