"""Serves Telegram, by long polling or a webhook, until told to stop."""

import asyncio
import contextlib
import logging
import re
import signal
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from telegram.error import InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.warnings import PTBDeprecationWarning

from bot.access import Welcome
from bot.administration import Administration
from bot.application import (
    ALLOWED_UPDATES,
    Connection,
    TelegramApplication,
    build_bot_application,
    register,
)
from bot.archive import Overview
from bot.assistant import Assistant
from bot.conversation import Conversation
from bot.errors import TokenError, UnreachableError
from bot.i18n import Language
from bot.inbox import Inbox
from bot.limits import Limits
from bot.listening import Listener
from bot.menus import publish
from bot.monitoring import Monitor, monitored
from bot.state import State
from bot.telling import Teller
from bot.webhook import Webhook

_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")
_POLL_SECONDS = 10
_START_ATTEMPTS = 3
_MEMORY_THREADS = 2
_JOB_THREADS = 2
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """What to serve: how a conversation is made for a bot's name, and what to do beside answering.

    `beside` runs in a thread and should end soon after its event is set; `arrivals` is called every few
    seconds, in a thread of its own, to look for new articles to tell of. So many `threads` search: where that
    is the processor's work, one answers more than several, which take the interpreter from each other.
    """

    conversation: Callable[[Callable[[], str]], Conversation]
    state: State
    beside: Callable[[threading.Event], object] = lambda _: None
    arrivals: Callable[[], object] = lambda: None
    administration: Administration | None = None
    welcome: Welcome = field(default_factory=Welcome)
    language: Language | None = None
    questions_per_minute: int = 0
    webhook: Webhook | None = None
    monitor: str | None = None
    overview: Callable[[], Overview] = Overview
    threads: int = 1
    signals: tuple[signal.Signals, ...] = field(default=(signal.SIGINT, signal.SIGTERM))


async def serve(
    token: str, connection: Connection, service: Service, stop: asyncio.Event | None = None
) -> None:
    """Answer until `stop` is set or a signal comes, then finish what was begun.

    Raises TokenError for a token Telegram does not accept, UnreachableError where there is no answer at all.
    """
    stop = stop or asyncio.Event()
    looks_like_a_token(token)
    # The library warns of its own use of an attribute whenever Telegram asks it to wait.
    warnings.filterwarnings("ignore", message="(?s).*retry_after", category=PTBDeprecationWarning)
    executor = ThreadPoolExecutor(service.threads, thread_name_prefix="conversation")
    memory = ThreadPoolExecutor(_MEMORY_THREADS, thread_name_prefix="memory")
    jobs = ThreadPoolExecutor(_JOB_THREADS, thread_name_prefix="jobs")
    inbox = Inbox(service.state.updates, memory)
    # Reading certificates takes longer than the event loop should be kept from its work.
    application = await asyncio.to_thread(build_bot_application, token, connection, inbox)
    try:
        await connect(application, connection.api_url)
        conversation = service.conversation(lambda: application.bot.username)
        assistant = Assistant(
            conversation,
            service.state,
            executor,
            memory,
            jobs,
            welcome=service.welcome,
            language=service.language,
            limits=Limits(service.questions_per_minute),
            later=application.create_task,
        )
        register(application, assistant, service.administration)
        with _signals(service.signals, stop):
            teller = Teller(
                application.bot,
                conversation,
                service.state,
                jobs,
                language=service.language,
                look=service.arrivals,
            )
            if resumed := await inbox.resume(application.bot):
                _logger.info("going on with %d updates that an earlier run left behind", resumed)
            async with monitored(service.monitor, Monitor(service.state, inbox, service.overview), memory):
                always = (inbox.keep(application.bot), teller.keep())
                await _run(application, inbox, service, always, stop)
    finally:
        await application.shutdown()
        await inbox.release()
        for each in (executor, memory, jobs):
            each.shutdown(wait=True, cancel_futures=True)


def looks_like_a_token(token: str) -> None:
    """Raises TokenError where it does not."""
    if not _TOKEN.fullmatch(token):
        raise TokenError(
            "TELEGRAM_BOT_TOKEN does not look like a bot token (123456:ABC…); copy it again from @BotFather"
        )


async def connect(application: TelegramApplication, api_url: str) -> None:
    """Ask Telegram who the bot is: the first moment at which a token proves good or bad."""
    for attempt in range(1, _START_ATTEMPTS + 1):
        try:
            await application.initialize()
            return
        except InvalidToken:
            raise TokenError(
                f"the Bot API server at {api_url} does not accept TELEGRAM_BOT_TOKEN; "
                "copy it again from @BotFather"
            ) from None
        except (NetworkError, RetryAfter) as error:
            if attempt == _START_ATTEMPTS:
                raise UnreachableError(
                    f"the Bot API server at {api_url} cannot be reached ({type(error).__name__}); "
                    "check the network, WENDA_PROXY, or TELEGRAM_API_URL"
                ) from None
            await asyncio.sleep(attempt)


async def _run(
    application: TelegramApplication,
    inbox: Inbox,
    service: Service,
    always: Sequence[Coroutine[Any, Any, None]],
    stop: asyncio.Event,
) -> None:
    stopping = threading.Event()
    tasks = [asyncio.create_task(each) for each in always]
    try:
        async with _receiving(application, service.webhook, inbox):
            try:
                _logger.info("@%s is answering", application.bot.username)
                beside = asyncio.create_task(_beside(service, stopping))
                menu = asyncio.create_task(publish(application.bot, service.welcome.admins))
                await stop.wait()
                stopping.set()
                menu.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await menu
                await beside
            finally:
                stopping.set()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _poll(application: TelegramApplication) -> None:
    """Start fetching updates."""

    def polling_failed(error: TelegramError) -> None:
        application.create_task(application.process_error(None, error))

    assert application.updater is not None
    await application.updater.start_polling(
        timeout=_POLL_SECONDS,
        allowed_updates=ALLOWED_UPDATES,
        bootstrap_retries=-1,
        error_callback=polling_failed,
    )


@contextlib.asynccontextmanager
async def _receiving(
    application: TelegramApplication, webhook: Webhook | None, inbox: Inbox
) -> AsyncIterator[None]:
    """Inside, the application runs and updates come: fetched, or brought to the webhook.

    At the end what has come is still handled.
    """
    updater = application.updater
    if updater is None:
        raise RuntimeError("the application was built without an updater")
    listener = Listener(webhook, inbox, application.bot) if webhook else None
    await application.start()
    try:
        if listener is None:
            await _poll(application)
        else:
            await listener.start(ALLOWED_UPDATES)
        yield
    finally:
        if listener is not None:
            listener.stop()
        if updater.running:
            await updater.stop()
        await application.stop()
        if listener is not None:
            await listener.close()


async def _beside(service: Service, stopping: threading.Event) -> None:
    """What is done while answering, in a thread that no conversation waits for; its failure is logged and the
    bot goes on."""
    thread = ThreadPoolExecutor(1, thread_name_prefix="beside")
    try:
        await asyncio.get_running_loop().run_in_executor(thread, service.beside, stopping)
    except Exception:
        _logger.exception("bringing the articles up to date failed; answering from what is there")
    finally:
        await asyncio.to_thread(thread.shutdown)


@contextlib.contextmanager
def _signals(signals: tuple[signal.Signals, ...], stop: asyncio.Event) -> Iterator[None]:
    """Have the signals set `stop` instead of ending the process in mid-answer."""
    loop = asyncio.get_running_loop()
    handled = []
    for each in signals:
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(each, stop.set)
            handled.append(each)
    try:
        yield
    finally:
        for each in handled:
            loop.remove_signal_handler(each)
