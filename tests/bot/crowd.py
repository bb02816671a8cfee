"""Many users at once, each asking one question after another and noting what came back and how soon."""

import asyncio
import contextlib
import random
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from .api_server import QUERY_LIFE, ApiServer, Person, Sent

PATIENCE = 120.0
"""Seconds a user waits for an answer before it counts as lost."""

_FIRST_HIT = re.compile(r"^1\. (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Asked:
    """A question, and the title of the article that answers it: by it an answer is known again."""

    question: str
    title: str


@dataclass
class Outcome:
    """What the users of a run saw."""

    seconds: list[float] = field(default_factory=list)
    lost: int = 0
    repeated: int = 0
    most_repeated: int = 0
    disordered: int = 0
    ratings: dict[tuple[int, str], int] = field(default_factory=dict)

    def quantile(self, share: float) -> float:
        """The time within which a share of the answers came, in seconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Crowd:
    """`users` people with `rounds` questions each; all of them start at the same moment."""

    def __init__(self, server: ApiServer, questions: Sequence[Asked], users: int, rounds: int) -> None:
        self._server = server
        self._plans = {
            1000 + user: [questions[(user * rounds + turn) % len(questions)] for turn in range(rounds)]
            for user in range(users)
        }
        self._outcome = Outcome()
        self.answered = 0
        self._marks: dict[float, asyncio.Event] = {}

    async def ask(self, *, pause: float = 0.0, rating: bool = False) -> Outcome:
        """Everybody asks, waits for the answer, reads for about `pause` seconds, rates it, and asks again."""
        people = [self._user(Person(user), plan, pause, rating) for user, plan in self._plans.items()]
        await asyncio.gather(*people)
        return self._outcome

    async def ask_in_bursts(self) -> Outcome:
        """Everybody writes all their questions at once, without waiting for answers."""
        people = [self._impatient(Person(user), plan) for user, plan in self._plans.items()]
        await asyncio.gather(*people)
        return self._outcome

    async def until_answered(self, number: float) -> None:
        """Wait until so many answers have come in all."""
        if self.answered < number:
            await self._marks.setdefault(number, asyncio.Event()).wait()

    def judge(self) -> Outcome:
        """Compare each chat's messages with its questions, once all is quiet."""
        outcome = self._outcome
        outcome.lost = outcome.repeated = outcome.most_repeated = outcome.disordered = 0
        for user, plan in self._plans.items():
            mine = sorted(
                (number, sent) for (chat, number), sent in self._server.messages.items() if chat == user
            )
            titles = [title for _, sent in mine if (title := title_of(sent))]
            wanted = Counter(each.title for each in plan)
            got = Counter(titles)
            outcome.lost += sum((wanted - got).values())
            repeats = sum((got - wanted).values())
            outcome.repeated += repeats
            outcome.most_repeated = max(outcome.most_repeated, repeats)
            once = [title for title, _ in groupby(titles)]
            outcome.disordered += once != [each.title for each in plan] and not outcome.lost
        return outcome

    async def _user(self, person: Person, plan: list[Asked], pause: float, rating: bool) -> None:
        heard = self._server.listen(person.id)
        chance = random.Random(person.id)
        await asyncio.sleep(pause * chance.random())
        for asked in plan:
            started = time.perf_counter()
            await self._server.say(asked.question, person)
            sent = await self._hear(heard, asked.title, started)
            if sent is not None and rating and "👍" in sent.buttons:
                self._outcome.ratings[person.id, asked.question] = await self._rate(sent, person, chance)
            await asyncio.sleep(pause * 2 * chance.random())

    async def _impatient(self, person: Person, plan: list[Asked]) -> None:
        heard = self._server.listen(person.id)
        started = time.perf_counter()
        for asked in plan:
            await self._server.say(asked.question, person)
        for asked in plan:
            await self._hear(heard, asked.title, started)

    async def _hear(self, heard: "asyncio.Queue[Sent]", title: str, started: float) -> Sent | None:
        """Wait for the answer of that title; others are earlier ones told again."""
        try:
            async with asyncio.timeout(PATIENCE):
                while title_of(sent := await heard.get()) != title:
                    pass
        except TimeoutError:
            return None
        self._outcome.seconds.append(time.perf_counter() - started)
        self.answered += 1
        for due, reached in self._marks.items():
            if self.answered >= due:
                reached.set()
        return sent

    async def _rate(self, sent: Sent, person: Person, chance: random.Random) -> int:
        good = chance.random() < 0.5
        query = await self._server.press(sent, "👍" if good else "👎", person)
        with contextlib.suppress(TimeoutError):  # too late for a notice; the rating counts all the same
            await asyncio.wait_for(query.settled.wait(), QUERY_LIFE + 1)
        return 1 if good else -1


def title_of(sent: Sent) -> str:
    """The title of an answer's first hit; '' where the message is no answer."""
    found = _FIRST_HIT.search(sent.text)
    return found[1] if found else ""
