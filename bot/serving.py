"""Serves Telegram by long polling until told to stop."""

import asyncio
import contextlib
import logging
import re
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from telegram.error import InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.warnings import PTBDeprecationWarning

from bot.application import ALLOWED_UPDATES, TelegramApplication, build_bot_application, register
from bot.assistant import Assistant
from bot.conversation import Conversation
from bot.errors import TokenError, UnreachableError
from bot.handlers.commands import publish_menu
from bot.i18n import Language
from bot.inbox import Inbox
from bot.state import State

_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")
_POLL_SECONDS = 10
_START_ATTEMPTS = 3
_MEMORY_THREADS = 2
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """What to serve: how a conversation is made for a bot's name, and what to do beside answering.

    `beside` runs in a thread and should end soon after its event is set.
    """

    conversation: Callable[[Callable[[], str]], Conversation]
    state: State
    beside: Callable[[threading.Event], object] = lambda _: None
    admins: frozenset[int] = frozenset()
    users: frozenset[int] = frozenset()
    language: Language | None = None
    threads: int = 4
    signals: tuple[signal.Signals, ...] = field(default=(signal.SIGINT, signal.SIGTERM))


async def serve(token: str, api_url: str, service: Service, stop: asyncio.Event | None = None) -> None:
    """Answer until `stop` is set or a signal comes, then finish what was begun.

    Raises TokenError for a token Telegram does not accept, UnreachableError where there is no answer at all.
    """
    stop = stop or asyncio.Event()
    if not _TOKEN.fullmatch(token):
        raise TokenError(
            "TELEGRAM_BOT_TOKEN does not look like a bot token (123456:ABC…); copy it again from @BotFather"
        )
    # The library warns of its own use of an attribute whenever Telegram asks it to wait.
    warnings.filterwarnings("ignore", message="(?s).*retry_after", category=PTBDeprecationWarning)
    executor = ThreadPoolExecutor(service.threads, thread_name_prefix="conversation")
    memory = ThreadPoolExecutor(_MEMORY_THREADS, thread_name_prefix="memory")
    inbox = Inbox(service.state.updates, memory)
    application = build_bot_application(token, api_url, inbox)
    try:
        await _connect(application, api_url)
        conversation = service.conversation(lambda: application.bot.username)
        assistant = Assistant(
            conversation,
            service.state,
            executor,
            admins=service.admins,
            users=service.users,
            language=service.language,
        )
        register(application, assistant)
        with _signals(service.signals, stop):
            if resumed := await inbox.resume(application.bot):
                _logger.info("going on with %d updates that an earlier run left behind", resumed)
            await _run(application, service, inbox, executor, stop)
    finally:
        await application.shutdown()
        await inbox.release()
        executor.shutdown(wait=True, cancel_futures=True)
        memory.shutdown(wait=True, cancel_futures=True)


async def _connect(application: TelegramApplication, api_url: str) -> None:
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
                    "check the network, a proxy in HTTPS_PROXY, or TELEGRAM_API_URL"
                ) from None
            await asyncio.sleep(attempt)


async def _run(
    application: TelegramApplication,
    service: Service,
    inbox: Inbox,
    executor: ThreadPoolExecutor,
    stop: asyncio.Event,
) -> None:
    updater = application.updater
    if updater is None:
        raise RuntimeError("the application was built without an updater")

    def polling_failed(error: TelegramError) -> None:
        application.create_task(application.process_error(None, error))

    stopping = threading.Event()
    await application.start()
    lease = asyncio.create_task(inbox.keep(application.bot))
    try:
        await updater.start_polling(
            timeout=_POLL_SECONDS,
            allowed_updates=ALLOWED_UPDATES,
            bootstrap_retries=-1,
            error_callback=polling_failed,
        )
        _logger.info("@%s is answering", application.bot.username)
        beside = asyncio.gather(_beside(service, executor, stopping), publish_menu(application.bot))
        await stop.wait()
        stopping.set()
        beside.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beside
    finally:
        stopping.set()
        if updater.running:
            await updater.stop()
        await application.stop()
        lease.cancel()


async def _beside(service: Service, executor: ThreadPoolExecutor, stopping: threading.Event) -> None:
    """What is done while answering; its failure is logged and the bot goes on."""
    try:
        await asyncio.get_running_loop().run_in_executor(executor, service.beside, stopping)
    except Exception:
        _logger.exception("bringing the articles up to date failed; answering from what is there")


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
