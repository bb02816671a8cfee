"""Puts the parts together for one run: in the terminal, or on Telegram."""

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.access import Welcome
from bot.administration import Administration
from bot.arrivals import Arrivals
from bot.conversation import Chat, Conversation
from bot.greeting import Greeter
from bot.hashtags import Hashtags
from bot.i18n import language_of, texts
from bot.keeping import Keeper
from bot.links import TelegramLinks, TerminalLinks
from bot.opening import (
    Collection,
    demo_collection,
    open_retriever,
    overview,
    own_collection,
    synchronise,
)
from bot.settings import Settings, data_folder, system_language, time_zone
from bot.state import State
from bot.suggestions import Suggestions
from retrieval.errors import RetrievalError
from retrieval.interpreter import settle
from retrieval.locations import MilvusLocation
from retrieval.warming import warm_up

if TYPE_CHECKING:
    from retrieval import Retriever

_REMOTE_SEARCHES = 4
"""So many questions wait for a server at once."""

_SWITCH_SECONDS = 0.001
"""Python's default lets a thread that computes keep the others waiting for 5 ms, the event loop too."""

_WARMING = "哪一天？"


def run_terminal(settings: Settings, *, demo: bool, question: str | None) -> None:
    """Converse on standard input and output, or answer one question."""
    from rich.console import Console

    from bot.terminal import CHAT_KEY, Terminal, progress_bar, typed_lines

    collection = _collection(settings, demo)
    state = State.open(None)
    with open_retriever(collection, settings) as retriever:
        with progress_bar() as progress:
            synchronise(
                retriever, collection.sources, progress=progress, allow_private=settings.allow_private
            )
        suggestions = Suggestions(retriever, collection.questions)
        greeter = Greeter(lambda: overview(retriever), suggestions, state, help_key="help_terminal")
        conversation = Conversation(retriever, state, TerminalLinks(), greeter)
        chat = Chat(CHAT_KEY, language_of(settings.language or system_language()))
        interactive = question is None and sys.stdin.isatty()
        terminal = Terminal(conversation, chat, Console(), interactive=interactive)
        if question is not None:
            terminal.show(terminal.answer(question))
        else:
            terminal.run(typed_lines(texts(chat.language)("prompt")) if interactive else sys.stdin)
    state.close()


def run_telegram(settings: Settings, token: str, *, demo: bool) -> None:
    """Serve Telegram until a signal ends it; the sources are brought up to date meanwhile."""
    from bot.application import connection_of
    from bot.serving import Service, serve
    from bot.webhook import webhook_of

    sys.setswitchinterval(_SWITCH_SECONDS)
    collection = _collection(settings, demo)
    state = State.open(_memory(settings, collection))
    with open_retriever(collection, settings) as retriever:
        suggestions = Suggestions(retriever, collection.questions)
        hashtags = Hashtags(retriever)
        reading = threading.Event()
        zone = time_zone(settings.timezone)

        def conversation(username: Callable[[], str]) -> Conversation:
            greeter = Greeter(
                lambda: replace(overview(retriever), growing=reading.is_set()), suggestions, state
            )
            links = TelegramLinks(username, state)
            return Conversation(retriever, state, links, greeter, hashtags=hashtags, zone=zone)

        def changed() -> None:
            suggestions.forget()
            hashtags.forget()

        keeper = _keeper(retriever, collection, settings, changed)

        def up_to_date(stopping: threading.Event) -> None:
            reading.set()
            try:
                keeper.sync(stopping=stopping)
            finally:
                reading.clear()

        def beside(stopping: threading.Event) -> None:
            up_to_date(stopping)
            settle()
            keeper.follow(stopping, every=0 if demo else settings.watch)

        if collection.disposable:
            up_to_date(threading.Event())
        service = Service(
            conversation,
            state,
            beside,
            Arrivals(retriever, state, zone).look,
            administration=Administration(keeper, state, zone),
            welcome=Welcome(settings.admins, settings.users, settings.chats),
            language=language_of(settings.language) if settings.language else None,
            questions_per_minute=settings.questions_per_minute,
            webhook=webhook_of(settings, token),
            monitor=settings.monitor,
            overview=keeper.overview,
            threads=_REMOTE_SEARCHES if isinstance(collection.index, MilvusLocation) else 1,
        )
        _warm(retriever, hashtags)
        asyncio.run(serve(token, connection_of(settings), service))
    state.close()


def _warm(retriever: "Retriever", hashtags: Hashtags) -> None:
    """Load what searching and keywords need, before anybody waits for the event loop.

    The garbage collector is spared what stays: going through all of it takes longer than the loop should
    ever be kept from its work.
    """
    with contextlib.suppress(RetrievalError):
        warm_up(retriever)
        retriever.search(_WARMING, top_k=1)
    hashtags.warm()
    settle()


def check(settings: Settings, token: str, demo: bool) -> list[str]:
    """What keeps the bot from serving Telegram, one sentence each."""
    from bot.checking import problems

    return list(
        problems(settings, token, lambda: _collection(settings, demo), lambda each: _memory(settings, each))
    )


def _keeper(
    retriever: "Retriever", collection: Collection, settings: Settings, changed: Callable[[], None]
) -> Keeper:
    return Keeper(
        retriever,
        collection.sources,
        _beside(collection, "uploads"),
        changed=changed,
        allow_private=settings.allow_private,
    )


def _collection(settings: Settings, demo: bool) -> Collection:
    if demo:
        return demo_collection(settings.location if settings.index else None)
    return own_collection(settings)


def _memory(settings: Settings, collection: Collection) -> str | Path:
    """Where the bot's memory is: what WENDA_STATE says, else a file beside the index.

    Where the index is on Milvus, the file is among the user's data.
    """
    if settings.state is not None:
        return settings.state.get_secret_value()
    return _beside(collection, "bot.sqlite3")


def _beside(collection: Collection, kind: str) -> Path:
    """A file or folder beside the index."""
    if isinstance(collection.index, MilvusLocation):
        return data_folder() / f"{collection.index.name}.{kind}"
    return collection.index.with_name(f"{collection.index.name}.{kind}")
