"""Whole conversations over the sample articles, and how many of them end as they should.

python -m tests.bot.conversation_sets [FOLDER…]
"""

import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.interpreting import Asked, Interpreter
from bot.memory import TURNS, Meaning
from bot.opening import demo_collection, synchronise
from retrieval import Article, Retriever
from retrieval.types import SearchResponse

DATA = Path(__file__).resolve().parents[1] / "data"
SETS = ("conversations", "conversations_held_out")
"""The first was used to make the rules; the second was written afterwards, and no rule was changed for it."""


@dataclass(frozen=True)
class Outcome:
    """A conversation's last turn: what was asked, what it was taken to mean, and whether that was right."""

    turns: Sequence[str]
    taken_for: str
    right: bool


def lines(name: str) -> list[dict[str, Any]]:
    """The conversations (or questions) of a set."""
    text = (DATA / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def last_turn(interpreter: Interpreter, turns: Sequence[str]) -> tuple[Meaning, SearchResponse | None]:
    """What the last turn of a conversation was taken to mean, and what was found."""
    before: list[Meaning] = []
    for number, turn in enumerate(turns, start=1):
        meaning, response = interpreter.read(Asked(number, turn), before)
        before = [*before, meaning][-TURNS:]
    return meaning, response


def follow_ups(interpreter: Interpreter, name: str) -> Iterator[Outcome]:
    """The follow-ups of a set: right where the article they are about is found first."""
    for each in lines(name):
        if each["follow_up"]:
            meaning, response = last_turn(interpreter, each["turns"])
            first = response.hits[0].article_id if response and response.hits else None
            yield Outcome(each["turns"], meaning.turn.text, first == f"{each['article']}.md")


def look_alikes(interpreter: Interpreter, name: str) -> Iterator[Outcome]:
    """The questions of a set that only look like follow-ups: right where they are searched as they stand."""
    for each in lines(name):
        if not each["follow_up"]:
            meaning, _ = last_turn(interpreter, each["turns"])
            unchanged = not meaning.follows and meaning.turn.text == each["turns"][-1]
            yield Outcome(each["turns"], meaning.turn.text, unchanged and meaning.filters is None)


def share(outcomes: Sequence[Outcome]) -> float:
    """The share of right ones."""
    return sum(each.right for each in outcomes) / len(outcomes)


def in_any_order(folder: Path, count: int = 300) -> Iterator[Outcome]:
    """Questions of a data set in BEIR layout, one after another in an order by chance: right where each is
    searched as it stands, since none has to do with the one before."""
    documents = map(json.loads, (folder / "corpus.jsonl").open(encoding="utf-8"))
    questions = [json.loads(line)["text"] for line in (folder / "queries.jsonl").open(encoding="utf-8")]
    random.Random(5).shuffle(questions)
    with tempfile.TemporaryDirectory() as index, Retriever.open(index) as retriever:
        retriever.add(
            Article(id=each["_id"], title=each.get("title", ""), text=each["text"]) for each in documents
        )
        interpreter = Interpreter(retriever)
        before: list[Meaning] = []
        for number, question in enumerate(questions[:count], start=1):
            meaning, _ = interpreter.read(Asked(number, question), before)
            said = [before[-1].turn.text, question] if before else [question]
            yield Outcome(said, meaning.turn.text, not meaning.follows)
            before = [*before, meaning][-TURNS:]


def report(name: str, outcomes: Sequence[Outcome]) -> None:
    """Print how many were right, and those that were not."""
    print(f"{name}: {share(outcomes):.3f} of {len(outcomes)}")
    for each in outcomes:
        if not each.right:
            print(f"  {each.turns} → {each.taken_for}")


def main(folders: Sequence[str]) -> None:
    """Print the figures of both sets, or of other data sets."""
    for name in folders:
        report(name, list(in_any_order(Path(name))))
    if folders:
        return
    with tempfile.TemporaryDirectory() as folder:
        collection = demo_collection(Path(folder) / "index")
        with Retriever.open(collection.index) as retriever:
            synchronise(retriever, collection.sources)
            for name in SETS:
                for kind in (follow_ups, look_alikes):
                    report(f"{name} {kind.__name__}", list(kind(Interpreter(retriever), name)))


if __name__ == "__main__":
    main(sys.argv[1:])
