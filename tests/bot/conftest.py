"""Fixtures of the bot's tests: a small archive, a conversation over it, and a bot on a Bot API server."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bot.application import Connection
from bot.conversation import Chat, Conversation
from bot.greeting import Greeter
from bot.i18n import Language
from bot.links import Links, TelegramLinks, TerminalLinks
from bot.opening import demo_collection, overview, synchronise
from bot.serving import Service, serve
from bot.state import State
from bot.suggestions import Suggestions
from bot.webhook import Webhook
from retrieval import Retriever

from .api_client import Api
from .api_server import TOKEN, ApiServer
from .archives import FakeArchive, river_articles
from .postgres import Databases
from .replicas import free_port

BOTH_WAYS = pytest.mark.parametrize("transport", ["polling", "webhook"], indirect=True)
"""Marks tests of a running bot to be done twice."""

collect_ignore = [] if importlib.util.find_spec("milvus_lite") else ["test_end_to_end_unavailable.py"]


@pytest.fixture
def archive() -> FakeArchive:
    return FakeArchive(river_articles())


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    databases = Databases()
    yield databases
    databases.close()


@pytest.fixture(params=["sqlite", "postgres"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a memory may be: in a file, and in PostgreSQL."""
    if request.param == "sqlite":
        return str(tmp_path / "deep" / "bot.sqlite3")
    databases: Databases = request.getfixturevalue("databases")
    return databases.new()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State.open(tmp_path / "bot.sqlite3")
    yield state
    state.close()


@pytest.fixture
def converse(archive: FakeArchive, state: State) -> Callable[[Links], Conversation]:
    """A conversation over the archive, for a surface's links."""

    def build(links: Links) -> Conversation:
        return Conversation(archive, state, links, Greeter(archive.overview, Suggestions(archive), state))

    return build


@pytest.fixture
def conversation(converse: Callable[[Links], Conversation]) -> Conversation:
    return converse(TerminalLinks())


@pytest.fixture
def chat() -> Chat:
    return Chat("42", Language.SIMPLIFIED_CHINESE)


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    server = ApiServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def api(server: ApiServer) -> AsyncIterator[Api]:
    """A bare client, after user 42 said hello."""
    async with ClientSession() as session:
        await server.say("hello")
        yield Api(server, session)


@pytest.fixture
def transport(request: pytest.FixtureRequest) -> Webhook | None:
    """How updates come to the bot: it polls, unless a test is marked with BOTH_WAYS."""
    if getattr(request, "param", "polling") == "polling":
        return None
    port = free_port()
    return Webhook(f"http://127.0.0.1:{port}/wenda", "127.0.0.1", port, "wenda", "s3cret")


class RunningBot:
    """The bot's application in this event loop, to be stopped and started again."""

    def __init__(self, server: ApiServer, service: Service) -> None:
        server.local = service.webhook is not None
        self._server, self._service = server, service
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    async def start(self) -> None:
        self._stop = asyncio.Event()
        connection = Connection(self._server.url)
        self._task = asyncio.create_task(serve(TOKEN, connection, self._service, self._stop))

    async def stop(self) -> None:
        self._stop.set()
        if self._task is not None:
            await asyncio.wait_for(self._task, 20)
            self._task = None


@pytest.fixture
async def running(
    server: ApiServer,
    converse: Callable[[Links], Conversation],
    state: State,
    transport: Webhook | None,
) -> AsyncIterator[RunningBot]:
    service = Service(
        lambda username: converse(TelegramLinks(username, state)), state, webhook=transport, signals=()
    )
    bot = RunningBot(server, service)
    await bot.start()
    yield bot
    await bot.stop()
    assert server.refusals == []


@pytest.fixture(scope="session")
def demo_retriever(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Retriever]:
    """The sample articles, indexed."""
    collection = demo_collection(tmp_path_factory.mktemp("demo") / "index")
    with Retriever.open(collection.index) as retriever:
        report = synchronise(retriever, collection.sources)
        assert report is not None
        assert report.failed == ()
        yield retriever


@pytest.fixture
async def demo(
    server: ApiServer, demo_retriever: Retriever, state: State, transport: Webhook | None
) -> AsyncIterator[RunningBot]:
    """The bot over the sample articles."""
    suggestions = Suggestions(demo_retriever, demo_collection(Path("unused")).questions)

    def conversation(username: Callable[[], str]) -> Conversation:
        greeter = Greeter(lambda: overview(demo_retriever), suggestions, state)
        return Conversation(demo_retriever, state, TelegramLinks(username, state), greeter)

    bot = RunningBot(server, Service(conversation, state, webhook=transport, signals=()))
    await bot.start()
    yield bot
    await bot.stop()
    assert server.refusals == []
