"""Whole conversations over the sample articles, and how many of them end as they should.

python -m tests.bot.conversation_sets
"""

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.interpreting import Asked, Interpreter
from bot.memory import TURNS, Meaning
from bot.opening import demo_collection, synchronise
from retrieval import Retriever
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


def main() -> None:
    """Print the figures of both sets."""
    with tempfile.TemporaryDirectory() as folder:
        collection = demo_collection(Path(folder) / "index")
        with Retriever.open(collection.index) as retriever:
            synchronise(retriever, collection.sources)
            interpreter = Interpreter(retriever)
            for name in SETS:
                for kind in (follow_ups, look_alikes):
                    outcomes = list(kind(interpreter, name))
                    print(f"{name} {kind.__name__}: {share(outcomes):.3f} of {len(outcomes)}")
                    print(
                        *(f"  {each.turns} → {each.taken_for}" for each in outcomes if not each.right),
                        sep="\n",
                    )


if __name__ == "__main__":
    main()
