"""Work that threads share."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from retrieval.shared_work import SharedWork


def test_without_helpers_the_one_who_asks_does_all() -> None:
    doing: list[str] = []

    def piece(number: int) -> int:
        doing.append(threading.current_thread().name)
        return number * number

    work = SharedWork([lambda n=n: piece(n) for n in range(5)])  # type: ignore[misc]
    assert doing == []
    assert work.results() == [0, 1, 4, 9, 16]
    assert set(doing) == {threading.current_thread().name}


def test_a_helper_begins_at_once_and_each_piece_is_done_once() -> None:
    begun, done = threading.Event(), []

    def piece(number: int) -> int:
        begun.set()
        done.append(number)
        return -number

    with ThreadPoolExecutor(2) as executor:
        work = SharedWork([lambda n=n: piece(n) for n in range(50)])  # type: ignore[misc]
        work.begin(executor, 2)
        assert begun.wait(10)
        assert work.results() == [-number for number in range(50)]
    assert sorted(done) == list(range(50))


def test_a_helper_that_is_busy_is_not_waited_for() -> None:
    free = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        busy = executor.submit(free.wait, 10)
        work = SharedWork([lambda: 1, lambda: 2])
        work.begin(executor, 1)
        assert work.results() == [1, 2]
        assert not busy.done()
        free.set()


def test_what_a_helper_raises_is_raised() -> None:
    def fails() -> int:
        raise ValueError("no such row")

    with ThreadPoolExecutor(1) as executor:
        work = SharedWork([fails])
        work.begin(executor, 1)
        executor.submit(int).result()  # the helper is through
        with pytest.raises(ValueError, match="no such row"):
            work.results()


def test_an_executor_that_was_shut_down_is_no_help_and_no_fault() -> None:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    work = SharedWork([lambda: 3])
    work.begin(executor, 1)
    assert work.results() == [3]


def test_one_piece_may_be_done_ahead() -> None:
    done: list[int] = []
    work = SharedWork([lambda: done.append(1), lambda: done.append(2)])
    assert work.step()
    assert done == [1]
    assert work.step()
    assert not work.step()
    assert work.results() == [None, None]
    assert done == [1, 2]


def test_what_a_piece_raises_is_never_taken_for_the_end() -> None:
    empty: list[int] = []
    for ask in (SharedWork([empty.pop]).step, SharedWork([empty.pop]).results):
        with pytest.raises(IndexError, match="pop from empty list"):
            ask()
