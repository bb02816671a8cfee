"""Many users at once, over HTTP and under Telegram's own flood control: all answered, once, in order."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.conversation import Conversation
from bot.links import Links, TelegramLinks
from bot.serving import Service
from bot.state import State
from retrieval import Article, Retriever

from .api_server import TOKEN, ApiServer, Limits
from .conftest import RunningBot
from .crowd import Asked, Crowd

ROOT = Path(__file__).resolve().parents[2]
PORTS = ("云港", "石浦", "明湾", "青岬", "龙口", "白沙", "金屿", "赤湾", "乌石", "碧津", "长汀", "双桥")
GOODS = ("茶叶", "瓷器", "棉布", "蔗糖", "木材", "海盐", "铁器", "纸张", "药材", "丝绸")


def article(number: int) -> Article:
    """One port and one good: a question that names both has one answer."""
    port, good = PORTS[number % len(PORTS)], GOODS[number // len(PORTS)]
    return Article(
        id=str(number),
        title=f"{port}的{good}",
        text=f"{port}每年运出{good}{100 + number}吨。\n{port}的码头上堆满了{good}，船工日夜装卸。",
    )


COUNT = len(PORTS) * len(GOODS)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index in which every question below has its own article."""
    folder = tmp_path_factory.mktemp("ports") / "index"
    with Retriever.open(folder) as retriever:
        retriever.add([article(number) for number in range(COUNT)])
    return folder


@pytest.fixture(scope="module")
def questions(index: Path) -> list[Asked]:
    with Retriever.open(index) as retriever:
        asked = [
            Asked(f"{port}每年运出多少吨{good}？", f"{port}的{good}") for good in GOODS for port in PORTS
        ]
        responses = [retriever.search(each.question) for each in asked]
    first = [each for each, found in zip(asked, responses, strict=True) if found.hits[0].title == each.title]
    assert len(first) == COUNT
    assert sum(found.answered for found in responses) == COUNT
    return first


@pytest.fixture
async def crowded(server: ApiServer, index: Path, state: State) -> AsyncIterator[RunningBot]:
    from bot.greeting import Greeter
    from bot.opening import overview
    from bot.suggestions import Suggestions

    with Retriever.open(index) as retriever:

        def conversation(username: Callable[[], str]) -> Conversation:
            links: Links = TelegramLinks(username, state)
            greeter = Greeter(lambda: overview(retriever), Suggestions(retriever), state)
            return Conversation(retriever, state, links, greeter)

        bot = RunningBot(server, Service(conversation, state, signals=()))
        await bot.start()
        yield bot
        await bot.stop()


async def test_forty_users_who_write_all_they_ask_at_once(
    server: ApiServer, crowded: RunningBot, questions: list[Asked]
) -> None:
    crowd = Crowd(server, questions, users=40, rounds=4)
    await crowd.ask_in_bursts()
    outcome = crowd.judge()
    assert (crowd.answered, outcome.lost, outcome.repeated, outcome.disordered) == (160, 0, 0, 0)
    assert {each.split(":")[0] for each in server.refusals} <= {"Too Many Requests"}


async def test_killed_five_times_under_load_nothing_is_lost(
    index: Path, questions: list[Asked], tmp_path: Path
) -> None:
    server = ApiServer(limits=Limits(overall=None))
    await server.start()
    state = tmp_path / "state.sqlite3"
    environment = {
        **os.environ,
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_API_URL": server.url,
        "WENDA_INDEX": str(index),
        "WENDA_STATE": str(state),
        "WENDA_SOURCES": "",
    }

    async def start() -> asyncio.subprocess.Process:
        command = [sys.executable, "-m", "bot"]
        with (tmp_path / "log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *command, env=environment, cwd=ROOT, stdout=log, stderr=log
            )

    process = await start()
    crowd = Crowd(server, questions, users=12, rounds=6)
    asking = asyncio.create_task(crowd.ask(pause=0.2, rating=True))
    for kill in range(1, 6):
        await crowd.until_answered(12 * kill)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        process = await start()
    outcome = await asking
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 30) == 0
    await server.stop()
    crowd.judge()
    assert (crowd.answered, outcome.lost, outcome.disordered) == (72, 0, 0)
    assert outcome.most_repeated <= 5
    assert outcome.ratings
    with sqlite3.connect(state) as connection:
        rows = connection.execute("SELECT chat, text, rating FROM questions WHERE rating IS NOT NULL")
        kept = {(int(chat), text): rating for chat, text, rating in rows}
        assert connection.execute("SELECT count(*) FROM inbox WHERE payload IS NOT NULL").fetchone() == (0,)
    connection.close()
    assert {key: kept.get(key) for key in outcome.ratings} == outcome.ratings
    assert TOKEN not in (tmp_path / "log").read_text(errors="replace")
