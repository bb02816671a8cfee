"""What a conversation remembers, how long, and across restarts."""

from collections.abc import Iterator

import pytest

from bot.followups import Turn
from bot.memory import LIFE, TURNS, Meaning, Memory, Option
from bot.state import State
from retrieval.types import Filters


def meaning(number: int) -> Meaning:
    return Meaning(
        number,
        Turn(f"问题{number}", ("赵州桥", "桥"), (("a", "甲"), ("b", "乙")), answered=bool(number % 2)),
        Filters(after="2020-01-01", sources=("新浪",), article_ids=("a",)),
        skip=(1, 2),
        shown=(3,),
        options=(Option("桥", "桥有多长", "a"), Option("河", "河有多长")),
        follows=True,
        literal=True,
    )


@pytest.fixture
def state(location: str) -> Iterator[State]:
    state = State.open(location)
    yield state
    state.close()


def test_everything_comes_back_as_it_was_even_after_a_restart(location: str) -> None:
    state = State.open(location)
    Memory(state.database).note("1/0/1", meaning(1))
    Memory(state.database).note("1/0/1", Meaning(2, Turn("空", ())))
    Memory(state.database).note("9/0/9", meaning(3), now=1000)
    Memory(state.database).link("-1001234567890", 77, 1)
    state.close()
    state = State.open(location)
    memory = Memory(state.database)
    assert memory.recall("1/0/1") == [meaning(1), Meaning(2, Turn("空", ()))]
    assert memory.recall("9/0/9", now=1000) == []
    assert memory.answered_by("-1001234567890", 77) == meaning(1)
    assert memory.answered_by("2", 77) is None
    assert memory.meaning(4) is None
    state.close()


def test_a_thread_lives_so_long_and_holds_so_much(state: State) -> None:
    memory = Memory(state.database)
    for number in range(1, TURNS + 3):
        memory.note("a", meaning(number), now=1000)
    assert [each.question for each in memory.recall("a", now=1000 + LIFE)] == [3, 4, 5, 6]
    assert memory.recall("a", now=1001 + LIFE) == []
    assert memory.recall("b", now=1000) == []


def test_reset_forgets_one_thread(state: State) -> None:
    memory = Memory(state.database)
    memory.note("a", meaning(1))
    memory.note("b", meaning(2))
    memory.forget("a")
    assert memory.recall("a") == []
    assert [each.question for each in memory.recall("b")] == [2]


def test_questions_are_taken_back_with_all_that_followed(state: State) -> None:
    memory = Memory(state.database)
    for number in (1, 2, 3):
        memory.note("a", meaning(number), message=10 + number)
    memory.take_back("a", message=99)
    memory.take_back("a", question=9)
    assert len(memory.recall("a")) == 3
    memory.take_back("a", message=12)
    assert [each.question for each in memory.recall("a")] == [1]
    memory.take_back("a", question=1)
    assert memory.recall("a") == []


def test_a_message_linked_twice_has_the_later_question(state: State) -> None:
    memory = Memory(state.database)
    memory.note("a", meaning(1))
    memory.note("a", meaning(2))
    memory.link("1", 5, 1)
    memory.link("1", 5, 2)
    assert memory.answered_by("1", 5) == meaning(2)
