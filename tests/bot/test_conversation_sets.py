"""Follow-ups find their article, and questions that only look like follow-ups stay as they are."""

import random

import pytest

from bot.interpreting import Interpreter
from retrieval import Retriever

from .conversation_sets import SETS, follow_ups, last_turn, lines, look_alikes, share


@pytest.fixture(scope="module")
def interpreter(demo_retriever: Retriever) -> Interpreter:
    return Interpreter(demo_retriever)


@pytest.mark.parametrize("name", SETS)
def test_the_sets_are_what_they_should_be(name: str) -> None:
    conversations = lines(name)
    assert len({each["id"] for each in conversations}) == len(conversations) > 50
    assert all(2 <= len(each["turns"]) <= 4 for each in conversations)
    assert {each["language"] for each in conversations} == {"zh-Hans", "zh-Hant", "en"}
    assert {each["follow_up"] for each in conversations} == {True, False}


@pytest.mark.parametrize("name", SETS)
def test_last_turns_find_their_article_first(interpreter: Interpreter, name: str) -> None:
    outcomes = list(follow_ups(interpreter, name))
    assert share(outcomes) >= 0.85, [each for each in outcomes if not each.right]


@pytest.mark.parametrize("name", SETS)
def test_questions_that_only_look_like_follow_ups_are_unchanged(interpreter: Interpreter, name: str) -> None:
    outcomes = list(look_alikes(interpreter, name))
    assert share(outcomes) >= 0.95, [each for each in outcomes if not each.right]


def test_whole_questions_after_one_about_something_else_are_unchanged(interpreter: Interpreter) -> None:
    questions = lines("demo_questions")
    chance = random.Random(7)
    changed = []
    for each in questions:
        other = chance.choice([one for one in questions if one["article"] != each["article"]])
        meaning, _ = last_turn(interpreter, [other["question"], each["question"]])
        if meaning.follows:
            changed.append((other["question"], each["question"], meaning.turn.text))
    assert len(changed) <= 0.05 * len(questions), changed


@pytest.mark.parametrize("question", ["今天股市怎么样？", "股市昨天跌了吗？"])
def test_the_time_a_question_names_makes_it_no_follow_up(interpreter: Interpreter, question: str) -> None:
    meaning, response = last_turn(interpreter, ["朱鹮为什么濒危？", question])
    assert not meaning.follows
    assert response is not None
    assert not response.answered
