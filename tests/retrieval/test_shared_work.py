"""Work that threads share."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from retrieval.shared_work import SharedWork


def test_without_helpers_the_one_who_asks_does_all() -> None:
    doing: list[str] = []

    def piece(number: int) -> int:
        doing.append(threading.current_thread().name)
        return number * number

    work = SharedWork(lambda: [partial(piece, n) for n in range(5)])
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
        work = SharedWork(lambda: [partial(piece, n) for n in range(50)])
        work.begin(executor, 2)
        assert begun.wait(10)
        assert work.results() == [-number for number in range(50)]
    assert sorted(done) == list(range(50))


def test_a_helper_that_is_busy_is_not_waited_for() -> None:
    free = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        busy = executor.submit(free.wait, 10)
        work = SharedWork(lambda: [lambda: 1, lambda: 2])
        work.begin(executor, 1)
        assert work.results() == [1, 2]
        assert not busy.done()
        free.set()


def test_what_a_helper_raises_is_raised() -> None:
    def fails() -> int:
        raise ValueError("no such row")

    with ThreadPoolExecutor(1) as executor:
        work = SharedWork(lambda: [fails])
        work.begin(executor, 1)
        executor.submit(int).result()  # the helper is through
        with pytest.raises(ValueError, match="no such row"):
            work.results()


def test_an_executor_that_was_shut_down_is_no_help_and_no_fault() -> None:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    work = SharedWork(lambda: [lambda: 3])
    work.begin(executor, 1)
    assert work.results() == [3]


def test_what_there_is_to_do_is_worked_out_once_by_whoever_comes_first() -> None:
    thinking, free = threading.Event(), threading.Event()
    by: list[str] = []

    def pieces() -> list[Callable[[], int]]:
        by.append(threading.current_thread().name)
        thinking.set()
        assert free.wait(10)
        return [lambda: 1, lambda: 2]

    with ThreadPoolExecutor(1, "helper") as executor:
        work = SharedWork(pieces)
        assert by == []
        work.begin(executor, 1)
        assert thinking.wait(10)
        threading.Timer(0.05, free.set).start()
        assert work.results() == [1, 2]  # which waits for the helper's plan
    assert by == ["helper_0"]


def test_what_working_it_out_raises_is_raised() -> None:
    def pieces() -> list[Callable[[], int]]:
        raise ValueError("no such model")

    with ThreadPoolExecutor(1) as executor:
        work = SharedWork(pieces)
        work.begin(executor, 1)
        executor.submit(int).result()  # the helper is through
        with pytest.raises(ValueError, match="no such model"):
            work.results()


def test_what_a_piece_raises_is_never_taken_for_the_end() -> None:
    empty: list[int] = []
    with pytest.raises(IndexError, match="pop from empty list"):
        SharedWork(lambda: [empty.pop]).results()
