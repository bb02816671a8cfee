"""An archive on a server that goes away: the bot says that it cannot search just now, then answers again."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from bot.conversation import Chat, Conversation
from bot.greeting import Greeter
from bot.i18n import Language
from bot.links import TelegramLinks, TerminalLinks
from bot.opening import demo_collection, overview, synchronise
from bot.serving import Service
from bot.state import State
from bot.suggestions import Suggestions
from bot.terminal import Terminal
from retrieval import Retriever
from retrieval.locations import MilvusLocation

from ..retrieval.milvus.proxy import Proxy
from ..retrieval.milvus.server import LiteServer
from .api_server import ApiServer
from .conftest import RunningBot

QUESTION = "洛阳桥为什么要养牡蛎？"
SORRY = "文章库暂时连不上，现在无法搜索。请过一会儿再试。"


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    server = LiteServer(tmp_path / "server.db")
    server.start()
    proxy = Proxy(server.port)
    yield proxy
    proxy.close()
    server.close()


@pytest.fixture
def retriever(proxy: Proxy) -> Iterator[Retriever]:
    """The sample articles on a server."""
    place = MilvusLocation(
        uri=f"http://127.0.0.1:{proxy.port}", name="demo", consistency="Strong", timeout=0.5
    )
    with Retriever.open(place) as retriever:
        synchronise(retriever, demo_collection(Path("unused")).sources)
        yield retriever


@pytest.fixture
def conversation(retriever: Retriever, state: State) -> Callable[[Callable[[], str]], Conversation]:
    def build(username: Callable[[], str]) -> Conversation:
        suggestions = Suggestions(retriever, demo_collection(Path("unused")).questions)
        greeter = Greeter(lambda: overview(retriever), suggestions, state)
        return Conversation(retriever, state, TelegramLinks(username, state), greeter)

    return build


@pytest.fixture
async def bot(
    server: ApiServer, conversation: Callable[[Callable[[], str]], Conversation], state: State
) -> AsyncIterator[RunningBot]:
    bot = RunningBot(server, Service(conversation, state, signals=()))
    await bot.start()
    yield bot
    await bot.stop()
    assert server.refusals == []


async def test_it_says_so_and_recovers_by_itself(server: ApiServer, bot: RunningBot, proxy: Proxy) -> None:
    answer = await server.answer_to(QUESTION)
    first = answer.text
    assert "洛阳桥" in first
    proxy.refusing = True
    assert (await server.answer_to(QUESTION)).text == SORRY
    assert (await server.answer_to("/start")).text == SORRY
    proxy.refusing = False
    for _ in range(20):  # the connection is made anew at one of the next questions
        again = await server.answer_to(QUESTION)
        if again.text != SORRY:
            break
    assert again.text == first


def test_the_terminal_says_so(retriever: Retriever, proxy: Proxy, state: State) -> None:
    from io import StringIO

    from rich.console import Console

    greeter = Greeter(lambda: overview(retriever), Suggestions(retriever), state)
    conversation = Conversation(retriever, state, TerminalLinks(), greeter)
    told = StringIO()
    chat = Chat("terminal", Language.SIMPLIFIED_CHINESE)
    terminal = Terminal(conversation, chat, Console(file=told), interactive=False)
    proxy.refusing = True
    terminal.run([QUESTION])
    assert SORRY in told.getvalue()
    assert "Traceback" not in told.getvalue()
