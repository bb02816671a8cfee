"""A run of questions over two bot processes on one PostgreSQL, one of them killed and started again."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.state import State
from retrieval import Retriever

from .api_server import TOKEN, ApiServer, Person
from .api_server.floods import Limits
from .archives import river_articles
from .postgres import Databases
from .replicas import Balancer, Replica, environment_of

QUESTIONS = {
    "口岸食堂的饺子多少钱一份": "口岸食堂",
    "口岸今天通过货车多少辆": "口岸日志",
    "莫斯科郊外的仓库有几名员工": "海外仓的一天",
    "小镇离口岸几公里": "边境小镇",
    "口岸冬天零下多少度": "口岸的冬天",
}


@dataclass(frozen=True)
class Outcome:
    """Answers a chat got too few and too many, chats out of order; how the replicas shared the updates.

    `in_responses` of the answers came with the responses to deliveries.
    """

    questions: int
    in_responses: int
    missing: int
    repeated: int
    disordered: int
    shares: tuple[int, ...]
    seconds: float


async def run(
    folder: Path, databases: Databases, *, people: int, each: int, kills: Sequence[float] = ()
) -> Outcome:
    """Have `people` ask `each` questions at once.

    `kills` are shares of the answers after which one replica, in turn, is killed and started again.
    """
    index = folder / "index"
    with Retriever.open(index) as retriever:
        retriever.add(river_articles())
    server, balancer = ApiServer(limits=Limits(None, 30, None, 20, None), local=True), Balancer()
    await server.start()
    await balancer.start()
    address = databases.new()
    environment = environment_of(
        token=TOKEN, api=server.url, webhook=balancer.url, index=index, state=address, data=folder
    )
    replicas = [Replica(environment, folder), Replica(environment, folder)]
    balancer.ports = [replica.port for replica in replicas]
    try:
        for replica in replicas:
            await replica.start()
        await server.wait(lambda: bool(server.webhook))
        return await _ask(server, balancer, replicas, address, people=people, each=each, kills=kills)
    finally:
        for replica in replicas:
            await replica.stop()
        await balancer.stop()
        await server.stop()


async def _ask(
    server: ApiServer,
    balancer: Balancer,
    replicas: list[Replica],
    address: str,
    *,
    people: int,
    each: int,
    kills: Sequence[float],
) -> Outcome:
    asked = [list(QUESTIONS)[number % len(QUESTIONS)] for number in range(each)]
    started, total = time.monotonic(), people * each
    for question in asked:
        for number in range(people):
            await server.say(question, Person(id=1000 + number))
    for victim, share in zip(itertools.cycle(replicas), sorted(kills)):
        await server.wait(lambda share=share: len(server.messages) >= share * total, 300)  # type: ignore[misc]
        await victim.kill()
        await victim.start()

    expected = [QUESTIONS[question] for question in asked]

    def answers() -> list[list[str]]:
        return [_titles(server, 1000 + number) for number in range(people)]

    def enough() -> bool:
        # Counting is quick, looking for repeated answers is not.
        return len(server.messages) >= total and all(len(_once(titles)) >= each for titles in answers())

    await server.wait(enough, 600)
    seconds = time.monotonic() - started
    await _at_rest(address)
    return Outcome(
        questions=total,
        in_responses=server.in_responses,
        missing=sum(each - len(_once(titles)) for titles in answers()),
        repeated=sum(len(titles) - len(_once(titles)) for titles in answers()),
        disordered=sum(_once(titles) != expected for titles in answers()),
        shares=tuple(balancer.taken.get(replica.port, 0) for replica in replicas),
        seconds=seconds,
    )


async def _at_rest(address: str) -> None:
    """Wait until every update is finished: an answer that would come again comes before that."""
    state = State.open(address)
    for _ in range(600):
        if not state.updates.unfinished():
            break
        await asyncio.sleep(0.1)
    assert state.updates.unfinished() == []
    state.close()


def _titles(server: ApiServer, chat: int) -> list[str]:
    """The title of each answer's first hit, in the order of the answers."""
    sent = sorted(
        (number, message.text) for (where, number), message in server.messages.items() if where == chat
    )
    return [text.split("\n")[0].removeprefix("1. ") for _, text in sent]


def _once(titles: list[str]) -> list[str]:
    """Each answer once where it came twice in a row."""
    return [title for place, title in enumerate(titles) if not place or titles[place - 1] != title]
