"""/health and /metrics (in Prometheus' text format) over HTTP, for whoever watches over the bot."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from bot.archive import Overview
from bot.errors import BotError
from bot.inbox import Inbox
from bot.state import State
from embeddings.errors import WendaError

_TYPES = {
    "wenda_updates_handled_total": ("counter", "Updates that this process has handled."),
    "wenda_updates_waiting": ("gauge", "Updates received and not yet handled, of all processes."),
    "wenda_questions_total": ("counter", "Questions asked."),
    "wenda_questions_answered_total": ("counter", "Questions that found an answer."),
    "wenda_search_seconds_total": ("counter", "Seconds spent on finding answers."),
    "wenda_ratings_good_total": ("counter", "Answers rated good."),
    "wenda_ratings_bad_total": ("counter", "Answers rated bad."),
    "wenda_subscriptions": ("gauge", "Subscriptions."),
    "wenda_articles": ("gauge", "Articles in the archive."),
}
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Monitor:
    """What is watched, by functions that run in threads; any of them may raise WendaError."""

    state: State
    inbox: Inbox
    overview: Callable[[], Overview]

    def check(self) -> None:
        """Raises WendaError where memory or archive cannot be used."""
        self.state.database.row("SELECT 1")
        self.overview()

    def metrics(self) -> str:
        """All figures as text."""
        row = self.state.database.row(
            "SELECT count(*), coalesce(sum(answered), 0), coalesce(sum(seconds), 0), "
            "coalesce(sum(CASE WHEN rating > 0 THEN 1 ELSE 0 END), 0), "
            "coalesce(sum(CASE WHEN rating < 0 THEN 1 ELSE 0 END), 0) FROM questions WHERE chat <> ''"
        )
        waiting = self.state.database.row("SELECT count(*) FROM inbox WHERE payload IS NOT NULL")
        assert row is not None
        assert waiting is not None
        values = (
            self.inbox.handled,
            waiting[0],
            *row,
            self.state.subscriptions.version()[0],
            self.overview().articles,
        )
        return "".join(_lines(dict(zip(_TYPES, map(float, values), strict=True))))


def _lines(values: dict[str, float]) -> Iterator[str]:
    for name, (kind, meaning) in _TYPES.items():
        yield f"# HELP {name} {meaning}\n# TYPE {name} {kind}\n{name} {values[name]:g}\n"


class _Health(RequestHandler):
    def initialize(self, monitor: Monitor, executor: Executor) -> None:
        self._monitor, self._executor = monitor, executor

    async def get(self) -> None:
        """200 where all is well, else 503 and why."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, self._monitor.check)
            self.finish("ok\n")
        except WendaError as error:
            self.set_status(503)
            self.finish(f"{error}\n")


class _Metrics(_Health):
    async def get(self) -> None:
        """The figures; 503 where they cannot be had."""
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        try:
            text = await asyncio.get_running_loop().run_in_executor(self._executor, self._monitor.metrics)
            self.finish(text)
        except WendaError as error:
            self.set_status(503)
            self.finish(f"{error}\n")


@contextlib.asynccontextmanager
async def monitored(address: str | None, monitor: Monitor, executor: Executor) -> AsyncIterator[None]:
    """Inside, the endpoint listens at host:port, where there is one. Raises BotError where it cannot."""
    if address is None:
        yield
        return
    given = {"monitor": monitor, "executor": executor}
    application = Application(
        [("/health", _Health, given), ("/metrics", _Metrics, given)], log_function=lambda _: None
    )
    server = HTTPServer(application)
    host, _, port = address.rpartition(":")
    try:
        server.listen(int(port), host.strip("[]"))
    except OSError as error:
        raise BotError(f"cannot listen on {address} (WENDA_MONITOR): {error}") from None
    _logger.info("health and metrics at http://%s/", address)
    try:
        yield
    finally:
        server.stop()
        await server.close_all_connections()
