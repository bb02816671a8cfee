"""Articles that are told apart by a word of their own, and what may be found of them while they change.

A lighthouse stands (it is never touched) or passes (it is added, rebuilt and torn down). Its title and its
text name the same version: a hit that does not is half of one state and half of another.
"""

import random
import re
import time

from retrieval import Article, Retriever

_NAME = re.compile(r"(?:Standing|Passing)(\d+)v(\d+)")


def lighthouse(number: int, version: int, *, standing: bool = False) -> Article:
    """One of the articles, of some two passages."""
    article_id = f"{'Standing' if standing else 'Passing'}{number}"
    name = f"{article_id}v{version}"
    text = f"{name}是一座灯塔，高{number % 90 + 10}米，每晚照射{version + 5}海里。{'船都认得它。' * 50}"
    return Article(id=article_id, title=f"{name}号灯塔", text=f"{text}\n{text}")


class Visitor:
    """Asks for lighthouses at random, and notes what is wrong with the answers."""

    def __init__(
        self, retriever: Retriever, *, standing: int, passing: int, versions: int, seed: int
    ) -> None:
        self.problems: list[str] = []
        self.milliseconds: list[float] = []
        self._retriever = retriever
        self._standing, self._passing, self._versions = standing, passing, versions
        self._dice = random.Random(seed)

    def ask(self) -> None:
        """One question: a standing lighthouse must be found, a passing one may be, but only as a whole."""
        stands = self._dice.random() < 0.5
        count = self._standing if stands else self._passing
        version = 0 if stands else self._dice.randrange(self._versions)
        name = f"{'Standing' if stands else 'Passing'}{self._dice.randrange(count)}v{version}"
        started = time.perf_counter()
        hits = self._retriever.search(f"{name}高多少米", understand=False).hits
        self.milliseconds.append((time.perf_counter() - started) * 1000)
        if stands and not any(name in hit.text for hit in hits):
            self.problems.append(f"{name} has vanished")
        for hit in hits:
            named = {match[0] for match in _NAME.finditer(f"{hit.title} {hit.text}")}
            if len(named) > 1 or (named and not next(iter(named)).startswith(f"{hit.article_id}v")):
                self.problems.append(f"{hit.article_id} was found as {sorted(named)}")
