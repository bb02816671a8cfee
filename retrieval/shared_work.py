"""Work that several threads share, piece by piece."""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from typing import Generic, TypeVar

Result = TypeVar("Result")


class SharedWork(Generic[Result]):
    """Pieces of work, each done by whichever thread is free first: helpers that begin at once, and whoever
    asks for the results, from then on.

    Whoever comes first has `pieces` say what there is to do. Nobody waits for a helper that is busy
    elsewhere. Pieces gain by it as far as they run without the interpreter's lock, as FAISS' scans do.
    """

    def __init__(self, pieces: Callable[[], Iterable[Callable[[], Result]]]) -> None:
        self._pieces = pieces
        self._guard = threading.Lock()
        self._left: deque[tuple[int, Callable[[], Result]]] | None = None
        self._results: dict[int, Result] = {}
        self._helpers: list[Future[None]] = []

    def begin(self, executor: Executor, helpers: int) -> None:
        """Let at most so many threads of `executor` start on the pieces."""
        with contextlib.suppress(RuntimeError):  # it was shut down: the index was closed meanwhile
            for _ in range(helpers):
                self._helpers.append(executor.submit(self._work))

    def results(self) -> list[Result]:
        """What the pieces gave, in their order; raises what one of them raised."""
        self._work()
        for helper in self._helpers:
            if not helper.cancel():
                helper.result()
        return [self._results[place] for place in sorted(self._results)]

    def _work(self) -> None:
        left = self._begun()
        while True:
            try:
                place, piece = left.popleft()
            except IndexError:
                return
            self._results[place] = piece()

    def _begun(self) -> deque[tuple[int, Callable[[], Result]]]:
        with self._guard:
            if self._left is None:
                self._left = deque(enumerate(self._pieces()))
            return self._left
