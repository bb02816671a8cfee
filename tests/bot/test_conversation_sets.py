"""Whole conversations over the sample articles: follow-ups find their article, look-alikes stay unchanged."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bot.interpreting import Asked, Interpreter
from bot.memory import Meaning
from retrieval import Retriever
from retrieval.types import SearchResponse

DATA = Path(__file__).resolve().parents[1] / "data"
SETS = ("conversations", "conversations_unseen")


def lines(name: str) -> list[dict[str, Any]]:
    text = (DATA / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def interpreter(demo_retriever: Retriever) -> Interpreter:
    return Interpreter(demo_retriever)


def last_turn(interpreter: Interpreter, turns: list[str]) -> tuple[Meaning, SearchResponse | None]:
    before: list[Meaning] = []
    for number, turn in enumerate(turns, start=1):
        meaning, response = interpreter.read(Asked(number, turn), before)
        before = [*before, meaning][-4:]
    return meaning, response


@pytest.mark.parametrize("name", SETS)
def test_the_sets_are_what_they_should_be(name: str) -> None:
    conversations = lines(name)
    assert len({each["id"] for each in conversations}) == len(conversations) >= 60
    assert all(2 <= len(each["turns"]) <= 4 for each in conversations)
    assert {each["language"] for each in conversations} == {"zh-Hans", "zh-Hant", "en"}
    assert {each["follow_up"] for each in conversations} == {True, False}


@pytest.mark.parametrize("name", SETS)
def test_last_turns_find_their_article_first(interpreter: Interpreter, name: str) -> None:
    followups = [each for each in lines(name) if each["follow_up"]]
    missed = []
    for each in followups:
        meaning, response = last_turn(interpreter, each["turns"])
        hits = response.hits if response else ()
        if not hits or hits[0].article_id != f"{each['article']}.md":
            missed.append((each["turns"], meaning.turn.text))
    assert 1 - len(missed) / len(followups) >= 0.85, missed


@pytest.mark.parametrize("name", SETS)
def test_questions_that_only_look_like_follow_ups_are_unchanged(interpreter: Interpreter, name: str) -> None:
    others = [each for each in lines(name) if not each["follow_up"]]
    changed = []
    for each in others:
        meaning, _ = last_turn(interpreter, each["turns"])
        if meaning.follows or meaning.turn.text != each["turns"][-1] or meaning.filters:
            changed.append((each["turns"], meaning.turn.text))
    assert 1 - len(changed) / len(others) >= 0.95, changed


def test_whole_questions_after_one_about_something_else_are_unchanged(interpreter: Interpreter) -> None:
    questions = lines("demo_questions")
    chance = random.Random(7)
    changed = []
    for each in questions:
        other = chance.choice([one for one in questions if one["article"] != each["article"]])
        meaning, _ = last_turn(interpreter, [other["question"], each["question"]])
        if meaning.follows:
            changed.append((other["question"], each["question"], meaning.turn.text))
    assert 1 - len(changed) / len(questions) >= 0.95, changed
