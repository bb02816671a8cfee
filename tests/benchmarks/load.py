"""Many users at once, against the real bot in a process of its own and the tests' Bot API server:

    python -m tests.benchmarks.load --index INDEX [--users 200] [--questions 2000] [--pause 0]
    python -m tests.benchmarks.load --index INDEX --kills 50

The index is any that `python -m retrieval index` made; the questions are sentences of its articles. Flood
control is lifted on the server for the measurement: Telegram itself takes about 30 messages a second. With
`--kills` the bot is killed (SIGKILL) that often meanwhile and started again. Prints one JSON object.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from retrieval import Retriever
from retrieval.segmentation import split_sentences

from ..bot.api_server import TOKEN, ApiServer, Limits
from ..bot.crowd import Asked, Crowd

POINTING = re.compile("[他她它你我这那其此该两双女男“”]|以上|同时|前者|后者")
"""Words by which a question would continue the conversation before it, and somebody's own words."""

DISTINCT = 400
"""How many different questions are asked at most."""


def questions_from(index: Path, wanted: int) -> list[Asked]:
    """Questions with different first hits: sentences out of the middle of articles, none that points back."""
    found: dict[str, Asked] = {}
    with Retriever.open(index) as retriever:
        for article in retriever.articles(order="newest"):
            spans = split_sentences(article.text)
            sentences = [" ".join(article.text[start:end].split()) for start, end in spans]
            question = next(
                (each for each in sentences[1:] if 14 <= len(each) <= 40 and not POINTING.search(each)), ""
            )
            response = retriever.search(question) if question else None
            if response and response.answered and not response.understood:
                title = " ".join(response.hits[0].title.split())
                if len(title) < 100:
                    found.setdefault(title, Asked(question, title))
            if len(found) >= wanted:
                break
    return list(found.values())


class BotProcess:
    """The bot, started, killed and started again."""

    def __init__(self, server: ApiServer, index: Path, folder: Path) -> None:
        self.state, self.log, self.beats = folder / "state.sqlite3", folder / "log", folder / "beats.json"
        self._environment = {
            **os.environ,
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_API_URL": server.url,
            "WENDA_INDEX": str(index),
            "WENDA_STATE": str(self.state),
            "WENDA_SOURCES": "",
            "WENDA_MESSAGES_PER_SECOND": "1000",
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, *, measured: bool = False) -> None:
        """Start it; `measured` with a heartbeat."""
        module = ["tests.benchmarks.heartbeat", str(self.beats)] if measured else ["bot"]
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *module, env=self._environment, stdout=log, stderr=log
            )

    async def end(self, how: signal.Signals) -> int:
        """Send it a signal and wait until it has ended."""
        if self._process is None:
            return 0
        self._process.send_signal(how)
        return await self._process.wait()


async def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """One run; its figures."""
    questions = await asyncio.to_thread(questions_from, arguments.index, DISTINCT)
    rounds = arguments.questions // arguments.users
    server = ApiServer(limits=Limits(overall=None, private=None, group=None))
    await server.start()
    bot = BotProcess(server, arguments.index, folder)
    crowd = Crowd(server, questions, arguments.users, rounds)
    await bot.start(measured=not arguments.kills)
    await server.wait(lambda: any(name == "getUpdates" for name, _ in server.calls), 60)
    await asyncio.sleep(1)
    idle = await _idle(folder / "idle.json")
    killing = asyncio.create_task(_kill(bot, crowd, arguments))
    started = time.perf_counter()
    if arguments.bursts:
        outcome = await crowd.ask_in_bursts()
    else:
        outcome = await crowd.ask(pause=arguments.pause, rating=bool(arguments.kills))
    took = time.perf_counter() - started
    kills = await killing
    await _quiet(server)
    crowd.judge()
    await bot.end(signal.SIGTERM)
    if idle.returncode is None:
        idle.send_signal(signal.SIGTERM)
        await idle.wait()
    await server.stop()
    figures = {
        "users": arguments.users,
        "questions": rounds * arguments.users,
        "answers": len(outcome.seconds),
        "lost": outcome.lost,
        "repeated": outcome.repeated,
        "most_repeated_in_a_chat": outcome.most_repeated,
        "chats_out_of_order": outcome.disordered,
        "refused_by_the_server": len(server.refusals),
        "refusals": sorted(set(server.refusals)),
        "answers_a_second": round(len(outcome.seconds) / took, 1),
        "p50_ms": round(1000 * outcome.quantile(0.5)),
        "p95_ms": round(1000 * outcome.quantile(0.95)),
        "worst_ms": round(1000 * max(outcome.seconds)),
        "token_in_log": TOKEN in bot.log.read_text(errors="replace"),
        "tracebacks_in_log": bot.log.read_text(errors="replace").count("Traceback"),
    }
    if arguments.kills:
        return figures | {"kills": kills, **_remembered(bot.state, outcome.ratings)}
    idle_loop = json.loads((folder / "idle.json").read_text())
    return figures | {"event_loop": json.loads(bot.beats.read_text()), "an_idle_loop": idle_loop}


async def _idle(output: Path) -> asyncio.subprocess.Process:
    """A process whose event loop has nothing to do, to tell the bot's own delays from the machine's."""
    arguments = ["-m", "tests.benchmarks.heartbeat", str(output), "--idle"]
    return await asyncio.create_subprocess_exec(sys.executable, *arguments)


async def _quiet(server: ApiServer) -> None:
    """Wait until the bot has done nothing but ask for updates for five seconds."""
    for _ in range(60):
        before = sum(name != "getUpdates" for name, _ in server.calls)
        await asyncio.sleep(5)
        if before == sum(name != "getUpdates" for name, _ in server.calls):
            return


async def _kill(bot: BotProcess, crowd: Crowd, arguments: argparse.Namespace) -> int:
    """Kill the bot so often, evenly over the questions, and start it again each time."""
    done = 0
    for number in range(arguments.kills):
        due = arguments.questions * (number + 1) / (arguments.kills + 2)
        await crowd.until_answered(due)
        await bot.end(signal.SIGKILL)
        await bot.start()
        done += 1
    return done


def _remembered(state: Path, ratings: dict[tuple[int, str], int]) -> dict[str, Any]:
    """How many of the ratings given are in the bot's memory, and what is left in its inbox."""
    connection = sqlite3.connect(state)
    kept = {
        (int(chat.split("/")[0]), text): rating
        for chat, text, rating in connection.execute(
            "SELECT chat, text, rating FROM questions WHERE rating IS NOT NULL"
        )
    }
    left = connection.execute("SELECT count(*) FROM inbox WHERE payload IS NOT NULL").fetchone()[0]
    connection.close()
    intact = sum(kept.get(key) == rating for key, rating in ratings.items())
    return {"ratings": len(ratings), "ratings_intact": intact, "left_in_inbox": left}


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--questions", type=int, default=2000)
    parser.add_argument(
        "--pause", type=float, default=0.0, help="mean seconds between answer and next question"
    )
    parser.add_argument("--bursts", action="store_true", help="every user writes all questions at once")
    parser.add_argument("--kills", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(measure(arguments, Path(folder))), ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
