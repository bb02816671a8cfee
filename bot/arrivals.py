"""Looks for articles that are new in the index, whoever put them there, and notes whom to tell of them."""

import logging
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from bot.owner import owner_name
from bot.state import State
from bot.state.preferences import Preference
from bot.state.subscriptions import Subscription
from retrieval.standing import QueryKind, StandingQueries, StandingQuery

if TYPE_CHECKING:
    from retrieval import Retriever

JOB = "arrivals"
_LEASE_SECONDS = 600.0
_BATCH = 200
"""Articles that are matched at a time."""

_logger = logging.getLogger(__name__)


class Arrivals:
    """Used by one thread at a time. Of several processes that share a memory, one does the work at a time."""

    def __init__(self, retriever: "Retriever", state: State, zone: tzinfo) -> None:
        self._retriever = retriever
        self._state = state
        self._zone = zone
        self._owner = owner_name()
        self._queries = StandingQueries(retriever)
        self._version: tuple[int, int] | None = None
        self._subscriptions: dict[int, Subscription] = {}

    def look(self) -> int:
        """Note whom to tell of what came since the last time; how many articles that were."""
        mark = self._state.jobs.claim(JOB, self._owner, seconds=_LEASE_SECONDS)
        if mark is None:
            return 0
        try:
            now, articles = self._retriever.arrived_since(mark)
            for batch in _batches(articles):
                self._match(batch)
            if now != mark:
                # After a crash before this the same articles are matched again; a chat is told of each once.
                self._state.jobs.reach(JOB, self._owner, now)
        finally:
            self._state.jobs.release(JOB, self._owner)
        return len(articles)

    def _match(self, articles: Sequence[str]) -> None:
        self._refresh()
        started = time.perf_counter()
        matches = self._queries.match(articles)
        preferences = self._state.preferences.all() if matches else {}
        now = datetime.now(UTC)
        notices = []
        for match in matches:
            subscription = self._subscriptions[match.query]
            preference = preferences.get(subscription.chat, Preference())
            due = due_time(now, preference, self._zone).timestamp()
            notices.append((subscription.chat, subscription.id, match.article_id, due))
        if notices:
            self._state.notices.add(notices)
        if self._subscriptions:
            _logger.info(
                "%d new articles matched with %d subscriptions in %.2f s: %d to tell of",
                len(articles), len(self._subscriptions), time.perf_counter() - started, len(notices),
            )  # fmt: skip

    def _refresh(self) -> None:
        """Take in the subscriptions that came and went."""
        version = self._state.subscriptions.version()
        if version != self._version:
            self._subscriptions = {each.id: each for each in self._state.subscriptions.all()}
            self._version = version
        self._queries.update(
            StandingQuery(each.id, QueryKind(each.kind), each.text) for each in self._subscriptions.values()
        )


def due_time(now: datetime, preference: Preference, zone: tzinfo) -> datetime:
    """When a chat with this preference may be told of something that is known `now`."""
    local = now.astimezone(zone)
    if preference.digest is not None:
        due = local.replace(hour=preference.digest, minute=0, second=0, microsecond=0)
        return due if due >= local else due + timedelta(days=1)
    first, last = preference.quiet_from, preference.quiet_until
    quiet = first <= local.hour < last if first <= last else local.hour >= first or local.hour < last
    if not quiet:
        return now
    due = local.replace(hour=last, minute=0, second=0, microsecond=0)
    return due if due > local else due + timedelta(days=1)


def _batches(articles: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(articles), _BATCH):
        yield articles[start : start + _BATCH]
